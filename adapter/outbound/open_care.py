"""Which events a change of a case calls for on the stream of the region's open care.

Owns that decision: the unit whose case it is gets every change, a unit that the case has left a closing
event, and of a protected person it is not sent the municipality either. Does not own who that unit is
(`losus.person`), nor what the municipality gets (`events`). Pure.
"""

from collections.abc import Mapping
from dataclasses import replace

from adapter.losus.picture import CasePicture, closing, withhold
from adapter.losus.terms import State
from adapter.outbound.events import (
    CASE_CHANGED,
    DEADLINE_MISSED,
    Payload,
    event_of_picture,
    kinds,
    visible,
)
from adapter.outbound.grounds import NOT_YOUR_PATIENT, ground_of
from adapter.store.intake import CaseRow, EventRow
from adapter.streams import LEFT, NOBODY, unit_of, with_unit


def decide_open_care(
    before: CaseRow, row: CaseRow, picture: CasePicture, unit: str | None, units: Mapping[str, Payload]
) -> tuple[CaseRow, tuple[EventRow, ...]]:
    """Return the row with the revisions of open care, and the events of the change, in order.

    `before` is the row before the change, `row` what `events.decide` made of it. `unit`: the stream of the
    unit whose case it is; "" where that is one that does not subscribe; None where nothing is stated, and
    then whoever had the case keeps it. `units`: the subscribing ones, and what each may be sent.
    """
    had, is_stale = unit_of(row.revisions)
    wanted = had if unit is None else unit
    target = wanted if wanted in units else None
    if picture.state is None or (target is None and had is None):
        return row, ()
    old = CasePicture.model_validate_json(before.picture) if before.picture else None
    revisions, events = row.revisions, list[EventRow]()
    if had is not None and had != target:
        revisions, last = _closing(revisions, had, old or picture)
        events.append(last)
    if target is not None:
        is_known = target == had and not is_stale and old is not None and old.payload == "full"
        revisions, more = _changes(revisions, target, old if is_known else None, picture, units[target])
        events += more
    return replace(row, revisions=dict(revisions)), tuple(events)


def _closing(revisions: Mapping[str, int], had: str, old: CasePicture) -> tuple[dict[str, int], EventRow]:
    revision = revisions[had] + 1
    last = closing(old).model_copy(update={"revision": revision})
    event = event_of_picture(CASE_CHANGED, had, last, NOT_YOUR_PATIENT, is_closing=True)
    return with_unit(with_unit(revisions, had, revision), NOBODY, LEFT), event


def _changes(
    revisions: Mapping[str, int],
    target: str,
    old: CasePicture | None,
    picture: CasePicture,
    payload: Payload,
) -> tuple[dict[str, int], list[EventRow]]:
    """Return the events of what the unit can see of the change; `old` None: it is sent the whole."""
    revision = revisions.get(target, 0)
    seen, now = old and as_sent(old), as_sent(picture)
    if seen is not None and not visible(seen, now, payload):
        return dict(revisions), []
    if not revision and now.state is State.VOIDED:  # void before the unit was sent anything
        return dict(revisions), []
    events = []
    for kind, changed in kinds(seen, now):
        revision += 1
        sent = withhold(now.model_copy(update={"revision": revision, "changed": changed}), payload)
        ground = ground_of(now, is_deadline=kind == DEADLINE_MISSED)
        events.append(event_of_picture(kind, target, sent, ground))
    return with_unit(revisions, target, revision), events


def as_sent(picture: CasePicture) -> CasePicture:
    """Return what a unit may be sent: of a protected person not the municipality either."""
    if not picture.protected:
        return picture
    return picture.model_copy(update={"municipality": None, "placing_municipality": None})
