"""R4 seen as R5 and R5 as R4: the table in the view's docstring, row by row, there and back."""

import copy

import pytest

from adapter.mapping.view import seen_as

SUBJECT = "http://terminology.hl7.org/CodeSystem/encounter-subject-status"
IMP = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"}
HOME = {"coding": [{"code": "home"}]}


def resource(kind, **elements):
    return {"resourceType": kind, "id": "x", **elements}


def subject(code):
    return {"coding": [{"system": SUBJECT, "code": code}]}


BOTH_WAYS = [
    # type, R4, R5, because
    ("Encounter", {"class": IMP}, {"class": [{"coding": [IMP]}]}, "Coding and list of CodeableConcept"),
    ("Encounter", {"period": {"start": "2024-03-04"}}, {"actualPeriod": {"start": "2024-03-04"}}, "renamed"),
    ("Encounter", {"_period": {"id": "p"}}, {"_actualPeriod": {"id": "p"}}, "JSON's sibling goes along"),
    (
        "Encounter",
        {"hospitalization": {"dischargeDisposition": HOME}},
        {"admission": {"dischargeDisposition": HOME}},
        "renamed",
    ),
    (
        "Encounter",
        {"hospitalization": {"dischargeDisposition": HOME, "dietPreference": [HOME]}},
        {"admission": {"dischargeDisposition": HOME}, "dietPreference": [HOME]},
        "R5 keeps diet beside the admission",
    ),
    ("Encounter", {"hospitalization": {"specialCourtesy": [HOME]}}, {"specialCourtesy": [HOME]}, "same"),
    ("Encounter", {"status": "finished"}, {"status": "completed"}, "renamed"),
    ("Encounter", {"status": "planned"}, {"status": "planned"}, "the same word"),
    ("Encounter", {"status": "cancelled"}, {"status": "cancelled"}, "the same word"),
    (
        "Encounter",
        {"status": "arrived"},
        {"status": "in-progress", "subjectStatus": subject("arrived")},
        "moved to subjectStatus",
    ),
    (
        "Encounter",
        {"status": "onleave"},
        {"status": "on-hold", "subjectStatus": subject("on-leave")},
        "on hold, e.g. on leave",
    ),
    ("Encounter", {"serviceType": HOME}, {"serviceType": [{"concept": HOME}]}, "list of CodeableReference"),
    (
        "Encounter",
        {"reasonCode": [HOME], "reasonReference": [{"reference": "Condition/1"}]},
        {
            "reason": [
                {"value": [{"concept": HOME}]},
                {"value": [{"reference": {"reference": "Condition/1"}}]},
            ]
        },
        "joined under reason.value",
    ),
    (
        "Encounter",
        {"participant": [{"individual": {"reference": "Practitioner/1"}}]},
        {"participant": [{"actor": {"reference": "Practitioner/1"}}]},
        "renamed",
    ),
    (
        "Task",
        {"reasonCode": HOME, "reasonReference": {"reference": "Condition/1"}},
        {"reason": [{"concept": HOME}, {"reference": {"reference": "Condition/1"}}]},
        "list of CodeableReference",
    ),
    ("Task", {"statusReason": HOME}, {"statusReason": {"concept": HOME}}, "CodeableReference"),
    ("Task", {"performerType": [HOME]}, {"requestedPerformer": [{"concept": HOME}]}, "renamed"),
    ("CarePlan", {"author": {"display": "A"}}, {"custodian": {"display": "A"}}, "renamed"),
    (
        "CarePlan",
        {"addresses": [{"reference": "Condition/1"}]},
        {"addresses": [{"reference": {"reference": "Condition/1"}}]},
        "CodeableReference",
    ),
    ("Patient", {"active": True}, {"active": True}, "nothing that is read here differs"),
]


@pytest.mark.parametrize(("kind", "r4", "r5", "because"), BOTH_WAYS)
def test_what_differs_is_evened_out_both_ways(kind, r4, r5, because):
    assert seen_as(resource(kind, **r4), "R4", "R5") == resource(kind, **r5), because
    assert seen_as(resource(kind, **r5), "R5", "R4B") == resource(kind, **r4), because


ONE_WAY = [
    # type, spoken, as it is said, wanted, as it is seen, because
    ("Encounter", "R5", {"status": "discharged"}, "R4", {"status": "finished"}, "has left, record open"),
    (
        "Encounter",
        "R5",
        {"status": "discontinued"},
        "R4",
        {"status": "finished"},
        "had begun, so not cancelled",
    ),
    (
        "Encounter",
        "R5",
        {"status": "in-progress", "subjectStatus": subject("on-leave")},
        "R4",
        {"status": "onleave"},
        "the subject is on leave",
    ),
    (
        "Encounter",
        "R5",
        {"status": "in-progress", "subjectStatus": subject("receiving-care")},
        "R4",
        {"status": "in-progress"},
        "no R4 word of its own",
    ),
    ("Encounter", "R5", {"class": [{"text": "ward"}]}, "R4", {}, "words without a code are no class"),
    ("Encounter", "R5", {"serviceType": [{"reference": {}}]}, "R4", {}, "R4 has no reference there"),
    (
        "Encounter",
        "R4",
        {"statusHistory": [{"status": "onleave"}], "classHistory": [{"class": IMP}]},
        "R5",
        {},
        "EncounterHistory is a resource of its own",
    ),
    ("Task", "R5", {"requestedPerformer": [{"reference": {}}]}, "R4", {}, "R4 has types only"),
    ("CarePlan", "R5", {"addresses": [{"concept": HOME}]}, "R4", {"addresses": []}, "R4 has references only"),
]


@pytest.mark.parametrize(("kind", "spoken", "said", "wanted", "seen", "because"), ONE_WAY)
def test_what_one_version_cannot_say_is_left_out(kind, spoken, said, wanted, seen, because):
    assert seen_as(resource(kind, **said), spoken, wanted) == resource(kind, **seen), because


@pytest.mark.parametrize(("spoken", "wanted"), [("R4", "R4B"), ("R4B", "R4"), ("R5", "R5"), ("R4", "R4")])
def test_the_same_version_is_the_same_resource(spoken, wanted):
    one = resource("Encounter", period={})
    assert seen_as(one, spoken, wanted) is one


def test_a_bundle_is_seen_with_its_entries_and_nothing_is_changed():
    bundle = resource(
        "Bundle",
        entry=[
            {"resource": resource("Encounter", period={"start": "2024-03-04"})},
            {"fullUrl": "urn:uuid:1"},
        ],
    )
    before = copy.deepcopy(bundle)
    seen = seen_as(bundle, "R4", "R5")
    assert seen["entry"][0]["resource"]["actualPeriod"] == {"start": "2024-03-04"}
    assert seen["entry"][1] == {"fullUrl": "urn:uuid:1"}
    assert bundle == before


@pytest.mark.parametrize(("kind", "r4", "r5", "because"), BOTH_WAYS)
def test_what_goes_in_is_not_touched(kind, r4, r5, because):
    for said, spoken, wanted in ((r4, "R4", "R5"), (r5, "R5", "R4")):
        one = resource(kind, **copy.deepcopy(said))
        seen_as(one, spoken, wanted)
        assert one == resource(kind, **said), because
