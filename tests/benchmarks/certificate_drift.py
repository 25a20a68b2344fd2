"""Does a certificate stay where nothing changed, and go within one audit where something did?

Each plant is aligned on the first half of a record. The second half is looked at in twenty audits, each of
a twentieth: as it is; with one sensor rescaled by 1.25, for each sensor in turn; with one constant of the
plant raised by half from then on, for each constant in turn; and with the gain of one action, about the
middle of its range, 1.5 and .67 times what it was, the log as before, for each action in turn. Told are how
many audits withdrew the certificate, and which changes the first audit of 300 rows saw. "Labelled" stands
behind what was looked at with the labels of the certified action in those rows as well. Of the gain of that
action itself all twenty audits are told, twice over.

Takes names of plants and seeds as arguments; by default all plants of the seed of development. With ``fresh``
among them the plants are those of seeds that no setting was chosen on.
"""

import sys
from importlib import import_module

import numpy as np
import polars as pl

import tslam
from tslam.plants.blueprint import BURN, Blueprint, draw, parameters, run
from tslam.plants.drive import policy

ROWS, AUDITS, FIRST = 12_000, 20, 300
LENGTHS, MOST = (300, 1000, 3000, 6000), 66_000
SEED, FRESH = 0, (27, 28)
RESCALED, RAISED = 1.25, 1.5
GAINS = (1.5, 0.67)
HIDDEN = {
    "tank": "heater",
    "building": "valve_1",
    "reactor": "cooling",
    "rotor": "speed_setpoint",
    "service": "cache",
}


def regained(name: str, action: str, factor: float, seed: int, rows: int = ROWS) -> np.ndarray:
    """Observations of the plant of which one action does more, or less, about the middle of its range."""
    blueprint: Blueprint = getattr(import_module(f"tslam.plants.{name}"), name.upper())
    k = [a.name for a in blueprint.actuators].index(action)
    own, drive = blueprint.actuators[k], draw(blueprint, rows, seed)
    habits = policy(blueprint.actuators, blueprint.observations, 0.0)
    middle, level = own.low + own.step * (own.levels - 1) / 2, drive.level.copy()
    level[:, k] = middle + factor * (level[:, k] - middle)
    habits[k, :2] = middle + factor * (habits[k, :2] - middle)
    habits[k, 2] *= factor
    return blueprint.simulate(parameters(blueprint, seed), drive._replace(level=level), habits)[0][BURN:]


def withdrawn(model: tslam.LatentActionModel, frame: pl.DataFrame, labelled: str | None = None) -> bool:
    """Does one audit withdraw the certificate?"""
    return model.recheck(frame, labelled).alignments[0].certificate.withdrawn is not None


def raised(name: str, constant: str, seed: int) -> np.ndarray:
    """Observations of the plant of which one constant is raised from the middle of the record on."""
    blueprint: Blueprint = getattr(import_module(f"tslam.plants.{name}"), name.upper())
    constants = parameters(blueprint, seed)
    changed = constants._replace(**{constant: RAISED * getattr(constants, constant)})
    # the plant has settled with the other constant by the time that it is looked at
    return run(blueprint, changed, draw(blueprint, ROWS, seed))[0][BURN:]


class Watched:
    """A plant, a model of its first half, and the second half in audits."""

    def __init__(self, name: str, seed: int, rows: int = ROWS) -> None:
        self.name, self.seed, self.half = name, seed, ROWS // 2
        self.whole = tslam.plants.simulate(name, rows=rows, seed=seed)
        self.record, self.action = self.whole.drop(HIDDEN[name]), HIDDEN[name]
        self.truth = self.whole.frame[self.action]
        head = self.record.frame.head(self.half)
        model = tslam.fit(head, **dict(self.record.roles()), progress=False)
        alignment = model.align(head.with_columns(self.truth.head(self.half)), self.action)
        self.level, self.model = alignment.certificate.level.value, model.with_alignment(alignment)
        self.parts = [
            slice(int(p[0]), int(p[-1]) + 1) for p in np.array_split(np.arange(self.half, ROWS), AUDITS)
        ]

    def gone(self, part: slice, obs: np.ndarray | None = None, *, labelled: bool = False) -> bool:
        """Does the audit of a stretch withdraw the certificate, with these observations and with labels?"""
        frame = self.record.frame[part]
        if obs is not None:
            frame = frame.with_columns(
                pl.Series(c, obs[part, i]) for i, c in enumerate(self.record.observations)
            )
        if labelled:
            frame = frame.with_columns(self.truth[part])
        return withdrawn(self.model, frame, self.action if labelled else None)


def line(name: str, seed: int) -> str:
    """One plant."""
    own = Watched(name, seed)
    first, parts = slice(own.half, own.half + FIRST), own.parts
    blueprint: Blueprint = getattr(import_module(f"tslam.plants.{name}"), name.upper())
    sensors, constants = own.record.observations, blueprint.nominal._fields
    plain = own.record.frame[first]
    unseen = [c for c in sensors if not withdrawn(own.model, plain.with_columns(pl.col(c) * RESCALED))]
    missed = [c for c in constants if not own.gone(first, raised(name, c, seed))]
    others = [(a, g) for a in own.record.actions for g in GAINS]
    unfelt = [f"{a} x{g}" for a, g in others if not own.gone(first, regained(name, a, g, seed))]
    held = sum(own.gone(first, regained(name, a, g, seed), labelled=True) for a, g in others)
    changed = [regained(name, own.action, g, seed) for g in GAINS]
    alone = sum(own.gone(p, obs) for obs in changed for p in parts)
    told = sum(own.gone(p, obs, labelled=True) for obs in changed for p in parts)
    return (
        f"{name:<10}{own.level:<12}{sum(own.gone(p) for p in parts):>5}/{AUDITS}"
        f"{sum(own.gone(p, labelled=True) for p in parts):>9}/{AUDITS}"
        f"{len(sensors) - len(unseen):>6}/{len(sensors)}{len(constants) - len(missed):>8}/{len(constants)}"
        f"{len(others) - len(unfelt):>8}/{len(others)}{held:>8}/{len(others)}"
        f"{alone:>8}/{2 * AUDITS}{told:>9}/{2 * AUDITS}"
        f"   unseen: sensors {', '.join(unseen) or '-'}; constants {', '.join(missed) or '-'}; "
        f"gains {', '.join(unfelt) or '-'}"
    )


def by_length(name: str, seed: int) -> str:
    """One plant: audits without a label that withdraw, by their rows; unchanged, and with both gains."""
    own, out = Watched(name, seed, MOST), []
    changed = [regained(name, own.action, g, seed, MOST) for g in GAINS]
    for rows in LENGTHS:
        firsts = range(own.half, MOST - rows + 1, rows)[:AUDITS]
        parts = [slice(first, first + rows) for first in firsts]
        same = sum(own.gone(p) for p in parts)
        seen = [sum(own.gone(p, obs) for p in parts) for obs in changed]
        out += [f"{same}/{len(parts)}", *(f"{n}/{len(parts)}" for n in seen)]
    return f"{name:<10}{own.level:<12}" + "".join(f"{n:>8}" for n in out)


def print_by_length(names: list[str], seeds: list[int]) -> None:
    """The table of lengths."""
    heads = [f"{n} {h}" for n in LENGTHS for h in ("same", *(f"x{g}" for g in GAINS))]
    print(f"{'plant':<10}{'certificate':<12}" + " ".join(heads), flush=True)
    for seed in seeds:
        for name in names:
            print(by_length(name, seed), flush=True)


def main(names: list[str]) -> None:
    """Print the table."""
    seeds = [int(n) for n in names if n.isdigit()] or list(FRESH if "fresh" in names else (SEED,))
    plants = [n for n in names if n in HIDDEN] or list(HIDDEN)
    if "lengths" in names:
        print_by_length(plants, seeds)
        return
    heads = ("stay", "labelled", "sensor", "constant", "others", "labelled", "own gain", "labelled")
    print(f"{'plant':<10}{'certificate':<12}" + "".join(f"{h:>10}" for h in heads), flush=True)
    for seed in seeds:
        for name in plants:
            print(line(name, seed), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
