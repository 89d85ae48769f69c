"""Which events a case's new picture calls for: revisions, changes of municipality, protection.

Owns the decision and the event's id; does not own the picture (`adapter.losus.picture`), nor how
an event travels (`relay`). Pure: the case as stored and its new picture in, rows out.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Literal

from adapter.losus.deadlines import DeadlineStatus
from adapter.losus.picture import SCHEMA_ID, CasePicture, changed_fields, closing, withhold
from adapter.losus.terms import State
from adapter.outbound.grounds import (
    FOLLOW_UP,
    JOINT_ANALYSIS,
    RATE,
    RATE_NOTICE,
    SETTLEMENT,
    STATEMENT,
    form_of,
    ground_of,
)
from adapter.store.intake import CaseRow, EventRow
from adapter.streams import municipality_of

CASE_CHANGED = "se.losus.case.changed.v1"
DEADLINE_MISSED = "se.losus.case.deadline.v1"
SETTLEMENT_ISSUED = "se.losus.settlement.issued.v1"
FOLLOW_UP_RECORDED = "se.losus.followup.v1"
RATE_ANNOUNCED = "se.losus.rate.announced.v1"
#: What is published on `.settlements`: the events of no case.
OF_SETTLEMENTS = frozenset({SETTLEMENT_ISSUED, FOLLOW_UP_RECORDED, RATE_ANNOUNCED})
#: The types whose payload is a FHIR resource.
IN_FHIR = frozenset({SETTLEMENT_ISSUED, FOLLOW_UP_RECORDED})
#: In the headers of a tombstone on `.cases` alone: the time of a case there is over.
CASE_EXPIRED = "se.losus.case.expired.v1"

#: What the `$id` of every schema begins with; the rest is its name.
SCHEMAS = SCHEMA_ID.removesuffix("case.v1")
_TYPES = "se.losus."

Payload = Literal["full", "statutory"]


def decide(
    row: CaseRow, picture: CasePicture, concerned: str | None, payloads: Mapping[str, Payload]
) -> tuple[CaseRow, tuple[EventRow, ...]]:
    """The case's row after `picture`, and the events that tell of the change, in order.

    `concerned` is the municipality that is to be told (LUS 5:2), None where it is not known: then whoever
    was told before is. `payloads` names those that subscribe and what each may be sent; a case of any
    other goes to the region's own topic of the unrouted. No event where nothing that the subscriber may see
    has changed. A case that has no state yet, or that was void before anybody was told of it, is stored and
    not told of.
    """
    before = CasePicture.model_validate_json(row.picture) if row.picture else None
    if picture.state is None:
        return row, ()
    # only after a restore is what was told last known in part: what the municipality was sent of it
    known = before.payload if before is not None else "full"
    changed = changed_fields(before, withhold(picture, known))
    told = municipality_of(row.revisions)
    if concerned is None:  # a voided case names nobody any more: who was told of it is told of that
        concerned = told or None
    home = concerned if concerned in payloads else None
    moved = told is not None and told != (home or "")
    if before is not None and not moved and not visible(before, picture, payloads.get(home or "", "full")):
        if known == "full" and not changed:
            return row, ()
        whole = picture.model_copy(update={"revision": before.revision, "changed": before.changed})
        return _stored(row, whole, _json(whole), concerned, row.revisions), ()
    if told is None and picture.state is State.VOIDED:
        return _stored(row, picture, _json(picture), concerned, row.revisions), ()
    revisions = dict(row.revisions)
    events: list[EventRow] = []
    if moved and told:
        revisions[told] += 1
        last = closing(before or picture).model_copy(update={"revision": revisions[told]})
        events.append(event_of_picture(CASE_CHANGED, told, last, ground_of(last), is_closing=True))
    revision = revisions.pop(home or "", 0)
    sent = picture
    for kind, fields in kinds(before, picture, changed):
        revision += 1
        picture = picture.model_copy(update={"revision": revision, "changed": fields})
        sent = withhold(picture, payloads[home] if home else "full")
        ground = ground_of(picture, is_deadline=kind == DEADLINE_MISSED)
        events.append(event_of_picture(kind, home, sent, ground))
    said = events[-1].payload if sent is picture else _json(picture)
    revisions[home or ""] = revision
    return _stored(row, picture, said, concerned, revisions), tuple(events)


def visible(before: CasePicture, picture: CasePicture, payload: Payload) -> tuple[str, ...]:
    """The fields that have changed of those that whoever gets the case's events may see.

    Which versions say so is not what is said: another copy of what is known calls for no event.
    """
    if before.payload != "full":
        payload = before.payload
    changed = changed_fields(withhold(before, payload), withhold(picture, payload))
    return tuple(name for name in changed if name != "sources")


def _stored(
    row: CaseRow, picture: CasePicture, whole: bytes, concerned: str | None, revisions: dict[str, int]
) -> CaseRow:
    return replace(row, state=picture.state, municipality=concerned, picture=whole, revisions=revisions)


def _json(picture: CasePicture) -> bytes:
    return picture.model_dump_json().encode()


def kinds(
    before: CasePicture | None, picture: CasePicture, changed: tuple[str, ...] | None = None
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The types of event that the change calls for, each with the fields that it tells of.

    A limit that was told as pending and is missed now has an event of its own, after the one that
    tells of anything else. One that is missed when it is first heard of (a message that comes late,
    a history that is imported) is part of that message's change.
    """
    pending = _limits(before, DeadlineStatus.PENDING) if before else frozenset[str]()
    changed = changed_fields(before, picture) if changed is None else changed
    is_late = bool(pending & _limits(picture, DeadlineStatus.MISSED))
    if changed != ("deadlines",) or not is_late:
        yield CASE_CHANGED, changed
    if is_late:
        yield DEADLINE_MISSED, ("deadlines",)


def _limits(picture: CasePicture, status: DeadlineStatus) -> frozenset[str]:
    return frozenset(one.name.value for one in picture.deadlines if one.status is status)


def event_of_picture(
    kind: str, municipality: str | None, picture: CasePicture, ground: str, *, is_closing: bool = False
) -> EventRow:
    """The event that tells a municipality (None: the unrouted) of a picture; its id is by what it says."""
    case_id = picture.case_id
    payload = _json(picture)
    seed = b"\0".join(
        (case_id.encode(), (municipality or "").encode(), str(picture.revision).encode(), payload)
    )
    ce_id = hashlib.sha256(seed).hexdigest()[:32]
    return EventRow(
        case_id,
        municipality,
        picture.revision,
        kind,
        ce_id,
        payload,
        is_closing,
        form=form_of(picture),
        ground=ground,
    )


def settlement_event(
    statement_id: str, municipality: str, bundle: bytes, payloads: Mapping[str, Payload]
) -> EventRow:
    """The event that a statement was issued: its Bundle, under the statement's id.

    One that is for no subscriber goes to the region's own topic of the unrouted.
    """
    seed = b"\0".join((statement_id.encode(), municipality.encode(), bundle))
    ce_id = hashlib.sha256(seed).hexdigest()[:32]
    home = municipality if municipality in payloads else None
    return EventRow(
        statement_id, home, 1, SETTLEMENT_ISSUED, ce_id, bundle, form=STATEMENT, ground=SETTLEMENT
    )


def follow_up_event(
    follow_up: str, revision: int, municipality: str, bundle: bytes, payloads: Mapping[str, Payload]
) -> EventRow:
    """Return the event of a joint follow-up's new version: its Bundle, under the follow-up's id.

    `revision` counts the versions from 1. The event of a municipality that does not subscribe goes to the
    region's own topic of the unrouted.
    """
    home = municipality if municipality in payloads else None
    ce_id = _id_of(follow_up, municipality, str(revision), bundle)
    return EventRow(
        follow_up, home, revision, FOLLOW_UP_RECORDED, ce_id, bundle, form=FOLLOW_UP, ground=JOINT_ANALYSIS
    )


def rate_event(announcement: str, version: int, municipality: str, payload: bytes) -> EventRow:
    """Return the event that announces a year's amount to a subscriber, under the id of the year.

    `version` counts the amounts that were announced of the year to this municipality, from 1.
    """
    ce_id = _id_of(announcement, municipality, str(version), payload)
    return EventRow(
        announcement, municipality, version, RATE_ANNOUNCED, ce_id, payload, form=RATE, ground=RATE_NOTICE
    )


def _id_of(key: str, municipality: str, revision: str, payload: bytes) -> str:
    seed = b"\0".join((key.encode(), municipality.encode(), revision.encode(), payload))
    return hashlib.sha256(seed).hexdigest()[:32]


def name_of(ce_type: str) -> str:
    """Return the name of the schema that every payload of a CloudEvents type obeys."""
    return ce_type.removeprefix(_TYPES)


def cloud_event_headers(event: EventRow, region: str, created_at: str) -> Iterator[tuple[str, bytes]]:
    """The headers of CloudEvents 1.0 in Kafka's binary mode, and the W3C Trace Context of the event."""
    yield "ce_specversion", b"1.0"
    yield "ce_id", event.ce_id.encode()
    yield "ce_source", region.encode()
    yield "ce_type", event.type.encode()
    yield "ce_subject", event.case_id.encode()
    yield "ce_time", created_at.encode()
    yield "content-type", b"application/fhir+json" if event.type in IN_FHIR else b"application/json"
    if event.type != CASE_EXPIRED:  # a tombstone has no data
        yield "ce_dataschema", f"{SCHEMAS}{name_of(event.type)}".encode()
    if event.traceparent is not None:
        yield "traceparent", event.traceparent.encode()
