"""Findings of every shape that the types allow, for property tests."""

from datetime import UTC, datetime

from hypothesis import strategies as st

from tslam.audit.gap import (
    Attribution,
    Evidence,
    Findings,
    Gap,
    GapKind,
    LatentInfo,
    NotTested,
    Severity,
    Share,
    Substitution,
)

EARLY, LATE = (datetime.fromisoformat(text) for text in ("1970-01-02", "2200-01-01"))
numbers = st.floats(allow_nan=False, allow_infinity=False)
names = st.text(min_size=1, max_size=12)
some_names = st.lists(names, max_size=3).map(tuple)
stamps = st.one_of(
    st.datetimes(EARLY, LATE, timezones=st.just(UTC)),
    st.datetimes(EARLY, LATE),
    numbers,
)
windows = st.tuples(stamps, stamps).filter(lambda pair: type(pair[0]) is type(pair[1]))
shares = st.builds(Share, value=numbers, low=numbers, high=numbers)
evidence = st.builds(
    Evidence,
    name=names,
    value=st.none() | numbers,
    reference=st.none() | numbers,
    p_value=st.none() | numbers,
    reading=names,
)
gaps = st.builds(
    Gap,
    kind=st.sampled_from(GapKind),
    severity=st.sampled_from(Severity),
    column=st.none() | names,
    series=st.none() | some_names,
    latents=some_names,
    channels=some_names,
    windows=st.lists(windows, max_size=3).map(tuple),
    lag=st.none() | st.integers(-100, 100),
    p_value=st.none() | numbers,
    score=numbers,
    substitutes_for=st.none() | st.builds(Substitution, column=names, declared=st.booleans(), share=numbers),
    evidence=st.lists(evidence, max_size=2).map(tuple),
    recommendation=st.text(max_size=40),
)
findings = st.builds(
    Findings,
    gaps=st.lists(gaps, max_size=3).map(tuple),
    attribution=st.lists(
        st.builds(
            Attribution,
            channel=st.none() | names,
            window=st.none() | windows,
            history=shares,
            actions=shares,
            exogenous=shares,
            latents=shares,
            rows=st.integers(0, 10**9),
        ),
        max_size=2,
    ).map(tuple),
    latents=st.lists(
        st.builds(
            LatentInfo,
            name=names,
            earned=st.booleans(),
            gain=numbers,
            t_value=numbers,
            p_value=numbers,
            persistence=numbers,
            channels=some_names,
        ),
        max_size=2,
    ).map(tuple),
    not_tested=st.lists(
        st.builds(NotTested, question=names, subject=st.none() | names, reason=names), max_size=2
    ).map(tuple),
    tested=st.integers(0, 100),
    adequate=st.booleans(),
    notes=some_names,
)
