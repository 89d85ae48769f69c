"""What a body is, what is wanted back, and how both are packed: headers in, bytes out."""

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
    FormatError,
    LosusError,
    MalformedError,
    NotAcceptableError,
    Problem,
    StoppedError,
    ThrottledError,
)
from adapter.fhir.document import Limits
from adapter.fhir.model import FhirVersion
from adapter.fhir.outcome import outcome
from adapter.fhir.xml import parse_xml
from adapter.web.media import Accepted, Return, accepted, is_gzipped, preferred, sent
from adapter.web.negotiation import read_request, refuse, respond, respond_written, wanted

R4, R4B, R5 = FhirVersion.R4, FhirVersion.R4B, FhirVersion.R5
JSON, XML = "application/fhir+json", "application/fhir+xml"
MOST = 10_000
PATIENT = {"resourceType": "Patient", "id": "p1", "name": [{"family": "Ek", "given": ["Siv"]}]}


SENT = [
    # Content-Type, written as, FHIR version, because
    (None, None, None, "not said: the body tells (RFC 9110, 8.3)"),
    ("application/fhir+json", "json", None, "FHIR's own type"),
    ("application/json", "json", None, "the generic type"),
    ("text/json", "json", None, "the generic type of old"),
    ("application/fhir+xml", "xml", None, "FHIR's own type"),
    ("application/xml", "xml", None, "the generic type"),
    ("text/xml", "xml", None, "the generic type of old"),
    ("Application/FHIR+JSON", "json", None, "types are compared without case (RFC 9110, 8.3.1)"),
    ("application/fhir+json; charset=UTF-8", "json", None, "FHIR is written in UTF-8"),
    ('application/fhir+json;charset="utf-8"', "json", None, "a parameter may be quoted"),
    ("application/fhir+json; fhirVersion=4.0", "json", R4, "R4"),
    ("application/fhir+xml;fhirVersion=4.3", "xml", R4B, "R4B"),
    ('application/fhir+json; charset=utf-8; fhirVersion="5.0"', "json", R5, "R5"),
    ("application/json; profile=x", "json", None, "a parameter that means nothing here"),
]


@pytest.mark.parametrize(("content_type", "media", "fhir", "because"), SENT)
def test_what_a_body_is_said_to_be(
    content_type: str | None, media: str | None, fhir: FhirVersion | None, because: str
) -> None:
    said = sent(content_type)
    assert (said.media, said.fhir) == (media, fhir), because


NOT_READ = [
    # Content-Type, because
    ("text/plain", "no FHIR"),
    ("application/x-www-form-urlencoded", "what curl says where it is not told"),
    ("application/fhir+turtle", "Turtle is not read"),
    ("application/fhir+ndjson", "a file of many, not one"),
    ("", "an empty type is none"),
    ("application/fhir+json; charset=iso-8859-1", "FHIR is UTF-8"),
    ("application/fhir+json; fhirVersion=3.0", "STU3 is not spoken"),
    ("application/fhir+json; fhirVersion=4", "the version is written 4.0"),
    ("application/fhir+json; fhirVersion=6.0", "R6 is not spoken"),
]


@pytest.mark.parametrize(("content_type", "because"), NOT_READ)
def test_what_is_not_read_is_415(content_type: str, because: str) -> None:
    with pytest.raises(FormatError) as caught:
        sent(content_type)
    assert (caught.value.status, caught.value.problems[0].code) == (415, "not-supported"), because


WANTED = [
    # Accept, _format, media type, FHIR version, because
    ("", None, JSON, None, "nothing is asked for"),
    ("*/*", None, JSON, None, "anything"),
    ("application/*", None, JSON, None, "anything of that kind"),
    ("text/*", None, "text/json", None, "anything of that kind"),
    (JSON, None, JSON, None, "JSON"),
    (XML, None, XML, None, "XML"),
    ("application/json", None, "application/json", None, "the generic type is answered under its name"),
    ("text/xml", None, "text/xml", None, "same"),
    (f"{JSON};q=0.5, {XML}", None, XML, None, "the higher weight wins, 1 where none is said"),
    (f"{XML};q=0.4, {JSON};q=0.5", None, JSON, None, "the higher weight wins"),
    (f"{XML}, {JSON}", None, XML, None, "of equal ones the first"),
    (f"*/*, {XML}", None, XML, None, "of equal ones the more specific"),
    ("*/*;q=0.8, text/html, application/xml;q=0.9", None, "application/xml", None, "what a browser says"),
    (f"{JSON};q=0, */*", None, XML, None, "a weight of 0 refuses"),
    (f"text/html, {JSON};q=0.1", None, JSON, None, "what cannot be given is passed over"),
    (f"{JSON}; fhirVersion=5.0", None, JSON, R5, "the version is asked for"),
    (f"{JSON}; fhirVersion=3.0, {XML};fhirVersion=4.3;q=0.2", None, XML, R4B, "STU3 cannot be given"),
    (f'{JSON};fhirVersion="4.0";q=0.9', None, JSON, R4, "a parameter may be quoted"),
    (f"{XML};q=nonsense, {JSON};q=0.1", None, JSON, None, "a weight that is none: the range is passed over"),
    (XML, "json", JSON, None, "_format goes before Accept"),
    ("", "xml", XML, None, "_format by its short name"),
    ("", "application/fhir+xml", XML, None, "_format by its media type"),
    ("", "application/fhir xml", XML, None, "a + that was not encoded in the URL"),
    ("", "text/json", "text/json", None, "_format by a generic type"),
    ("", f"{XML}; fhirVersion=5.0", XML, R5, "_format with a version"),
    (XML, "", XML, None, "an empty _format says nothing"),
]


@pytest.mark.parametrize(("accept", "format_", "kind", "fhir", "because"), WANTED)
def test_what_is_wanted(
    accept: str, format_: str | None, kind: str, fhir: FhirVersion | None, because: str
) -> None:
    found = accepted(accept, format_)
    assert found == Accepted(kind, "xml" if kind.endswith("xml") else "json", fhir), because


NOT_GIVEN = [
    # Accept, _format, because
    ("text/html", None, "no page is made"),
    ("application/fhir+turtle", None, "Turtle is not written"),
    (f"{JSON};q=0, {XML};q=0", None, "all that could be given is refused"),
    (f"*/*;q=0, {JSON};q=0", None, "same"),
    (f"{JSON};fhirVersion=3.0", None, "STU3 is not spoken"),
    (";;;", None, "no media range"),
    (JSON, "html", "_format goes before Accept, and cannot be given"),
    (JSON, "xml;fhirVersion=1.0", "no such version"),
]


@pytest.mark.parametrize(("accept", "format_", "because"), NOT_GIVEN)
def test_what_cannot_be_given_is_406(accept: str, format_: str | None, because: str) -> None:
    with pytest.raises(NotAcceptableError) as caught:
        accepted(accept, format_)
    assert caught.value.status == 406, because


def test_the_version_is_told_where_it_was_asked_for() -> None:
    assert accepted(JSON, None).content_type == JSON
    assert accepted(f"{XML}; fhirVersion=4.3", None).content_type == f"{XML}; fhirVersion=4.3"


@pytest.mark.parametrize(
    ("prefer", "asked", "because"),
    [
        ("", None, "nothing is asked for"),
        ("return=minimal", Return.MINIMAL, "RFC 7240, 4.2"),
        ("return=representation", Return.REPRESENTATION, "RFC 7240, 4.2"),
        ("return=OperationOutcome", Return.OUTCOME, "FHIR's own"),
        ('Return="Minimal"', Return.MINIMAL, "names without case; the value may be quoted"),
        ("respond-async, return=representation; wait=10", Return.REPRESENTATION, "among others"),
        ("return=everything", None, "a preference that is not known is passed over (RFC 7240, 2)"),
        ("respond-async", None, "a preference that is not known is passed over"),
    ],
)
def test_what_is_preferred(prefer: str, asked: Return | None, because: str) -> None:
    assert preferred(prefer) is asked, because


def test_no_coding_but_gzip() -> None:
    assert [is_gzipped(one) for one in (None, "", "identity", "gzip", "X-GZIP")] == [
        False,
        False,
        False,
        True,
        True,
    ]
    for coding in ("br", "deflate", "gzip, gzip", "zstd"):
        with pytest.raises(FormatError):
            is_gzipped(coding)


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
        (gzip.compress(b" " * MOST), True, 200, "", "as large as may be, unpacked"),
        (gzip.compress(b" " * (MOST + 1)), True, 413, "too-long", "one byte more, unpacked"),
        (gzip.compress(b" " * MOST)[:-1], True, 400, "incomplete", "the last byte is missing"),
        (gzip.compress(b"{}") + gzip.compress(b"{}"), True, 400, "structure", "a second member"),
        (gzip.compress(b"{}") + b"x", True, 400, "structure", "something behind it"),
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
        (None, None, None),
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
