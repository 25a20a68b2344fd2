"""Every method on every plant with one action unlogged: level and moves, cell by cell, resumable.

Arguments: ``--rows 2000 --seeds 3 --actions 1 --only paper:lapo auto``. Each cell is kept as JSON under
``.matrix``; a cell that is there is not computed again (remove the
folder when the library has changed). The page is written from the cells asked for.
"""

import argparse
import json
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from outside import OUTSIDE, observations
from page import Section, Table, write
from skills import event_f1, probed

import tslam
from tslam import plants
from tslam.dynamics.presets import PRESETS
from tslam.errors import TslamError
from tslam.plants import PLANTS, Record

Cells = dict[tuple[str, str], dict[str, list[dict[str, Any]]]]
"""By plant and hidden action, by method, one for each seed."""
CELLS = Path(__file__).parents[2] / ".matrix"
LABELS = 32
FIRST = 10
"""First seed of the page: rules of ours were chosen on others."""


def latents_of(record: Record, config: str) -> np.ndarray:
    """Smoothed latents of a model."""
    model = tslam.fit(record.frame, **record.roles(), config=config)
    return np.asarray(model.infer(record.frame).select(model.latent_names).to_numpy(), float)


SKIPPED = {name for name, p in PRESETS.items() if p.same_as} | {
    "paper:mvp-lam",  # needs several series
    "paper:exogenous-swap",  # needs several series
    "paper:held",  # the family `held`
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

LONGER = [
    "auto",
    "linear",
    "held",
    "paper:wild-noisy",
    "paper:como",
    "paper:dynamo",
    "paper:endogenous",
    "paper:lfads",
    "raw observations",
    "VARX residual",
    "VARX + ruptures",
    "dynamic factors",
    "dynamax LGSSM",
    "32 labels",
]
"""Methods that are tried on longer records too."""
RAW = "raw observations"
"""Shown beside the others, and no tool: a settled plant tells the level by itself."""
TOOLS = {*OUTSIDE, "paper:lfads", "32 labels"} - {RAW}
TEXT = (
    "Each plant of the library with one action not logged. A ridge probe (penalty .001) from the "
    "latents to the hidden action is fitted on the first half of the record and scored on the second. "
    "Moves are steps of the probe's prediction above five robust standard deviations, within two rows "
    "of a true move. Seeds count from 10; rules of ours were chosen on seeds from 100 on "
    "([moves](notes/2026-11-21-rare-moves.md), [levels](notes/2026-11-21-levels-between-moves.md)).\n\n"
    "What a user would take instead (the outside tools): ridge VARX of two lags, its residual as it is and "
    "as means between the change points of ruptures; two dynamic factors of statsmodels; a linear "
    "state-space model of dynamax with a slow state that acts on one for each channel, by EM; ridge from "
    "raw observations with 32 labelled rows; LFADS as `paper:lfads` composes it (a network, and a Kalman "
    "smoother with an AR(1) prior for the controller), not the published package. Each was set up once and "
    "not tuned, but for the penalty of ruptures. Raw observations are a line beside them. Longer records "
    "leave out what is slow, and systems of the literature that did little in short ones.\n\n"
    "How to read it: in 2,000 rows these actions move some 20 to 50 times, so that half of the record "
    "teaches the probe few levels and one or two misread levels cost all of R². Telemetry that has settled "
    "tells the level of an action by itself (raw observations), that of the rotor nearly whole; a history "
    "that sees it leaves nothing to a latent, so that `auto` and `held` read levels by a regression with an "
    "offset for each segment between moves. What a latent adds to raw observations is when something moved, "
    "and that it was no logged input. Systems of the literature read single steps: of a held action these "
    "hold only moves. Where `auto` takes a network, for its better predictions, levels are still read as "
    "those of `held`: its lines are the same wherever held latents are taken."
)


@dataclass(frozen=True)
class Run:
    """Cells of records of one length."""

    rows: int
    seeds: int
    cells: Cells


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


def page(runs: Sequence[Run]) -> Path:
    """The tables, the longest records first."""
    sections = []
    for run in sorted(runs, key=lambda run: -run.rows):
        for figure, name in (("r2", "Level: R²"), ("f1", "Moves: event F1")):
            title = f"{name} on the second half, {run.rows:,} rows"
            sections.append(
                Section(title, f"Seeds: {run.seeds}. {_standing(run.cells, figure)}", (_table(run, figure),))
            )
    return write("matrix", "Every method on every plant", f"Written by `make matrix`.\n\n{TEXT}", sections)


def _table(run: Run, figure: str) -> Table:
    """One line for each method, the best median first."""
    table = Table(("method", "median", *(f"{p} / {a}" for p, a in run.cells)))
    lines = []
    for method in METHODS:
        values = [_mean(own.get(method, []), figure) for own in run.cells.values()]
        if known := [v for v in values if np.isfinite(v)]:
            lines.append((median(known), method, values))
    for mid, method, values in sorted(lines, key=lambda line: -line[0]):
        table.add(method, f"**{mid:.2f}**", *(f"{v:.2f}" if np.isfinite(v) else "" for v in values))
    return table


def _mean(found: Sequence[dict[str, Any]], figure: str) -> float:
    values = [c[figure] for c in found if np.isfinite(c[figure])]
    return float(np.mean(values)) if values else float("nan")


def _standing(cells: Cells, figure: str) -> str:
    """How often auto is first or within .02 of the best, and its median beside those of outside tools."""
    near, near_raw, medians = [], [], {}
    for methods in cells.values():
        score = {m: _mean(found, figure) for m, found in methods.items()}
        score = {m: v for m, v in score.items() if np.isfinite(v)}
        for m in score.keys() & {"auto", RAW, *TOOLS}:
            medians.setdefault(m, []).append(score[m])
        if "auto" in score:
            near.append(score["auto"] >= max(v for m, v in score.items() if m != RAW) - 0.02)
            near_raw.append(score["auto"] >= max(score.values()) - 0.02)
    middle = {m: median(values) for m, values in medians.items()}
    if not near or not TOOLS & middle.keys():
        return "Not all of it has been computed."
    best = max(TOOLS & middle.keys(), key=lambda m: middle[m])
    raw = f", that of raw observations {middle[RAW]:.2f}" if RAW in middle else ""
    return (
        f"`auto` is first or within .02 of the best of all methods on {sum(near)} of {len(near)} systems, "
        f"with raw observations counted as a method on {sum(near_raw)}; its median is {middle['auto']:.2f}, "
        f"that of the best outside tool {middle[best]:.2f} ({best}){raw}."
    )


def fill(methods: Sequence[str], rows: int, seeds: int, actions: int) -> Run:
    """The cells of some methods, computed where they are not there."""
    cells: Cells = {}
    for method in methods:
        for plant in PLANTS:
            for hidden in plants.simulate(plant, 200, 0).actions[:actions]:
                own = cells.setdefault((plant, hidden), {}).setdefault(method, [])
                own += [cell(plant, hidden, method, seed, rows) for seed in range(FIRST, FIRST + seeds)]
    return Run(rows, seeds, cells)


def main() -> None:
    """Fill in the cells that are missing, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--actions", type=int, default=1, help="hidden actions per plant")
    parser.add_argument("--only", nargs="*", default=METHODS)
    parser.add_argument("--long-rows", type=int, default=8000)
    parser.add_argument("--long-seeds", type=int, default=3, help="of the methods that matter; 0: none")
    asked = parser.parse_args()
    warnings.simplefilter("ignore", RuntimeWarning)
    runs = [fill(asked.only, asked.rows, asked.seeds, asked.actions)]
    if asked.long_seeds:
        longer = [m for m in LONGER if m in asked.only]
        runs.append(fill(longer, asked.long_rows, asked.long_seeds, asked.actions))
    print(page(runs))


if __name__ == "__main__":
    main()
