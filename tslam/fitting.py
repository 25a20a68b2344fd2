"""The front doors: ``tslam.fit`` from a frame to a model, ``tslam.load`` from a folder to a model."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np

from tslam.artefact import Fitted, Part, read
from tslam.audit.gap import LatentInfo
from tslam.config import FAMILIES, FitConfig
from tslam.contract import Contract, from_arguments, merge
from tslam.contract.odcs import read as read_contract
from tslam.dynamics.lam import LAM
from tslam.dynamics.presets import CHOSEN, preset
from tslam.dynamics.steady import one_thread
from tslam.errors import ConfigError, ContractError, FrameError, TrainingError
from tslam.model import LatentActionModel
from tslam.panel import Panel, build, columns
from tslam.panel.build import LEAST_TRANSITIONS
from tslam.panel.restrict import restrict
from tslam.panel.windows import transitions
from tslam.select.auto import Choice, choose
from tslam.select.earning import earned_latents
from tslam.select.skill import one_step_skill
from tslam.train.progress import enabled

__all__ = ["fit", "load"]

Columns = str | Iterable[Any] | Mapping[str, Any]
"""Columns of one role: a name, several, or a mapping from names to their kind, timing or whole ``Column``."""


def fit(
    df: Any,
    actions: Columns = (),
    exog: Columns = (),
    *,
    observations: Columns | None = None,
    ignore: Columns = (),
    time: str | None = None,
    series: str | None = None,
    freq: str | float | None = None,
    contract: Contract | str | Path | None = None,
    config: FitConfig | str | None = None,
    seed: int = 0,
    device: str = "auto",
    track: bool | str | None = None,
    progress: bool | Literal["auto"] = "auto",
) -> LatentActionModel:
    """Learn what moves a system: history, logged actions, the outside world, and what nobody logged.

    Args:
        df: Polars or pandas frame, LazyFrame, Arrow table, or a path or glob of Parquet files.
        actions: Columns that log what was done.
        exog: Columns that measure the outside world.
        observations: Columns that show the response; by default every other numeric column.
        ignore: Columns to leave out.
        time: The time column; by default the only temporal one.
        series: The column that tells one series from another.
        freq: Cadence, such as ``"10s"``; by default found in the data.
        contract: A contract, or the path of one (ODCS YAML), instead of or beside the roles.
        config: Settings, or the name of a family: ``"auto"``, ``"linear"``, ``"held"``, ``"neural"``; or of a
            system of the literature, such as ``"paper:lapo"``; ``"composed"`` chooses the bottleneck of a
            network on held-out rows.
        seed: Of everything random.
        device: ``"auto"``, ``"cpu"``, ``"cuda"``; only the neural family trains on it.
        track: True or the name of an experiment logs the fit, its audit and the model to MLflow.
        progress: Show what takes time; ``"auto"`` does so on a terminal or in a notebook.

    Returns:
        The fitted model.

    Raises:
        RoleError: Columns and roles do not fit together.
        FrameError: The values cannot be used; CadenceError where it is the clock.
        ConfigError: The configuration contradicts itself or the data.
        TrainingError: A fit did not arrive at finite numbers.
    """
    settings = _settings(config)
    if not isinstance(seed, int | np.integer):
        raise ConfigError(f"Found seed={seed!r}. Give a whole number.")
    schema = columns(df)
    if contract is None:
        roles, notes = from_arguments(
            schema, actions=actions, exog=exog, observations=observations, ignore=ignore,
            time=time, series=series, freq=freq,
        )  # fmt: skip
    else:
        given = _contract(contract)
        roles, notes = merge(
            given, schema, actions=actions, exog=exog, observations=observations, ignore=ignore,
            time=time, series=series, freq=freq,
        )  # fmt: skip
    panel = build(df, roles, max_gap=settings.max_gap)
    alone = panel.series_names if settings.per_series else ()
    fitted = Fitted(
        contract=panel.contract,
        config=settings,
        seed=int(seed),
        parts=tuple(
            _part(panel if name is None else restrict(panel, name)[0], name, settings, seed, device, progress)
            for name in alone or (None,)
        ),
        scaling=panel.scaling,
        encoding=panel.encoding,
        step=panel.step,
        channels=panel.channels,
        digest=panel.digest,
        notes=(*notes, *panel.notes),
    )
    model = LatentActionModel(fitted)
    if track:
        model.track(df, experiment=track if isinstance(track, str) else None)
    return model


@contextmanager
def _one_answer() -> Iterator[None]:
    """Say what makes a regression singular."""
    try:
        yield
    except np.linalg.LinAlgError as error:
        raise TrainingError(
            f"A regression has no one answer ({error}): some columns are constant, or copies or sums of "
            "others. Raise `ridge` in the configuration, or ignore such columns."
        ) from error


@one_thread()
@_one_answer()
def _part(
    panel: Panel,
    series: str | None,
    config: FitConfig,
    seed: int,
    device: str,
    progress: bool | Literal["auto"],
) -> Part:
    """What is fitted on one panel."""
    if (found := transitions(panel, 1).size) < LEAST_TRANSITIONS:
        raise FrameError(
            f"Series {series!r} has {found} transitions; to be fitted alone it needs {LEAST_TRANSITIONS}. "
            "Leave it out, or fit one model for the fleet (per_series=False)."
        )
    choice = _choice(panel, config, seed, device, progress=enabled(progress))
    lam, infos = _latents(choice, panel.channels)
    return Part(
        series=series,
        structure=choice.candidate.structure,
        lam=lam,
        latents=infos,
        skill=one_step_skill(lam, choice.data, panel.channels, choice.ridge),
        trace=choice.trace,
        history=choice.history,
    )


def _choice(panel: Panel, config: FitConfig, seed: int, device: str, *, progress: bool) -> Choice:
    """The model that is asked for, or found."""
    if config.preset is None:
        return choose(panel, config, seed=seed, device=device, progress=progress)
    from tslam.select.presets import choose_preset  # noqa: PLC0415 - quantisers load only for a preset

    return choose_preset(panel, config, config.preset, seed=seed, device=device, progress=progress)


def _latents(choice: Choice, channels: tuple[str, ...]) -> tuple[LAM, tuple[LatentInfo, ...]]:
    """Latents, strongest first, and which of them have earned their place."""
    if choice.candidate.lam.family != "composed":
        return earned_latents(choice.candidate.lam, choice.data, channels, choice.ridge)
    from tslam.select.presets import composed_latents  # noqa: PLC0415 - quantisers load only for a preset

    return choice.candidate.lam, composed_latents(choice.candidate.lam, choice.data, channels)


def load(path: str | Path, device: str = "cpu") -> LatentActionModel:
    """Load what ``model.save`` wrote.

    Args:
        path: The folder.
        device: Where a neural forward model runs.

    Raises:
        ArtifactError: The folder is not a saved model, is damaged, or comes from a later version.
    """
    return LatentActionModel(read(Path(path), device=device))


def _contract(given: Contract | str | Path) -> Contract:
    if isinstance(given, Contract):
        return given
    if not isinstance(given, str | Path):
        raise ContractError(
            f"Found a contract of type {type(given).__name__}. Give a Contract, or the path of one."
        )
    return read_contract(given)


def _settings(config: FitConfig | str | None) -> FitConfig:
    if config is None:
        return FitConfig()
    if isinstance(config, FitConfig):
        return config
    if config in FAMILIES:
        return FitConfig.model_validate({"family": config})
    if config == CHOSEN:
        return FitConfig.model_validate({"preset": config})
    if isinstance(config, str) and config.startswith("paper:"):
        preset(config)  # an unknown name is refused before the data are read
        return FitConfig.model_validate({"preset": config})
    raise ConfigError(
        f"No configuration is called {config!r}. Give a FitConfig, one of {[*FAMILIES, CHOSEN]}, or a "
        "system of the literature such as 'paper:lapo'."
    )
