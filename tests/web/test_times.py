"""Times at the ends of time, to the day or month, and leap seconds: taken, passed over, or refused by path.

R4 datatypes#dateTime, #instant, #Period. Whatever it is: never a 5xx, and never in the way of what comes later
about the same person.
"""

# ruff: noqa: E501 - a row of a table stands on one line where it can be read so

import copy
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from adapter.losus.deadlines import DeadlineName
from tests.service import send, service, way_home

Resource = dict[str, Any]
SOURCE = "/fhir/losus-r4"
NEVER, UNKNOWN = "9999-12-31T23:59:59+14:00", "0001-01-01T00:00:00+14:00"
OUTSIDE = "is outside the years 1900 to 2199"
STAMP = f"the time {OUTSIDE}"


@pytest.fixture
async def client(dsn: str) -> AsyncIterator[httpx.AsyncClient]:
    async with service(dsn) as one:
        yield one


def message() -> Resource:
    """The admission of the way home: header, Encounter, Patient."""
    return copy.deepcopy(way_home()[0])


def of(bundle: Resource, kind: str) -> Resource:
    found: Resource = next(e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == kind)
    return found


def put_in(target: Any, path: str, value: object) -> None:
    """Set what stands at a dotted path; `0` is the first of a list, which is made where it is missing."""
    *way, last = (int(name) if name.isdigit() else name for name in path.split("."))
    for name, following in zip(way, [*way, last][1:], strict=True):
        if isinstance(name, str):
            target.setdefault(name, [{}] if following == 0 else {})
        target = target[name]
    target[last] = value


async def case_of(client: httpx.AsyncClient) -> Resource:
    [case] = (await client.get("/cases")).json()["cases"]
    found: Resource = case
    return found


def issues(answer: httpx.Response) -> list[tuple[str | None, str]]:
    """Path and rule of every fault of an answer, wherever its OperationOutcome stands."""
    body = answer.json()
    inside = [body, *(entry.get("resource", {}) for entry in body.get("entry", ()))]
    inside += [entry.get("response", {}).get("outcome", {}) for entry in body.get("entry", ())]
    return [
        (one.get("expression", [None])[0], one.get("diagnostics", ""))
        for each in inside
        for one in each.get("issue", ())
        if one["severity"] in {"error", "fatal"}
    ]


PASSED_OVER = [
    # resource, path, value, because
    ("Encounter", "period.end", "9999-12-31", "the stay goes on: nobody reads when it ends"),
    ("Encounter", "period.end", NEVER, "the same, at the last instant there is"),
    ("Encounter", "location.0.period.end", NEVER, "a ward's end that nobody reads"),
    ("Encounter", "location.0.period.end", "9999", "a year"),
    ("Encounter", "identifier.0.period.start", UNKNOWN, "since ever"),
    ("Encounter", "statusHistory.0", {"status": "planned", "period": {"end": NEVER}}, "a history nobody reads"),
    ("Patient", "address.0.period", {"start": "0001-01-01", "end": "9999-12-31"}, "always"),
    ("Patient", "address.0.period.end", NEVER, "for ever"),
    ("Patient", "name.0.period.start", UNKNOWN, "since ever"),
    ("Patient", "birthDate", "0001-01-01", "not known"),
    ("Patient", "extension.0", {"url": "https://x.example", "valueDateTime": UNKNOWN}, "what nobody knows"),
    ("Patient", "extension.0", {"url": "https://x.example", "valueInstant": NEVER}, "what nobody knows"),
    ("MessageHeader", "meta.lastUpdated", UNKNOWN, "no version of a header counts"),
    ("Encounter", "period.start", "2016-12-31T23:59:60+01:00", "a leap second is read"),
    ("Encounter", "meta.lastUpdated", "2016-12-31T23:59:60Z", "a leap second is read"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "path", "value", "because"), PASSED_OVER)
async def test_a_message_is_taken_with_it(
    client: httpx.AsyncClient, kind: str, path: str, value: object, because: str
) -> None:
    bundle = message()
    put_in(of(bundle, kind), path, value)
    answer = await send(client, bundle)
    assert answer.status_code == 200, (because, answer.text)
    assert (await case_of(client))["state"] == "admitted"


REFUSED = [
    # resource, path, value, path of the fault, its rule, because
    ("Encounter", "period.start", "9999-12-31", "Bundle.entry[1].resource.period.start", OUTSIDE, "an admission"),
    ("Encounter", "period.start", UNKNOWN, "Bundle.entry[1].resource.period.start", OUTSIDE, "an admission"),
    ("Encounter", "period.start", "2200", "Bundle.entry[1].resource.period.start", OUTSIDE, "an admission, to the year"),
    ("Encounter", "classHistory.0", {"class": {"code": "IMP"}, "period": {"start": NEVER}},
     "Bundle.entry[1].resource.classHistory[0].period.start", OUTSIDE, "an admission from the emergency room"),
    ("Encounter", "meta.lastUpdated", UNKNOWN, "Bundle.entry[1].resource.meta.lastUpdated", STAMP, "ranks its versions"),
    ("Patient", "meta.lastUpdated", NEVER, "Bundle.entry[2].resource.meta.lastUpdated", STAMP, "ranks its versions"),
    ("Patient", "deceasedDateTime", NEVER, "Bundle.entry[2].resource.deceased", STAMP, "a death"),
    ("Bundle", "timestamp", NEVER, "Bundle.timestamp", STAMP, "stands in for meta"),
    ("Bundle", "timestamp", "0001-01-01T00:00:00Z", "Bundle.timestamp", STAMP, "a time that was never set"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "path", "value", "at", "rule", "because"), REFUSED)
async def test_a_message_is_refused_by_path_and_rule(
    client: httpx.AsyncClient, kind: str, path: str, value: object, at: str, rule: str, because: str
) -> None:
    bundle = message()
    put_in(bundle if kind == "Bundle" else of(bundle, kind), path, value)
    answer = await send(client, bundle)
    assert answer.status_code == 422, (because, answer.text)
    [(place, said)] = issues(answer)
    assert (place, rule in said) == (at, True), said
    assert "9999" not in answer.text
    await nothing_is_in_the_way(client)


async def nothing_is_in_the_way(client: httpx.AsyncClient) -> None:
    """A later version of the same Patient, and another stay of the same person, are taken."""
    patient, encounter = of(message(), "Patient"), of(message(), "Encounter")
    for version in ("7", "8"):
        patient["meta"] = {"versionId": version, "lastUpdated": f"2024-03-0{version}T10:00:00+01:00"}
        answer = await client.put(f"{SOURCE}/Patient/{patient['id']}", content=json.dumps(patient))
        assert answer.status_code in {200, 201}, answer.text
    encounter["id"] = "another-stay"
    answer = await client.put(f"{SOURCE}/Encounter/another-stay", content=json.dumps(encounter))
    assert answer.status_code == 201, answer.text


PUT = [
    # resource, path, value, status, path of the fault, because
    ("Encounter", "period.start", "9999-12-31", 422, "Encounter.period.start", "an admission"),
    ("Encounter", "period.start", "9999-12-30", 422, "Encounter.period.start", "a day before the last there is"),
    ("Encounter", "period.start", "0001-01-02", 422, "Encounter.period.start", "a day after the first there is"),
    ("Encounter", "period.end", "9999-12-31", 201, None, "nobody reads it"),
    ("Encounter", "meta.lastUpdated", NEVER, 422, "Encounter.meta.lastUpdated", "ranks its versions"),
    ("Patient", "meta.lastUpdated", UNKNOWN, 422, "Patient.meta.lastUpdated", "ranks its versions"),
    ("Patient", "address.0.period.end", NEVER, 201, None, "nobody reads it"),
    ("Location", "meta.lastUpdated", UNKNOWN, 422, "Location.meta.lastUpdated", "kept to be found"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "path", "value", "status", "at", "because"), PUT)
async def test_an_update(
    client: httpx.AsyncClient, kind: str, path: str, value: object, status: int, at: str | None, because: str
) -> None:
    location = {"resourceType": "Location", "id": "w"}
    resource = location if kind == "Location" else of(message(), kind)
    put_in(resource, path, value)
    answer = await client.put(f"{SOURCE}/{kind}/{resource['id']}", content=json.dumps(resource))
    assert (answer.status_code, [place for place, _ in issues(answer)] if at else []) == (
        status,
        [at] if at else [],
    ), (because, answer.text)
    await nothing_is_in_the_way(client)


@pytest.mark.parametrize("kind", ["transaction", "batch"])
@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        ("period.start", NEVER, "Bundle.entry[0].resource.period.start"),
        ("meta.lastUpdated", UNKNOWN, "Bundle.entry[0].resource.meta.lastUpdated"),
    ],
)
async def test_a_bundle_of_requests(
    client: httpx.AsyncClient, kind: str, path: str, value: str, place: str
) -> None:
    encounter, patient = of(message(), "Encounter"), of(message(), "Patient")
    put_in(encounter, path, value)
    entries = [
        {"resource": one, "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"}}
        for one in (encounter, patient)
    ]
    answer = await client.post(SOURCE, json={"resourceType": "Bundle", "type": kind, "entry": entries})
    assert answer.status_code == (422 if kind == "transaction" else 200), answer.text
    [(found, rule)] = issues(answer)
    assert OUTSIDE in rule
    assert found == place
    await nothing_is_in_the_way(client)


@pytest.mark.parametrize("value", ["9999-12-31", NEVER, "2200-01-01"])
@pytest.mark.parametrize(("step", "field", "part"), [(1, "expected", "end"), (10, "meeting_at", "start")])
async def test_a_plan_for_never(
    client: httpx.AsyncClient, step: int, field: str, part: str, value: str
) -> None:
    """LUS 2:2, 4:3: a planned discharge, a meeting: what is published is a day that there is."""
    bundle = copy.deepcopy(way_home()[step])
    of(bundle, "Task").setdefault("restriction", {})["period"] = {part: value}
    answer = await send(client, bundle)
    assert answer.status_code == 422, answer.text
    [(place, rule)] = issues(answer)
    assert place == "Bundle.entry[1].resource"
    assert f"field {field} {OUTSIDE}" in rule
    await nothing_is_in_the_way(client)


async def test_a_meeting_known_to_the_day(client: httpx.AsyncClient) -> None:
    """R4 datatypes#dateTime: a date; until now it was taken, and then stood in the way of the case."""
    for number in (0, 10):
        bundle = copy.deepcopy(way_home()[number])
        if number:
            of(bundle, "Task")["restriction"]["period"]["start"] = "2024-03-13"
        assert (await send(client, bundle)).status_code == 200
    assert (await case_of(client))["sip"]["meeting_at"] == "2024-03-12T23:00:00Z"


def ended(end: str) -> Resource:
    """The stay of the way home, over."""
    bundle = message()
    encounter = of(bundle, "Encounter")
    encounter |= {
        "status": "finished",
        "meta": {"versionId": "2", "lastUpdated": "2024-03-20T10:00:00+01:00"},
    }
    encounter["period"] = {"start": "2024-03-04T14:20:00+01:00", "end": end}
    bundle["id"], of(bundle, "MessageHeader")["id"] = "bundle-ended", "header-ended"
    return bundle


ENDS = [
    # Encounter.period.end, since when it is discharged, when the information is due, because
    ("2024-03-04", "2024-03-04T22:59:59.999999Z", "2024-03-04T22:59:59.999999Z", "R4 datatypes#Period: the day"),
    ("2024-03", "2024-03-31T21:59:59.999999Z", "2024-03-31T21:59:59.999999Z", "the month"),
    ("2024", "2024-12-31T22:59:59.999999Z", "2024-12-31T22:59:59.999999Z", "the year"),
    ("2024-03-04T18:00:00+01:00", "2024-03-04T17:00:00Z", "2024-03-04T22:59:59.999999Z", "by the clock"),
    ("2024-03-04T23:59:60+01:00", "2024-03-04T22:59:59.999999Z", "2024-03-04T22:59:59.999999Z", "a leap second"),
]  # fmt: skip


@pytest.mark.parametrize(("end", "since", "due", "because"), ENDS)
async def test_a_stay_that_ends(
    client: httpx.AsyncClient, end: str, since: str, due: str, because: str
) -> None:
    notice = copy.deepcopy(way_home()[1])
    of(notice, "Task")["authoredOn"] = "2024-03-04T15:00:00+01:00"
    for bundle in (notice, ended(end)):
        assert (await send(client, bundle)).status_code == 200
    case = await case_of(client)
    assert (case["state"], case["since"], case["ended"]["at"]) == ("discharged", since, since), because
    assert set(case["ended"]) == {"how", "at", "destination"}
    dues = {one["name"]: one["due"] for one in case["deadlines"]}
    assert dues[DeadlineName.INFORMATION_TRANSFER] == due
    assert dues[DeadlineName.CARE_CONTACT] == since


async def test_a_stay_that_ends_the_day_before_it_began(client: httpx.AsyncClient) -> None:
    """per-1, by a Swedish clock."""
    answer = await send(client, ended("2024-03-03"))
    assert (answer.status_code, issues(answer)[0][0]) == (422, "Bundle.entry[1].resource.period")
