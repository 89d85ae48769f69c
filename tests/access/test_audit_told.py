"""What the audit tells of a case: who sent it, who was given it, who read it, in order of time."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from adapter.access.exchange_event import delivery_event, receipt_event
from adapter.fhir.model import FhirVersion, validate
from adapter.store.audit import Selection
from adapter.store.database import connect
from adapter.store.deliveries import chain, written_to
from adapter.store.history import history
from adapter.store.outbox import Published, settle
from adapter.store.received import Received
from adapter.store.told import Asked, Delivered, read_deliveries
from tests.access.test_access_commands import apart
from tests.service import send, service, way_home

NOW = datetime.now(UTC)
CASE = "select id from cases where key = 'stay-1'"


@pytest.fixture
async def told(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """A way home, published and chained; then read once. The first event is of before it was recorded."""
    async with service(dsn) as client:
        for message in way_home():
            assert (await send(client, message)).status_code == 200
        connection = await asyncpg.connect(dsn)
        await connection.execute("delete from outbox where event = 1")
        ids = [row["id"] for row in await connection.fetch("select id from event where id > 1 order by id")]
        async with connection.transaction():
            await settle(connection, "share-0", Published(ids, datetime.now(UTC), {2: (1, 40)}))
        async with connection.transaction():
            to = await written_to(connection)
        async with connection.transaction():
            await chain(connection, to)
        case = await connection.fetchval(CASE)
        shown = (await client.get(f"/cases/{case}/deliveries")).json()
        assert shown.get("case_id") == case, shown
        rows = [(one["municipality"], one["revision"], one["payload"]) for one in shown["deliveries"]]
        assert rows == [("2380", number, "full") for number in range(1, 14)]
        first, second, *_ = shown["deliveries"]
        assert (first["at"], second["offset"], second["ground"]) == (None, 40, "LUS 2:1-2:3")
    yield connection
    await connection.close()


async def test_all_that_was_done_with_a_case(told: asyncpg.Connection, dsn: str) -> None:
    """PDL 8:5: what a patient may ask; HSLF-FS 2016:40 4:9."""
    case = f"case/{await told.fetchval(CASE)}"
    store = await connect(dsn, size=1)
    async with store.transaction() as connection:
        lines = [line async for line in history(connection, Selection(what=case))]
        everything = [line async for line in history(connection, Selection())]
    await store.close()
    kinds = [type(line).__name__ for line in lines]
    assert kinds == ["Delivered", *["Received"] * 13, *["Delivered"] * 12, "Kept"]
    unrecorded, first = (line for line in lines if isinstance(line, Delivered) and line.revision < 3)
    assert (unrecorded.at, unrecorded.number, unrecorded.revision) == (None, None, 1)
    assert (first.municipality, first.what, first.form, first.ground) == ("2380", case, "full", "LUS 2:1-2:3")
    assert (first.partition, first.offset, first.chained) == (1, 40, 1)
    grounds = [line.ground for line in lines if isinstance(line, Delivered)]
    assert {"LUS 2:1-2:3", "LUS 3:1", "LUS 4:4-4:5", "LUS 3:2"} <= set(grounds)
    assert len(everything) == 13 + 12 + 2, "the scribe's own row is there too, what was not recorded is not"


DAY, NOUGHT = timedelta(days=1), timedelta()
SELECTED = [
    # selection, from and to (since the deliveries), deliveries, receipts, because
    (Selection(), None, None, 12, 13, "all"),
    (Selection(who="2380"), None, None, 12, 0, "to a municipality"),
    (Selection(who="losus-r4"), None, None, 0, 13, "from a source"),
    (Selection(), DAY, None, 0, 0, "from then on"),
    (Selection(), None, -DAY, 0, 0, "before then"),
    (Selection(), NOUGHT, None, 12, 0, "the instant itself is in"),
    (Selection(), None, NOUGHT, 0, 13, "the instant itself is not in"),
    (Selection(what="case/other"), None, None, 0, 0, "another case"),
    (Selection(what="message/2"), None, None, 0, 1, "a message"),
    (Selection(what="message/99999999999999999999"), None, None, 0, 0, "no number"),
    (Selection(what="statement/x"), None, None, 0, 0, "no statement"),
]


async def test_what_is_asked_for(told: asyncpg.Connection) -> None:
    at = await told.fetchval("select min(at) from delivery")
    async with told.transaction():
        for selection, since, until, deliveries, receipts, because in SELECTED:
            wanted = replace(
                selection,
                since=None if since is None else at + since,
                until=None if until is None else at + until,
            )
            lines = [line async for line in history(told, wanted)]
            assert sum(isinstance(line, Delivered) for line in lines) == deliveries, because
            assert sum(isinstance(line, Received) for line in lines) == receipts, because


async def test_pages_are_whole(told: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    for page in (1, 5, 12, 13, 14):
        monkeypatch.setattr("adapter.store.told._PAGE", page)
        monkeypatch.setattr("adapter.store.received._PAGE", page)
        async with told.transaction():
            assert [one.number async for one in read_deliveries(told)] == list(range(1, 13))
            lines = [line async for line in history(told, Selection())]
            assert sum(isinstance(line, Received) for line in lines) == 13


async def test_the_commands(told: asyncpg.Connection, dsn: str) -> None:
    case = await told.fetchval(CASE)
    listed = await apart("audit", "deliveries", "--case", case, dsn=dsn)
    assert listed.exit_code == 0, listed.output
    assert listed.stdout.splitlines()[-1] == "2380: 13 revisions, 13 times"
    shown = await apart("audit", "export", "--what", f"case/{case}", dsn=dsn)
    events = [json.loads(line) for line in shown.stdout.splitlines()]
    assert all(validate(one, FhirVersion.R4) == [] for one in events)
    codes = [one["type"]["code"] for one in events]
    assert codes == [*["110107"] * 13, *["110106"] * 12, "rest", "110100", "110100"], "who exports it too"
    assert "nobody recorded" in shown.stderr
    whole = await apart("audit", "verify", "--format", "json", dsn=dsn)
    assert json.loads(whole.stdout)["unchained"] == {"deliveries": 0, "oldest_s": None}


async def test_a_delivery_that_is_not_in_the_chain_for_long_is_told(
    told: asyncpg.Connection, dsn: str
) -> None:
    await told.execute("insert into delivery (event, at) values (1, clock_timestamp())")
    soon = await apart("audit", "verify", dsn=dsn)
    assert (soon.exit_code, "1 deliveries are not in the chain yet" in soon.stderr) == (0, True)
    await told.execute("insert into delivery (event, at) values (1, now() - interval '16 minutes')")
    late = await apart("audit", "verify", dsn=dsn)
    assert (late.exit_code, "2 deliveries" in late.stderr) == (1, True)


def delivered(**more: Any) -> Delivered:
    return Delivered(7, NOW, "2380", "case/abc", 3, "t", "id", "full", "LUS 3:1", **more)


def test_a_delivery_as_an_audit_event() -> None:
    made = delivery_event(delivered(partition=1, offset=17, chained=4), "urn:losus:region")
    assert validate(made, FhirVersion.R4) == []
    assert (made["type"]["code"], made["subtype"][0]["code"], made["action"]) == ("110106", "disclose", "R")
    giver, taker = made["agent"]
    assert (giver["who"]["identifier"]["value"], giver["requestor"]) == ("urn:losus:region", True)
    assert taker["who"]["identifier"] == {"system": "urn:oid:1.2.752.129.2.2.1.17", "value": "2380"}
    [entity] = made["entity"]
    assert entity["what"]["identifier"] == {"system": "urn:losus:case", "value": "abc"}
    details = {one["type"]: one["valueString"] for one in entity["detail"]}
    assert details["revision"] == "3"
    assert (details["form"], details["offset"], details["audit"]) == ("full", "17", "4")
    assert made["outcomeDesc"] == "ok: LUS 3:1"


def test_whose_wish_a_delivery_was() -> None:
    one = delivered(asked=Asked(9, "anna", "ticket 17"), agreement="an-agreement")
    made = delivery_event(one, "urn:losus:region")
    assert validate(made, FhirVersion.R4) == []
    assert [(agent["requestor"]) for agent in made["agent"]] == [False, False, True]
    assert made["outcomeDesc"] == "ok: LUS 3:1, an-agreement, asked by anna: ticket 17"


@pytest.mark.parametrize(
    ("status", "is_held", "outcome", "because"),
    [
        (200, False, "0", "taken in"),
        (422, True, "4", "kept, and cannot be used"),
        (204, True, "0", "a hook's"),
    ],
)
def test_a_receipt_as_an_audit_event(status: int, is_held: bool, outcome: str, because: str) -> None:
    made = receipt_event(Received(5, NOW, "ehr", "hook", status, is_held, "abc"), "urn:losus:region")
    assert validate(made, FhirVersion.R4) == []
    assert (made["type"]["code"], made["subtype"][0]["code"], made["action"]) == ("110107", "receive", "C")
    assert made["outcome"] == outcome, because
    assert [one["what"]["identifier"]["value"] for one in made["entity"]] == ["5", "abc"]
