"""A process that works until it is told to stop, with pages of its own for whoever watches it.

Owns signals and the pages' server; does not own the work.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Annotated

import typer
import uvicorn

from adapter.settings import Settings
from adapter.web.guard import Guard
from adapter.web.pages import pages
from adapter.web.traced import Traced

Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[
    int | None, typer.Option(help="Port of its own /healthz, /readyz and /metrics; none without it.")
]
Sandbox = Annotated[
    bool, typer.Option("--sandbox", help="With open doors: what is listened on is published on loopback.")
]


@asynccontextmanager
async def running(settings: Settings, host: str, port: int | None) -> AsyncIterator[asyncio.Event]:
    """Serve the pages, where there is a port, as long as the work in hand goes on.

    The event is set when a signal comes (SIGTERM, SIGINT): the work is to come to its end then.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    server = _server(settings, host, port) if port is not None else None
    serving = asyncio.ensure_future(server.serve()) if server is not None else None
    try:
        yield stopping
    finally:
        if server is not None and serving is not None:
            server.should_exit = True
            await serving


async def until(stopping: asyncio.Event, *works: Awaitable[None]) -> None:
    """Let endless works go on until `stopping` is set, then cut them off; a fault of one ends all."""
    tasks = [asyncio.ensure_future(work) for work in works]
    ending = asyncio.ensure_future(stopping.wait())
    try:
        await asyncio.wait({*tasks, ending}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (*tasks, ending):
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    for fault in ended:
        if isinstance(fault, Exception):
            raise fault


def _server(settings: Settings, host: str, port: int) -> uvicorn.Server:
    app = Traced(Guard(pages(settings)))
    return _Server(
        uvicorn.Config(app, host=host, port=port, log_config=None, access_log=False, server_header=False)
    )


class _Server(uvicorn.Server):
    """A server that leaves the signals to the process."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them."""
        yield
