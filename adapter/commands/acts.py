"""Which commands read or change what is kept of persons: each is an entry of the audit before it begins.

Owns the table, one row for each command, and what an entry says of it. Does not own writing it (`acting`).
Sources: PDL (2008:355) 4:3; HSLF-FS 2016:40 4:9.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from adapter.commands.places import is_configured

Given = Mapping[str, Any]


class Touch(StrEnum):
    """What a command has to do with persons' data that is kept.

    `itself`: what it does is recorded as it does it (the doors' readings, receipts, deliveries).
    """

    READS = "read"
    CHANGES = "change"
    ITSELF = "itself"
    NEITHER = "neither"


@dataclass(frozen=True, slots=True)
class Act:
    """What an entry says: `touch`, of what (`kind/id`), `why` in the words of the command's own option.

    `scheduled`: nobody need stand behind it.
    """

    touch: Touch
    what: tuple[str, ...] = ()
    municipality: str | None = None
    scheduled: bool = False
    why: str | None = None


#: From the options and arguments of a command to its act; None: as it was called it touches nobody's data.
Rule = Callable[[Given], Act | None]


def _touching(given: Touch) -> Rule:
    """The same, however it is called."""
    return lambda _: None if given in {Touch.ITSELF, Touch.NEITHER} else Act(given)


NEITHER, ITSELF = _touching(Touch.NEITHER), _touching(Touch.ITSELF)
READS, CHANGES = _touching(Touch.READS), _touching(Touch.CHANGES)


def _settle(given: Given) -> Act | None:
    if given["stays"] is not None:
        return None  # a file of the caller's own
    towns: Sequence[str] = given["municipality"] or ()
    town = towns[0] if len(towns) == 1 else None
    if given["explain"]:
        return Act(Touch.READS, _named("case", given["explain"]))
    if given["due"]:
        return Act(Touch.CHANGES, ("settlement/due",), scheduled=True)
    if given["month"] is None:
        return None
    if given["confirm_empty"]:
        confirmed = f"settlement/{given['confirm_empty']}/{given['month']}"
        return Act(Touch.CHANGES, (confirmed,), why=given["because"])
    what = tuple(f"settlement/{place}{given['month']}" for place in ([f"{one}/" for one in towns] or [""]))
    return Act(
        Touch.CHANGES if given["issue"] else Touch.READS, what, town, why=given["early"] or given["no_data"]
    )


def _forecast(given: Given) -> Act | None:
    return Act(Touch.READS, ("forecast",)) if given["stays"] is None else None


def _replay(given: Given) -> Act | None:
    what = (
        *(f"message/{number}" for number in given["message"] or ()),
        *_named("case", given["case"]),
        *_named("source", given["source"]),
        *(("messages/held",) if given["parked"] else ()),
        *(("messages/span",) if given["since"] or given["until"] else ()),
    )
    if not what:
        return None
    return Act(Touch.CHANGES if given["run"] else Touch.READS, what, given["to"], why=given["let_go"])


def _republish(given: Given) -> Act:
    what = _named("case", given["case"]) or (f"municipality/{given['municipality']}",)
    return Act(Touch.CHANGES if given["run"] else Touch.READS, what, given["municipality"])


def _disputes(given: Given) -> Act:
    if given["answer"]:
        return Act(Touch.CHANGES, _named("Task", given["answer"]), why=given["because"])
    return Act(Touch.READS, ("disputes",), given["municipality"])


def _follow_up(touch: Touch) -> Rule:
    """A command on one joint follow-up."""
    return lambda given: Act(touch, _named("follow-up", given["name"]))


def _follow_ups(given: Given) -> Act:
    return Act(Touch.READS, ("follow-ups",), given["municipality"])


def _open_follow_up(given: Given) -> Act:
    return Act(Touch.CHANGES, (f"follow-up/{given['agreement']}/{given['month']}",), given["municipality"])


def _announce(given: Given) -> Act:
    return Act(Touch.CHANGES, (f"rates/{given['year'] or 'next'}",), scheduled=True)


def _import(given: Given) -> Act | None:
    return Act(Touch.CHANGES, _named("source", given["source"])) if given["source"] else None


def _recover(given: Given) -> Act:
    return Act(Touch.CHANGES if given["run"] else Touch.READS, ("database/restored",))


def _entered(given: Given) -> Act:
    return Act(Touch.CHANGES, _named("case", given["case"]), given["municipality"], why=given["because"])


def _release(given: Given) -> Act:
    return Act(Touch.CHANGES, _named("case", given["case"]))


def _resume(given: Given) -> Act:
    return Act(Touch.CHANGES, _named("source", given["source"]))


def _deliveries(given: Given) -> Act:
    return Act(Touch.READS, _named("case", given["case"]))


def _export(given: Given) -> Act:
    return Act(Touch.READS, (given["what"],) if given["what"] else ("audit/all",))


def _sample(given: Given) -> Act:
    return Act(Touch.READS, ("audit/sample",), why=f"{given['count']} readings, seed {given['seed']}")


def _add_rate(given: Given) -> Act | None:
    """What every later bill rests on is recorded, wherever there is an audit log to record it in."""
    if not is_configured():
        return None
    return Act(Touch.CHANGES, (f"rates/{given['series']}/{given['year']}",), why=given["source"])


def _named(kind: str, name: str | None) -> tuple[str, ...]:
    return (f"{kind}/{name}",) if name else ()


#: Every command by its words; a test holds it against those that there are.
ACTS: Mapping[str, Rule] = {
    "sandbox": NEITHER,  # a store of its own
    "demo": NEITHER,
    "serve": ITSELF,
    "relay": ITSELF,
    "migrate": NEITHER,
    "watch": ITSELF,
    "send": NEITHER,  # knocks at the door, as any other
    "try": NEITHER,  # a file of the caller's own
    "tail": NEITHER,  # of Kafka, which lets in whom its access lists name
    "schemas": NEITHER,
    "conform": NEITHER,
    "settle": _settle,
    "poll": ITSELF,
    "listen": ITSELF,
    "import": _import,
    "replay": _replay,
    "recover": _recover,
    "republish": _republish,
    "disputes": _disputes,
    "follow-up list": _follow_ups,
    "follow-up show": _follow_up(Touch.READS),
    "follow-up open": _open_follow_up,
    "follow-up record": _follow_up(Touch.CHANGES),
    "follow-up measure add": _follow_up(Touch.CHANGES),
    "follow-up measure close": _follow_up(Touch.CHANGES),
    "statistics": NEITHER,  # what the public sees
    "compare": NEITHER,
    "forecast": _forecast,
    "key": NEITHER,
    "topics apply": NEITHER,
    "topics expire": ITSELF,
    "cases parked": READS,
    "cases refused": READS,
    "cases release": _release,
    "cases municipality": _entered,
    "sources list": NEITHER,  # names of systems
    "sources resume": _resume,
    "mappings check": NEITHER,
    "mappings schema": NEITHER,
    "rates announce": _announce,
    "agreements check": NEITHER,
    "agreements list": NEITHER,
    "agreements show": NEITHER,
    "agreements schema": NEITHER,
    "rates add": _add_rate,
    "rates list": NEITHER,
    "audit verify": NEITHER,
    "audit export": _export,
    "audit deliveries": _deliveries,
    "audit sample": _sample,
    "metrics": NEITHER,
    "doctor": NEITHER,  # counts, and nothing of a person
    "retention": ITSELF,  # each of its transactions, with how many of what
}


def watch_over(command: Any, words: str) -> Any:  # noqa: ANN401 - click's types are typer's own
    """Let a command, and those below it, be audited as the table says; the same command."""
    if hasattr(command, "commands"):
        for name, below in command.commands.items():
            watch_over(below, f"{words} {name}")
        return command
    rule, work = ACTS.get(words, CHANGES), command.invoke

    def invoke(ctx: Any) -> Any:  # noqa: ANN401 - as above
        act = rule(ctx.params)
        if act is None:
            return work(ctx)
        from adapter.commands.acting import audited  # noqa: PLC0415 - needs what a database needs

        said = ctx.find_root().params
        with audited(words, act, said.get("operator"), said.get("because")):
            return work(ctx)

    command.invoke = invoke
    return command
