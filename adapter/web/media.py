"""What a request's headers say of formats: the body's, and the one that is wanted back.

Owns media types, the `fhirVersion` parameter, q-values and `_format`; does not own reading or writing of
either (`negotiation`). Pure: header texts in, values out, so what was read once is remembered.
Source: FHIR R4 and R5, RESTful API, «Content Types and encodings», «FHIR Version Parameter»; RFC 9110 8.3,
8.4, 12.4.2 and 12.5.1; RFC 7240.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from urllib.request import parse_http_list

from adapter.errors import FormatError, NotAcceptableError, Problem
from adapter.fhir.document import Media
from adapter.fhir.model import FhirVersion

#: Media type → how it is written. Generic ones, and those of DSTU2 that HAPI's client still names, are
#: answered under the name that was asked for.
SPOKEN: dict[str, Media] = {
    "application/fhir+json": "json",
    "application/json": "json",
    "text/json": "json",
    "application/json+fhir": "json",
    "application/fhir+xml": "xml",
    "application/xml": "xml",
    "text/xml": "xml",
    "application/xml+fhir": "xml",
}
FHIR_JSON = "application/fhir+json"
FHIR_XML = "application/fhir+xml"

#: What is asked for → the media types that answer it, the one that is rather given first.
_RANGES = {
    **{name: (name,) for name in SPOKEN},
    "*/*": (FHIR_JSON, FHIR_XML),
    "application/*": (FHIR_JSON, FHIR_XML),
    "text/*": ("text/json", "text/xml"),
}
_FORMATS = {**{name: name for name in SPOKEN}, "json": FHIR_JSON, "xml": FHIR_XML}
_VERSIONS = {"4.0": FhirVersion.R4, "4.3": FhirVersion.R4B, "5.0": FhirVersion.R5}
_NUMBERS = {version: number for number, version in _VERSIONS.items()}
_PARAMETER = re.compile(r"""\s*;\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)=("(?:[^"\\]|\\.)*"|[^\s;,"]+)""")
_WEIGHT = re.compile(r"(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)")
#: Where a `+` that was not encoded in the URL has become a space.
_LOST_PLUS = re.compile(r"(?<=fhir) (?=json|xml)|(?<=json) (?=fhir)|(?<=xml) (?=fhir)")
_CHARSETS = ("utf-8", "utf8")
_REMEMBERED = 256


class Return(StrEnum):
    """What the answer to a write is to hold (`Prefer: return=`)."""

    MINIMAL = "minimal"
    REPRESENTATION = "representation"
    OUTCOME = "OperationOutcome"


@dataclass(frozen=True, slots=True)
class Sent:
    """What a body is said to be: `media` None where nothing was said, `fhir` None where no version was."""

    media: Media | None
    fhir: FhirVersion | None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The answer that is wanted: its media `type`, how that is written, and the FHIR version, if said."""

    type: str
    media: Media
    fhir: FhirVersion | None

    @property
    def content_type(self) -> str:
        """What goes into the answer's Content-Type: the version is told where it was asked for."""
        return self.type if self.fhir is None else f"{self.type}; fhirVersion={_NUMBERS[self.fhir]}"


#: Where nothing is asked for, and where what is asked for cannot be given.
DEFAULT = Accepted(FHIR_JSON, "json", None)


@lru_cache(maxsize=_REMEMBERED)
def sent(content_type: str | None) -> Sent:
    """What `content_type` says of a body; FormatError (415) where it is none that is read here."""
    if content_type is None:
        return Sent(None, None)
    name, parameters = _split(content_type)
    media = SPOKEN.get(name)
    if media is None:
        raise FormatError(Problem("not-supported", f"a body is one of {', '.join(SPOKEN)}"))
    if parameters.get("charset", "utf-8").lower() not in _CHARSETS:
        raise FormatError(Problem("not-supported", "FHIR is written in UTF-8"))
    number = parameters.get("fhirversion")
    if number is not None and number not in _VERSIONS:
        raise FormatError(Problem("not-supported", f"fhirVersion is one of {', '.join(_VERSIONS)}"))
    return Sent(media, _VERSIONS.get(number or ""))


@lru_cache(maxsize=_REMEMBERED)
def accepted(accept: str, format_: str | None) -> Accepted:
    """The answer that `Accept` and the `_format` parameter, which goes before it, ask for.

    The range of the highest weight that can be given; of equal ones the more specific, then the first.
    A generic type is answered under its own name. Raises NotAcceptableError (406) where none can be given.
    """
    if format_:
        name, parameters = _split(_LOST_PLUS.sub("+", format_))
        asked = iter([(_FORMATS.get(name, ""), parameters)])
    elif accept.strip():
        asked = _by_weight(accept)
    else:
        return DEFAULT
    for kind, parameters in asked:
        number = parameters.get("fhirversion")
        if kind in SPOKEN and (number is None or number in _VERSIONS):
            return Accepted(kind, SPOKEN[kind], _VERSIONS.get(number or ""))
    kinds = f"{', '.join(SPOKEN)} with fhirVersion {', '.join(_VERSIONS)}"
    raise NotAcceptableError(Problem("not-supported", f"an answer is one of {kinds}"))


def is_gzipped(content_encoding: str | None) -> bool:
    """Whether a body of that Content-Encoding is to be unpacked; FormatError where it is another coding."""
    coding = (content_encoding or "identity").strip().lower()
    if coding not in {"gzip", "x-gzip", "identity"}:
        raise FormatError(Problem("not-supported", "a body is packed by gzip alone, once, or not at all"))
    return coding != "identity"


@lru_cache(maxsize=_REMEMBERED)
def preferred(prefer: str) -> Return | None:
    """What `Prefer: return=` asks for, None where it asks for nothing that is known (RFC 7240, 2)."""
    for part in parse_http_list(prefer.replace(";", ",")):
        name, _, value = part.partition("=")
        if name.strip().lower() == "return":
            value = value.strip().strip('"').lower()
            return next((one for one in Return if one.lower() == value), None)
    return None


@lru_cache(maxsize=_REMEMBERED)
def is_strict(prefer: str) -> bool:
    """Whether `Prefer: handling=strict` asks that nothing be passed over (R4 search#errors)."""
    names = (part.partition("=") for part in parse_http_list(prefer.replace(";", ",")))
    said = [
        value.strip().strip('"').lower() for name, _, value in names if name.strip().lower() == "handling"
    ]
    return said[:1] == ["strict"]


def _by_weight(accept: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The media types that answer `accept`, best first, each with the parameters of its range."""
    ranges: list[tuple[float, int, str, dict[str, str]]] = []
    refused: set[str] = set()
    for part in parse_http_list(accept):
        name, parameters = _split(part)
        weight = parameters.get("q", "1")
        if not _WEIGHT.fullmatch(weight):
            continue
        if float(weight) == 0:
            refused.add(name)
        else:
            ranges.append((-float(weight), name.count("*"), name, parameters))
    ranges.sort(key=lambda one: one[:2])  # stable: of equal ones the first
    for _, _, name, parameters in ranges:
        for kind in _RANGES.get(name, ()):
            if kind not in refused:
                yield kind, parameters


def _split(text: str) -> tuple[str, dict[str, str]]:
    """A media type or range and its parameters, names in lower case."""
    name, semicolon, rest = text.partition(";")
    parameters: dict[str, str] = {}
    for key, value in _PARAMETER.findall(semicolon + rest):
        plain = re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value
        parameters.setdefault(key.lower(), plain)
    return name.strip().lower(), parameters
