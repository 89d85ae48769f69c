"""Commands that read or change what is kept of persons, each with an entry in the audit before it begins.

Owns who the person is, and that nothing is done where that is not known or cannot be written down. Does not
own which commands these are (`acts`).

Who it is, is said by `losus --as NAME …`, or LOSUS_OPERATOR; outside the sandbox one of them must be, since
the user that a container runs as is nobody. Whoever may give it also has the database's password: the entry
says what was said. A scheduled command needs no person.
"""

import asyncio
import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import typer

from adapter.commands.acts import Act
from adapter.commands.checked import checked_settings
from adapter.errors import Problem, SetupError
from adapter.settings import Settings
from adapter.store.asking import ASKING, Asking
from adapter.store.audit import Entry, append
from adapter.store.database import connect
from adapter.store.migrate import migrate

_SCHEDULED = "scheduled"
_UNSAID = "not said"


@contextmanager
def audited(words: str, act: Act, operator: str | None, because: str | None) -> Iterator[None]:
    """Write the entry, do the work as asked for by it, and write down too where it failed."""
    settings = checked_settings()  # first of all: the entry itself goes to the database
    entry = _entry(settings, words, act, operator, because)
    asking = Asking(asyncio.run(_note(settings, entry)), entry.kind, entry.who, entry.why)
    token = ASKING.set(asking)
    try:
        yield
    except (typer.Exit, SystemExit):  # it did its work, and says what it found
        raise
    except BaseException:
        asyncio.run(_note(settings, _entry(settings, words, act, operator, because, outcome="failed")))
        raise
    finally:
        ASKING.reset(token)


def _entry(
    settings: Settings, words: str, act: Act, operator: str | None, because: str | None, outcome: str = "ok"
) -> Entry:
    """SetupError where a person is needed and none is named."""
    name = operator or (_user() if settings.open_doors and not act.scheduled else None)
    if name is None and not act.scheduled:
        rule = "say who you are: `losus --as NAME …`, or LOSUS_OPERATOR; it stands in the audit"
        raise SetupError(Problem("required", rule, "--as"))
    why = ": ".join(word for word in (because, act.why) if word)
    return Entry(
        at=datetime.now(UTC),
        kind="operator" if name is not None else "system",
        who=name if name is not None else f"losus {words}",
        action=f"{act.touch}: losus {words}",
        what=act.what,
        outcome=outcome,
        why=why or (_SCHEDULED if act.scheduled else _UNSAID),
        municipality=act.municipality,
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a number that has no name
        return "nobody"


async def _note(settings: Settings, entry: Entry) -> int:
    """Add the entry to the audit; its number. UnavailableError where that cannot be done now."""
    dsn = settings.database.get_secret_value()
    await migrate(dsn)
    database = await connect(dsn, size=1)
    try:
        async with database.transaction() as connection:
            return (await append(connection, [entry])).number
    finally:
        await database.close()
