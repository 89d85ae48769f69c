"""Who a person is at a time: which name, address and number the shipped mappings read, and since when."""

# ruff: noqa: E501 - a row of a table stands on one line where it can be read so

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from adapter.losus.process import STATUTE
from adapter.losus.signal import Signal
from adapter.losus.terms import SignalKind
from adapter.mapping.engine import Mapping, Message
from adapter.mapping.fhirpath.expression import Expression
from adapter.mapping.load import default_folder, load_mapping
from adapter.mapping.rehearsal import rehearse
from tests.mapping.writing import START, alone, encounter, mapping, read, rule

FOLDER = default_folder()
NOW = datetime(2024, 6, 1, tzinfo=UTC)
KOMMUNKOD = "https://losus-adapter.se/fhir/StructureDefinition/kommunkod"
PNR = "http://electronichealth.se/identifier/personnummer"
REGISTERED = {"url": "urn:type", "valueCodeableConcept": {"coding": [{"code": "63381000052101"}]}}
SWEDISH = ["losus-r4", "hl7-r4", "hl7-r5"]


def shipped(name: str) -> Mapping:
    return load_mapping(FOLDER / f"{name}.yaml")


def patient(**more: Any) -> dict[str, Any]:
    """A record of the 4th of March 2024."""
    return {"resourceType": "Patient", "id": "p", "meta": {"lastUpdated": "2024-03-04T14:25:00+01:00"}} | more


def lives(code: str, use: str | None = None, *, registered: bool = False, **period: str) -> dict[str, Any]:
    where: dict[str, Any] = {
        "city": code,
        "extension": [
            {"url": KOMMUNKOD, "valueCoding": {"system": "urn:oid:1.2.752.129.2.2.1.17", "code": code}}
        ],
    }
    where["extension"] += [REGISTERED] if registered else []
    return where | ({"use": use} if use else {}) | ({"period": period} if period else {})


def said(name: str, resource: dict[str, Any]) -> Signal:
    (signal,) = read(shipped(name), resource).fact.signals
    return signal


# addresses, municipality, because
ADDRESSES = [
    ([lives("2309", "home", end="2020-01-01"), lives("2380", "home")], "2380", "case 02: the first is over"),
    ([lives("2309", "old"), lives("2380", "home")], "2380", "R4 address-use: old"),
    ([lives("2309", "old")], None, "never what is old, though there is no other"),
    ([lives("2309", "home", end="2024-03-04"), lives("2380")], "2309", "on its last day it still is"),
    ([lives("2309", "home", end="2024-03-03"), lives("2380")], "2380", "the day after it is not"),
    ([lives("2309", "home", start="2024-03-05"), lives("2380")], "2380", "not yet"),
    ([lives("2309", "home"), lives("2380", "home", start="2023-01-01")], "2380", "of equals the one that began last"),
    ([lives("2309", "home"), lives("2380", registered=True)], "2380", "folkbokföring before home"),
    ([lives("2309"), lives("2380", "home")], "2380", "home before no use"),
    ([lives("2309", "temp"), lives("2380")], "2380", "no use before temp"),
    ([lives("2309", "temp")], "2309", "temp, where there is no other"),
    ([lives("2309", "work"), lives("2380", "temp")], "2380", "never where somebody works"),
    ([lives("2309", "work")], None, "never, though there is no other"),
    ([lives("2309", "billing"), lives("2380", "temp")], "2380", "never where somebody is billed"),
    ([lives("2309", "billing", registered=True)], None, "never"),
    ([lives("2309", "home", end="2020", registered=True), lives("2380", "temp")], "2380", "folkbokföring that is over"),
    ([], None, "none given"),
]  # fmt: skip


@pytest.mark.parametrize("name", SWEDISH)
@pytest.mark.parametrize(("addresses", "expected", "because"), ADDRESSES)
def test_the_address(name: str, addresses: list[dict[str, Any]], expected: str | None, because: str) -> None:
    fields = said(name, patient(address=addresses)).fields
    assert fields.get("municipality") == expected, because
    assert (fields.get("address") or None) == expected


NAMES = [
    # names, name, because
    ([{"use": "old", "text": "A"}, {"text": "B"}], "B", "R4 name-use: old"),
    ([{"text": "A", "period": {"end": "2020"}}, {"text": "B"}], "B", "it is over"),
    ([{"use": "usual", "text": "A"}, {"use": "official", "text": "B"}], "B", "official before usual"),
    ([{"text": "A"}, {"use": "usual", "text": "B"}], "B", "usual before no use"),
    ([{"use": "temp", "text": "A"}, {"text": "B"}], "B", "no use before temp"),
    ([{"use": "temp", "text": "A"}], "A", "temp, where there is no other"),
    ([{"use": "maiden", "text": "A"}], None, "never the name before marriage"),
    ([{"use": "nickname", "text": "A"}], None, "never a nickname"),
    ([{"use": "anonymous", "text": "A"}], None, "never an anonymous name"),
]


@pytest.mark.parametrize("name", [*SWEDISH, "davinci-alerts"])
@pytest.mark.parametrize(("names", "expected", "because"), NAMES)
def test_the_name(name: str, names: list[dict[str, Any]], expected: str | None, because: str) -> None:
    assert (said(name, patient(name=names)).fields.get("name") or None) == expected, because


@pytest.mark.parametrize("name", [*SWEDISH, "davinci-alerts"])
def test_an_old_number_beside_the_official_one(name: str) -> None:
    """Case 13: R4 identifier-use."""
    numbers = [
        {"use": "old", "system": PNR, "value": "198507099805"},
        {"use": "official", "system": PNR, "value": "191212121212"},
        {"system": PNR, "value": "195206172339", "period": {"end": "2019"}},
    ]
    fields = said(name, patient(identifier=numbers)).fields
    assert fields["identifiers"] == [{"system": PNR, "value": "191212121212"}]


def test_the_address_of_an_american() -> None:
    addresses = [{"use": "billing", "city": "A"}, {"use": "home", "city": "B", "period": {"end": "2020"}}]
    assert not said("davinci-alerts", patient(address=addresses)).fields.get("address")
    addresses += [{"use": "temp", "city": "C"}, {"city": "D"}]
    assert said("davinci-alerts", patient(address=addresses)).fields["address"] == "D"


def test_the_name_and_address_of_a_dane() -> None:
    path = FOLDER / "examples" / "medcom-hospitalnotification" / "01-stin.json"
    message = json.loads(path.read_bytes())
    (citizen,) = [e["resource"] for e in message["entry"] if e["resource"]["resourceType"] == "Patient"]
    (name,) = citizen["name"]
    citizen["name"] = [{"use": "old", "family": "Gammel"}, name]
    citizen["address"] = [
        {"use": "work", "city": "Arbejde"},
        {"use": "home", "city": "Hjem", "period": {"start": "2020"}},
        {"use": "home", "city": "Fraflyttet", "period": {"end": "2023-02-28"}},
    ]
    rehearsal = rehearse(shipped("medcom-hospitalnotification"), [message], NOW)
    (case,) = rehearsal.cases(STATUTE, NOW).values()
    assert case.person.name == " ".join([*name["given"], name["family"]])
    assert case.person.address == "Hjem"


def stretches(signal: Signal, field: str) -> list[tuple[str | None, Any, bool]]:
    return [
        (None if one.start is None else one.start.isoformat()[:16], one.fields.get(field), field in one.dated)
        for one in signal.stretches
    ]


MARCH, MAY = "2024-02-29T23:00", "2024-04-30T22:00"
# addresses, what is said over time: since when, municipality, whether by a period; because
OVER_TIME = [
    ([lives("2380", "home")], [], "nothing is dated"),
    ([lives("2309", "old"), lives("2380", "home")], [], "nothing begins or ends"),
    ([lives("2309", "home", end="2024-04-30"), lives("2380", "home", start="2024-05-01")], [(None, "2309", True), (MAY, "2380", True)], "a move to come"),
    ([lives("2309", "home", end="2024-04-30")], [(None, "2309", True), (MAY, None, False)], "it ends, and nothing follows"),
    ([lives("2309", "temp", start="2024-03-01", end="2024-04-30"), lives("2380", "home")], [], "what counts is not dated"),
    ([lives("2309", "home", start="2024-03-01", end="2024-04-30"), lives("2380", "temp")], [(None, "2380", False), (MARCH, "2309", True), (MAY, "2380", False)], "what counts is dated for a while"),
    ([lives("2380", "home"), lives("2380", "home", start="2024-03-01")], [(None, "2380", False), (MARCH, "2380", True)], "the same, known since"),
]  # fmt: skip


@pytest.mark.parametrize("name", SWEDISH)
@pytest.mark.parametrize(("addresses", "expected", "because"), OVER_TIME)
def test_what_is_said_over_time(
    name: str, addresses: list[dict[str, Any]], expected: list[tuple[str | None, Any, bool]], because: str
) -> None:
    assert stretches(said(name, patient(address=addresses)), "municipality") == expected, because


def test_what_does_not_come_from_a_dated_element_is_not_dated() -> None:
    secret = {"meta": {"lastUpdated": START, "security": [{"code": "sekretessmarkering"}]}}
    addresses = [lives("2309", "home", end="2024-04-30"), lives("2380", start="2024-05-01")]
    signal = said(
        "losus-r4", patient(address=addresses, identifier=[{"system": PNR, "value": "1"}], **secret)
    )
    assert {name for one in signal.stretches for name in one.dated} == {"municipality", "address"}
    assert all(one.fields["protected"] for one in signal.stretches)


def test_what_cannot_be_found_of_another_time_is_left_out() -> None:
    """Two addresses at once in the past are no fault of what is said now."""
    one = mapping(
        rule(
            "patient", "%changed", on="Patient", **{"with": {"address": "address.city", "name": "name.text"}}
        )
    )
    past = [{"city": "A", "period": {"end": "2020"}}, {"city": "B", "period": {"end": "2021"}}, {"city": "C", "period": {"start": "2022"}}]  # fmt: skip
    (signal,) = read(one, patient(address=past, name=[{"text": "N"}])).fact.signals
    assert signal.fields == {"address": "C", "name": "N"}
    assert stretches(signal, "address") == [(None, None, False), ("2020-12-31T23:00", "B", True), ("2021-12-31T23:00", "C", True)]  # fmt: skip


def test_of_very_many_periods_the_newest_count() -> None:
    years = range(1900, 2200)
    numbers = [{"system": PNR, "value": str(y), "period": {"start": str(y), "end": str(y)}} for y in years]
    one = mapping(rule("patient", "%changed", on="Patient", **{"with": {"identifiers": "identifier"}}))
    (signal,) = read(one, patient(identifier=numbers)).fact.signals
    assert len(signal.stretches) <= 201
    assert signal.fields["identifiers"] == [{"system": PNR, "value": "2024"}]


# ── when which of it is seen ──────────────────────────────────────────────────────────────────────


def about(found: dict[str, Any]) -> Message:
    around = alone()
    return Message(None, lambda _: found, "", around.now)


MOVED = [{"city": "A", "period": {"end": "2024-03-10"}}, {"city": "B", "period": {"start": "2024-03-11"}}]


def test_a_field_is_read_as_of_its_signal_and_all_else_as_of_the_version() -> None:
    one = mapping(
        rule("admitted", "period.start", when="%lives = 'B'", **{"with": {"reason": "%lives"}}),
        rule("discharged", "period.end", **{"with": {"destination": "%lives"}}),
        let={"lives": "subject.resolve().ofType(Patient).address.city"},
    )
    resource = encounter(
        subject={"reference": "Patient/p"},
        meta={"lastUpdated": "2024-03-20T12:00:00Z"},
        period={"start": "2024-03-04T14:20:00+01:00", "end": "2024-03-15T14:20:00+01:00"},
    )
    first, last = read(one, resource, about(patient(address=MOVED))).fact.signals
    assert (first.fields["reason"], last.fields["destination"]) == ("A", "B")
    assert (first.stretches, last.stretches) == ((), ()), "they are no statements on the person"
    contained = resource | {"subject": {"reference": "#p"}, "contained": [patient(address=MOVED)]}
    assert read(one, contained).fact.signals[0].fields["reason"] == "A"
    early = read(one, resource | {"meta": {"lastUpdated": START}}, about(patient(address=MOVED)))
    assert [signal.kind for signal in early.fact.signals] == [SignalKind.DISCHARGED], "not at B yet"


def test_the_bundle_beside_it_is_seen_at_that_time_too() -> None:
    one = mapping(
        rule(**{"with": {"reason": "%bundle.entry.resource.ofType(Organization).identifier.value"}})
    )
    ward = {"resourceType": "Organization", "identifier": [{"value": "1", "use": "old"}, {"value": "2"}]}
    bundle = {"resourceType": "Bundle", "type": "message", "entry": [{"resource": ward}]}
    assert read(one, encounter(), alone(bundle)).fact.signals[0].fields == {"reason": "2"}


def test_a_version_without_any_time_is_seen_as_of_now() -> None:
    one = mapping(rule(when="identifier.value = '2'"), version="2")
    numbers = [{"value": "1", "period": {"end": "2023"}}, {"value": "2", "period": {"start": "2024"}}]
    assert read(one, encounter(identifier=numbers, meta=None)).fact.signals


@pytest.mark.parametrize(
    ("addresses", "expected", "because"),
    [
        ([{"city": "A"}], 1, "nothing is dated: a name is found once"),
        (MOVED, 2, "once for the version, once for the time of admission"),
    ],
)
def test_a_name_is_found_once_for_each_view(
    monkeypatch: pytest.MonkeyPatch, addresses: list[dict[str, Any]], expected: int, because: str
) -> None:
    calls: list[str] = []
    evaluate = Expression.__call__

    def counted(self: Expression, *args: Any) -> list[Any]:
        calls.append(self.text)
        return evaluate(self, *args)

    monkeypatch.setattr(Expression, "__call__", counted)
    lives_at = "subject.resolve().ofType(Patient).address.city"
    fields = {"reason": "%lives", "destination": "%lives & 'x'"}
    one = mapping(
        rule(when="%lives.exists()", **{"with": fields}), rule("transferred", when="%lives.exists()"),
        let={"lives": lives_at},
    )  # fmt: skip
    read(one, encounter(subject={"reference": "Patient/p"}, meta={"lastUpdated": "2024-03-20T12:00:00Z"}), about(patient(address=addresses)))  # fmt: skip
    assert calls.count(lives_at) == expected, because
