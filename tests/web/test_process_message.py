"""POST /fhir/{source}/$process-message: what is answered, what is stored, what never leaks."""

import asyncio
import copy
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import asyncpg
import httpx
import pytest

from adapter.fhir.model import FhirVersion, validate
from adapter.store import messages as inbox
from tests.service import renewed, send, service, way_home

PLANTED = ("191212121212", "Tolvansson", "Storgatan")


@pytest.fixture
async def client(dsn: str) -> AsyncIterator[httpx.AsyncClient]:
    async with service(dsn, max_bytes=100_000, max_depth=30) as ours:
        yield ours


async def rows(dsn: str, table: str) -> int:
    connection = await asyncpg.connect(dsn)
    try:
        return int(await connection.fetchval(f"select count(*) from {table}"))  # noqa: S608 - names of ours
    finally:
        await connection.close()


def issues(answer: httpx.Response) -> list[dict[str, Any]]:
    resource = answer.json()
    inside = [resource, *(entry["resource"] for entry in resource.get("entry", ()))]
    return [issue for one in inside if one["resourceType"] == "OperationOutcome" for issue in one["issue"]]


async def test_a_message_is_answered_by_a_response_message(client: httpx.AsyncClient, dsn: str) -> None:
    message = way_home()[0]
    answer = await send(client, message)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/fhir+json"
    response = answer.json()
    header = response["entry"][0]["resource"]
    assert header["response"] == {"identifier": message["entry"][0]["resource"]["id"], "code": "ok"}
    assert validate(response, FhirVersion.R4) == []
    counts = {name: await rows(dsn, name) for name in ("message", "fact", "cases", "event", "outbox")}
    assert counts == {"message": 1, "fact": 2, "cases": 1, "event": 1, "outbox": 1}


def no_json(_: dict[str, Any]) -> bytes:
    return b'{"resourceType": "Bundle", "191212121212'


def no_object(_: dict[str, Any]) -> bytes:
    return b'["191212121212"]'


def no_bundle(message: dict[str, Any]) -> dict[str, Any]:
    return dict(message["entry"][2]["resource"])


def no_message(message: dict[str, Any]) -> dict[str, Any]:
    return message | {"type": "collection"}


def no_header(message: dict[str, Any]) -> dict[str, Any]:
    return message | {"entry": message["entry"][1:]}


def no_ids(message: dict[str, Any]) -> dict[str, Any]:
    del message["id"], message["entry"][0]["resource"]["id"]
    return message


def no_resource(message: dict[str, Any]) -> dict[str, Any]:
    del message["entry"][1]["resource"]
    return message


def unknown_type(message: dict[str, Any]) -> dict[str, Any]:
    message["entry"][2]["resource"]["resourceType"] = "Tolvansson"
    return message


def unknown_element(message: dict[str, Any]) -> dict[str, Any]:
    message["entry"][2]["resource"]["Tolvansson"] = True
    return message


def bad_time(message: dict[str, Any]) -> dict[str, Any]:
    message["entry"][1]["resource"]["period"]["start"] = "Storgatan 12"
    return message


def no_zone(message: dict[str, Any]) -> dict[str, Any]:
    message["entry"][1]["resource"]["period"]["start"] = "2024-03-04T14:20:00"
    return message


def bad_status(message: dict[str, Any]) -> dict[str, Any]:
    message["entry"][1]["resource"]["status"] = "utskrivningsklar"
    return message


def backwards(message: dict[str, Any]) -> dict[str, Any]:
    message["entry"][1]["resource"]["period"]["end"] = "2024-03-04T14:19:59+01:00"
    return message


def long_id(message: dict[str, Any]) -> dict[str, Any]:
    message["entry"][2]["resource"]["id"] = "t" * 65
    return message


def two_names_wrong(message: dict[str, Any]) -> dict[str, Any]:
    message["entry"][2]["resource"]["name"][0]["family"] = ["Tolvansson"]
    message["entry"][2]["resource"]["birthDate"] = "Storgatan"
    return message


def too_large(message: dict[str, Any]) -> dict[str, Any]:
    message["entry"][2]["resource"]["name"][0]["text"] = "Tolvansson" * 10_000
    return message


def too_deep(message: dict[str, Any]) -> dict[str, Any]:
    inner: dict[str, Any] = {"url": "x", "valueString": "Tolvansson"}
    for _ in range(30):
        inner = {"url": "x", "extension": [inner]}
    message["entry"][2]["resource"]["extension"] = [inner]
    return message


def a_nul(message: dict[str, Any]) -> dict[str, Any]:
    message["entry"][2]["resource"]["name"][0]["family"] = "Tolvansson\0"
    return message


ENCOUNTER, PATIENT = "Bundle.entry[1].resource", "Bundle.entry[2].resource"

Change = Callable[[dict[str, Any]], dict[str, Any] | bytes]
REFUSED: list[tuple[Change, int, str, str | None, str]] = [
    # change, status, issue code, expression, because
    (no_json, 400, "structure", None, "the body is no JSON"),
    (no_object, 400, "structure", None, "a resource is a JSON object"),
    (no_bundle, 400, "structure", "Bundle.type", "$process-message takes a message Bundle"),
    (no_message, 400, "structure", "Bundle.type", "Bundle.type is message"),
    (no_header, 400, "invariant", "Bundle.entry[0].resource", "bdl-12"),
    (no_ids, 422, "required", "Bundle.id", "duplicates are known by MessageHeader.id and Bundle.id"),
    (no_resource, 422, "required", ENCOUNTER, "an entry of a message has a resource"),
    (unknown_type, 422, "not-supported", f"{PATIENT}.resourceType", "the name is the message's word"),
    (unknown_element, 422, "structure", PATIENT, "the name itself is the message's word"),
    (bad_time, 422, "value", f"{ENCOUNTER}.period.start", "dateTime has a form"),
    (no_zone, 422, "value", f"{ENCOUNTER}.period.start", "a time has a zone"),
    (bad_status, 422, "code-invalid", f"{ENCOUNTER}.status", "required value set of Encounter.status"),
    (backwards, 422, "invariant", f"{ENCOUNTER}.period", "per-1"),
    (long_id, 422, "value", f"{PATIENT}.id", "an id has at most 64 characters"),
    (two_names_wrong, 422, "value", f"{PATIENT}.birthDate", "every fault is told at once"),
    (too_large, 413, "too-long", None, "the limit of the settings"),
    (too_deep, 422, "too-costly", None, "the limit of the settings"),
    (a_nul, 422, "value", f"{PATIENT}.name[0].family", "FHIR string: no NUL"),
]


@pytest.mark.parametrize(
    ("change", "status", "code", "expression", "because"), REFUSED, ids=lambda v: getattr(v, "__name__", None)
)
async def test_what_is_wrong_is_refused_and_leaves_nothing(
    client: httpx.AsyncClient,
    dsn: str,
    capfd: pytest.CaptureFixture[str],
    change: Change,
    status: int,
    code: str,
    expression: str | None,
    because: str,
) -> None:
    answer = await send(client, change(copy.deepcopy(way_home()[0])))
    assert answer.status_code == status, because
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert validate(answer.json(), FhirVersion.R4) == []
    found = [(issue["code"], issue.get("expression", [None])[0]) for issue in issues(answer)]
    assert (code, expression) in found, because
    assert await rows(dsn, "message") == await rows(dsn, "fact") == await rows(dsn, "event") == 0
    told = answer.text + capfd.readouterr().err
    assert not [value for value in PLANTED if value in told]


async def test_every_fault_of_a_message_is_told_at_once(client: httpx.AsyncClient) -> None:
    answer = await send(client, two_names_wrong(way_home()[0]))
    where = {issue["expression"][0] for issue in issues(answer)}
    assert where == {f"{PATIENT}.name[0].family", f"{PATIENT}.birthDate"}


async def test_an_unknown_source_is_told_so(client: httpx.AsyncClient) -> None:
    answer = await send(client, way_home()[0], "hospital-of-nowhere")
    assert (answer.status_code, issues(answer)[0]["code"]) == (404, "not-found")


@pytest.mark.parametrize("path", ["/fhir", "/fhir/losus-r4/$everything", "/nothing"])
async def test_an_unknown_interaction_is_an_operation_outcome(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.post(path)
    assert answer.status_code in (404, 405)
    assert answer.json()["issue"][0]["code"] == "not-supported"


async def test_what_the_mapping_cannot_translate_is_fatal_and_says_rule_and_place(
    client: httpx.AsyncClient, dsn: str
) -> None:
    message = way_home()[0]
    message["entry"][1]["resource"]["serviceType"]["coding"][0]["code"] = "Tolvansson"
    answer = await send(client, message)
    assert answer.status_code == 422
    assert answer.json()["entry"][0]["resource"]["response"]["code"] == "fatal-error"
    [issue] = issues(answer)
    assert issue["expression"] == [ENCOUNTER]
    assert "care_form" in issue["diagnostics"]
    assert "Tolvansson" not in answer.text
    assert (await rows(dsn, "message"), await rows(dsn, "held")) == (1, 1)  # it is kept, and its case waits
    assert await rows(dsn, "fact") == 0
    again = await send(client, message)
    assert (again.status_code, again.content) == (422, answer.content)


HEADER_KNOWN, BUNDLE_KNOWN = "header-first", "bundle-first"
DUPLICATES = [
    # MessageHeader.id, Bundle.id, status, same answer, because (MedCom, reliable messaging)
    ("header-new", "bundle-new", 200, False, "both new: process"),
    (HEADER_KNOWN, BUNDLE_KNOWN, 200, True, "both seen: the original answer again"),
    (HEADER_KNOWN, "bundle-new", 200, True, "header seen, bundle new: a resend, nothing done twice"),
    ("header-new", BUNDLE_KNOWN, 409, False, "a Bundle.id is never used again"),
]


@pytest.mark.parametrize(("header", "bundle", "status", "same", "because"), DUPLICATES)
async def test_duplicates_follow_one_table(
    client: httpx.AsyncClient, dsn: str, header: str, bundle: str, status: int, same: bool, because: str
) -> None:
    message = renewed(way_home()[0], "first")
    original = await send(client, message)
    before = await rows(dsn, "message")
    message["id"], message["entry"][0]["resource"]["id"] = bundle, header
    answer = await send(client, message)
    assert answer.status_code == status, because
    assert (answer.content == original.content) is same, because
    added = await rows(dsn, "message") - before
    assert added == (header == "header-new" and bundle == "bundle-new"), because
    if status == 409:
        assert answer.json()["entry"][0]["resource"]["response"]["code"] == "fatal-error"
        assert issues(answer)[0]["code"] == "duplicate"


async def test_a_resends_bundle_id_is_known_from_then_on(client: httpx.AsyncClient) -> None:
    message = renewed(way_home()[0], "first")
    original = await send(client, message)
    message["id"] = "bundle-second"
    assert (await send(client, message)).content == original.content
    message["entry"][0]["resource"]["id"] = "header-other"
    assert (await send(client, message)).status_code == 409


async def test_without_the_database_the_sender_is_asked_to_come_back(dsn: str) -> None:
    async with service(dsn) as client:
        connection = await asyncpg.connect(dsn)
        await connection.execute("alter table message rename to gone")
        answer = await send(client, way_home()[0])
        assert answer.status_code == 503
        assert answer.json()["entry"][0]["resource"]["response"]["code"] == "transient-error"
        assert "191212121212" not in answer.text
        await connection.execute("alter table gone rename to message")
        await connection.close()
        again = await send(client, way_home()[0])
        assert again.json()["entry"][0]["resource"]["response"]["code"] == "ok"


async def test_messages_at_the_same_time_neither_lose_nor_double_anything(
    client: httpx.AsyncClient, dsn: str
) -> None:
    messages = [renewed(message, f"{n}-{copy}") for n, message in enumerate(way_home()) for copy in range(3)]
    twice = [json.dumps(message).encode() for message in messages for _ in range(2)]
    answers = await asyncio.gather(*(send(client, body) for body in twice))
    assert {answer.status_code for answer in answers} == {200}
    assert all(one.content == other.content for one, other in zip(answers[::2], answers[1::2], strict=True))
    assert await rows(dsn, "message") == len(messages)
    listed = (await client.get("/cases", params={"source": "losus-r4", "key": "stay-1"})).json()["cases"]
    assert [case["state"] for case in listed] == ["discharged"]


async def test_a_fault_of_ours_is_told_by_kind_and_place_alone(
    client: httpx.AsyncClient, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **_more: object) -> None:
        raise KeyError("Tolvansson")

    monkeypatch.setattr("adapter.inbound.library.read", broken)
    answer = await send(client, way_home()[0])
    assert (answer.status_code, issues(answer)[0]["code"]) == (500, "exception")
    logged = capfd.readouterr()
    assert "KeyError" in logged.out + logged.err
    assert "Tolvansson" not in answer.text + logged.out + logged.err


async def test_a_fault_of_ours_in_a_batch_is_that_messages_alone(
    client: httpx.AsyncClient, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = inbox.add_messages

    async def broken(connection: object, messages: list[inbox.MessageRow], seal: object) -> list[int]:
        if any(message.header_id == "header-bad" for message in messages):
            raise KeyError("Tolvansson")
        return await honest(connection, messages, seal)  # type: ignore[arg-type]

    monkeypatch.setattr(inbox, "add_messages", broken)
    messages = [renewed(way_home()[0], name) for name in ("one", "bad", "two")]
    answers = await asyncio.gather(*(send(client, message) for message in messages))
    assert [answer.status_code for answer in answers] == [200, 500, 200]
    assert await rows(dsn, "message") == 2
