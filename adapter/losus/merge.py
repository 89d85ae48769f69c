"""Merged patients: which case takes in which, when two records turn out to be one person.

Owns the rule; does not own finding the cases (`store`) nor what becomes of them (`case.fold`). Pure.

A person lies in one bed at a time. Two stays of one person at one hospital that overlap in time are one
stay that was registered twice: the one under the record that was replaced is taken in by the other. Stays
that do not overlap are two stays of one person and stay two cases.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Stay:
    """A case as the rule sees it: its source, patient record, and from when to when (None: open).

    `ended_at` is the earliest that the end may have been: what is not known to overlap is not made one.
    """

    case_id: str
    source: str
    record: str
    admitted_at: datetime
    ended_at: datetime | None


def survivor(record: str, replaced_by: Mapping[str, str]) -> str:
    """The record that stands for `record` in the end; a circle ends at its least name."""
    seen = [record]
    while (following := replaced_by.get(seen[-1])) is not None:
        if following in seen:
            return min(seen[seen.index(following) :])
        seen.append(following)
    return seen[-1]


def absorbed(stays: Iterable[Stay], replaced_by: Mapping[str, str]) -> dict[str, str]:
    """The cases that are taken in, each with the case that takes it in.

    Of the overlapping stays of one person the one under the surviving record takes in the others; where
    there are several such, or none, the one admitted first, and then the one of the least id.
    """
    people: dict[tuple[str, str], list[Stay]] = {}
    for stay in stays:
        people.setdefault((stay.source, survivor(stay.record, replaced_by)), []).append(stay)
    taken: dict[str, str] = {}
    for (_, person), own in people.items():
        own.sort(key=lambda stay: (stay.record != person, stay.admitted_at, stay.case_id))
        for index, stay in enumerate(own):
            if stay.case_id in taken:
                continue
            for other in own[index + 1 :]:
                if other.record != stay.record and other.case_id not in taken and _overlap(stay, other):
                    taken[other.case_id] = stay.case_id
    return taken


def _overlap(one: Stay, other: Stay) -> bool:
    return one.admitted_at < (other.ended_at or _NEVER) and other.admitted_at < (one.ended_at or _NEVER)
