"""One message in every form that a hospital may send it in: the same comes of it, told as it was asked."""

import gzip
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import pytest

from adapter.fhir.decimals import dumps
from adapter.fhir.model import FhirVersion, validate
from adapter.fhir.xml import parse_xml, to_xml
from adapter.settings import Source
from tests.service import renewed, service, way_home

JSON, XML = "application/fhir+json", "application/fhir+xml"
DOOR = "/fhir/losus-r4/$process-message"
R4 = FhirVersion.R4


@pytest.fixture
async def client(dsn: str) -> AsyncIterator[httpx.AsyncClient]:
    sources = {"losus-r4": Source(mapping="losus-r4"), "slow": Source(mapping="losus-r4", rate=2)}
    async with service(dsn, sources=sources, max_entries=5, max_bytes=60_000) as ours:
        yield ours


def read(answer: httpx.Response) -> dict[str, Any]:
    """The resource of an answer, whichever way it is written."""
    if answer.headers["content-type"].startswith(XML):
        return parse_xml(answer.content, R4, max_bytes=10**6, max_depth=60)
    found: dict[str, Any] = answer.json()
    return found


async def rows(dsn: str, table: str) -> int:
    connection = await asyncpg.connect(dsn)
    try:
        return int(await connection.fetchval(f"select count(*) from {table}"))  # noqa: S608 - names of ours
    finally:
        await connection.close()


async def pictures(dsn: str) -> list[Any]:
    connection = await asyncpg.connect(dsn)
    try:
        found = await connection.fetch("select picture from cases order by id")
        return [one["picture"] for one in found]
    finally:
        await connection.close()


FORMS = [
    # Content-Type, Content-Encoding, Accept, because
    (JSON, None, JSON, "JSON"),
    ("application/json; charset=utf-8", None, JSON, "the generic type"),
    (f"{JSON}; fhirVersion=4.0", None, f"{JSON}; fhirVersion=4.0", "with the version"),
    (XML, None, XML, "XML"),
    ("text/xml", None, JSON, "XML, answered in JSON"),
    (JSON, None, XML, "JSON, answered in XML"),
    (JSON, "gzip", JSON, "packed"),
    (XML, "gzip", XML, "XML, packed"),
]


def written(message: dict[str, Any], content_type: str, coding: str | None) -> bytes:
    body = to_xml(message, R4) if "xml" in content_type else dumps(message)
    return gzip.compress(body) if coding else body


@pytest.mark.parametrize(("content_type", "coding", "accept", "because"), FORMS)
async def test_the_same_comes_of_every_form(
    client: httpx.AsyncClient, dsn: str, content_type: str, coding: str | None, accept: str, because: str
) -> None:
    message = way_home()[0]
    headers = {"content-type": content_type, "accept": accept}
    if coding:
        headers["content-encoding"] = coding
    answer = await client.post(DOOR, content=written(message, content_type, coding), headers=headers)
    assert answer.status_code == 200, because
    assert answer.headers["content-type"] == accept
    response = read(answer)
    assert response["entry"][0]["resource"]["response"]["code"] == "ok"
    assert validate(response, R4) == []
    (picture,) = await pictures(dsn)
    assert '"state":"admitted"' in str(picture).replace('": "', '":"')
    again = await client.post(DOOR, content=dumps(message), headers={"accept": JSON})
    assert read(again) == response, "a repeat in another form is a repeat"
    assert await rows(dsn, "event") == 1


async def test_what_a_message_says_does_not_hang_on_how_it_is_written(
    client: httpx.AsyncClient, dsn: str
) -> None:
    """Each message of a stay once in JSON, and once more in XML as a new message: no news, so no event."""
    for message in way_home():
        assert (await client.post(DOOR, content=dumps(message))).status_code == 200
    told = await rows(dsn, "event"), await pictures(dsn)
    for number, message in enumerate(way_home()):
        body = to_xml(renewed(message, str(number)), R4)
        assert (await client.post(DOOR, content=body, headers={"content-type": XML})).status_code == 200
    assert (await rows(dsn, "event"), await pictures(dsn)) == told


REFUSED = [
    # body, headers, status, issue code, because
    (b"{}", {"content-type": "text/plain"}, 415, "not-supported", "no FHIR"),
    (b"{}", {"content-type": f"{JSON}; fhirVersion=3.0"}, 415, "not-supported", "STU3"),
    (
        b"{}",
        {"content-type": JSON, "content-encoding": "br"},
        415,
        "not-supported",
        "a coding that is not read",
    ),
    (b"{}", {"content-type": JSON, "accept": "text/html"}, 406, "not-supported", "no page is made"),
    (b"{}", {"content-type": XML}, 400, "structure", "JSON, said to be XML"),
    (b"<a/>", {"content-type": JSON}, 400, "structure", "XML, said to be JSON"),
    (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', {"content-type": XML}, 400, "structure", "an entity"),
    (b" " * 60_001, {"content-type": JSON}, 413, "too-long", "over the limit"),
    (
        gzip.compress(b" " * 60_001, mtime=0),
        {"content-encoding": "gzip"},
        413,
        "too-long",
        "over the limit, unpacked",
    ),
    (b'{"resourceType":"Bundle","resourceType":"Task"}', {}, 400, "structure", "a name twice"),
]


@pytest.mark.parametrize(("body", "headers", "status", "code", "because"), REFUSED)
async def test_what_is_refused_is_not_stored(
    client: httpx.AsyncClient,
    dsn: str,
    body: bytes,
    headers: dict[str, str],
    status: int,
    code: str,
    because: str,
) -> None:
    answer = await client.post(DOOR, content=body, headers=headers)
    (issue,) = answer.json()["issue"]
    assert (answer.status_code, issue["code"]) == (status, code), because
    assert await rows(dsn, "message") == 0


async def test_a_message_that_is_not_to_be_answered_is_not_taken(client: httpx.AsyncClient, dsn: str) -> None:
    answer = await client.post(DOOR, content=dumps(way_home()[0]), headers={"accept": "text/html"})
    assert answer.status_code == 406
    assert await rows(dsn, "message") == 0


async def test_too_many_entries(client: httpx.AsyncClient, dsn: str) -> None:
    message = way_home()[0]
    more = {"fullUrl": "urn:uuid:x", "resource": {"resourceType": "Basic", "code": {"text": "x"}}}
    message["entry"] += [more | {"fullUrl": f"urn:uuid:{i}"} for i in range(6 - len(message["entry"]))]
    for content_type in (JSON, XML):
        body = written(message, content_type, None)
        answer = await client.post(DOOR, content=body, headers={"content-type": content_type})
        assert (answer.status_code, answer.json()["issue"][0]["expression"]) == (413, ["Bundle.entry"])
    assert await rows(dsn, "message") == 0


async def test_a_fault_is_told_in_the_form_that_was_asked_for(client: httpx.AsyncClient) -> None:
    message = way_home()[0]
    message["entry"][1]["resource"]["status"] = "utskrivningsklar"
    answer = await client.post(
        DOOR, content=to_xml(message, R4), headers={"content-type": XML, "accept": XML}
    )
    assert answer.status_code == 422
    assert [(one["code"], one["expression"]) for one in read(answer)["issue"]] == [
        ("code-invalid", ["Bundle.entry[1].resource.status"])
    ]
    assert b"utskrivningsklar" not in answer.content


async def test_a_source_in_a_hurry_is_told_to_wait_and_no_other(client: httpx.AsyncClient, dsn: str) -> None:
    door, message = "/fhir/slow/$process-message", way_home()[0]
    bodies = [dumps(renewed(message, str(number))) for number in range(3)]
    statuses = [(await client.post(door, content=body)).status_code for body in bodies]
    assert statuses == [200, 200, 429]
    answer = await client.post(door, content=bodies[2])
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.json()["issue"][0]["code"] == "throttled"
    assert (await client.post(DOOR, content=bodies[0])).status_code == 200
    assert await rows(dsn, "message") == 3
