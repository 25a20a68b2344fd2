"""Left alone, without noise, each plant settles where a balance by hand says that it must."""

from dataclasses import replace
from typing import Any

import numpy as np

from tslam.plants.blueprint import Blueprint, run
from tslam.plants.building import BUILDING
from tslam.plants.drive import Drive
from tslam.plants.reactor import REACTOR
from tslam.plants.rotor import ROTOR
from tslam.plants.service import SERVICE
from tslam.plants.tank import TANK


def _settled(
    blueprint: Blueprint, acts: list[float], exog: list[float], rows: int = 3000
) -> dict[str, float]:
    """Observations of the nominal plant after many rows of constant inputs and no noise."""
    moved = np.zeros((rows, len(acts)), dtype=bool)
    drive = Drive(
        moved=moved,
        level=np.tile(acts, (rows, 1)),
        exog=np.tile(exog, (rows, 1)),
        shock=np.zeros((rows, blueprint.shocks)),
        sensor=np.zeros((rows, len(blueprint.sensors))),
    )
    finer = replace(blueprint, actuators=tuple(replace(a, low=0, step=0.01) for a in blueprint.actuators))
    obs, held = run(finer, blueprint.nominal, drive)
    np.testing.assert_allclose(held[-1], acts)
    np.testing.assert_allclose(obs[-1], obs[-2], rtol=1e-6)
    return dict(zip(blueprint.observations, obs[-1], strict=True))


def test_tank_levels_obey_torricelli_and_temperatures_the_heat_balance() -> None:
    par: Any = TANK.nominal
    seen = _settled(TANK, [60, 40, 6, 65], [14])
    feed, cold = par.feed * 0.60, par.cold * 0.40
    assert np.isclose(seen["level_1"], (feed / par.orifice) ** 2 / (2 * 9.81))
    assert np.isclose(seen["level_2"], ((feed + cold) / (par.outlet * 0.65)) ** 2 / (2 * 9.81))
    assert np.isclose(seen["flow_12"], feed * 60_000)
    assert np.isclose(seen["flow_out"], (feed + cold) * 60_000)
    warm = (feed * 4.18e6 * 14 + 6000 + par.loss * 21) / (feed * 4.18e6 + par.loss)
    assert np.isclose(seen["temp_1"], warm)
    assert np.isclose(seen["temp_2"], (feed * warm + cold * 14) / (feed + cold))


def test_building_heat_in_is_heat_out_and_breath_is_ventilated() -> None:
    par: Any = BUILDING.nominal
    seen = _settled(BUILDING, [40, 30, 2], [5, 100, 10], rows=6000)
    one, two, slab = seen["temp_1"], seen["temp_2"], seen["slab_temp"]
    heat = par.radiator * (0.40 * (par.water - one) + 0.30 * (par.water - two)) / (par.water - 20)
    gains = heat + 100 * (par.window_1 + par.window_2) + 75 * 10
    fresh = 2 * par.flow * 1206
    losses = par.envelope * (one + two - 10) + fresh * (1 - par.recovery) * (one + two - 10)
    assert np.isclose(gains, losses, rtol=1e-4)
    assert np.isclose(slab, 0.5 * (one + two), rtol=1e-4)
    assert np.isclose(seen["co2_1"], 420 + 5.2 * 6 / (2 * par.flow))
    assert np.isclose(seen["co2_2"], 420 + 5.2 * 4 / (2 * par.flow))
    assert np.isclose(seen["power"], par.base + 600 + par.fan / 8 + heat / par.cop)
    assert 18 < one < 24


def test_service_utilisation_is_work_over_capacity_and_overload_is_refused() -> None:
    par: Any = SERVICE.nominal
    seen = _settled(SERVICE, [10, 4, 20], [400])
    hits = par.best * 4 / (4 + par.half)
    demand = (hits * par.hit + (1 - hits) * par.miss) * (1 + par.tracing * 0.20)
    assert np.isclose(seen["hit_ratio"], hits)
    assert np.isclose(seen["memory"], par.process + 4)
    assert np.isclose(seen["cpu"], 100 * 400 * demand / 10)
    assert seen["latency_p50"] < seen["latency_p95"]
    jammed = _settled(SERVICE, [10, 4, 20], [1.5 * 10 / demand])
    assert np.isclose(jammed["cpu"], 100)
    assert np.isclose(jammed["error_rate"], 100 / 3, rtol=0.15)
    assert jammed["latency_p50"] > 5 * seen["latency_p50"]


def test_rotor_obeys_the_affinity_laws_and_the_bearing_balance() -> None:
    par: Any = ROTOR.nominal
    slow, fast = (_settled(ROTOR, [speed, 100, 60], [20, 0]) for speed in (900, 1500))
    assert np.isclose(slow["speed"], 900)
    assert np.isclose(fast["pressure"] / slow["pressure"], (1500 / 900) ** 2)
    assert np.isclose(fast["flow"] / slow["flow"], 1500 / 900)
    assert np.isclose(fast["bearing_temp"], 20 + par.warmth / (par.housing + 0.6 * par.oil))
    shaft = par.friction + par.load * fast["pressure"] * fast["flow"]
    assert np.isclose(fast["current"], np.hypot(par.magnetising, par.torque * shaft))
    vaned = _settled(ROTOR, [1500, 40, 60], [20, 0])
    assert vaned["flow"] < fast["flow"]
    assert vaned["current"] < fast["current"]
    assert vaned["vibration"] > fast["vibration"]


def test_reactor_settles_at_the_published_operating_point() -> None:
    # Chen, Kremling and Allgöwer (1995), optimal yield: F/V = 14.19 1/h, Q = -1113.5 kJ/h.
    seen = _settled(REACTOR, [14.19, 1113.5], [5.1, 104.9])
    assert np.isclose(seen["conc_a"], 2.1402, atol=0.01)
    assert np.isclose(seen["conc_b"], 1.0903, atol=0.01)
    assert np.isclose(seen["temp"], 114.19, atol=0.3)
    assert np.isclose(seen["jacket_temp"], 112.91, atol=0.3)
