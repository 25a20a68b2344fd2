"""What a column is: its role, when an input acts, and the kind of values it takes."""

from enum import StrEnum
from typing import NewType

__all__ = ["INPUT_ROLES", "ExogenousVariable", "InferredLatent", "Kind", "LoggedAction", "Role", "Timing"]

LoggedAction = NewType("LoggedAction", str)
"""Name of a column that logs what was done. A type checker keeps it apart from the two below."""

ExogenousVariable = NewType("ExogenousVariable", str)
"""Name of a column that measures the outside world."""

InferredLatent = NewType("InferredLatent", str)
"""Name of a latent that a model inferred: nothing that anybody logged, measured or can set."""


class Role(StrEnum):
    """What a column is to the model. Logged actions, exogenous variables and latents never mix."""

    TIME = "time"
    SERIES = "series"
    OBSERVATION = "observation"
    ACTION = "action"
    EXOGENOUS = "exogenous"
    LATENT = "latent"
    IGNORE = "ignore"


INPUT_ROLES = frozenset({Role.ACTION, Role.EXOGENOUS})


class Timing(StrEnum):
    """When the input of row t acts.

    ``before``: in force from t to t + 1, first seen in the observations of row t + 1.
    ``within``: already acted on the observations of row t (interval averages, end stamps).
    ``auto``: decided per input on held-out evidence, and reported.
    """

    BEFORE = "before"
    WITHIN = "within"
    AUTO = "auto"


class Kind(StrEnum):
    """The kind of values a column takes."""

    CONTINUOUS = "continuous"
    ORDINAL = "ordinal"
    CATEGORICAL = "categorical"
    BOOLEAN = "boolean"
    EVENT = "event"
    CIRCULAR = "circular"
