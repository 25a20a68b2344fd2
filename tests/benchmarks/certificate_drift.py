"""Does a certificate stay where nothing changed, and go within one audit where something did?

Each plant is aligned on the first half of a record. The second half is looked at in twenty audits, each of
a twentieth: as it is; with one sensor rescaled by 1.25, for each sensor in turn; and with one constant of
the plant raised by half from then on, for each constant in turn. Told are how many audits withdrew the
certificate, and which changes the first audit of 300 rows did not see.

Takes names of plants as arguments; by default all. With ``fresh`` among them the plants are those of a seed
that no setting was chosen on.
"""

import sys
from importlib import import_module

import numpy as np
import polars as pl

import tslam
from tslam.plants.blueprint import BURN, Blueprint, draw, parameters, run

ROWS, AUDITS, FIRST = 12_000, 20, 300
SEED, FRESH = 0, 21
RESCALED, RAISED = 1.25, 1.5
HIDDEN = {
    "tank": "heater",
    "building": "valve_1",
    "reactor": "cooling",
    "rotor": "speed_setpoint",
    "service": "cache",
}


def withdrawn(model: tslam.LatentActionModel, frame: pl.DataFrame) -> bool:
    """Does one audit withdraw the certificate?"""
    return model.recheck(frame).alignments[0].certificate.withdrawn is not None


def raised(name: str, constant: str, seed: int) -> np.ndarray:
    """Observations of the plant of which one constant is raised from the middle of the record on."""
    blueprint: Blueprint = getattr(import_module(f"tslam.plants.{name}"), name.upper())
    constants = parameters(blueprint, seed)
    changed = constants._replace(**{constant: RAISED * getattr(constants, constant)})
    # the plant has settled with the other constant by the time that it is looked at
    return run(blueprint, changed, draw(blueprint, ROWS, seed))[0][BURN:]


def line(name: str, seed: int) -> str:
    """One plant."""
    whole, half = tslam.plants.simulate(name, rows=ROWS, seed=seed), ROWS // 2
    record = whole.drop(HIDDEN[name])
    head = record.frame.head(half)
    model = tslam.fit(head, **dict(record.roles()), progress=False)
    alignment = model.align(head.with_columns(whole.frame[HIDDEN[name]].head(half)), HIDDEN[name])
    model = model.with_alignment(alignment)
    later = record.frame[half:]
    parts = np.array_split(np.arange(later.height), AUDITS)
    false = sum(withdrawn(model, later[int(p[0]) : int(p[-1]) + 1]) for p in parts)
    first = later.head(FIRST)
    unseen = [
        c for c in record.observations if not withdrawn(model, first.with_columns(pl.col(c) * RESCALED))
    ]
    blueprint: Blueprint = getattr(import_module(f"tslam.plants.{name}"), name.upper())
    missed = []
    for constant in blueprint.nominal._fields:
        obs = raised(name, constant, seed)[half : half + FIRST]
        frame = first.with_columns(pl.Series(c, obs[:, i]) for i, c in enumerate(record.observations))
        if not withdrawn(model, frame):
            missed.append(constant)
    sensors, constants = len(record.observations), len(blueprint.nominal._fields)
    return (
        f"{name:<10}{alignment.certificate.level.value:<16}{false:>4}/{AUDITS}"
        f"{sensors - len(unseen):>6}/{sensors}{constants - len(missed):>6}/{constants}"
        f"   sensors unseen: {', '.join(unseen) or '-'}; constants unseen: {', '.join(missed) or '-'}"
    )


def main(names: list[str]) -> None:
    """Print the table."""
    print(f"{'plant':<10}{'certificate':<16}{'stay':>7}{'sensor':>8}{'gain':>8}", flush=True)
    seed = FRESH if "fresh" in names else SEED
    for name in [n for n in names if n != "fresh"] or list(HIDDEN):
        print(line(name, seed), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
