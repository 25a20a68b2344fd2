"""What should have been logged: one action on the system, as an event that a team's bus takes."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Self
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

from pydantic import AwareDatetime, Field, FiniteFloat, model_validator

from tslam.contract.frozen import Frozen
from tslam.contract.latents import is_latent_name
from tslam.errors import ContractError

__all__ = ["ActionEvent", "ActionKind", "Outcome", "Result"]

Value = str | bool | FiniteFloat | None

_CDEVENTS = {
    "deploy": ("service", "deployed"),
    "upgrade": ("service", "upgraded"),
    "rollback": ("service", "rolledback"),
    "remove": ("service", "removed"),
}
_CDEVENTS_VERSION = "0.3.0"
"""Version of the service events in CDEvents 0.5."""

_SEVERITY = {
    "done": (9, "INFO"),
    "refused": (13, "WARN"),
    "failed": (17, "ERROR"),
    "rolled_back": (13, "WARN"),
}


class ActionKind(StrEnum):
    """What an event says about the value of an action."""

    SET = "set"
    START = "start"
    END = "end"
    PULSE = "pulse"


class Result(StrEnum):
    """How an action went."""

    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"


class Outcome(Frozen):
    """How an action went, and when that was known."""

    result: Result
    time: AwareDatetime = Field(description="When it was done, refused, failed or rolled back")
    message: str | None = Field(None, description="Why, in words")


class ActionEvent(Frozen):
    """One action on the system: who moved what, from where to where, and how it went.

    Raises:
        ContractError: a field is unknown, missing or of the wrong type, the value that was set is not
            given, or the action is called like an inferred latent.
    """

    time: AwareDatetime = Field(description="When the action was asked for, with its offset from UTC")
    action: str = Field(
        min_length=1, description="Column of the contract that it moves", examples=["valve_2"]
    )
    kind: ActionKind = Field(ActionKind.SET, description="set, start and end of a hold, or pulse")
    before: Value = Field(None, description="Value until then, where it is known")
    after: Value = Field(None, description="Value from then on; for a pulse its size")
    unit: str | None = Field(None, description="Unit of the values", examples=["%"])
    series: str | None = Field(
        None, description="Which unit, machine or service, as the series column has it"
    )
    actor: str | None = Field(None, description="Who or what acted", examples=["operator:7", "autoscaler"])
    target: str | None = Field(None, description="What was acted on", examples=["pump P-101"])
    reason: str | None = Field(None, description="Why, in words")
    correlation_id: str | None = Field(None, description="What ties it to a ticket, a change or a trace")
    source: str = Field("urn:tslam", min_length=1, description="What wrote the event, as a URI reference")
    operation: str | None = Field(
        None, description="deploy, upgrade, rollback or remove, where it is one of these"
    )
    outcome: Outcome | None = Field(None, description="How it went, where that is known")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if is_latent_name(self.action):
            raise ContractError(
                f"An action event for {self.action!r}: inferred latents are no actions that anybody did. "
                "Name the action that was done."
            )
        if self.kind is ActionKind.SET and self.after is None:
            raise ContractError(
                f"The event sets {self.action!r} and does not say to what. Give after, or the kind start, "
                "end or pulse."
            )
        if self.outcome is not None and self.outcome.time < self.time:
            raise ContractError(
                f"The outcome of {self.action!r} at {self.outcome.time.isoformat()} comes before the action "
                f"at {self.time.isoformat()}. Correct the clocks."
            )
        return self

    @property
    def identity(self) -> str:
        """The same for the same event, so that a bus can drop what is delivered twice."""
        said = self.model_dump_json(exclude={"outcome"})
        return str(uuid5(NAMESPACE_URL, said))

    def to_cloudevent(self) -> dict[str, Any]:
        """The event as CloudEvents 1.0 in JSON, with a CDEvents type where there is one.

        Deployments, upgrades, rollbacks and removals have types of their own in CDEvents 0.5, which say that
        they happened; all other actions, and those that were refused, failed or rolled back, get the custom
        type ``dev.cdeventsx.tslam-action.changed``.

        Source: https://cdevents.dev, CloudEvents binding; https://cloudevents.io, JSON format.
        """
        happened = self.outcome is None or self.outcome.result is Result.DONE
        known = _CDEVENTS.get(self.operation or "") if happened else None
        subject, predicate = known or ("tslam-action", "changed")
        prefix = "dev.cdevents" if known else "dev.cdeventsx"
        kind = f"{prefix}.{subject}.{predicate}.{_CDEVENTS_VERSION if known else '0.1.0'}"
        stamp, identity = _stamp(self.time), self.identity
        subject_id = self.target or self.action
        content: dict[str, Any] = {"environment": {"id": self.series or "default"}} if known else {}
        if known and predicate != "removed":
            version = quote(str(self.after), safe="")
            content["artifactId"] = f"pkg:generic/{quote(subject_id)}@{version}"
        context = {
            "specversion": "0.5.0", "id": identity, "source": self.source, "type": kind, "timestamp": stamp,
        }  # fmt: skip
        return {
            "specversion": "1.0",
            "id": identity,
            "source": self.source,
            "type": kind,
            "subject": subject_id,
            "time": stamp,
            "datacontenttype": "application/json",
            "data": {
                "context": context,
                "subject": {"id": subject_id, "source": self.source, "content": content},
                "customDataContentType": "application/json",
                "customData": self.model_dump(mode="json", exclude_none=True),
            },
        }

    def to_otel(self) -> dict[str, Any]:
        """The event as an OpenTelemetry log record (OTLP in JSON) called ``tslam.action``.

        Source: OpenTelemetry protocol, ``LogRecord``.
        """
        value = "" if self.after is None else f" {self.after}"
        number, text = _SEVERITY[self.outcome.result.value if self.outcome else "done"]
        said = _flat(self.model_dump(mode="json", exclude_none=True, exclude={"time"}))
        return {
            "timeUnixNano": str(_nanoseconds(self.time)),
            "severityNumber": number,
            "severityText": text,
            "eventName": "tslam.action",
            "body": {"stringValue": f"{self.action} {self.kind.value}{value}"},
            "attributes": [
                {"key": f"tslam.action.{key}", "value": _any(found)} for key, found in said.items()
            ],
        }

    @classmethod
    def from_cloudevent(cls, event: Mapping[str, Any] | str) -> Self:
        """The event that ``to_cloudevent`` wrote.

        Raises:
            ContractError: this is no such event.
        """
        try:
            data = json.loads(event) if isinstance(event, str) else event
            said = data["data"]["customData"]
        except (ValueError, KeyError, TypeError) as found:
            raise ContractError(
                f"This is not a CloudEvent of an action ({found!r}). Give what "
                "ActionEvent.to_cloudevent wrote."
            ) from found
        return cls.model_validate(said)


def _stamp(time: datetime) -> str:
    return time.isoformat().replace("+00:00", "Z")


def _nanoseconds(time: datetime) -> int:
    since = time - datetime.fromtimestamp(0, UTC)
    return ((since.days * 86400 + since.seconds) * 1_000_000 + since.microseconds) * 1000


def _flat(said: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in said.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return flat


def _any(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    return {"stringValue": value} if isinstance(value, str) else {"doubleValue": float(value)}
