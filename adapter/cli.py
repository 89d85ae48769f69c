"""The command `losus`: all commands under one name, their faults told in one way.

Owns the list of commands and the exit codes: 0 fine, 1 a check failed or something is not available,
2 used wrongly. Each command is in `adapter.commands`, and imported when it is asked for: who settles a file
is not to wait for what the server needs.
"""

import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_group

from adapter.commands.acts import watch_over
from adapter.errors import LosusError, SetupError

#: By name, in the order of the help: module and function of a command, or module and app of a group of them.
COMMANDS: Mapping[str, str] = {
    "sandbox": "sandbox.sandbox_command",
    "demo": "sandbox.demo_command",
    "serve": "serve.serve_command",
    "relay": "relay.relay_command",
    "migrate": "migrate.migrate_command",
    "watch": "watch.watch_command",
    "send": "send.send_command",
    "try": "trial.try_command",
    "tail": "tail.tail_command",
    "schemas": "schemas.schemas_command",
    "conform": "conform.conform_command",
    "settle": "settling.settle_any_command",
    "poll": "doors.poll_command",
    "listen": "doors.listen_command",
    "import": "doors.import_command",
    "replay": "replay.replay_command",
    "republish": "republish.republish_command",
    "recover": "recover.recover_command",
    "disputes": "disputes.disputes_command",
    "follow-up": "follow_up.follow_up_app",
    "statistics": "statistics.statistics_command",
    "compare": "compare.compare_command",
    "forecast": "forecast.forecast_command",
    "key": "key.key_command",
    "topics": "topics.topics_app",
    "cases": "cases.cases_app",
    "sources": "cases.sources_app",
    "mappings": "mappings.mappings_app",
    "agreements": "agreements.agreements_app",
    "rates": "rates.rates_app",
    "audit": "audit.audit_app",
    "metrics": "metrics.metrics_command",
    "doctor": "doctor.doctor_command",
    "retention": "retention.retention_command",
}


class Commands(TyperGroup):
    """The commands, each imported when it is asked for."""

    def __init__(self, **given: Any) -> None:  # noqa: ANN401 - what typer gives a group
        super().__init__(**given)
        self.commands = {name: TyperCommand(name) for name in COMMANDS}

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401, ARG002 - click's types are typer's own
        """Import a command; None where there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(".")
        found = getattr(import_module(f"adapter.commands.{module}"), name)
        if isinstance(found, typer.Typer):
            made: Any = get_group(found)
        else:
            alone = typer.Typer(add_completion=False)
            alone.command()(found)
            made = get_command(alone)
        made.name = cmd_name
        return watch_over(made, cmd_name)


app = typer.Typer(
    name="losus", cls=Commands, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)


@app.callback()
def losus(
    operator: Annotated[
        str | None,
        typer.Option("--as", envvar="LOSUS_OPERATOR", help="Who you are: it stands in the audit."),
    ] = None,
    because: Annotated[str | None, typer.Option("--because", help="Why, in words, for the audit.")] = None,
) -> None:
    """FHIR messages in, LOSUS states on the municipalities' Kafka topics, monthly settlements out."""


def main() -> None:
    """Run the command line; a fault of ours is told on standard error, a line each, with no traceback."""
    try:
        app()
    except LosusError as error:
        for problem in error.problems:
            print(f"losus: {problem.expression or 'error'}: {problem.rule}", file=sys.stderr)  # noqa: T201
        sys.exit(2 if isinstance(error, SetupError) else 1)


if __name__ == "__main__":
    main()
