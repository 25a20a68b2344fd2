"""How many labels it takes to read an action that nobody logged: align beside labels alone.

One label is one hold: its start, its end and its value. The model is fitted, and labels are drawn, on the
first 70% of the record; the score is R² of the level over every row of the rest. For each count of labels
the median over draws is taken, and the count from which that median reaches .9 stands in the table (a dash:
not with all that were tried). Beside it stand ridge and a network from labels alone, on the same observations
and inputs, and align with the labels that it asks for itself. The last column but two is what the best line
through the model's latents explains of the level.

Takes names of plants and recorded sets, and seeds, as arguments; by default all plants. With ``fresh`` among
them the plants are those of seeds that no setting was chosen on. Recorded sets are found in the folder that
TSLAM_RECORDED names: series in which the hidden action moves most are pooled, and the last 30% of each is
later time.
"""

import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import tslam
from tslam.align.active import choose
from tslam.align.baseline import label_only
from tslam.align.decoder import fit_decoder, positions
from tslam.align.labels import Holds
from tslam.align.reading import Reader, Reading, learn_reader, read
from tslam.contract.roles import Kind
from tslam.panel.ingest import read as read_frame

ROWS, DRAWS, TARGET, SHARE = 6000, 3, 0.9, 0.7
SEEDS, FRESH = (0, 1, 2), (15, 16, 17)
COUNTS = (2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 40)
SHORTEST, BLOCK = 5, 10
HIDDEN = {
    "tank": ("heater", "valve", "pump_2"),
    "building": None,
    "service": None,
    "rotor": None,
    "reactor": None,
    "linear": None,
}


@dataclass(frozen=True)
class Recorded:
    """A recorded set in which the question can be asked."""

    actions: tuple[str, ...]
    rows: int
    """First rows of each series that are looked at."""
    series: int = 1
    """How many series are pooled: those in which the action moves most."""
    without: tuple[str, ...] = ()
    """Channels that copy the action."""
    at_once: bool = False
    """Does the action show in the row in which it is logged, and not in the next?"""
    runs: tuple[str, ...] = ()
    """Series of which the first is learnt from, and the others are later time."""


RECORDED = {
    "daisy_cstr": Recorded(("coolant_flow_l_min",), 6000),
    "tep": Recorded(("xmv_03_a_feed_flow_valve", "xmv_10_reactor_cw_valve"), 960, 6, at_once=True),
    "citylearn_homes": Recorded(("setpoint_c",), 2160, 4, ("indoor_temp_c",), at_once=True),
    "petshop_microservices": Recorded(
        (
            "search_delay_ms",
            "payforadoption_delay_ms",
            "petlist_error_pct",
            "lambda_sleep_ms",
            "dynamodb_flood_iterations",
        ),
        600,
        runs=("high_traffic_issues", "low_traffic_issues"),
    ),
}
METHODS = ("align", "active", "ridge", "network")


@dataclass(frozen=True, eq=False)
class Case:
    """A record whose log lacks one action."""

    name: str
    frame: pl.DataFrame
    roles: dict[str, Any]
    truth: np.ndarray
    early: np.ndarray
    """Rows that are learnt from; the others are later."""
    seed: int


def plants(name: str, seeds: tuple[int, ...]) -> Iterator[Case]:
    """Plants of a kind, each without one action."""
    for seed in seeds:
        whole = tslam.plants.simulate(name, rows=ROWS, seed=seed)
        hidden = (HIDDEN[name] or whole.actions)[seed % len(HIDDEN[name] or whole.actions)]
        record = whole.drop(hidden)
        truth = whole.frame[hidden].to_numpy()
        yield Case(
            f"{name} {hidden}",
            record.frame,
            dict(record.roles()),
            truth,
            np.arange(ROWS) < SHARE * ROWS,
            seed,
        )


def recorded(name: str, folder: Path) -> Iterator[Case]:
    """A recorded set without one of its actions."""
    from ruamel.yaml import YAML

    roles = YAML(typ="safe").load((folder / f"{name}.yaml").read_text(encoding="utf-8"))["roles"]
    named = {
        key: [e["name"] if isinstance(e, dict) else e for e in entries or []]
        for key, entries in roles.items()
    }
    frame, asked = pl.read_parquet(folder / f"{name}.parquet"), RECORDED[name]
    if "series_id" not in frame.columns:
        frame = frame.with_columns(pl.lit("all").alias("series_id"))
    frame = frame.sort("series_id", "timestamp").filter(pl.int_range(pl.len()).over("series_id") < asked.rows)
    for hidden in asked.actions:
        own = _pooled(frame, hidden, asked)
        place, length = pl.int_range(pl.len()).over("series_id"), pl.len().over("series_id")
        early = pl.col("series_id") == asked.runs[0] if asked.runs else place < SHARE * length
        acting = pl.col(hidden).shift(-1).over("series_id") if asked.at_once else pl.col(hidden)
        yield Case(
            f"{name} {hidden}",
            own.drop(hidden),
            {
                "observations": [c for c in named["observations"] if c not in asked.without],
                "actions": [c for c in named["actions"] if c != hidden],
                "exog": named.get("exogenous", []),
                "time": "timestamp",
                "series": "series_id",
            },
            own.select(acting.cast(pl.Float64))[hidden].to_numpy(),
            own.select(early.alias("early"))["early"].to_numpy(),
            0,
        )


def _pooled(frame: pl.DataFrame, action: str, asked: Recorded) -> pl.DataFrame:
    """The series in which an action moves farthest, or those named."""
    if asked.runs:
        return frame.filter(pl.col("series_id").is_in(asked.runs))
    moves = frame.group_by("series_id", maintain_order=True).agg(pl.col(action).std())
    most = moves.sort(action, descending=True)["series_id"].head(asked.series)
    return frame.filter(pl.col("series_id").is_in(most.to_list()))


def holds_of(truth: np.ndarray, series: np.ndarray, early: np.ndarray) -> list[np.ndarray]:
    """Rows of each early hold; blocks of rows where the action is never held."""
    ends = np.diff(series) != 0
    known = np.isfinite(truth)
    moved = (np.diff(np.where(known, truth, 0.0)) != 0) | (np.diff(known) != 0) | ends
    edges = np.flatnonzero(np.r_[True, moved, True])
    spans = [np.arange(a, b) for a, b in pairwise(edges) if known[a]]
    if np.median([own.size for own in spans]) < SHORTEST:
        edges = np.unique(np.r_[np.arange(0, truth.size, BLOCK), np.flatnonzero(ends) + 1, truth.size])
        spans = [np.arange(a, b) for a, b in pairwise(edges)]
    spans = [own[early[own]] for own in spans]
    return [own for own in spans if own.size >= SHORTEST and known[own].all()]


class Bench:
    """One case, ready to be asked."""

    def __init__(self, case: Case) -> None:
        model = tslam.fit(case.frame.filter(pl.Series(case.early)), **case.roles, progress=False)
        panel = model._panel(read_frame(case.frame, model.contract)[0])
        latents = model._levels(panel, "smoothed")
        self.before, self.truth = np.zeros(panel.rows, bool), np.full(panel.rows, np.nan)
        kept = panel.row_of >= 0
        self.truth[panel.row_of[kept]] = case.truth[kept]
        self.before[panel.row_of[kept]] = case.early[kept]
        self.reader: Reader = learn_reader(
            panel, model._fitted.parts[0].structure.within, self.before, latents
        )
        self.reading: Reading = read(self.reader, panel, latents)
        rows = self.reading.chain.rows
        self.known = self.reading.chain.usable & np.isfinite(self.truth[rows])
        self.test = self.known & ~self.before[rows]
        self.level = self.truth[rows]
        self.holds = holds_of(self.truth, panel.series_of, self.before)
        self.own = self._own(np.nan_to_num(latents[rows]))

    def _own(self, z: np.ndarray) -> float:
        A = np.column_stack([z[self.known], np.ones(int(self.known.sum()))])
        y = self.level[self.known]
        return float(1 - np.mean((y - A @ np.linalg.lstsq(A, y, rcond=None)[0]) ** 2) / y.var())

    def score(self, path: np.ndarray) -> float:
        """R² on later time."""
        y = self.level[self.test]
        return float(1 - np.mean((path[self.test] - y) ** 2) / y.var())

    def labels(self, which: list[int]) -> Holds:
        """Labels of holds."""
        own = [self.holds[i] for i in sorted(which)]
        return Holds(tuple(own), tuple(float(self.truth[rows].mean()) for rows in own))

    def value(self, method: str, which: list[int]) -> float:
        """What one method makes of labels."""
        labels = self.labels(which)
        if len(set(labels.values)) < 2:
            return float("nan")
        if method in {"align", "active"}:
            rows = self.reading.chain.usable & self.before[self.reading.chain.rows]
            return self.score(
                fit_decoder(self.reader, self.reading, labels, Kind.CONTINUOUS, rows).read(self.reading)
            )
        values = np.zeros((len(self.level), 1))
        for at, value in zip(positions(labels, self.reading), labels.numbers(), strict=True):
            values[at] = value
        return self.score(
            label_only(self.reading, labels, values, "ridge" if method == "ridge" else "network", 0)[:, 0]
        )

    def asked_for(self) -> list[int]:
        """Holds in the order in which align asks for them, one by one: those in the middle of stretches."""
        rows, most = self.reading.chain.rows, min(COUNTS[-1], len(self.holds))
        found = tuple(s for s in self.reading.stretches if self.before[rows[s]].all())
        labelled, out = np.zeros(len(rows), bool), list[int]()
        while len(out) < most:
            labels = self.labels(out)
            told = (positions(labels, self.reading), labels.numbers()) if out else None
            best = choose(self.reading, found, labelled, 1, told)
            if not best:
                break
            own = found[best[0][0]]
            middle = rows[own[own.size // 2]]
            hold = next((k for k, h in enumerate(self.holds) if h[0] <= middle <= h[-1]), None)
            labelled[own] = True
            if hold is not None and hold not in out:
                out.append(hold)
                labelled[np.isin(rows, self.holds[hold])] = True
        return out

    def _drawn(self, count: int, draw: int) -> list[int]:
        return list(np.random.default_rng([draw, 17]).permutation(len(self.holds))[:count])

    def needed(self, method: str) -> tuple[int | None, float]:
        """Fewest labels with which the median over draws reaches the target, and the best median."""
        order = self.asked_for() if method == "active" else []
        best = -np.inf
        for count in COUNTS:
            if count > (len(order) if method == "active" else len(self.holds)):
                break
            draws = [order[:count]] if method == "active" else [self._drawn(count, k) for k in range(DRAWS)]
            values = [v for v in (self.value(method, which) for which in draws) if np.isfinite(v)]
            if values:
                best = max(best, float(np.median(values)))
                if np.median(values) >= TARGET:
                    return count, best
        return None, best


def main(names: list[str]) -> None:
    """Print the table."""
    folder = Path(os.environ.get("TSLAM_RECORDED", "nowhere"))
    seeds = tuple(int(n) for n in names if n.isdigit()) or (FRESH if "fresh" in names else SEEDS)
    names = [n for n in names if n != "fresh" and not n.isdigit()]
    print(
        f"{'record':<34}{'seed':>4}"
        + "".join(f"{m:>15}" for m in METHODS)
        + f"{'latent':>8}{'share':>7}{'seconds':>9}"
    )
    shares: list[tuple[float, float, float]] = []
    for name in names or list(HIDDEN):
        for case in plants(name, seeds) if name in HIDDEN else recorded(name, folder):
            start, bench = time.perf_counter(), Bench(case)
            found = {m: bench.needed(m) for m in METHODS}
            rivals = [n for n, _ in (found["ridge"], found["network"]) if n is not None]
            # a target never reached counts as more labels than were tried
            most = 2.0 * COUNTS[-1]
            mine = float(found["align"][0] or most)
            share = mine / (min(rivals) if rivals else most)
            active = float(found["active"][0] or most) / mine
            shares.append((bench.own, share, active if mine >= 8 else np.nan))
            told = "".join(f"{n if n is not None else '-':>7} ({v:5.2f})" for n, v in found.values())
            seconds = time.perf_counter() - start
            print(
                f"{case.name:<34}{case.seed:>4}{told}{bench.own:8.2f}{share:7.2f}{seconds:9.0f}", flush=True
            )
    if not shares:
        print("no action moves in what was looked at")
        return
    table = np.array(shares)
    for said, rows in (("latent >= .8", table[:, 0] >= 0.8), ("latent < .8", table[:, 0] < 0.8)):
        if rows.any():
            print(
                f"{said}: median share of the better rival's labels {np.median(table[rows, 1]):.2f} "
                f"({rows.sum()} cases)"
            )
    if np.isfinite(table[:, 2]).any():
        print(f"active over random, where random takes eight or more: median {np.nanmedian(table[:, 2]):.2f}")


if __name__ == "__main__":
    main(sys.argv[1:])
