"""The whole way, each process with the login of its own role: what a right is missing for, fails here."""

import asyncio

import asyncpg
import orjson

from adapter.outbound.relay import RelaySettings, run_relay
from adapter.sandbox.broker import Broker
from adapter.settings import Kafka, Source
from tests.service import service
from tests.settling.hospital import messages, tell
from tests.settling.test_disputes import SPRING, task
from tests.settling.test_settle_on_store import losus
from tests.store.logins import Logins
from tests.topic import records, revisions

SOURCES = {
    "losus-r4": Source(mapping="losus-r4"),
    "ostersund": Source(mapping="losus-r4", municipality="2380"),
}


async def value(dsn: str, query: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def until_published(logins: Logins) -> None:
    """Wait until the relay has published all; the one who looks may read and no more."""
    async with asyncio.timeout(60):
        while await value(logins.dsn("read"), "select exists (select from outbox)"):
            await asyncio.sleep(0.05)


def run(logins: Logins, kind: str, broker: Broker, *words: str, code: int = 0) -> str:
    """A command with the login of its kind; what it prints."""
    done = losus(
        logins.dsn(kind), *words[1:], command=words[0], LOSUS_KAFKA__BOOTSTRAP=broker.bootstrap,
        LOSUS_OPEN_DOORS="true",
    )  # fmt: skip
    assert done.returncode == code, (words, done.stdout, done.stderr)
    return done.stdout


async def test_message_event_statement_dispute_and_audit(logins: Logins, broker: Broker) -> None:
    relay = RelaySettings(
        dsn=logins.dsn("relay"),
        bootstrap=broker.bootstrap,
        region="urn:losus:test",
        municipalities=("2380",),
        cases_days=365,
    )
    stopping = asyncio.Event()
    async with (
        service(logins.dsn("intake"), sources=SOURCES, kafka=Kafka(bootstrap=broker.bootstrap)) as client,
        asyncio.TaskGroup() as tasks,
    ):
        tasks.create_task(run_relay(relay, stopping))
        for number, month in enumerate(SPRING):
            await tell(client, *messages(number, month, 20))
        await until_published(logins)
        told = await records(broker.bootstrap, "losus.2380.events")
        seen = revisions(told)
        assert len(seen) == len(SPRING)
        assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in seen.values())

        issued = run(logins, "settle", broker, "settle", "--month", "2019-04", "--issue", "--format", "json")
        assert {orjson.loads(line)["new"] for line in issued.splitlines()} == {True}
        run(logins, "settle", broker, "settle", "--explain", next(iter(seen)))
        await until_published(logins)
        assert await records(broker.bootstrap, "losus.2380.settlements")

        items = (await client.get("/fhir/ChargeItem?municipality=2380&period=2019-04")).json()
        line = items["entry"][0]["resource"]["id"]
        asked = await client.post("/fhir/ostersund/$dispute", content=orjson.dumps(task(line)))
        assert asked.status_code == 201, asked.text
        run(logins, "settle", broker, "disputes", "--answer", asked.json()["id"], "--status", "rejected")
        await until_published(logins)
        answered = (await client.get("/fhir/Task?municipality=2380")).json()
        assert answered["entry"][0]["resource"]["status"] == "rejected"
        assert (await client.get("/readyz")).json()["why"] == []
        stopping.set()
    assert run(logins, "read", broker, "audit", "verify").startswith("whole; head ")
    assert run(logins, "read", broker, "audit", "export").count("AuditEvent")
