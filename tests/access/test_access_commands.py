"""`losus key` and `losus audit`: what is printed, and how they end."""

import asyncio
import json
import re
from base64 import b64decode
from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any

import asyncpg
import pytest
from click.testing import Result
from typer.testing import CliRunner

from adapter.access.api_keys import KeyRing, read_hash
from adapter.access.audit_event import audit_event
from adapter.access.caller import Reason, Role
from adapter.cli import app
from adapter.fhir.model import FhirVersion, validate
from adapter.store.audit import Entry, Kept, append
from adapter.store.database import connect
from adapter.store.migrate import migrate
from tests.access.issuer import NOW
from tests.access.test_audit_chain import ONE, entry

RUNNER = CliRunner()


def losus(*arguments: str, dsn: str = "postgresql:///none") -> Result:
    environment = {
        "LOSUS_DATABASE": dsn,
        "LOSUS_SECRET": "a secret of the tests alone",
        "LOSUS_OPEN_DOORS": "true",
        "LOSUS_SETTINGS": "",
    }
    return RUNNER.invoke(app, [*arguments], env=environment)


async def apart(*arguments: str, dsn: str) -> Result:
    """The command in a thread: it has an event loop of its own."""
    return await asyncio.to_thread(losus, *arguments, dsn=dsn)


async def test_a_key_and_its_hash() -> None:
    made = json.loads(losus("key", "--format", "json").stdout)
    ring = KeyRing({(one := read_hash("hospital", made["hash"])).salt: one})
    assert await ring.check(made["key"]) == "hospital"


def test_a_key_is_never_the_same() -> None:
    first, second = (json.loads(losus("key", "--format", "json").stdout) for _ in range(2))
    assert first["key"] != second["key"]


def test_the_ingress_proof() -> None:
    made = json.loads(losus("key", "--ingress", "--format", "json").stdout)
    assert made["proof"] == sha256(made["key"].encode()).hexdigest()
    assert len(made["key"]) >= 43, "256 bits"


def test_a_key_in_words() -> None:
    done = losus("key")
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["key", "hash"]
    assert "kept nowhere" in done.stderr


@pytest.fixture
async def filled(dsn: str) -> AsyncIterator[str]:
    """A database with an entry of each kind."""
    await migrate(dsn)
    store = await connect(dsn, size=1)
    async with store.transaction() as connection:
        await append(connection, [ONE, entry(1), REFUSED])
    await store.close()
    return dsn


REFUSED = Entry(
    NOW, "attempt", "unknown", "login", ("door//cases",), "refused", "expired", address="192.0.2.7", count=9
)


async def test_a_whole_chain(filled: str) -> None:
    done = await apart("audit", "verify", dsn=filled)
    assert done.exit_code == 0
    shown = re.fullmatch(r"whole; head (3:[0-9a-f]{64})\n", done.stdout)
    assert shown is not None
    assert (await apart("audit", "verify", "--head", shown[1], dsn=filled)).exit_code == 0
    told = json.loads((await apart("audit", "verify", "--format", "json", dsn=filled)).stdout)
    assert told == {
        "broken": None,
        "head": {"number": 3, "hash": shown[1][2:]},
        "unchained": {"deliveries": 0, "oldest_s": None},
    }


async def test_a_broken_chain(filled: str) -> None:
    connection = await asyncpg.connect(filled)
    await connection.execute(
        "alter table audit disable trigger all; update audit set who = 'x' where number = 2"
    )
    await connection.close()
    done = await apart("audit", "verify", dsn=filled)
    assert (done.exit_code, done.stdout) == (1, "")
    assert "broken at row 2" in done.stderr
    told = await apart("audit", "verify", "--format", "json", dsn=filled)
    assert (told.exit_code, json.loads(told.stdout)["broken"]) == (1, 2)


async def test_another_head(filled: str) -> None:
    assert (await apart("audit", "verify", "--head", f"4:{'0' * 64}", dsn=filled)).exit_code == 1
    assert (await apart("audit", "verify", "--head", "nonsense", dsn=filled)).exit_code == 2


EXPORTED = [
    # arguments, numbers, because
    ((), [1, 2, 3], "all"),
    (("--since", "2026-03-02", "--until", "2026-03-02"), [1, 2, 3], "both days are included"),
    (("--since", "2026-03-03"), [], "from a day on"),
    (("--until", "2026-03-01"), [], "until a day"),
    (("--what", "case/abc"), [1], "of a case"),
    (("--who", "s1"), [2], "by somebody"),
]


@pytest.mark.parametrize(("arguments", "numbers", "because"), EXPORTED)
async def test_what_is_exported(
    filled: str, arguments: tuple[str, ...], numbers: list[int], because: str
) -> None:
    done = await apart("audit", "export", *arguments, "--format", "json", dsn=filled)
    own = "read: losus audit export"  # who reads the audit stands in it
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["number"] for one in lines if one["action"] != own] == numbers, because
    events = await apart("audit", "export", *arguments, dsn=filled)
    told = [json.loads(line) for line in events.stdout.splitlines()]
    assert all(validate(one, FhirVersion.R4) == [] for one in told)
    ids = [one["id"] for one in told if one["subtype"] != [{"display": own}]]
    assert ids == [f"audit-{number}" for number in numbers]


def event(said: Entry) -> dict[str, Any]:
    made = audit_event(Kept(7, said, bytes(32), b"1" * 32), "urn:losus:region")
    assert validate(made, FhirVersion.R4) == []
    return made


def test_a_reading_as_an_audit_event() -> None:
    made = event(ONE)
    assert (made["action"], made["outcome"], made["subtype"][0]["code"]) == ("R", "0", "read")
    assert made["agent"][0]["who"] == {"identifier": {"value": "person"}}
    assert made["agent"][0]["role"] == [{"text": "auditor"}]
    assert made["agent"][0]["network"] == {"address": "192.0.2.7", "type": "2"}
    assert made["purposeOfEvent"][0]["coding"][0]["code"] == "HOPERAT"
    *what, chain = made["entity"]
    assert [one["what"]["identifier"] for one in what] == [
        {"system": "urn:losus:case", "value": "abc"},
        {"system": "urn:losus:case", "value": "def"},
    ]
    details = {one["type"]: one for one in chain["detail"]}
    assert chain["what"]["identifier"]["value"] == "7"
    assert b64decode(details["hash"]["valueBase64Binary"]) == b"1" * 32
    assert details["municipality"]["valueString"] == "2380"


def test_a_failed_attempt_as_an_audit_event() -> None:
    made = event(REFUSED)
    assert (made["type"]["code"], made["subtype"][0]["code"]) == ("110114", "110122")
    assert (made["action"], made["outcome"], made["outcomeDesc"]) == ("E", "4", "refused: expired")
    assert "purposeOfEvent" not in made
    assert {"type": "count", "valueString": "9"} in made["entity"][-1]["detail"]


@pytest.mark.parametrize("action", ["read", "search", "create", "update", "login", "refused"])
@pytest.mark.parametrize("outcome", ["ok", "not-found", "refused", "failed"])
def test_whatever_is_audited_can_be_told(action: str, outcome: str) -> None:
    for kind, whys in (("staff", Role), ("source", ["own municipality"]), ("attempt", Reason)):
        for why in whys:
            event(Entry(NOW, kind, "x", action, ("Invoice/1", "door//cases"), outcome, str(why)))
