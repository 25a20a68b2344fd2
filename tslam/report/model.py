"""The report: one typed model, the source of every rendering."""

from collections.abc import Collection, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, computed_field, model_validator

from tslam.audit.gap import Attribution, Findings, Gap, Severity
from tslam.contract.model import Contract
from tslam.errors import ArtifactError
from tslam.report import html, junit, markdown, patch
from tslam.report.facts import DataFacts, LatentFacts, ModelFacts, Timeline
from tslam.report.policy import Verdict
from tslam.report.save import save
from tslam.report.words import status, verdict

__all__ = ["SCHEMA_VERSION", "GapReport"]

SCHEMA_VERSION = "1.1"


def _installed() -> str:
    try:
        return version("tslam")
    except PackageNotFoundError:  # run from its source tree
        return "unreleased"


class GapReport(BaseModel):
    """What acted on the system that nobody logged, and how sure that is.

    The report holds facts only; every rendering (HTML, JSON, Markdown, JUnit, contract patch) reads them
    and adds none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: str = Field(
        SCHEMA_VERSION, description="Version of this layout; the major part breaks readers"
    )
    tslam_version: str = Field(default_factory=_installed, description="What wrote the report")
    contract: Contract
    data: DataFacts
    model: ModelFacts
    findings: Findings
    latents: tuple[LatentFacts, ...] = Field((), description="How each latent was seen to move")
    timeline: Timeline = Timeline()

    @model_validator(mode="before")
    @classmethod
    def _derived_is_derived_again(cls, given: Any) -> Any:
        if isinstance(given, Mapping):
            return {k: v for k, v in given.items() if k not in cls.model_computed_fields}
        return given

    @computed_field(description="The findings in one plain sentence")  # type: ignore[prop-decorator] # pydantic's own advice: mypy#1362
    @property
    def verdict(self) -> str:
        """The findings in one plain sentence."""
        return verdict(self.findings)

    @computed_field(description="The worst severity; None without a gap")  # type: ignore[prop-decorator] # as above, mypy#1362
    @property
    def worst(self) -> Severity | None:
        """The worst severity; None without a gap."""
        return max((g.severity for g in self.findings.gaps), key=lambda s: s.rank, default=None)

    @property
    def gaps(self) -> list[Gap]:
        """The gaps, strongest first."""
        return list(self.findings.gaps)

    @property
    def attribution(self) -> tuple[Attribution, ...]:
        """Held-out predictive shares per channel and window."""
        return self.findings.attribution

    def exit_code(
        self, fail_on: Severity | str = Severity.CRITICAL, *, accepted: Collection[int] = ()
    ) -> int:
        """The exit code of a pipeline step.

        Args:
            fail_on: least severity that fails the step.
            accepted: positions of gaps that do not count (``Policy.judge`` tells them).

        Returns:
            1 with a gap at or above the threshold, else 3 where nothing could be tested, else 0.
        """
        threshold = Severity(fail_on).rank
        if any(g.severity.rank >= threshold for i, g in enumerate(self.gaps) if i not in accepted):
            return 1
        return 0 if self.findings.tested else 3

    def to_html(self, path: str | Path | None = None) -> str:
        """One self-contained HTML page: no script, nothing fetched.

        Args:
            path: where to write it as well; parent folders are made, the file is replaced in one step.

        Returns:
            The page.
        """
        return save(html.page(self), path)

    def to_json(self, path: str | Path | None = None) -> str:
        """The report as JSON, which ``from_json`` reads back (schema: ``gap_report.schema.json``).

        Args:
            path: where to write it as well; parent folders are made, the file is replaced in one step.

        Returns:
            The JSON text.
        """
        return save(self.model_dump_json(indent=1) + "\n", path)

    def to_markdown(self, path: str | Path | None = None) -> str:
        """The report as GitHub-flavoured Markdown, for pull requests and chat.

        Args:
            path: where to write it as well; parent folders are made, the file is replaced in one step.

        Returns:
            The Markdown text.
        """
        return save(markdown.page(self), path)

    def to_junit(
        self,
        path: str | Path | None = None,
        *,
        fail_on: Severity | str = Severity.CRITICAL,
        verdict: Verdict | None = None,
    ) -> str:
        """The report as JUnit XML: one test case per gap, one skipped case per question not tested.

        Args:
            path: where to write it as well; parent folders are made, the file is replaced in one step.
            fail_on: least severity that counts as a failure.
            verdict: what a policy says; accepted gaps are skipped cases.

        Returns:
            The XML text.
        """
        return save(junit.document(self, Severity(fail_on), verdict), path)

    def contract_patch(self) -> str:
        """What to add to the contract, as an ODCS document in YAML that holds nothing else."""
        return patch.document(self)

    @classmethod
    def from_json(cls, source: str | Path) -> Self:
        """Read a report back.

        Args:
            source: JSON text, or the path of a file with it.

        Raises:
            ArtifactError: the text is no report, or one of a layout that this version cannot read.
        """
        inline = isinstance(source, str) and source.lstrip().startswith("{")
        if not inline and not Path(source).is_file():
            raise ArtifactError(
                f"There is no file {str(source)!r}. Give the path of a report's JSON, or its text."
            )
        text = str(source) if inline else Path(source).read_text("utf-8")
        try:
            report = cls.model_validate_json(text)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "the whole"
            raise ArtifactError(
                f"This is no gap report of layout {SCHEMA_VERSION}: {error.error_count()} fields do not fit, "
                f"first {where} ({first['msg']}). Give what GapReport.to_json wrote."
            ) from error
        if report.schema_version.partition(".")[0] != SCHEMA_VERSION.partition(".")[0]:
            raise ArtifactError(
                f"The report has layout {report.schema_version!r}, this version of tslam reads "
                f"{SCHEMA_VERSION!r}. Read it with the version that wrote it, or run the audit again."
            )
        return report

    def __repr__(self) -> str:
        """The report in a line."""
        found = [f"{n} {s.value}" for s in reversed(Severity) if (n := self._count(s))] or [
            status(self.findings)
        ]
        tested = f"{self.findings.tested} tested, {len(self.findings.not_tested)} not tested"
        return f"<GapReport {self.contract.name} {self.contract.version}: {', '.join(found)}; {tested}>"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        return html.snippet(self)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        del include, exclude  # the frontend picks; all renderings are cheap
        return {
            "text/plain": repr(self),
            "text/markdown": markdown.page(self),
            "text/html": html.snippet(self),
        }

    def _count(self, severity: Severity) -> int:
        return sum(g.severity is severity for g in self.findings.gaps)
