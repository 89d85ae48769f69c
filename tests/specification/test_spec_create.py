"""Creates: each is told to be a repeat, or new, by its own target alone; what is answered is what is stored.

Source: FHIR R4 http#create, http#ccreate, http#update, http#ops (Prefer), http#versions; RFC 9110 8.8.
"""

import json
from datetime import datetime
from email.utils import parsedate_to_datetime

import httpx
import pytest

from adapter.fhir.model import FhirVersion
from adapter.fhir.xml import to_xml
from tests.specification.sending import (
    NUMBER,
    SOURCE,
    Resource,
    bundle,
    cases,
    changed,
    condition,
    create,
    entries_of,
    finished,
    message,
    meta,
    person,
    plan,
    post,
    put,
    ready,
    rows,
    say,
    stay,
    team,
    update,
    without,
)

STAY = without(stay(), "id")
POINTING = [
    # what is created, because
    (STAY, "Encounter.subject"),
    (without(ready(**{"for": {"reference": "Patient/p1"}}), "id"), "Task.for"),
    (without(plan(), "id"), "CarePlan.subject"),
    (without(team(), "id"), "CareTeam.subject"),
]
WAYS = ["single", "batch", "transaction"]


async def by(
    client: httpx.AsyncClient, way: str, resource: Resource, **condition_: str
) -> tuple[int, str, str]:
    """Create a resource: status, Location without its version, entity tag."""
    if way == "single":
        headers = {"if-none-exist": condition_["ifNoneExist"]} if condition_ else {}
        path = f"{SOURCE}/{resource['resourceType']}"
        answer = await client.post(path, content=json.dumps(resource), headers=headers)
        told = (answer.status_code, answer.headers.get("location", ""), answer.headers.get("etag", ""))
    else:
        answer = await client.post(SOURCE, json=bundle(post(resource, **condition_), kind=way))
        [one] = entries_of(answer) if answer.status_code == 200 else [{"status": str(answer.status_code)}]
        told = (int(one["status"][:3]), one.get("location", ""), one.get("etag", ""))
    return told[0], told[1].partition("/_history/")[0], told[2]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("known", ["put", "message", "read along"])
@pytest.mark.parametrize(("resource", "because"), POINTING)
async def test_what_a_create_points_at_may_be_known(
    client: httpx.AsyncClient, dsn: str, way: str, known: str, resource: Resource, because: str
) -> None:
    """R4 http#create: «The create interaction creates a new resource in a server-assigned location»."""
    if known == "put":
        await update(client, person())
        await update(client, stay())
    else:
        await say(client, message("1", stay(), person()))
    if known == "read along":
        await update(client, stay("s0"))
    status, location, _ = await by(client, way, resource)
    assert status == 201, because
    name = location.rpartition("/")[2]
    kind = resource["resourceType"]
    found = await rows(dsn, f"select 1 from resource where name = '{kind}/{name}'")  # noqa: S608
    assert len(found) == 1, "what is answered 201 is stored"
    said = await rows(dsn, f"select 1 from fact where resource = '{kind}/{name}'")  # noqa: S608
    assert len(said) == 1, "and read"
    if kind == "Encounter":
        assert (await cases(client))[name] == ("admitted", "2380")


@pytest.mark.parametrize("way", WAYS)
async def test_the_same_create_again(client: httpx.AsyncClient, way: str) -> None:
    """R4 http#create leaves a repeat open: here the same bytes are the same creation."""
    await update(client, person())
    first, again = await by(client, way, STAY), await by(client, way, STAY)
    assert (first[0], again[0]) == (201, 200)
    assert first[1:] == again[1:], "Location and ETag are true"
    assert len(await cases(client)) == 1
    if way == "single":
        name = first[1].rpartition("/")[2]
        newer = finished(name, **meta("2", "2024-03-12T12:00:00+01:00"))
        assert (await update(client, newer, if_match=again[2])).status_code == 200, "RFC 9110 13.1.1"
        third = await by(client, way, STAY)
        assert third[0] == 200
        assert third[2] == 'W/"2"', "the tag of what is stored now"


@pytest.mark.parametrize("way", WAYS)
async def test_a_patient_put_between_makes_no_create_a_repeat(client: httpx.AsyncClient, way: str) -> None:
    await update(client, person())
    one = await by(client, way, STAY)
    await update(client, person(**meta("2", "2024-03-05T10:00:00+01:00"), birthDate="1945-01-01"))
    two = await by(client, way, changed(STAY, period={"start": "2024-03-20T10:00:00+01:00"}))
    assert (one[0], two[0]) == (201, 201)
    assert one[1] != two[1]


@pytest.mark.parametrize("way", WAYS)
async def test_id_and_version_in_a_creates_body_do_not_count(client: httpx.AsyncClient, way: str) -> None:
    """R4 http#create: «If an id is provided, the server SHALL ignore it», and so `meta.versionId`."""
    await update(client, person())
    await update(client, stay("theirs"))
    status, location, tag = await by(client, way, stay("theirs", **meta("17"), status="arrived"))
    assert status == 201
    assert not location.endswith("/theirs")
    assert tag != 'W/"17"'
    assert len(await cases(client)) == 2


MATCHES = [
    # persons known with the number, status, because
    (0, 201, "http#ccreate: no matches: the server processes the create as above"),
    (1, 200, "http#ccreate: one match: the server ignores the post and returns 200 OK"),
    (2, 412, "http#ccreate: multiple matches: 412, the criteria were not selective enough"),
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("known", "status", "because"), MATCHES)
async def test_a_conditional_create(
    client: httpx.AsyncClient, dsn: str, way: str, known: int, status: int, because: str
) -> None:
    for number in range(known):
        await update(client, person(f"p{number}"))
    body = without(person(birthDate="1945-01-01"), "id")
    given = await by(client, way, body, ifNoneExist=condition())
    assert given[0] == status, because
    if status == 412:
        return
    again = await by(client, way, body, ifNoneExist=condition())
    assert again == (200, *given[1:]), "the next one finds what the first created"
    stored = await rows(dsn, "select count(*) from resource where name like 'Patient/%'")
    assert stored == [(1,)]


async def test_a_conditional_create_that_matches_answers_with_what_is_stored(
    client: httpx.AsyncClient,
) -> None:
    """R4 http#ccreate; http#ops: the representation is that of the resource, not of the body."""
    put = await update(client, person())
    body = changed(person("other"), birthDate="1945-01-01")
    answer = await create(client, body, if_none_exist=condition())
    assert answer.status_code == 200
    assert answer.json()["id"] == "p1"
    assert "birthDate" not in answer.json()
    assert answer.headers["etag"] == put.headers["etag"]
    assert answer.headers["last-modified"] == put.headers["last-modified"]
    assert answer.headers["location"] == put.headers["location"]


async def test_a_conditional_create_by_another_spelling_of_the_number(client: httpx.AsyncClient) -> None:
    await update(client, person())
    for number, system in ((NUMBER[:8] + "-" + NUMBER[8:], None), (NUMBER, "urn:oid:1.2.752.129.2.1.3.1")):
        asked = condition(number, system) if system else condition(number)
        answer = await create(client, without(person(), "id"), if_none_exist=asked)
        assert (answer.status_code, answer.json()["id"]) == (200, "p1")


def true_to_itself(answer: httpx.Response) -> Resource:
    """The representation, whose id, version and time are those of the headers."""
    shown: Resource = answer.json()
    assert answer.headers["etag"] == f'W/"{shown["meta"]["versionId"]}"'
    location = f"{shown['resourceType']}/{shown['id']}/_history/{shown['meta']['versionId']}"
    assert answer.headers["location"].endswith(location)
    at = parsedate_to_datetime(answer.headers["last-modified"])
    assert at == datetime.fromisoformat(shown["meta"]["lastUpdated"]).replace(microsecond=0)
    return shown


BODIES = [
    # meta of the body, because
    (meta(), "a version of the sender's own"),
    (meta("1", None), "a number and no time"),
    (meta(None), "a time and no number"),
    (meta(None, None), "no meta: the server's"),
    ({"meta": {"profile": ["https://ehr.example/p"]}}, "a meta without a version"),
    (meta("abc"), "a version that is no number"),
]


@pytest.mark.parametrize(("told", "because"), BODIES)
@pytest.mark.parametrize("way", ["post", "put", "conditional update", "conditional create"])
async def test_what_is_answered_is_what_the_server_has(
    client: httpx.AsyncClient, way: str, told: Resource, because: str
) -> None:
    """R4 http#create, http#update: Location, ETag, Last-Modified and meta are of one version."""
    await update(client, person())
    body = {**without(stay(), "meta"), **told, "identifier": [{"system": "urn:x", "value": "V-1"}]}

    async def write(sent: Resource) -> httpx.Response:
        if way == "put":
            return await update(client, sent)
        if way == "conditional update":
            where = f"{SOURCE}/Encounter?identifier=urn:x|V-1"
            return await client.put(where, content=json.dumps(without(sent, "id")))
        more = {"if_none_exist": "identifier=urn:x|V-1"} if way == "conditional create" else {}
        return await create(client, sent, **more)

    first = await write(body)
    assert first.status_code == 201, because
    shown = true_to_itself(first)
    again = await write(body)
    assert (again.status_code, true_to_itself(again)) == (200, shown), "the same once more"
    for name in ("etag", "location", "last-modified"):
        assert again.headers[name] == first.headers[name]
    same = await update(client, shown, if_match=first.headers["etag"])
    assert same.status_code == 200, "the tag that was given is that of what is stored"
    assert true_to_itself(same)["meta"]["versionId"] == shown["meta"]["versionId"], "nothing has changed"


@pytest.mark.parametrize(("told", "because"), BODIES)
@pytest.mark.parametrize("way", ["post", "put"])
async def test_a_client_saves_what_it_was_given(
    client: httpx.AsyncClient, way: str, told: Resource, because: str
) -> None:
    """R4 http#update: «If the request body includes a meta, the server SHALL ignore … versionId».

    Here that of a version that the client was given, with the tag that names it: it means that version.
    """
    await update(client, person())
    body = {**without(stay(), "meta"), **told}
    first = await (update if way == "put" else create)(client, body)
    shown = true_to_itself(first)
    ended = {
        "status": "finished",
        "period": {"start": shown["period"]["start"], "end": "2024-03-12T11:00:00Z"},
    }
    second = await update(client, {**shown, **ended}, if_match=first.headers["etag"])
    assert second.status_code == 200, because
    newer = true_to_itself(second)
    assert newer["status"] == "finished"
    assert second.headers["etag"] != first.headers["etag"]
    assert (await cases(client))[shown["id"]][0] == "discharged"
    stale = await update(client, {**shown, "status": "onleave"}, if_match=first.headers["etag"])
    assert stale.status_code == 412, "RFC 9110 13.1.1: the first tag is of no use any more"
    again = {**newer, "status": "in-progress", "period": shown["period"]}
    third = await update(client, again, if_match=second.headers["etag"])
    assert (third.status_code, (await cases(client))[shown["id"]][0]) == (200, "admitted"), "and back again"


@pytest.mark.parametrize("kind", ["transaction", "batch"])
@pytest.mark.parametrize(("told", "because"), BODIES)
async def test_the_entries_of_an_answer_tell_true_versions(
    client: httpx.AsyncClient, kind: str, told: Resource, because: str
) -> None:
    """R4 http#transaction-response: etag, lastModified and location are of the version that is stored."""
    await update(client, person())
    body = {**without(stay(), "meta"), **told}
    sent = bundle(put(body), post(without(body, "id")), kind=kind)
    preferring = {"prefer": "return=representation"}
    answer = await client.post(SOURCE, content=json.dumps(sent), headers=preferring)
    for one in answer.json()["entry"]:
        shown, response = one["resource"], one["response"]
        assert response["status"] == "201 Created", because
        assert response["etag"] == f'W/"{shown["meta"]["versionId"]}"'
        assert response["lastModified"] == shown["meta"]["lastUpdated"]
        name = f"{shown['resourceType']}/{shown['id']}"
        assert response["location"].endswith(f"{name}/_history/{shown['meta']['versionId']}")
        same = await update(client, shown, if_match=response["etag"])
        assert (same.status_code, same.headers["etag"]) == (200, response["etag"])


RETURNS = [
    # Prefer, type of the body, because
    (None, "Encounter", "http#ops: servers choose; clients take id and version from it"),
    ("return=representation", "Encounter", "the resource"),
    ("return=minimal", None, "no body"),
    ("return=OperationOutcome", "OperationOutcome", "what was done"),
]


@pytest.mark.parametrize("way", ["post", "put", "conditional update", "conditional create", "again"])
@pytest.mark.parametrize(("prefer", "kind", "because"), RETURNS)
async def test_what_is_preferred(
    client: httpx.AsyncClient, way: str, prefer: str | None, kind: str | None, because: str
) -> None:
    """R4 http#ops, Prefer: the headers are the same whatever the body."""
    await update(client, person())
    body = {**STAY, "identifier": [{"system": "urn:x", "value": "V-1"}]}
    headers = {"prefer": prefer} if prefer else {}
    if way == "put":
        answer = await update(client, {**body, "id": "s1"}, **headers)
    elif way == "conditional update":
        where = f"{SOURCE}/Encounter?identifier=urn:x|V-1"
        answer = await client.put(where, content=json.dumps(body), headers=headers)
    else:
        if way != "post":
            await create(client, body)
        more = {"if_none_exist": "identifier=urn:x|V-1"} if way == "conditional create" else {}
        answer = await create(client, body, **headers, **more)
    told = answer.json()["resourceType"] if answer.content else None
    assert (answer.status_code in {200, 201}, told) == (True, kind), because
    assert {"etag", "location", "last-modified"} <= answer.headers.keys()


async def test_the_representation_in_xml(client: httpx.AsyncClient) -> None:
    await update(client, person())
    xml = {"content-type": "application/fhir+xml", "accept": "application/fhir+xml"}
    body = to_xml(STAY, FhirVersion.R4)
    answer = await client.post(f"{SOURCE}/Encounter", content=body, headers=xml)
    assert answer.status_code == 201
    name = answer.headers["location"].rpartition("/Encounter/")[2].partition("/")[0]
    version = answer.headers["etag"].removeprefix("W/").strip('"')
    assert f'<id value="{name}"' in answer.text
    assert f'<versionId value="{version}"' in answer.text
    again = await client.post(f"{SOURCE}/Encounter", content=body, headers=xml)
    assert (again.status_code, again.headers["etag"]) == (200, answer.headers["etag"])
