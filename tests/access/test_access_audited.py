"""What the audit says of the doors: each reading before it is given, and the attempts that failed."""

from pathlib import Path

import asyncpg
import httpx

from adapter.store.audit import Entry, head, read, verify
from adapter.store.database import connect
from tests.access.closed import SPRING, guarded, names, send_as
from tests.access.issuer import NOW_S, claims, token
from tests.access.people import (
    AUDITOR,
    CONTROLLER,
    OPERATOR,
    PROOF,
    api_key,
    bearer,
)
from tests.service import service


async def audited(region: str, after: int) -> list[Entry]:
    store = await connect(region)
    try:
        async with store.transaction() as connection:
            assert await verify(connection) is None
            return [one.entry async for one in read(connection) if one.number > after]
    finally:
        await store.close()


async def last(region: str) -> int:
    store = await connect(region)
    try:
        async with store.transaction() as connection:
            return (await head(connection)).number
    finally:
        await store.close()


async def test_each_reading_is_audited(client: httpx.AsyncClient, region: str) -> None:
    """PDL 4:3, HSLF-FS 2016:40 4:9: who, what, whose, when, and what allowed it."""
    named = await names(region)
    case, invoice = named["case"], named["invoice"]
    before = await last(region)
    listed = (await client.get("/cases?municipality=2380", headers=OPERATOR())).json()["cases"]
    await client.get(f"/cases/{case}", headers=AUDITOR())
    await client.get(f"/cases/{case}/timeline", headers=api_key("ostersund"))
    await client.get(f"/cases/{case}", headers=api_key("krokom"))
    await client.get("/cases/19121212-1212", headers=AUDITOR())
    await client.get(f"/fhir/Invoice/{invoice}", headers=CONTROLLER())
    await client.head(f"/fhir/Invoice/{invoice}", headers=CONTROLLER())
    await client.post("/fhir/Invoice/_search", data={"_id": invoice}, headers=CONTROLLER())
    told = [
        (one.kind, one.who, one.action, one.what, one.outcome, one.why, one.municipality)
        for one in await audited(region, before)
        if one.kind != "attempt"
    ]
    cases = tuple(f"case/{one['case_id']}" for one in listed)
    assert len(cases) >= len(SPRING)
    assert told == [
        ("staff", "region-operator", "search", cases, "ok", "region-operator", "2380"),
        ("staff", "auditor", "read", (f"case/{case}",), "ok", "auditor", "2380"),
        ("source", "ostersund", "read", (f"case/{case}",), "ok", "own municipality", "2380"),
        ("source", "krokom", "read", (f"case/{case}",), "not-found", "own municipality", "2309"),
        ("staff", "auditor", "read", ("case/unknown",), "not-found", "auditor", None),
        ("staff", "controller", "read", (f"Invoice/{invoice}",), "ok", "controller", None),
        ("staff", "controller", "read", (f"Invoice/{invoice}",), "ok", "controller", None),
        ("staff", "controller", "search", (f"Invoice/{invoice}",), "ok", "controller", None),
    ]


async def test_no_audit_no_answer(client: httpx.AsyncClient, region: str) -> None:
    """What cannot be written down is not given, though it could be read."""
    path = f"/cases/{(await names(region))['case']}"
    connection = await asyncpg.connect(region)
    try:
        await connection.execute("alter table audit rename to away")
        given = await client.get(path, headers=AUDITOR())
        assert (given.status_code, given.json()["resourceType"]) == (500, "OperationOutcome")
    finally:
        await connection.execute("alter table away rename to audit")
        await connection.close()
    assert (await client.get(path, headers=AUDITOR())).status_code == 200


async def test_failed_attempts_are_audited_together(region: str, tmp_path: Path) -> None:
    """One entry for many of a kind, written when the service ends at the latest."""
    before = await last(region)
    here = {"x-forwarded-for": "192.0.2.9", "x-losus-ingress": PROOF}
    async with guarded(region, tmp_path) as closed:
        for _ in range(7):
            await send_as(closed, "hospital", here | bearer(token(claims(exp=NOW_S - 60))))
        for _ in range(3):
            await send_as(closed, "other", here | api_key("hospital"))
        await send_as(closed, "19121212-1212", here)
    entries = [one for one in await audited(region, before) if one.address == "192.0.2.9"]
    counts: dict[tuple[str, str, str, tuple[str, ...]], int] = {}
    for one in entries:
        kind = (one.kind, one.who, one.why, one.what)
        counts[kind] = counts.get(kind, 0) + one.count
    door = ("door//fhir/{source}/$process-message",)
    assert counts == {
        ("attempt", "hospital", "expired", door): 7,
        ("attempt", "hospital", "other-source", door): 3,
        ("attempt", "unknown", "missing", door): 1,
    }
    assert len(entries) <= 6, "gathered, not one by one"


async def test_the_sandbox_is_open(region: str) -> None:
    async with service(region) as client:
        before = await last(region)
        assert (await client.get("/cases?limit=1")).status_code == 200
        [one] = await audited(region, before)
        assert (one.kind, one.why) == ("anybody", "open doors")
