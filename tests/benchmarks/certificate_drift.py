"""Does a certificate stay where nothing changed, and go within one audit where something did?

Each plant is aligned on the first 6,000 rows of a long record; what follows is looked at in audits of 300,
1,000 and 3,000 rows. As it is, twenty of each. With the gain of the certified action about the middle of its
range 2, .5, 1.5 and .67 times what it was, the log of everything else as before. With the gain of each other,
logged action 1.5 and .67 times what it was, the log as before. With each sensor read 1.25 and .8 times. Told
are how many audits withdraw the certificate without a label, and with labels of four holds of the certified
action in that audit: the longest ones (of 300 rows, those that there are). Constants of the plant are raised
by half in turn, and looked at in the first audit.

Takes names of plants and seeds as arguments; by default all plants of the seed of development. With ``fresh``
among them the plants are those of seeds that no setting was chosen on.
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from itertools import pairwise

import numpy as np
import polars as pl

import tslam
from tslam.align.labels import Label
from tslam.plants.blueprint import BURN, Blueprint, draw, parameters, run
from tslam.plants.drive import policy
from tslam.plants.plant import TIME

LEARNT, AUDITS, HANDFUL = 6_000, 20, 4
LENGTHS = (300, 1000, 3000)
MOST = LEARNT + LENGTHS[-1] * AUDITS
CHANGED = {300: 20, 1000: 20, 3000: 8}
"""Audits of a changed gain, by their rows."""
OTHERS, SHORT = 4, 10_000
"""Audits of another gain; rows of a record with another constant."""
SEED, FRESH = 0, (53, 54)
RAISED = 1.5
GAINS, OTHER_GAINS, SCALES = (2.0, 0.5, 1.5, 0.67), (1.5, 0.67), (1.25, 0.8)
HIDDEN = {
    "tank": "heater",
    "building": "valve_1",
    "reactor": "cooling",
    "rotor": "speed_setpoint",
    "service": "cache",
}


def regained(name: str, action: str, factor: float, seed: int, rows: int) -> np.ndarray:
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


def raised(name: str, constant: str, seed: int) -> np.ndarray:
    """Observations of the plant of which one constant is raised."""
    blueprint: Blueprint = getattr(import_module(f"tslam.plants.{name}"), name.upper())
    constants = parameters(blueprint, seed)
    changed = constants._replace(**{constant: RAISED * getattr(constants, constant)})
    return run(blueprint, changed, draw(blueprint, SHORT, seed))[0][BURN:]


class Watched:
    """A plant, a model of its first rows, and what follows in audits."""

    def __init__(self, name: str, seed: int) -> None:
        self.name, self.seed = name, seed
        whole = tslam.plants.simulate(name, rows=MOST, seed=seed)
        self.record, self.action = whole.drop(HIDDEN[name]), HIDDEN[name]
        self.truth = whole.frame[self.action].to_numpy()
        head = self.record.frame.head(LEARNT)
        model = tslam.fit(head, **dict(self.record.roles()), progress=False)
        alignment = model.align(head.with_columns(whole.frame[self.action].head(LEARNT)), self.action)
        self.level, self.model = alignment.certificate.level.value, model.with_alignment(alignment)

    def audits(self, rows: int, count: int) -> list[slice]:
        """The first audits of a length."""
        return [slice(LEARNT + i * rows, LEARNT + (i + 1) * rows) for i in range(count)]

    def gone(self, frame: pl.DataFrame, labels: Sequence[Label] | None = None) -> bool:
        """Does an audit withdraw the certificate?"""
        again = self.model.recheck(frame, self.action if labels else None, labels=labels)
        return again.alignments[0].certificate.withdrawn is not None

    def seen(self, obs: np.ndarray | None, part: slice) -> pl.DataFrame:
        """The rows of an audit, with these observations."""
        frame = self.record.frame[part]
        if obs is None:
            return frame
        return frame.with_columns(pl.Series(c, obs[part, i]) for i, c in enumerate(self.record.observations))

    def labels(self, part: slice) -> list[Label]:
        """Labels of the longest holds in some rows."""
        own, stamps = self.truth[part], self.record.frame[TIME][part]
        edges = np.flatnonzero(np.r_[True, np.diff(own) != 0, True])
        spans = sorted(pairwise(edges), key=lambda ab: ab[0] - ab[1])[:HANDFUL]
        return [Label(stamps[int(a)], stamps[int(b) - 1], float(own[a])) for a, b in spans]

    def count(self, obs: np.ndarray | None, parts: Sequence[slice]) -> tuple[int, int]:
        """Audits that withdraw, without a label and with a handful."""
        frames = [self.seen(obs, part) for part in parts]
        alone = [self.gone(frame) for frame in frames]
        told = [a or self.gone(f, self.labels(p)) for a, f, p in zip(alone, frames, parts, strict=True)]
        return sum(alone), sum(told)


def lines(name: str, seed: int) -> list[str]:
    """One plant: a line for each length of audits."""
    own, out = Watched(name, seed), list[str]()
    others = [(a, g) for a in own.record.actions for g in OTHER_GAINS]
    obs = {g: regained(name, own.action, g, seed, MOST) for g in GAINS}
    elsewhere = {(a, g): regained(name, a, g, seed, SHORT) for a, g in others}
    for rows in LENGTHS:
        alone, told = own.count(None, own.audits(rows, AUDITS))
        changed = {g: own.count(obs[g], own.audits(rows, CHANGED[rows])) for g in GAINS}
        parts = own.audits(rows, min(OTHERS, (SHORT - LEARNT) // rows))
        felt = {key: sum(own.gone(own.seen(o, p)) for p in parts) for key, o in elsewhere.items()}
        plain = own.record.frame[parts[0]]
        scaled = [(c, k) for c in own.record.observations for k in SCALES]
        unseen = [f"{c} x{k}" for c, k in scaled if not own.gone(plain.with_columns(pl.col(c) * k))]
        missed = [f"{a} x{g} {n}/{len(parts)}" for (a, g), n in felt.items() if n < len(parts)]
        out.append(
            f"{name:<10}{seed:>4} {own.level:<12}{rows:>6}{alone:>5}/{AUDITS}{told:>5}/{AUDITS}"
            + "".join(f"{a:>6},{t}/{CHANGED[rows]}" for a, t in changed.values())
            + f"{sum(felt.values()):>6}/{len(parts) * len(felt)}"
            + f"{len(scaled) - len(unseen):>6}/{len(scaled)}"
            + f"   unseen: {', '.join(unseen) or '-'}; {', '.join(missed) or '-'}"
        )
    blueprint: Blueprint = getattr(import_module(f"tslam.plants.{name}"), name.upper())
    first, constants = own.audits(LENGTHS[1], 1)[0], blueprint.nominal._fields
    missed = [c for c in constants if not own.gone(own.seen(raised(name, c, seed), first))]
    felt_constants = len(constants) - len(missed)
    return [*out, f"{name:<10}{seed:>4} constants seen {felt_constants}/{len(constants)}, not {missed}"]


def main(names: list[str]) -> None:
    """Print the table."""
    seeds = [int(n) for n in names if n.isdigit()] or list(FRESH if "fresh" in names else (SEED,))
    plants = [n for n in names if n in HIDDEN] or list(HIDDEN)
    print("plant, seed, certificate, rows of an audit; withdrawn of unchanged audits, the same with labels;")
    print(f"own gain x{GAINS} (without, with a handful of labels); other gains x{OTHER_GAINS}; sensors")
    for seed in seeds:
        for name in plants:
            for line in lines(name, seed):
                print(line, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
