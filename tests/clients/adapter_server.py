"""The adapter on a port of this machine, in a thread of its own: client libraries block, or are no Python."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import uvicorn

from adapter.api import create_app
from adapter.sandbox.processes import LOOPBACK, free_ports
from adapter.web.guard import Guard
from adapter.web.traced import Traced
from tests.servers import eventually
from tests.service import settings

SOURCE = "losus-r4"
_UP_WITHIN_S = 120.0


@dataclass(frozen=True, slots=True)
class AdapterServer:
    """A running adapter; `url` is its address, without a slash at the end."""

    url: str

    @property
    def base(self) -> str:
        """The FHIR base of the hospital that the clients play."""
        return f"{self.url}/fhir/{SOURCE}"

    def cases(self, key: str) -> list[tuple[str, int, str]]:
        """State, revision and municipality of every case of the person whose family name is `key`."""
        answer = httpx.get(f"{self.url}/cases", params={"limit": 1000})
        return [
            (case["state"], case["revision"], case["municipality"])
            for case in answer.json()["cases"]
            if key in str(case["statutory"]["name"])
        ]


@contextmanager
def serving(dsn: str) -> Iterator[AdapterServer]:
    """Serve on that database until the block ends, put together as by `losus serve --no-watch`.

    With the watch the limits that have passed since these stays of 2024 would be revisions too, at any time.
    """
    [port] = free_ports(1)
    url = f"http://{LOOPBACK}:{port}"
    app = Traced(Guard(create_app(settings(dsn, base_url=url), watching=False)))
    server = uvicorn.Server(uvicorn.Config(app, host=LOOPBACK, port=port, log_config=None, ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        eventually(lambda: server.started or not thread.is_alive(), _UP_WITHIN_S)
        if not server.started:
            raise TimeoutError("the adapter did not start")
        yield AdapterServer(url)
    finally:
        server.should_exit = True
        thread.join()
