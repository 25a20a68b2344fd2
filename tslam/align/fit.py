"""Align: from labels to an alignment with its certificate."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from tslam.align.accuracy import Accuracy, accuracy_of
from tslam.align.alignment import Alignment
from tslam.align.altered import changes_of
from tslam.align.baseline import label_only
from tslam.align.certificate import (
    Certificate,
    Check,
    Consistency,
    Experiment,
    Level,
    Range,
    Validation,
)
from tslam.align.checks import response_checks
from tslam.align.decoder import Decoder, fit_decoder, positions
from tslam.align.drift import limits
from tslam.align.driven import Driven, Fit, drive
from tslam.align.labels import Holds, Label, lay
from tslam.align.mistold import limits_on_labels, misread_of
from tslam.align.reading import Reader, Reading, learn_reader, read
from tslam.align.storage import fingerprint
from tslam.align.tied import Tied, tie
from tslam.align.usage import use_of
from tslam.contract.roles import Kind
from tslam.errors import AlignmentError, TrainingError
from tslam.panel.panel import Panel

__all__ = ["Asked", "align", "in_time", "kind_of", "spread_of", "truth_of"]

_LATE = 0.3
"""Share of the labels, the latest ones, that validate."""
_FEWEST_LATE = 4
"""Fewest of them; with fewer labels in all, each is left out in turn instead."""
_EDGE = 0.002
"""Share of rows at either end that the regime leaves out."""
_FOLDS = 6

_Latents = Float[np.ndarray, "rows latent"]


@dataclass(frozen=True)
class Asked:
    """What an alignment is asked for, and what the certificate shall say beside it."""

    action: str
    kind: Kind | None
    unit: str | None
    within: frozenset[str]
    names: tuple[str, ...]
    """Names of the model's latents."""
    model: str
    """Fingerprint of the model."""
    experiment: Experiment | None
    valid_for: timedelta | float | None
    seed: int


def align(
    panel: Panel, latents: _Latents, labels: Sequence[Label], asked: Asked, fit: Fit | None = None
) -> Alignment:
    """Align the latents of a panel with an action.

    Args:
        panel: The record, labelled here and there.
        latents: The model's smoothed latents on its rows.
        labels: The labels.
        asked: For what.
        fit: How a model is fitted to a panel, so that the plant can be learnt anew with the action as an
            input; None: a plan goes through the lean model that is tied to the labels.

    Raises:
        AlignmentError: labels lie outside the data, contradict each other, say one value only, or do not suit
            the kind; or the model has no latent.
    """
    if not asked.names:
        raise AlignmentError(
            "The model has no latent to align. Fit it with latents (FitConfig(latents=1)), or log the action."
        )
    holds = in_time(lay(labels, panel), panel)
    kind = kind_of(holds, asked.kind)
    everywhere = np.ones(panel.rows, bool)
    reader = learn_reader(panel, asked.within, everywhere, latents)
    reading = read(reader, panel, latents)
    rows = reading.chain.usable
    decoder = fit_decoder(reader, reading, holds, kind, rows)
    tied = _tied_to(decoder, reader, reading)
    validation, checks, consistency = _validate(panel, latents, holds, kind, asked, reader, reading)
    path = decoder.read(reading)
    draft = _draft(panel, holds, kind, asked, validation).model_copy(
        update={
            "latents": _standing(
                path[rows],
                reading.features[rows, reading.latents - len(asked.names) : reading.latents],
                asked.names,
            ),
            "checks": checks,
            "consistency": consistency,
            **(
                {}
                if tied is None
                else _watched(tied, panel, reading, decoder, holds, validation, asked.action)
            ),
        }
    )
    bare = Alignment(asked.action, reader, decoder, tied, draft)
    if fit is not None and tied is not None and draft.level in {Level.PREDICTIVE, Level.INTERVENTIONAL}:
        bare = replace(bare, driven=_driven(bare, panel, reading, holds, fit))
    return replace(bare, certificate=draft.model_copy(update={"decoder": fingerprint(bare)}).sealed())


def _watched(
    tied: Tied,
    panel: Panel,
    reading: Reading,
    decoder: Decoder,
    holds: Holds,
    validation: Validation,
    action: str,
) -> dict[str, Any]:
    """What new data are held against later, by field of the certificate."""
    c, at, spread = reading.chain, positions(holds, reading), spread_of(holds)
    path = decoder.read(reading, plain=True)
    drift = (*limits(tied, c, c.usable, panel.channels), *limits_on_labels(action, validation, spread))
    return {
        "drift": drift,
        "misread": misread_of(path, at, holds.numbers(), validation, spread or 0.0),
        "changes": changes_of(tied, panel, c, c.usable),
        "use": use_of(path, c, at, holds.numbers()),
    }


def _driven(bare: Alignment, panel: Panel, reading: Reading, holds: Holds, fit: Fit) -> Driven | None:
    """The plant's model with the action as labelled, and as read where nobody labelled it."""
    values = bare.values(reading, panel.rows)
    for own, value in zip(holds.rows, holds.numbers(), strict=True):
        values[own] = value
    return drive(panel, bare.action, values, fit)


def kind_of(holds: Holds, kind: Kind | None) -> Kind:
    """The kind of an action: as given, else text is a category and numbers are continuous."""
    if kind is not None:
        return kind
    return Kind.CATEGORICAL if any(isinstance(v, str) for v in holds.values) else Kind.CONTINUOUS


def in_time(holds: Holds, panel: Panel) -> Holds:
    """Labels in order of time, over all series."""
    order = np.argsort([panel.time[rows[0]] for rows in holds.rows], kind="stable")
    return Holds(tuple(holds.rows[i] for i in order), tuple(holds.values[i] for i in order))


def _tied_to(decoder: Decoder, reader: Reader, reading: Reading) -> Tied | None:
    """A model whose latent is the action as the decoder reads it."""
    if decoder.levels:
        return None
    path = decoder.read(reading)
    try:
        return tie(
            reader.lam,
            reading.chain,
            reading.chain.usable,
            path,
            np.where(reading.chain.usable, path, np.nan),
        )
    except TrainingError:
        return None  # no plan through it then; what is read stands


def _validate(
    panel: Panel, latents: _Latents, holds: Holds, kind: Kind, asked: Asked, reader: Reader, reading: Reading
) -> tuple[Validation, tuple[Check, ...], tuple[Consistency, ...]]:
    """Accuracy on the latest labels, with nothing fitted on their time; or on each label left out."""
    late = round(_LATE * holds.count)
    early = holds.take(range(holds.count - late))
    if late < _FEWEST_LATE or len(set(early.values)) < 2:
        return _left_out(holds, kind, asked, reader, reading), (), ()
    test = holds.take(range(holds.count - late, holds.count))
    before = panel.time < panel.time[test.rows[0][0]]
    own = learn_reader(panel, asked.within, before, latents)
    told = read(own, panel, latents)
    rows = told.chain.usable & before[told.chain.rows]
    decoder = fit_decoder(own, told, early, kind, rows)
    at = positions(test, told)
    truth = truth_of(test, at, decoder, len(told.features))
    path = decoder.read(told)
    found = accuracy_of(
        path, truth, at, levels=bool(decoder.levels), seed=asked.seed, spread=spread_of(holds)
    )
    plain = _baseline(told, early, decoder, at, truth, asked.seed, spread_of(holds))
    tied = _tied_to(decoder, own, told)
    checks = () if tied is None else response_checks(tied, told.chain, at, test.numbers())
    return (
        _said(found, later=True, baseline=plain),
        checks,
        _parts(panel, told, path, truth, at, decoder, asked.seed, spread_of(holds)),
    )


def _left_out(holds: Holds, kind: Kind, asked: Asked, reader: Reader, reading: Reading) -> Validation:
    """Accuracy with each fold of labels left out."""
    at, folds = positions(holds, reading), min(_FOLDS, holds.count)
    path, truth = np.zeros(len(reading.features)), np.zeros(len(reading.features))
    tested: list[Int[np.ndarray, " _"]] = []
    levels = False
    for fold in range(folds):
        kept = holds.take(i for i in range(holds.count) if i % folds != fold)
        if len(set(kept.values)) < 2:
            continue
        decoder = fit_decoder(reader, reading, kept, kind, reading.chain.usable)
        levels, own = bool(decoder.levels), decoder.read(reading)
        told = truth_of(holds, at, decoder, len(truth))
        for i in range(fold, holds.count, folds):
            path[at[i]], truth[at[i]] = own[at[i]], told[at[i]]
            tested.append(at[i])
    if not tested:
        return Validation(measure="r2", value=0.0, low=-1.0, high=1.0, labels=0, later=False)
    return _said(
        accuracy_of(path, truth, tuple(tested), levels=levels, seed=asked.seed), later=False, baseline=None
    )


def spread_of(holds: Holds) -> float | None:
    """Variance of the action over all labelled rows; None where it is no number."""
    if any(isinstance(v, str) for v in holds.values):
        return None
    sizes = [rows.size for rows in holds.rows]
    values = holds.numbers()
    return float(np.average((values - np.average(values, weights=sizes)) ** 2, weights=sizes))


def _said(found: Accuracy, *, later: bool, baseline: float | None) -> Validation:
    value, low, high = (
        float(np.nan_to_num(v, nan=-1.0, neginf=-1e9, posinf=1e9))
        for v in (found.value, found.low, found.high)
    )
    return Validation(
        measure=found.measure,
        value=value,
        low=low,
        high=high,
        labels=found.labels,
        later=later,
        baseline=baseline,
    )


def truth_of(
    holds: Holds, at: tuple[Int[np.ndarray, " _"], ...], decoder: Decoder, size: int
) -> Float[np.ndarray, " n"]:
    """Labels on their rows: numbers, or positions of levels (-1: a level that was not learnt)."""
    out = np.full(size, np.nan)
    for own, value in zip(at, holds.values, strict=True):
        if decoder.levels:
            name = value if isinstance(value, str) else f"{float(value):g}"
            out[own] = decoder.levels.index(name) if name in decoder.levels else -1
        else:
            out[own] = float(value)
    return out


def _baseline(
    reading: Reading,
    early: Holds,
    decoder: Decoder,
    at: tuple[Int[np.ndarray, " _"], ...],
    truth: Float[np.ndarray, " n"],
    seed: int,
    spread: float | None,
) -> float:
    """The same accuracy of a ridge model that sees labelled rows alone."""
    own = truth_of(early, positions(early, reading), decoder, len(truth))
    known = np.nan_to_num(own, nan=0.0)
    width = max(1, len(decoder.levels))
    targets = known[:, None] if width == 1 else np.eye(width)[known.astype(int)]
    told = label_only(reading, early, targets, "ridge", seed)
    path = told[:, 0] if width == 1 else told.argmax(axis=1).astype(float)
    return accuracy_of(path, truth, at, levels=width > 1, seed=seed, spread=spread).value


def _parts(
    panel: Panel,
    reading: Reading,
    path: Float[np.ndarray, " n"],
    truth: Float[np.ndarray, " n"],
    at: tuple[Int[np.ndarray, " _"], ...],
    decoder: Decoder,
    seed: int,
    spread: float | None,
) -> tuple[Consistency, ...]:
    """Accuracy in the halves of each exogenous variable, and in each series."""
    rows = reading.chain.rows
    groups: dict[str, np.ndarray] = {}
    for i, feature in enumerate(panel.exog_features):
        value = np.array([np.nanmean(panel.exog[rows[h], i]) for h in at])
        high = value > np.nanmedian(value)
        groups |= {f"{feature.name} high": high, f"{feature.name} low": ~high}
    if len(panel.series_names) > 1:
        own = np.array([panel.series_of[rows[h[0]]] for h in at])
        groups |= {f"series {name}": own == code for code, name in enumerate(panel.series_names)}
    out = []
    for part, chosen in groups.items():
        some = tuple(h for h, keep in zip(at, chosen, strict=True) if keep)
        if len(some) > 1:
            found = accuracy_of(path, truth, some, levels=bool(decoder.levels), seed=seed, spread=spread)
            if np.isfinite(found.value):
                out.append(Consistency(part=part, value=found.value))
    return tuple(out)


def _draft(panel: Panel, holds: Holds, kind: Kind, asked: Asked, validation: Validation) -> Certificate:
    stamps = panel.stamps(np.arange(panel.rows))
    first: Any = stamps.min()
    last: Any = stamps.max()
    span = last - first
    numbers = None if any(isinstance(v, str) for v in holds.values) else holds.numbers()
    inside = 0
    if asked.experiment is not None:
        e = asked.experiment
        inside = sum(
            1
            for rows, a, b in zip(holds.rows[1:], holds.values, holds.values[1:], strict=False)
            if a != b and _within(stamps[int(rows[0])], e)
        )
    return Certificate(
        action=asked.action,
        kind=kind.value,
        unit=asked.unit,
        latents=(),
        model=asked.model,
        decoder="",
        data=panel.digest,
        period=(first, last),
        labels=holds.count,
        validation=validation,
        range=None if numbers is None else Range(name=asked.action, low=numbers.min(), high=numbers.max()),
        levels=tuple(sorted({str(v) for v in holds.values})) if numbers is None else (),
        regime=_regime(panel),
        experiment=asked.experiment,
        moves=inside,
        expires=last + (span if asked.valid_for is None else asked.valid_for),
    )


def _within(stamp: Any, experiment: Experiment) -> bool:
    start: Any = experiment.start
    end: Any = experiment.end
    return bool(start <= stamp <= end)


def _regime(panel: Panel) -> tuple[Range, ...]:
    """Where observations and inputs were, in the caller's units."""
    s = panel.scaling
    obs = panel.obs * s.obs_sd[panel.series_of] + s.obs_mean[panel.series_of]
    columns = {name: obs[:, i] for i, name in enumerate(panel.channels)}
    for features, values, mean, sd in (
        (panel.action_features, panel.actions, s.act_mean, s.act_sd),
        (panel.exog_features, panel.exog, s.exog_mean, s.exog_sd),
    ):
        columns |= {f.name: values[:, i] * sd[i] + mean[i] for i, f in enumerate(features)}
    out = []
    for name, values in columns.items():
        known = values[np.isfinite(values)]
        if known.size:
            low, high = np.quantile(known, [_EDGE, 1 - _EDGE])
            out.append(Range(name=name, low=float(low), high=float(high)))
    return tuple(out)


def _standing(
    path: Float[np.ndarray, " n"], latents: Float[np.ndarray, "n latent"], names: tuple[str, ...]
) -> tuple[str, ...]:
    """The model's latents that go with the action, strongest first; the strongest always."""
    shares = []
    for z in latents.T:
        both = z.std() > 1e-9 and path.std() > 1e-9
        shares.append(abs(float(np.corrcoef(z, path)[0, 1])) if both else 0.0)
    order = np.argsort(shares)[::-1]
    return tuple(names[i] for k, i in enumerate(order) if k == 0 or shares[i] > 0.3)
