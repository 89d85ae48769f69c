"""`losus relay`: the process that publishes the outbox.

Owns starting and stopping it, with the settings of the environment; what it does is in `outbound.relay`.
"""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
import uvicorn

from adapter.outbound.relay import run_relay
from adapter.settings import Settings, load_settings
from adapter.watch import configure_log
from adapter.web.guard import Guard
from adapter.web.relay import relay_pages
from adapter.wiring import relay_settings


def relay_command(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int | None, typer.Option(help="Port of its own /healthz, /readyz and /metrics; none without it.")
    ] = None,
) -> None:
    """Publish the outbox to Kafka until stopped; several relays divide the municipalities."""
    configure_log()
    asyncio.run(_relay(load_settings(), host, port))


async def _relay(settings: Settings, host: str, port: int | None) -> None:
    """Relay until a signal comes; then finish the transactions under way."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    if port is None:
        await run_relay(relay_settings(settings), stopping)
        return
    server = _Server(
        uvicorn.Config(
            Guard(relay_pages(settings)),
            host=host,
            port=port,
            log_config=None,
            access_log=False,
            server_header=False,
        )
    )
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(server.serve())
        await run_relay(relay_settings(settings), stopping)
        server.should_exit = True


class _Server(uvicorn.Server):
    """A server that leaves the signals to the relay."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them."""
        yield
