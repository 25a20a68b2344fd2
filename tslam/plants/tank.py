"""Two process tanks in series: a heated one drains into a second, where cold water is added.

A pump fills tank 1, a heater warms it; it drains by gravity into tank 2, to which a second pump adds
cold water; tank 2 leaves through a valve. Water comes at a temperature that nobody sets.

    A₁ dh₁/dt = q₁ - q₁₂              V₁ dT₁/dt = q₁ (Tᵢₙ - T₁) + [P - U (T₁ - Tᵣ)] / ρc
    A₂ dh₂/dt = q₁₂ + q₂ - q_out       V₂ dT₂/dt = q₁₂ (T₁ - T₂) + q₂ (Tᵢₙ - T₂)
    q₁₂ = s √(2 g h₁)                  q_out = κ · valve · √(2 g h₂)

Residence times are some minutes, the cadence is 10 s, so that one explicit Euler step per row will do.
A tank that is full spills over.

Source: Torricelli's law and the well-mixed energy balance of a stirred heated tank, as in Seborg,
Edgar, Mellichamp and Doyle, "Process Dynamics and Control", 4th ed., 2016, section 2.4.
Sizes are those of a pilot plant.
"""

from typing import NamedTuple, no_type_check

import numpy as np
from jaxtyping import Float
from numba import njit

from tslam.plants.blueprint import Blueprint, operate
from tslam.plants.drive import Actuator, Drive, autoregressive, hold
from tslam.plants.plant import Record

__all__ = ["TANK", "tank"]

STEP = 10.0  # s
GRAVITY = 9.81  # m/s²
HEAT = 4.18e6  # J/(m³ K), of a cubic metre of water
ROOM = 21.0  # °C
BRIM = 1.5  # m, height of both tanks
LITRES_PER_MINUTE = 60_000.0  # per m³/s


class _Constants(NamedTuple):
    area_1: float = 0.080  # m²
    area_2: float = 0.100  # m²
    orifice: float = 5.2e-5  # m², between the tanks
    outlet: float = 1.2e-4  # m², of the open valve
    feed: float = 3.0e-4  # m³/s, of pump 1 at 100 %
    cold: float = 2.0e-4  # m³/s, of pump 2 at 100 %
    loss: float = 15.0  # W/K, from tank 1 to the room
    surge: float = 0.03  # relative, of both pumps' flows within a row
    draught: float = 0.03  # K, what a row does to a temperature unforeseen


@njit(cache=True)
@no_type_check
def _simulate(par: _Constants, drive: Drive, policy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    exog, shock, sensor = drive.exog, drive.shock, drive.sensor
    rows = exog.shape[0]
    obs, acts = np.empty((rows, 6)), np.empty((rows, policy.shape[0]))
    h_1, h_2, temp_1, temp_2 = 0.6, 0.6, 25.0, 20.0
    valve = 0.6
    for t in range(rows):
        flow_12 = par.orifice * np.sqrt(2.0 * GRAVITY * h_1)
        flow_out = par.outlet * valve * np.sqrt(2.0 * GRAVITY * h_2)
        obs[t, 0] = h_1 + sensor[t, 0]
        obs[t, 1] = h_2 + sensor[t, 1]
        obs[t, 2] = temp_1 + sensor[t, 2]
        obs[t, 3] = temp_2 + sensor[t, 3]
        obs[t, 4] = flow_12 * LITRES_PER_MINUTE + sensor[t, 4]
        obs[t, 5] = flow_out * LITRES_PER_MINUTE + sensor[t, 5]
        hold(t, drive, policy, obs[t], acts)
        feed = par.feed * acts[t, 0] / 100.0 * (1.0 + par.surge * shock[t, 0])
        cold = par.cold * acts[t, 1] / 100.0 * (1.0 + par.surge * shock[t, 1])
        power = 1000.0 * acts[t, 2]
        valve = acts[t, 3] / 100.0
        inlet = exog[t, 0]
        flow_out = par.outlet * valve * np.sqrt(2.0 * GRAVITY * h_2)
        warming = feed * (inlet - temp_1) + (power - par.loss * (temp_1 - ROOM)) / HEAT
        mixing = flow_12 * (temp_1 - temp_2) + cold * (inlet - temp_2)
        temp_1 += STEP * warming / (par.area_1 * h_1) + par.draught * shock[t, 2]
        temp_2 += STEP * mixing / (par.area_2 * h_2) + par.draught * shock[t, 3]
        h_1 = min(max(h_1 + STEP * (feed - flow_12) / par.area_1, 0.02), BRIM)
        h_2 = min(max(h_2 + STEP * (flow_12 + cold - flow_out) / par.area_2, 0.02), BRIM)
    return obs, acts


def _world(rng: np.random.Generator, seconds: Float[np.ndarray, " rows"]) -> Float[np.ndarray, "rows exog"]:
    return 14.0 + 3.0 * autoregressive(rng, len(seconds), 0.985)


TANK = Blueprint(
    name="tank",
    cadence=STEP,
    sensors={
        "level_1": 1e-3,  # m
        "level_2": 1e-3,
        "temp_1": 0.03,  # °C
        "temp_2": 0.03,
        "flow_12": 0.25,  # l/min
        "flow_out": 0.35,
    },
    actuators=(
        Actuator("pump_1", 40, 85, 5, 90, watches="level_1", target=0.6, gain=40),  # %
        Actuator("pump_2", 20, 70, 5, 80, watches="level_2", target=0.6, gain=40),  # %
        Actuator("heater", 0, 12, 1, 70, watches="temp_1", target=22, gain=0.8),  # kW
        Actuator("valve", 45, 95, 5, 90, watches="level_2", target=0.6, gain=-40),  # %
    ),
    exogenous=("inlet_temp",),
    effects={
        "pump_1": ("level_1", "temp_1", "flow_12"),
        "pump_2": ("level_2", "temp_2", "flow_out"),
        "heater": ("temp_1",),
        "valve": ("level_2", "flow_out"),
    },
    shocks=4,
    nominal=_Constants(),
    world=_world,
    simulate=_simulate,
)


def tank(rows: int = 4000, seed: int = 0, feedback: float = 0.0) -> Record:
    """Two tanks in series with a heater, every 10 s.

    Observations: ``level_1``, ``level_2`` (m), ``temp_1``, ``temp_2`` (°C), ``flow_12``,
    ``flow_out`` (l/min). Actions: ``pump_1``, ``pump_2``, ``valve`` (%), ``heater`` (kW). Exogenous:
    ``inlet_temp`` (°C).

    Args:
        rows: Length of the record.
        seed: Draws the plant, its moves, its world and its noise.
        feedback: How far a move answers the state, from 0 (not at all) to 1.
    """
    return operate(TANK, rows, seed, feedback)
