"""`losus migrate`: the database brought to this version, and the rights in it to the matrix of roles.

Owns options, output and exit codes. Does not own the migrations (`adapter.store.migrate`) nor who may do what
(`adapter.store.roles`, `adapter.store.grants`).
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

import typer

from adapter.commands.checked import checked_database
from adapter.commands.output import Format, err, out, print_json
from adapter.errors import Problem, SetupError
from adapter.process import begin_process
from adapter.store.grants import Rest, rest, script, settle_grants
from adapter.store.migrate import (
    PATIENCE,
    TABLE,
    Migration,
    Patience,
    apply,
    cut_off,
    limits,
    may_apply,
    missing,
    open_owner,
    unknown,
)


@dataclass(frozen=True, slots=True)
class Done:
    """What was done: migrations applied, statements of rights; what is left of rights; what is unknown here.

    `later`: migrations of a later version than this one. Rights are then left as that version gave them.
    """

    applied: list[str]
    granted: list[str]
    left: Rest
    later: list[str]


def migrate_command(
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit code 1 where something is missing.")
    ] = False,
    sql: Annotated[
        bool, typer.Option("--sql", help="Print the statements, for a DBA who runs them; change nothing.")
    ] = False,
    format_: Annotated[Format, typer.Option("--format")] = Format.TABLE,
) -> None:
    """Bring the database up to date: migrations that are missing, then roles and their rights.

    To be run by the login that owns the database, before a new version is started; the old one may go on
    meanwhile. Run again it does nothing. Not through a pooler of transactions. Of the settings it needs
    LOSUS_DATABASE alone.
    """
    settings = checked_database()
    begin_process("migrate", settings)
    dsn = settings.database.get_secret_value()
    if sql:
        for statement in asyncio.run(_sql(dsn)):
            print(statement)  # noqa: T201 - data, not words
    elif check:
        lacking, left = asyncio.run(_look(dsn))
        _tell_check(lacking, left, format_)
    else:
        _tell(asyncio.run(bring_up(dsn)), format_)


async def bring_up(dsn: str, patience: Patience = PATIENCE) -> Done:
    """Apply what is missing, then the rights; SetupError where this login may not."""
    async with open_owner(dsn) as connection:
        if not await may_apply(connection):
            rule = "this login does not own the database's tables: run it with the login that does, or --sql"
            raise SetupError(Problem("forbidden", rule, "LOSUS_DATABASE"))
        done = await apply(connection, patience)
        later = await unknown(connection)
        if later:
            return Done(done, [], Rest((), ()), later)
        async with connection.transaction():
            granted, left = await settle_grants(connection)
        return Done(done, granted, left, [])


async def _look(dsn: str) -> tuple[list[Migration], Rest]:
    async with open_owner(dsn) as connection:
        lacking = await missing(connection)
        nothing = lacking or await unknown(connection)
        return lacking, Rest((), ()) if nothing else await rest(connection)


async def _sql(dsn: str) -> list[str]:
    """All that is missing of migrations, and all roles and rights, as one script for psql.

    It ends with the first fault: what failed must not be noted as applied.
    """
    async with open_owner(dsn) as connection:
        lacking = await missing(connection)
        drops = [f"{drop};" for one in lacking for drop in await cut_off(connection, one)]
        rights = await script(connection)
    first = ["\\set ON_ERROR_STOP on", f"{TABLE};", *drops]
    return [*first, *_migrating(lacking), "begin;", *(f"{one};" for one in rights), "commit;"]


def _migrating(lacking: Iterable[Migration]) -> Iterable[str]:
    for one in lacking:
        if one.is_outside:
            yield f"{one.text.rstrip()}\n{one.note};\n"
        else:
            begin = "; ".join(("begin", *limits(PATIENCE)))
            yield f"{begin};\n{one.text.rstrip()}\n{one.note};\ncommit;\n"


def _tell_check(lacking: list[Migration], left: Rest, format_: Format) -> None:
    if format_ is Format.JSON:
        print_json({"missing": [one.name for one in lacking], **_rest(left)})
    else:
        for one in lacking:
            out.print(f"missing  {one.name}")
        _tell_rest(left)
        if not lacking and left.is_done:
            out.print("the database is as this version needs it")
    if lacking or not left.is_done:
        raise typer.Exit(1)


def _tell(done: Done, format_: Format) -> None:
    if format_ is Format.JSON:
        rights = {"granted": done.granted, **_rest(done.left)}
        print_json({"applied": done.applied, **rights, "later": done.later})
        return
    for name in done.applied:
        out.print(f"applied  {name}")
    for statement in done.granted:
        out.print(f"granted  {statement}")
    _tell_rest(done.left)
    if done.later:
        err.print(
            f"losus: the database is of a later version ({done.later[-1]}): its rights are left as they are"
        )
    elif not done.applied and not done.granted and done.left.is_done:
        out.print("nothing to do")


def _rest(left: Rest) -> dict[str, list[str]]:
    return {"roles_missing": [*left.roles], "left": [*left.statements]}


def _tell_rest(left: Rest) -> None:
    """What this login may not do itself, as the SQL for whoever may; then `losus migrate` again."""
    for statement in (*left.making, *left.statements):
        out.print(f"left     {statement}")
    if not left.is_done:
        err.print("losus: what is left needs a login that may do it; after that, run `losus migrate` again")
