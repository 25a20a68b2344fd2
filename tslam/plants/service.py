"""A web service behind a load balancer: replicas, a cache in each, tracing, and a day's traffic.

Requests that hit the cache are cheap, misses are not. Replicas share the load; what they cannot serve
within a row waits, up to a limit, and the rest is refused.

    demand   D = (h d_hit + (1 - h) d_miss) (1 + κ · tracing)      seconds of one core per request
    load     ρ = λ D / replicas
    backlog  b' = clip(b + 60 s · (λ - replicas / D), 0, limit)    the overflow is refused
    sojourn  of a hit  d_hit (1 + κ · tracing) / (1 - ρ), of a miss likewise, plus the wait b' D / replicas
    memory   m' = m + ν (cache - m) while it fills; at once where the cache shrinks
    hits     h' = h + μ (h_max m / (m + m_half) - h)

Latencies are those of the minute that ends with the row: percentiles of a mix of two exponential sojourns,
which has the right means under processor sharing and roughly the right tail.

Source: sojourn of processor sharing and its insensitivity: Harchol-Balter, "Performance Modeling and
Design of Computer Systems", 2013, ch. 30; concave hit ratio of a cache under Zipf-like popularity:
Breslau et al., "Web caching and Zipf-like distributions", INFOCOM 1999. Numbers are those of a small
service, one core a replica.
"""

from typing import NamedTuple, no_type_check

import numpy as np
from jaxtyping import Float
from numba import njit

from tslam.plants.blueprint import Blueprint, operate
from tslam.plants.drive import Actuator, Drive, autoregressive, hold
from tslam.plants.plant import Record

__all__ = ["SERVICE", "service"]

STEP = 60.0  # s
LIMIT = 150.0  # requests that may wait
FULL = 0.90  # load beyond which the backlog, not the sojourn, tells of saturation
DAY = 86_400.0  # s


class _Constants(NamedTuple):
    hit: float = 0.004  # s of a core
    miss: float = 0.018
    tracing: float = 0.5  # extra demand when every request is traced
    best: float = 0.92  # hit ratio of an endless cache
    half: float = 1.2  # GB, at which half of that is reached
    warming: float = 0.25  # share of the way to the new hit ratio per row
    filling: float = 0.20  # the same for memory
    process: float = 0.6  # GB, a replica without its cache
    jitter: float = 0.05  # of log latency
    spill: float = 0.12  # of the logarithms of queue and error rate
    sampling: float = 0.8  # % points, of CPU
    churn: float = 0.006  # of the hit ratio


@njit(cache=True)
@no_type_check
def _simulate(par: _Constants, drive: Drive, policy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    exog, shock, sensor = drive.exog, drive.shock, drive.sensor
    rows = exog.shape[0]
    obs, acts = np.empty((rows, 7)), np.empty((rows, policy.shape[0]))
    cpu, median, tail, queue, errors, memory, ratio = 50.0, 8.0, 60.0, 2.0, 0.1, 3.0, 0.65
    backlog = 0.0
    for t in range(rows):
        obs[t, 0] = min(max(cpu + sensor[t, 0], 0.0), 100.0)
        obs[t, 1] = median
        obs[t, 2] = tail
        obs[t, 3] = queue
        obs[t, 4] = errors
        obs[t, 5] = par.process + memory + sensor[t, 5]
        obs[t, 6] = ratio + sensor[t, 6]
        hold(t, drive, policy, obs[t], acts)
        replicas, cache, traced = acts[t]
        rate = exog[t, 0]
        slower = 1.0 + par.tracing * traced / 100.0
        demand = (ratio * par.hit + (1.0 - ratio) * par.miss) * slower
        load = min(rate * demand / replicas, FULL)
        asked = backlog + STEP * rate
        served = STEP * replicas / demand
        busy = min(asked / served, 1.0)
        backlog = min(max(asked - served, 0.0), LIMIT)
        refused = max(asked - served - LIMIT, 0.0) / asked
        wait = backlog * demand / replicas
        quick, slow = par.hit * slower / (1.0 - load), par.miss * slower / (1.0 - load)
        # tails of the mix: half, and one in twenty, of all requests take longer
        half = 0.7 * (ratio * quick + (1.0 - ratio) * slow)
        rare = slow * np.log(max(1.0 - ratio, 0.08) / 0.05)
        cpu = 100.0 * busy + par.sampling * shock[t, 0]
        median = 1000.0 * (wait + half) * np.exp(par.jitter * shock[t, 1])
        tail = 1000.0 * (wait + rare) * np.exp(1.4 * par.jitter * shock[t, 2])
        queue = (backlog + load * load / (1.0 - load)) * np.exp(par.spill * shock[t, 3])
        errors = (0.1 + 100.0 * refused + 2.0 * load**8) * np.exp(par.spill * shock[t, 4])
        ratio += par.warming * (par.best * memory / (memory + par.half) - ratio) + par.churn * shock[t, 5]
        ratio = min(max(ratio, 0.05), 0.98)
        memory = min(memory + par.filling * (cache - memory), cache)
    return obs, acts


def _world(rng: np.random.Generator, seconds: Float[np.ndarray, " rows"]) -> Float[np.ndarray, "rows exog"]:
    """Requests per second: an evening peak, days that differ, minutes that differ."""
    hour = seconds % DAY / 3600.0
    slow, quick = autoregressive(rng, len(seconds), 0.998, 0.6).T
    daily = 0.28 * np.cos(2 * np.pi * (hour - 20.0) / 24.0) + 0.06 * np.cos(4 * np.pi * (hour - 12.0) / 24.0)
    return np.stack([380.0 * np.exp(daily + 0.10 * slow + 0.03 * quick)], axis=1)


SERVICE = Blueprint(
    name="service",
    cadence=STEP,
    sensors={
        "cpu": 0.3,  # %
        "latency_p50": 0.0,  # ms; its error is that of a sample of requests, and multiplies
        "latency_p95": 0.0,
        "queue": 0.0,  # requests
        "error_rate": 0.0,  # %
        "memory": 0.02,  # GB per replica
        "hit_ratio": 0.004,
    },
    actuators=(
        Actuator("replicas", 8, 16, 1, 60, watches="cpu", target=45, gain=-0.12),
        Actuator("cache", 1, 8, 1, 90, watches="hit_ratio", target=0.7, gain=15),  # GB per replica
        Actuator("tracing", 0, 50, 10, 80, watches="latency_p95", target=60, gain=0.4),  # % of requests
    ),
    exogenous=("request_rate",),
    effects={
        "replicas": ("cpu", "latency_p50", "latency_p95", "queue", "error_rate"),
        "cache": ("memory",),
        "tracing": ("cpu", "latency_p50", "latency_p95", "queue", "error_rate"),
    },
    shocks=6,
    nominal=_Constants(),
    world=_world,
    simulate=_simulate,
)


def service(rows: int = 4000, seed: int = 0, feedback: float = 0.0) -> Record:
    """A web service with replicas, caches and tracing, every minute.

    Observations: ``cpu`` (%), ``latency_p50``, ``latency_p95`` (ms), ``queue`` (requests),
    ``error_rate`` (%), ``memory`` (GB per replica), ``hit_ratio``. Actions: ``replicas``, ``cache``
    (GB per replica), ``tracing`` (% of requests). Exogenous: ``request_rate`` (1/s).

    Args:
        rows: Length of the record.
        seed: Draws the plant, its moves, its world and its noise.
        feedback: How far a move answers the state, from 0 (not at all) to 1.
    """
    return operate(SERVICE, rows, seed, feedback)
