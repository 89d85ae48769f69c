"""An HTTP answer of a source's own server as a value: its resource, its time, its version.

Owns the reading of body and headers within limits; does not own what a status means (`faults`).
"""

import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

import httpx

from adapter.client.faults import AwayError, RefusedError
from adapter.errors import InputError, Problem
from adapter.fhir.document import parse_json

Resource = dict[str, Any]

#: The longest pause that a server may ask for; what it asks for beyond is taken for this.
LONGEST_PAUSE_S = 3_600.0
_REFUSAL_BYTES = 64_000
_PIECE = 64_000
_GZIP = 16 + zlib.MAX_WBITS


class Sink(Protocol):
    """Where a long body goes; should the answer break off, it is asked for again, and begins anew."""

    def begin(self) -> None:
        """The body begins."""

    async def take(self, piece: bytes) -> None:
        """The next piece of it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server answered.

    `server_time` is its own clock (`Date`), `version` what the ETag names, `location` where a thing that
    was made is, or where the state of long work is told (`Content-Location`), `retry_after_s` the pause it
    asks for. `body` is unpacked; that of a refusal may be left out.
    """

    status: int
    body: bytes = field(default=b"", repr=False)
    is_json: bool = False
    server_time: datetime | None = None
    version: str | None = None
    location: str | None = field(default=None, repr=False)
    retry_after_s: float | None = None

    @property
    def document(self) -> Resource:
        """The body as a JSON object; RefusedError where it is none."""
        if not self.is_json:
            raise RefusedError(Problem("structure", "the answer is no JSON"), answered=self.status)
        try:
            return parse_json(self.body, max_bytes=len(self.body))
        except InputError as error:
            raise RefusedError(*error.problems, answered=self.status) from None

    @property
    def resource(self) -> Resource:
        """The body as a FHIR resource (not yet held against its model); RefusedError where it is none."""
        found = self.document
        if not isinstance(found.get("resourceType"), str):
            problem = Problem("required", "the answer does not say its resourceType")
            raise RefusedError(problem, answered=self.status)
        return found


async def read_answer(
    response: httpx.Response, max_bytes: int, now: datetime, sink: Sink | None = None
) -> Answer:
    """Read an answer; the body goes piece by piece to `sink`, if there is one, unless the server refuses.

    Raises RefusedError where the body is over `max_bytes`, AwayError where it is cut off.
    """
    headers = response.headers
    server_time = _instant(headers.get("date"))
    if not response.is_success:
        body = await _words(response)
    elif sink is None:
        body = await _body(response, max_bytes)
    else:
        body = b""
        await _pour(response, sink)
    return Answer(
        status=response.status_code,
        body=body,
        is_json="json" in headers.get("content-type", "").partition(";")[0],
        server_time=server_time,
        version=_version(headers.get("etag")),
        location=headers.get("content-location" if response.status_code == 202 else "location"),
        retry_after_s=retry_after(headers.get("retry-after"), server_time or now),
    )


def retry_after(text: str | None, now: datetime) -> float | None:
    """Seconds that `Retry-After` asks to wait: a whole number, or a date (RFC 9110, 10.2.3); else None.

    At most LONGEST_PAUSE_S. `now` is the server's own clock where it is known, so that a wrong clock of ours
    does not matter.
    """
    if text is None:
        return None
    if text.isascii() and text.strip().isdigit():
        return min(float(text.strip()[:12]), LONGEST_PAUSE_S)
    at = _instant(text)
    return None if at is None else min(max(0.0, (at - now).total_seconds()), LONGEST_PAUSE_S)


async def _words(response: httpx.Response) -> bytes:
    """The body of a refusal, if it is of a size that a person would read."""
    try:
        return await _body(response, _REFUSAL_BYTES)
    except (RefusedError, AwayError):
        return b""


async def _body(response: httpx.Response, max_bytes: int) -> bytes:
    parts: list[bytes] = []
    left = max_bytes
    async for piece in _pieces(response):
        parts.append(piece)
        left -= len(piece)
        if left < 0:
            problem = Problem("too-long", f"the answer has more than {max_bytes} bytes")
            raise RefusedError(problem, answered=response.status_code)
    return b"".join(parts)


async def _pour(response: httpx.Response, sink: Sink) -> None:
    sink.begin()
    async for piece in _pieces(response):
        await sink.take(piece)


async def _pieces(response: httpx.Response) -> AsyncIterator[bytes]:
    """The body, unpacked a little at a time: a small one can unpack to gigabytes."""
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding == "identity":
        async for chunk in response.aiter_raw():
            yield chunk
        return
    if encoding not in {"gzip", "x-gzip"}:
        problem = Problem("not-supported", "the answer is packed in a way that was not asked for")
        raise RefusedError(problem, answered=response.status_code)
    unpack = zlib.decompressobj(_GZIP)
    begun = False
    try:
        async for chunk in response.aiter_raw():
            begun, packed = True, chunk
            while packed:
                yield unpack.decompress(packed, _PIECE)
                packed = unpack.unconsumed_tail
    except zlib.error:
        raise RefusedError(Problem("structure", "the answer cannot be unpacked")) from None
    if begun and (not unpack.eof or unpack.unused_data):
        raise AwayError(Problem("incomplete", "the answer ends before or after its end"))


def _instant(text: str | None) -> datetime | None:
    """An HTTP date as an instant; None where it is none."""
    try:
        at = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _version(etag: str | None) -> str | None:
    """The version that an ETag names (`W/"3"`)."""
    return etag.strip().removeprefix("W/").strip('"') or None if etag else None
