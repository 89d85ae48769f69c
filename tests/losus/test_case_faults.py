"""What the fold refuses, and that it never says the value."""

# ruff: noqa: E501 - a row of a table stands on one line where it can be read so

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from adapter.errors import LosusError, MappingError, TooLargeError
from adapter.losus.case import fold
from adapter.losus.facts import MAX_SIGNALS
from adapter.losus.process import STATUTE
from adapter.losus.signal import Fact, Signal
from adapter.losus.terms import SignalKind
from adapter.losus.versions import VersionOrder
from tests.losus.telling import JAMTLAND

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
SECRET = "19121212-1212"

# kind, fields, what the fault says, because
FAULTS: list[tuple[SignalKind, Mapping[str, Any], str, str]] = [
    (SignalKind.CRITERION_MET, {"criterion": SECRET}, "field criterion", "not one of the seven"),
    (SignalKind.CRITERION_UNMET, {}, "field criterion", "which one is not said"),
    (SignalKind.CRITERION_MET, {"criterion": [SECRET]}, "field criterion", "no text"),
    (SignalKind.PATIENT, {"municipality": SECRET}, "field municipality", "it would become a topic's name"),
    (SignalKind.PATIENT, {"municipality": "238"}, "four digits", "a länskod is no kommunkod"),
    (SignalKind.PATIENT, {"municipality": "２３８０"}, "four digits", "digits of another script"),
    (SignalKind.PATIENT, {"municipality": 2380}, "four digits", "a number loses its zeros"),
    (SignalKind.PATIENT, {"placing_municipality": "23800"}, "field placing_municipality", "five digits"),
    (SignalKind.PATIENT, {"identifiers": SECRET}, "field identifiers: must be an object", "shape"),
    (SignalKind.PATIENT, {"identifiers": [SECRET]}, "field identifiers: must be an object", "shape"),
    (SignalKind.PATIENT, {"identifiers": [{"value": 12}]}, "field value: must be a text", "shape"),
    (SignalKind.PATIENT, {"name": {"text": SECRET}}, "field name: must be a text", "shape"),
    (SignalKind.ADMITTED, {"organizations": [{"system": SECRET}]}, "field organizations: must be a text", "shape"),
    (SignalKind.ADMITTED, {"expected": SECRET}, "field expected", "no date"),
    (SignalKind.ADMITTED, {"expected": "2026-13-01"}, "field expected", "no such month"),
    (SignalKind.ADMITTED, {"expected": "2026-03"}, "field expected", "a month is no plan for a day"),
    (SignalKind.ADMITTED, {"expected": "2026-03-02T10:00:00"}, "field expected", "no offset: no instant"),
    (SignalKind.ADMITTED, {"expected": 20260302}, "field expected", "no text"),
    (SignalKind.SIP_CALLED, {"meeting_at": "2026-03"}, "field meeting_at: must be a date", "no day of a month"),
    (SignalKind.SIP_CALLED, {"meeting_at": SECRET}, "field meeting_at: must be a date", "no date"),
    (SignalKind.CARE_CONTACT_APPOINTED, {"contact": SECRET}, "field contact: must be an object", "shape"),
    (SignalKind.ADMITTED, {"care_form": SECRET}, "field care_form: literal_error", "somatic or psychiatric"),
    (SignalKind.ADMITTED, {"unit": SECRET}, "field unit: must be an object", "shape"),
    (SignalKind.ADMITTED, {"unit": {"id": [SECRET]}}, "field id: must be a text", "shape"),
    (SignalKind.ADMITTED, {"compulsory": SECRET}, "field compulsory: must be true or false", "no guess"),
    (SignalKind.CARE_CONTACT_APPOINTED, {"coordinator": "no"}, "field coordinator: must be true or false", "no guess"),
    (SignalKind.DISCHARGED, {"destination": {"text": SECRET}}, "field destination: must be a text", "shape"),
    (SignalKind.DISCHARGED, {"precision": SECRET}, "field precision: must be month or year", "nothing else is vague"),
    (SignalKind.DISCHARGED, {"precision": ["month"]}, "field precision: must be month or year", "no text"),
    (SignalKind.INTERRUPTED, {"reason": [SECRET]}, "field reason: must be a text", "shape"),
]  # fmt: skip


def folded(*signals: Signal) -> None:
    fold("c", [Fact("h", "R/1", VersionOrder(1), "1", signals)], terms=STATUTE, route={}, now=NOW)


@pytest.mark.parametrize(("kind", "fields", "says", "because"), FAULTS)
def test_fault_names_the_field(kind: SignalKind, fields: Mapping[str, Any], says: str, because: str) -> None:
    with pytest.raises(MappingError) as fault:
        folded(Signal(kind, NOW, fields))
    assert says in str(fault.value), because
    assert SECRET not in str(fault.value)
    assert fault.value.__suppress_context__ or fault.value.__context__ is None


@pytest.mark.parametrize(
    "fields", [{"contact": None}, {"contact": {}}, {"identifiers": None}, {"name": None}]
)
def test_null_is_silence(fields: Mapping[str, Any]) -> None:
    folded(Signal(SignalKind.CARE_CONTACT_APPOINTED, NOW, fields), Signal(SignalKind.PATIENT, NOW, fields))


#: What earlier releases stored: it is not said, and no later message of the person fails by it.
STORED = [
    # kind, at, fields, the state, because
    (SignalKind.ADMITTED, "9999-12-30T23:00:00+00:00", {}, "voided", "no limit can be counted from it"),
    (SignalKind.ADMITTED, "0001-01-02T00:00:00+00:00", {}, "voided", "there is no day before"),
    (SignalKind.ADMITTED, "2026-03-02T08:00:00+00:00", {"expected": "9999-12-31"}, "admitted", "never"),
    (SignalKind.ADMITTED, "2026-03-02T08:00:00+00:00", {"expected": "0001-01-01T00:00:00+14:00"}, "admitted",
     "before the first year"),
    (SignalKind.SIP_CALLED, "2026-03-02T08:00:00+00:00", {"meeting_at": "9999-12-31T23:59:59+00:00"}, None,
     "never"),
    (SignalKind.SIP_CALLED, "2026-03-02T08:00:00+00:00", {"meeting_at": "2026-03-03"}, None,
     "a date was let through, and then refused with each later message"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "when", "fields", "state", "because"), STORED)
def test_what_was_stored_once_does_no_harm(
    kind: SignalKind, when: str, fields: Mapping[str, Any], state: str | None, because: str
) -> None:
    signal = Signal(kind, datetime.fromisoformat(when), fields)
    case = fold("c", [Fact("h", "R/1", VersionOrder(1), "1", (signal,))], terms=JAMTLAND, route={}, now=NOW)
    assert case.state == state, because
    assert case.standing.expected is None
    assert case.standing.sip_meeting_at in (None, datetime(2026, 3, 2, 23, tzinfo=UTC))


def test_a_case_has_a_loud_limit() -> None:
    many = [Signal(SignalKind.READY, NOW, {"n": n}, repeats=True) for n in range(MAX_SIGNALS)]
    folded(*many)
    with pytest.raises(TooLargeError):
        folded(*many, Signal(SignalKind.READY_WITHDRAWN, NOW))


def test_every_fault_is_in_the_tree() -> None:
    assert issubclass(MappingError, LosusError)
    assert issubclass(TooLargeError, LosusError)


def test_a_signal_without_offset_names_no_instant() -> None:
    with pytest.raises(ValueError, match="naive"):
        Signal(SignalKind.READY, datetime(2026, 3, 2, 8))  # noqa: DTZ001 - that is the fault
