"""What the type of a Bundle demands of its entries: FHIR's invariants bdl-3 to bdl-13, those that matter.

Owns the invariants; does not own what an entry's resource holds. A `history` is not asked for requests and
responses (bdl-3, bdl-4): subscription notifications of R4 and R4B are of that type, and servers differ in
what they give with them.
Source: FHIR R4, R4B and R5, Bundle, «Constraints».
"""

from collections.abc import Iterator
from typing import Any

from adapter.errors import Problem, ResourceError
from adapter.fhir.model import FhirVersion

#: Inside of the Bundle, FHIR issue code, rule.
Fault = tuple[str, str, str]

_WITH_REQUEST = frozenset(("transaction", "batch"))
_WITH_RESPONSE = frozenset(("transaction-response", "batch-response"))
_WITH_NEITHER = frozenset(("document", "message", "collection"))
_SAME_AGAIN = frozenset(("history", "subscription-notification"))

#: Type of the Bundle → the resource that comes first, and the invariant.
_FIRST = {
    "message": ("MessageHeader", "bdl-12: the first resource of a message is its MessageHeader"),
    "document": ("Composition", "bdl-11: the first resource of a document is its Composition"),
    "subscription-notification": (
        "SubscriptionStatus",
        "bdl-13: the first resource of a notification is its SubscriptionStatus",
    ),
}


def entries_of(bundle: dict[str, Any]) -> list[Any]:
    """The entries of a Bundle that nothing is known of yet; ResourceError where that is no list."""
    entries = bundle.get("entry", [])
    if not isinstance(entries, list):
        raise ResourceError(Problem("structure", "is to be a list", "Bundle.entry"))
    return entries


def bundle_faults(bundle: dict[str, Any], version: FhirVersion) -> Iterator[Fault]:
    """The invariants that `bundle`, of which names and kinds of values were looked at, breaks."""
    said = bundle.get("type")
    kind = said if type(said) is str else ""
    listed = bundle.get("entry")
    entries = [one for one in listed if type(one) is dict] if type(listed) is list else []
    for index, entry in enumerate(entries):
        for inside, code, rule in _entry_faults(entry, kind):
            yield f".entry[{index}]{inside}", code, rule
    yield from _repeated(entries, kind)
    if kind == "document":
        yield from _document_faults(bundle)
    if kind in _FIRST and (kind != "subscription-notification" or version is FhirVersion.R5):
        first, rule = _FIRST[kind]
        if not entries or _resource(entries[0]).get("resourceType") != first:
            yield ".entry[0].resource", "invariant", rule


def _entry_faults(entry: dict[str, Any], kind: str) -> Iterator[Fault]:
    has_request, has_response = "request" in entry, "response" in entry
    if kind in _WITH_REQUEST and not has_request:
        yield ".request", "invariant", "bdl-3: an entry of a transaction or batch says its request"
    elif has_request and (kind in _WITH_NEITHER or kind in _WITH_RESPONSE):
        yield ".request", "invariant", "bdl-3: only an entry of a transaction, batch or history has a request"
    if kind in _WITH_RESPONSE and not has_response:
        yield ".response", "invariant", "bdl-4: an entry of a response says its response"
    elif has_response and (kind in _WITH_NEITHER or kind in _WITH_REQUEST):
        yield ".response", "invariant", "bdl-4: only an entry of a response or history has a response"
    if not has_request and not has_response and "resource" not in entry:
        yield ".resource", "invariant", "bdl-5: an entry has a resource, unless it has a request or response"
    url = entry.get("fullUrl")
    if type(url) is str and "/_history/" in url:
        yield ".fullUrl", "invariant", "bdl-8: a fullUrl names no version"


def _repeated(entries: list[dict[str, Any]], kind: str) -> Iterator[Fault]:
    """Entries of one fullUrl and one version (bdl-7): which of them a reference means nobody could tell."""
    if kind in _SAME_AGAIN:
        return
    seen: set[tuple[str, str]] = set()
    for index, entry in enumerate(entries):
        url = entry.get("fullUrl")
        if type(url) is not str:
            continue
        meta = _resource(entry).get("meta")
        version = meta.get("versionId") if type(meta) is dict else None
        if (url, str(version)) in seen:
            rule = "bdl-7: an entry of the same fullUrl, and no other version, stands before it"
            yield f".entry[{index}].fullUrl", "invariant", rule
        seen.add((url, str(version)))


def _document_faults(bundle: dict[str, Any]) -> Iterator[Fault]:
    identifier = bundle.get("identifier")
    named = identifier if type(identifier) is dict else {}
    if not named.get("system") or not named.get("value"):
        yield ".identifier", "invariant", "bdl-9: a document has an identifier with system and value"
    if not bundle.get("timestamp"):
        yield ".timestamp", "invariant", "bdl-10: a document has a date"


def _resource(entry: dict[str, Any]) -> dict[str, Any]:
    found = entry.get("resource")
    return found if type(found) is dict else {}
