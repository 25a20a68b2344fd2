"""All questions, one after the other."""

from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from tslam.diagnose.capacity import capacity, codebook_use
from tslam.diagnose.probes import excitation, exogenous_probe, known_truth
from tslam.diagnose.results import Diagnostics
from tslam.diagnose.scene import cycle_consistency, scene_cut
from tslam.diagnose.steps import past_future, time_alignment
from tslam.diagnose.subject import Subject
from tslam.dynamics.lam import LAM
from tslam.errors import ConfigError, FrameError
from tslam.panel.chain import Chain
from tslam.panel.panel import Panel
from tslam.seeding import generator

__all__ = ["FEWEST", "diagnose", "on_grid"]

FEWEST = 40
"""Fewest transitions that anything is said about."""


def diagnose(
    lam: LAM,
    panel: Panel,
    c: Chain,
    asked: Bool[np.ndarray, " n"],
    learnt: Bool[np.ndarray, " n"],
    *,
    seed: int,
    truth: Float[np.ndarray, "rows act"] | None = None,
) -> Diagnostics:
    """Put every question to a fitted model.

    Args:
        lam: The model.
        panel: The data.
        c: Its transitions, as the model sees them.
        asked: Transitions to ask about; those not measured whole are left out.
        learnt: Transitions that the model learnt from, none of them where the data are others.
        seed: Of pairs and shuffles.
        truth: What really was done, on the grid rows, where that is known.

    Raises:
        FrameError: too few transitions measured whole.
    """
    whole = asked & c.usable & np.isfinite(c.Y).all(axis=1)
    if (found := int(whole.sum())) < FEWEST:
        raise FrameError(
            f"Of {int(asked.sum())} transitions to ask about, {found} have every channel measured; a "
            f"diagnosis needs {FEWEST}. Give a longer record, or leave out channels that are seldom measured."
        )
    subject = Subject.of(lam, c, asked, learnt)
    rows = c.rows[whole]
    rng = generator(seed, "diagnose")
    some = subject.latents > 0
    return Diagnostics(
        rows=found,
        latents=subject.latents,
        scene_cut=scene_cut(subject, rng) if some else None,
        cycle=cycle_consistency(subject, rng) if some else None,
        capacity=capacity(subject, rng),
        codebook=codebook_use(subject),
        time_alignment=time_alignment(subject, rng) if some else None,
        exogenous=tuple(
            exogenous_probe(subject, feature.name, panel.exog[rows + 1, i], rng)
            for i, feature in enumerate(panel.exog_features)
        )
        if some
        else (),
        excitation=tuple(
            excitation(
                subject.X[:, c.history],
                {name: panel.actions[rows][:, panel.features_of(name)] for name in panel.action_columns()},
                subject.follows,
            )
        ),
        past_future=past_future(subject, rng) if some else None,
        truth=known_truth(subject, truth[rows]) if some and truth is not None else None,
    )


def on_grid(truth: Any, panel: Panel) -> Float[np.ndarray, "rows act"]:
    """What was really done, moved from the caller's rows to the grid; NaN where it is not known.

    Args:
        truth: Array or frame of numbers, one row per row of the frame behind the panel.
        panel: The panel.

    Raises:
        ConfigError: other rows, or not numbers.
    """
    try:
        values = np.asarray(truth.to_numpy() if hasattr(truth, "to_numpy") else truth, np.float64)
    except (TypeError, ValueError) as error:
        raise ConfigError(
            f"The truth has values that are not numbers ({error}). Give numbers only."
        ) from error
    values = values.reshape(len(values), -1) if values.ndim else values.reshape(1, 1)
    if len(values) != len(panel.row_of):
        raise ConfigError(
            f"The truth has {len(values)} rows and the frame {len(panel.row_of)}. Give one for each."
        )
    out = np.full((panel.rows, values.shape[1]), np.nan)
    placed = panel.row_of >= 0
    out[panel.row_of[placed]] = values[placed]
    return out
