"""Reports that strain a page: very many gaps and channels, hostile names, numeric time; nothing at all."""

from collections.abc import Iterator

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
)
from tslam.contract.model import Column, Contract
from tslam.contract.roles import Role
from tslam.panel import build
from tslam.report import ChannelSkill, GapReport, ModelFacts, build_report

HOSTILE = '<script>alert("x")</script><img src=https://example.org/a.png onerror=alert(1)>|`*_"\'&'
LONG = (
    "building_seventeen_air_handling_unit_four_supply_fan_variable_frequency_drive_speed_setpoint_percent_"
    * 2
)
CHANNELS = (*(f"channel_{i:02d}" for i in range(58)), HOSTILE, LONG)
ACTIONS = (*(f"valve_{i}" for i in range(20)), HOSTILE + "!", LONG + "!")
SERIES = ("north", "south", HOSTILE, "east", "west")
ROWS = 500


def crowded_report() -> GapReport:
    columns = (
        Column(name="n", role=Role.TIME),
        Column(name="site", role=Role.SERIES),
        *(Column(name=name, role=Role.OBSERVATION, unit=HOSTILE) for name in CHANNELS),
        *(Column(name=name, role=Role.ACTION) for name in ACTIONS),
    )
    panel = build(_frame(), Contract(name=HOSTILE, columns=columns, description=HOSTILE))
    latents = np.random.default_rng(4).normal(size=(panel.rows, 10)).cumsum(axis=0)
    model = ModelFacts(
        family="linear",
        lags=1,
        latents=10,
        trace=(HOSTILE, LONG),
        skill=tuple(ChannelSkill(channel=name, skill=0.5) for name in CHANNELS),
    )
    return build_report(panel=panel, findings=_findings(), latents=latents, model=model, digest="0" * 64)


def empty_report(*, tested: int = 0) -> GapReport:
    """Nothing found; with ``tested`` 0, nothing asked."""
    rows = 60
    values = np.random.default_rng(5).normal(size=rows)
    contract = Contract(columns=(Column(name="n", role=Role.TIME), Column(name="y", role=Role.OBSERVATION)))
    panel = build(pl.DataFrame({"n": np.arange(rows) * 0.5, "y": values}), contract)
    model = ModelFacts(family="linear", lags=1, latents=0)
    latents = np.zeros((panel.rows, 0))
    return build_report(
        panel=panel, findings=Findings(tested=tested), latents=latents, model=model, digest=""
    )


def _frame() -> pl.DataFrame:
    rng = np.random.default_rng(3)
    rows = ROWS * len(SERIES)
    values = rng.normal(size=(rows, len(CHANNELS))).cumsum(axis=0)
    moves = rng.integers(0, 4, size=(rows, len(ACTIONS))).astype(float)
    return pl.DataFrame(
        {
            "n": np.tile(np.arange(ROWS) * 0.25, len(SERIES)),
            "site": np.repeat(SERIES, ROWS),
            **{name: values[:, i] for i, name in enumerate(CHANNELS)},
            **{name: moves[:, i] for i, name in enumerate(ACTIONS)},
        }
    )


def _gaps() -> Iterator[Gap]:
    kinds, severities = list(GapKind), list(Severity)
    for i in range(60):
        yield Gap(
            kind=kinds[i % len(kinds)],
            severity=severities[-1 - i // 20],
            column=ACTIONS[-1 - i % len(ACTIONS)] if i % 3 else None,
            series=SERIES[: 1 + i % 4] if i % 2 else None,
            latents=tuple(f"latent_{j}" for j in range(i % 4)),
            channels=CHANNELS[-1 - i % 5 :],
            windows=tuple((float(j), float(j) + 0.5) for j in range(0, 2 * (i % 90), 2)),
            lag=i - 3 if i % 5 == 0 else None,
            p_value=10.0**-i,
            score=1000.0 / (i + 1),
            evidence=tuple(Evidence(name=HOSTILE, value=1e-9 * j, reading=LONG) for j in range(i % 6)),
            recommendation=f"Log {HOSTILE} and {LONG}.",
        )


def _findings() -> Findings:
    part = Share(value=0.3, low=-0.2, high=0.7)
    none = Share(value=-0.4, low=-2.5, high=0.1)
    rows = [
        Attribution(
            channel=None, window=None, history=part, actions=none, exogenous=none, latents=part, rows=9
        )
    ]
    rows += [r.model_copy(update={"channel": name}) for r in rows for name in CHANNELS]
    rows += [rows[0].model_copy(update={"window": (float(i), float(i + 1))}) for i in range(40)]
    return Findings(
        gaps=tuple(_gaps()),
        attribution=tuple(rows),
        latents=tuple(
            LatentInfo(
                name=f"latent_{i}",
                earned=i < 3,
                gain=5.0 - i,
                t_value=3.0 - i,
                p_value=0.1,
                persistence=0.9,
                channels=CHANNELS,
            )
            for i in range(10)
        ),
        not_tested=tuple(NotTested(question="coarse log", subject=name, reason=HOSTILE) for name in ACTIONS),
        tested=200,
        adequate=False,
        notes=(HOSTILE,),
    )
