"""What a transaction, a batch or a single create or update asks for, and the resources as they become known.

Owns `Bundle.entry.request`, conditions and conditional references, and putting ids where the server gives
them. Does not own which id that is, nor what is stored. No fault holds a value.
Source: FHIR R4 and R5, RESTful API: create, update, conditional create and update, transaction rules;
`identifier=system|value` is the one condition that is understood.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from adapter.errors import MalformedError, Problem, ResourceError
from adapter.fhir.bundles import entries_of
from adapter.fhir.preconditions import Expected, expected

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


def condition(kind: str, query: str, at: str | None = None) -> str:
    """`Type?identifier=system|value` of a search that a write depends on; ResourceError of any other."""
    asked = parse_qsl(query.removeprefix("?"), keep_blank_values=True)
    if len(asked) == 1 and asked[0][0] == "identifier":
        system, bar, value = asked[0][1].partition("|")
        if bar and system and value:
            return f"{kind}?identifier={system}|{value}"
    rule = "a condition is identifier=system|value, and nothing beside it"
    raise ResourceError(Problem("not-supported", rule, at))


def _expected(request: Resource, at: str) -> Expected | None:
    """The preconditions of an entry; one that is no text is a fault of the model's (`fhir.rules`)."""
    match, none_match = (
        value if isinstance(value := request.get(name), str) else None for name in ("ifMatch", "ifNoneMatch")
    )
    return expected(match, none_match, f"{at}.request.ifMatch", f"{at}.request.ifNoneMatch")


def conditions_in(resource: Resource, at: str) -> Iterator[str]:
    """The conditional references in a resource (`Patient?identifier=…`), each as `condition` writes it."""
    for holder in _references(resource):
        kind, mark, query = holder["reference"].partition("?")
        if mark and kind.isalpha():
            yield condition(kind, query, at)


def names_of(resource: Resource) -> Iterator[str]:
    """The conditions under which a resource can be found: its identifiers with system and value."""
    identifiers = resource.get("identifier")
    for one in identifiers if isinstance(identifiers, list) else [identifiers]:
        if isinstance(one, dict) and one.get("system") and one.get("value"):
            yield f"{resource['resourceType']}?identifier={one['system']}|{one['value']}"


def settled(document: Resource, targets: Mapping[str, str], named: Mapping[str, str]) -> Resource:
    """The document with the ids that were given, and references as they are meant.

    `targets` lead from an entry's place ("0" for a single resource) to its Type/id; `named` from a condition
    to the Type/id that it found. References by `fullUrl` (urn:uuid) and by condition become Type/id.
    """
    if document.get("resourceType") != "Bundle":
        return _under(document, targets.get("0"), {}, named)
    entries = document["entry"]
    urls = {
        entry["fullUrl"]: targets[str(index)]
        for index, entry in enumerate(entries)
        if isinstance(entry.get("fullUrl"), str) and str(index) in targets
    }
    return {
        **document,
        "entry": [
            {**entry, "resource": _under(entry["resource"], targets.get(str(index)), urls, named)}
            for index, entry in enumerate(entries)
        ],
    }


def _under(
    resource: Resource, target: str | None, urls: Mapping[str, str], named: Mapping[str, str]
) -> Resource:
    meant: Resource = _meant(resource, urls, named)
    if target is not None:
        meant["id"] = target.partition("/")[2]
    return meant


def _meant(value: Any, urls: Mapping[str, str], named: Mapping[str, str]) -> Any:  # noqa: ANN401 - JSON
    """A copy of `value` with its references as they are meant."""
    if isinstance(value, list):
        return [_meant(one, urls, named) for one in value]
    if not isinstance(value, dict):
        return value
    copy = {name: _meant(inner, urls, named) for name, inner in value.items()}
    reference = copy.get("reference")
    if isinstance(reference, str):
        kind, mark, query = reference.partition("?")
        asked = condition(kind, query) if mark and kind.isalpha() else reference
        copy["reference"] = named.get(asked) or urls.get(asked) or reference
    return copy


def _references(resource: Resource) -> Iterator[Resource]:
    level: list[Any] = [resource]
    while level:
        inner = level.pop()
        if isinstance(inner, dict):
            if isinstance(inner.get("reference"), str):
                yield inner
            level += inner.values()
        elif isinstance(inner, list):
            level += inner


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
