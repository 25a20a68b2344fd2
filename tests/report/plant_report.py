"""A report as a small heating plant would give it: two hidden actions, a silent log, a late one."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

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
from tslam.contract.model import Column, Contract
from tslam.contract.roles import Kind, Role, Timing
from tslam.panel import build
from tslam.report import ChannelSkill, GapReport, ModelFacts, build_report

START = datetime(2024, 3, 28, 22, 0, tzinfo=UTC)  # the clocks of Amsterdam change on the 31st
ROWS = 2880
LEVELS = ("auto", "manual", "off")
MOVES = (
    (130, 190, 2.5),
    (620, 44, 1.0),
    (905, 160, 2.5),
    (1290, 75, 1.0),
    (1980, 310, 1.0),
    (2400, 120, 2.5),
)


def contract() -> Contract:
    return Contract(
        name="district_heating",
        version="1.2.0",
        timezone="Europe/Amsterdam",
        freq="2m",
        columns=(
            Column(name="ts", role=Role.TIME),
            Column(name="supply_temp", role=Role.OBSERVATION, kind=Kind.CONTINUOUS, unit="degC"),
            Column(name="return_temp", role=Role.OBSERVATION, kind=Kind.CONTINUOUS, unit="degC"),
            Column(name="flow", role=Role.OBSERVATION, kind=Kind.CONTINUOUS, unit="m3/h"),
            Column(name="tank_level", role=Role.OBSERVATION, unit="m"),
            Column(name="pump_1", role=Role.ACTION, kind=Kind.CONTINUOUS, unit="%", timing=Timing.BEFORE),
            Column(name="valve_2", role=Role.ACTION, kind=Kind.CONTINUOUS, unit="%", timing=Timing.BEFORE),
            Column(name="burner_on", role=Role.ACTION, kind=Kind.BOOLEAN, timing=Timing.WITHIN),
            Column(name="mode", role=Role.ACTION, kind=Kind.CATEGORICAL, levels=LEVELS),
            Column(name="ambient", role=Role.EXOGENOUS, kind=Kind.CONTINUOUS, unit="degC"),
            Column(name="operator_note", role=Role.IGNORE, required=False),
        ),
    )


def held(rng: np.random.Generator, rows: int, mean_hold: int, levels: np.ndarray) -> np.ndarray:
    jumps = np.cumsum(rng.random(rows) < 1 / mean_hold)
    return levels[rng.integers(0, len(levels), jumps[-1] + 1)][jumps]


def frame(rows: int = ROWS) -> tuple[pl.DataFrame, np.ndarray]:
    """Telemetry, and the levels of three latents as a model would infer them."""
    rng = np.random.default_rng(7)
    hour = np.arange(rows) / 30
    ambient = 6 + 4 * np.sin(2 * np.pi * (hour - 9) / 24) + 0.3 * np.cumsum(rng.normal(size=rows)) / 20
    pump = held(rng, rows, 120, np.array([0.0, 35.0, 50.0, 60.0, 80.0]))
    valve = held(rng, rows, 200, np.linspace(10, 90, 9))
    burner = held(rng, rows, 60, np.array([0.0, 1.0]))
    mode = held(rng, rows, 300, np.array([0, 0, 1, 2]))
    stuck = np.where(
        np.abs(np.arange(rows) - 1625) < 125, held(rng, rows, 60, np.array([-1.0, 0.5, 1.2])), 0.0
    )
    drive = np.column_stack([1.4 * burner, 1.6 * bypass(rows), pump / 40, (valve / 60 + stuck)])
    obs = np.zeros((rows, 4))
    for t in range(1, rows):
        obs[t] = 0.95 * obs[t - 1] + 0.1 * drive[t - 1] + rng.normal(scale=0.03, size=4)
    valve[1501:1750] = np.nan
    obs[900:930, 2] = np.nan
    drift = np.sin(2 * np.pi * hour / 24 + 1) + 0.1 * rng.normal(size=rows)
    latents = np.column_stack([bypass(rows), stuck, drift]) + 0.06 * rng.normal(size=(rows, 3))
    latents[-1] = np.nan
    table = pl.DataFrame(
        {
            "ts": [at(row) for row in range(rows)],
            "supply_temp": 60 + 8 * obs[:, 0] + 0.5 * ambient,
            "return_temp": 35 + 4 * obs[:, 1],
            "flow": 3 + 8 * obs[:, 2],
            "tank_level": 1 + 0.5 * obs[:, 3],
            "pump_1": pump,
            "valve_2": valve,
            "burner_on": burner > 0,
            "mode": [LEVELS[i] for i in mode],
            "ambient": ambient,
            "operator_note": "-",
        },
        schema_overrides={"ts": pl.Datetime("us", "UTC")},
    )
    return table, latents


def bypass(rows: int) -> np.ndarray:
    """The action that nobody logs."""
    level = np.zeros(rows)
    for start, length, to in MOVES:
        level[start : start + length] = to
    return level


def at(row: int) -> datetime:
    return START + timedelta(minutes=2 * row)


def share(value: float, width: float = 0.02) -> Share:
    return Share(value=value, low=value - width, high=value + width)


def shares(
    channel: str | None, *parts: float, window: tuple[datetime, datetime] | None = None, rows: int = 690
) -> Attribution:
    history, actions, exogenous, latents = (share(p, 0.012 + 0.1 * abs(p)) for p in parts)
    return Attribution(
        channel=channel,
        window=window,
        history=history,
        actions=actions,
        exogenous=exogenous,
        latents=latents,
        rows=rows,
    )


def missing_action() -> Gap:
    return Gap(
        kind=GapKind.MISSING_ACTION,
        severity=Severity.CRITICAL,
        latents=("latent_0",),
        channels=("return_temp", "supply_temp"),
        windows=tuple((at(start), at(start + length)) for start, length, _ in MOVES),
        p_value=0.0002,
        score=38.24,
        substitutes_for=Substitution(column="bypass_valve", declared=False, share=0.62),
        evidence=(
            Evidence(
                name="causal_gain_t",
                value=9.31,
                reference=1.645,
                p_value=2e-20,
                reading="It improves causal held-out prediction, far beyond chance.",
            ),
            Evidence(
                name="jump_share",
                value=0.94,
                reference=0.31,
                p_value=0.0002,
                reading="It jumps and holds; noise of the same persistence does so a third as often.",
            ),
            Evidence(
                name="history_r2",
                value=0.03,
                reference=0.5,
                reading="History hardly predicts its moves: it is no state of the plant.",
            ),
            Evidence(name="calendar_r2", value=0.01, reference=0.5, reading="Neither does the calendar."),
            Evidence(
                name="ambient_coherence",
                value=None,
                reference=0.4,
                reading="Too few rows at this period to say.",
            ),
        ),
        recommendation="Log the position of whatever moves return_temp with levels that hold for about "
        "5 hours; a bypass valve fits.",
    )


def other_gaps() -> tuple[Gap, ...]:
    return (
        Gap(
            kind=GapKind.LOG_OUTAGE,
            severity=Severity.CRITICAL,
            column="valve_2",
            latents=("latent_1",),
            channels=("tank_level",),
            windows=((at(1501), at(1749)),),
            p_value=0.001,
            score=17.9,
            substitutes_for=Substitution(column="valve_2", declared=True, share=0.88),
            evidence=(
                Evidence(
                    name="direction_cosine",
                    value=0.97,
                    reference=0.8,
                    p_value=0.001,
                    reading="The latent acts along valve_2's own effect, inside the window only.",
                ),
            ),
            recommendation="Restore the log of valve_2 between 31 March 01:02 and 10:18; the valve kept "
            "moving while its log was empty.",
        ),
        Gap(
            kind=GapKind.MISALIGNED_LOG,
            severity=Severity.WARNING,
            column="burner_on",
            channels=("supply_temp",),
            lag=8,
            p_value=0.004,
            score=6.02,
            evidence=(
                Evidence(
                    name="lead_gain",
                    value=6.02,
                    reference=0.9,
                    p_value=0.004,
                    reading="Shifting the log 8 steps earlier predicts best.",
                ),
            ),
            recommendation="Stamp burner_on when the relay switches, not when the batch is written: it is "
            "8 samples (16 minutes) late.",
        ),
        Gap(
            kind=GapKind.UNDETERMINED,
            severity=Severity.INFO,
            latents=("latent_2",),
            channels=("flow",),
            p_value=0.03,
            score=1.1,
            evidence=(
                Evidence(
                    name="daily_share",
                    value=0.55,
                    reference=0.5,
                    reading="Half of it follows the hour of the day.",
                ),
            ),
            recommendation="Measure the ambient pressure for two weeks: a disturbance would follow it, "
            "a control would not.",
        ),
    )


def findings() -> Findings:
    windows = [(at(r), at(r + 479)) for r in range(0, ROWS, 480)]
    over = [
        (0.58, 0.19, 0.05, 0.07),
        (0.61, 0.18, 0.04, 0.06),
        (0.55, 0.16, 0.05, 0.12),
        (0.49, 0.09, 0.04, 0.24),
        (0.6, 0.17, 0.06, 0.09),
        (0.59, 0.18, 0.05, 0.08),
    ]
    return Findings(
        gaps=(missing_action(), *other_gaps()),
        attribution=(
            shares(None, 0.57, 0.17, 0.05, 0.11, rows=2760),
            shares("supply_temp", 0.62, 0.21, 0.09, 0.02),
            shares("return_temp", 0.44, 0.06, 0.05, 0.31),
            shares("flow", 0.71, 0.18, -0.01, 0.03),
            shares("tank_level", 0.51, 0.24, 0.04, 0.08),
            *(shares(None, *parts, window=w, rows=480) for w, parts in zip(windows, over, strict=True)),
        ),
        latents=(
            LatentInfo(
                name="latent_0",
                earned=True,
                gain=38.24,
                t_value=9.31,
                p_value=2e-20,
                persistence=0.991,
                channels=("return_temp", "supply_temp"),
            ),
            LatentInfo(
                name="latent_1",
                earned=True,
                gain=17.9,
                t_value=4.4,
                p_value=5e-6,
                persistence=0.96,
                channels=("tank_level",),
            ),
            LatentInfo(
                name="latent_2",
                earned=False,
                gain=0.3,
                t_value=0.8,
                p_value=0.21,
                persistence=0.41,
                channels=("flow",),
            ),
        ),
        not_tested=(
            NotTested(
                question="inert action", subject="mode", reason="It moved 4 times; 20 moves are needed."
            ),
            NotTested(
                question="coarse log", subject="burner_on", reason="A switch has no finer levels to find."
            ),
            NotTested(question="gap common to the fleet", reason="There is one series."),
        ),
        tested=19,
    )


def model() -> ModelFacts:
    return ModelFacts(
        family="held",
        lags=3,
        latents=3,
        seed=0,
        trace=(
            "linear, 3 lags: held-out skill 0.81; its residuals hold for hours, which it cannot express.",
            "held, 3 lags, 3 latents: skill 0.87, better by 54.1 nats per 1,000 rows (t = 8.8). Chosen.",
            "neural: not tried, the held model's residuals show no structure (p = 0.44).",
        ),
        skill=(
            ChannelSkill(channel="supply_temp", skill=0.93, without_actions=0.71),
            ChannelSkill(channel="return_temp", skill=0.81, without_actions=0.76),
            ChannelSkill(channel="flow", skill=0.9, without_actions=0.72),
            ChannelSkill(channel="tank_level", skill=0.79),
        ),
    )


def plant_report() -> GapReport:
    telemetry, latents = frame()
    panel = build(telemetry, contract())
    return build_report(panel=panel, findings=findings(), latents=latents, model=model(), digest="9f" * 32)
