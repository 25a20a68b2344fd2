"""Action events: what should have been logged, in the shapes that buses take."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from referencing import Registry, Resource

from tslam.contract.event import ActionEvent, Outcome
from tslam.contract.schema import event_text
from tslam.errors import ContractError

AT = datetime(2026, 3, 1, 12, 0, 0, 250000, tzinfo=UTC)


def event(**more: Any) -> ActionEvent:
    return ActionEvent(**({"time": AT, "action": "valve_2", "after": 40.0, "actor": "operator:7"} | more))


def test_an_event_comes_back_from_the_bus_as_it_was_sent() -> None:
    outcome = Outcome(result="rolled_back", time=AT + timedelta(minutes=3), message="too hot")
    sent = event(before=True, unit="%", outcome=outcome)
    wired = json.dumps(sent.to_cloudevent())
    assert ActionEvent.from_cloudevent(wired) == sent
    jsonschema.Draft202012Validator(json.loads(event_text())).validate(json.loads(sent.model_dump_json()))
    assert json.loads(wired)["type"] == "dev.cdeventsx.tslam-action.changed.0.1.0"
    assert json.loads(wired)["time"] == "2026-03-01T12:00:00.250000Z"


def test_an_outcome_that_comes_later_belongs_to_the_same_event() -> None:
    done = Outcome(result="done", time=AT)
    assert event().identity == event(outcome=done).identity != event(after=41.0).identity


@pytest.mark.parametrize("operation", ["deploy", "upgrade", "rollback", "remove"])
def test_what_cdevents_has_a_type_for_gets_it(operation: str) -> None:
    sent = event(operation=operation, after="1.2", target="web").to_cloudevent()
    assert sent["type"].startswith("dev.cdevents.service.")
    assert sent["data"]["subject"]["id"] == "web"
    assert ("artifactId" in sent["data"]["subject"]["content"]) == (operation != "remove")


@pytest.mark.parametrize("result", ["refused", "failed", "rolled_back"])
def test_what_did_not_happen_is_not_said_to_have(result: str) -> None:
    sent = event(operation="deploy", outcome=Outcome(result=result, time=AT)).to_cloudevent()
    assert sent["type"] == "dev.cdeventsx.tslam-action.changed.0.1.0"


def test_an_artifact_is_named_as_a_package_url() -> None:
    sent = event(operation="deploy", after="1.2@beta", target="pump P-101").to_cloudevent()
    assert sent["data"]["subject"]["content"]["artifactId"] == "pkg:generic/pump%20P-101@1.2%40beta"


@pytest.mark.standards
@pytest.mark.parametrize("operation", ["deploy", "upgrade", "rollback", "remove", None])
def test_events_meet_the_published_schemas(operation: str | None) -> None:
    folder = os.environ.get("TSLAM_CDEVENTS")
    if not folder or not Path(folder).is_dir():
        pytest.skip("TSLAM_CDEVENTS names no checkout of the specification: make standards fetches one")
    known = [json.loads(path.read_text()) for path in Path(folder).rglob("*.json")]
    resources = [(own["$id"], Resource.from_contents(own)) for own in known if "$id" in own]
    sent = event(operation=operation, after="1.2", target="web").to_cloudevent()
    subject = sent["type"].split(".")[2:4]
    wanted = "-".join([*subject, "event"]) if operation else "custom"
    (schema,) = (own for own in known if own.get("$id", "").endswith(f"0.5.0/schema/{wanted}"))
    jsonschema.Draft202012Validator(schema, registry=Registry().with_resources(resources)).validate(
        sent["data"]
    )


def test_a_log_record_carries_every_field() -> None:
    record = event(kind="pulse", after=True, outcome=Outcome(result="failed", time=AT)).to_otel()
    assert record["timeUnixNano"] == "1772366400250000000"
    assert (record["eventName"], record["severityText"]) == ("tslam.action", "ERROR")
    said = {own["key"]: own["value"] for own in record["attributes"]}
    assert said["tslam.action.after"] == {"boolValue": True}
    assert said["tslam.action.outcome.result"] == {"stringValue": "failed"}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"action": "latent_0"}, "inferred latents are no actions"),
        ({"after": None}, "does not say to what"),
        ({"time": AT.replace(tzinfo=None)}, "time: .*timezone"),
        ({"outcome": Outcome(result="done", time=AT - timedelta(1))}, "comes before the action"),
        ({"aftr": 1}, "did you mean 'after'"),
    ],
)
def test_what_is_no_event_is_refused(more: dict[str, Any], said: str) -> None:
    with pytest.raises(ContractError, match=said):
        event(**more)


@pytest.mark.parametrize("text", ["{", "{}", "[]", '{"data": 3}'])
def test_what_is_no_cloudevent_of_an_action_is_refused(text: str) -> None:
    with pytest.raises(ContractError, match="not a CloudEvent of an action"):
        ActionEvent.from_cloudevent(text)
