"""A restore to an earlier point, rehearsed: nothing is published before it is mended; then all goes on."""

import random
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import orjson
import pytest

from adapter.commands.republish import Wish, republished
from adapter.errors import UnavailableError
from adapter.outbound.topics import events_topic, settlements_topic
from adapter.recovery.run import Recovered, heal
from adapter.sandbox.account import scratch_place
from adapter.sandbox.database import Database
from adapter.settling.issuing import ToldOtherwiseError
from adapter.store.database import connect
from tests.conftest import Kafka as Broker
from tests.recovery.backups import Archived, dump, restore
from tests.recovery.rehearsal import (
    EMPTIED,
    KROKOM,
    MOVES,
    OLD,
    OSTERSUND,
    REFUSED,
    RELAYED,
    STAYS,
    UNKNOWN,
    case_id,
    judge,
    play,
    published,
    recovered,
    relaying,
    story,
    subscriber,
    until,
    world,
)
from tests.service import send, service, stay, way_home
from tests.settling.hospital import corrected, messages, rows, settled
from tests.settling.test_settle_on_store import losus
from tests.topic import Record, records, remove_topics

POINTS = [
    # the dump is before this step, published before?, sent again, because
    (1, True, "same", "the first events are known, the rest is lost"),
    (2, False, "other order", "the outbox of the dump holds what Kafka has by now"),
    (3, True, "nothing", "it is told as it is known; what is not known stands"),
    (4, False, "other order", "a case begins in the outbox of the dump; the statement is lost"),
    (5, True, "same", "only the last step is lost; the statement is kept"),
]


@pytest.mark.parametrize(("point", "was_published", "again", "because"), POINTS)
async def test_it_goes_on_after_a_restore(
    dsn: str,
    database: Database,
    empty_apache: Broker,
    tmp_path: Path,
    point: int,
    was_published: bool,
    again: str,
    because: str,
) -> None:
    bootstrap, steps, dumped = empty_apache.bootstrap, story(), tmp_path / "losus.dump"
    async with service(dsn) as client:
        async with relaying(dsn, bootstrap):
            for step in steps[: point - 1]:
                await play(dsn, client, step)
            await until(dsn, EMPTIED)
        await play(dsn, client, steps[point - 1])
        if was_published:
            await published(dsn, bootstrap)
        dump(database, dsn, dumped)
        async with relaying(dsn, bootstrap):
            for step in steps[point:]:
                await play(dsn, client, step)
                await until(dsn, EMPTIED)
    restore(database, dsn, dumped)
    lost = [message for step in steps[point:] for message in step]
    async with service(dsn, kafka={"bootstrap": bootstrap}) as client, relaying(dsn, bootstrap):
        await until(dsn, REFUSED)
        await _refuses(dsn, bootstrap, client)
        done = await _mended(dsn, bootstrap)
        await until(dsn, EMPTIED)
        if again == "other order":
            random.Random(point).shuffle(lost)  # noqa: S311 - a seed, not a secret
        for message in [] if again == "nothing" else lost:
            assert (await send(client, message)).status_code == 200
        issued = await settled(dsn, "2019-03", "2019-04-20", issue=True, municipalities=(OSTERSUND,))
        assert not issued.refused, because
        await heal(dsn, world(dsn), run=True)
        await until(dsn, EMPTIED)
    lost_case = frozenset({case_id(UNKNOWN)} if again == "nothing" and point <= 3 else ())
    assert {one.case_id for one in done.cases if not one.known} == (
        {case_id(UNKNOWN)} if point <= 3 else set()
    ), because
    await judge(dsn, bootstrap, lost_case)


async def _refuses(dsn: str, bootstrap: str, client: httpx.AsyncClient) -> None:
    """What the hospital sends now is taken in, and not published; nothing is issued; who asks is told why."""
    before = await records(bootstrap, events_topic(OSTERSUND))
    news = stay(way_home()[0], STAYS, 77)  # of a case that subscribers know more of
    news["entry"][1]["resource"]["meta"] = {"versionId": "77", "lastUpdated": "2024-03-04T14:25:00+01:00"}
    assert (await send(client, news)).status_code == 200
    with pytest.raises(UnavailableError, match="losus recover"):
        await settled(dsn, "2019-03", "2019-04-20", issue=True)
    ready = (await client.get("/readyz")).json()
    assert not ready["ready"]
    assert "the database is older than what Kafka has, nothing is published: losus recover" in ready["why"]
    assert len(await records(bootstrap, events_topic(OSTERSUND))) == len(before)


async def _mended(dsn: str, bootstrap: str) -> Recovered:
    """Dry, for real, and once more: the first changes nothing, the last finds nothing."""
    everything = "select (select count(*) from event), (select count(*) from outbox), count(*) from cases"
    before = await rows(dsn, everything)
    dry = await recovered(dsn, bootstrap, run=False)
    assert await rows(dsn, everything) == before
    done = await recovered(dsn, bootstrap)
    assert done.cases
    assert (dry.cases, dry.issued, dry.taken_out) == (done.cases, done.issued, done.taken_out)
    return done


async def test_a_second_run_finds_nothing_and_a_running_relay_is_in_its_way(
    dsn: str, database: Database, empty_apache: Broker, tmp_path: Path
) -> None:
    bootstrap, steps = empty_apache.bootstrap, story()
    async with service(dsn) as client:
        await play(dsn, client, steps[0])
        await published(dsn, bootstrap)
        dump(database, dsn, tmp_path / "dump")
        await play(dsn, client, steps[1])
        await play(dsn, client, steps[2])
        await published(dsn, bootstrap)
        async with relaying(dsn, bootstrap):
            await until(dsn, RELAYED)
            with pytest.raises(UnavailableError, match="a relay runs"):
                await recovered(dsn, bootstrap)
    restore(database, dsn, tmp_path / "dump")
    first = await recovered(dsn, bootstrap)
    assert {one.case_id: one.municipality for one in first.cases} == {
        case_id(STAYS): OSTERSUND,
        case_id(MOVES): KROKOM,
    }
    second = await recovered(dsn, bootstrap)
    assert (second.cases, second.issued, second.taken_out, second.behind) == ([], [], 0, 0)
    [(kind, who, what)] = await rows(
        dsn, "select kind, who, what from audit where action = 'recover' order by number limit 1"
    )
    assert (kind, who, set(what)) == (
        "system",
        "losus recover",
        {f"case/{case_id(n)}" for n in (STAYS, MOVES)},
    )
    assert await rows(dsn, "select count(*) from outbox") == [(0,)], "what was told stands for now"
    assert dict(await heal(dsn, world(dsn), run=True)) == {case_id(STAYS): 1, case_id(MOVES): 2}
    await published(dsn, bootstrap)
    await judge(dsn, bootstrap)
    has, _ = await subscriber(bootstrap, OSTERSUND)
    assert has[case_id(MOVES)]["revision"] == 4, "there, moved away, and back, as far as is known"


async def test_a_statement_that_was_lost_is_never_issued_with_other_contents(
    dsn: str, database: Database, empty_apache: Broker, tmp_path: Path
) -> None:
    """The month is settled, published, lost; then a fact comes that would make it another."""
    bootstrap = empty_apache.bootstrap
    async with service(dsn) as client:
        await play(dsn, client, messages(OLD, "2019-03", 20))
        await published(dsn, bootstrap)
        dump(database, dsn, tmp_path / "dump")
        once = await settled(dsn, "2019-03", "2019-04-13", issue=True)
        await published(dsn, bootstrap)
    told = await records(bootstrap, settlements_topic(OSTERSUND))
    restore(database, dsn, tmp_path / "dump")
    done = await recovered(dsn, bootstrap)
    assert {(one.kind, one.outcome) for one in done.issued} == {
        ("statement", "blocked"),
        ("follow-up", "kept"),
        ("joint follow-up", "kept"),
    }
    async with service(dsn) as client:
        assert (await send(client, corrected(OLD, "2019-03", 22, 9))).status_code == 200
    other = await settled(dsn, "2019-03", "2019-04-20", issue=True, municipalities=(OSTERSUND,))
    later = await settled(dsn, "2019-04", "2019-05-20", issue=True, municipalities=(OSTERSUND,))
    for refused in (other.refused, later.refused):
        assert {type(fault) for *_, fault in refused} == {ToldOtherwiseError}
    kept = await rows(dsn, "select care_form, month from statement where municipality = '2380'")
    assert kept == [("psychiatric", "2019-03")], "the one that comes out as it was published"
    restore(database, dsn, tmp_path / "dump")
    await recovered(dsn, bootstrap)
    same = await settled(dsn, "2019-03", "2019-04-20", issue=True)
    mine = [
        {
            one.statement.id: one.statement
            for one in run.told
            if one.statement.statement.municipality == OSTERSUND
        }
        for run in (once, same)
    ]
    assert mine[0] == mine[1], "kept as it was issued, its time too"
    await published(dsn, bootstrap)
    again = await records(bootstrap, settlements_topic(OSTERSUND))
    assert sorted(again, key=_key) == sorted(told, key=_key), "and not told again"


def _key(record: Record) -> str:
    return record.key


async def test_what_the_broker_has_lost_is_named_and_published_again(dsn: str, empty_apache: Broker) -> None:
    """The other direction: the topics are gone, the database has all."""
    bootstrap, steps = empty_apache.bootstrap, story()
    async with service(dsn) as client:
        await play(dsn, client, steps[0])
        await published(dsn, bootstrap)
        await remove_topics(bootstrap)
        await play(dsn, client, steps[1])
        await published(dsn, bootstrap)
        before = await recovered(dsn, bootstrap, run=False)
        assert (before.behind, before.cases) == (0, []), "the database knows everything"
        [missing] = before.missing
        assert (missing.lane, missing.events) == (OSTERSUND, 3 + 2 + 13)
        typed = losus(dsn, "--format", "json", command="recover", LOSUS_KAFKA__BOOTSTRAP=bootstrap)
        assert typed.returncode == 0, typed.stderr
        told = orjson.loads(typed.stdout)
        assert (told["missing"][0]["events"], told["standing"], told["run"]) == (18, [], False)
        opened = await connect(dsn, size=2)
        try:
            wish = Wish(OSTERSUND, "full", None, None)
            assert not any(one.waits for one in await republished(opened, wish, 30, run=True))
        finally:
            await opened.close()
        await published(dsn, bootstrap)
        assert (await recovered(dsn, bootstrap, run=False)).missing == []
    has, _ = await subscriber(bootstrap, OSTERSUND)
    assert {name: one["revision"] for name, one in has.items()} == {
        case_id(STAYS): 6,
        case_id(MOVES): 2,
        case_id(OLD): 13,
    }


@pytest.fixture
def folders() -> Iterator[tuple[Path, Path, Path]]:
    """Three empty folders that the server's account can come to."""
    with TemporaryDirectory(dir=scratch_place()) as place:
        Path(place).chmod(0o755)
        home, archive, again = (Path(place) / name for name in ("home", "archive", "again"))
        archive.mkdir()
        again.mkdir()
        yield home, archive, again


async def test_recovery_to_a_point_in_time(empty_apache: Broker, folders: tuple[Path, Path, Path]) -> None:
    """pg_basebackup, the archive of WAL, and a named point: the last minutes are lost, no more."""
    bootstrap, steps = empty_apache.bootstrap, story()
    home, archive, again = folders
    with Archived.start(home, durable=False) as server:
        server.give(archive, again)
        server.archive_to(archive)
        server.restart()
        async with service(server.dsn) as client:
            await play(server.dsn, client, steps[0])
            await published(server.dsn, bootstrap)
            server.base_backup(again)
            await play(server.dsn, client, steps[1])
            await published(server.dsn, bootstrap)
            await rows(server.dsn, "select pg_create_restore_point('before the mishap')")
            await play(server.dsn, client, steps[2])
            await play(server.dsn, client, steps[3])
            await published(server.dsn, bootstrap)
            await rows(server.dsn, "select pg_switch_wal()")
            await until(
                server.dsn,
                "select last_archived_wal is not null and not exists"
                " (select from pg_ls_archive_statusdir() where name like '%.ready') from pg_stat_archiver",
            )
        server.recover_to(again, archive, "before the mishap")
        server.give(again)
    with Archived.start(again, durable=False) as server:
        dsn = server.dsn
        assert await rows(dsn, "select count(*) from event where municipality = '2309'") == [(0,)]
        async with relaying(dsn, bootstrap):
            await until(dsn, REFUSED)
            done = await recovered(dsn, bootstrap)
            assert {(one.case_id, one.known) for one in done.cases} == {
                (case_id(MOVES), True),
                (case_id(UNKNOWN), False),
            }
            async with service(dsn) as client:
                for step in reversed(steps[2:4]):
                    await play(dsn, client, step)
            await heal(dsn, world(dsn), run=True)
            await until(dsn, EMPTIED)
        await judge(dsn, bootstrap)
