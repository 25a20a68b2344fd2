"""All the ways to ask for a latent that nobody validated: every one raises, and says what is missing."""

import copy
import json
import logging
import pickle
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from guarded_cases import HIDDEN, alignment, bare, certified, goal, labelled, log

import tslam
from tslam.align.alignment import Alignment
from tslam.align.certificate import Certificate, Check, Level, Validation
from tslam.errors import AlignmentError, ContractError, RoleError, TslamError, UnvalidatedLatentError
from tslam.plan.guard import Override
from tslam.plants.plant import TIME

STEPS = 4
PERSON = Override(by="me", reason="because I say so")


def _plan(model: tslam.LatentActionModel, **asked: Any) -> Any:
    return model.plan(log(), goal(), STEPS, **({"using": ["latent_0"]} | asked))


def _holding(changed: Alignment) -> tslam.LatentActionModel:
    """A model that was made to hold an alignment past the front door."""
    return tslam.LatentActionModel(replace(bare()._fitted, alignments=(changed,)))


def _certificate(**changed: Any) -> Alignment:
    return replace(alignment(), certificate=alignment().certificate.model_copy(update=changed))


def _pickled(model: tslam.LatentActionModel) -> Any:
    return pickle.loads(pickle.dumps(model))


class GenerousCertificate(Certificate):
    """A certificate that says yes."""

    @property
    def level(self) -> Level:
        return Level.INTERVENTIONAL

    def missing(self) -> tuple[str, ...]:
        return ()

    @property
    def intact(self) -> bool:
        return True


class GenerousAlignment(Alignment):
    """An alignment that says yes."""


class GenerousOverride(Override):
    """An override without a reason of its own."""


class GenerousModel(tslam.LatentActionModel):
    """A model that says yes."""

    @property
    def certified(self) -> bool:
        return True


def _generous() -> Alignment:
    fields = alignment(tested=False).certificate.model_dump()
    return replace(alignment(tested=False), certificate=GenerousCertificate(**fields).sealed())


def _subclassed() -> Alignment:
    own = alignment()
    return GenerousAlignment(own.action, own.reader, own.decoder, own.tied, own.certificate)


def _written(path: Path, edit: Callable[[dict[str, Any]], None]) -> tslam.LatentActionModel:
    """A model saved with a certificate that does not suffice, edited on disk, and loaded."""
    bare().with_alignment(alignment(tested=False)).save(path)
    facts = json.loads((path / "model.json").read_text())
    edit(facts["alignments"][0]["certificate"])
    (path / "model.json").write_text(json.dumps(facts))
    return tslam.load(path)


def _constructed() -> Certificate:
    return Certificate.model_construct(**vars(alignment().certificate) | {"labels": 99})


def _expired() -> tslam.LatentActionModel:
    tested, long_ago = alignment().certificate.experiment, timedelta(days=-1)
    return bare().with_alignment(bare().align(labelled(), HIDDEN, experiment=tested, valid_for=long_ago))


def _tampered_numbers() -> Alignment:
    own = alignment()
    assert own.tied is not None
    return replace(own, tied=replace(own.tied, unit=2 * own.tied.unit))


def _tampered_effects() -> Alignment:
    own = alignment()
    assert own.driven is not None
    return replace(own, driven=replace(own.driven, sd=2 * own.driven.sd))


def _untested() -> tslam.LatentActionModel:
    return bare().with_alignment(alignment(tested=False))


WAYS: dict[str, Callable[[], Any]] = {
    "by name": lambda: _plan(bare()),
    "by one name, not a list": lambda: _plan(bare(), using="latent_0"),
    "several": lambda: _plan(bare(), using=["latent_0", "latent_1"]),
    "by the action's name": lambda: _plan(bare(), using=[HIDDEN]),
    "as a logged action": lambda: _plan(bare(), using=(), actions=["latent_0"]),
    "through its limits": lambda: _plan(bare(), using=(), limits={"latent_0": {"low": 0.0}}),
    "as a goal": lambda: bare().plan(log(), {"latent_0": 1.0}, STEPS),
    "in a rollout": lambda: bare().rollout(log(), STEPS, actions={"latent_0": 1.0}),
    "in a rollout, as exogenous": lambda: bare().rollout(log(), STEPS, exog={"latent_0": 1.0}),
    "in a rollout, by a frame": lambda: bare().rollout(log(), STEPS, actions=bare().infer(log())),
    "in a replay": lambda: bare().replay(log(), start=log()[TIME][100], actions={"latent_0": None}),
    "another latent of a certified model": lambda: _plan(certified(), using=["latent_7"]),
    "one that is certified, one that is not": lambda: _plan(certified(), using=[HIDDEN, "latent_7"]),
    "without an experiment": lambda: _plan(bare().with_alignment(alignment(tested=False))),
    "with the other method": lambda: _plan(bare(), method="mppi"),
    "a subclass of the model": lambda: _plan(GenerousModel(bare()._fitted)),
    "a subclass of the certificate": lambda: _plan(_holding(_generous())),
    "a subclass of the alignment": lambda: _plan(_holding(_subclassed())),
    "a changed certificate": lambda: _plan(_holding(_certificate(labels=999))),
    "a certificate with an experiment written in": lambda: _plan(
        _holding(
            replace(
                alignment(tested=False),
                certificate=alignment(tested=False).certificate.model_copy(
                    update={"experiment": alignment().certificate.experiment, "moves": 99}
                ),
            )
        )
    ),
    "a certificate built past its checks": lambda: _plan(
        _holding(
            replace(alignment(tested=False), certificate=_constructed())
        )
    ),
    "a certificate of another model": lambda: _plan(_holding(_certificate(model="0" * 64))),
    "other numbers under the same certificate": lambda: _plan(_holding(_tampered_numbers())),
    "other effects under the same certificate": lambda: _plan(_holding(_tampered_effects())),
    "effects left out under the same certificate": lambda: _plan(_holding(replace(alignment(), driven=None))),
    "as exogenous": lambda: _plan(bare(), using=(), exog={"latent_0": 0.0}),
    "as exogenous, by a frame": lambda: _plan(bare(), using=(), exog=bare().infer(log()).tail(STEPS)),
    "by a name of another kind": lambda: _plan(_untested(), using={"latent_0"}),
    "by another spelling": lambda: _plan(_untested(), using=["LATENT_0"]),
    "by no name": lambda: _plan(_untested(), using=""),
    "aligned and copied deeply": lambda: _plan(copy.deepcopy(_untested())),
    "aligned and pickled": lambda: _plan(_pickled(_untested())),
    "withdrawn": lambda: _plan(
        _holding(replace(alignment(), certificate=alignment().certificate.withdraw("it drifted")))
    ),
    "expired": lambda: _plan(_expired()),
    "copied": lambda: _plan(copy.copy(bare())),
    "copied deeply": lambda: _plan(copy.deepcopy(bare())),
    "pickled": lambda: _plan(_pickled(bare())),
    "pickled with a changed certificate": lambda: _plan(_pickled(_holding(_certificate(labels=999)))),
    "a yes for an override": lambda: _plan(bare().with_alignment(alignment(tested=False)), override=True),
    "a mapping for an override": lambda: _plan(
        bare().with_alignment(alignment(tested=False)), override={"by": "me", "reason": "because I say so"}
    ),
    "a subclass of the override": lambda: _plan(
        bare().with_alignment(alignment(tested=False)),
        override=GenerousOverride(by="me", reason="because I say so"),
    ),
    "an override of nothing at all": lambda: _plan(bare(), override=PERSON),
    "an override of a changed certificate": lambda: _plan(
        _holding(_certificate(labels=999)), override=PERSON
    ),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_the_latent_is_refused(way: str) -> None:
    with pytest.raises(UnvalidatedLatentError):
        WAYS[way]()


@pytest.mark.parametrize("model", [certified, _untested])
def test_an_aligned_action_is_no_logged_one(model: Callable[[], tslam.LatentActionModel]) -> None:
    with pytest.raises(RoleError):
        _plan(model(), using=(), actions=[HIDDEN])
    with pytest.raises(RoleError):
        _plan(model(), using=(), limits={HIDDEN: {"low": 0.0}})
    with pytest.raises(RoleError):
        model().rollout(log(), STEPS, actions={HIDDEN: 1.0})
    with pytest.raises(RoleError):
        model().replay(log(), start=log()[TIME][100], actions={HIDDEN: 1.0})


def test_what_was_read_cannot_be_logged() -> None:
    read = _untested().decode(log(), HIDDEN).drop_nulls().join(log(), on=TIME)
    with pytest.raises(RoleError, match="nobody logged"):
        tslam.fit(read, actions=[f"{HIDDEN}_inferred"], time=TIME)


@pytest.mark.parametrize(
    "edit",
    [
        lambda c: c.update(moves=99, experiment={"by": "me", "reason": "none", "start": 0.0, "end": 1.0}),
        lambda c: c["validation"].update(low=0.99),
        lambda c: c.update(seal="0" * 64),
        lambda c: c.update(expires="2099-01-01T00:00:00"),
        lambda c: c.update(drift=[], use=None, misread=None, changes=None),
    ],
)
def test_edited_on_disk_it_is_refused(tmp_path: Path, edit: Callable[[dict[str, Any]], None]) -> None:
    with pytest.raises(UnvalidatedLatentError):
        _plan(_written(tmp_path / "model", edit))


def test_loaded_from_disk_or_mlflow_it_is_refused(tmp_path: Path) -> None:
    import mlflow

    model = bare().with_alignment(alignment(tested=False))
    model.save(tmp_path / "model")
    with pytest.raises(UnvalidatedLatentError):
        _plan(tslam.load(tmp_path / "model"))
    from tslam.tracking.pyfunc import save_pyfunc

    save_pyfunc(tmp_path / "model", tmp_path / "served", contract=model.contract)
    served = mlflow.pyfunc.load_model(str(tmp_path / "served")).unwrap_python_model()
    with pytest.raises(UnvalidatedLatentError):
        _plan(served._model)


def test_no_configuration_and_no_contract_names_a_latent() -> None:
    with pytest.raises((ValueError, TypeError)):
        tslam.FitConfig.model_validate({"trust_latents": True})
    with pytest.raises(RoleError, match="reserved"):
        tslam.fit(bare().infer(log()).drop_nulls().join(log(), on=TIME), actions=["latent_0"], time=TIME)


@pytest.mark.parametrize(
    "given", [{"by": "", "reason": "because I say so"}, {"by": "me", "reason": "trust me"}, {}]
)
def test_an_override_takes_a_person_and_a_reason(given: dict[str, str]) -> None:
    with pytest.raises(ContractError):
        Override(**given)


def test_the_refusal_names_what_is_missing() -> None:
    with pytest.raises(UnvalidatedLatentError, match="logged experiment"):
        _plan(bare().with_alignment(alignment(tested=False)))
    with pytest.raises(UnvalidatedLatentError, match="from labels"):
        _plan(bare())


def test_outside_the_regime_it_is_refused() -> None:
    name = next(iter(goal()))
    beyond = log().with_columns((log()[name] + 20.0 * log()[name].std()).alias(name))
    with pytest.raises(UnvalidatedLatentError, match="reached"):
        certified().plan(beyond, {name: float(beyond[name].mean())}, STEPS, using=["latent_0"])


def test_on_a_plant_that_has_changed_it_is_refused() -> None:
    name = bare().contract.actions[0]
    changed = log().with_columns(log()[name] / 2.0)
    with pytest.raises(UnvalidatedLatentError, match=f"as if '{name}' did about 2 times"):
        certified().plan(changed, goal(), STEPS, using=["latent_0"])


def test_a_changed_certificate_does_not_come_in_by_the_front_door() -> None:
    with pytest.raises(AlignmentError):
        bare().with_alignment(_certificate(labels=999))


def test_certified_it_is_used_and_said() -> None:
    out = _plan(certified())
    assert HIDDEN in out.columns
    span = alignment().certificate.range
    assert span is not None
    assert out[HIDDEN].is_between(span.low, span.high).all()
    assert "certificate interventional" in out["assumes"][0]
    assert _plan(_pickled(certified())).equals(out)


def test_certified_and_loaded_it_is_used(tmp_path: Path) -> None:
    certified().save(tmp_path / "model")
    assert _plan(tslam.load(tmp_path / "model")).equals(_plan(certified()))


def test_an_override_is_logged_and_stands_on_every_row(caplog: pytest.LogCaptureFixture) -> None:
    model = bare().with_alignment(alignment(tested=False))
    with caplog.at_level(logging.WARNING, "tslam.plan"):
        out = _plan(
            model, override=Override(by="A. Person", reason="the plant is off line, nothing can happen")
        )
    assert out["assumes"].str.contains("OVERRIDE by A. Person: the plant is off line").all()
    assert out["assumes"].str.contains("NOT VALIDATED").all()
    assert "A. Person overrides the guard" in caplog.text


def test_every_refusal_is_one_of_tslams_own() -> None:
    assert issubclass(UnvalidatedLatentError, TslamError)


def test_the_level_follows_from_the_evidence() -> None:
    best = alignment().certificate
    assert best.level is Level.INTERVENTIONAL
    worse: dict[Level, dict[str, Any]] = {
        Level.PREDICTIVE: {"moves": 3},
        Level.CORRELATIONAL: {"checks": (Check(name="sign", passed=False, reading="against it"),)},
        Level.NONE: {
            "validation": Validation(measure="r2", value=0.4, low=0.1, high=0.6, labels=9, later=True)
        },
    }
    for level, change in worse.items():
        assert best.model_copy(update=change).level is level
