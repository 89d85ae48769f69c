"""The command `losus`: all commands under one name, their faults told in one way.

Owns the list of commands and the exit codes: 0 fine, 1 a check failed or something is not available,
2 used wrongly. Each command is in `adapter.commands`.
"""

import sys

import typer

from adapter.commands.agreements import agreements_app
from adapter.commands.audit import audit_app
from adapter.commands.cases import cases_app, sources_app
from adapter.commands.compare import compare_command
from adapter.commands.conform import conform_command
from adapter.commands.disputes import disputes_command
from adapter.commands.doors import import_command, listen_command, poll_command
from adapter.commands.key import key_command
from adapter.commands.mappings import mappings_app
from adapter.commands.relay import relay_command
from adapter.commands.replay import replay_command
from adapter.commands.republish import republish_command
from adapter.commands.sandbox import demo_command, sandbox_command
from adapter.commands.schemas import schemas_command
from adapter.commands.send import send_command
from adapter.commands.serve import serve_command
from adapter.commands.settling import settle_any_command
from adapter.commands.statistics import statistics_command
from adapter.commands.tail import tail_command
from adapter.commands.trial import try_command
from adapter.errors import LosusError, SetupError

app = typer.Typer(
    name="losus",
    help="FHIR messages in, LOSUS states on the municipalities' Kafka topics, monthly settlements out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("sandbox")(sandbox_command)
app.command("demo")(demo_command)
app.command("serve")(serve_command)
app.command("relay")(relay_command)
app.command("send")(send_command)
app.command("try")(try_command)
app.command("tail")(tail_command)
app.command("schemas")(schemas_command)
app.command("conform")(conform_command)
app.command("settle")(settle_any_command)
app.command("poll")(poll_command)
app.command("listen")(listen_command)
app.command("import")(import_command)
app.command("replay")(replay_command)
app.command("republish")(republish_command)
app.command("disputes")(disputes_command)
app.command("statistics")(statistics_command)
app.command("compare")(compare_command)
app.command("key")(key_command)
app.add_typer(cases_app, name="cases")
app.add_typer(sources_app, name="sources")
app.add_typer(mappings_app, name="mappings")
app.add_typer(agreements_app, name="agreements")
app.add_typer(audit_app, name="audit")


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
