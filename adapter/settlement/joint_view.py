"""The joint follow-up as JSON: what the API answers, the commands print and the workbench shows. Pure.

Owns the shape. A municipality's reader (`only`) sees all that both parties entered, but no author of the
region's: the name of a login there is the region's own.
"""

from collections.abc import Iterable
from datetime import datetime
from fractions import Fraction
from typing import Any

from adapter.settlement.joint import Decided, Entry, JointFollowUp
from adapter.settlement.joint_entries import Deviation, Judged, Meeting, Party

_DIGITS = 6


def summary(one: JointFollowUp, version: int) -> dict[str, Any]:
    """Return what a list shows of a follow-up."""
    head, judged = one.head, one.judged
    return {
        "id": head.id,
        "agreement": head.agreement,
        "municipality": head.municipality,
        "care_form": head.care_form,
        "month": str(head.month),
        "state": one.state.value,
        "missing": list(one.missing),
        "because": one.because.value,
        "over": one.is_over,
        "status": None if judged is None else judged.status,
        "deviations": len(one.deviations) + (0 if judged is None else len(judged.missed)),
        "open_measures": sum(each.progress == "open" for each in (*one.measures, *one.carried)),
        "opened_at": _at(one.opened_at),
        "version": version,
    }


def view(one: JointFollowUp, version: int, only: str | None = None) -> dict[str, Any]:
    """Return all of a follow-up; `only`: the municipality of the reader, None: the region's own staff."""
    return {
        **summary(one, version),
        "judged": None if one.judged is None else _judged(one.judged, one.judged_at),
        "deviations": [*_missed(one.judged), *(_reported(entry) for entry in one.deviations)],
        "meetings": [_line(entry) for entry in one.meetings],
        "findings": [_line(entry) for entry in one.findings],
        "measures": [_measure(each) for each in one.measures],
        "carried": [_measure(each) for each in one.carried],
        "entries": [_entry(entry, one.replaced, only) for entry in one.entries],
    }


def _judged(judged: Judged, at: datetime | None) -> dict[str, Any]:
    return {
        "at": None if at is None else _at(at),
        "status": judged.status,
        "over": judged.over,
        "statement": judged.statement,
        **_mean(judged.stays, judged.days),
        "threshold": judged.threshold,
        "ended": judged.ended,
        "trend": [{"month": one.month, **_mean(one.stays, one.days)} for one in judged.means],
        "day_zero": judged.day_zero.model_dump(),
        "limits": {name: count.model_dump() for name, count in judged.limits.items()},
        "returned": judged.returned.model_dump(),
    }


def _mean(stays: int, days: int) -> dict[str, Any]:
    mean = Fraction(days, stays) if stays else None
    return {
        "stays": stays,
        "days": days,
        "mean": None if mean is None else str(mean),
        "mean_decimal": None if mean is None else round(float(mean), _DIGITS),
    }


def _missed(judged: Judged | None) -> Iterable[dict[str, Any]]:
    for one in judged.missed if judged is not None else ():
        met_at = None if one.met_at is None else _at(one.met_at)
        yield {"source": "limit", "name": one.name, "stay": one.stay, "due": _at(one.due), "met_at": met_at}


def _reported(entry: Entry) -> dict[str, Any]:
    said = entry.content
    name, stay = (said.name, said.stay) if isinstance(said, Deviation) else (None, None)
    return {"source": "report", "name": name, "stay": stay, **_line(entry)}


def _line(entry: Entry) -> dict[str, Any]:
    return {
        "entry": entry.number,
        "at": _at(entry.at),
        "party": None if entry.party is None else entry.party.value,
        **_said(entry),
    }


def _measure(one: Decided) -> dict[str, Any]:
    return {
        "id": one.id,
        "follow_up": one.follow_up,
        "month": str(one.month),
        "status": one.progress.value,
        "text": one.measure.text,
        "responsible": {"party": one.measure.party.value, "name": one.measure.responsible},
        "due": one.due.isoformat(),
        "party": None if one.entry.party is None else one.entry.party.value,
        "entry": one.entry.number,
        "at": _at(one.entry.at),
        "outcomes": [
            {
                "month": str(each.month),
                "result": each.result.value,
                "due": None if each.due is None else each.due.isoformat(),
                "text": each.text,
                "entry": each.entry.number,
                "at": _at(each.entry.at),
                "party": None if each.entry.party is None else each.entry.party.value,
            }
            for each in one.outcomes
        ],
    }


def _entry(entry: Entry, replaced: dict[int, int], only: str | None) -> dict[str, Any]:
    is_shown = only is None or entry.party is Party.MUNICIPALITY
    return {
        "kind": entry.content.kind,
        **_line(entry),
        "author": entry.author if is_shown else None,
        "corrects": entry.corrects,
        "replaced_by": replaced.get(entry.number),
    }


def _said(entry: Entry) -> dict[str, Any]:
    """Return what was entered; of a month that was judged only the statement: the rest stands above."""
    content = entry.content
    if isinstance(content, Judged):
        return {"statement": content.statement}
    said = content.model_dump(mode="json", exclude={"kind", "corrects"})
    if isinstance(content, Meeting):
        said["held_on"] = content.held_on.isoformat()
    return said


def _at(at: datetime) -> str:
    return at.isoformat()
