"""What a plan through a certified latent costs on the plant itself, beside that of a model with the true log.

Each plant is run without the log of one action. All holds of the record are labelled, as those of an
experiment in which moves came at random, and the latent is aligned with them. From several rows on, a plan
for that action alone is made twice: through the certified latent, and by a model that was given the true
log. Both are carried out on the simulated plant with the same noise. The goal is where another, constant
setting of the action would have brought the channel that it drives most. Cost is the mean squared distance
to the goal over the horizon, in standard deviations; "stay" is the cost of leaving the action alone.

Takes names of plants and seeds as arguments; by default all plants of the seed of development. With ``fresh``
among them the plants are those of seeds that no setting was chosen on.
"""

import sys
from importlib import import_module

import numpy as np

import tslam
from tslam.align.certificate import Level
from tslam.errors import TslamError
from tslam.plan.guard import Override
from tslam.plants.blueprint import BURN, Blueprint, draw, parameters, run

ROWS, HORIZON, ORIGINS = 7000, 24, 8
SEED, FRESH = 0, (14, 15)
HIDDEN = {
    "tank": ("heater", "temp_1"),
    "building": ("valve_1", "zone_1"),
    "reactor": ("cooling", None),
    "rotor": ("speed_setpoint", None),
    "service": ("cache", None),
}


class Plant:
    """One plant, and what it does when an action is set."""

    def __init__(self, name: str, seed: int) -> None:
        self.blueprint: Blueprint = getattr(import_module(f"tslam.plants.{name}"), name.upper())
        self.constants = parameters(self.blueprint, seed)
        self.drive = draw(self.blueprint, ROWS, seed)
        self.names = [a.name for a in self.blueprint.actuators]

    def observed(self, action: str, row: int, values: np.ndarray) -> np.ndarray:
        """Observations of the steps after a row from which the action was set to these values."""
        k, at = self.names.index(action), BURN + row
        moved, level = self.drive.moved.copy(), self.drive.level.copy()
        stop = at + values.size
        moved[at:stop, k], level[at:stop, k] = True, values
        drive = self.drive._replace(moved=moved[: stop + 1], level=level[: stop + 1],
                                    exog=self.drive.exog[: stop + 1], shock=self.drive.shock[: stop + 1],
                                    sensor=self.drive.sensor[: stop + 1])  # fmt: skip
        return run(self.blueprint, self.constants, drive)[0][at + 1 :]


def table(name: str, seed: int) -> str:
    """One line: costs and their ratio."""
    plant = Plant(name, seed)
    whole = tslam.plants.simulate(name, rows=ROWS, seed=seed)
    action, channel = HIDDEN[name]
    channel = channel if channel in whole.observations else whole.effects[action][0]
    record, cut = whole.drop(action), int(0.8 * ROWS)
    frame = whole.frame
    roles = dict(record.roles())
    model = tslam.fit(record.frame.head(cut), **roles, progress=False)
    given = tslam.fit(frame.head(cut), **dict(whole.roles()), progress=False)
    tested = tslam.Experiment(
        by="benchmark", reason="random moves", start=frame["time"][0], end=frame["time"][cut - 1]
    )
    alignment = model.align(
        record.frame.head(cut).with_columns(frame[action].head(cut)), action, experiment=tested
    )
    certificate = alignment.certificate
    certified = model.with_alignment(alignment)
    override = None
    if certificate.level is not Level.INTERVENTIONAL:
        override = Override(by="benchmark", reason="to see what it would have cost")
    k, c = plant.names.index(action), whole.observations.index(channel)
    actuator, sd = plant.blueprint.actuators[k], float(frame[channel].std())
    rng = np.random.default_rng(seed)
    costs: list[tuple[float, float, float]] = []
    refused = 0
    for row in np.linspace(cut + 50, ROWS - HORIZON - 2, ORIGINS).astype(int):
        level = actuator.low + actuator.step * int(rng.integers(actuator.levels))
        goal = float(plant.observed(action, row, np.full(HORIZON, level))[-5:, c].mean())
        past = frame.head(row + 1)
        seen = past[channel]
        goal = float(np.clip(goal, seen.min(), seen.max()))
        stay = np.full(HORIZON, frame[action][int(row) - 1])
        asked = {"goal": {channel: goal}, "horizon": HORIZON}
        exog = {name: frame[name][int(row) : int(row) + HORIZON].to_list() for name in whole.exogenous}
        try:
            mine = certified.plan(
                past.drop(action), **asked, actions=[], using=[action], exog=exog or None, override=override,
                limits={action: {"low": actuator.low, "high": actuator.high}},
            )[action]  # fmt: skip
        except TslamError as error:
            refused += 1
            print(f"   {name} row {row}: {str(error)[-200:]}")
            continue
        theirs = given.plan(
            past, **asked, actions=[action], exog=exog or None,
            limits={action: {"low": actuator.low, "high": actuator.high}},
        )[action]  # fmt: skip
        costs.append(
            tuple(
                float(np.mean(((plant.observed(action, row, np.asarray(v))[:, c] - goal) / sd) ** 2))
                for v in (mine, theirs, stay)
            )
        )
    if not costs:
        return f"{name:<10}{action:<16}{certificate.level.value:<16} refused at all {refused} rows"
    mine, theirs, stay = np.mean(costs, axis=0)
    v = certificate.validation
    return (
        f"{name:<10}{action:<16}{certificate.level.value:<16}{v.value:6.2f} [{v.low:.2f}]"
        f"{mine:9.4f}{theirs:9.4f}"
        f"{stay:9.4f}{mine / theirs:8.2f}{refused:9d}  {model.family}/{given.family}"
        f" {'; '.join(certificate.missing())}"
    )


def main(names: list[str]) -> None:
    """Print the table."""
    widths = (10, 16, 16, 13, 9, 9, 9, 8, 9)
    heads = ("plant", "action", "certificate", "R2 [low]", "latent", "log", "stay", "ratio", "refused")
    print(
        "".join(
            f"{h:<{w}}" if w > 13 or h == "plant" else f"{h:>{w}}" for h, w in zip(heads, widths, strict=True)
        )
    )
    seeds = [int(n) for n in names if n.isdigit()] or (FRESH if "fresh" in names else (SEED,))
    for seed in seeds:
        print(f"seed {seed}")
        for name in [n for n in names if n in HIDDEN] or list(HIDDEN):
            print(table(name, seed), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
