"""Intake: sources that were stopped, messages that wait for a person, doors that have gone quiet.

Owns from where on silence is told of; does not own the queries.
"""

from collections.abc import Sequence
from datetime import timedelta

from adapter.doctor.deployment import Deployment
from adapter.doctor.findings import Told, fail, ok, warn
from adapter.store import doors, survey
from adapter.store.held import count_held

_SILENT = timedelta(days=1)
_POLL_LATE = timedelta(minutes=10)
_BY_ITSELF = "unresolved"


async def stopped(it: Deployment) -> Sequence[Told]:
    """Sources that nothing is taken from."""
    async with it.database() as connection:
        found = await doors.stopped_sources(connection)
    mend = "`losus cases parked` says what failed; when it is mended, `losus sources resume NAME`"
    told = [
        fail(f"stopped since {at:%Y-%m-%d %H:%M} UTC: {why}", mend, one) for one, (at, why) in found.items()
    ]
    return told or [ok("none is stopped")]


async def held(it: Deployment) -> Sequence[Told]:
    """Messages that cannot be used, by source and cause; the cases wait."""
    async with it.database() as connection:
        found = sorted(await count_held(connection))
    return [_held(*one) for one in found] or [ok("none")]


def _held(source: str, cause: str, number: int) -> Told:
    found = f"{number} messages ({cause}), and their cases wait"
    if cause == _BY_ITSELF:
        mend = "they are read again for some hours; then `losus cases parked`"
        return warn(found, mend, source)
    return fail(
        found, "`losus cases parked` names the rule; mend the mapping, then `losus replay --parked`", source
    )


async def heard(it: Deployment) -> Sequence[Told]:
    """Sources that were heard once, and not for a day."""
    async with it.database() as connection:
        found = await survey.heard(connection, it.settings.sources)
    newest: dict[str, timedelta] = {}
    for source, _, at in found:
        silence = it.now() - at
        newest[source] = min(newest.get(source, silence), silence)
    mend = "ask whether its system sends, and with what answer; area sources says what we can see"
    told = [
        warn(f"heard last {silence / timedelta(hours=1):.0f} h ago", mend, source)
        for source, silence in sorted(newest.items())
        if silence > _SILENT
    ]
    return told or [ok(f"{len(newest)} of {len(it.settings.sources)} sources have been heard, all of late")]


async def polled(it: Deployment) -> Sequence[Told]:
    """Servers that are to be asked again and again, and were not."""
    wanted = {
        name: source.server.poll
        for name, source in it.settings.sources.items()
        if source.server is not None and source.server.poll is not None
    }
    async with it.database() as connection:
        found = await survey.polled(connection)
    told = []
    for name, poll in wanted.items():
        mend = f"start `losus poll {name}`; its log says poll.interrupted where the server fails"
        late = max(_POLL_LATE, timedelta(seconds=3 * poll.every_s))
        if name not in found:
            told.append(fail("was never asked to the end", mend, name))
        elif it.now() - found[name] > late:
            told.append(fail(f"was last asked {found[name]:%Y-%m-%d %H:%M} UTC", mend, name))
    return told or [ok(f"{len(wanted)} servers are asked in time")]
