"""Which version of a resource this is, by what its `meta` and its message say.

Owns the meaning of `meta.versionId`, `meta.lastUpdated` and `Bundle.timestamp`, the version names that this
service gives itself, and what counts as content; how versions rank is `losus.versions`. A mapping may rank
versions by an expression of its own instead (`reader`).
"""

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from adapter.errors import Problem, ResourceError
from adapter.fhir.interaction import without_meta
from adapter.fhir.references import own_name
from adapter.losus.moments import TimeFault, as_moment
from adapter.losus.signal import Signal
from adapter.losus.versions import VersionOrder
from adapter.mapping.fhirpath.functions.tree import reference_text

Resource = dict[str, Any]

#: A versionId that this service gave: the time of receipt, without the characters that a FHIR id has not.
_ASSIGNED = re.compile(r"losus-\d{8}T\d{6}\.\d{6}Z")
#: How a version is called that is known by its time alone.
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00")


@dataclass(frozen=True, slots=True)
class Stamp:
    """What stands in for a version where the resource bears none, UTC text; "" where there is nothing.

    `sent`: the Bundle's timestamp, the message's own word. `received`: when a server would stamp the version,
    thus on the channels that name what they take in (create, update, transaction), else "".
    """

    sent: str = ""
    received: str = ""


def digest_of(resource: Resource, name_of: Callable[[str], str | None] = own_name) -> str:
    """Hash what a resource says, whichever channel brought it (see `losus.versions.says_the_same`).

    `meta.versionId` and `lastUpdated` name a version and are no content. References are hashed by what they
    mean: a literal one by the name (Type/id) that `name_of` gives, else by its text; one by identifier by
    that.
    """
    references: list[str] = []
    said = _without_references(without_meta(resource, "versionId", "lastUpdated"), name_of, references)
    content = _hash(said)[:16]
    if len(references) > _MOST_REFERENCES:
        references = [f"{_MANY}{_hash(references)[:16]}"]
    return " ".join([content, *references])


_REFERENCE = frozenset({"reference", "type", "identifier", "display"})
_MOST_REFERENCES = 40
_LITERAL, _BY_IDENTIFIER, _MANY = "l", "i", "m"


def _hash(value: Any) -> str:  # noqa: ANN401 - JSON
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _without_references(value: Any, name_of: Callable[[str], str | None], found: list[str]) -> Any:  # noqa: ANN401
    """A copy without what the references mean, which goes to `found`, in order."""
    if isinstance(value, list):
        return [_without_references(one, name_of, found) for one in value]
    if not isinstance(value, dict):
        return value
    is_reference = value.keys() <= _REFERENCE and (
        isinstance(value.get("reference"), str) or isinstance(value.get("identifier"), dict)
    )
    if not is_reference:
        return {key: _without_references(value[key], name_of, found) for key in sorted(value)}
    text = reference_text(value) or ""
    kind = _BY_IDENTIFIER if "?" in text else _LITERAL
    meant = text.partition("?")[2] if kind == _BY_IDENTIFIER else name_of(text) or text
    found.append(kind + _hash(meant)[:6])
    return {"reference": ""}


def digest_of_signals(signals: Iterable[Signal], *, void: bool) -> str:
    """Hash what a version says, for a mapping that reads more of the message than the resource alone."""
    said = [[signal.kind, signal.at, signal.fields, signal.repeats] for signal in signals]
    return hashlib.sha256(orjson.dumps([void, said], option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def by_meta(resource: Resource, stamp: Stamp) -> tuple[VersionOrder, str]:
    """How this version ranks, and what a person calls it; without its digest and finality.

    A `lastUpdated` that cannot be used counts as none: whoever takes in what was sent refuses it
    (`refuse_stamps`), but it may stand in what was stored or fetched.
    """
    meta = resource.get("meta") or {}
    number = str(meta.get("versionId") or "")
    changed = "" if _stamp_fault(resource) else _changed(resource)
    if number and assigned(number):  # a client sends back what it was given: no version of its own
        number = changed = ""
    rank = int(number) if number.isdecimal() and number.isascii() else -1
    if changed:
        at, sent = changed, stamp.sent
    else:
        at = sent = stamp.sent or ("" if number else stamp.received)
    return VersionOrder(rank, at, sent), number or at or digest_of(resource)


def assigned(version: str) -> bool:
    """Whether this service gave that versionId."""
    return _ASSIGNED.fullmatch(version) is not None


def version_tag(version: str) -> str:
    """A version's name as FHIR's `id` can say it, for ETag, `meta.versionId` and `_history`.

    A time, which stands for a version without a name, becomes one that is known again (`assigned`).
    """
    if _TIME.fullmatch(version) is None:
        return re.sub("[^A-Za-z0-9.-]", "-", version)[:64]
    return f"losus-{datetime.fromisoformat(version):%Y%m%dT%H%M%S.%f}Z"


def sent_at(document: Resource) -> str:
    """When a Bundle says that it was put together, UTC text; empty where it does not, or is no Bundle.

    ResourceError where that time cannot be used.
    """
    stamp = document.get("timestamp") if document.get("resourceType") == "Bundle" else None
    try:
        return as_moment(stamp).isoformat() if stamp else ""
    except TimeFault as fault:
        raise ResourceError(Problem("value", f"the time {fault}", "Bundle.timestamp")) from None


def refuse_stamps(resources: Iterable[tuple[Resource, str]]) -> None:
    """Raise ResourceError with every time of a version that cannot be used; each resource with its path.

    Beside `meta.lastUpdated` that is when a person died, which is read with every later resource of theirs.
    """
    faults = [
        Problem("value", f"the time {fault}", f"{path}.{element}")
        for resource, path in resources
        for element, fault in (
            ("meta.lastUpdated", _stamp_fault(resource)),
            ("deceased", _death_fault(resource)),
        )
        if fault is not None
    ]
    if faults:
        raise ResourceError(*faults)


def _stamp_fault(resource: Resource) -> TimeFault | None:
    try:
        _changed(resource)
    except TimeFault as fault:
        return fault
    return None


def _death_fault(resource: Resource) -> TimeFault | None:
    died = resource.get("deceasedDateTime") if resource.get("resourceType") == "Patient" else None
    try:
        if isinstance(died, str):
            as_moment(died)
    except TimeFault as fault:
        return fault
    return None


def _changed(resource: Resource) -> str:
    """When it was last changed, UTC text; empty where it does not say."""
    changed = (resource.get("meta") or {}).get("lastUpdated")
    return as_moment(changed).isoformat() if changed else ""
