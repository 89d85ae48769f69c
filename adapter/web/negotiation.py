"""A FHIR request's body in, a FHIR answer out: unpacked within its limit, written as it was asked for.

Owns the bytes of both and the headers that tell of them; does not own what the headers mean (`media`), nor
what either holds. An answer is never refused here: where the wanted format cannot be given, it is JSON;
routes that must refuse (406) before they do anything call `wanted` first.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import orjson
from fastapi import Request, Response
from starlette.requests import ClientDisconnect

from adapter.errors import (
    FormatError,
    LosusError,
    MalformedError,
    NotAcceptableError,
    Problem,
    ResourceError,
    ThrottledError,
    TooLargeError,
)
from adapter.fhir.decimals import loads
from adapter.fhir.document import Limits, Media
from adapter.fhir.model import FhirVersion
from adapter.fhir.outcome import outcome
from adapter.fhir.xml import to_xml
from adapter.web.media import DEFAULT, Accepted, Return, accepted, is_gzipped, preferred, sent

_RETRY = "retry-after"
#: The header that says which preferences were followed (RFC 7240, 3).
APPLIED = "preference-applied"


@dataclass(frozen=True, slots=True)
class Received:
    """A request's body, unpacked; how it is written, and its FHIR version where the request says so."""

    body: bytes
    media: Media
    fhir: FhirVersion | None


async def read_request(request: Request, limits: Limits) -> Received:
    """The body of `request`; where it says no type, its first character tells.

    Raises FormatError (415) of a media type, charset, version or coding that is not read; TooLargeError
    (413) as soon as more than `limits.max_bytes` have come, packed or unpacked; MalformedError (400) where
    it ends too early or is no gzip.
    """
    if request.headers.get("content-length") == "0":  # an empty notification has no body, so no type
        return Received(b"", "json", None)
    kind = sent(_only(request, "content-type"))
    body = await read_body(request, limits.max_bytes)
    return Received(body, kind.media or _guess(body), kind.fhir)


async def read_body(request: Request, most: int) -> bytes:
    """The body of `request`, unpacked, of at most `most` bytes; raises as `read_request`."""
    length = request.headers.get("content-length", "")
    if length.isdecimal() and (len(length) > 19 or int(length) > most):
        raise _too_large(most)
    inflater = _Inflater(most) if is_gzipped(_only(request, "content-encoding")) else None
    chunks: list[bytes] = []
    size = 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > most:
                raise _too_large(most)
            chunks.append(inflater.feed(chunk) if inflater else chunk)
    except ClientDisconnect:
        raise MalformedError(Problem("incomplete", "the sender hung up in the middle")) from None
    if inflater:
        inflater.close()
    return b"".join(chunks)


def wanted(request: Request) -> Accepted:
    """The format of the answer; NotAcceptableError (406) where none that is asked for can be given."""
    return accepted(", ".join(request.headers.getlist("accept")), request.query_params.get("_format"))


def preference(request: Request) -> Return | None:
    """What the answer to a write is to hold; None where the request does not say."""
    return preferred(", ".join(request.headers.getlist("prefer")))


def respond(
    request: Request,
    resource: dict[str, Any] | bytes | None,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    version: FhirVersion = FhirVersion.R4,
) -> Response:
    """`resource` of FHIR `version` in the format that `request` wants; JSON where that cannot be given.

    FHIR JSON as bytes is sent as it is where JSON is wanted: a stored answer stays the same byte for
    byte. None is an answer without a body.
    """
    given = {"vary": "Accept", **(headers or {})}
    if resource is None:
        return Response(status_code=status, headers=given)
    try:
        kind = wanted(request)
        body = _written(resource, kind.media, version)
    except (NotAcceptableError, ResourceError):  # or of a narrative that is no XML
        kind = DEFAULT
        body = _written(resource, kind.media, version)
    return Response(body, status, given, kind.content_type)


def respond_written(
    request: Request,
    resource: dict[str, Any] | bytes,
    report: dict[str, Any],
    status: int,
    headers: Mapping[str, str] | None = None,
    version: FhirVersion = FhirVersion.R4,
) -> Response:
    """The answer to a create or an update: `resource`, the OperationOutcome `report`, or no body.

    As `Prefer: return=` asks, and said so; the resource where it does not ask, for clients take id and
    version from it (R4 http#ops).
    """
    asked = preference(request)
    given = dict(headers or {})
    if asked is not None:
        given[APPLIED] = f"return={asked}"
    body = {Return.REPRESENTATION: resource, Return.OUTCOME: report}.get(asked or Return.REPRESENTATION)
    return respond(request, body, status, given, version)


def refuse(request: Request, error: LosusError) -> Response:
    """A fault as an OperationOutcome with its HTTP status, and when to come back where that helps."""
    headers: dict[str, str] = {}
    if isinstance(error, ThrottledError):
        headers[_RETRY] = str(error.retry_after_s)
    if isinstance(error, FormatError):
        headers["accept-encoding"] = "gzip"  # RFC 9110, 15.5.16: tell what would have been taken
    return respond(request, outcome(error.problems), error.status, headers)


def _written(resource: dict[str, Any] | bytes, media: Media, version: FhirVersion) -> bytes:
    if media == "xml":
        return to_xml(loads(resource) if isinstance(resource, bytes) else resource, version)
    return resource if isinstance(resource, bytes) else orjson.dumps(resource, default=_decimal)


class _Inflater:
    """gzip, unpacked as it comes and never further than `most` bytes: what a bomb would fill is not made."""

    def __init__(self, most: int) -> None:
        self._most = self._left = most
        self._stream = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)

    def feed(self, chunk: bytes) -> bytes:
        if self._stream.eof and chunk:
            raise _no_gzip()
        try:
            piece = self._stream.decompress(chunk, self._left + 1)
        except zlib.error:
            raise _no_gzip() from None
        self._left -= len(piece)
        if self._left < 0:
            raise _too_large(self._most)
        if self._stream.unused_data:  # a second member; HTTP clients write one
            raise _no_gzip()
        return piece

    def close(self) -> None:
        if not self._stream.eof:
            raise MalformedError(Problem("incomplete", "the packed body ends too early"))


def _only(request: Request, name: str) -> str | None:
    """The one header of that name; FormatError where several disagree on what the body is."""
    values = request.headers.getlist(name)
    if len(set(values)) > 1:
        raise FormatError(Problem("structure", f"{name} is said twice, and not the same"))
    return values[0] if values else None


def _guess(body: bytes) -> Media:
    return "xml" if body[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") else "json"


def _decimal(value: object) -> orjson.Fragment:
    if not isinstance(value, Decimal) or not value.is_finite():
        raise TypeError(f"{type(value).__name__} is none of JSON's types")
    return orjson.Fragment(format(value, "f"))


def _too_large(most: int) -> TooLargeError:
    return TooLargeError(Problem("too-long", f"a body may have {most} bytes"))


def _no_gzip() -> MalformedError:
    return MalformedError(Problem("structure", "the body is not one gzip stream"))
