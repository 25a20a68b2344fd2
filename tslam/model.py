"""What ``tslam.fit`` returns: roles, latents, scores, the audit, and the way to disk and back."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from jaxtyping import Float

from tslam.artefact import Fitted, write
from tslam.audit.gap import LatentInfo
from tslam.audit.run import audit_panel
from tslam.contract import Contract, latent_names
from tslam.dynamics.inverse import Mode
from tslam.panel import Panel, build
from tslam.panel.chain import Chain, chain
from tslam.panel.digest import digest
from tslam.panel.ingest import FrameKind, back, read
from tslam.report import ChannelSkill, GapReport, ModelFacts, build_report
from tslam.select.auto import prepare
from tslam.select.skill import horizon_errors, skill_of
from tslam.summary import Summary, summarise

if TYPE_CHECKING:
    from tslam.tracking.runs import TrackedRun

__all__ = ["LatentActionModel"]


class LatentActionModel:
    """A fitted latent action model. Frozen: nothing that it is asked changes it."""

    def __init__(self, fitted: Fitted) -> None:
        self._fitted = fitted

    @property
    def contract(self) -> Contract:
        """Which column is what."""
        return self._fitted.contract

    @property
    def family(self) -> str:
        """The family that was taken: linear, held or neural."""
        return self._fitted.lam.family

    @property
    def latents(self) -> tuple[LatentInfo, ...]:
        """The inferred latents, strongest first, and whether each has earned its place."""
        return self._fitted.latents

    @property
    def latent_names(self) -> list[str]:
        """Names of the latents, strongest first."""
        return list(latent_names(self._fitted.lam.latents))

    @property
    def trace(self) -> tuple[str, ...]:
        """What was tried on the way to this model, and why it was taken."""
        return self._fitted.trace

    @property
    def notes(self) -> tuple[str, ...]:
        """What was found in the data and handled, one plain sentence each."""
        return self._fitted.notes

    def infer(self, df: Any, mode: Mode = "smoothed") -> Any:
        """Latents of every row: what acts from this row to the next, as far as it was not logged.

        Args:
            df: A frame that meets the contract; series never seen get their own scaling.
            mode: ``smoothed`` uses past and future, ``filtered`` only what was known once the next
                sample was in.

        Returns:
            A frame of the caller's kind: time, series where there is one, and a column per latent. One
            row per row of ``df``, in its order; null where nothing can be said (the last row).

        Raises:
            FrameError, CadenceError, RoleError: the frame does not meet the contract.
        """
        panel, kind = self._panel(df), _kind(df, self.contract)
        levels = self._levels(panel, mode)
        keys, _ = read(df, self.contract)
        names = [c for c in (self.contract.time, self.contract.series) if c is not None]
        placed = np.where(panel.row_of[:, None] >= 0, levels[np.maximum(panel.row_of, 0)], np.nan)
        result = keys.select(names).with_columns(
            pl.Series(name, placed[:, i]).fill_nan(None) for i, name in enumerate(self.latent_names)
        )
        return back(result, kind, roles=dict.fromkeys(self.latent_names, "latent"))

    def score(self, df: Any, horizons: tuple[int, ...] = (1, 5, 20)) -> Any:
        """Held-out skill against persistence, per channel and horizon.

        On the data of the fit only held-out rows count; on other data all do. Logged inputs over the
        horizon are taken as known.

        Args:
            df: A frame that meets the contract.
            horizons: Steps ahead.

        Returns:
            A frame of the caller's kind with columns channel, horizon, skill (1 − error / error of
            persistence), rmse and persistence_rmse (in the channel's scaled units), origins.
        """
        panel = self._panel(df)
        c, held = self._held(panel)
        errors = horizon_errors(
            self._fitted.lam, c, held, tuple(sorted(horizons)), self._fitted.structure.lags
        )
        rows = []
        for h, e in errors.items():
            known = e.origins > 0
            skill = skill_of(e.model, e.persistence)
            rows += [
                {
                    "channel": name,
                    "horizon": h,
                    "skill": float(skill[i]) if known else None,
                    "rmse": float(np.sqrt(e.model[i])) if known else None,
                    "persistence_rmse": float(np.sqrt(e.persistence[i])) if known else None,
                    "origins": e.origins,
                }
                for i, name in enumerate(panel.channels)
            ]
        schema = {
            "channel": pl.String, "horizon": pl.Int64, "skill": pl.Float64, "rmse": pl.Float64,
            "persistence_rmse": pl.Float64, "origins": pl.Int64,
        }  # fmt: skip
        return back(pl.DataFrame(rows, schema=schema), _kind(df, self.contract))

    def audit(self, df: Any) -> GapReport:
        """Ask what the contract is missing: which actions no column logs, which logs are wrong.

        Args:
            df: A frame that meets the contract, of the fit or later.

        Raises:
            FrameError, CadenceError, RoleError: the frame does not meet the contract.
        """
        panel = self._panel(df)
        levels = self._levels(panel, "smoothed")
        findings = audit_panel(panel, self._fitted.structure, self.latents, levels, seed=self._fitted.seed)
        skill = tuple(
            ChannelSkill(channel=s.channel, skill=s.skill, without_actions=s.without_actions)
            for s in self._fitted.skill
        )
        facts = ModelFacts(
            family=self.family,
            lags=self._fitted.structure.lags,
            latents=self._fitted.lam.latents,
            seed=self._fitted.seed,
            trace=self.trace,
            skill=skill,
        )
        return build_report(panel=panel, findings=findings, latents=levels, model=facts, digest=digest(panel))

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
        medians = {"skill_median": float(np.median([s.skill for s in f.skill]))}
        skills = {f"skill/{s.channel}": s.skill for s in f.skill}
        gains = {f"gain/{info.name}": info.gain for info in f.latents}
        with TemporaryDirectory() as folder:
            saved = self.save(Path(folder) / "model")
            return log_run(
                contract=f.contract,
                digest=f.digest,
                model_dir=saved,
                params={
                    **f.config.model_dump(),
                    "chosen_family": self.family,
                    "chosen_lags": f.structure.lags,
                    "seed": f.seed,
                },
                metrics={**medians, **skills, **gains},
                history=f.history,
                dataset=df,
                report=report if report is not None else self.audit(df),
                experiment=experiment,
                tracking_uri=tracking_uri,
            )

    def __repr__(self) -> str:
        return str(self.summary())

    def _repr_html_(self) -> str:
        return self.summary().to_html()

    def _panel(self, df: Any) -> Panel:
        f = self._fitted
        return build(
            df, f.contract, max_gap=f.config.max_gap, scaling=f.scaling, encoding=f.encoding, step=f.step
        )

    def _levels(self, panel: Panel, mode: Mode) -> Float[np.ndarray, "rows latent"]:
        """Latents on the grid rows; NaN where no transition leaves the row."""
        lam = self._fitted.lam
        out = np.full((panel.rows, lam.latents), np.nan)
        c = chain(panel, self._fitted.structure)
        path = lam.infer(c.X, c.Y, c.start, mode)
        if path is not None:
            out[c.rows] = path.mean
        return out

    def _held(self, panel: Panel) -> tuple[Chain, np.ndarray]:
        """Transitions, and those that the fit has not seen."""
        f = self._fitted
        if digest(panel) == f.digest:
            data = prepare(panel, f.config)(f.structure)
            return data.chain, data.held
        c = chain(panel, f.structure)
        return c, c.usable


def _kind(df: Any, contract: Contract) -> FrameKind:
    return read(df, contract)[1]
