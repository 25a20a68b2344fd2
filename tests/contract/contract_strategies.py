"""Contracts of every shape, for properties."""

from hypothesis import strategies as st

from tslam.contract import INPUT_ROLES, Column, Contract, Kind, Role, SeverityRule, Timing, is_latent_name
from tslam.contract.units import contradiction

words = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
tricky = st.sampled_from(
    ["no", "on", "1", "0x1F", "1:30", "~", "null", "a: b", "- c", "2020-01-01", "1e5", "x #y", "é", ""]
)
texts = words | tricky
names = (words | tricky.filter(bool)).filter(lambda name: not is_latent_name(name))
numbers = st.floats(allow_nan=False, allow_infinity=False)
levels = st.lists(texts | numbers, min_size=1, max_size=4, unique=True).map(tuple)
rules = st.builds(
    SeverityRule,
    warning_q=st.floats(0.01, 0.5),
    warning_share=st.floats(0, 1),
    critical_q=st.floats(1e-9, 0.01),
    critical_share=st.floats(0, 1),
)


@st.composite
def columns(draw: st.DrawFn, role: Role, name: str) -> Column:
    low, high = sorted(draw(st.tuples(numbers, numbers)))
    unit = draw(st.none() | texts)
    minimum, maximum = draw(st.none() | st.just(low)), draw(st.none() | st.just(high))
    kind = draw(st.none() | st.sampled_from(Kind))
    return Column(
        name=name,
        role=role,
        kind=kind,
        timing=draw(st.sampled_from(Timing)) if role in INPUT_ROLES else Timing.AUTO,
        unit=None if contradiction(unit, minimum, maximum) else unit,
        dead_time=draw(st.none() | st.integers(0, 99)),
        minimum=minimum,
        maximum=maximum,
        levels=draw(st.none() | levels),
        period=draw(st.floats(1e-3, 1e6)) if kind is Kind.CIRCULAR else None,
        known_in_future=draw(st.booleans()),
        actuator=draw(st.none() | texts),
        source_of_truth=draw(st.none() | texts),
        required=draw(st.booleans()),
        description=draw(st.none() | texts),
        severity=draw(st.none() | rules),
    )


@st.composite
def contracts(draw: st.DrawFn) -> Contract:
    found = draw(st.lists(names, min_size=2, max_size=7, unique=True))
    some = st.sampled_from([Role.OBSERVATION, Role.ACTION, Role.EXOGENOUS, Role.IGNORE])
    roles = [Role.TIME, Role.OBSERVATION, *(draw(some) for _ in found[2:])]
    if len(found) > 3 and draw(st.booleans()):
        roles[-1] = Role.SERIES
    listed = [draw(columns(role, name)) for role, name in zip(roles, found, strict=True)]
    return Contract(
        name=draw(words),
        version=draw(st.sampled_from(["0.1.0", "2.11.0-rc.1", "1.0"])),
        columns=tuple(draw(st.permutations(listed))),
        freq=draw(st.none() | st.sampled_from(["10s", "5m", "1", "0.5"])),
        timezone=draw(st.none() | st.sampled_from(["UTC", "Europe/Berlin"])),
        severity=draw(rules),
        description=draw(st.none() | texts),
    )
