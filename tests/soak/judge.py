"""What subscribers have in the end, held against a fold of all that was answered 2xx. Nothing may be missing,
twice, out of order, or elsewhere.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from adapter.delivery import Delivery, Door
from adapter.losus.case import fold
from adapter.losus.identity import pseudonym
from adapter.losus.signal import Fact
from adapter.losus.terms import SignalKind
from adapter.outbound.topics import cases_topic, events_topic
from adapter.reading import read
from adapter.wiring import world_of
from adapter.world import World
from tests.soak.load import Message, Sent
from tests.soak.region import MUNICIPALITIES, SOURCE, Region
from tests.topic import Record, records

#: How often and in which steps a case was told of depends on the order of arrival; what is known does not.
_HISTORY = ("revision", "changed")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found wrong, each with the case; and how many events there were."""

    faults: tuple[str, ...]
    events: int


async def judge(region: Region, sent: Sent) -> Verdict:
    """Read every topic whole, as a `read_committed` consumer, and hold it against what was sent."""
    world = world_of(region.settings.model_copy(update={"kafka": region.settings.kafka}))
    bootstrap = region.kafka.bootstrap
    faults: list[str] = []
    events = 0
    ids: set[str] = set()
    standing: dict[str, tuple[str, dict[str, Any]]] = {}
    for municipality in MUNICIPALITIES:
        told = await records(bootstrap, events_topic(municipality))
        newest = {one.key: one.value for one in await records(bootstrap, cases_topic(municipality))}
        events += len(told)
        faults += _contiguous(municipality, told)
        faults += [f"ce_id twice: {one.key}" for one in told if one.headers["ce_id"] in ids]
        ids |= {one.headers["ce_id"] for one in told}
        last = {one.key: one.value for one in told if one.value is not None}
        for key, picture in last.items():
            if picture["moved"]:
                if newest.get(key) is not None:
                    faults.append(f"{key}: moved from {municipality}, and no tombstone there")
                continue
            if newest.get(key) != picture:
                faults.append(f"{key}: .cases of {municipality} is not the last of .events")
            if key in standing:
                faults.append(f"{key}: at two municipalities")
            standing[key] = (municipality, picture)
    faults += _as_folded(world, sent.accepted, standing)
    return Verdict(tuple(faults), events)


def _contiguous(municipality: str, told: Iterable[Record]) -> Iterable[str]:
    reached: dict[str, int] = {}
    for one in told:
        if one.value is None:
            yield f"{one.key}: no picture"
            continue
        revision = one.value["revision"]
        if revision != reached.get(one.key, 0) + 1:
            yield f"{one.key}: at {municipality} {revision} after {reached.get(one.key, 0)}"
        reached[one.key] = revision


def _as_folded(
    world: World, accepted: Mapping[int, list[Message]], standing: Mapping[str, tuple[str, dict[str, Any]]]
) -> Iterable[str]:
    for case, messages in accepted.items():
        facts = {(fact.resource, fact.order): fact for message in messages for fact in _facts(world, message)}
        case_id = pseudonym(world.secret, SOURCE, f"stay-1-{case}")
        wanted = _picture(world, case_id, list(facts.values()))
        home, picture = standing.get(case_id, (None, None))
        if wanted["state"] is None:
            continue
        if picture is None:
            yield f"{case_id}: answered 2xx and told nobody"
        elif home != wanted["municipality"]:
            yield f"{case_id}: told {home}, and is {wanted['municipality']}'s"
        elif differing := [name for name, value in wanted.items() if _differs(name, picture[name], value)]:
            yield f"{case_id}: {', '.join(differing)} differ from the fold"


def _differs(name: str, told: Any, wanted: Any) -> bool:
    """Whether what was told is not so; a version that only confirms what is known calls for no event."""
    if name != "sources":
        return bool(told != wanted)
    confirmed = [_unversioned(one) for one in wanted]
    return not told or not all(_unversioned(one) in confirmed for one in told)


def _unversioned(one: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in one.items() if name != "version"}


def _facts(world: World, message: Message) -> list[Fact]:
    delivery = Delivery(SOURCE, Door.MESSAGE, orjson.dumps(message))
    return [one.fact for one in read(world, delivery, datetime.now(UTC)).readings]


def _picture(world: World, case_id: str, facts: list[Fact]) -> dict[str, Any]:
    now = datetime.now(UTC)
    admitted = [s.at for f in facts for s in f.signals if s.kind is SignalKind.ADMITTED]
    around = admitted[0] if admitted else now
    region = world.treating(SOURCE)
    guess = world.terms_for(None, around, "somatic", region)
    first = fold(case_id, facts, terms=guess, route=world.route, now=now)
    terms = world.terms_for(first.municipality, around, first.standing.care_form or "somatic", region)
    case = fold(case_id, facts, terms=terms, route=world.route, now=now)
    told = case.picture.model_dump(mode="json")
    return {name: value for name, value in told.items() if name not in _HISTORY}
