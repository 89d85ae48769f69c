"""What a transaction, a batch or a single create or update asks for, and the resources as they become known.

Owns `Bundle.entry.request`, conditions and conditional references, and putting ids where the server gives
them. Does not own which id that is, nor what is stored. No fault holds a value.
Source: FHIR R4 and R5, RESTful API: create, update, conditional create and update, transaction rules;
`identifier=system|value` is the one condition that is understood.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from adapter.errors import MalformedError, Problem, ResourceError
from adapter.fhir.bundles import entries_of
from adapter.fhir.preconditions import Expected, expected
from adapter.fhir.references import is_type, search_text

Resource = dict[str, Any]

#: What a source may create and update: what a case is made of, and what that points at.
TAKEN = (
    "Encounter",
    "Task",
    "CarePlan",
    "Patient",
    "Organization",
    "Location",
    "Practitioner",
    "PractitionerRole",
    "CareTeam",
    "EpisodeOfCare",
)


@dataclass(frozen=True, slots=True)
class Interaction:
    """One create or update: of a `kind`, under an `id` (None: the server's to give), or on a condition.

    `condition` is `Type?identifier=system|value`; `expected` what If-Match and If-None-Match demand; `at` the
    FHIRPath of the resource.
    """

    kind: str
    id: str | None
    condition: str | None
    expected: Expected | None
    is_create: bool
    at: str

    @property
    def is_on_condition(self) -> bool:
        """Whether it is a conditional update."""
        return self.condition is not None and not self.is_create

    @property
    def condition_at(self) -> str:
        """The FHIRPath of its condition: of the entry's request, or of the resource where a header has it."""
        if not self.at.startswith("Bundle.entry"):
            return self.at
        request = self.at.removesuffix(".resource") + ".request"
        return f"{request}.ifNoneExist" if self.is_create else f"{request}.url"


def interactions(bundle: Resource) -> tuple[Interaction, ...]:
    """What the entries of a transaction or batch ask for, in order; ResourceError with every fault."""
    asked: list[Interaction] = []
    problems: list[Problem] = []
    for index in range(len(entries_of(bundle))):
        try:
            asked.append(interaction(bundle, index))
        except ResourceError as error:
            problems += error.problems
    if problems:
        raise ResourceError(*problems)
    return tuple(asked)


def interaction(bundle: Resource, index: int) -> Interaction:
    """What one entry asks for; ResourceError where that is not offered, or is no request."""
    at = f"Bundle.entry[{index}]"
    entry = bundle["entry"][index]
    request = entry.get("request") if isinstance(entry, dict) else None
    if not isinstance(request, dict) or not isinstance(request.get("url"), str):
        raise ResourceError(
            Problem("invariant", "bdl-3: an entry of a transaction or batch has a request", at)
        )
    if request.get("method") not in ("POST", "PUT"):
        rule = "only POST and PUT are offered: what was entered in error says so by its status"
        raise ResourceError(Problem("not-supported", rule, f"{at}.request.method"))
    resource = entry.get("resource")
    if not isinstance(resource, dict):
        raise ResourceError(Problem("required", "a create or update has a resource", f"{at}.resource"))
    is_create = request["method"] == "POST"
    path, _, query = request["url"].partition("?")
    kind, _, name = path.partition("/")
    _demand_kind(kind, resource, f"{at}.request.url")
    if is_create:
        if name or query:
            raise ResourceError(Problem("invalid", "a create is to the type alone", f"{at}.request.url"))
        once = request.get("ifNoneExist")
        found = condition(kind, once, f"{at}.request.ifNoneExist") if isinstance(once, str) else None
        return Interaction(kind, None, found, None, True, f"{at}.resource")
    version = _expected(request, at)
    if query and not name:
        found = condition(kind, query, f"{at}.request.url")
        return Interaction(kind, None, found, version, False, f"{at}.resource")
    if not name or query or resource.get("id") != name:
        rule = "an update names the id of its resource"
        raise ResourceError(Problem("invalid", rule, f"{at}.request.url"))
    return Interaction(kind, name, None, version, False, f"{at}.resource")


def _demand_kind(kind: str, resource: Resource, at: str) -> None:
    if kind not in TAKEN:
        raise ResourceError(Problem("not-supported", f"the types taken are {', '.join(TAKEN)}", at))
    if resource.get("resourceType") != kind:
        raise ResourceError(Problem("invalid", "the resource is of another type than is asked for", at))


#: Parameters of any request (R4 http#parameters) on how the answer is written; they search for nothing.
_OF_THE_ANSWER = frozenset({"_format", "_pretty", "_summary", "_elements"})


def searched(query: str) -> list[tuple[str, str]]:
    """Give what a query searches for, without what it says of the answer, which clients add to any."""
    asked = parse_qsl(query, keep_blank_values=True)
    return [(name, value) for name, value in asked if name not in _OF_THE_ANSWER]


def condition(kind: str, text: str, at: str | None = None) -> str:
    """Give the search that a write depends on as `Type?identifier=system|value`; ResourceError of any other.

    `text` is the query alone (R4 http#ccreate), or a URL `[base]/Type?…`, as DSTU2 wanted If-None-Exist to be
    and HAPI's client still writes it. The base is not looked at: the sender's name for this service may be
    another than ours.
    """
    path, mark, query = text.partition("?")
    is_url = bool(mark) and "=" not in path
    if is_url and path.rpartition("/")[2] not in {"", kind}:
        raise ResourceError(Problem("invalid", "the condition searches for another type than is written", at))
    asked = searched(query if is_url else text)
    if len(asked) == 1 and asked[0][0] == "identifier":
        system, bar, value = asked[0][1].partition("|")
        if bar and system and value:
            return search_text(kind, _plain(system), _plain(value))
    rule = "a condition is identifier=system|value, and nothing beside it"
    raise ResourceError(Problem("not-supported", rule, at))


def _plain(text: str) -> str:
    """Take the backslash from what it protects in a search parameter (R4 search#escaping)."""
    return re.sub(r"\\([\\,$|])", r"\1", text)


def _expected(request: Resource, at: str) -> Expected | None:
    """The preconditions of an entry; one that is no text is a fault of the model's (`fhir.rules`)."""
    match, none_match = (
        value if isinstance(value := request.get(name), str) else None for name in ("ifMatch", "ifNoneMatch")
    )
    return expected(match, none_match, f"{at}.request.ifMatch", f"{at}.request.ifNoneMatch")


@dataclass(frozen=True, slots=True)
class Named:
    """What a channel found out about the entries of a create, update or transaction before it is stored.

    `targets` lead from an entry's place ("0" for a single resource) to its Type/id. `created`: the places of
    creates, whose `meta.versionId` in the body does not count (R4 http#create). `matched`: the places of
    conditional creates that found a resource: nothing is done with them (R4 http#ccreate). `sent_back`: the
    places of updates whose body still has the version that If-Match names, which is not theirs (R4
    http#update). `conditions`: the hashes of the conditions under which resources were created, each with the
    Type/id.
    """

    targets: Mapping[str, str] = field(default_factory=dict)
    created: frozenset[str] = frozenset()
    matched: frozenset[str] = frozenset()
    sent_back: frozenset[str] = frozenset()
    conditions: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, str]:
        """Write it as it is kept with the message: texts by name."""
        kept = {**self.targets, **self.conditions}
        lists = dict(zip(_LISTS, (self.created, self.matched, self.sent_back), strict=True))
        return {**kept, **{name: ",".join(sorted(places)) for name, places in lists.items() if places}}


_LISTS = ("created", "matched", "sent-back")


def named_of(kept: Mapping[str, str]) -> Named:
    """Read what `Named.as_json` wrote."""
    places = {name: value for name, value in kept.items() if name.isdecimal() and len(name) < _HASH}
    conditions = {name: value for name, value in kept.items() if len(name) == _HASH}
    created, matched, sent_back = (frozenset(filter(None, kept.get(name, "").split(","))) for name in _LISTS)
    return Named(places, created, matched, sent_back, conditions)


_HASH = 32  # characters of a hashed condition


def conditional_references(resource: Resource, path: str) -> Iterator[tuple[str, str]]:
    """Give the conditional references in a resource (`Patient?identifier=…`), each with its FHIRPath."""
    for holder, where in _references(resource, path):
        kind, mark, _ = holder["reference"].partition("?")
        if mark and is_type(kind):
            yield holder["reference"], f"{where}.reference"


def settled(document: Resource, named: Named) -> Resource:
    """Give the document with the ids that were given, and the links between its entries as they are meant.

    A link is a reference, or another element of type uri or url, that repeats the `fullUrl` of an entry
    (R4 http#trules); it becomes Type/id. Conditional references stay: what they mean is looked up as it is
    read.
    """
    if document.get("resourceType") != "Bundle":
        return _under(document, "0", named, {}, "")
    entries = document.get("entry")
    if not entries:
        return document
    links = _links(entries, named)
    return {
        **document,
        "entry": [
            {**entry, "resource": _under(entry["resource"], str(index), named, links, _base(entry))}
            for index, entry in enumerate(entries)
        ],
    }


def _links(entries: list[Resource], named: Named) -> dict[str, str]:
    """By the fullUrl of each entry, the Type/id that it was given."""
    return {
        entry["fullUrl"]: named.targets[str(index)]
        for index, entry in enumerate(entries)
        if isinstance(entry.get("fullUrl"), str) and str(index) in named.targets
    }


def _base(entry: Resource) -> str:
    """The base URL, with a slash at its end, of the server that an entry's fullUrl names; else ""."""
    url = entry.get("fullUrl")
    is_http = isinstance(url, str) and url.startswith(("http://", "https://"))
    return url.rsplit("/", 2)[0] + "/" if is_http and isinstance(url, str) else ""


def _under(resource: Resource, place: str, named: Named, links: Mapping[str, str], base: str) -> Resource:
    meant: Resource = _meant(resource, links, base)
    target = named.targets.get(place)
    if target is not None:
        meant["id"] = target.partition("/")[2]
    if place in named.created:
        return without_meta(meant, "versionId")
    return without_meta(meant, "versionId", "lastUpdated") if place in named.sent_back else meant


def without_meta(resource: Resource, *names: str) -> Resource:
    """Give a resource without some elements of its `meta`, and without a `meta` that holds nothing else."""
    meta = resource.get("meta")
    if not isinstance(meta, dict):
        return resource
    kept = {name: value for name, value in meta.items() if name not in names}
    others = {name: value for name, value in resource.items() if name != "meta"}
    return {**others, "meta": kept} if kept else others


#: Elements whose text may be a link to another entry; of all others it is content.
_LINKS = frozenset({"reference", "valueUri", "valueUrl", "valueUuid", "valueOid", "valueCanonical"})


def _meant(value: Any, links: Mapping[str, str], base: str) -> Any:  # noqa: ANN401 - JSON
    """A copy of `value` with its links as they are meant."""
    if isinstance(value, list):
        return [_meant(one, links, base) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _link(inner, links, base)
        if name in _LINKS and isinstance(inner, str)
        else _meant(inner, links, base)
        for name, inner in value.items()
    }


def _link(text: str, links: Mapping[str, str], base: str) -> str:
    head = text.partition("/_history/")[0]
    return links.get(head) or (links.get(base + head) if base else None) or text


def _references(resource: Resource, path: str) -> Iterator[tuple[Resource, str]]:
    """Every Reference with a text in a resource, and where it stands."""
    level: list[tuple[Any, str]] = [(resource, path)]
    while level:
        inner, where = level.pop()
        if isinstance(inner, dict):
            if isinstance(inner.get("reference"), str):
                yield inner, where
            level += [(value, f"{where}.{name}") for name, value in inner.items()]
        elif isinstance(inner, list):
            level += [(value, f"{where}[{index}]") for index, value in enumerate(inner)]


def demand_target(resource: Resource, kind: str, name: str | None) -> None:
    """MalformedError where the body of a single create or update is not what its address says."""
    if resource.get("resourceType") != kind:
        raise MalformedError(
            Problem("invalid", "the resource is of another type than the address", "resourceType")
        )
    if name is not None and resource.get("id") != name:
        raise MalformedError(
            Problem("invalid", "the id of the resource is not that of the address", f"{kind}.id")
        )
