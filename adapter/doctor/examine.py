"""All checks of a deployment, each by itself: none takes another with it, and none goes on for ever.

Owns the list of the checks, what each needs, and the limit of time. Does not own what a check looks at: that
is in the file of its area.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import asyncpg

from adapter.doctor import (
    agreed,
    broker,
    capacity,
    chain,
    clocks,
    database,
    files,
    intake,
    keys,
    publishing,
    rights,
    servers,
    settled,
    setup,
)
from adapter.doctor.deployment import Deployment
from adapter.doctor.findings import Finding, Told, Verdict, fail, skipped
from adapter.errors import LosusError

Look = Callable[[Deployment], Awaitable[Sequence[Told]]]
Need = Literal["database", "tables", "broker"]

_LIMIT_S = 20.0
_AT_ONCE = 4  # sessions of the database at the same time
_AREA_OF_NEED = {"database": "the database", "tables": "the database's tables", "broker": "the broker"}


@dataclass(frozen=True, slots=True)
class Check:
    """One look: its area and name, and what has to be there for it."""

    area: str
    name: str
    look: Look
    needs: tuple[Need, ...] = ()


#: In the order in which they are told. A check that others need is the gate that bears the need's name.
GATES: dict[Need, Check] = {
    "database": Check("database", "reachable", database.reachable),
    "tables": Check("database", "migrations", database.migrations, ("database",)),
    "broker": Check("broker", "reachable", broker.reachable),
}
CHECKS = (
    Check("settings", "demands", setup.demanded),
    Check("settings", "mappings and agreements", setup.files_fit),
    Check("files", "rights", files.rights),
    GATES["database"],
    Check("database", "tls", database.encrypted, ("database",)),
    Check("database", "version", database.version, ("database",)),
    GATES["tables"],
    Check("database", "login", rights.login, ("database",)),
    Check("database", "rights", rights.matrix, ("tables",)),
    Check("database", "vacuum", capacity.vacuum, ("database",)),
    Check("database", "transactions", capacity.transactions, ("database",)),
    Check("database", "replication slots", capacity.slots, ("database",)),
    Check("database", "connections", capacity.connections, ("database",)),
    Check("database", "size", capacity.size, ("tables",)),
    GATES["broker"],
    Check("broker", "transactions", broker.transactions, ("broker",)),
    Check("broker", "topics", broker.topics, ("broker",)),
    Check("broker", "copies", broker.copies, ("broker",)),
    Check("publishing", "relays", publishing.relays, ("tables",)),
    Check("publishing", "database as new as Kafka", publishing.older, ("tables",)),
    Check("publishing", "lag", publishing.lag, ("tables",)),
    Check("publishing", "quarantine", publishing.quarantined, ("tables",)),
    Check("publishing", "refused cases", publishing.refused, ("tables",)),
    Check("intake", "stopped sources", intake.stopped, ("tables",)),
    Check("intake", "held messages", intake.held, ("tables",)),
    Check("intake", "heard", intake.heard, ("tables",)),
    Check("intake", "polled", intake.polled, ("tables",)),
    Check("sources", "servers", servers.servers),
    Check("sources", "certificates", servers.certificates),
    Check("sources", "subscriptions", servers.subscriptions, ("tables",)),
    Check("sources", "issuers", keys.issuers),
    Check("keys", "signing", keys.signing),
    Check("keys", "seal", keys.seal),
    Check("keys", "certificates", keys.certificates),
    Check("audit", "chain", chain.newest, ("tables",)),
    Check("agreements", "files", agreed.files),
    Check("agreements", "region", agreed.region),
    Check("agreements", "in force", agreed.in_force_today),
    Check("agreements", "rates", agreed.rates),
    Check("settlement", "due", settled.due, ("tables",)),
    Check("settlement", "announced rates", settled.announced, ("tables",)),
    Check("settlement", "disputes", settled.disputes, ("tables",)),
    Check("time", "clocks", clocks.database, ("database",)),
    Check("time", "zone", clocks.zone),
)


async def examine(deployment: Deployment, *, limit_s: float = _LIMIT_S) -> list[Finding]:
    """Look at everything; each check within `limit_s`, all told, in the order of the list."""
    at_once = asyncio.Semaphore(_AT_ONCE)

    async def run(check: Check) -> list[Told]:
        async with at_once:
            return await _looked(check, deployment, limit_s)

    gates: dict[Need, list[Told]] = {
        need: await run(check) for need, check in GATES.items() if need != "tables"
    }
    gates["tables"] = await _needing(GATES["tables"], gates, run)
    others = [check for check in CHECKS if check not in GATES.values()]
    told = await asyncio.gather(*(_needing(check, gates, run) for check in others))
    by_check = dict(zip(others, told, strict=True)) | {GATES[need]: found for need, found in gates.items()}
    return [finding for check in CHECKS for finding in _findings(check, by_check[check])]


async def _needing(
    check: Check, gates: dict[Need, list[Told]], run: Callable[[Check], Awaitable[list[Told]]]
) -> list[Told]:
    lacking = [need for need in check.needs if not _is_open(gates[need])]
    if lacking:
        return [skipped(f"not looked at: {_AREA_OF_NEED[lacking[0]]} first")]
    return await run(check)


def _is_open(told: Iterable[Told]) -> bool:
    return all(one.verdict in {Verdict.OK, Verdict.WARN} for one in told)


async def _looked(check: Check, deployment: Deployment, limit_s: float) -> list[Told]:
    """What a check tells; a fault of its own is told too, by its kind alone."""
    try:
        async with asyncio.timeout(limit_s):
            return list(await check.look(deployment))
    except TimeoutError:
        return [fail(f"no answer within {limit_s:g} s", "look whether what it asks is overloaded or cut off")]
    except asyncpg.InsufficientPrivilegeError:
        mend = "give the doctor a login that is a member of losus_read, then `losus migrate`"
        return [fail("this login may not look", mend)]
    except LosusError as error:
        return [fail(problem.rule, "see the rule, then run the doctor again") for problem in error.problems]
    except Exception as error:  # noqa: BLE001 - the outermost loop: the other checks are told all the same
        return [
            fail(f"the check itself failed ({type(error).__name__})", "tell whoever maintains the adapter")
        ]


def _findings(check: Check, told: Iterable[Told]) -> Iterable[Finding]:
    for one in told:
        yield Finding(check.area, check.name, one.what, one.verdict, one.found, one.mend)
