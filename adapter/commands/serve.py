"""`losus serve` and `losus relay`: the two processes of a deployment.

Own starting them with the settings of the environment; what they do is in `api` and `outbound.relay`.
"""

import asyncio
import gc
import signal
from contextlib import suppress
from typing import Annotated

import typer
import uvicorn

from adapter.access.demands import demands
from adapter.api import create_app
from adapter.errors import SetupError
from adapter.outbound.relay import run_relay
from adapter.settings import load_settings
from adapter.watch import configure_log
from adapter.web.guard import Guard
from adapter.wiring import relay_settings


def serve_command(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8000,
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="With open doors: what is listened on is published on loopback.")
    ] = False,
) -> None:
    """Serve the HTTP doors; settings come from LOSUS_… and the file LOSUS_SETTINGS.

    Insecure settings are refused outside the sandbox, all of them at once.
    """
    configure_log()
    settings = load_settings()
    faults = demands(settings, "127.0.0.1" if sandbox else host)
    if faults:
        raise SetupError(*faults)
    app = Guard(create_app(settings))
    gc.collect()
    gc.freeze()  # models and compiled mappings stay for ever; no collection need look at them again
    gc.set_threshold(20_000, 20, 20)
    uvicorn.run(app, host=host, port=port, log_config=None, access_log=False, server_header=False)


def relay_command() -> None:
    """Publish the outbox to Kafka until stopped."""
    configure_log()
    asyncio.run(_relay())


async def _relay() -> None:
    relaying = asyncio.create_task(run_relay(relay_settings(load_settings())))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, relaying.cancel)
    with suppress(asyncio.CancelledError):
        await relaying
