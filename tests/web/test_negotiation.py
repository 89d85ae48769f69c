"""A body is read within its limit, an answer written as it was asked for: headers in, bytes out."""

import gzip
import json
import tracemalloc
import zlib
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request, Response
from starlette.middleware.gzip import GZipMiddleware

from adapter.errors import (
    LosusError,
    MalformedError,
    Problem,
    StoppedError,
    ThrottledError,
)
from adapter.fhir.document import Limits
from adapter.fhir.model import FhirVersion
from adapter.fhir.outcome import outcome
from adapter.fhir.xml import parse_xml
from adapter.web.negotiation import read_request, refuse, respond, respond_written, wanted

R4 = FhirVersion.R4
JSON, XML = "application/fhir+json", "application/fhir+xml"
MOST = 10_000
PATIENT = {"resourceType": "Patient", "id": "p1", "name": [{"family": "Ek", "given": ["Siv"]}]}


@pytest.fixture
async def client() -> Any:
    """An app that tells what it received, and answers as it is asked to."""
    app = FastAPI()

    @app.post("/tell")
    async def tell(request: Request) -> Response:
        try:
            found = await read_request(request, Limits(max_bytes=MOST))
        except LosusError as error:
            return refuse(request, error)
        return Response(found.body, headers={"media": found.media, "fhir": str(found.fhir)})

    @app.get("/patient")
    async def patient(request: Request) -> Response:
        stored = json.dumps(PATIENT, indent=1).encode() if request.query_params.get("stored") else PATIENT
        return respond(request, stored, 201, {"etag": 'W/"1"'}, R4)

    @app.get("/strict")
    async def strict(request: Request) -> Response:
        try:
            return Response(wanted(request).content_type)
        except LosusError as error:
            return refuse(request, error)

    @app.put("/patient")
    async def put(request: Request) -> Response:
        return respond_written(request, PATIENT, outcome((Problem("informational", "taken"),)), 200)

    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://adapter") as ours:
        yield ours


async def tell(client: httpx.AsyncClient, content: Any, headers: Mapping[str, str]) -> httpx.Response:
    return await client.post("/tell", content=content, headers=dict(headers))


def issue(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["issue"][0]["code"]


async def test_a_body_comes_as_it_is(client: httpx.AsyncClient) -> None:
    answer = await tell(client, b'{"a": 1}', {"content-type": f"{JSON}; fhirVersion=4.3"})
    assert (answer.content, answer.headers["media"], answer.headers["fhir"]) == (b'{"a": 1}', "json", "R4B")


@pytest.mark.parametrize(
    ("body", "media", "because"),
    [
        (b'{"resourceType": "Patient"}', "json", "no `<`"),
        (b"<Patient/>", "xml", "a `<`"),
        (b"\xef\xbb\xbf \r\n<Patient/>", "xml", "a byte order mark and spaces before it"),
        (b"nonsense", "json", "neither: it is refused as JSON"),
    ],
)
async def test_a_body_of_no_type_is_guessed(
    client: httpx.AsyncClient, body: bytes, media: str, because: str
) -> None:
    assert (await tell(client, body, {})).headers["media"] == media, because


async def test_an_empty_body_has_no_type(client: httpx.AsyncClient) -> None:
    answer = await tell(client, b"", {"content-type": "text/plain", "content-length": "0"})
    assert (answer.status_code, answer.content) == (200, b"")


async def test_a_packed_body_is_unpacked(client: httpx.AsyncClient) -> None:
    packed = gzip.compress(b'{"a": 1}')
    pieces = [packed[at : at + 3] for at in range(0, len(packed), 3)]

    async def slowly() -> Any:
        for piece in pieces:
            yield piece

    for content in (packed, slowly()):
        answer = await tell(client, content, {"content-type": JSON, "content-encoding": "gzip"})
        assert answer.content == b'{"a": 1}'


@pytest.mark.parametrize(
    ("body", "packed", "status", "code", "because"),
    [
        (b" " * MOST, False, 200, "", "as large as may be"),
        (b" " * (MOST + 1), False, 413, "too-long", "one byte more"),
        (gzip.compress(b" " * MOST, mtime=0), True, 200, "", "as large as may be, unpacked"),
        (gzip.compress(b" " * (MOST + 1), mtime=0), True, 413, "too-long", "one byte more, unpacked"),
        (gzip.compress(b" " * MOST, mtime=0)[:-1], True, 400, "incomplete", "the last byte is missing"),
        (
            gzip.compress(b"{}", mtime=0) + gzip.compress(b"{}", mtime=0),
            True,
            400,
            "structure",
            "a second member",
        ),
        (gzip.compress(b"{}", mtime=0) + b"x", True, 400, "structure", "something behind it"),
        (b'{"a": 1}', True, 400, "structure", "not packed at all"),
        (zlib.compress(b"{}"), True, 400, "structure", "packed otherwise"),
        (gzip.compress(b"{}", mtime=0)[:-8] + b"\0" * 8, True, 400, "structure", "its check sum is wrong"),
    ],
)
async def test_the_limit_holds_packed_and_unpacked(
    client: httpx.AsyncClient, body: bytes, packed: bool, status: int, code: str, because: str
) -> None:
    headers = {"content-type": JSON} | ({"content-encoding": "gzip"} if packed else {})
    for content in (body, _pieces(body)):
        answer = await tell(client, content, headers)
        assert answer.status_code == status, because
        if code:
            assert issue(answer) == (status, code), because


async def _pieces(body: bytes) -> Any:
    """The body in pieces, so without a Content-Length."""
    size = 1 if len(body) < 100 else 1_000
    for at in range(0, len(body), size):
        yield body[at : at + size]


async def test_a_bomb_is_not_unpacked(client: httpx.AsyncClient) -> None:
    """A gigabyte of zeros in a megabyte: what is made of it in memory stays within the limit."""
    packer = zlib.compressobj(wbits=31)
    bomb = b"".join(packer.compress(bytes(1_000_000)) for _ in range(9)) + packer.flush()
    assert len(bomb) < MOST
    tracemalloc.start()
    try:
        answer = await tell(client, bomb, {"content-type": JSON, "content-encoding": "gzip"})
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert issue(answer) == (413, "too-long")
    assert peak < 1_000_000


async def test_a_body_that_says_it_is_too_large_is_not_read(client: httpx.AsyncClient) -> None:
    read = 0

    async def endless() -> Any:
        nonlocal read
        while True:
            read += 1
            yield b" "

    for length in (str(MOST + 1), "9" * 5_000):
        answer = await client.post("/tell", content=endless(), headers={"content-length": length})
        assert issue(answer) == (413, "too-long")
    assert read <= 2  # httpx's own read ahead


async def test_what_the_body_is_must_not_be_said_twice(client: httpx.AsyncClient) -> None:
    for name, values in (("content-type", (JSON, XML)), ("content-encoding", ("gzip", "identity"))):
        answer = await client.post("/tell", content=b"{}", headers=[(name, value) for value in values])
        assert issue(answer) == (415, "structure")
    same = [("content-type", JSON), ("content-type", JSON)]
    assert (await client.post("/tell", content=b"{}", headers=same)).status_code == 200


async def test_a_415_tells_what_would_have_been_taken(client: httpx.AsyncClient) -> None:
    answer = await tell(client, b"{}", {"content-type": JSON, "content-encoding": "br"})
    assert (issue(answer), answer.headers["accept-encoding"]) == ((415, "not-supported"), "gzip")


async def test_the_answer_is_as_it_was_asked_for(client: httpx.AsyncClient) -> None:
    answer = await client.get("/patient", headers={"accept": "*/*"})
    assert (answer.status_code, answer.headers["content-type"], answer.json()) == (201, JSON, PATIENT)
    assert (answer.headers["vary"], answer.headers["etag"]) == ("Accept", 'W/"1"')
    answer = await client.get("/patient", headers={"accept": f"{XML}; fhirVersion=4.0"})
    assert answer.headers["content-type"] == f"{XML}; fhirVersion=4.0"
    assert parse_xml(answer.content, R4, max_bytes=MOST, max_depth=20) == PATIENT


async def test_a_stored_answer_stays_the_same_byte_for_byte(client: httpx.AsyncClient) -> None:
    answer = await client.get("/patient?stored=1")
    assert answer.content == json.dumps(PATIENT, indent=1).encode()
    both = [(await client.get(f"/patient?_format=xml{more}")).content for more in ("", "&stored=1")]
    assert both[0] == both[1]
    assert both[0].startswith(b"<?xml")


async def test_a_route_may_refuse_what_respond_would_answer_in_json(client: httpx.AsyncClient) -> None:
    answer = await client.get("/patient", headers={"accept": "text/html"})
    assert (answer.status_code, answer.headers["content-type"]) == (201, JSON)
    assert issue(await client.get("/strict", headers={"accept": "text/html"})) == (406, "not-supported")


@pytest.mark.parametrize(
    ("prefer", "body", "applied"),
    [
        (None, "Patient", None),  # R4 http#create: the server chooses; clients take the id from the resource
        ("return=minimal", None, "return=minimal"),
        ("return=representation", "Patient", "return=representation"),
        ("return=OperationOutcome", "OperationOutcome", "return=OperationOutcome"),
    ],
)
async def test_a_write_is_answered_as_preferred(
    client: httpx.AsyncClient, prefer: str | None, body: str | None, applied: str | None
) -> None:
    answer = await client.put("/patient", headers={"prefer": prefer} if prefer else {})
    assert (answer.json()["resourceType"] if answer.content else None) == body
    assert answer.headers.get("preference-applied") == applied


def _request(accept: str = "") -> Request:
    headers = [(b"accept", accept.encode())]
    return Request({"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": headers})


@pytest.mark.parametrize(
    ("error", "status", "retry"),
    [
        (MalformedError(Problem("structure", "no JSON")), 400, None),
        (ThrottledError(Problem("throttled", "too many"), retry_after_s=7), 429, "7"),
        (StoppedError(Problem("throttled", "stopped"), retry_after_s=600), 503, "600"),
    ],
)
def test_a_refusal_tells_when_to_come_back(error: LosusError, status: int, retry: str | None) -> None:
    for accept in ("", XML):
        answer = refuse(_request(accept), error)
        assert (answer.status_code, answer.headers.get("retry-after")) == (status, retry)


async def test_a_sender_that_hangs_up_in_the_middle() -> None:
    events = iter(({"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}))

    async def receive() -> Any:
        return next(events)

    request = Request({"type": "http", "method": "POST", "path": "/", "headers": []}, receive)
    with pytest.raises(MalformedError) as caught:
        await read_request(request, Limits())
    assert caught.value.problems[0].code == "incomplete"


def test_what_is_no_json_is_a_fault_of_ours() -> None:
    for value in (Decimal("NaN"), {1}, b"x"):
        with pytest.raises(TypeError):
            respond(_request(), {"resourceType": "Basic", "x": value})


def test_decimals_keep_their_scale_in_both() -> None:
    invoice = {"resourceType": "Invoice", "status": "draft", "totalNet": {"value": Decimal("8900.10")}}
    assert b'"value":8900.10' in bytes(respond(_request(), invoice).body)
    assert b'<value value="8900.10"/>' in bytes(respond(_request(XML), invoice).body)


def test_what_xml_cannot_hold_is_answered_in_json() -> None:
    narrative = {"status": "generated", "div": "<div>a &nbsp; b</div>"}
    answer = respond(_request(XML), PATIENT | {"text": narrative})
    assert answer.headers["content-type"] == JSON


async def test_a_large_answer_is_packed_where_that_is_taken() -> None:
    """Starlette's middleware does it; this holds that what `respond` gives goes well with it."""
    app = FastAPI()
    app.add_middleware(GZipMiddleware, minimum_size=1024)

    @app.get("/{size}")
    async def get(size: int, request: Request) -> Response:
        return respond(request, {"resourceType": "Binary", "data": "A" * size})

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://adapter") as client:
        large, small = [await client.get(f"/{size}") for size in (2_000, 20)]
    assert (large.headers["content-encoding"], len(large.json()["data"])) == ("gzip", 2_000)
    assert set(large.headers["vary"].split(", ")) == {"Accept", "Accept-Encoding"}
    assert "content-encoding" not in small.headers
