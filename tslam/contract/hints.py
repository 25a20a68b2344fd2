"""What the name of a column hints at. Weak evidence: it words notes and drafts, no fit rests on it."""

import re

__all__ = ["TIME_NAMES", "hint_of"]

TIME_NAMES = frozenset({"time", "timestamp", "date", "datetime", "ts", "t", "ds"})
"""Names (in any case) that a numeric column may carry to be taken for the time."""

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_HINTS = {
    "a label": re.compile(
        "labels?|class|target|anomal(y|ies|ous)|changepoint|faults?|faulty|failure|outlier|attack|fold|split"
    ),
    "an identifier": re.compile("ids?|uuid|guid|index|idx|unnamed|serial"),
    "the outside world": re.compile(
        "ambient|outdoor|outside|weather|wind|solar|irradiance|rain|humidity|price|tariff|holiday|weekday|"
        "occupancy|forecast|arrivals"
    ),
    "a command": re.compile(
        "action|cmd|command(ed)?|setpoint|sp|valve|pump|fan|damper|heater|opening|knob|replicas|throttle|"
        "control|enabled?|mv|manual|dose|deploy"
    ),
}
_WHOLE_NAME = frozenset({"target", "class", "split", "index", "fold"})
"""Words that hint only as the whole name: ``target_temperature`` is a setpoint."""


def hint_of(name: str) -> str | None:
    """What the words of a column's name read like: a label, an identifier, the outside world, a command."""
    words = [word.lower() for word in _WORD.findall(name)]
    for meaning, hint in _HINTS.items():
        if any(hint.fullmatch(word) and (word not in _WHOLE_NAME or len(words) == 1) for word in words):
            return meaning
    return None
