"""AuditEvents of every kind held against FHIR R4 by HL7's own validator."""

from datetime import UTC, datetime
from typing import Any

import pytest

from adapter.access.audit_event import audit_event
from adapter.access.exchange_event import delivery_event, receipt_event
from adapter.fhir.model import FhirVersion
from adapter.store.audit import Entry, Kept
from adapter.store.received import Received
from adapter.store.told import Asked, Delivered
from tests.fhir.validator.validator import FhirValidator

NOW = datetime(2026, 3, 2, 12, 0, 0, 123456, tzinfo=UTC)
REGION = "urn:oid:1.2.752.129.2.1.4.1:SE2321000065"
#: Warnings that may stand, and because.
ALLOWED = {
    "http://hl7.org/fhir/StructureDefinition/DomainResource#dom-6": "no narrative: machines read them",
    "Terminology_TX_NoValid_13": "subtype: ISO 21089's disclose and receive; the set is extensible",
}


def entry(
    kind: str, action: str, why: str, outcome: str = "ok", what: tuple[str, ...] = ("case/abc",)
) -> Any:
    said = Entry(NOW, kind, "somebody", action, what, outcome, why, "2380", "192.0.2.7", 1)
    return audit_event(Kept(7, said, bytes(32), b"1" * 32), REGION)


def delivery(**more: Any) -> Any:
    return delivery_event(
        Delivered(7, NOW, "2380", "case/abc", 3, "t", "id", "full", "LUS 3:1", **more), REGION
    )


EVENTS = {
    "a reading": entry("staff", "read", "auditor"),
    "a search": entry("source", "search", "own municipality"),
    "an answer": entry("staff", "update", "controller", what=("Task/abc",)),
    "a failed login": entry("attempt", "login", "expired", "refused", ("door//cases",)),
    "a command that reads": entry("operator", "read: losus cases parked", "ticket 17"),
    "a command that changes": entry(
        "operator", "change: losus replay", "ticket 17", "failed", ("message/17",)
    ),
    "a job": entry("system", "change: losus settle", "scheduled", what=("settlement/due",)),
    "deliveries chained": entry("system", "deliver", "0" * 64, what=("deliveries/1-2000",)),
    "a delivery": delivery(partition=1, offset=17, chained=9),
    "a delivery at somebody's wish": delivery(asked=Asked(4, "anna", "ticket 17")),
    "a statement delivered": delivery_event(
        Delivered(8, NOW, "2380", "statement/x", 1, "t", "id", "statement", "LUS 5:1", "jamtland"), REGION
    ),
    "a receipt": receipt_event(Received(5, NOW, "ehr", "message", 200, False, "abc"), REGION),
    "a receipt that is held": receipt_event(Received(6, NOW, "ehr", "hook", 422, True), REGION),
}


@pytest.mark.parametrize("name", EVENTS)
def test_the_validator_finds_nothing_wrong(fhir_validator: FhirValidator, name: str) -> None:
    issues = fhir_validator.check(FhirVersion.R4, EVENTS[name])
    assert [one for one in issues if one.is_error] == []
    assert {one.id for one in issues if one.severity == "warning"} <= ALLOWED.keys()


def test_bites(fhir_validator: FhirValidator) -> None:
    broken = delivery() | {"outcome": "fine"}
    assert [one for one in fhir_validator.check(FhirVersion.R4, broken) if one.is_error]
