"""Joint follow-ups in the store: opened, judged, written in; each version published in one transaction.

Owns when a follow-up opens by itself, who may enter what, and that what is stored is what is published. Does
not own what entries come to (`adapter.settlement.joint`), the Bundle (`adapter.fhir.joint`) nor the channels.

A follow-up opens by itself when the month's statement is issued with a mean over its threshold, or while
measures of earlier months are not done. Its figures and missed limits are judged again by each run that
issues, for a year, until all is done: a message that comes late changes what was missed.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from adapter.errors import (
    ConflictError,
    InputError,
    NotFoundError,
    Problem,
    ResourceError,
    UnavailableError,
)
from adapter.fhir.decimals import dumps
from adapter.fhir.elements import Edition
from adapter.fhir.joint import follow_up_id, joint_bundle
from adapter.fhir.preconditions import Tags
from adapter.losus.days import Month
from adapter.outbound.events import Payload, follow_up_event
from adapter.settlement.joint import Entry, Head, JointFollowUp, Progress, refused, series_of
from adapter.settlement.joint_entries import (
    Because,
    Content,
    Deviation,
    Entered,
    Judged,
    Opened,
    Party,
)
from adapter.store import audit, joint
from adapter.store.audit import Entry as AuditEntry
from adapter.store.database import Connection, asked_by
from adapter.store.intake import add_events
from adapter.store.recovery import is_behind
from adapter.trace import Trace

#: Who writes what no person enters.
ADAPTER = "losus settle"


class EnteredOtherwiseError(InputError):
    """An entry that cannot be made as the follow-up stands, or that was made otherwise under its key."""

    status = 409


@dataclass(frozen=True, slots=True)
class Office:
    """From where follow-ups are published: who subscribes, and how they are written as FHIR."""

    payloads: Mapping[str, Payload]
    edition: Callable[[datetime], Edition]
    trace: Trace | None = None


@dataclass(frozen=True, slots=True)
class Writer:
    """Who enters something: for which party, and as the audit log has it. `only`: its municipality."""

    party: Party
    kind: str
    who: str
    why: str
    only: str | None = None
    address: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """When an entry is made: once under `key`, the writer's own name for it; in a version that is `expected`.

    The same content under the same key again changes nothing.
    """

    key: str | None = None
    expected: Tags | None = None


ANY = Condition()


@dataclass(frozen=True, slots=True)
class Shown:
    """A follow-up as it stands, with the number of its version; `fresh`: whether this call changed it."""

    follow_up: JointFollowUp
    version: int
    fresh: bool = False


async def read_follow_ups(connection: Connection, heads: Iterable[Head]) -> list[Shown]:
    """Return these follow-ups as they stand, in the order given."""
    asked = list(heads)
    found: dict[str, JointFollowUp] = {}
    for series in sorted({head.series for head in asked}):
        found |= await _series(connection, series)
    versions = await joint.versions_of(connection, found)
    return [Shown(found[head.id], versions[head.id]) for head in asked if head.id in versions]


async def find_follow_up(connection: Connection, name: str, only: str | None) -> Shown:
    """Return a follow-up by its id; NotFoundError where there is none, or it is not that of `only`."""
    head = await joint.find_head(connection, name)
    if head is None or only not in {None, head.municipality}:
        raise NotFoundError(Problem("not-found", "no such follow-up"))
    [shown] = await read_follow_ups(connection, [head])
    return shown


async def open_by_hand(
    connection: Connection, office: Office, head: Head, judged: Judged | None, by: Writer, now: datetime
) -> Shown:
    """Open a follow-up, or judge it again where it is open: None judges nothing now, the next run does.

    UnavailableError where the database is older than what Kafka has.
    """
    await _begin(connection, head.series)
    return await _written(connection, office, head, Because.BY_HAND, judged, now, by)


async def open_or_judge(
    connection: Connection,
    office: Office,
    heads: Mapping[Head, Judged],
    now: datetime,
) -> list[Head]:
    """Open what is to be opened of these months, judge what is open; return what was opened."""
    opened: list[Head] = []
    for head, judged in sorted(heads.items(), key=lambda one: (one[0].series, one[0].month)):
        await joint.write_alone(connection, head.series)
        known = await _series(connection, head.series)
        because = Because.OVER if judged.over else Because.MEASURES
        if head.id not in known and not (judged.over or _is_carried(known, head.month)):
            continue
        shown = await _written(connection, office, head, because, judged, now, None)
        if head.id not in known and shown.fresh:
            opened.append(head)
    return opened


async def enter(
    connection: Connection,
    office: Office,
    name: str,
    content: Entered,
    by: Writer,
    now: datetime,
    condition: Condition = ANY,
) -> Shown:
    """Add an entry to a follow-up, publish what changed, and return it as it stands then.

    Raises, before anything is written: NotFoundError, ConflictError where the follow-up is in none of the
    versions expected, EnteredOtherwiseError, and UnavailableError where the database is older than what
    Kafka has.
    """
    key, expected = condition.key, condition.expected
    shown = await find_follow_up(connection, name, by.only)
    head = shown.follow_up.head
    await _begin(connection, head.series)
    if key is not None:
        before = await joint.entry_of_key(connection, name, by.party, key)
        if before is not None and before != content:
            raise EnteredOtherwiseError(Problem("duplicate", "another entry was made under this key"))
        if before is not None:
            await _audit(connection, by, head, now, "read")
            return await find_follow_up(connection, name, by.only)
    series = await _series(connection, head.series)
    version = (await joint.versions_of(connection, [name]))[name]
    if expected is not None and not expected.match(str(version)):
        raise ConflictError(Problem("conflict", "the follow-up is in another version by now", "version"))
    problems = refused(series, name, by.party, content)
    if problems:
        raise EnteredOtherwiseError(*problems)
    stay = content.stay if isinstance(content, Deviation) else None
    if stay is not None and not await joint.is_own_stay(connection, stay, head.municipality):
        raise ResourceError(Problem("not-found", "no such stay of the municipality", "stay"))
    number = len(series[name].entries) + 1
    await joint.add_entry(connection, Entry(name, number, now, by.party, by.who, content), key)
    await asked_by(connection, await _audit(connection, by, head, now, "update"))
    await _publish(connection, office, head.series, series, now)
    made = await find_follow_up(connection, name, by.only)
    return Shown(made.follow_up, made.version, fresh=True)


async def _begin(connection: Connection, series: tuple[str, str, str]) -> None:
    await joint.write_alone(connection, series)
    if await is_behind(connection):
        rule = "the database is older than what Kafka has: losus recover"
        raise UnavailableError(Problem("transient", rule))


async def _written(
    connection: Connection,
    office: Office,
    head: Head,
    because: Because,
    judged: Judged | None,
    now: datetime,
    by: Writer | None,
) -> Shown:
    """Open the follow-up where it is not, judge it where it comes to something else, publish what changed."""
    before = await _series(connection, head.series)
    known = before.get(head.id)
    contents: list[Content] = [] if known is not None else [Opened(because=because)]
    if judged is not None and (known is None or known.judged != judged):
        contents.append(judged)
    if known is None:
        await joint.add_head(connection, head)
    number = len(known.entries) if known is not None else 0
    for content in contents:
        number += 1
        party = by.party if by is not None and isinstance(content, Opened) else None
        author = by.who if by is not None else ADAPTER
        await joint.add_entry(connection, Entry(head.id, number, now, party, author, content))
    if by is not None:
        action = "create" if known is None else "update" if contents else "read"
        await asked_by(connection, await _audit(connection, by, head, now, action))
    await _publish(connection, office, head.series, before, now)
    [shown] = await read_follow_ups(connection, [head])
    return Shown(shown.follow_up, shown.version, fresh=bool(contents))


async def _publish(
    connection: Connection,
    office: Office,
    series: tuple[str, str, str],
    before: Mapping[str, JointFollowUp],
    now: datetime,
) -> None:
    """Store and publish a version of each follow-up of the series that is another than before."""
    after = await _series(connection, series)
    versions = await joint.versions_of(connection, after)
    for name, one in after.items():  # in the order of months: the newest says last how a measure stands
        if before.get(name) == one:
            continue
        version = versions.get(name, 0) + 1
        made = joint_bundle(one, version, office.edition(now))
        published = dumps(made)
        resources = tuple(
            (entry["resource"]["resourceType"], entry["resource"]["id"], dumps(entry["resource"]))
            for entry in made["entry"]
            if entry["resource"]["resourceType"] in {"MeasureReport", "Task"}
        )
        await joint.add_version(connection, joint.VersionRow(name, version, now, published, resources))
        event = follow_up_event(name, version, one.head.municipality, published, office.payloads)
        await add_events(connection, [event], now, office.trace)


async def _series(connection: Connection, series: tuple[str, str, str]) -> dict[str, JointFollowUp]:
    heads = await joint.series_heads(connection, series)
    return series_of(heads, await joint.entries_of(connection, [head.id for head in heads]))


def carries(one: JointFollowUp) -> bool:
    """Whether measures that were decided by then are not done."""
    return any(each.progress is Progress.OPEN for each in (*one.measures, *one.carried))


def _is_carried(known: Mapping[str, JointFollowUp], month: Month) -> bool:
    """Whether measures of earlier months are not done."""
    before = [one for one in known.values() if one.head.month < month]
    return bool(before) and carries(max(before, key=lambda one: one.head.month))


async def _audit(connection: Connection, by: Writer, head: Head, now: datetime, action: str) -> int:
    entry = AuditEntry(
        at=now,
        kind=by.kind,
        who=by.who,
        action=action,
        what=(f"follow-up/{head.id}",),
        outcome="ok",
        why=by.why,
        municipality=head.municipality,
        address=by.address,
    )
    return (await audit.append(connection, [entry])).number


def head_of(agreement: str, municipality: str, care_form: str, month: Month) -> Head:
    """Return what a follow-up is of, with the id that it always has."""
    return Head(
        follow_up_id(agreement, municipality, care_form, month), agreement, municipality, care_form, month
    )
