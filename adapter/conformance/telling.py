"""A story's facts, told as the adapter would tell them: folded, decided on, and made into records.

Owns the short way to say what a hospital says; the fold, the events and the records are the adapter's
own (`losus.case`, `outbound.events`, `outbound.records`). Pure.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import orjson

from adapter.losus.case import fold
from adapter.losus.process import STATUTE
from adapter.losus.signal import Fact, Signal
from adapter.losus.terms import SignalKind
from adapter.losus.versions import VersionOrder
from adapter.outbound.events import decide
from adapter.outbound.records import Record, records
from adapter.store.intake import CaseRow, EventRow

REGION = "urn:losus:conformance"
#: Where a case goes that leaves; nobody's kommunkod, so that its events are nobody's.
ELSEWHERE = "0000"
_SOURCE = "conformance"


@dataclass(frozen=True, slots=True)
class Delivery:
    """Records that are written in one transaction; `aborted`: they are taken back, nobody may see them.

    `partition`: where to, None for where the key leads.
    """

    records: tuple[Record, ...]
    aborted: bool = False
    partition: int | None = None


class Kept(Enum):
    """Whether a consumer may still know of the case in the end."""

    YES = "yes"
    NO = "no"
    EITHER = "either"


@dataclass(frozen=True, slots=True)
class Story:
    """What is played of one case, and what a consumer must know in the end.

    `name`: of the check. `because`: the rule that it holds the consumer to. `history`: so many of the
    deliveries come before the consumer is asked to start. `picture`: what it must know; of a case that
    need not be kept, the last one. `handled`: how many different revisions there were to work on.
    `missing`: revisions that never came. `secret`: words that may stand nowhere in what it knows.
    """

    name: str
    because: str
    case_id: str
    deliveries: tuple[Delivery, ...]
    picture: Mapping[str, Any]
    handled: int
    kept: Kept = Kept.YES
    history: int = 0
    missing: tuple[int, ...] = ()
    secret: tuple[str, ...] = field(default=(), repr=False)

    @property
    def is_snapshot(self) -> bool:
        """Whether the case must be known to whoever has begun, and nothing more comes of it."""
        return self.kept is Kept.YES and self.history == len(self.deliveries)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known at an instant: all facts so far, and whether the case is somebody else's."""

    now: datetime
    facts: tuple[Fact, ...]
    is_elsewhere: bool = False
    absorbed_by: str | None = None


@dataclass(frozen=True, slots=True)
class Teller:
    """Tells stories to one municipality; the seed decides the ids."""

    seed: int
    municipality: str

    def id_of(self, name: str) -> str:
        """The id of what has this name, the same for the same seed: 32 hex digits."""
        words = f"losus conformance {self.seed} {self.municipality} {name}"
        return hashlib.sha256(words.encode()).hexdigest()[:32]

    def events(self, name: str, known: Sequence[Known]) -> list[EventRow]:
        """The municipality's events of a case that is known better and better, in order."""
        row = CaseRow(self.id_of(name), _SOURCE, name, None, None, None, {})
        seen: list[EventRow] = []
        for one in known:
            case = fold(row.id, one.facts, terms=STATUTE, route={}, now=one.now, absorbed_by=one.absorbed_by)
            home = ELSEWHERE if one.is_elsewhere else self.municipality
            row, events = decide(row, case.picture, home, {self.municipality: "full", ELSEWHERE: "full"})
            seen += [event for event in events if event.municipality == self.municipality]
        return seen

    def story(self, name: str, because: str, known: Sequence[Known]) -> Story:
        """Every event once, in order."""
        events = self.events(name, known)
        return Story(
            name=name,
            because=because,
            case_id=self.id_of(name),
            deliveries=tuple(delivery(one) for one in events),
            picture=picture_of(events[-1]),
            handled=len(events),
        )


def at(day: int, hour: int = 8) -> datetime:
    """An instant of the scripted month, UTC."""
    return datetime(2026, 3, day, hour, tzinfo=UTC)


def fact(resource: str, kind: SignalKind, when: datetime, version: int = 1, **fields: object) -> Fact:
    """One version of a resource that says one thing."""
    return Fact(_SOURCE, resource, VersionOrder(version), str(version), (Signal(kind, when, fields),))


def steps(*said: tuple[Fact, ...]) -> list[Known]:
    """What is known after each step: the facts add up, and each is told when it holds."""
    known: list[Known] = []
    facts: tuple[Fact, ...] = ()
    for step in said:
        facts += step
        known.append(Known(max(one.signals[0].at for one in facts), facts))
    return known


def delivery(event: EventRow, *, aborted: bool = False) -> Delivery:
    """The records of an event, as the relay writes them."""
    return Delivery(tuple(records(event, event.municipality or "", at(1), REGION)), aborted)


def picture_of(event: EventRow) -> dict[str, Any]:
    """The picture that an event carries."""
    picture: dict[str, Any] = orjson.loads(event.payload)
    return picture
