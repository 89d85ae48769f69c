"""Which version of a resource this is, and how versions rank, by what its `meta` and its Bundle say.

Owns the meaning of `meta.versionId`, `meta.lastUpdated` and `Bundle.timestamp`; a mapping may rank versions
by an expression of its own instead (`reader`).
"""

import hashlib
from collections.abc import Iterable
from typing import Any

import orjson

from adapter.errors import Problem, ResourceError
from adapter.losus.moments import TimeFault, as_moment
from adapter.losus.signal import VersionOrder


def digest_of(resource: dict[str, Any]) -> str:
    """Tell contents apart: the last word where two versions rank the same."""
    return hashlib.sha256(orjson.dumps(resource, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def by_meta(resource: dict[str, Any], sent: str) -> tuple[VersionOrder, str]:
    """How this version ranks (see `VersionOrder`), and what a person calls it.

    `sent` (UTC text, or "") stands in for a missing `lastUpdated`, and for one that cannot be used: whoever
    takes in what was sent refuses that (`refuse_stamps`), but it may stand in what was stored or fetched.
    """
    digest = digest_of(resource)
    meta = resource.get("meta") or {}
    number = str(meta.get("versionId") or "")
    moment = sent if _stamp_fault(resource) else _changed(resource) or sent
    rank = int(number) if number.isdecimal() and number.isascii() else -1
    return (rank, moment, number, digest), number or moment or digest


def sent_at(document: dict[str, Any]) -> str:
    """When a Bundle says that it was put together, UTC text; empty where it does not, or is no Bundle.

    ResourceError where that time cannot be used.
    """
    stamp = document.get("timestamp") if document.get("resourceType") == "Bundle" else None
    try:
        return as_moment(stamp).isoformat() if stamp else ""
    except TimeFault as fault:
        raise ResourceError(Problem("value", f"the time {fault}", "Bundle.timestamp")) from None


def refuse_stamps(resources: Iterable[tuple[dict[str, Any], str]]) -> None:
    """Raise ResourceError with every `meta.lastUpdated` that cannot be used; each resource with its path."""
    faults = [
        Problem("value", f"the time {fault}", f"{path}.meta.lastUpdated")
        for resource, path in resources
        if (fault := _stamp_fault(resource)) is not None
    ]
    if faults:
        raise ResourceError(*faults)


def _stamp_fault(resource: dict[str, Any]) -> TimeFault | None:
    try:
        _changed(resource)
    except TimeFault as fault:
        return fault
    return None


def _changed(resource: dict[str, Any]) -> str:
    """When it was last changed, UTC text; empty where it does not say."""
    changed = (resource.get("meta") or {}).get("lastUpdated")
    return as_moment(changed).isoformat() if changed else ""
