"""The forms of FHIR's primitives where fhir.resources is lax, and which kind of JSON value each has.

Owns what one value may look like; does not own where it stands (`rules`). What fhir.resources holds to its
form already (dates, times, zones, codes, oids, uuids) is not held to it a second time; times it takes of any
year from 0001 to 9999 and with a leap second, as FHIR does.
Source: FHIR R4 and R5, Datatypes; References, «Literal references».
"""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from adapter.losus.moments import TimeFault, as_end, as_start

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_URI = re.compile(r"\S+")
_REFERENCE = re.compile(
    r"[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64}(?:/_history/[A-Za-z0-9\-.]{1,64})?(?:#\S+)?"
    r"|(?![A-Z][A-Za-z]+/)\S+"
)
#: Checks a value of the right kind; the rule that it breaks, or None.
Form = Callable[[Any], str | None]


def id_form(value: str) -> str | None:
    """The form of a resource's id."""
    return None if _ID.fullmatch(value) else "an id has 1 to 64 of A-Z a-z 0-9 - ."


def uri_form(value: str) -> str | None:
    """The form of a uri, url or canonical.

    What follows `urn:uuid:` or `urn:oid:` is not looked at: here it only names, and names a thing as well
    where it is no UUID; to refuse it would lose the message for nothing.
    """
    return None if _URI.fullmatch(value) else "a uri has no spaces and is not empty"


def uuid_form(value: str) -> str | None:
    """The form of a uuid, which fhir.resources takes without its `urn:uuid:` too."""
    return None if value.startswith("urn:uuid:") else "a uuid begins with urn:uuid:"


def reference_form(value: str) -> str | None:
    """The form of Reference.reference: relative with type and id, or any other uri (absolute, #contained)."""
    return (
        None if _REFERENCE.fullmatch(value) else "a reference is Type/id, Type/id/_history/version, or a uri"
    )


def ends_before_it_starts(start: str, end: str) -> bool:
    """Whether a period ends before it starts (per-1).

    An end includes all that matches it (R4 datatypes#Period): a date lasts until midnight, here as everywhere
    by a Swedish clock (`losus.moments`). Outside the years that are reckoned in, what both tell of their
    dates decides.
    """
    if len(start) == len(end) and start[19:] == end[19:]:
        return end < start  # the same zone, the same precision
    try:
        return as_end(end) < as_start(start)
    except TimeFault:
        shared = min(len(start.partition("T")[0]), len(end.partition("T")[0]))
        return end[:shared] < start[:shared]


#: FHIR type → the kinds of JSON value it has, and how the rule says so. All others are texts.
KINDS: dict[str, tuple[tuple[type, ...], str]] = {
    "boolean": ((bool,), "is to be true or false"),
    "integer": ((int,), "is to be a whole number"),
    "positiveInt": ((int,), "is to be a whole number"),
    "unsignedInt": ((int,), "is to be a whole number"),
    "integer64": ((str, int), "is to be a whole number"),
    "decimal": ((int, float, Decimal), "is to be a number"),
}
TEXT: tuple[tuple[type, ...], str] = ((str,), "is to be a text")

#: FHIR type → its form.
FORMS: dict[str, Form] = {
    "id": id_form,
    "uri": uri_form,
    "url": uri_form,
    "canonical": uri_form,
    "uuid": uuid_form,
}
