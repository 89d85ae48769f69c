"""Only what changed is folded again, and the statements are the same, byte for byte, as if all had been."""

from dataclasses import replace

import pytest

from adapter.losus.process import STATUTE
from adapter.settling.casebook import read_casebook
from adapter.settling.folded import Prints, read, write
from adapter.wiring import world_of
from adapter.world import World
from tests.service import service, settings
from tests.settling.hospital import at, corrected, database, messages, rows, settled, tell

SPRING = ("2019-01", "2019-02", "2019-03", "2019-04")


async def refolded(dsn: str) -> int:
    """How many cases a run folds that settles a month."""
    return (await settled(dsn, "2019-04", "2019-05-02")).folded


async def test_what_a_run_folds(dsn: str) -> None:
    async with service(dsn) as client:
        for number, month in enumerate(SPRING):
            await tell(client, *messages(number, month, 20))
        assert [await refolded(dsn) for _ in "ab"] == [4, 0], "all of them once"
        await tell(client, *messages(7, "2019-04", 15))
        assert await refolded(dsn) == 1, "one that is new"
        await tell(client, corrected(2, "2019-03", 18, 3))
        assert await refolded(dsn) == 1, "one that changed, of whatever month"
        repeat = messages(1, "2019-02", 20)[3]
        await tell(client, repeat)
        assert await refolded(dsn) == 0, "a message that was known: no fact is new"
    await rows(dsn, "delete from stay where case_id = (select min(case_id) from stay)")
    assert await refolded(dsn) == 1, "what is kept may be thrown away"
    await rows(dsn, "insert into stay values ('gone', 'x', '{}')")
    await refolded(dsn)
    assert await rows(dsn, "select * from stay where case_id = 'gone'") == [], "of a case that is no more"


async def test_the_same_bytes_as_if_everything_were_folded(dsn: str) -> None:
    """A year with corrections, settled with what is kept; then the same drafts with all of it thrown away."""
    async with service(dsn) as client:
        for number, month in enumerate(SPRING):
            await tell(client, *messages(number, month, 20))
        for month in SPRING:
            await settled(dsn, month, "2019-05-02", issue=True)
        await tell(client, corrected(3, "2019-04", 18, 3), *messages(8, "2019-05", 19))
    some = await settled(dsn, "2019-05", "2019-06-02")
    await rows(dsn, "truncate stay")
    every = await settled(dsn, "2019-05", "2019-06-02")
    assert (some.folded, every.folded) == (2, 5)
    assert some.told == every.told
    assert [one.statement.due for one in some.told if one.statement.adjustments] != []


def with_other_terms(world: World) -> World:
    def terms_for(*_: object) -> object:
        return replace(STATUTE, criteria=())

    return replace(world, terms_for=terms_for)  # type: ignore[arg-type]


CHANGES = [
    # how the world changes, is all folded again, because
    (lambda world: world, False, "nothing changed"),
    (with_other_terms, True, "an agreement asks for other conditions of hemgångsklar"),
    (
        lambda world: replace(world, route={"urn:x|1": "2309"}),
        True,
        "an organisation leads to a municipality",
    ),
    (lambda world: replace(world, payloads={}), False, "who subscribes is nothing to the fold"),
    *(
        (
            lambda world, part=part: replace(world, calendar={**world.calendar, part: "of another release"}),
            True,
            f"{part}: limits of time are due on other days",
        )
        for part in ("holidays", "Europe/Stockholm")
    ),
]


@pytest.mark.parametrize(("change", "is_folded", "because"), CHANGES)
async def test_what_else_a_fold_rests_on(dsn: str, change, is_folded: bool, because: str) -> None:
    async with service(dsn) as client:
        await tell(client, *messages(1, "2019-03", 20))
    await settled(dsn, "2019-03", "2019-04-01")
    async with database(dsn) as opened, opened.transaction() as connection:
        book = await read_casebook(connection, change(world_of(settings(dsn))), at("2019-04-02"))
    assert bool(book.fresh) is is_folded, because


async def test_a_fact_that_is_read_anew_is_seen(dsn: str) -> None:
    """A replay may say something else of the same version of a resource: its words are what counts."""
    async with service(dsn) as client:
        await tell(client, *messages(1, "2019-03", 20))
    await refolded(dsn)
    await rows(
        dsn,
        """update fact set signals = '[]' where (source, resource, ord) =
             (select source, resource, ord from fact limit 1)""",
    )
    assert await refolded(dsn) == 1


async def test_what_is_kept_is_all_of_it(dsn: str) -> None:
    async with service(dsn) as client:
        await tell(client, *messages(1, "2019-03", 20))
    world = world_of(settings(dsn))
    async with database(dsn) as opened, opened.transaction() as connection:
        book = await read_casebook(connection, world, at("2019-04-02"))
    for one in book.folded:
        assert read(write(one)) == one
        assert Prints(world).of(read(write(one)), "1-2") == Prints(world).of(one, "1-2")
