"""Facts and findings put together: the panel described, the timeline thinned, nothing judged."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from pydantic import ValidationError

from tslam.audit.gap import Findings
from tslam.contract.latents import latent_names
from tslam.contract.model import Column
from tslam.contract.roles import INPUT_ROLES, Role
from tslam.errors import FrameError, TslamError
from tslam.panel.panel import Panel
from tslam.panel.windows import carried_share
from tslam.report.decode import Decoded, decode, stamps
from tslam.report.facts import ColumnFacts, DataFacts, ModelFacts
from tslam.report.holds import latent_facts
from tslam.report.model import GapReport
from tslam.report.tracks import timeline
from tslam.report.words import number

__all__ = ["build_report"]


def build_report(
    *,
    panel: Panel,
    findings: Findings,
    latents: Float[np.ndarray, "rows latent"],
    model: ModelFacts,
    digest: str,
    names: Sequence[str] | None = None,
) -> GapReport:
    """The report of one audit.

    Args:
        panel: the data as they were audited.
        findings: what the audit found.
        latents: inferred levels on the grid rows, NaN where nothing can be said.
        model: the model behind the findings.
        digest: SHA-256 of the data, hexadecimal.
        names: names of the latents; None: ``latent_0`` and so on.

    Raises:
        FrameError: the latents were inferred on other rows.
        TslamError: the findings hold what is no number where one is needed.

    Returns:
        The report, whose renderings add nothing.
    """
    if latents.shape[0] != panel.rows:
        raise FrameError(
            f"Found latents of {latents.shape[0]} rows and a panel of {panel.rows}. Infer them on this panel."
        )
    called = tuple(names) if names is not None else latent_names(latents.shape[1])
    return GapReport(
        contract=panel.contract,
        data=_data(panel, digest),
        model=model,
        findings=_through_json(findings),
        latents=latent_facts(panel, latents, called),
        timeline=timeline(panel, findings, latents, called),
    )


def _through_json(findings: Findings) -> Findings:
    """The findings as JSON gives them back: stamps by their offset, nothing for what is no number."""
    try:
        return Findings.model_validate_json(findings.model_dump_json())
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors(include_url=False)[0]["loc"])
        raise TslamError(
            f"The findings hold no finite number at {where}, where one is needed. This is a defect of the "
            "audit and no fault of the data: please report it."
        ) from error


def _data(panel: Panel, digest: str) -> DataFacts:
    ends = np.array([panel.time.argmin(), panel.time.argmax()]) if panel.rows else np.zeros(0, dtype=int)
    period = stamps(panel, ends)
    return DataFacts(
        rows=int(panel.row_of.size),
        grid_rows=panel.rows,
        series=panel.series_names,
        segments=len(panel.segments),
        start=period[0] if period else None,
        end=period[1] if period else None,
        timezone=panel.contract.timezone or panel.timezone,
        cadence=_cadence(panel),
        channels=panel.channels,
        actions=panel.action_columns(),
        exogenous=tuple(dict.fromkeys(f.column for f in panel.exog_features)),
        columns=tuple(_column(panel, column) for column in panel.contract.columns),
        missing=float(1 - panel.observed.mean()) if panel.obs.size else 0.0,
        carried=carried_share(panel),
        digest=digest,
        transferred=panel.transferred,
        notes=panel.notes,
    )


def _cadence(panel: Panel) -> str:
    if not np.issubdtype(panel.time.dtype, np.datetime64):
        return f"{number(panel.step)} units of time"
    for seconds, unit in ((86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s")):
        if panel.step >= seconds and panel.step % seconds == 0:
            return f"{number(panel.step / seconds)} {unit}"
    return f"{number(panel.step)} s" if panel.step >= 1 else f"{number(1000 * panel.step)} ms"


def _column(panel: Panel, column: Column) -> ColumnFacts:
    stated = ColumnFacts(
        name=column.name,
        role=column.role,
        kind=column.kind,
        timing=column.timing if column.role in INPUT_ROLES else None,
        unit=column.unit,
    )
    decoded = decode(panel, column.name)
    if decoded is None:
        return stated
    measured = decoded.values[np.isfinite(decoded.values)]
    ranged = measured.size > 0 and decoded.levels is None
    return stated.model_copy(
        update={
            "missing": float(1 - measured.size / max(1, decoded.values.size)),
            "low": float(measured.min()) if ranged else None,
            "high": float(measured.max()) if ranged else None,
            "moves": _moves(panel, decoded) if column.role is Role.ACTION else None,
        }
    )


def _moves(panel: Panel, decoded: Decoded) -> int:
    """Changes of value between neighbouring measured rows, never across segments."""
    moves = 0
    for segment in panel.segments:
        values = decoded.values[segment.start : segment.stop]
        measured = values[np.isfinite(values)]
        moves += int(np.count_nonzero(np.diff(measured)))
    return moves
