"""A deployment in good health, and each way that it can be broken: told by the check meant, with the mend.

A row: what is done to it (statements of SQL, settings), what undoes it, what is then found that was not found
before, a word of the mend, because.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from adapter.credentials import Issuer, Staff
from adapter.doctor.findings import Finding
from adapter.servers import Server
from adapter.settings import Source, Subscriber
from tests.doctor.broken import DISPUTED, FAIL, HEARD, HELD, NO_RATE, WARN, one, sources
from tests.doctor.region import LANES, OPEN_DOORS, Region, Trouble, troubles


@dataclass(frozen=True)
class Broken:
    """How something is broken, what undoes it, and what is found then."""

    found: set[Trouble]
    mend: str
    because: str
    sql: tuple[str, ...] = ()
    undo: tuple[str, ...] = ()
    more: dict[str, Any] = field(default_factory=dict)


BROKEN = [
    Broken(
        one("database", "migrations", verdict=WARN),
        "roll-out",
        "the database is of a later version than we are",
        ("insert into migration (name) values ('9999_later')",),
        ("delete from migration where name = '9999_later'",),
    ),
    Broken(
        one("database", "rights", verdict=WARN),
        "losus migrate",
        "a role may do more than the matrix says",
        ("grant delete on held to losus_read",),
        ("revoke delete on held from losus_read",),
    ),
    Broken(
        one("publishing", "refused cases", "2380"),
        "losus cases refused",
        "the broker refuses an event for good",
        (
            """insert into parked_case (lane, case_id, event, reason, parked_at)
               values ('2380', 'a', 1, 'x', now())""",
        ),
        ("delete from parked_case",),
    ),
    Broken(
        one("publishing", "database as new as Kafka"),
        "losus recover",
        "a relay found claims in Kafka that this database never gave",
        ("insert into behind (slot, published, known, noticed_at) values ('share-1', 9, 3, now())",),
        ("delete from behind",),
    ),
    Broken(
        one("intake", "stopped sources", "losus-r4"),
        "losus sources resume",
        "the flood guard stopped it",
        ("insert into stopped_source (source, at, why) values ('losus-r4', now(), '26 of the last 50')",),
        ("delete from stopped_source",),
    ),
    Broken(
        one("intake", "held messages", "losus-r4"),
        "losus replay",
        "the mapping cannot translate it: somebody has to mend something",
        (HELD.format("untranslated"),),
        ("delete from held",),
    ),
    Broken(
        one("intake", "held messages", "losus-r4", WARN),
        "read again",
        "what it points at may come yet",
        (HELD.format("unresolved"),),
        ("delete from held",),
    ),
    Broken(
        one("intake", "heard", "losus-r4", WARN),
        "whether its system sends",
        "more than a day",
        (HEARD.format("25 hours"),),
        ("delete from message",),
    ),
    Broken(set(), "", "less than a day", (HEARD.format("23 hours"),), ("delete from message",)),
    Broken(
        one("audit", "chain"),
        "losus audit verify",
        "a row that does not follow from the one before",
        (
            """insert into audit
                 (number, at, kind, who, action, what, outcome, why, address, count, previous, hash)
               values (1, now(), 'staff', 'a', 'read', '{}', 'ok', '', '', 1, 'x', 'y')""",
        ),
        ("delete from audit",),
    ),
    Broken(
        one("settlement", "disputes", "2380", WARN),
        "losus disputes",
        "more than two weeks",
        (DISPUTED.format("now() - interval '15 days'"),),
        ("delete from dispute",),
    ),
    Broken(
        set(),
        "",
        "less than two weeks",
        (DISPUTED.format("now() - interval '13 days'"),),
        ("delete from dispute",),
    ),
    Broken(
        {("settlement", "due", code, FAIL) for code in LANES}
        | {("settlement", "announced rates", code, WARN) for code in LANES},
        "losus settle --due",
        "a month is over, and nothing of it is issued; nor was the year's amount announced",
        more={"settle_from": "2026-01"},
    ),
    Broken(
        one("time", "clocks", verdict=WARN), "chrony", "three seconds", more={"ahead": timedelta(seconds=4)}
    ),
    Broken(one("time", "clocks"), "chrony", "half a minute", more={"ahead": timedelta(seconds=40)}),
    Broken(
        {("broker", "topics", f"losus.2303.{kind}", FAIL) for kind in ("events", "cases", "settlements")},
        "losus topics apply",
        "a subscriber whose topics nobody has made",
        more={"subscribers": {code: Subscriber(name=code) for code in (*LANES, "2303")}},
    ),
    Broken(
        one("settings", "mappings and agreements", "sources"),
        "losus mappings check",
        "a source that names a mapping which is not there",
        more={"sources": {"losus-r4": Source(mapping="nonsense")}},
    ),
    Broken(
        one("sources", "servers", "losus-r4"),
        "is the server up",
        "nobody listens there",
        more=sources(Server(base_url="http://127.0.0.1:1/fhir")),
    ),
    Broken(
        one("sources", "issuers", "staff.tokens"),
        "LOSUS_STAFF__TOKENS__JWKS",
        "nobody has put the keys there",
        more={
            "staff": Staff(tokens=Issuer(issuer="https://a.example", audience="losus", jwks="/nowhere.json"))
        },
    ),
    Broken(
        one("keys", "seal", "seal") | one("files", "rights", "LOSUS_SEAL"),
        "openssl rand",
        "a seal whose file is not there",
        more={"seal": ("/nowhere/seal",)},
    ),
]


@pytest.mark.parametrize("row", BROKEN, ids=lambda row: row.because)
async def test_what_is_broken_is_told_by_its_check_with_the_mend(well: Region, row: Broken) -> None:
    await well.execute(*row.sql)
    try:
        found = await well.seen(**row.more)
    finally:
        await well.execute(*row.undo)
    assert troubles(found) - {NO_RATE, OPEN_DOORS} == row.found, row.because
    assert all_mended(found, row), row.because


def all_mended(found: list[Finding], row: Broken) -> bool:
    named = [each for each in found if (each.area, each.check, each.what, each.verdict) in row.found]
    return not row.found or any(row.mend in each.mend for each in named)
