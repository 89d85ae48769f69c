"""`losus recover`: a database that was restored to an earlier point is told what Kafka has.

Owns the options and what is printed; does not own what is done (`adapter.recovery.run`).
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated

import typer
from rich.progress import Progress

from adapter.commands.checked import checked_settings
from adapter.commands.output import Format, err, out, print_json
from adapter.losus.days import local
from adapter.recovery.reading import Page
from adapter.recovery.run import Kept, Recovered, heal, recover
from adapter.settings import Settings
from adapter.store.database import PATIENT_S, connect
from adapter.store.migrate import migrate
from adapter.store.recovery import waiting_cases
from adapter.wiring import world_of

_FIRST = 20  # of a long list, in a table

#: What is to be done about what was issued, by outcome.
_ISSUED = {
    "blocked": "not issued again: send again what was lost, then losus settle keeps what is the same",
    "kept": "kept again as it was published",
    "there": "kept here too, settled again after the restore; only the first is published",
    "other": "another is kept here, which was not published: compare the two by hand",
    "unasked": "the question is lost: the municipality's system asks again, the region answers again",
    "unknown": "not a Bundle of this version: look at it on the topic",
}


def recover_command(
    run: Annotated[bool, typer.Option("--run", help="Do it. Without it nothing is changed.")] = False,
    heal: Annotated[
        bool, typer.Option("--heal", help="Tell each mended case as it is known now. The last step.")
    ] = False,
    form: Annotated[Format, typer.Option("--format", help="table or json")] = Format.TABLE,
) -> None:
    """Mend a database that was restored to an earlier point, from what Kafka has. Relays are to be stopped.

    First `losus recover --run`: revisions and statements go on after what subscribers have. Then have the
    hospitals send again what was lost; it lists it. Last `losus recover --heal --run`: what subscribers were
    told and nobody sent again is told as it is known.
    """
    if heal:
        asyncio.run(_heal(checked_settings(), form, run=run))
        return
    done, waiting = asyncio.run(_recover(checked_settings(), form, run=run))
    if form is Format.JSON:
        print_json({**asdict(done), "standing": waiting, "run": run})
    else:
        for line in _lines(done, waiting, run=run):
            out.print(line, markup=False)


async def _recover(settings: Settings, form: Format, *, run: bool) -> tuple[Recovered, Sequence[str]]:
    dsn = settings.database.get_secret_value()
    await migrate(dsn)
    kept = Kept(settings.kafka.cluster, settings.kafka.retention_days, tuple(settings.subscribers))
    with _bar(shown=form is Format.TABLE) as told:
        done = await recover(dsn, kept, world_of(settings), run=run, told=told)
    return done, await _standing(dsn)


async def _standing(dsn: str) -> Sequence[str]:
    """Cases that subscribers have and of which nothing is known here, of this run and of those before."""
    database = await connect(dsn, size=1, deadline_s=PATIENT_S)
    try:
        async with database.transaction() as connection:
            return await waiting_cases(connection, known=False)
    finally:
        await database.close()


@contextmanager
def _bar(*, shown: bool) -> Iterator[Callable[[Page], None]]:
    with Progress(console=err, transient=True, disable=not shown) as bar:
        task = bar.add_task("reading the topics", total=None)
        yield lambda page: bar.update(task, completed=page.done, total=page.of)


async def _heal(settings: Settings, form: Format, *, run: bool) -> None:
    dsn = settings.database.get_secret_value()
    await migrate(dsn)
    done = await heal(dsn, world_of(settings), run=run)
    for case_id, events in done:
        if form is Format.JSON:
            print_json({"case_id": case_id, "events": events, "run": run})
        elif events:
            out.print(f"{case_id}  told as it is known: {events} events", markup=False)
    if form is Format.TABLE:
        same = sum(not events for _, events in done)
        out.print(f"{len(done)} cases, {same} of them as subscribers have them" + _dry(run=run), markup=False)
        left = await _standing(dsn)
        out.print(f"{len(left)} cases that subscribers have are not known here", markup=False)


def _lines(done: Recovered, waiting: Sequence[str], *, run: bool) -> Iterator[str]:
    yield f"{done.read} events on Kafka, {done.taken_out} of them were still to be published" + _dry(run=run)
    if done.lost_from is None:
        yield "nothing on Kafka is unknown here"
    else:
        yield f"events from {local(done.lost_from):%Y-%m-%d %H:%M:%S} on are lost here; have sent again"
        for source, at in sorted(done.known_until.items()):
            yield f"  {source}: everything after {local(at):%Y-%m-%d %H:%M:%S}"
    known = [one for one in done.cases if one.known]
    yield from _listed(
        f"{len(known)} cases of which subscribers know more than is known here: it stands until --heal",
        [f"{one.case_id}  {one.municipality or 'nobody has it: told anew'}" for one in known],
    )
    standing = {one.case_id: one.municipality for one in done.cases if not one.known}
    yield from _listed(
        f"{len({*standing, *waiting})} cases that subscribers have are not known here: have all of them sent",
        [f"{name}  {standing.get(name) or ''}".rstrip() for name in sorted({*standing, *waiting})],
    )
    for outcome, count in sorted(Counter(one.outcome for one in done.issued).items()):
        found = [
            f"{one.id}  {one.kind} {one.municipality} {one.month}"
            for one in done.issued
            if one.outcome == outcome
        ]
        yield from _listed(f"{count} issued: {_ISSUED[outcome]}", found)
    for one in done.missing:
        yield f"{one.lane}: {one.events} events were published and are not on Kafka:"
        yield f"  losus republish {one.lane} --since {one.since:%Y-%m-%dT%H:%M:%S} --run"


def _listed(head: str, found: Sequence[str]) -> Iterator[str]:
    if found:
        yield head
        yield from (f"  {one}" for one in found[:_FIRST])
        if len(found) > _FIRST:
            yield f"  … and {len(found) - _FIRST} more (--format json)"


def _dry(*, run: bool) -> str:
    return "" if run else ": a dry run, --run does it"
