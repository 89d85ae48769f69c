"""Retention by its own role: it takes out what is old, and needs no more than the matrix gives."""

from datetime import UTC, datetime

import asyncpg

from adapter.retention import Eraser
from adapter.settings import Retention
from adapter.store.audit import Entry, append
from tests.settling.hospital import database
from tests.store.logins import Logins

OLD = datetime(2001, 1, 1, tzinfo=UTC)
ROWS = """
insert into message (source, header_id, bundle_id, received_at, body, response)
  values ('s', 'h', 'b', '2001-01-01', 'raw', 'answer'), ('s', 'h2', 'b2', '2001-01-01', 'raw', 'answer');
insert into message_bundle values ('s', 'b', 1), ('s', 'b2', 2);
insert into fact values ('s', 'Encounter/1', '[1]', '1', 'c', '[]', false, 1);
insert into cases (id, source, key, changed_at) values ('c', 's', 'k', '2001-01-01');
insert into link values ('c', 's', 'Encounter/1');
insert into event (case_id, municipality, revision, type, ce_id, payload, closing, created_at)
  values ('c', null, 1, 'se.losus.case.changed.v1', 'e', '{}', false, '2001-01-01');
insert into delivery (event, at) values (1, '2001-01-01');
insert into delivery_batch values (1, 1);
insert into resource values ('s', 'Location/1', '[1]', '1', 'd', '{}', null, '2001-01-01');
insert into alias values ('s', 'hash', 'Location/1');
"""


async def test_the_role_of_retention_is_enough(logins: Logins) -> None:
    owner = await asyncpg.connect(logins.dsn("owner"))
    try:
        await owner.execute(ROWS)
        async with owner.transaction():
            await append(owner, [Entry(OLD, "staff", "p", "read", ("case/c",), "ok", "auditor")])
        async with database(logins.dsn("retention")) as opened:
            eraser = Eraser(opened, Retention(), datetime.now(UTC), None, is_run=True)
            gone = {one.kind.value: dict(one.rows) async for one in eraser.erase()}
        assert gone == {
            "audit": {"audit": 1, "delivery": 1},
            "statements": {},
            "disputes": {},
            "follow-ups": {},
            "joint-follow-ups": {},
            "cases": {"cases": 1, "link": 1, "event": 1, "fact": 1, "message": 1, "message_bundle": 1},
            "messages": {"message": 1, "message_bundle": 1},
            "library": {"resource": 1, "alias": 1},
        }
    finally:
        await owner.close()
