"""Two office zones on one heavy slab: radiators, mechanical ventilation, people, weather.

Each zone's air and furniture (T₁, T₂) exchange heat with the outside, each other and the slab (T_s);
radiators heat, ventilation brings outdoor air through a heat recovery unit, people bring warmth and CO₂.

    C dTᵢ/dt = U (T_o - Tᵢ) + K (Tⱼ - Tᵢ) + S (T_s - Tᵢ) + gᵢ I + 75 W · nᵢ + Qᵢ + V̇ ρc_p (T_v - Tᵢ)
    C_s dT_s/dt = S (T₁ - T_s) + S (T₂ - T_s)
    Qᵢ = Q_max · valveᵢ · (T_w - Tᵢ) / (T_w - 20 °C)      T_v = T_o + η (mean Tᵢ - T_o)
    V dcᵢ/dt = nᵢ G - V̇ (cᵢ - c_o)                       V̇ = fan · V̇₁
    power = base + plugs · n + P₄ (fan / 4)³ + (Q₁ + Q₂) / COP

The cadence is 5 min. Temperatures take one explicit Euler step per row; CO₂, whose air change can be
quick, takes the exact step of its linear equation.

Source: the R-C network of a zone as in Bacher and Madsen, "Identifying suitable models for the heat
dynamics of buildings", Energy and Buildings 43(7), 2011; 75 W of sensible heat for office work: ASHRAE
Handbook of Fundamentals, 2017, ch. 18; 0.31 l/min of CO₂ a person: ASHRAE Standard 62.1-2016, appendix
on ventilation rates; fan power by the affinity laws.
"""

from typing import NamedTuple, no_type_check

import numpy as np
from jaxtyping import Float
from numba import njit

from tslam.plants.blueprint import Blueprint, operate
from tslam.plants.drive import Actuator, Drive, autoregressive, hold
from tslam.plants.plant import Record

__all__ = ["BUILDING", "building"]

STEP = 300.0  # s
AIR = 1206.0  # J/(m³ K), of a cubic metre of air
OUTSIDE_CO2 = 420.0  # ppm
BREATH = 5.2  # ppm m³/s of CO₂ that a person gives off (0.31 l/min)
WARMTH = 75.0  # W, sensible heat of a person
PLUGS = 60.0  # W of devices per person
FIRST = 0.6  # share of the people who sit in zone 1
DAY = 86_400.0  # s


class _Constants(NamedTuple):
    capacity: float = 2.5e6  # J/K, air and furniture of a zone
    slab: float = 4.0e7  # J/K
    envelope: float = 110.0  # W/K, to the outside
    partition: float = 80.0  # W/K, between the zones
    contact: float = 150.0  # W/K, of a zone with the slab
    window_1: float = 1.6  # m², times solar transmittance
    window_2: float = 0.6
    radiator: float = 6000.0  # W
    water: float = 55.0  # °C, supply of the radiators
    recovery: float = 0.70  # of the ventilation's heat
    flow: float = 0.06  # m³/s per zone and fan stage
    volume: float = 300.0  # m³ per zone
    fan: float = 1500.0  # W at stage 4
    cop: float = 3.2  # of the heat pump
    base: float = 400.0  # W
    draught: float = 0.04  # K, doors and windows within a row
    stir: float = 6.0  # ppm, the same for CO₂
    flicker: float = 40.0  # W, small loads


@njit(cache=True)
@no_type_check
def _simulate(par: _Constants, drive: Drive, policy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    exog, shock, sensor = drive.exog, drive.shock, drive.sensor
    rows = exog.shape[0]
    obs, acts = np.empty((rows, 6)), np.empty((rows, policy.shape[0]))
    temp_1, temp_2, slab = 20.0, 20.0, 20.0
    co2_1, co2_2, power = 600.0, 600.0, 1500.0
    for t in range(rows):
        obs[t, 0] = temp_1 + sensor[t, 0]
        obs[t, 1] = temp_2 + sensor[t, 1]
        obs[t, 2] = slab + sensor[t, 2]
        obs[t, 3] = co2_1 + sensor[t, 3]
        obs[t, 4] = co2_2 + sensor[t, 4]
        obs[t, 5] = power + sensor[t, 5]
        hold(t, drive, policy, obs[t], acts)
        fan = acts[t, 2]
        outdoor, solar, people = exog[t]
        heat_1 = par.radiator * acts[t, 0] / 100.0 * (par.water - temp_1) / (par.water - 20.0)
        heat_2 = par.radiator * acts[t, 1] / 100.0 * (par.water - temp_2) / (par.water - 20.0)
        air = par.flow * fan
        vent = outdoor + par.recovery * (0.5 * (temp_1 + temp_2) - outdoor)
        gain_1 = par.window_1 * solar + WARMTH * FIRST * people + heat_1 + air * AIR * (vent - temp_1)
        gain_2 = par.window_2 * solar + WARMTH * (1.0 - FIRST) * people + heat_2 + air * AIR * (vent - temp_2)
        gain_1 += par.envelope * (outdoor - temp_1) + par.contact * (slab - temp_1)
        gain_2 += par.envelope * (outdoor - temp_2) + par.contact * (slab - temp_2)
        across = par.partition * (temp_2 - temp_1)
        slab_next = slab + STEP * par.contact * (temp_1 + temp_2 - 2.0 * slab) / par.slab
        temp_1 += STEP * (gain_1 + across) / par.capacity + par.draught * shock[t, 0]
        temp_2 += STEP * (gain_2 - across) / par.capacity + par.draught * shock[t, 1]
        slab = slab_next
        kept = np.exp(-air * STEP / par.volume)
        full_1 = OUTSIDE_CO2 + BREATH * FIRST * people / air
        full_2 = OUTSIDE_CO2 + BREATH * (1.0 - FIRST) * people / air
        co2_1 = full_1 + (co2_1 - full_1) * kept + par.stir * shock[t, 2]
        co2_2 = full_2 + (co2_2 - full_2) * kept + par.stir * shock[t, 3]
        power = par.base + PLUGS * people + par.fan * (fan / 4.0) ** 3 + (heat_1 + heat_2) / par.cop
        power += par.flicker * shock[t, 4]
    return obs, acts


def _world(rng: np.random.Generator, seconds: Float[np.ndarray, " rows"]) -> Float[np.ndarray, "rows exog"]:
    """A northern winter: outdoor temperature (°C), solar irradiance (W/m²), people."""
    day, hour = np.floor(seconds / DAY), seconds % DAY / 3600.0
    front, cloud, crowd = autoregressive(rng, len(seconds), 0.995, 0.995, 0.995).T
    outdoor = 5.0 + 3.5 * np.cos(2 * np.pi * (hour - 15.0) / 24.0) + 2.5 * front
    sun = np.sin(np.pi * (hour - 7.5) / 9.5).clip(0.0) * (hour < 17.0)
    solar = 500.0 * sun / (1.0 + np.exp(-1.5 * cloud))
    arriving, leaving = 1.0 / (1.0 + np.exp(-2.5 * (hour - 8.5))), 1.0 / (1.0 + np.exp(-2.5 * (hour - 17.5)))
    people = np.where(day % 7 < 5, 18.0 * (arriving - leaving) * np.exp(0.25 * crowd), 0.0).round()
    return np.stack([outdoor, solar, people], axis=1)


BUILDING = Blueprint(
    name="building",
    cadence=STEP,
    sensors={
        "temp_1": 0.05,  # °C
        "temp_2": 0.05,
        "slab_temp": 0.02,
        "co2_1": 6.0,  # ppm
        "co2_2": 6.0,
        "power": 10.0,  # W
    },
    actuators=(
        Actuator("valve_1", 0, 75, 5, 70, watches="temp_1", target=21, gain=6),  # %
        Actuator("valve_2", 0, 75, 5, 70, watches="temp_2", target=21, gain=6),  # %
        Actuator("fan", 1, 4, 1, 60, watches="co2_1", target=700, gain=-0.005),  # stage
    ),
    exogenous=("outdoor_temp", "solar", "people"),
    effects={
        "valve_1": ("temp_1", "power"),
        "valve_2": ("temp_2", "power"),
        "fan": ("temp_1", "temp_2", "co2_1", "co2_2", "power"),
    },
    shocks=5,
    nominal=_Constants(),
    world=_world,
    simulate=_simulate,
)


def building(rows: int = 4000, seed: int = 0, feedback: float = 0.0) -> Record:
    """Two office zones with radiators and ventilation, every 5 min.

    Observations: ``temp_1``, ``temp_2``, ``slab_temp`` (°C), ``co2_1``, ``co2_2`` (ppm), ``power``
    (W). Actions: ``valve_1``, ``valve_2`` (%), ``fan`` (stage 1 to 4). Exogenous: ``outdoor_temp``
    (°C), ``solar`` (W/m²), ``people``.

    Args:
        rows: Length of the record.
        seed: Draws the plant, its moves, its world and its noise.
        feedback: How far a move answers the state, from 0 (not at all) to 1.
    """
    return operate(BUILDING, rows, seed, feedback)
