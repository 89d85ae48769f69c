"""Whatever is sent: never a fault of ours, never a half-stored delivery, never a value told again."""

import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapter.fhir.model import FhirVersion
from adapter.fhir.xml import to_xml
from adapter.settings import Source
from tests.doors.mutation import CANARY, mutated
from tests.doors.notices import notice
from tests.doors.rig import resources
from tests.examples import PROFILE, examples
from tests.servers import REPOSITORY
from tests.service import renewed, service, way_home

Resource = dict[str, Any]
DATA = REPOSITORY.parent / "shared" / "data"
SOURCES = {
    "losus-r4": Source(mapping="losus-r4"),
    "medcom-hospitalnotification": Source(mapping="medcom-hospitalnotification"),
    "davinci-alerts": Source(mapping="davinci-alerts"),
    "hl7-r4": Source(mapping="hl7-r4"),
    "hl7-r5": Source(mapping="hl7-r5", fhir="R5"),
    "kommun": Source(mapping="losus-r4", municipality="2380"),
}
SOUND = (200, 201, 204)
#: What may be answered to a sender; a fault of ours is none of them.
ALLOWED = {*SOUND, 400, 403, 404, 405, 409, 412, 413, 415, 422}

_FUZZ = settings(
    max_examples=examples(100),
    deadline=None,
    derandomize=PROFILE != "long",
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)


@pytest.fixture
async def client(dsn: str) -> AsyncIterator[httpx.AsyncClient]:
    async with service(dsn, sources=SOURCES) as one:
        yield one


def real(folder: str) -> list[Resource]:
    """Messages and resources that nobody here wrote."""
    files = sorted((DATA / folder).glob("*.json"))
    return [json.loads(path.read_text(encoding="utf-8")) for path in files]


def requests() -> list[tuple[str, str, Resource]]:
    """Method, path and body of requests that are, or nearly are, sound."""
    every: list[tuple[str, str, Resource]] = []
    for message in way_home():
        every += [("POST", f"/fhir/{name}/$process-message", message) for name in ("losus-r4", "kommun")]
    for folder, name in (("medcom", "medcom-hospitalnotification"), ("davinci-alerts", "davinci-alerts")):
        every += [("POST", f"/fhir/{name}/$process-message", one) for one in real(folder)]
    for name, bodies in (("hl7-r4", real("hl7-r4")), ("hl7-r5", real("hl7-r5")), ("losus-r4", resources())):
        for one in bodies:
            kind = one.get("resourceType", "Encounter")
            every.append(("PUT", f"/fhir/{name}/{kind}/{one.get('id', 'x')}", one))
            every.append(("POST", f"/fhir/{name}/{kind}", one))
    entries = [
        {"resource": one, "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"}}
        for one in resources()
    ]
    for kind in ("transaction", "batch"):
        every.append(("POST", "/fhir/losus-r4", {"resourceType": "Bundle", "type": kind, "entry": entries}))
    told = list(enumerate(resources()[:4], start=1))
    every += [
        ("POST", "/fhir/losus-r4/$subscription-hook", notice(version, "event-notification", 4, told))
        for version in ("R4", "R4B", "R5")
    ]
    every += [("POST", "/fhir/losus-r4/$subscription-hook", one) for one in real("backport")]
    return every


REQUESTS = requests()


async def stored(dsn: str) -> tuple[int, int]:
    """How many deliveries are stored, and how many of them neither said anything nor are held."""
    connection = await asyncpg.connect(dsn)
    row = await connection.fetchrow(
        """select count(*) as all, count(*) filter (where status >= 400
                    and not exists (select from held where held.message = message.id)) as lost
           from message"""
    )
    await connection.close()
    return row["all"], row["lost"]


def _is_what_was_sent(answer: httpx.Response, body: Mapping[str, Any]) -> bool:
    """Whether it is the representation of the resource itself (R4 http#ops), for who sent it."""
    alone = body["resourceType"] != "Bundle"
    return alone and answer.status_code in SOUND and answer.json()["resourceType"] == body["resourceType"]


@given(data=st.data())
@_FUZZ
async def test_whatever_is_sent(
    client: httpx.AsyncClient, dsn: str, capfd: pytest.CaptureFixture[str], data: st.DataObject
) -> None:
    method, path, body = data.draw(st.sampled_from(REQUESTS))
    if body.get("type") == "message":
        body = renewed(body, str(data.draw(st.integers(0, 10**9))))
    changed = data.draw(mutated(body))
    before, _ = await stored(dsn)
    answer = await client.request(method, path, content=json.dumps(changed))
    after, lost = await stored(dsn)
    logged = capfd.readouterr()
    assert answer.status_code in ALLOWED, (answer.status_code, path)
    assert CANARY not in logged.out + logged.err
    assert CANARY not in answer.text or _is_what_was_sent(answer, body)
    assert lost == 0, "what is refused is not stored, and what is stored and refused is held"
    if answer.status_code not in {*SOUND, 422}:
        assert after == before


@given(data=st.data())
@_FUZZ
async def test_whatever_bytes_are_sent(
    client: httpx.AsyncClient, capfd: pytest.CaptureFixture[str], data: st.DataObject
) -> None:
    """Bytes of JSON or XML with some left out, put in, or turned round; and of neither."""
    method, path, body = data.draw(st.sampled_from(REQUESTS))
    as_xml = data.draw(st.booleans()) and body.get("resourceType") in {"Encounter", "Task", "Bundle"}
    text = to_xml(body, FhirVersion.R4) if as_xml and "hl7-r5" not in path else json.dumps(body).encode()
    at = data.draw(st.integers(0, len(text)))
    piece = data.draw(
        st.one_of(st.binary(max_size=8), st.sampled_from([b"]]>", b"<!DOCTYPE x>", b"\xed\xa0\x80"]))
    )
    cut = data.draw(st.integers(0, 40))
    sent = text[:at] + piece + text[at + cut :]
    kind = data.draw(st.sampled_from(["application/fhir+json", "application/fhir+xml", None]))
    headers = {"content-type": kind} if kind else {}
    answer = await client.request(method, path, content=sent, headers=headers)
    capfd.readouterr()
    assert answer.status_code in ALLOWED, (answer.status_code, path)


@pytest.mark.skipif(not DATA.is_dir(), reason="the folder of real messages is not there")
def test_real_messages_take_part(shared: Path) -> None:
    assert shared.is_dir()
    assert len(REQUESTS) > 100
