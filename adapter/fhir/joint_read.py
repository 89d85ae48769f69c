"""A published joint follow-up read again: what it is of, and its entries, from its Bundle.

Owns the reading; a database that was restored to an earlier point gets its entries back by it. Who wrote an
entry is not published, so that is not known again. Does not own how it is written (`joint`).
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from adapter.fhir.elements import Resource
from adapter.fhir.vocabulary import CANONICAL, KOMMUNKOD, STATEMENT_IDENTIFIER
from adapter.losus.days import Month
from adapter.settlement.joint import Entry, Head
from adapter.settlement.joint_entries import CONTENT, Content, Judged, Party

#: Who wrote the entries that were read from a publication.
PUBLISHED = "published before a restore"
_DEFINED = f"{CANONICAL}/StructureDefinition/joint-follow-up"
_POOLED = "pooled"


def read_head(report: Resource) -> Head:
    """Return what a follow-up is of, from its MeasureReport."""
    named = _parts(next(one for one in report["extension"] if one["url"] == _DEFINED))
    form = named["care-form"].get("coding", [{"code": _POOLED}])[0]["code"]
    municipality = report["subject"]["identifier"]
    if municipality["system"] != KOMMUNKOD:
        raise ValueError("the subject is a municipality")
    month = Month.parse(report["period"]["start"][:7])
    return Head(report["id"], named["agreement"], municipality["value"], form, month)


def read_entries(report: Resource) -> list[Entry]:
    """Return the entries in order; what was judged is the newest of it, in each entry that judges."""
    judged = _judged(report)
    people = [_parts(one) for one in _named(report, "representative")]
    made = []
    for one in _named(report, "entry"):
        said = _parts(one)
        party = Party(_code(said["party"])) if "party" in said else None
        content = _content(said, people, judged)
        made.append(
            Entry(report["id"], said["number"], datetime.fromisoformat(said["at"]), party, PUBLISHED, content)
        )
    return sorted(made, key=lambda entry: entry.number)


def _content(said: Mapping[str, Any], people: list[dict[str, Any]], judged: Judged) -> Content:
    kind = _code(said["kind"])
    if kind == "judged":
        return judged
    result = _code(said["result"]) if "result" in said else None
    fields: dict[str, dict[str, Any]] = {
        "opened": {"because": result},
        "meeting": {
            "held_on": said.get("date"),
            "representatives": [
                {"party": _code(one["party"]), "name": one["name"], "role": one.get("role")}
                for one in people
                if one["entry"] == said["number"]
            ],
        },
        "finding": {"text": said.get("text")},
        "withdrawal": {"text": said.get("text")},
        "deviation": {
            "text": said.get("text"),
            "name": said.get("name"),
            "stay": said["stay"]["value"] if "stay" in said else None,
        },
        "measure": {
            "text": said.get("text"),
            "due": said.get("date"),
            "responsible": said.get("responsible"),
            "party": _code(said["responsible-party"]) if "responsible-party" in said else None,
        },
        "outcome": {
            "text": said.get("text"),
            "due": said.get("date"),
            "measure": said.get("measure"),
            "result": result,
        },
    }
    corrects = {"corrects": said["corrects"]} if "corrects" in said else {}
    return CONTENT.validate_python({"kind": kind, **fields[kind], **corrects})


def _judged(report: Resource) -> Judged:
    named = _parts(next(one for one in report["extension"] if one["url"] == _DEFINED))
    groups = {one["code"]["coding"][0]["code"]: one for one in report.get("group", ())}
    status = [one for one in report["extension"] if one["url"].endswith("/settlement-gate-status")]
    evidence = report.get("evaluatedResource", ())
    statements = [
        one["identifier"] for one in evidence if one["identifier"]["system"] == STATEMENT_IDENTIFIER
    ]
    stays = named.get("stays", 0)
    return Judged.model_validate(
        {
            "status": _code(status[0]["valueCodeableConcept"]) if status else None,
            "over": named["over"],
            "statement": statements[0]["value"] if statements else None,
            "stays": stays,
            "days": named.get("days", 0),
            "threshold": str(named["threshold"]) if "threshold" in named else None,
            "ended": named.get("ended", 0),
            "means": [_mean(report, groups, name, back) for back, name in enumerate(_MEANS)],
            "day_zero": _share(groups, "day-zero-share"),
            "limits": {
                code.removesuffix("-share"): _share(groups, code)
                for code in groups
                if code.endswith("-share") and code not in _NO_LIMITS and _count(groups, code, 0)
            },
            "returned": _share(groups, "return-share"),
            "missed": list(_missed(evidence)),
        }
    )


_MEANS = ("mean-days", "mean-days-1", "mean-days-2")
_NO_LIMITS = {"day-zero-share", "return-share"}


def _missed(evidence: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - FHIR JSON
    for one in evidence:
        said = _parts(one["extension"][0]) if one["type"] == "Encounter" else {}
        if "due" in said:
            stay = one["identifier"]["value"]
            yield {"name": said["name"], "stay": stay, "due": said["due"], "met_at": said.get("met")}


def _mean(report: Resource, groups: Mapping[str, Any], name: str, back: int) -> dict[str, Any]:
    stays = _count(groups, name, 0)
    group = groups.get(name, {})
    score = (group.get("measureScore") or group.get("measureScoreQuantity") or {}).get("value", 0)
    month = Month.parse(report["period"]["start"][:7]).plus(-back)
    return {"month": str(month), "stays": stays, "days": round(score * stays)}


def _share(groups: Mapping[str, Any], code: str) -> dict[str, int]:
    return {"kept": _count(groups, code, 2), "of": _count(groups, code, 0)}


def _count(groups: Mapping[str, Any], code: str, place: int) -> int:
    return int(groups[code]["population"][place]["count"]) if code in groups else 0


def _named(report: Resource, name: str) -> list[Any]:
    return [one for one in report["extension"] if one["url"] == f"{_DEFINED}-{name}"]


def _parts(extension: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parts of an extension by name, each the last of its name."""
    return {
        one["url"]: next(value for name, value in one.items() if name.startswith("value"))
        for one in extension["extension"]
    }


def _code(concept: Mapping[str, Any]) -> str:
    return str(concept["coding"][0]["code"])
