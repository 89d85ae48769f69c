"""What subscribers have of a case, from what Kafka has and what was decided here: pure.

Owns which of two events under one revision stands (the one that is on Kafka), which municipality has the
case, and whose last word is still owed. Does not own the statements (`store.putting_back`).
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from adapter.losus.picture import CasePicture, closing
from adapter.outbound.events import (
    CASE_CHANGED,
    CASE_EXPIRED,
    DEADLINE_MISSED,
    FOLLOW_UP_RECORDED,
    RATE_ANNOUNCED,
    SETTLEMENT_ISSUED,
    event_of_picture,
)
from adapter.outbound.grounds import (
    FOLLOW_UP,
    JOINT_ANALYSIS,
    NOT_YOUR_PATIENT,
    OVER,
    RATE,
    RATE_NOTICE,
    SETTLEMENT,
    STATEMENT,
    TOMBSTONE,
    form_of,
    ground_of,
)
from adapter.outbound.records import UNROUTED_LANE
from adapter.store.intake import CaseRow, EventRow
from adapter.store.putting_back import Ours, Staged
from adapter.streams import LEFT, NOBODY, STALE, is_open_care, municipality_of, with_unit

#: Form and clause of what is no case's.
_OF_SETTLEMENTS = {
    SETTLEMENT_ISSUED: (STATEMENT, SETTLEMENT),
    FOLLOW_UP_RECORDED: (FOLLOW_UP, JOINT_ANALYSIS),
    RATE_ANNOUNCED: (RATE, RATE_NOTICE),
}


@dataclass(frozen=True, slots=True)
class Mended:
    """What is to be done: events put back, ours that never go (id to ce_id of the other), closings owed.

    `told`: by stream ("" for the unrouted) the last revision, of each kind the one that has the case at the
    end; what a unit of open care was sent last is taken as stale. `picture` as the municipality was sent it
    last, None where nobody has it or where what the case's row says stands (`ours`).
    """

    put_back: tuple[Staged, ...]
    superseded: Mapping[int, str]
    closings: tuple[EventRow, ...]
    told: Mapping[str, int]
    picture: CasePicture | None
    ours: bool

    @property
    def has_it(self) -> str | None:
        """The lane that has the case; None: nobody has."""
        return municipality_of(self.told) if self.picture is not None or self.ours else None


@dataclass(frozen=True, slots=True)
class _Last:
    """The last event of a lane, and whether it was decided here."""

    event: Staged
    ours: bool

    @property
    def rank(self) -> tuple[bool, datetime, int]:
        return not self.event.closing, self.event.at, self.event.revision


def mend(on_kafka: Sequence[Staged], decided: Sequence[Ours]) -> Mended:
    """What Kafka has of a case and this database has not, put together with what it has."""
    taken = {(one.event.lane, one.event.revision): one for one in decided}
    superseded: dict[int, str] = {}
    put_back: list[Staged] = []
    for one in on_kafka:
        event = (
            replace(one, revision=-_expired_at(one, decided, on_kafka)) if one.type == CASE_EXPIRED else one
        )
        other = taken.get((event.lane, event.revision))
        if not event.revision:  # taken off `.cases` at a revision that nobody knows any more
            continue
        if other is None:
            put_back.append(event)
        elif not other.gone:
            superseded[other.id] = event.ce_id
    last = _last_of_lanes(on_kafka, [one for one in decided if not one.gone and one.id not in superseded])
    ranked = sorted(last.values(), key=lambda one: one.rank)
    units = [one for one in ranked if is_open_care(one.event.lane)]
    order = [one for one in ranked if one not in units]
    holder = order[-1] if order else None
    others = [
        one for one in (*order[:-1], *units[:-1]) if not one.event.closing and one.event.lane != UNROUTED_LANE
    ]
    closings = tuple(_closing(one.event) for one in others)
    told = {_code(one.event.lane): one.event.revision + (one in others) for one in (*units, *order)}
    if units:
        told = with_unit(told, NOBODY, LEFT if units[-1].event.closing else STALE)
    is_ours = holder is not None and holder.ours
    has = holder is not None and not holder.event.closing
    picture = (
        CasePicture.model_validate_json(holder.event.payload) if holder and has and not is_ours else None
    )
    return Mended(tuple(put_back), superseded, closings, told, picture, is_ours)


def _last_of_lanes(on_kafka: Iterable[Staged], decided: Iterable[Ours]) -> dict[str, _Last]:
    last: dict[str, _Last] = {}
    for one in (
        *(_Last(one.event, ours=True) for one in decided),
        *(_Last(one, ours=False) for one in on_kafka),
    ):
        known = last.get(one.event.lane)
        if one.event.revision > (known.event.revision if known else 0):
            last[one.event.lane] = one
    return last


def _expired_at(one: Staged, decided: Iterable[Ours], on_kafka: Iterable[Staged]) -> int:
    """The revision at which a case was taken off `.cases`, found by the id; 0: it cannot be found."""
    for known in (*(found.event for found in decided), *on_kafka):
        seed = "\0".join((CASE_EXPIRED, one.case_id, one.lane, str(known.revision)))
        if hashlib.sha256(seed.encode()).hexdigest()[:32] == one.ce_id:
            return known.revision
    return 0


def _closing(one: Staged) -> EventRow:
    """The last word to a municipality, or unit, that the case had left before it was lost."""
    picture = CasePicture.model_validate_json(one.payload)
    last = closing(picture).model_copy(update={"revision": one.revision + 1})
    ground = NOT_YOUR_PATIENT if is_open_care(one.lane) else ground_of(last)
    return event_of_picture(CASE_CHANGED, one.lane, last, ground, is_closing=True)


def as_recorded(one: Staged) -> EventRow:
    """The event as it was decided, for the record: by which clause is said by what was sent of the case."""
    form, ground = TOMBSTONE, OVER
    if one.type in _OF_SETTLEMENTS:
        form, ground = _OF_SETTLEMENTS[one.type]
    elif one.type != CASE_EXPIRED:
        sent = CasePicture.model_validate_json(one.payload)
        form, ground = form_of(sent), ground_of(sent, is_deadline=one.type == DEADLINE_MISSED)
    municipality = None if one.lane == UNROUTED_LANE else one.lane
    return EventRow(
        one.case_id,
        municipality,
        one.revision,
        one.type,
        one.ce_id,
        one.payload,
        one.closing,
        one.traceparent,
        form,
        ground,
    )


def _code(lane: str) -> str:
    return "" if lane == UNROUTED_LANE else lane


def row_after(row: CaseRow, mended: Mended) -> CaseRow:
    """The case's row, so that it says what subscribers have."""
    revisions = {**mended.told}
    if mended.ours:
        return replace(row, revisions=revisions)
    if mended.picture is None:
        return replace(row, picture=None, revisions=revisions)
    told = mended.picture
    return replace(
        row,
        state=told.state,
        municipality=mended.has_it or told.receiver,
        picture=told.model_dump_json().encode(),
        revisions=revisions,
    )
