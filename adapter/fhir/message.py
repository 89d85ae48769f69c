"""A message Bundle as a value: its header and its entries, checked whole.

Owns what makes a Bundle a message; does not own what a reference inside it means (`references`) nor what the
message says (`adapter.mapping`).
Source: FHIR R4, Messaging; Bundle.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from adapter.errors import MalformedError, Problem, ResourceError
from adapter.fhir.model import FhirVersion
from adapter.fhir.references import Entry, References, named_by_url
from adapter.fhir.rules import faults

Resource = dict[str, Any]

__all__ = ["Entry", "Message", "References", "read_entries", "read_message"]


@dataclass(frozen=True, slots=True)
class Message:
    """A message that may be read: `header_id` and `bundle_id` are what duplicates are known by."""

    bundle: Resource
    entries: tuple[Entry, ...]
    references: References
    header: Resource
    header_id: str
    bundle_id: str


def read_message(bundle: Resource, version: FhirVersion) -> Message:
    """`bundle` as a message of FHIR `version`, checked whole.

    Raises MalformedError where it is no message Bundle; ResourceError with every fault of the FHIR
    model and of our own checks, each with its FHIRPath.
    """
    if bundle.get("resourceType") != "Bundle" or bundle.get("type") != "message":
        raise MalformedError(Problem("structure", "a Bundle of type message is asked for", "Bundle.type"))
    entries = tuple(_entries(bundle))
    if not entries or entries[0].resource.get("resourceType") != "MessageHeader":
        rule = "bdl-12: the first resource of a message is its MessageHeader"
        raise MalformedError(Problem("invariant", rule, "Bundle.entry[0].resource"))
    problems = faults(bundle, version, "Bundle")
    header = entries[0].resource
    problems += [
        Problem("required", "without it a repeat could not be told from a new message", path)
        for path, holder in (("Bundle.id", bundle), ("Bundle.entry[0].resource.id", header))
        if not holder.get("id")
    ]
    if problems:
        raise ResourceError(*problems)
    return Message(bundle, entries, References(entries), header, header["id"], bundle["id"])


def read_entries(document: Resource, version: FhirVersion) -> tuple[tuple[Entry, ...], References]:
    """The resources of any Bundle, or the one resource that `document` is, checked whole.

    Raises MalformedError where it is no resource, ResourceError with every fault.
    """
    kind = document.get("resourceType")
    if not isinstance(kind, str):
        raise MalformedError(Problem("required", "a resource says its resourceType", "resourceType"))
    entries = tuple(_entries(document)) if kind == "Bundle" else (Entry(kind, "", document),)
    problems = faults(document, version, kind)
    if problems:
        raise ResourceError(*problems)
    return entries, References(entries)


def _entries(bundle: Resource) -> Iterator[Entry]:
    entries = bundle.get("entry")
    if not isinstance(entries, list):
        return
    for index, entry in enumerate(entries):
        path = f"Bundle.entry[{index}].resource"
        if not isinstance(entry, dict):
            raise ResourceError(Problem("structure", "is to be an object", f"Bundle.entry[{index}]"))
        resource = entry.get("resource")
        if not isinstance(resource, dict):
            raise ResourceError(Problem("required", "an entry of a message holds a resource", path))
        if not isinstance(resource.get("resourceType"), str):
            raise ResourceError(Problem("required", "a resource says its resourceType", path))
        full_url = entry.get("fullUrl")
        url = full_url if isinstance(full_url, str) else ""
        yield Entry(path, url, named_by_url(resource, url))
