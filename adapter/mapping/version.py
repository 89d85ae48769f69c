"""Which version of a resource this is, and how versions rank, by what its `meta` says.

Owns the meaning of `meta.versionId` and `meta.lastUpdated`; a mapping may rank versions by an expression
of its own instead (`reader`).
"""

import hashlib
from typing import Any

import orjson

from adapter.losus.signal import VersionOrder
from adapter.mapping.fields import instant


def digest_of(resource: dict[str, Any]) -> str:
    """Tell contents apart: the last word where two versions rank the same."""
    return hashlib.sha256(orjson.dumps(resource, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def by_meta(resource: dict[str, Any], sent: str) -> tuple[VersionOrder, str]:
    """How this version ranks (see `VersionOrder`), and what a person calls it.

    `sent` (UTC text, or "") stands in for a missing `lastUpdated`. FieldFault where that is no instant.
    """
    digest = digest_of(resource)
    meta = resource.get("meta") or {}
    number = str(meta.get("versionId") or "")
    changed = meta.get("lastUpdated")
    moment = instant(changed).isoformat() if changed else sent
    rank = int(number) if number.isdecimal() and number.isascii() else -1
    return (rank, moment, number, digest), number or moment or digest
