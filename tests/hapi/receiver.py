"""An HTTP server that keeps whatever is sent to it: where the rest-hook of a Subscription points in tests."""

import json
import queue
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from adapter.sandbox.processes import LOOPBACK


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it came; names of headers in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back; without `media_type` no Content-Type is."""

    status: int = 204
    body: bytes = b""
    media_type: str = ""


class Receiver:
    """Listens on a port of its own while in `with`. It answers 204, but first `answers` in turn."""

    def __init__(self, *answers: Answer) -> None:
        self._received: queue.SimpleQueue[Received] = queue.SimpleQueue()
        self._answers = list(answers)
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver._received.put(Received(self.command, self.path, headers, body))
                answer = receiver._answers.pop(0) if receiver._answers else Answer()
                self.send_response(answer.status)
                if answer.media_type:
                    self.send_header("Content-Type", answer.media_type)
                if answer.status != HTTPStatus.NO_CONTENT:
                    self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            do_POST = do_PUT = do_DELETE = answer  # noqa: N815 - names that http.server looks for

            def log_message(self, *_: object) -> None:
                """Nothing: what comes is kept."""

        self._server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self._server.server_port}/hook"

    def next(self, within_s: float = 60) -> Received:
        """Give the oldest request not yet given; `queue.Empty` where none comes."""
        return self._received.get(timeout=within_s)

    @property
    def is_empty(self) -> bool:
        """Whether every request was given."""
        return self._received.empty()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
