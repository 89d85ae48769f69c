"""What is read of an HTTP answer: pauses, the server's clock, bodies within their limit."""

import gzip
import tracemalloc
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import pytest

from adapter.client.answers import read_answer, retry_after
from adapter.client.faults import AwayError, RefusedError

NOW = datetime(2024, 3, 4, 12, 0, 0, tzinfo=UTC)

RETRY_AFTER = [
    # header, seconds, because
    (None, None, "not there"),
    ("0", 0.0, "RFC 9110, 10.2.3: delay-seconds"),
    ("120", 120.0, "RFC 9110, 10.2.3: delay-seconds"),
    (" 7 ", 7.0, "white space around a field's value is none of it"),
    ("3599", 3599.0, "up to an hour"),
    ("3600", 3600.0, "up to an hour"),
    ("3601", 3600.0, "and no longer"),
    ("9" * 400, 3600.0, "and no longer"),
    ("Mon, 04 Mar 2024 12:00:30 GMT", 30.0, "RFC 9110, 10.2.3: HTTP-date"),
    ("Monday, 04-Mar-24 12:00:30 GMT", 30.0, "RFC 9110, 5.6.7: the obsolete form is read too"),
    ("Mon Mar  4 12:00:30 2024", 30.0, "RFC 9110, 5.6.7: asctime, in UTC"),
    ("Mon, 04 Mar 2024 11:59:30 GMT", 0.0, "a time that is past"),
    ("Tue, 05 Mar 2024 12:00:00 GMT", 3600.0, "an hour and no longer"),
    ("-5", None, "neither of the two"),
    ("1.5", None, "neither of the two"),
    ("soon", None, "neither of the two"),
    ("١٢", None, "digits are ASCII"),
    ("Mon, 32 Mar 2024 12:00:30 GMT", None, "no date"),
    ("", None, "neither of the two"),
]


@pytest.mark.parametrize(("text", "seconds", "because"), RETRY_AFTER)
def test_the_pause_that_a_server_asks_for(text: str | None, seconds: float | None, because: str) -> None:
    assert retry_after(text, NOW) == seconds, because


def response(body: bytes, status: int = 200, **headers: str) -> httpx.Response:
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, headers=told, stream=Chunks(body))


async def answered(body: bytes, *, limit: int = 1_000, status: int = 200, **headers: str) -> bytes:
    return (await read_answer(response(body, status, **headers), limit, NOW)).body


class Chunks(httpx.AsyncByteStream):
    """A body that comes in pieces, of 100 bytes unless it is said."""

    def __init__(self, body: bytes, size: int = 100) -> None:
        self._body, self._size = body, size

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._body), self._size):
            yield self._body[start : start + self._size]


@pytest.mark.parametrize("size", [0, 1, 100, 999, 1_000])
@pytest.mark.parametrize("packed", [False, True])
async def test_a_body_up_to_the_limit_is_read_whole(size: int, packed: bool) -> None:
    body = bytes(range(256)) * 4
    told = {"content_encoding": "gzip"} if packed else {}
    assert await answered(gzip.compress(body[:size]) if packed else body[:size], **told) == body[:size]


@pytest.mark.parametrize("size", [1_001, 50_000_000])
@pytest.mark.parametrize("packed", [False, True])
async def test_a_body_over_the_limit_is_refused(size: int, packed: bool) -> None:
    body = b"\0" * size
    told = {"content_encoding": "gzip"} if packed else {}
    with pytest.raises(RefusedError) as refused:
        await answered(gzip.compress(body) if packed else body[:100_000], **told)
    assert refused.value.problems[0].code == "too-long"


async def test_a_small_body_that_unpacks_to_a_large_one_takes_no_memory() -> None:
    packed = gzip.compress(bytes(200_000_000), compresslevel=1)
    bomb = httpx.Response(200, headers={"content-encoding": "gzip"}, stream=Chunks(packed, len(packed)))
    tracemalloc.start()
    try:
        with pytest.raises(RefusedError):
            await read_answer(bomb, 1_000, NOW)
        assert tracemalloc.get_traced_memory()[1] < len(packed) + 10_000_000
    finally:
        tracemalloc.stop()


PACKED = gzip.compress(bytes(range(256)), mtime=0)
BROKEN = [
    # body, encoding, error, because
    (PACKED[:-1], "gzip", AwayError, "cut off: another time it may come whole"),
    (PACKED[:20], "gzip", AwayError, "cut off: another time it may come whole"),
    (PACKED + PACKED, "gzip", AwayError, "what follows the end would be left out unseen"),
    (b"no gzip at all", "gzip", RefusedError, "it says gzip, and is none"),
    (PACKED, "br", RefusedError, "gzip alone was asked for"),
]


@pytest.mark.parametrize(("body", "encoding", "error", "because"), BROKEN)
async def test_a_body_that_cannot_be_unpacked(
    body: bytes, encoding: str, error: type[Exception], because: str
) -> None:
    raised: Exception | None = None
    try:
        await answered(body, content_encoding=encoding)
    except (AwayError, RefusedError) as one:
        raised = one
    assert type(raised) is error, because


async def test_a_refusal_s_body_is_left_out_where_it_is_broken() -> None:
    assert await answered(b"no gzip", status=404, content_encoding="gzip") == b""
    assert await answered(b"x" * 70_000, status=404, limit=100_000) == b""
    assert await answered(b"{}", status=404) == b"{}"


async def test_headers_are_told_as_values() -> None:
    headers = {
        "date": "Mon, 04 Mar 2024 11:00:00 GMT",
        "etag": 'W/"3"',
        "location": "https://ehr.example/fhir/Patient/1/_history/3",
        "content_location": "https://ehr.example/export/1",
        "retry_after": "Mon, 04 Mar 2024 11:00:09 GMT",
        "content_type": "application/fhir+json; fhirVersion=4.0",
    }
    made = await read_answer(response(b"", 201, **headers), 10, NOW)
    assert made.server_time == datetime(2024, 3, 4, 11, tzinfo=UTC)
    assert made.version == "3"
    assert made.location == headers["location"]
    assert made.retry_after_s == 9.0  # by the server's own clock, an hour behind ours
    assert made.is_json
    begun = await read_answer(response(b"", 202, **headers), 10, NOW)
    assert begun.location == headers["content_location"]
    bare = await read_answer(response(b""), 10, NOW)
    assert (bare.server_time, bare.version, bare.location, bare.retry_after_s) == (None,) * 4


@pytest.mark.parametrize(
    ("body", "media", "because"),
    [
        (b"<html>Log in here</html>", "text/html", "a proxy's page"),
        (b"[]", "application/fhir+json", "no object"),
        (b"{", "application/fhir+json", "no JSON"),
        (b"{}", "application/fhir+json", "no resourceType"),
        (b'{"resourceType": 1}', "application/fhir+json", "no resourceType"),
        (b"", "application/fhir+json", "nothing"),
        (b'{"resourceType": "Patient", "id": "\\u0000"}', "application/fhir+json", "FHIR: no NUL"),
        (b'{"a":' * 70 + b"1" + b"}" * 70, "application/fhir+json", "deeper than anything in FHIR"),
    ],
)
async def test_what_is_no_resource_is_refused(body: bytes, media: str, because: str) -> None:
    answer = await read_answer(response(body, content_type=media), 1_000, NOW)
    try:
        given = answer.resource
    except RefusedError:
        given = None
    assert given is None, because
