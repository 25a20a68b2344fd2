"""A cooled stirred reactor that makes B from A and loses some of both: the van de Vusse scheme.

    A → B → C,  2 A → D          kᵢ = kᵢ₀ exp(Eᵢ / T),  k₂ = k₁
    dc_A/dt = F (c_A0 - c_A) - k₁ c_A - k₃ c_A²
    dc_B/dt = -F c_B + k₁ c_A - k₂ c_B
    dT/dt   = F (T₀ - T) - W (T - T_K) / (ρ c_p V) - (k₁ c_A H_AB + k₂ c_B H_BC + k₃ c_A² H_AD) / (ρ c_p)
    dT_K/dt = (W (T - T_K) - Q) / (m_K c_K)

The gain from feed to product changes its sign near the best yield. The cadence is 10 s, against time
constants of one to five minutes: one explicit Euler step per row.

Source: Chen, Kremling and Allgöwer, "Nonlinear predictive control of a benchmark CSTR", European Control
Conference, 1995, with the constants given there.
"""

from typing import NamedTuple, no_type_check

import numpy as np
from jaxtyping import Float
from numba import njit

from tslam.plants.blueprint import Blueprint, operate
from tslam.plants.drive import Actuator, Drive, autoregressive, hold
from tslam.plants.plant import Record

__all__ = ["REACTOR", "reactor"]

STEP = 10.0 / 3600.0  # h
ZERO = 273.15  # K at 0 °C
E_1, E_3 = -9758.3, -8560.0  # K, activation energies over the gas constant
H_AB, H_BC, H_AD = 4.2, -11.0, -41.85  # kJ/mol, reaction enthalpies
DENSITY_HEAT = 0.9342 * 3.01  # kJ/(l K)


class _Constants(NamedTuple):
    k_1: float = 1.287e12  # 1/h
    k_3: float = 9.043e9  # l/(mol h)
    transfer: float = 4032.0 * 0.215  # kJ/(h K), wall between reactor and jacket
    volume: float = 10.0  # l
    jacket: float = 5.0 * 2.0  # kJ/K, heat capacity of the coolant
    blend: float = 0.008  # mol/l, what a row does to a concentration unforeseen
    eddy: float = 0.06  # K, the same for a temperature


@njit(cache=True)
@no_type_check
def _simulate(par: _Constants, drive: Drive, policy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    exog, shock, sensor = drive.exog, drive.shock, drive.sensor
    rows = exog.shape[0]
    obs, acts = np.empty((rows, 4)), np.empty((rows, policy.shape[0]))
    a, b, temp, jacket = 2.1, 1.1, 114.0, 113.0
    for t in range(rows):
        obs[t, 0] = a + sensor[t, 0]
        obs[t, 1] = b + sensor[t, 1]
        obs[t, 2] = temp + sensor[t, 2]
        obs[t, 3] = jacket + sensor[t, 3]
        hold(t, drive, policy, obs[t], acts)
        feed, cooling = acts[t]
        strength, warmth = exog[t]
        k_1 = par.k_1 * np.exp(E_1 / (temp + ZERO))
        k_3 = par.k_3 * np.exp(E_3 / (temp + ZERO))
        first, second, side = k_1 * a, k_1 * b, k_3 * a * a
        wall = par.transfer * (temp - jacket)
        heat = first * H_AB + second * H_BC + side * H_AD
        a += STEP * (feed * (strength - a) - first - side) + par.blend * shock[t, 0]
        b += STEP * (first - second - feed * b) + par.blend * shock[t, 1]
        a, b = max(a, 0.0), max(b, 0.0)
        warming = feed * (warmth - temp) - wall / (DENSITY_HEAT * par.volume) - heat / DENSITY_HEAT
        temp += STEP * warming + par.eddy * shock[t, 2]
        jacket += STEP * (wall - cooling) / par.jacket + par.eddy * shock[t, 3]
    return obs, acts


def _world(rng: np.random.Generator, seconds: Float[np.ndarray, " rows"]) -> Float[np.ndarray, "rows exog"]:
    """Strength (mol/l) and temperature (°C) of the feed."""
    strength, warmth = autoregressive(rng, len(seconds), 0.98, 0.98).T
    return np.stack([5.1 + 0.15 * strength, 104.9 + 1.5 * warmth], axis=1)


REACTOR = Blueprint(
    name="reactor",
    cadence=10.0,
    sensors={"conc_a": 0.006, "conc_b": 0.006, "temp": 0.05, "jacket_temp": 0.05},
    actuators=(
        Actuator("feed", 8, 28, 1, 70, watches="conc_b", target=0.95, gain=30),  # 1/h, of the volume
        Actuator("cooling", 0, 4000, 200, 70, watches="temp", target=112, gain=-150),  # kJ/h
    ),
    exogenous=("feed_conc", "feed_temp"),
    effects={"feed": ("conc_a", "conc_b", "temp"), "cooling": ("jacket_temp",)},
    shocks=4,
    nominal=_Constants(),
    world=_world,
    simulate=_simulate,
    spread=0.08,
)


def reactor(rows: int = 4000, seed: int = 0, feedback: float = 0.0) -> Record:
    """A cooled stirred reactor with side reactions, every 10 s.

    Observations: ``conc_a``, ``conc_b`` (mol/l), ``temp``, ``jacket_temp`` (°C). Actions: ``feed``
    (volumes per hour), ``cooling`` (kJ/h). Exogenous: ``feed_conc`` (mol/l), ``feed_temp`` (°C).

    Args:
        rows: Length of the record.
        seed: Draws the plant, its moves, its world and its noise.
        feedback: How far a move answers the state, from 0 (not at all) to 1.
    """
    return operate(REACTOR, rows, seed, feedback)
