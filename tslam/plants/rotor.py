"""A fan on a variable-speed motor: guide vane ahead of it, lubricated bearing, a header behind it.

The drive brings the speed n (of rated) to its setpoint with a time constant and a ramp limit. The fan's
head falls with flow and with the closing vane; the duct follows with a lag; the bearing warms with
friction and is cooled by oil; vibration grows towards the critical speed and with turbulence.

    p* from  p_fan = ρ/ρ₀ · P (n² γ(vane) - β q²)  and  p = header + R q²      τ_p dp/dt = p* - p
    torque   T = friction + c p q / n + J dn/dt         current = √(I_m² + (I_T T)²)
    bearing  dT_b/dt = f n² - (g₀ + g₁ oil) (T_b - T_o)
    vibration v = u n r² / √((1 - r²)² + (2 ζ r)²) + w n (1 - vane)²,   r = n / n_c

The cadence is 2 s. The lags take their exact step, the bearing one Euler step per row. Pressure answers
the speed of the row before, current and vibration that of their own.

Source: fan and system curves and the affinity laws: Bleier, "Fan Handbook", 1998;
rotating unbalance: Den Hartog, "Mechanical Vibrations", 4th ed., 1956; stator current as
magnetising and torque part: Leonhard, "Control of Electrical Drives", 3rd ed., 2001. Sizes are
those of a 15 kW fan.
"""

from typing import NamedTuple, no_type_check

import numpy as np
from jaxtyping import Float
from numba import njit

from tslam.plants.blueprint import Blueprint, operate
from tslam.plants.drive import Actuator, Drive, autoregressive, hold
from tslam.plants.plant import Record

__all__ = ["ROTOR", "rotor"]

STEP = 2.0  # s
RATED = 1500.0  # rpm
WARM = 293.0  # K, at which the air has the density of the fan's data sheet
RAMP = 0.06  # of rated speed per second


class _Constants(NamedTuple):
    lag: float = 3.0  # s, of the drive
    duct: float = 6.0  # s, of the pressure
    head: float = 3.2  # kPa, of the fan at rated speed and no flow
    droop: float = 0.055  # kPa per (m³/s)²
    system: float = 0.075  # kPa per (m³/s)², of the ducts behind
    closed: float = 0.40  # share of the head that is left with the vane shut
    load: float = 0.100  # rated torque per kW of air power at rated speed
    friction: float = 0.08  # rated torques
    inertia: float = 3.0  # s, from standstill to rated speed at rated torque
    magnetising: float = 12.0  # A
    torque: float = 26.0  # A at rated torque
    warmth: float = 0.25  # K/s at rated speed
    housing: float = 0.002  # 1/s
    oil: float = 0.0065  # 1/s, at full oil flow
    unbalance: float = 0.8  # mm/s
    critical: float = 1.45  # rated speeds
    damping: float = 0.15
    turbulence: float = 3.0  # mm/s
    hunting: float = 0.0015  # of rated speed, what the drive does by itself
    gust: float = 0.012  # kPa
    rub: float = 0.03  # K
    tremor: float = 0.05  # of log vibration


@njit(cache=True)
@no_type_check
def _simulate(par: _Constants, drive: Drive, policy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    exog, shock, sensor = drive.exog, drive.shock, drive.sensor
    rows = exog.shape[0]
    obs, acts = np.empty((rows, 6)), np.empty((rows, policy.shape[0]))
    remaining, lagged = np.exp(-STEP / par.lag), np.exp(-STEP / par.duct)
    speed, pressure, flow, bearing, current, vibration = 0.8, 1.2, 3.0, 55.0, 40.0, 1.5
    for t in range(rows):
        obs[t, 0] = RATED * speed + sensor[t, 0]
        obs[t, 1] = current + sensor[t, 1]
        obs[t, 2] = pressure + sensor[t, 2]
        obs[t, 3] = flow + sensor[t, 3]
        obs[t, 4] = bearing + sensor[t, 4]
        obs[t, 5] = vibration
        hold(t, drive, policy, obs[t], acts)
        setpoint, vane, oil = acts[t, 0] / RATED, acts[t, 1] / 100.0, acts[t, 2] / 100.0
        ambient, header = exog[t]
        dense = WARM / (273.0 + ambient)
        shut_off = dense * par.head * speed**2 * (par.closed + (1.0 - par.closed) * vane)
        through = max(shut_off - header, 0.0) / (dense * par.droop + par.system)
        goal = header + par.system * through
        pressure = goal + (pressure - goal) * lagged + par.gust * shock[t, 1]
        flow = np.sqrt(max(pressure - header, 0.0) / par.system)
        change = (setpoint - speed) * (1.0 - remaining)
        change = min(max(change, -RAMP * STEP), RAMP * STEP) + par.hunting * shock[t, 0]
        cooling = (par.housing + par.oil * oil) * (bearing - ambient)
        bearing += STEP * (par.warmth * speed**2 - cooling) + par.rub * shock[t, 2]
        speed += change
        shaft = par.friction + par.load * pressure * flow / speed + par.inertia * change / STEP
        current = np.sqrt(par.magnetising**2 + (par.torque * shaft) ** 2)
        near = (speed / par.critical) ** 2
        swing = near / np.sqrt((1.0 - near) ** 2 + 4.0 * par.damping**2 * near)
        vibration = speed * (par.unbalance * swing + par.turbulence * (1.0 - vane) ** 2)
        vibration = (0.3 + vibration) * np.exp(par.tremor * shock[t, 3])
    return obs, acts


def _world(rng: np.random.Generator, seconds: Float[np.ndarray, " rows"]) -> Float[np.ndarray, "rows exog"]:
    """Ambient temperature (°C), and the header's pressure (kPa), which other users make."""
    warmth, demand = autoregressive(rng, len(seconds), 0.999, 0.97).T
    return np.stack([20.0 + 4.0 * warmth, (0.20 + 0.05 * demand).clip(0.0)], axis=1)


ROTOR = Blueprint(
    name="rotor",
    cadence=STEP,
    sensors={
        "speed": 1.0,  # rpm
        "current": 0.4,  # A
        "pressure": 0.006,  # kPa
        "flow": 0.03,  # m³/s
        "bearing_temp": 0.03,  # °C
        "vibration": 0.0,  # mm/s rms; its error multiplies
    },
    actuators=(
        Actuator("speed_setpoint", 900, 1700, 50, 80, watches="pressure", target=1.2, gain=300),  # rpm
        Actuator("vane", 30, 100, 5, 80, watches="flow", target=3.5, gain=12),  # % open
        Actuator("oil", 20, 100, 10, 90, watches="bearing_temp", target=55, gain=-2),  # % open
    ),
    exogenous=("ambient", "header"),
    effects={
        "speed_setpoint": ("speed", "current", "vibration"),
        "vane": ("current", "pressure", "flow", "vibration"),
        "oil": ("bearing_temp",),
    },
    shocks=4,
    nominal=_Constants(),
    world=_world,
    simulate=_simulate,
)


def rotor(rows: int = 4000, seed: int = 0, feedback: float = 0.0) -> Record:
    """A variable-speed fan with guide vane and oil-cooled bearing, every 2 s.

    Observations: ``speed`` (rpm), ``current`` (A), ``pressure`` (kPa), ``flow`` (m³/s),
    ``bearing_temp`` (°C), ``vibration`` (mm/s). Actions: ``speed_setpoint`` (rpm), ``vane``, ``oil``
    (% open). Exogenous: ``ambient`` (°C), ``header`` (kPa).

    Args:
        rows: Length of the record.
        seed: Draws the plant, its moves, its world and its noise.
        feedback: How far a move answers the state, from 0 (not at all) to 1.
    """
    return operate(ROTOR, rows, seed, feedback)
