"""The whole way, each process with the login of its own role: what a right is missing for, fails here."""

import asyncio

import asyncpg
import orjson
from structlog.testing import capture_logs
from typer.testing import CliRunner

from adapter.cli import app
from adapter.outbound.relay import RelaySettings, run_relay
from adapter.sandbox.broker import Broker
from adapter.settings import Kafka, Source
from tests.service import service, settings
from tests.settling.hospital import messages, tell
from tests.settling.test_disputes import SPRING, task
from tests.store.logins import Logins
from tests.topic import cluster_of, records, remove_topics, revisions

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


async def run(logins: Logins, kind: str, broker: Broker, *words: str) -> str:
    """A command with the login of its kind; what it prints."""
    given = settings(logins.dsn(kind))
    environment = {
        "LOSUS_DATABASE": logins.dsn(kind),
        "LOSUS_SECRET": given.secret.get_secret_value(),
        "LOSUS_SOURCES": '{"losus-r4": {"mapping": "losus-r4"}}',
        "LOSUS_SUBSCRIBERS": '{"2380": {"name": "Östersund"}}',
        "LOSUS_KAFKA__BOOTSTRAP": broker.bootstrap,
        "LOSUS_OPEN_DOORS": "true",
        "LOSUS_REGION": given.region.model_dump_json() if given.region else "",
        "COLUMNS": "200",
    }
    done = await asyncio.to_thread(CliRunner().invoke, app, list(words), env=environment)
    assert done.exit_code == 0, (words, done.output, done.exception)
    return done.stdout


async def test_message_event_statement_dispute_and_audit(logins: Logins, broker: Broker) -> None:
    relay = RelaySettings(
        dsn=logins.dsn("relay"),
        cluster=cluster_of(broker.bootstrap),
        region="urn:losus:test",
        municipalities=("2380",),
        cases_days=365,
    )
    await remove_topics(broker.bootstrap)
    stopping = asyncio.Event()
    with capture_logs() as said:
        async with (
            service(logins.dsn("intake"), sources=SOURCES, kafka=Kafka(bootstrap=broker.bootstrap)) as client,
            asyncio.TaskGroup() as tasks,
        ):
            tasks.create_task(run_relay(relay, stopping))
            for number, month in enumerate(SPRING):
                await tell(client, *messages(number, month, 20))
            await until_published(logins)
            seen = revisions(await records(broker.bootstrap, "losus.2380.events"))
            assert len(seen) == len(SPRING)
            assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in seen.values())
            case_id = next(iter(seen))

            issued = await run(
                logins, "settle", broker, "settle", "--month", "2019-04", "--issue", "--format", "json"
            )
            assert {orjson.loads(line)["new"] for line in issued.splitlines()} == {True}
            await run(logins, "settle", broker, "settle", "--explain", case_id)
            await until_published(logins)
            assert await records(broker.bootstrap, "losus.2380.settlements")

            items = (await client.get("/fhir/ChargeItem?municipality=2380&period=2019-04")).json()
            line = items["entry"][0]["resource"]["id"]
            asked = await client.post("/fhir/ostersund/$dispute", content=orjson.dumps(task(line)))
            assert asked.status_code == 201, asked.text
            name = asked.json()["id"]
            await run(logins, "settle", broker, "disputes", "--answer", name, "--status", "rejected")
            await until_published(logins)
            answered = (await client.get("/fhir/Task?municipality=2380")).json()
            assert answered["entry"][0]["resource"]["status"] == "rejected"

            [follow_up] = (await client.get("/follow-ups")).json()["follow_ups"]
            finding = {"kind": "finding", "text": "Kallelserna är sena."}
            written = await client.post(f"/follow-ups/{follow_up['id']}/entries", json=finding)
            assert written.status_code == 201, written.text
            opened = ("--agreement", follow_up["agreement"], "--municipality", "2380", "--month", "2019-03")
            await run(logins, "settle", broker, "follow-up", "open", *opened)

            for kind, *words in WORDS:
                await run(logins, kind, broker, *(word.replace("CASE", case_id) for word in words))
            await until_published(logins)
            assert (await client.get("/readyz")).json()["why"] == []
            stopping.set()
        verified = await run(logins, "read", broker, "audit", "verify")
        assert verified.startswith("whole; head ")
        assert (await run(logins, "read", broker, "audit", "export")).count("AuditEvent")
    assert [one for one in said if one["event"].endswith(("interrupted", "failed"))] == []


#: What an operator types besides, each with the login that the README names for it.
WORDS = (
    ("intake", "replay", "--case", "CASE", "--run"),
    ("intake", "republish", "2380", "--case", "CASE", "--run"),
    ("intake", "cases", "refused"),
    ("intake", "sources", "list"),
    ("relay", "topics", "expire"),
    ("settle", "disputes"),
    ("settle", "follow-up", "list"),
    ("settle", "rates", "announce", "2019"),
)
