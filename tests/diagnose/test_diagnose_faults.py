"""Planted faults: each question finds the fault that it is for."""

from dataclasses import replace

import numpy as np

from tslam.diagnose.capacity import capacity, codebook_use
from tslam.diagnose.probes import excitation, exogenous_probe
from tslam.diagnose.scene import cycle_consistency, scene_cut
from tslam.diagnose.steps import past_future, time_alignment
from tslam.diagnose.subject import Subject

ROWS, CHAN, ACT = 4000, 8, 2


def _subject(seed: int = 0, *, noise: float = 0.1, latents: int = ACT) -> tuple[Subject, np.ndarray]:
    """A linear one-step model of o' = .8 o + B a + e that is right, and the actions."""
    rng = np.random.default_rng(seed)
    B = rng.normal(size=(CHAN, ACT))
    X, a = rng.normal(size=(ROWS, CHAN)), rng.normal(size=(ROWS, ACT))
    Y = 0.8 * X + a @ B.T + noise * rng.normal(size=(ROWS, CHAN))
    U = np.linalg.svd(np.column_stack([B, rng.normal(size=(CHAN, CHAN - ACT))]))[0][:, :latents]
    if latents == ACT:
        U = np.linalg.qr(B)[0]

    def read(X: np.ndarray, Y: np.ndarray) -> np.ndarray:
        return (Y - 0.8 * X) @ U

    def apply(X: np.ndarray, z: np.ndarray) -> np.ndarray:
        return 0.8 * X + z @ U.T

    follows = np.arange(ROWS) > 0
    return Subject(X, Y, X, 0.8 * X, read(X, Y), follows, Y - 0.8 * X, read, apply), a


def _rng() -> np.random.Generator:
    return np.random.default_rng(7)


def test_a_latent_that_carries_the_next_sample_does_not_mind_a_cut() -> None:
    sound, _ = _subject()
    found = scene_cut(sound, _rng())
    assert found.ratio > 10
    assert found.explained < 0.6

    def read(_: np.ndarray, Y: np.ndarray) -> np.ndarray:
        return Y

    leaky = replace(sound, z=sound.Y, read=read, apply=lambda _, z: z + 0.01)
    found = scene_cut(leaky, _rng())
    assert found.ratio < 1.1
    assert found.explained > 0.99
    assert "next sample itself" in found.reading


def test_a_latent_that_depends_on_its_place_does_not_survive_a_cycle() -> None:
    sound, _ = _subject()
    assert cycle_consistency(sound, _rng()).ratio < 1.001

    def read(X: np.ndarray, Y: np.ndarray) -> np.ndarray:
        return sound.read(X, Y) + X[:, :ACT]  # z hangs on the scene, and nothing takes that out again

    odd = replace(sound, read=read, z=read(sound.X, sound.Y))
    found = cycle_consistency(odd, _rng())
    assert found.ratio > 1.5
    assert "something else" in found.reading


def test_an_off_by_one_is_found_in_either_direction() -> None:
    sound, _ = _subject()
    assert time_alignment(sound, _rng()).peak == 0
    for shift in (1, -1):
        found = time_alignment(replace(sound, z=np.roll(sound.z, shift, axis=0)), _rng())
        assert found.peak == -shift
        assert "shifted" in found.reading
    noise = replace(sound, z=np.random.default_rng(1).normal(size=sound.z.shape))
    assert "no step more than chance" in time_alignment(noise, _rng()).reading


def test_the_knee_of_capacity_is_the_number_of_actions() -> None:
    found = capacity(_subject()[0], _rng())
    assert found.knee == ACT
    assert all(a >= b for a, b in zip(found.errors, found.errors[1:], strict=False))
    assert found.errors[-1] < 1e-9


def test_a_collapsed_codebook_is_told_from_one_in_use() -> None:
    sound, _ = _subject()
    used = replace(sound, codes=np.random.default_rng(0).integers(0, 8, (ROWS, 2)), codebook=8)
    found = codebook_use(used)
    assert found is not None
    assert min(found.perplexity) > 7.5
    dead = codebook_use(replace(used, codes=np.zeros((ROWS, 1), int)))
    assert dead is not None
    assert dead.perplexity == (1.0,)
    assert "collapsed" in dead.reading


def test_a_latent_of_the_outside_is_told_from_one_of_actions() -> None:
    sound, a = _subject()
    assert "some of the outside" in exogenous_probe(sound, "wind", a[:, 0], _rng()).reading
    other = np.random.default_rng(5).normal(size=ROWS)
    found = exogenous_probe(sound, "wind", other, _rng())
    assert found.gain < 0.01
    assert "no more than chance" in found.reading
    assert exogenous_probe(sound, "predicted", sound.X[:, 0], _rng()).gain < 0.01


def test_actions_that_follow_and_actions_that_rest_are_told() -> None:
    sound, a = _subject()
    actions = {"free": a[:, :1], "feedback": sound.X[:, :1] * 2 + 1, "still": np.ones((ROWS, 1))}
    free, feedback, still = excitation(sound.X, actions, sound.follows)
    assert free.free > 0.95
    assert feedback.free < 0.01
    assert "follows" in feedback.reading
    assert (still.moves, still.free) == (0, 0.0)
    assert "cannot be known" in still.reading


def test_likeness_of_neighbouring_steps() -> None:
    sound, _ = _subject()
    assert abs(past_future(sound, _rng()).similarity) < 0.1
    held = replace(sound, z=np.repeat(sound.z[:: ROWS // 40], ROWS // 40, axis=0)[:ROWS])
    found = past_future(held, _rng())
    assert found.similarity > 0.9
    assert "alike" in found.reading
