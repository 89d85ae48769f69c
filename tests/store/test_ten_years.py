"""What a region does all day costs the same after ten years as in the first week: by the pages that are read."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapter.delivery import Delivery, Door, Mark
from adapter.flow import commit
from adapter.outbound.expiry import expire
from adapter.reading import read
from adapter.refold import judge_due
from adapter.rereading import delivery_of, reread
from adapter.store import audit, doors, held, library, messages, outbox, quarantine, republish, stays
from adapter.store.audit import Entry, Selection
from adapter.store.cases import CaseFilter, case_facts, find_cases, messages_of
from adapter.store.database import Connection
from adapter.store.messages import Span
from adapter.wiring import world_of
from adapter.world import World
from tests.bench.ten_years import fill
from tests.service import settings, way_home
from tests.settling.hospital import database, messages as stay
from tests.store.explained import Explained, Seen

#: Small and large: ten years of a ward, and of twelve wards.
SMALL, LARGE = 40, 480
#: Pages that a statement may read more of in the large one: a level of an index, a row that lies on more pages.
MORE = 25
NOW = datetime.now(UTC)

Work = Callable[[Connection, World], Awaitable[Any]]


async def case_of(connection: Connection) -> str:
    """A case in the midst of all."""
    found: str = await connection.fetchval("select id from cases where key = 'stay-1-20'")
    return found


async def take(connection: Connection, world: World) -> None:
    """A new patient's way home, two messages at a time, then all of it again."""
    import json

    told = [json.dumps(one).encode() for one in stay(900_000, "2026-03", 20)]
    for _ in "ab":
        for first in range(0, len(told), 2):
            given = [Delivery("losus-r4", Door.MESSAGE, one) for one in told[first : first + 2]]
            await commit(connection, world, [read(world, one, NOW) for one in given], NOW)


async def correct(connection: Connection, world: World) -> None:
    """A message about a case of years ago."""
    from tests.settling.hospital import corrected
    import json

    given = Delivery("losus-r4", Door.MESSAGE, json.dumps(corrected(20, "2026-03", 18, 9)).encode())
    await commit(connection, world, [read(world, given, NOW)], NOW)


async def read_anew(connection: Connection, world: World) -> None:
    case_id = await case_of(connection)
    found = await messages.find_messages(connection, Span(case_id=case_id))
    for one in await messages.load_messages(connection, found[-2:], world.seal):
        await reread(connection, world, one.number, read(world, delivery_of(one), one.received_at, is_kept=True), NOW)


async def search(connection: Connection, _: World) -> None:
    for wanted in (
        CaseFilter(),
        CaseFilter(source="losus-r4"),
        CaseFilter(source="losus-r4", key="stay-1-20"),
        CaseFilter(municipality="2303"),
        CaseFilter(state="home-ready"),
        CaseFilter(municipality="2380", state="home-ready"),
        CaseFilter(municipality="2303", state="discharged", after="8"),
        CaseFilter(source="elsewhere"),
    ):
        await find_cases(connection, CaseFilter(**{**_fields(wanted), "limit": 10}))
    case_id = await case_of(connection)
    await messages_of(connection, await case_facts(connection, case_id) or ())


def _fields(wanted: CaseFilter) -> dict[str, Any]:
    return {name: getattr(wanted, name) for name in CaseFilter.__dataclass_fields__}
