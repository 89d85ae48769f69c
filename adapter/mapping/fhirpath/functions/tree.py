"""What lies below: `children`, `descendants` (N1, 5.8), `extension` and `resolve` (FHIR's additions).

The extensions of a primitive stand beside it in JSON (`_birthDate`); they are found where the path names
the primitive (`birthDate.extension(…)`), else the expression is refused.
"""

from typing import Any

from adapter.fhir.references import search_text
from adapter.mapping.fhirpath.call import Call, Function
from adapter.mapping.fhirpath.closure import (
    EMPTY,
    Code,
    Env,
    Item,
    Items,
    NoValue,
    text_of,
)
from adapter.mapping.fhirpath.faults import EvaluationError
from adapter.mapping.fhirpath.functions.loops import over
from adapter.mapping.fhirpath.paths import beside

_EXTENSION = frozenset({"Extension"})
_RESOURCE = frozenset({"Resource"})


def _below(item: Item, *, with_extensions: bool) -> Items:
    """List the elements of an object, in its order; with those of its primitives, if asked for."""
    if isinstance(item, NoValue):
        return _below(dict(item.element), with_extensions=with_extensions)
    if not isinstance(item, dict):
        return EMPTY
    found: Items = []
    for name, value in item.items():
        if name == "resourceType":
            continue
        if not name.startswith("_"):
            found += [one for one in (value if isinstance(value, list) else [value]) if one is not None]
        elif with_extensions or name[1:] not in item:
            found += _aside(value, present=name[1:] in item, with_extensions=with_extensions)
    return found


def _aside(value: Item, *, present: bool, with_extensions: bool) -> Items:
    elements = [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict)]
    if not present:
        return [NoValue(element) for element in elements]
    return [one for element in elements for one in _below(element, with_extensions=with_extensions)]


def _children(call: Call) -> Code:
    def work(items: Items, _env: Env) -> Items:
        return [found for item in items for found in _below(item, with_extensions=False)]

    return Code(over(call, work))


def _descendants(call: Call) -> Code:
    def work(items: Items, _env: Env) -> Items:
        found: Items = []
        level = items
        while level:
            level = [one for item in level for one in _below(item, with_extensions=True)]
            found += level
        return found

    return Code(over(call, work))


def _extension(call: Call) -> Code:
    source = beside(call.input, call.compiler.model, call.at)
    extensions = call.compiler.member(source, "extension", call.at)
    run = extensions.run
    written = call.literal(0)
    url = text_of(call.need(0), call.at)

    def named(this: Item, env: Env) -> Items:
        wanted = written if written is not None else url(this, env)
        return [item for item in run(this, env) if isinstance(item, dict) and item.get("url") == wanted]

    return Code(named, _EXTENSION)


def _resolve(call: Call) -> Code:
    at = call.at

    def resolved(items: Items, env: Env) -> Items:
        found = (_target(item, env, at) for item in items)
        return [target for target in found if target is not None]

    return Code(over(call, resolved), _RESOURCE)


def _target(item: Item, env: Env, at: int) -> dict[str, Any] | None:
    reference = reference_text(item)
    if reference is None:
        return None
    if reference.startswith("#") and isinstance(env.resource, dict):
        for contained in env.resource.get("contained") or ():
            if isinstance(contained, dict) and contained.get("id") == reference[1:]:
                return contained
    if env.resolver is None:
        raise EvaluationError("resolve() was given nothing to look references up in", at)
    return env.resolver(reference)


def reference_text(item: Item) -> str | None:
    """Write a Reference as a resolver takes it: the literal reference, else the search for its identifier."""
    if not isinstance(item, dict):
        return item if isinstance(item, str) else None
    reference = item.get("reference")
    if isinstance(reference, str):
        return reference
    identifier = item.get("identifier")
    value = identifier.get("value") if isinstance(identifier, dict) else None
    if not isinstance(identifier, dict) or not isinstance(value, str):
        return None
    kind, system = item.get("type"), identifier.get("system", "")
    return search_text(
        kind if isinstance(kind, str) else "", system if isinstance(system, str) else "", value
    )


FUNCTIONS = {
    "children": Function(_children),
    "descendants": Function(_descendants),
    "extension": Function(_extension, 1, 1),
    "resolve": Function(_resolve),
}
