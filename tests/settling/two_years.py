"""Two years of a small region as messages: every stay, and what became known later about each.

A stay is given in numbers: `zero` is the local day on which the person is *utskrivningsklar* (09:00) and
*hemgångsklar* (10:00), `days` later the person goes home (14:00). `_later` holds what arrives after the
stay, by the month in which it arrives: it is sent before that month is settled.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

OSTERSUND, KROKOM, SUNDSVALL = "2380", "2309", "2281"
STEP = "https://losus-adapter.se/fhir/CodeSystem/losus-step"
CRITERION = "https://losus-adapter.se/fhir/CodeSystem/hemgangsklar"
CRITERIA = (
    "physician-assessment",
    "self-care-assessed",
    "written-information",
    "care-contact-appointed",
    "information-transferred",
    "aids-available",
    "medication-available",
)
_STOCKHOLM = ZoneInfo("Europe/Stockholm")
_HEADER = {
    "resourceType": "MessageHeader",
    "eventCoding": {"system": "https://losus-adapter.se/fhir/CodeSystem/losus-event", "code": "losus-step"},
    "source": {"name": "Exempelsjukhuset", "endpoint": "https://ehr.example/fhir"},
}


@dataclass(frozen=True, slots=True)
class Sent:
    """One stay as the hospital sends it; `person` is the Patient's id, and the stay's own where None."""

    id: str
    municipality: str
    care_form: str
    zero: date
    days: int
    person: str | None = None
    addresses: tuple[dict[str, Any], ...] = ()
    steps: tuple[tuple[str, date, dict[str, Any]], ...] = ()

    @property
    def end(self) -> date:
        """The local day on which the person goes home."""
        return self.zero + timedelta(days=self.days)


def somatic(id_: str, municipality: str, month: str, *lengths: int) -> list[Sent]:
    """Stays that end on the 20th, the 21st … of a month, of these lengths."""
    first = date.fromisoformat(f"{month}-20")
    return [
        Sent(f"{id_}-{n}", municipality, "somatic", first + timedelta(days=n - days), days)
        for n, days in enumerate(lengths)
    ]


def psychiatric(id_: str, municipality: str, end: str, days: int) -> Sent:
    """A psychiatric stay by the day of its end."""
    return Sent(id_, municipality, "psychiatric", date.fromisoformat(end) - timedelta(days=days), days)


def message(stay: Sent, version: int = 1, **encounter: Any) -> dict[str, Any]:
    """The stay as one message Bundle: Encounter, Patient, Tasks; `encounter` changes the first."""
    person = stay.person or f"person-{stay.id}"
    made = [_encounter(stay, person, version) | encounter, patient(person, stay.municipality, stay)]
    tasks = [_task(stay, person, STEP, "utskrivningsklar", stay.zero, 9)]
    tasks += [_task(stay, person, CRITERION, code, stay.zero, 10) for code in CRITERIA]
    tasks += [_task(stay, person, STEP, code, day, 11, **more) for code, day, more in stay.steps]
    return bundle(f"{stay.id}-{version}", _at(stay.end, 15), *made, *tasks)


def bundle(name: str, sent_at: str, *resources: dict[str, Any]) -> dict[str, Any]:
    """A message Bundle of these resources."""
    focus = [{"reference": f"{one['resourceType']}/{one['id']}"} for one in resources[:1]]
    entries = [{**_HEADER, "id": f"header-{name}", "focus": focus}, *resources]
    return {
        "resourceType": "Bundle",
        "id": f"bundle-{name}",
        "type": "message",
        "timestamp": sent_at,
        "entry": [
            {"fullUrl": f"https://ehr.example/fhir/{one['resourceType']}/{one['id']}", "resource": one}
            for one in entries
        ],
    }


def patient(
    person: str, municipality: str, stay: Sent | None = None, changed: date | None = None, **more: Any
) -> dict[str, Any]:
    """The Patient, folkbokförd in the municipality; `changed`: the day of this version, or admission."""
    day = changed or (stay.zero - timedelta(days=5) if stay is not None else date(2018, 1, 1))
    addresses = list(stay.addresses) if stay is not None and stay.addresses else [address(municipality)]
    return {
        "resourceType": "Patient",
        "id": person,
        "meta": {"lastUpdated": _at(day, 8), **more.pop("meta", {})},
        "identifier": [
            {"system": "http://electronichealth.se/identifier/personnummer", "value": personnummer(person)}
        ],
        "name": [{"use": "official", "family": "Exempel", "given": [person]}],
        "address": addresses,
        **more,
    }


def address(municipality: str, **period: str) -> dict[str, Any]:
    """A home address in a municipality; `start` and `end` of its period."""
    coding = {"system": "urn:oid:1.2.752.129.2.2.1.17", "code": municipality}
    url = "https://losus-adapter.se/fhir/StructureDefinition/kommunkod"
    made: dict[str, Any] = {
        "use": "home",
        "city": "Orten",
        "extension": [{"url": url, "valueCoding": coding}],
    }
    return {**made, "period": period} if period else made


def personnummer(person: str) -> str:
    """A number of a person born on a day of 1930 to 1939 that follows from the id, with its check digit."""
    seed = sum(ord(letter) * (index + 7) ** 3 for index, letter in enumerate(person))
    born = date(1930, 1, 1) + timedelta(days=seed % 3600)
    digits = f"{born:%y%m%d}{seed // 7 % 900 + 100:03d}"
    doubled = (int(digit) * (2 if index % 2 == 0 else 1) for index, digit in enumerate(digits))
    total = sum(each // 10 + each % 10 for each in doubled)
    return f"19{digits}{-total % 10}"


def _encounter(stay: Sent, person: str, version: int) -> dict[str, Any]:
    ward = {"display": "Medicin 204"}
    return {
        "resourceType": "Encounter",
        "id": stay.id,
        "meta": {"versionId": str(version), "lastUpdated": _at(stay.end, 14, 5)},
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
        "serviceType": {
            "coding": [
                {"system": "https://losus-adapter.se/fhir/CodeSystem/care-form", "code": stay.care_form}
            ]
        },
        "subject": {"reference": f"Patient/{person}"},
        "period": {"start": _at(stay.zero - timedelta(days=5), 8), "end": _at(stay.end, 14)},
        "location": [{"location": ward}],
        "hospitalization": {
            "dischargeDisposition": {
                "coding": [
                    {"system": "http://terminology.hl7.org/CodeSystem/discharge-disposition", "code": "home"}
                ]
            }
        },
    }


def _task(
    stay: Sent, person: str, system: str, code: str, day: date, hour: int, **more: Any
) -> dict[str, Any]:
    """A Task of a step or criterion; a step of the same code may come twice, so its day is in its id."""
    at = _at(day, hour)
    return {
        "resourceType": "Task",
        "id": f"{stay.id}-{code}-{day:%m%d}",
        "meta": {"versionId": "1", "lastUpdated": at},
        "status": "completed",
        "intent": "order",
        "code": {"coding": [{"system": system, "code": code}]},
        "for": {"reference": f"Patient/{person}"},
        "encounter": {"reference": f"Encounter/{stay.id}"},
        "authoredOn": at,
        "executionPeriod": {"start": at, "end": at},
        **more,
    }


def _at(day: date, hour: int, minute: int = 0) -> str:
    return datetime.combine(day, time(hour, minute), _STOCKHOLM).isoformat()


# ── The stays, by month ──────────────────────────────────────────────────────────────────────────

_OSTERSUND = {
    "2018-03": (5, 5),
    "2018-04": (5, 3),
    "2018-05": (4, 4),
    "2018-06": (6, 2),
    "2018-07": (1, 1),
    "2018-08": (5, 0),
    "2018-09": (3,),  # and one that was interrupted
    "2018-10": (7, 1),
    "2018-11": (6, 4),
    "2018-12": (5, 5),
    "2019-01": (6, 2),
    "2019-02": (4, 4),
    "2019-03": (8, 0),
    "2019-04": (4, 4),
    "2019-05": (2, 2),
    "2019-06": (3, 1),
    "2019-08": (5, 5),
    "2019-09": (2, 2),
    "2019-10": (4, 4),
    "2019-11": (5, 3),
    "2019-12": (6, 2),
}
_KROKOM = {
    "2018-11": (5,),
    "2018-12": (5,),
    "2019-01": (6,),
    "2019-02": (4,),
    "2019-03": (2,),
    "2019-04": (5,),
    "2019-05": (4,),
    **dict.fromkeys(("2019-06", "2019-07", "2019-08", "2019-09", "2019-10", "2019-11", "2019-12"), (1,)),
}
_PSYCHIATRIC = [
    psychiatric("p-2018-10", OSTERSUND, "2018-10-20", 35),
    psychiatric("p-2018-11", OSTERSUND, "2018-11-20", 32),
    psychiatric("p-2018-12", OSTERSUND, "2018-12-20", 40),
    psychiatric("p-2019-01-a", OSTERSUND, "2019-01-10", 31),
    psychiatric("p-2019-01-b", OSTERSUND, "2019-01-02", 32),
    psychiatric("p-2019-02", OSTERSUND, "2019-02-20", 5),
    psychiatric("p-2019-03", OSTERSUND, "2019-03-20", 2),
    psychiatric("p-2019-04", OSTERSUND, "2019-04-20", 1),
    psychiatric("p-2019-05", OSTERSUND, "2019-05-20", 0),
]
_MONTHS = [f"{year}-{month:02d}" for year in (2018, 2019) for month in range(1, 13)][2:]


def _interrupted() -> Sent:
    """Utskrivningsklar on the 3rd of September, worse on the 5th, and never utskrivningsklar again."""
    reason = {"reasonCode": {"coding": [{"code": "deteriorated"}]}}
    zero = date(2018, 9, 3)
    worse = (("interruption", date(2018, 9, 5), reason),)
    return Sent("o-2018-09-interrupted", OSTERSUND, "somatic", zero, 18, steps=worse)


def _moved_within() -> Sent:
    """Folkbokförd in Östersund through the 10th of August, in Krokom from the 11th; home on the 14th."""
    return Sent(
        "k-2018-08-moved",
        KROKOM,
        "somatic",
        date(2018, 8, 12),
        2,
        addresses=(address(OSTERSUND, end="2018-08-10"), address(KROKOM, start="2018-08-11")),
    )


def _moved_after() -> Sent:
    """The person of June's stay of six days, admitted again in September, now of Krokom."""
    return Sent("k-2018-09-again", KROKOM, "somatic", date(2018, 9, 19), 1, person="person-o-2018-06-0")


def _from_sundsvall() -> Sent:
    """A resident of another region, with all that the statute asks for before a municipality pays."""
    zero = date(2019, 3, 10)
    return Sent(
        "s-2019-03",
        SUNDSVALL,
        "somatic",
        zero,
        10,
        steps=(
            ("admission-notice", zero - timedelta(days=5), {}),
            ("sip-call", zero, {}),
            ("open-care", zero, {}),
        ),
    )


Stays = dict[str, list[Sent]]


def play() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Give each month with the messages that arrive before it is settled."""
    stays = {month: list(_stays_of(month)) for month in _MONTHS}
    for month in _MONTHS:
        yield month, [message(stay) for stay in stays[month]] + list(_later(month, stays))


def _stays_of(month: str) -> Iterator[Sent]:
    yield from somatic(f"o-{month}", OSTERSUND, month, *_OSTERSUND.get(month, ()))
    yield from somatic(f"k-{month}", KROKOM, month, *_KROKOM.get(month, ()))
    yield psychiatric(f"pk-{month}", KROKOM, f"{month}-20", 0)
    special = (_interrupted(), _moved_within(), _moved_after(), _from_sundsvall(), _error())
    yield from (stay for stay in (*_PSYCHIATRIC, *special) if f"{stay.end:%Y-%m}" == month)


def _error() -> Sent:
    """A stay of twenty days that was entered on the wrong person; it is voided before July is settled."""
    return Sent("o-2018-07-error", OSTERSUND, "somatic", date(2018, 7, 2), 20)


def _later(month: str, stays: Stays) -> Iterator[dict[str, Any]]:
    """What else arrives in a month, about stays of that month or of earlier ones."""
    if month == "2018-07":  # the Encounter alone says that it was in error; its Tasks go with it
        yield _newer_encounter(_error(), 2, status="entered-in-error")
    if month == "2019-02":  # went home on the 18th of November, not on the 20th
        yield _corrected(stays["2018-11"][0], days=4)
    if month == "2019-05":  # the person of June 2018 is protected from now on
        security = {"security": [{"code": "sekretessmarkering"}]}
        yield _of_person("person-o-2018-06-0", KROKOM, date(2019, 5, 10), meta=security)
    if month == "2019-06":  # was folkbokförd in Krokom since the 1st of February
        person = f"person-{stays['2019-02'][1].id}"
        changed = patient(person, KROKOM, changed=date(2019, 6, 12))
        changed["address"] = [address(KROKOM, start="2019-02-01")]
        yield bundle("moved-2019-06", "2019-06-12T09:00:00+02:00", changed)
    if month == "2019-08":  # went home after three days, not after six: January was not over the threshold
        yield _corrected(stays["2019-01"][2], days=3)


def _newer_encounter(stay: Sent, version: int, **changed: Any) -> dict[str, Any]:
    """A newer version of the Encounter alone."""
    person = stay.person or f"person-{stay.id}"
    encounter = _encounter(stay, person, version) | changed
    encounter["meta"] = {"versionId": str(version), "lastUpdated": _at(stay.end + timedelta(days=60), 9)}
    return bundle(f"{stay.id}-{version}", encounter["meta"]["lastUpdated"], encounter)


def _corrected(stay: Sent, days: int) -> dict[str, Any]:
    """A newer version of the Encounter, with another day of discharge."""
    return _newer_encounter(replace(stay, days=days), 2)


def _of_person(person: str, municipality: str, day: date, **more: Any) -> dict[str, Any]:
    return bundle(f"{person}-{day}", _at(day, 9), patient(person, municipality, changed=day, **more))
