"""What ``tslam.fit`` returns: roles, latents, scores, the audit, and the way to disk and back."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import polars as pl
from jaxtyping import Bool, Float

from tslam.acting import Acting
from tslam.artefact import Part, write
from tslam.audit.gap import LatentInfo
from tslam.audit.run import audit_panel
from tslam.contract import Contract, InferredLatent, latent_names
from tslam.diagnose.results import Diagnostics
from tslam.diagnose.run import diagnose, on_grid
from tslam.dynamics.inverse import Mode
from tslam.dynamics.steady import one_thread
from tslam.errors import ConfigError, FrameError
from tslam.panel import Panel, build
from tslam.panel.chain import Chain, chain
from tslam.panel.ingest import back, read
from tslam.panel.restrict import restrict
from tslam.report import ChannelSkill, GapReport, ModelFacts, build_report
from tslam.report.merge import merge_findings, merge_latents
from tslam.select.auto import prepare
from tslam.select.skill import HorizonErrors, horizon_errors, skill_of, steps_ahead
from tslam.summary import Summary, summarise

if TYPE_CHECKING:
    from tslam.report.policy import Policy
    from tslam.tracking.runs import TrackedRun

__all__ = ["LatentActionModel"]

_UNTOLD = 0.99
"""Posterior variance of a latent, of 1 before anything was seen, from which nothing is said of it."""
_SCORES = {
    "channel": pl.String(), "horizon": pl.Int64(), "skill": pl.Float64(), "rmse": pl.Float64(),
    "persistence_rmse": pl.Float64(), "origins": pl.Int64(),
}  # fmt: skip


class LatentActionModel(Acting):
    """A fitted latent action model. Frozen: nothing that it is asked changes it."""

    @property
    def contract(self) -> Contract:
        """Which column is what."""
        return self._fitted.contract

    @property
    def family(self) -> str:
        """The family that was taken: linear, held or neural; several where series were fitted alone."""
        return ", ".join(dict.fromkeys(part.lam.family for part in self._fitted.parts))

    @property
    def latents(self) -> tuple[LatentInfo, ...]:
        """The inferred latents, strongest first, and whether each has earned its place.

        Where each series was fitted alone, the surest of each name.
        """
        return merge_latents(info for part in self._fitted.parts for info in part.latents)

    @property
    def latent_names(self) -> list[InferredLatent]:
        """Names of the latents, strongest first."""
        return list(latent_names(max(part.lam.reader.latents for part in self._fitted.parts)))

    @property
    def trace(self) -> tuple[str, ...]:
        """What was tried on the way to this model, and why it was taken."""
        return tuple(
            sentence if part.series is None else f"{part.series}: {sentence}"
            for part in self._fitted.parts
            for sentence in part.trace
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """What was found in the data and handled, one plain sentence each."""
        return self._fitted.notes

    @one_thread()
    def infer(self, df: Any, mode: Mode = "smoothed") -> Any:
        """Latents of every row: what acts from this row to the next, as far as it was not logged.

        Args:
            df: A frame that meets the contract; series never seen get their own scaling.
            mode: ``smoothed`` uses past and future, and shows the jumps of what is held in the rows where
                they happen; ``filtered`` only uses what was known once the next sample was in (and the
                scale of a series never seen, which is taken from all its rows).

        Returns:
            A frame of the caller's kind: time, series where there is one, and a column per latent. One
            row per row of ``df``, in its order; null where nothing can be said (the last row).

        Raises:
            FrameError, CadenceError, RoleError: the frame does not meet the contract.
            ConfigError: there is no such mode.
        """
        if mode not in get_args(Mode):
            raise ConfigError(f"Found mode={mode!r}. Give one of {list(get_args(Mode))}.")
        frame, kind = read(df, self.contract)
        panel = self._panel(frame)
        levels = self._levels(panel, mode, leaps=mode == "smoothed")
        placed = np.where(panel.row_of[:, None] >= 0, levels[np.maximum(panel.row_of, 0)], np.nan)
        keys = frame.select(c for c in (self.contract.time, self.contract.series) if c is not None)
        result = keys.with_columns(
            pl.Series(name, placed[:, i]).fill_nan(None) for i, name in enumerate(self.latent_names)
        )
        return back(result, kind, roles=dict.fromkeys(self.latent_names, "latent"))

    @one_thread()
    def score(self, df: Any, horizons: int | Sequence[int] = (1, 5, 20)) -> Any:
        """Held-out skill against persistence, per channel and horizon.

        On the data of the fit only held-out rows count; on other data all do. Logged inputs over the
        horizon are taken as known.

        Args:
            df: A frame that meets the contract.
            horizons: Steps ahead.

        Returns:
            A frame of the caller's kind with columns channel, horizon, skill (1 − error / error of
            persistence), rmse and persistence_rmse (in the channel's scaled units), origins (how many
            forecasts were scored; null scores where it is 0), and the series where each was fitted alone.

        Raises:
            FrameError, CadenceError, RoleError: the frame does not meet the contract.
            ConfigError: a horizon is no whole number of steps from 1 on, or there is none.
        """
        ahead = steps_ahead(horizons)
        frame, kind = read(df, self.contract)
        panel = self._panel(frame)
        seen = panel.digest == self._fitted.digest
        rows: list[dict[str, Any]] = []
        for part, own, _ in self._apart(panel):
            c, held = self._held(own, part, seen=seen)
            errors = horizon_errors(part.lam, c, held, ahead, part.structure.lags)
            label = {} if part.series is None else {"series": part.series}
            rows += [label | row for h, e in errors.items() for row in _scores(own.channels, h, e)]
        schema = _SCORES if self._fitted.parts[0].series is None else {"series": pl.String()} | _SCORES
        return back(pl.DataFrame(rows, schema=schema), kind)

    @one_thread()
    def audit(self, df: Any, *, policy: "Policy | None" = None) -> GapReport:
        """Ask what the contract is missing: which actions no column logs, which logs are wrong.

        Args:
            df: A frame that meets the contract, of the fit or later.
            policy: Thresholds in place of the contract's, as ``Policy.read`` has them from a file.

        Raises:
            FrameError, CadenceError, RoleError: the frame does not meet the contract.
            ConfigError: the policy names a column that the contract does not have.
        """
        f = self._fitted
        panel = self._panel(read(df, self.contract)[0])
        panel = panel if policy is None else replace(panel, contract=policy.over(panel.contract))
        levels = self._levels(panel, "smoothed")
        found = {
            part.series: audit_panel(own, part.structure, part.latents, levels[rows], seed=f.seed)
            for part, own, rows in self._apart(panel)
        }
        alone = {name: findings for name, findings in found.items() if name is not None}
        skill = [] if alone else [
            ChannelSkill(channel=s.channel, skill=s.skill, without_actions=s.without_actions)
            for s in f.parts[0].skill
        ]  # fmt: skip
        facts = ModelFacts(
            family=self.family,
            lags=max(part.structure.lags for part in f.parts),
            latents=len(self.latent_names),
            seed=f.seed,
            trace=self.trace,
            skill=tuple(skill),
        )
        findings = merge_findings(alone) if alone else found[None]
        return build_report(panel=panel, findings=findings, latents=levels, model=facts, digest=panel.digest)

    @one_thread()
    def diagnose(self, df: Any, *, truth: Any = None) -> Diagnostics:
        """Ask, without labels, what the latents are: do they leak, last, belong to their step, see outside?

        On the data of the fit only held-out rows are asked about; on other data all are.

        Args:
            df: A frame that meets the contract.
            truth: What really was done, where that is known: an array or frame of numbers, one row per row of
                ``df``; null where it is not known.

        Raises:
            FrameError, CadenceError, RoleError: the frame does not meet the contract, or has too few rows.
            ConfigError: each series was fitted alone, and ``df`` has several; or ``truth`` has other rows.
        """
        panel = self._panel(read(df, self.contract)[0])
        known = None if truth is None else on_grid(truth, panel)
        parts = list(self._apart(panel))
        if len(parts) != 1:
            raise ConfigError(
                f"Each series was fitted alone, and the frame has {len(parts)} of them: diagnose the rows of "
                "one at a time."
            )
        part, own, rows = parts[0]
        c, held = self._held(own, part, seen=panel.digest == self._fitted.digest)
        return diagnose(
            part.lam, own, c, held, c.usable & ~held, seed=self._fitted.seed,
            truth=None if known is None else known[rows],
        )  # fmt: skip

    def summary(self) -> Summary:
        """Roles, model, held-out scores and latents, as text and HTML."""
        return summarise(self._fitted)

    def save(self, path: str | Path) -> Path:
        """Write the model to a folder of JSON, YAML and safetensors, whole or not at all.

        Args:
            path: The folder; an older model there is replaced.

        Raises:
            ArtifactError: The folder holds something else, or cannot be written.
        """
        write(self._fitted, Path(path))
        return Path(path)

    def track(
        self,
        df: Any,
        experiment: str | None = None,
        report: GapReport | None = None,
        tracking_uri: str | None = None,
    ) -> "TrackedRun":
        """Log the fit, its audit and the model to MLflow (a local SQLite store by default).

        Args:
            df: The data of the fit.
            experiment: Name of the experiment.
            report: An audit that was made already; None: made now.
            tracking_uri: The store; None: MLflow's own setting or ``MLFLOW_TRACKING_URI``, else
                ``mlflow.db`` in the working directory.

        Raises:
            TrackingError: The store did not take what was sent.
        """
        from tslam.tracking.runs import log_run  # noqa: PLC0415 - mlflow loads only when used

        f = self._fitted
        metrics = {"skill_median": float(np.median([s.skill for part in f.parts for s in part.skill]))}
        history: dict[str, list[tuple[int, float]]] = {}
        for part in f.parts:
            at = "" if part.series is None else f"{part.series}/"
            metrics |= {f"{at}skill/{s.channel}": s.skill for s in part.skill}
            metrics |= {f"{at}gain/{info.name}": info.gain for info in part.latents}
            history |= {f"{at}{name}": steps for name, steps in part.history.items()}
        with TemporaryDirectory() as folder:
            saved = self.save(Path(folder) / "model")
            return log_run(
                contract=f.contract,
                digest=f.digest,
                model_dir=saved,
                params={
                    **f.config.model_dump(),
                    "chosen_family": self.family,
                    "chosen_lags": ", ".join(str(n) for n in sorted({p.structure.lags for p in f.parts})),
                    "seed": f.seed,
                },
                metrics=metrics,
                history=history,
                dataset=df,
                report=report if report is not None else self.audit(df),
                certificates={a.action: a.certificate.model_dump_json(indent=1) for a in f.alignments},
                experiment=experiment,
                tracking_uri=tracking_uri,
            )

    def __repr__(self) -> str:
        return str(self.summary())

    def _repr_html_(self) -> str:
        return self.summary().to_html()

    def _panel(self, frame: pl.DataFrame) -> Panel:
        f = self._fitted
        panel = build(
            frame, f.contract, max_gap=f.config.max_gap, scaling=f.scaling, encoding=f.encoding, step=f.step
        )
        if f.config.per_series and panel.transferred:
            raise FrameError(
                f"Series {list(panel.transferred)} were not in the fit, and each series was fitted alone, so "
                f"that no model speaks for them: there are models of {list(f.scaling.series)}. Leave them "
                "out, or fit one model for the fleet (per_series=False)."
            )
        return panel

    def _apart(self, panel: Panel) -> Iterator[tuple[Part, Panel, slice]]:
        """Each part of the model that the panel has rows for, with those rows."""
        for part in self._fitted.parts:
            if part.series is None:
                yield part, panel, slice(0, panel.rows)
            elif part.series in panel.series_names:
                yield part, *restrict(panel, part.series)

    def _levels(self, panel: Panel, mode: Mode, *, leaps: bool = False) -> Float[np.ndarray, "rows latent"]:
        """Latents on the grid rows; NaN where nothing can be said of the step that leaves the row.

        Leaps are for latents of ours: a preset reads as its paper does.
        """
        leaps = leaps and self._fitted.config.preset in (None, "paper:held")
        out = np.full((panel.rows, len(self.latent_names)), np.nan)
        for part, own, rows in self._apart(panel):
            c, reader = chain(own, part.structure), part.lam.reader
            path = reader.infer(c.X, c.Y, c.start, mode)
            if path is not None:
                told = c.usable[:, None] | (np.einsum("tii->ti", path.cov) < _UNTOLD)
                mean = reader.levels(c.X, c.Y, c.start) if leaps else path.mean
                out[rows.start + c.rows, : reader.latents] = np.where(told, mean, np.nan)
        return out

    def _unlearnt(self, panel: Panel, part: Part, digest: str) -> Bool[np.ndarray, " rows"]:
        """Rows whose transition the fit has not learnt from."""
        if digest != self._fitted.digest:
            return np.ones(panel.rows, bool)
        c, held = self._held(panel, part, seen=True)
        out = np.zeros(panel.rows, bool)
        out[c.rows[held]] = True
        return out

    def _held(self, panel: Panel, part: Part, *, seen: bool) -> tuple[Chain, Bool[np.ndarray, " n"]]:
        """Transitions, and those that the fit has not learnt from."""
        if seen:
            data = prepare(panel, self._fitted.config)(part.structure)
            return data.chain, data.held
        c = chain(panel, part.structure)
        return c, c.usable


def _scores(channels: Sequence[str], horizon: int, e: HorizonErrors) -> Iterator[dict[str, Any]]:
    skill = skill_of(e.model, e.persistence)
    numbers = np.column_stack([skill, np.sqrt(e.model), np.sqrt(e.persistence)])
    for name, row in zip(channels, numbers, strict=True):
        values = [float(v) if e.origins and np.isfinite(v) else None for v in row]
        yield {"channel": name, "horizon": horizon} | dict(
            zip(("skill", "rmse", "persistence_rmse"), values, strict=True), origins=e.origins
        )
