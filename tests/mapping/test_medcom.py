"""MedCom HospitalNotification: every flow, in every order and with repeats, ends in MedCom's meaning.

The meaning is that of MedCom's table of codes: class, status, newest Provenance activity and deceased
together; wrong time or ward is corrected, wrong person or kind is cancelled, a leave ends no care.
"""

import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from adapter.losus.case import Case
from adapter.losus.process import STATUTE
from adapter.losus.terms import SignalKind
from adapter.mapping.load import default_folder, load_mapping
from adapter.mapping.message import Reading
from adapter.mapping.rehearsal import Rehearsal, rehearse
from tests.mapping.medcom import Hospital

MAPPING = load_mapping(default_folder() / "medcom-hospitalnotification.yaml")
NOW = datetime(2023, 4, 1, tzinfo=UTC)
SHARED = Path(os.environ.get("LOSUS_SHARED") or Path(__file__).parents[3] / "shared") / "data" / "medcom"


def leave() -> Hospital:
    return (
        Hospital()
        .say("admit-inpatient", "01T12:00")
        .say("start-leave-inpatient", "03T14:00", status="onleave", leave=("03T13:50", None))
    )


def back() -> Hospital:
    return leave().say("end-leave-inpatient", "04T15:30", leave=("03T13:50", "04T15:20"))


def home() -> Hospital:
    return (
        Hospital()
        .say("admit-inpatient", "01T12:00")
        .say("discharge-inpatient-home", "07T09:45", status="finished", end="07T09:40")
    )


def emergency() -> Hospital:
    return Hospital().say("admit-emergency", "01T10:00", kind="EMER", start="01T09:55")


def dead() -> Hospital:
    return (
        Hospital()
        .say("admit-inpatient", "01T12:00")
        .say("admit-inpatient", "04T07:00", status="finished", end="04T06:50", deceased=True)
    )


def admitted() -> Hospital:
    return Hospital().say("admit-inpatient", "01T12:00")


FLOWS: list[tuple[str, Callable[[], Hospital], str, str]] = [
    # flow, messages, where the case ends, because
    ("STIN", admitted, "admitted", "start of stay"),
    ("STAA", emergency, "admitted", "an emergency contact is a stay to MedCom"),
    (
        "STAA STIN",
        lambda: emergency().say("admit-inpatient", "01T15:00", start="01T14:55"),
        "admitted",
        "rule 3",
    ),
    (
        "STIN STAA",
        lambda: admitted().say("admit-emergency", "02T15:00", kind="EMER", start="02T14:55"),
        "admitted",
        "rule 4: back to emergency class, no end of stay",
    ),
    (
        "STIN STIN other hospital",
        lambda: admitted().say("admit-inpatient", "02T08:00", start="02T07:55", ward="Aarhus"),
        "admitted",
        "rule 8: a transfer has no end",
    ),
    (
        "STIN RE_STIN",
        lambda: admitted().say("revise-admit-inpatient", "01T15:00", start="01T08:00"),
        "admitted",
        "rule 7.2",
    ),
    (
        "STAA RE_STAA",
        lambda: emergency().say("revise-admit-emergency", "01T15:00", kind="EMER", start="01T08:00"),
        "admitted",
        "rule 7.2",
    ),
    (
        "STIN AN_STIN",
        lambda: admitted().say(
            "cancel-admit-inpatient", "01T14:00", status="entered-in-error", role="removal"
        ),
        "voided",
        "rule 7.1",
    ),
    (
        "STIN AN_STIN as before",
        lambda: admitted().say("cancel-admit-inpatient", "01T14:00", role="removal"),
        "voided",
        "the activity says so, whatever the status",
    ),
    (
        "STIN AN_STIN cancelled",
        lambda: admitted().say("cancel-admit-inpatient", "01T14:00", status="cancelled", role="removal"),
        "voided",
        "the code table allows both words",
    ),
    (
        "STIN RE_STIN AN_STIN",
        lambda: (
            admitted()
            .say("revise-admit-inpatient", "01T13:00", start="01T08:00")
            .say("cancel-admit-inpatient", "01T14:00", status="entered-in-error", role="removal")
        ),
        "voided",
        "flow P",
    ),
    (
        "STAA AN_STAA",
        lambda: emergency().say(
            "cancel-admit-emergency", "01T11:00", kind="EMER", status="entered-in-error", role="removal"
        ),
        "voided",
        "rule 7.1",
    ),
    (
        "STAA AN_STAA STIN",
        lambda: (
            emergency()
            .say("cancel-admit-emergency", "01T11:00", kind="EMER", status="entered-in-error", role="removal")
            .say("admit-inpatient", "01T11:05", start="01T09:55")
        ),
        "admitted",
        "wrong kind: cancelled, then sent right",
    ),
    (
        "STAA STIN AN_STIN",
        lambda: (
            emergency()
            .say("admit-inpatient", "01T15:00")
            .say("cancel-admit-inpatient", "01T16:00", status="entered-in-error", role="removal")
        ),
        "admitted",
        "the emergency contact stands",
    ),
    (
        "STIN STAA AN_STAA",
        lambda: (
            admitted()
            .say("admit-emergency", "02T15:00", kind="EMER")
            .say("cancel-admit-emergency", "02T16:00", kind="EMER", status="entered-in-error", role="removal")
        ),
        "admitted",
        "the admission stands",
    ),
    ("STIN STOR", leave, "admitted, on leave", "rule 6"),
    (
        "STIN STOR RE_STOR",
        lambda: leave().say(
            "revise-start-leave-inpatient", "03T16:00", status="onleave", leave=("03T12:00", None)
        ),
        "admitted, on leave",
        "rule 7.2",
    ),
    (
        "STIN STOR AN_STOR",
        lambda: leave().say(
            "cancel-start-leave-inpatient", "03T16:00", leave=("03T13:50", None), role="removal"
        ),
        "admitted",
        "no leave took place",
    ),
    (
        "STIN STOR AN_STOR in error",
        lambda: leave().say(
            "cancel-start-leave-inpatient",
            "03T16:00",
            status="entered-in-error",
            leave=("03T13:50", None),
            role="removal",
        ),
        "admitted",
        "only the leave is cancelled, not the stay",
    ),
    (
        "STIN STOR AN_STOR bare",
        lambda: leave().say("cancel-start-leave-inpatient", "03T16:00", role="removal"),
        "admitted",
        "same",
    ),
    ("STIN STOR SLOR", back, "admitted", "back from leave"),
    (
        "STIN STOR SLOR RE_SLOR",
        lambda: back().say("revise-end-leave-inpatient", "04T18:00", leave=("03T13:50", "04T14:00")),
        "admitted",
        "rule 7.2",
    ),
    (
        "STIN STOR SLOR AN_SLOR",
        lambda: back().say(
            "cancel-end-leave-inpatient",
            "04T18:00",
            status="onleave",
            leave=("03T13:50", "04T15:20"),
            role="removal",
        ),
        "admitted, on leave",
        "the leave goes on",
    ),
    (
        "STIN STOR SLOR AN_SLOR in error",
        lambda: back().say(
            "cancel-end-leave-inpatient",
            "04T18:00",
            status="entered-in-error",
            leave=("03T13:50", "04T15:20"),
            role="removal",
        ),
        "admitted, on leave",
        "only the end is cancelled",
    ),
    (
        "STIN STOR SLOR STOR",
        lambda: back().say("start-leave-inpatient", "05T14:00", status="onleave", leave=("05T13:50", None)),
        "admitted, on leave",
        "one leave a message",
    ),
    (
        "STIN STOR SLHJ",
        lambda: leave().say(
            "discharge-inpatient-home",
            "05T09:45",
            status="finished",
            end="05T09:40",
            leave=("03T13:50", None),
        ),
        "discharged",
        "flow I: discharged while on leave",
    ),
    (
        "STIN STOR MORS",
        lambda: leave().say(
            "start-leave-inpatient", "05T09:45", status="finished", end="05T09:40", deceased=True
        ),
        "deceased",
        "flow L: the activity is the former one",
    ),
    ("STIN SLHJ", home, "discharged", "rule 2"),
    (
        "STAA SLHJ",
        lambda: emergency().say(
            "discharge-emergency-home", "01T22:00", kind="EMER", status="finished", end="01T21:55"
        ),
        "discharged",
        "from emergency class too",
    ),
    (
        "STIN SLHJ RE_SLHJ",
        lambda: home().say("revise-discharge-inpatient-home", "07T12:00", status="finished", end="07T08:00"),
        "discharged",
        "rule 7.2",
    ),
    (
        "STIN SLHJ AN_SLHJ",
        lambda: home().say("cancel-discharge-inpatient-home", "07T12:00", role="removal"),
        "admitted",
        "still here",
    ),
    (
        "STIN SLHJ AN_SLHJ in error",
        lambda: home().say(
            "cancel-discharge-inpatient-home",
            "07T12:00",
            status="entered-in-error",
            end="07T09:40",
            role="removal",
        ),
        "admitted",
        "only the end is cancelled",
    ),
    (
        "STIN SLHJ AN_SLHJ finished",
        lambda: home().say(
            "cancel-discharge-inpatient-home", "07T12:00", status="finished", end="07T09:40", role="removal"
        ),
        "admitted",
        "the activity says so, whatever the status",
    ),
    (
        "STAA SLHJ AN_SLHJ",
        lambda: (
            emergency()
            .say("discharge-emergency-home", "01T22:00", kind="EMER", status="finished", end="01T21:55")
            .say("cancel-discharge-emergency-home", "01T23:00", kind="EMER", role="removal")
        ),
        "admitted",
        "still here",
    ),
    (
        "MORS on arrival",
        lambda: Hospital().say("admit-inpatient", "01T12:00", end="01T12:00", deceased=True),
        "deceased",
        "flow J: in progress, but deceased",
    ),
    ("STIN MORS", dead, "deceased", "rule 5"),
    (
        "STIN MORS RE_MORS",
        lambda: dead().say("admit-inpatient", "04T09:00", status="finished", end="04T06:00", deceased=True),
        "deceased",
        "rule 7.2",
    ),
    (
        "STIN MORS AN_MORS",
        lambda: dead().say("admit-inpatient", "04T09:00", deceased=False),
        "admitted",
        "status and activity as before",
    ),
    (
        "STIN STOR MORS AN_MORS",
        lambda: (
            leave()
            .say("start-leave-inpatient", "05T09:45", status="finished", end="05T09:40", deceased=True)
            .say(
                "start-leave-inpatient",
                "05T10:00",
                status="onleave",
                leave=("03T13:50", None),
                deceased=False,
            )
        ),
        "admitted, on leave",
        "status as before: on leave",
    ),
    (
        "late STIN after SLHJ",
        lambda: _sent_last(home(), 0),
        "discharged",
        "TEK: a message that was held back",
    ),
]


def _sent_last(hospital: Hospital, index: int) -> Hospital:
    hospital.sent.append(hospital.sent.pop(index))
    return hospital


def ended(readings: Sequence[Reading]) -> str:
    """Where the only case stands, in words."""
    rehearsal = Rehearsal(MAPPING, NOW, readings=list(readings))
    (case,) = rehearsal.cases(STATUTE, NOW).values()
    return said(case)


def said(case: Case) -> str:
    assert case.state is not None
    return case.state.value + (", on leave" if case.standing.on_leave else "")


def one_by_one(documents: Sequence[dict[str, Any]]) -> list[Reading]:
    rehearsal = rehearse(MAPPING, documents, NOW)
    assert len(rehearsal.readings) == len(documents)
    return rehearsal.readings


def shuffled(readings: Sequence[Reading]) -> Iterator[Sequence[Reading]]:
    """Every order, and every order with each message repeated after all of them."""
    for order in permutations(readings):
        yield order
        yield (*order, *reversed(order))


@pytest.mark.parametrize(("flow", "hospital", "end", "because"), FLOWS, ids=[row[0] for row in FLOWS])
def test_every_order_of_a_flow_ends_alike(flow, hospital, end, because):
    readings = one_by_one(hospital().sent)
    assert {ended(order) for order in shuffled(readings)} == {end}, f"{flow}: {because}"


def flows_of_medcom() -> dict[str, list[Path]]:
    flows: dict[str, list[Path]] = {}
    for path in sorted(SHARED.glob("HospitalNotification_Ex_*.json")):
        if match := re.search(r"_(?!TEK)([A-Z]+(?:_[A-Z]+)?)_([A-Z])\d?$", path.stem):
            flows.setdefault(match.group(2), []).append(path)
    return flows


MEDCOM_ENDS = {
    "A": "admitted",
    "C": "admitted",
    "E": "admitted",
    "F": "admitted, on leave",
    "H": "discharged",
    "J": "deceased",
    "K": "deceased",
    "N": "voided",
    "O": "admitted",
}


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the shared data: MedCom's messages")
@pytest.mark.parametrize("flow", MEDCOM_ENDS)
def test_medcoms_own_flows_end_in_medcoms_meaning(flow):
    readings = one_by_one([json.loads(path.read_bytes()) for path in flows_of_medcom()[flow]])
    assert {ended(order) for order in shuffled(readings)} == {MEDCOM_ENDS[flow]}


def times(hospital: Hospital) -> dict[str, str]:
    (case,) = rehearse(MAPPING, hospital.sent, NOW).cases(STATUTE, NOW).values()
    return {
        name: at.strftime("%dT%H:%M")
        for name, at in case.standing.times.items()
        if name != SignalKind.PATIENT
    }


@pytest.mark.parametrize(
    ("hospital", "expected", "because"),
    [
        (FLOWS[5][1], {"admitted": "01T07:00"}, "a correction replaces the time"),
        (FLOWS[2][1], {"admitted": "01T13:55"}, "admitted when the emergency contact became an admission"),
        (
            back,
            {"admitted": "01T11:00", "leave-started": "03T12:50", "leave-ended": "04T14:20"},
            "event times",
        ),
        (dead, {"admitted": "01T11:00", "deceased": "04T05:50"}, "period.end is the time of death"),
    ],
)
def test_the_times_are_those_of_the_events(hospital, expected, because):
    assert times(hospital()) == expected, because


def test_two_things_done_in_one_second_end_alike_in_any_order():
    hospital = admitted().say("cancel-admit-inpatient", "01T12:00", status="entered-in-error", role="removal")
    assert {ended(order) for order in shuffled(one_by_one(hospital.sent))} == {"voided"}


def test_a_ward_is_corrected_and_a_transfer_changes_it():
    hospital = admitted().say("revise-admit-inpatient", "01T15:00", ward="Ortopædi")
    (case,) = rehearse(MAPPING, hospital.sent, NOW).cases(STATUTE, NOW).values()
    assert case.standing.unit is not None
    assert case.standing.unit.name == "Ortopædi"


def test_the_receiver_leads_to_the_municipality():
    (reading,) = one_by_one(admitted().sent)
    (patient,) = [s for s in reading.fact.signals if s.kind is SignalKind.PATIENT]
    assert patient.fields["organizations"][0].startswith("urn:oid:1.2.208.176.1.1|")


def test_the_order_in_which_an_episodes_numbers_are_listed_means_nothing():
    """MedCom Core, Lpr3Identifier: the national number beside the hospital's own."""
    national = {
        "identifier": {
            "system": "https://www.esundhed.dk/Registre/Landspatientregisteret",
            "value": "urn:uuid:3f5c2f6e-0000-5000-8000-000000000000",
        }
    }
    hospital = home()
    for message, first in zip(hospital.sent, (0, 1), strict=True):
        (encounter,) = [
            e["resource"] for e in message["entry"] if e["resource"]["resourceType"] == "Encounter"
        ]
        encounter["episodeOfCare"].insert(first, national)
    readings = one_by_one(hospital.sent)
    assert {reading.key for reading in readings} == {national["identifier"]["value"]}
    assert ended(readings) == "discharged"


def _left(**more: Any) -> Hospital:
    hospital = Hospital().say("admit-inpatient", "01T12:00")
    return hospital.say("discharge-inpatient-home", "07T09:40", **{"end": "07T09:40", **more})


def _on_leave(status: str) -> Hospital:
    return (
        Hospital()
        .say("admit-inpatient", "01T12:00")
        .say("start-leave-inpatient", "03T13:50", status=status, leave=("03T13:50", None))
    )


def _back(status: str) -> Hospital:
    return _on_leave("onleave").say(
        "end-leave-inpatient", "04T15:20", status=status, leave=("03T13:50", "04T15:20")
    )


SAID = [
    # what was sent, times, what the trace says against it, because
    (_left(status="finished"), {"discharged": "07T08:40"}, [], "status and activity agree"),
    (_left(status="onleave"), {"discharged": "07T08:40"}, ["status = 'finished'"], "the act decides"),
    (_left(status="in-progress"), {"discharged": "07T08:40"}, ["status = 'finished'"], "the same"),
    (_left(status="in-progress", end=None), {}, [], "without an end nothing has ended"),
    (_on_leave("onleave"), {"leave-started": "03T12:50"}, [], "status and activity agree"),
    (
        _on_leave("in-progress"),
        {"leave-started": "03T12:50"},
        ["status = 'onleave' or %leave.end.exists()"],
        "the leave was started",
    ),
    (_back("in-progress"), {"leave-started": "03T12:50", "leave-ended": "04T14:20"}, [], "they agree"),
    (
        _back("onleave"),
        {"leave-started": "03T12:50", "leave-ended": "04T14:20"},
        ["status != 'onleave'"],
        "the leave was ended",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("hospital", "expected", "against", "because"), SAID)
def test_what_was_done_decides_and_a_contradiction_is_named(hospital, expected, against, because):
    """Clinical guidelines for HospitalNotification: the meaning is the composite; the activity is the act."""
    assert times(hospital) == {"admitted": "01T11:00", **expected}, because
    trace = rehearse(MAPPING, hospital.sent[-1:], NOW).trace
    assert [step.contradiction for step in trace if step.contradiction] == against, because
