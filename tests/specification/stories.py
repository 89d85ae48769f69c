"""Stories of stays told as versions of resources, and the ways in which a hospital may send them.

A story is a list of versions in the order of their times; versions bear `meta` (but for one person), every
resource an identifier of its own. `referring` writes its references in one of FHIR's styles.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapter.fhir.interaction import TAKEN
from adapter.mapping.load import default_folder
from tests.service import way_home

Resource = dict[str, Any]

BASE = "https://ehr.example/fhir"
SYSTEM = "https://ehr.example/id"
EXAMPLES = default_folder() / "examples"

#: How a reference may be written; `urn` only where the target is in the same Bundle.
STYLES = ("relative", "absolute", "versioned", "logical", "logical-typed", "conditional", "urn", "contained")


@dataclass(frozen=True)
class Story:
    """A story: what it is about, the mapping that reads it, and the versions of its resources."""

    name: str
    mapping: str
    versions: tuple[Resource, ...]


def stories(shared: Path | None) -> list[Story]:
    """All stories: of the shipped examples, of ours, and of real resources where they are at hand."""
    every = [
        Story("the way home", "losus-r4", _versions(_resources(way_home()))),
        Story(
            "a death before the end", "losus-r4", _versions(_steps("01-admission", "death-before-the-end"))
        ),
        Story("a placement", "losus-r4", _versions(_steps("01-admission", "placing-municipality"))),
        Story("protected identity", "losus-r4", _versions(_steps("01-admission", "protected-identity"))),
        Story("departments", "losus-r4", _versions(_steps("01-admission", "department"))),
        Story("a newborn", "losus-r4", _versions(_steps("01-admission", "newborn"))),
        Story("ÖPT", "losus-r4", _versions(_steps("01-admission", "opt", "coordinated-plan"))),
        Story("an admission in error", "losus-r4", _versions(_steps("01-admission", "admission-in-error"))),
        Story(
            "a move within the stay", "losus-r4", _versions([*_resources(way_home()), *_moved(way_home())])
        ),
        Story("two stays, a person without versions", "losus-r4", tuple(_two_stays())),
        Story("plain R4", "hl7-r4", _versions(_plain("hl7-r4"))),
    ]
    if shared is not None:
        real = [_read(path) for path in sorted((shared / "data" / "hl7-r4").glob("Encounter-*.json"))]
        every.append(Story("HL7's own encounters", "hl7-r4", _versions(real)))
    return every


def _moved(messages: Sequence[Resource]) -> Iterator[Resource]:
    """The person of those messages, in a version of later who has moved to Strömsund during the stay."""
    person = next(one for one in _resources(messages) if one["resourceType"] == "Patient")
    [home] = person["address"]
    [extension] = home["extension"]
    to = {**extension, "valueCoding": {**extension["valueCoding"], "code": "2313"}}
    yield {
        **person,
        "meta": {**person.get("meta", {}), "versionId": "90", "lastUpdated": "2024-03-08T08:00:00+01:00"},
        "address": [
            {**home, "period": {"end": "2024-03-05"}},
            {**home, "extension": [to], "period": {"start": "2024-03-06"}},
        ],
    }


def _two_stays() -> Iterator[Resource]:
    """A stay that is over and one of a month later, of a person who bears no `meta`."""
    for one in _versions(_steps("01-admission")):
        if one["resourceType"] == "Patient":
            yield {name: value for name, value in one.items() if name != "meta"}
        elif one["resourceType"] == "Encounter":
            over = {"start": "2024-02-01T09:00:00+01:00", "end": "2024-02-05T09:00:00+01:00"}
            own = [{"system": SYSTEM, "value": "Encounter-before"}]
            stamp = {"versionId": "3", "lastUpdated": "2024-02-05T09:10:00+01:00"}
            before = {"id": "before", "identifier": own, "meta": stamp, "status": "finished", "period": over}
            yield {name: value for name, value in {**one, **before}.items() if name != "statusHistory"}
            yield one
        else:
            yield one


def _read(path: Path) -> Resource:
    found: Resource = json.loads(path.read_text(encoding="utf-8"))
    return found


def _steps(*names: str) -> list[Resource]:
    folder = EXAMPLES / "losus-r4"
    paths = [
        folder / f"{name}.json" if name[:2].isdigit() else folder / "steps" / f"{name}.json" for name in names
    ]
    return _resources([_read(path) for path in paths])


def _plain(folder: str) -> list[Resource]:
    names = "patient admitted transferred notice planning criterion ready sip-call discharged sip"
    return [_read(EXAMPLES / folder / f"{name}.json") for name in names.split()]


def _resources(messages: Sequence[Resource]) -> list[Resource]:
    return [entry["resource"] for message in messages for entry in message["entry"][1:]]


def _versions(resources: Sequence[Resource]) -> tuple[Resource, ...]:
    """Each version once, with a version of its own and an identifier by which others may find it."""
    seen: dict[str, Resource] = {}
    for resource in resources:
        if resource["resourceType"] not in TAKEN:
            continue
        copy = json.loads(json.dumps(resource))
        meta = copy.setdefault("meta", {})
        meta.setdefault("versionId", "1")
        meta.setdefault("lastUpdated", "2024-03-01T08:00:00+01:00")
        own = {"system": SYSTEM, "value": f"{copy['resourceType']}-{copy['id']}"}
        copy["identifier"] = [*copy.get("identifier", []), own]
        seen[f"{name_of(copy)} {meta['versionId']}"] = copy
    return tuple(seen.values())


def name_of(resource: Resource) -> str:
    """Type/id."""
    return f"{resource['resourceType']}/{resource['id']}"


def referring(
    resource: Resource, style: str, known: dict[str, Resource], *, together: frozenset[str] = frozenset()
) -> Resource:
    """A copy with its references in `style`; `known`: the story's resources by name (newest versions).

    `together`: the names of those that are sent in the same Bundle.
    """
    copy: Resource = json.loads(json.dumps(resource))
    contained: dict[str, Resource] = {}

    def write(reference: Resource) -> None:
        target = reference["reference"].partition("/_history/")[0]
        if target not in known:
            return
        kind, id_ = target.split("/")
        display = {"display": reference["display"]} if "display" in reference else {}
        written: dict[str, Callable[[], Resource]] = {
            "relative": lambda: {"reference": target},
            "absolute": lambda: {"reference": f"{BASE}/{target}"},
            "versioned": lambda: {"reference": f"{target}/_history/{_version_of(known[target])}"},
            "logical": lambda: {"identifier": {"system": SYSTEM, "value": f"{kind}-{id_}"}},
            "logical-typed": lambda: {
                "type": kind,
                "identifier": {"system": SYSTEM, "value": f"{kind}-{id_}"},
            },
            "conditional": lambda: {"reference": f"{kind}?identifier={SYSTEM}|{kind}-{id_}"},
            "urn": lambda: {"reference": urn(target) if target in together else target},
            "contained": lambda: _contain(kind, id_, known[target], contained),
        }
        reference.clear()
        reference.update({**written[style](), **display})

    for reference in _references(copy):
        write(reference)
    if contained:
        copy["contained"] = list(contained.values())
    return copy


def _version_of(resource: Resource) -> str:
    version: str = resource.get("meta", {}).get("versionId", "1")
    return version


def _contain(kind: str, id_: str, target: Resource, contained: dict[str, Resource]) -> Resource:
    """Contain a place; persons and stays have a life of their own and are referred to."""
    if kind != "Location":
        return {"reference": f"{kind}/{id_}"}
    contained[id_] = {name: value for name, value in target.items() if name != "meta"}
    return {"reference": f"#{id_}"}


def urn(name: str) -> str:
    """The name of a resource inside a Bundle."""
    return "urn:uuid:" + name.replace("/", "-").lower()


def _references(value: Any) -> Iterator[Resource]:
    if isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield value
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)
