"""What changed between two versions of a contract, and whom it breaks. A column's role is part of it."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal

from pydantic import Field

from tslam.contract.frozen import Frozen
from tslam.contract.model import Column, Contract
from tslam.contract.roles import Role, Timing

__all__ = ["Change", "ContractDiff", "Impact", "diff"]

Impact = Literal["breaking", "compatible", "editorial"]
"""``breaking``: data that met the old contract may fail the new, or mean something else to a model fitted
under the old; ``compatible``: neither; ``editorial``: words for people only."""

_ORDER: tuple[Impact, ...] = ("breaking", "compatible", "editorial")
_EDITORIAL = frozenset({"description", "source_of_truth"})
_MEANING = {
    "unit": "the numbers mean something else",
    "actuator": "the same name moves something else",
    "kind": "the values are of another kind",
    "period": "the circle has another length",
    "freq": "one step is another time",
    "timezone": "stamps mean another time",
    "timing": "the effect comes at another row",
}


class Change(Frozen):
    """One difference."""

    column: str | None = Field(description="Column concerned; None: the contract as a whole")
    field: str = Field(description="What changed", examples=["role", "unit", "added", "removed"])
    old: str | None = Field(description="What it was, None where nothing was said")
    new: str | None = Field(description="What it is now")
    impact: Impact
    why: str = Field(description="Why it has this impact, in words")


class ContractDiff(Frozen):
    """All differences, breaking ones first."""

    old: str = Field(description="Name and version of the old contract")
    new: str = Field(description="Name and version of the new contract")
    changes: tuple[Change, ...]

    @property
    def breaking(self) -> tuple[Change, ...]:
        """The changes that break data or models."""
        return tuple(change for change in self.changes if change.impact == "breaking")


def diff(old: Contract, new: Contract) -> ContractDiff:
    """Compare two contracts, column by column. The order of columns and the version say nothing.

    Args:
        old: the contract that holds.
        new: the one to take its place.
    """
    before = {column.name: column for column in old.columns}
    after = {column.name: column for column in new.columns}
    changes = list(_whole(old, new))
    for name, column in before.items():
        changes += _changed(column, after[name]) if name in after else [_removed(column)]
    changes += [_added(column) for name, column in after.items() if name not in before]
    return ContractDiff(
        old=f"{old.name} {old.version}",
        new=f"{new.name} {new.version}",
        changes=tuple(sorted(changes, key=lambda change: _ORDER.index(change.impact))),
    )


def _whole(old: Contract, new: Contract) -> Iterator[Change]:
    for field in ("freq", "timezone", "severity", "description"):
        was, now = getattr(old, field), getattr(new, field)
        if was != now:
            yield _change(None, field, was, now)


def _removed(column: Column) -> Change:
    gone: Impact = "compatible" if column.role is Role.IGNORE else "breaking"
    why = "nobody used it" if gone == "compatible" else "models take it as a part of the system"
    return Change(column=column.name, field="removed", old=column.role.value, new=None, impact=gone, why=why)


def _added(column: Column) -> Change:
    key = column.role in {Role.TIME, Role.SERIES}
    why = "rows are told apart another way" if key else "models fitted before do not look at it"
    impact: Impact = "breaking" if key else "compatible"
    return Change(column=column.name, field="added", old=None, new=column.role.value, impact=impact, why=why)


def _changed(old: Column, new: Column) -> Iterator[Change]:
    for field in Column.model_fields:
        was, now = getattr(old, field), getattr(new, field)
        if was != now:
            yield _change(old.name, field, was, now)


def _change(column: str | None, field: str, was: Any, now: Any) -> Change:
    impact, why = _judged(field, was, now)
    return Change(column=column, field=field, old=_shown(was), new=_shown(now), impact=impact, why=why)


def _judged(field: str, was: Any, now: Any) -> tuple[Impact, str]:
    if field in _EDITORIAL:
        return "editorial", "words for people"
    if field in _JUDGES:
        return _JUDGES[field](field, was, now)
    if field == "required":
        return (
            ("breaking", "data may lack it so far")
            if now
            else ("breaking", "readers may miss it from now on")
        )
    if field == "known_in_future":
        return ("compatible", "more is known") if now else ("breaking", "plans and forecasts rely on it")
    if field in _MEANING and was not in (None, Timing.AUTO) and now not in (None, Timing.AUTO):
        return "breaking", _MEANING[field]
    return "compatible", "data and models stay as they are"


def _role(_: str, was: Role, now: Role) -> tuple[Impact, str]:
    if was is Role.IGNORE:
        return "compatible", "it was not used"
    if was is Role.ACTION and now is Role.EXOGENOUS:
        return "breaking", "what was done here would count as done by the world, and no plan would set it"
    if was is Role.EXOGENOUS and now is Role.ACTION:
        return "breaking", "what the world does would count as done here, and plans would try to set it"
    return "breaking", f"models take it as {was.value}"


def _tighter(field: str, was: Any, now: Any) -> tuple[Impact, str]:
    if now is None:
        wider = True
    elif was is None:
        wider = False
    elif field == "levels":
        wider = set(was) <= set(now)
    else:
        wider = now <= was if field == "minimum" else now >= was
    if wider:
        return "compatible", "what was allowed still is"
    return "breaking", "values that were allowed are no longer"


_JUDGES: dict[str, Callable[[str, Any, Any], tuple[Impact, str]]] = {
    "role": _role,
    "minimum": _tighter,
    "maximum": _tighter,
    "levels": _tighter,
}


def _shown(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return None if value is None else str(value)
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, Iterable) and not hasattr(value, "model_dump"):
        return ", ".join(str(_shown(item)) for item in value)
    return str(value)
