"""`losus conform`: holds a municipality's consumer to the rules of the topics, on a test broker.

Owns options and printing; the month that is played, the protocol of the callback and the judgement are
in `adapter.conformance`.
"""

import asyncio
import secrets
from typing import Annotated

import typer
from rich.table import Table

from adapter.access.demands import kafka_demands
from adapter.cluster import Cluster
from adapter.commands.output import Format, err, out, print_json
from adapter.conformance.check import Verdict
from adapter.conformance.playing import is_in_use, partitions_of
from adapter.conformance.trial import Trial, try_consumer
from adapter.errors import InputError, Problem, SetupError
from adapter.settings import load_kafka

_WORDS = {True: "pass", False: "FAIL", None: "not told"}


def conform_command(  # noqa: PLR0913, PLR0917 - one parameter an option
    kafka: Annotated[
        str, typer.Option(help="A test broker with the municipality's topics; TLS and user: the settings'.")
    ],
    callback: Annotated[str, typer.Option(help="Where the consumer tells what it knows: URL.")],
    municipality: Annotated[str, typer.Option(help="Kommunkod that the consumer reads.")] = "2380",
    seed: Annotated[
        int | None, typer.Option(help="The same seed plays the same; default: a new one.")
    ] = None,
    wait: Annotated[float, typer.Option(help="Seconds to wait for the consumer.", min=1)] = 120.0,
    transactions: Annotated[bool, typer.Option(help="Write in transactions, some of them aborted.")] = True,
    anyway: Annotated[bool, typer.Option("--anyway", help="Also where there are cases of others.")] = False,
    keep: Annotated[bool, typer.Option(help="Leave the cases; otherwise each gets its last word.")] = False,
    form: Annotated[Format, typer.Option("--format", help="table or json")] = Format.TABLE,
) -> None:
    """Play a scripted month to a consumer and judge what it makes of it. Never on a broker in use.

    The consumer answers GET CALLBACK/cases with a list of {case_id, revision, handled, missed} (the last two
    if it likes) and GET CALLBACK/cases/ID with the case, or 404. Start it when you are asked to.

    The sandbox's broker hides what is committed after an aborted transaction: there say --no-transactions.
    """
    chosen = secrets.randbelow(10**9) if seed is None else seed
    trial = Trial(_cluster(kafka), callback, municipality, chosen, wait, transactions, keep)
    verdicts = asyncio.run(_tried(trial, anyway=anyway))
    if form is Format.JSON:
        for one in verdicts:
            print_json({"check": one.name, "passed": one.passed, "reason": one.reason})
    else:
        out.print(_table(verdicts))
    if any(one.passed is False for one in verdicts):
        raise typer.Exit(1)


def _cluster(address: str) -> Cluster:
    """The broker at the address; SetupError where others could read our password on the way there.

    The cases are made up, so that others may read those.
    """
    kafka = load_kafka(address)
    faults = kafka_demands(kafka) if kafka.sasl else []
    if faults:
        raise SetupError(*faults)
    return kafka.cluster


async def _tried(trial: Trial, *, anyway: bool) -> list[Verdict]:
    await partitions_of(trial.cluster, trial.municipality)  # says so where there are no topics
    if not anyway and await is_in_use(trial.cluster, trial.municipality):
        rule = (
            "the topics have cases of others: on a broker in use people would act on made-up ones (--anyway)"
        )
        raise InputError(Problem("conflict", rule, "--kafka"))
    err.print(f"seed {trial.seed}")
    return await try_consumer(trial, err.print)


def _table(verdicts: list[Verdict]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("check", "verdict", "because"):
        table.add_column(name, overflow="fold")
    for one in verdicts:
        table.add_row(one.name, _WORDS[one.passed], one.reason)
    return table
