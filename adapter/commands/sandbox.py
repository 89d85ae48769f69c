"""`losus sandbox` and `losus demo`: everything on this machine, to look at and to try.

Owns what is said to the person at the terminal; does not own the servers (`sandbox.sandbox`) nor the
play (`play`).
"""

import os
import signal
import threading
from types import FrameType
from typing import Annotated

import typer

from adapter.commands.output import Format, err, out, print_json
from adapter.commands.play import play
from adapter.sandbox.sandbox import Sandbox, sandbox

_Broker = Annotated[
    str | None, typer.Option(help="A broker to use, HOST:PORT, instead of the sandbox's own.")
]
_STARTING = "starting PostgreSQL, Kafka, the adapter and its relay …"


def sandbox_command(
    kafka: _Broker = None,
    form: Annotated[Format, typer.Option("--format", help="table or json")] = Format.TABLE,
) -> None:
    """Start PostgreSQL, a Kafka broker, the adapter and its relay; stay up until Ctrl-C."""
    _stop_on_signals()
    try:
        with err.status(_STARTING) as status, sandbox(kafka) as running:
            status.stop()
            if form is Format.JSON:
                addresses = {"http": running.http, "kafka": running.kafka, "postgres": running.postgres}
                files = {"settings": str(running.settings), "secret": str(running.secret)}
                print_json({**addresses, "pid": os.getpid(), **files})
            else:
                _tell(running)
            threading.Event().wait()
    except KeyboardInterrupt:
        err.print("stopped; nothing is left behind")


def demo_command(kafka: _Broker = None) -> None:
    """Play one patient's way home, message by message, and settle a worked example; then end."""
    _stop_on_signals()
    try:
        with err.status(_STARTING) as status, sandbox(kafka) as running:
            status.stop()
            play(running)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def _stop_on_signals() -> None:
    """End orderly on either signal; a shell starts what it puts in the background with SIGINT ignored."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)


def _interrupt(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt


def _tell(running: Sandbox) -> None:
    out.print(f"http      {running.http}")
    out.print(f"kafka     {running.kafka}")
    out.print(f"postgres  {running.postgres}")
    out.print(f"settings  {running.settings}")
    out.print("\nEvery other command works on it, in another terminal, with these settings:")
    out.print(f"  LOSUS_SETTINGS={running.settings} losus settle --month 2024-03")
    out.print("\nThree things to try, from this folder:")
    examples = "mappings/examples/losus-r4"
    out.print(
        f"  curl -H 'content-type: application/fhir+json' --data-binary @{examples}/01-admission.json "
        f"'{running.http}/fhir/losus-r4/$process-message'"
    )
    out.print(f"  kcat -b {running.kafka} -t losus.2380.events -C -e -f '%k %h\\n%s\\n'")
    out.print(f"  curl '{running.http}/cases?municipality=2380'")
    out.print("\nCtrl-C stops everything.")
