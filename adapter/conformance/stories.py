"""The stories of the scripted month, one rule each.

Owns what happens in each story and the rule that it holds a consumer to; does not own how stories are
told (`telling`) nor in which order they are played (`script`). Pure. All persons are made up; the
personnummer is one that Skatteverket gives out for tests.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import orjson

from adapter.conformance.telling import (
    Delivery,
    Kept,
    Known,
    Story,
    Teller,
    at,
    delivery,
    fact,
    picture_of,
    steps,
)
from adapter.losus.signal import Fact
from adapter.losus.terms import Criterion, SignalKind
from adapter.outbound.events import CASE_EXPIRED
from adapter.store.intake import EventRow

_NAME, _NUMBER, _STREET = "Tolvan Tolvansson", "191212121212", "Provgatan 12"
_PERSON = fact(
    "Patient/p",
    SignalKind.PATIENT,
    at(1),
    name=_NAME,
    identifiers=[{"system": "http://electronichealth.se/identifier/personnummer", "value": _NUMBER}],
    address=_STREET,
)
_ADMITTED = fact("Encounter/e", SignalKind.ADMITTED, at(2), unit={"id": "w1", "name": "Medicin"})
_NOTICE = fact("Task/n", SignalKind.ADMISSION_NOTICE_SENT, at(2, 10), expected="2026-03-09")
_PLANNING = fact("Task/p", SignalKind.PLANNING_STARTED, at(3))
_READY = fact("Task/r", SignalKind.READY, at(5))
_CRITERIA = tuple(
    fact(f"Task/{one}", SignalKind.CRITERION_MET, at(6), criterion=one.value) for one in Criterion
)
_HOME = fact("Encounter/h", SignalKind.DISCHARGED, at(9, 14), destination="home")
#: A person's way home, step by step.
_WAY: tuple[tuple[Fact, ...], ...] = (
    (_PERSON, _ADMITTED),
    (_NOTICE,),
    (_PLANNING,),
    (_READY,),
    _CRITERIA,
    (_HOME,),
)


def whole_way(tell: Teller) -> Story:
    """Nothing out of the ordinary."""
    return tell.story("whole way", "each event carries the whole new picture", steps(*_WAY))


def quiet(tell: Teller) -> Story:
    """All over before the consumer starts, and nothing after."""
    plain = tell.story("snapshot", "what was before you began stands on `.cases`", steps(*_WAY))
    return replace(plain, history=len(plain.deliveries))


def repeat(tell: Teller) -> Story:
    """Every record twice, as after a redelivery."""
    plain = tell.story("repeat", "a revision that you have is not worked on again", steps(*_WAY))
    return replace(plain, deliveries=tuple(one for one in plain.deliveries for _ in range(2)))


def old_revision(tell: Teller) -> Story:
    """An older stretch once more, after the newest."""
    plain = tell.story("old revision", "a revision that is not greater changes nothing", steps(*_WAY))
    return replace(plain, deliveries=plain.deliveries + tuple(map(_on_events, plain.deliveries[1:4])))


def correction(tell: Teller) -> Story:
    """Utskrivningsklar, and taken back."""
    back = fact("Task/w", SignalKind.READY_WITHDRAWN, at(6))
    because = "a state may lead back: the newest revision says where the case stands"
    return replace(tell.story("correction", because, steps(*_WAY[:4], (back,))), history=3)


def late(tell: Teller) -> Story:
    """The discharge was a day earlier than was told."""
    earlier = fact("Encounter/h", SignalKind.DISCHARGED, at(8), version=2, destination="home")
    because = "order is the revision's, not that of `since` or ce_time"
    return replace(tell.story("late", because, steps(*_WAY, (earlier,))), history=2)


def deadline(tell: Teller) -> Story:
    """No admission notice within 24 hours."""
    (admitted,) = steps(_WAY[0])
    because = "a missed limit is an event of its own, with a revision of its own"
    return tell.story("deadline", because, [admitted, replace(admitted, now=at(4))])


def protected(tell: Teller) -> Story:
    """Sekretessmarkering is set during the stay."""
    shield = fact("Patient/p", SignalKind.PATIENT, at(1), version=2, protected=True)
    plain = tell.story("protected", "what is null now is to be forgotten", steps(*_WAY[:3], (shield,)))
    return replace(plain, secret=(_NAME, _NUMBER, _STREET))


def moved(tell: Teller) -> Story:
    """The person is another municipality's now."""
    because = "`moved: true` is the last word: the case is to be forgotten"
    return replace(tell.story("moved", because, _leaving()), kept=Kept.NO)


def tombstone(tell: Teller) -> Story:
    """The same, all over before the consumer starts."""
    because = "a key without a value on `.cases`: the case is not yours, whatever stood there before"
    plain = tell.story("tombstone", because, _leaving())
    return replace(plain, kept=Kept.NO, history=len(plain.deliveries))


def moved_back(tell: Teller) -> Story:
    """Away and home again."""
    known = steps(*_WAY[:5])
    away = replace(known[2], now=at(4), is_elsewhere=True)
    because = "a case may come back, and its revisions go on"
    return replace(tell.story("moved back", because, [*known[:3], away, *known[3:]]), history=2)


def voided(tell: Teller) -> Story:
    """The admission was entered in error."""
    void = fact("Encounter/e", SignalKind.VOIDED, at(4), version=2)
    return tell.story("voided", "a case that was a mistake says so", steps(*_WAY[:2], (void,)))


def merged(tell: Teller) -> Story:
    """Two patient records were one person."""
    known = steps(*_WAY[:3])
    absorbed = replace(known[-1], now=at(4), absorbed_by=tell.id_of("whole way"))
    return tell.story("merged", "`merged_into` names the case that goes on", [*known, absorbed])


def uncommitted(tell: Teller) -> Story:
    """Before each event one of the same revision that says something else, and is taken back."""
    known = steps(*_WAY[:4])
    plain = tell.story("uncommitted", "read with isolation.level=read_committed", known)
    wrong = [_taken_back(one, tell) for one in tell.events("uncommitted", known)]
    pairs = zip(wrong, plain.deliveries, strict=True)
    return replace(plain, deliveries=tuple(one for pair in pairs for one in pair))


def gap(tell: Teller) -> Story:
    """The third revision never comes."""
    plain = tell.story("gap", "what was missed is healed by the next event", steps(*_WAY))
    rest = plain.deliveries[:2] + plain.deliveries[3:]
    return replace(plain, deliveries=rest, missing=(3,), handled=len(rest))


def unknown(tell: Teller) -> Story:
    """An event type and a field of a later version."""
    known = steps(*_WAY[:3])
    plain = tell.story("unknown", "pass over types and fields that you do not know", known)
    first, second, third = tell.events("unknown", known)
    rumour = replace(second, type="se.losus.case.rumour.v1", ce_id=tell.id_of("rumour"), payload=b'{"x": 1}')
    richer = replace(third, payload=orjson.dumps(picture_of(third) | {"floor": "3"}))
    told = (delivery(first), _on_events(delivery(rumour)), delivery(second), delivery(richer))
    return replace(plain, deliveries=told)


def expired(tell: Teller) -> Story:
    """The region keeps it no longer: a tombstone, and no word on `.events`."""
    because = "what the region no longer keeps is not there to begin from; what you have is yours to judge"
    plain = tell.story("expired", because, steps(*_WAY))
    last = EventRow(plain.case_id, tell.municipality, 0, CASE_EXPIRED, tell.id_of("expiry"), b"{}")
    told = (*plain.deliveries, delivery(last))
    return replace(plain, deliveries=told, kept=Kept.EITHER, history=len(told))


def end(tell: Teller, partition: int) -> Story:
    """The last case of a partition: who knows it has read all that went before."""
    plain = tell.story(f"end of partition {partition}", "read to the end", steps(_WAY[0]))
    return replace(plain, deliveries=tuple(replace(one, partition=partition) for one in plain.deliveries))


STORIES: Sequence[Callable[[Teller], Story]] = (
    whole_way,
    quiet,
    repeat,
    old_revision,
    correction,
    late,
    deadline,
    protected,
    moved,
    moved_back,
    tombstone,
    voided,
    merged,
    uncommitted,
    gap,
    unknown,
    expired,
)


def _leaving() -> list[Known]:
    known = steps(*_WAY[:3])
    return [*known, replace(known[-1], now=at(4), is_elsewhere=True)]


def _on_events(one: Delivery) -> Delivery:
    """Without what stands on `.cases`, where an old record must not be the last of its key."""
    first, _ = one.records
    return replace(one, records=(first,))


def _taken_back(event: EventRow, tell: Teller) -> Delivery:
    said = picture_of(event) | {"state": "deceased", "label": "avliden"}
    ce_id = tell.id_of(f"never {event.revision}")
    return delivery(replace(event, payload=orjson.dumps(said), ce_id=ce_id), aborted=True)
