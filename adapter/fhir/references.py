"""What a reference means among the resources that came along: by URL, by type and id, by identifier.

Owns the forms of a reference and their resolution inside one Bundle; does not own what lies outside it.
Pure. Source: FHIR R4, references#literal, references#logical, bundle#references («Resolving references in
Bundles»), http#cond-update (conditional references).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import parse_qsl, quote

from adapter.losus.identity import PERSONNUMMER, identifier_key

Resource = dict[str, Any]

_ABSOLUTE = ("http://", "https://")
_URNS = ("urn:uuid:", "urn:oid:")


@dataclass(frozen=True, slots=True)
class Entry:
    """One resource of a Bundle and where it stands, as FHIRPath."""

    path: str
    full_url: str
    resource: Resource


def is_type(text: str) -> bool:
    """Whether a text has the form of a resource type."""
    return text.isascii() and text.isalpha() and text[:1].isupper()


def literal(reference: str) -> str:
    """Give a literal reference without its version: references mean the newest that is known."""
    return reference.partition("/_history/")[0]


def relative_name(reference: str) -> str | None:
    """Give `Type/id` of a relative reference; None of any other."""
    kind, _, name = literal(reference).partition("/")
    return f"{kind}/{name}" if is_type(kind) and name and not set(name) & set("/?#:|") else None


def base_of(url: str) -> str:
    """Give the base of the server that an absolute URL `[base]/Type/id` names; "" of any other."""
    return literal(url).rsplit("/", 2)[0] if url.startswith(_ABSOLUTE) else ""


def own_name(reference: str, bases: Iterable[str] = ()) -> str | None:
    """Give `Type/id` of what a literal reference names on the server of who refers; None of any other.

    `bases`: by what URLs that server goes. Where none is known, any absolute reference is taken for its own.
    """
    head = literal(reference)
    known = {base.rstrip("/") for base in bases if base}
    if not head.startswith(_ABSOLUTE):
        return relative_name(head)
    if known and base_of(head) not in known:
        return None
    return relative_name("/".join(head.rsplit("/", 2)[-2:]))


def search_text(kind: str, system: str, value: str) -> str:
    """Write a reference by identifier, or a condition, as `search_key` reads it."""
    identifier = f"{system}|{value}"
    return f"{kind}?identifier={quote(identifier, safe=':/|') if '%' in identifier else identifier}"


def search_key(reference: str, on: date) -> tuple[str, str] | None:
    """Give type ("" for any) and identifier of a reference by identifier; None of any other reference.

    It is written as the search that it stands for, `Type?identifier=system|value`, thus as a conditional
    reference is. The identifier is in the form in which identifiers are compared (`identifier_key`).
    """
    kind, mark, query = reference.partition("?")
    if not mark or (kind and not is_type(kind)):
        return None
    asked = parse_qsl(query, keep_blank_values=True) if "%" in query else [tuple(query.split("=", 1))]
    if len(asked) != 1 or len(asked[0]) != 2 or asked[0][0] != "identifier":
        return None
    system, bar, value = asked[0][1].partition("|")
    return (kind, identifier_key(system, value, on=on)) if bar and value else None


def identifiers_of(resource: Resource, on: date) -> Iterator[str]:
    """Give the identifiers of a resource in the form in which they are compared."""
    listed = resource.get("identifier")
    for one in listed if isinstance(listed, list) else [listed]:
        if isinstance(one, dict) and isinstance(one.get("value"), str):
            system = one.get("system")
            yield identifier_key(system if isinstance(system, str) else "", one["value"], on=on)


def personnummer_of(patient: Resource, on: date) -> set[str]:
    """Give the personnummer of a Patient as they are compared: several where it was corrected."""
    return {one for one in identifiers_of(patient, on) if one.startswith(f"{PERSONNUMMER}|")}


def named_by_url(resource: Resource, full_url: str) -> Resource:
    """Give a resource without an id the one that its `fullUrl` names (`urn:uuid:…`, `…/Type/id`)."""
    if resource.get("id"):
        return resource
    if full_url.startswith(_URNS):
        return {**resource, "id": full_url.rpartition(":")[2]}
    name = own_name(full_url) if full_url.startswith(_ABSOLUTE) else None
    kind, _, id_ = (name or "").partition("/")
    return {**resource, "id": id_} if kind == resource.get("resourceType") else resource


@dataclass(slots=True)
class References:
    """Finds what a reference means inside one Bundle.

    `on`: the day by which personal numbers of ten digits get their century.
    """

    entries: tuple[Entry, ...]
    on: date = date(1970, 1, 1)
    _by_url: dict[str, Resource] = field(default_factory=dict)
    _by_name: dict[str, list[Entry]] = field(default_factory=dict)
    _by_identifier: dict[str, list[Resource]] | None = None

    def __post_init__(self) -> None:
        for entry in self.entries:
            resource = entry.resource
            if name := resource.get("id"):
                self._by_name.setdefault(f"{resource.get('resourceType', '')}/{name}", []).append(entry)
            if entry.full_url:
                self._by_url[entry.full_url] = resource

    def resolve(self, reference: str, full_url: str = "") -> Resource | None:
        """Give the resource that `reference` means, or None.

        `full_url`: that of the entry that refers. A relative reference means a resource of the same server;
        an absolute one means that URL, and no resource of the same type and id elsewhere.
        """
        if "?" in reference:
            return self._search(reference)
        head = literal(reference)
        found = self._by_url.get(head)
        if found is not None or "/" not in head:
            return found
        if head.startswith(_ABSOLUTE):
            named = self._by_name.get(own_name(head, (base_of(full_url),)) or "", ())
            return _only([one for one in named if not one.full_url.startswith(_ABSOLUTE)])
        if full_url.startswith(_ABSOLUTE):
            found = self._by_url.get(f"{base_of(full_url)}/{head}")
        return found if found is not None else _only(self._by_name.get(head, ()))

    def _search(self, reference: str) -> Resource | None:
        key = search_key(reference, self.on)
        if key is None:
            return None
        kind, identifier = key
        if self._by_identifier is None:
            self._by_identifier = {}
            for entry in self.entries:
                for one in identifiers_of(entry.resource, self.on):
                    self._by_identifier.setdefault(one, []).append(entry.resource)
        found = [one for one in self._by_identifier.get(identifier, ()) if kind in {"", one["resourceType"]}]
        names = {(one["resourceType"], one.get("id")) for one in found}
        return found[-1] if len(names) == 1 else None


def _only(entries: "list[Entry] | tuple[Entry, ...]") -> Resource | None:
    """Give the resource where all entries are versions of one; None where they are of several servers."""
    urls = {one.full_url for one in entries}
    return entries[-1].resource if len(urls) == 1 else None
