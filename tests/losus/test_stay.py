"""The stay that settlement reads of a case."""

# ruff: noqa: E501 - a row of a table stands on one line where it can be read so

import json

import pytest

from adapter.losus.picture import schema
from adapter.losus.stay import gaps, sources_of, stay_of
from tests.losus.tables.people import FIRST, HOME, MARCH_20, PERSON, again
from tests.losus.tables.states import ADMITTED, HOME_READY
from tests.losus.telling import at, tell

FIELDS = [
    "stay",
    "municipality",
    "placing_municipality",
    "care_form",
    "compulsory",
    "admitted_at",
    "notice_sent_at",
    "ready",
    "sip_required",
    "sip_called_at",
    "open_care_available",
    "opposed",
    "ended_at",
    "need_assessed_at",
    "region",
    "protected",
    "municipalities",
]
WHOLE = f"""
    {PERSON} placing_municipality=2326
    {HOME_READY}
    Task/r@2 ready-withdrawn* 05 09:00
    Task/r@3 ready* 06 09:00
    Task/s@1 sip-called 06 10:00
    Task/o@1 open-care-available 06 11:00
    Encounter/2@1 discharged 08 14:00"""


def test_a_stay_has_exactly_the_fields_of_settlement() -> None:
    stay = stay_of(tell(WHOLE))
    assert stay is not None
    assert list(stay) == FIELDS
    assert json.loads(json.dumps(stay)) == {
        "stay": "c",
        "municipality": "2380",
        "placing_municipality": "2326",
        "care_form": "somatic",
        "compulsory": False,
        "admitted_at": "2026-03-02T07:00:00Z",
        "notice_sent_at": "2026-03-02T09:00:00Z",
        "ready": [
            {
                "sent_at": "2026-03-04T08:00:00Z",
                "withdrawn_at": "2026-03-05T08:00:00Z",
                "home_ready_at": "2026-03-04T10:00:00Z",
            },
            {
                "sent_at": "2026-03-06T08:00:00Z",
                "withdrawn_at": None,
                "home_ready_at": "2026-03-06T08:00:00Z",
            },
        ],
        "sip_required": True,
        "sip_called_at": "2026-03-06T09:00:00Z",
        "open_care_available": True,
        "opposed": False,
        "ended_at": "2026-03-08T13:00:00Z",
        "need_assessed_at": None,
        "region": None,
        "protected": False,
        "municipalities": None,
    }


# facts → path, value, because
DERIVED = [
    (f"{PERSON}\n{ADMITTED}", "ended_at", None, "still in"),
    (f"{PERSON}\n{ADMITTED}\nPatient/d@1 deceased 05 03:00", "ended_at", "2026-03-05T02:00:00Z", "death ends it"),
    (f"{PERSON}\n{ADMITTED}\nE/2@1 transferred-out 05 03:00", "ended_at", "2026-03-05T02:00:00Z", "so does transfer"),
    (f"{PERSON}\n{ADMITTED}", "open_care_available", None, "LUS 5:5 not clarified"),
    (f"{PERSON}\n{ADMITTED} compulsory=true", "sip_required", False, "LUS 4:1 2 st."),
    (f"{PERSON}\n{ADMITTED}\nT/1@1 sip-declined 03 09:00", "sip_required", False, "LUS 4:2"),
    (f"{PERSON}\n{ADMITTED}\nT/1@1 need-assessed 03 09:00", "need_assessed_at", "2026-03-03T08:00:00Z", "LUS 2:3"),
    (f"{PERSON}\n{ADMITTED}\nT/1@1 sip-called 03 09:00 open_care=false", "sip_called_at", None, "LUS 5:3 2 st.: the fast vårdkontakt calls"),
    (f"{PERSON}\n{ADMITTED}\nT/1@1 sip-called 03 09:00", "sip_called_at", "2026-03-03T08:00:00Z", "who called is not stated"),
    (f"{PERSON}\n{ADMITTED}\nT/1@1 opposed 03 09:00", "opposed", True, "Stockholm's condition"),
    ("Patient/1@1 patient 01 08:00 placing_municipality=2326\nE/1@1 admitted 02 08:00 care_form=psychiatric",
     "municipality", "2326", "registered nowhere known: who placed"),
    (f"{HOME}\n{FIRST}\n{again(2, MARCH_20, '20', 'municipality=2326')}", "municipality", "2380", "settlement 1a: as of the end"),
    (f"{HOME}\n{FIRST}\n{again(2, MARCH_20, '20', 'municipality=2326', _10='2326')}", "municipality", "2326", "settlement 1a: corrected"),
    ('E/1@1 admitted 02 08:00 care_form=somatic organizations=["urn:x|berg"]', "municipality", "2326", "by route"),
]  # fmt: skip


@pytest.mark.parametrize(("facts", "name", "value", "because"), DERIVED)
def test_field_of_a_stay(facts: str, name: str, value: object, because: str) -> None:
    stay = stay_of(tell(facts))
    assert stay is not None
    assert stay[name] == value, because


# facts, gaps, because
GAPS = [
    (WHOLE, (), "all is known"),
    ("Patient/1@1 patient 01 08:00", ("no-stay",), "never admitted"),
    (f"{PERSON}\n{ADMITTED}\nEncounter/1@2 void", ("no-stay",), "makulerad"),
    (
        f"{PERSON} protected=true protected_registration=false\n{ADMITTED}",
        (),
        "settlement 1a: sekretessmarkering changes nothing of what is owed",
    ),
    (
        f"{PERSON} protected=true protected_registration=true\n{ADMITTED}",
        ("protected-registration",),
        "skyddad folkbokföring: the registered municipality may be a former one",
    ),
    (
        f"{PERSON} protected=true\n{ADMITTED}",
        ("protected-registration",),
        "which protection it is is not said: the careful answer",
    ),
    (
        f"{PERSON} protected=true protected_registration=true placing_municipality=2326\n{ADMITTED}",
        (),
        "LUS 5:2: who placed the person is liable, wherever registered",
    ),
    (ADMITTED, ("municipality",), "never guessed"),
    (f"{PERSON}\nE/1@1 admitted 02 08:00", ("care_form",), "never guessed"),
    (f"{PERSON}\n{ADMITTED}\nEncounter/2@1 discharged 05 23:59:59.999999", (), "known to the day: enough"),
    (
        f"{PERSON}\n{ADMITTED}\nEncounter/2@1 discharged 31 23:59:59.999999 precision=month",
        ("ended_at: known to the month only",),
        "R4 datatypes#dateTime: no day is guessed",
    ),
    (
        f"{PERSON}\n{ADMITTED}\nPatient/d@1 deceased 2026-12-31 23:59:59.999999 precision=year",
        ("ended_at: known to the year only",),
        "nor a month",
    ),
    (f"{PERSON}\n{ADMITTED} precision=month", (), "no day is counted from the admission"),
    (
        f"{PERSON}\n{HOME_READY}\nTask/q@1 criterion-met 01 00:00 criterion=aids-available precision=month",
        ("ready: known to the month only",),
        "hemgångsklar would begin on a guessed day",
    ),
    (
        f"{PERSON}\n{ADMITTED}\nT/1@1 sip-called 01 00:00 precision=month\nT/2@1 sip-called 2026-01-01 00:00 precision=year",
        ("sip_called_at: known to the year only",),
        "the coarser of two",
    ),
    (
        f"{PERSON}\n{ADMITTED}\nE/2@1 discharged 05 14:00\nE/3@1 discharged 31 23:59:59.999999 precision=month",
        (),
        "the first end stands, and it is known",
    ),
    (
        f"{PERSON}\nT/1@1 admission-notice-sent 02 08:00",
        ("care_form", "admitted_at"),
        "the encounter is to come",
    ),
]


@pytest.mark.parametrize(("facts", "missing", "because"), GAPS)
def test_what_cannot_be_settled_by_rule_says_why(facts: str, missing: tuple[str, ...], because: str) -> None:
    case = tell(facts)
    assert gaps(case) == missing, because
    assert (stay_of(case) is None) is bool(missing)


def test_how_exactly_an_end_is_known_is_not_published() -> None:
    case = tell(f"{PERSON}\n{ADMITTED}\nEncounter/2@1 discharged 31 23:59:59.999999 precision=month")
    end = case.standing.end
    assert end is not None
    assert (end.precision, end.earliest) == ("month", at("01 00:00"))
    assert set(case.picture.model_dump(mode="json")["ended"]) == {"how", "at", "destination"}
    assert set(schema()["$defs"]["End"]["properties"]) == {"how", "at", "destination"}


def test_each_time_has_its_sources() -> None:
    sources = sources_of(tell(WHOLE))
    assert sources["admitted_at"] == ("h Encounter/1 1",)
    assert sources["notice_sent_at"] == ("h Task/n 1",)
    assert sources["ready"] == ("h Task/r 1", *["h CarePlan/1 1"] * 6, "h Task/r 2", "h Task/r 3")
    assert sources["sip_called_at"] == ("h Task/s 1",)
    assert sources["ended_at"] == ("h Encounter/2 1",)
