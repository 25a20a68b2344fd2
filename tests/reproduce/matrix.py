"""Every method on every plant with one action unlogged: level and moves, cell by cell, resumable.

Arguments: ``--rows 2000 --seeds 1 --actions 1 --only paper:lapo auto``. Each cell is kept as JSON under
``.matrix``; a cell that is there is not computed again (remove the
folder when the library has changed). The page is written from the cells asked for.
"""

import argparse
import json
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd
from page import Section, Table, write
from skills import event_f1, probed
from statsmodels.tsa.api import DynamicFactorMQ

import tslam
from tslam import plants
from tslam.dynamics.closed_form import fit_closed_form
from tslam.dynamics.moments import Moments
from tslam.dynamics.presets import PRESETS
from tslam.errors import TslamError
from tslam.plants import PLANTS, Record

CELLS = Path(__file__).parents[2] / ".matrix"
LABELS = 32


def latents_of(record: Record, config: str) -> np.ndarray:
    """Smoothed latents of a model."""
    model = tslam.fit(record.frame, **record.roles(), config=config)
    return np.asarray(model.infer(record.frame).select(model.latent_names).to_numpy(), float)


def observations(record: Record) -> np.ndarray:
    """The telemetry as it is."""
    return np.asarray(record.frame.select(record.observations).to_numpy(), float)


def varx(record: Record) -> np.ndarray:
    """What a VARX of two lags, with all inputs, leaves; the row t holds the step that leaves it."""
    o = observations(record)
    inputs = record.frame.select([*record.actions, *record.exogenous]).to_numpy().astype(float)
    F = np.column_stack([o[1:-1], o[:-2], inputs[1:-1], inputs[:-2]])
    V = np.column_stack([F, o[2:]])
    V = (V - V.mean(axis=0)) / np.maximum(V.std(axis=0), 1e-9)
    lam = fit_closed_form(Moments.of(V), F.shape[1], min(3, o.shape[1]))
    out = np.full((len(o), lam.B.shape[1]), np.nan)
    out[1:-1] = lam.infer(V[:, : F.shape[1]], V[:, F.shape[1] :])
    return out


def factors(record: Record) -> np.ndarray:
    """Smoothed dynamic factors of statsmodels, one of order 2, of standardised telemetry."""
    o = observations(record)
    o = (o - o.mean(axis=0)) / np.maximum(o.std(axis=0), 1e-9)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = DynamicFactorMQ(pd.DataFrame(o), factors=2, factor_orders=1, idiosyncratic_ar1=True).fit(
            disp=False, maxiter=30
        )
    return np.asarray(result.factors.smoothed)


OUTSIDE: dict[str, Callable[[Record], np.ndarray]] = {
    "raw observations": observations,
    "VARX residual": varx,
    "dynamic factors": factors,
}
SKIPPED = {name for name, p in PRESETS.items() if p.same_as} | {
    "paper:mvp-lam",  # needs several series
    "paper:held",  # the family `held`
    "paper:lfads",  # the family `neural`
}
METHODS = [
    "auto",
    "linear",
    "held",
    "neural",
    *(n for n in PRESETS if n not in SKIPPED),
    *OUTSIDE,
    "32 labels",
]


def cell(plant: str, hidden: str, method: str, seed: int, rows: int) -> dict[str, Any]:
    """Level R² and event F1 of one method on one system, from the cache where they are there."""
    path = CELLS / f"{plant}-{hidden}-{method}-{seed}-{rows}.json".replace(":", "_").replace(" ", "_")
    if path.exists():
        return dict(json.loads(path.read_text()))
    record = plants.simulate(plant, rows, seed).drop(hidden)
    level = record.truth.frame[hidden].to_numpy().astype(float)
    began, rows_labelled = time.perf_counter(), None
    try:
        if method == "32 labels":
            rows_labelled = np.random.default_rng(seed).choice(rows // 2, LABELS, replace=False)
            z = observations(record)
        else:
            z = OUTSIDE[method](record) if method in OUTSIDE else latents_of(record, method)
        said, r2 = probed(z, level, rows_labelled)
        found = {"r2": r2, "f1": event_f1(said, level)}
    except (TslamError, np.linalg.LinAlgError) as error:
        found = {"r2": -1.0, "f1": 0.0, "error": str(error)}
    found["seconds"] = time.perf_counter() - began
    CELLS.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found))
    return found


def page(cells: dict[tuple[str, str], dict[str, list[dict[str, Any]]]], rows: int, seeds: int) -> Path:
    """The tables."""
    systems = list(cells)
    tables = []
    for figure in ("r2", "f1"):
        table = Table(("method", "median", *(f"{p} / {a}" for p, a in systems)))
        lines = []
        for method in METHODS:
            values = [
                float(np.nanmean([c[figure] for c in cells[s][method]])) if cells[s].get(method) else np.nan
                for s in systems
            ]
            known = [v for v in values if np.isfinite(v)]
            if known:
                lines.append((median(known), method, values))
        for mid, method, values in sorted(lines, key=lambda line: -line[0]):
            table.add(method, f"**{mid:.2f}**", *(f"{v:.2f}" for v in values))
        tables.append(table)
    first = _standing(cells)
    text = (
        f"Each plant of the library with one action not logged, {rows:,} rows, seeds: {seeds}. A ridge probe "
        "(penalty .001) from the latents to the hidden action is fitted on the first half of the record and "
        "scored on the second. Moves are steps of the probe's prediction above five robust standard "
        "deviations, within two rows of a true move. `32 labels` is ridge from raw observations with 32 "
        "labelled rows. Nothing was tuned on these systems after the table was made. dynamax, LFADS and "
        "ruptures are not in the environment of this project and not in the table.\n\n"
        "How to read it: in 2,000 rows these actions move 19 to 50 times, so that half of the record teaches "
        "the probe few levels and one seed says little. Telemetry that has settled tells the level of an "
        "action by itself (raw observations); what a latent adds is when something moved, and that it was no "
        "logged input. Systems of the literature read single steps: of a held action these hold only moves."
    )
    sections = [
        Section("Level: R² on the second half", text, (tables[0],)),
        Section("Moves: event F1 on the second half", first, (tables[1],)),
    ]
    return write("matrix", "Every method on every plant", "Written by `make matrix`.", sections)


def _standing(cells: dict[tuple[str, str], dict[str, list[dict[str, Any]]]]) -> str:
    """How often auto is first or within .02 of the best."""
    parts = []
    for figure, name in (("r2", "level R²"), ("f1", "event F1")):
        near = []
        for methods in cells.values():
            score = {m: np.nanmean([c[figure] for c in found]) for m, found in methods.items() if found}
            own = score.pop("auto", np.nan)
            if np.isfinite(own) and score:
                near.append(own >= np.nanmax(list(score.values())) - 0.02)
        parts.append(f"{name}: {sum(near)} of {len(near)} systems")
    return f"`auto` is first or within .02 of the best of all methods in: {'; '.join(parts)}."


def main() -> None:
    """Fill in the cells that are missing, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--actions", type=int, default=1, help="hidden actions per plant")
    parser.add_argument("--only", nargs="*", default=METHODS)
    asked = parser.parse_args()
    warnings.simplefilter("ignore", RuntimeWarning)
    cells: dict[tuple[str, str], dict[str, list[dict[str, Any]]]] = {}
    for method in asked.only:
        for plant in PLANTS:
            for hidden in plants.simulate(plant, 200, 0).actions[: asked.actions]:
                own = cells.setdefault((plant, hidden), {}).setdefault(method, [])
                own += [cell(plant, hidden, method, seed, asked.rows) for seed in range(asked.seeds)]
    print(page(cells, asked.rows, asked.seeds))


if __name__ == "__main__":
    main()
