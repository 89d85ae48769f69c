"""An ASGI application on a port of the loopback interface, in a thread of its own; over TLS if wished."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp


@contextlib.contextmanager
def listening(app: ASGIApp, tls: dict[str, object] | None = None) -> Iterator[str]:
    """Serve `app` until the block ends; the address, without a slash at the end."""
    with socket.create_server(("127.0.0.1", 0)) as place:
        port = place.getsockname()[1]
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", **(tls or {})))
        started = threading.Event()
        thread = threading.Thread(target=_run, args=(server, place, started), daemon=True)
        thread.start()
        if not started.wait(30):
            raise TimeoutError
        try:
            yield f"{'https' if tls else 'http'}://localhost:{port}"
        finally:
            server.should_exit = True
            thread.join(30)


def mutual(certificate: str, key: str, authority: str) -> dict[str, object]:
    """TLS that asks the client for a certificate of the authority."""
    return {
        "ssl_certfile": certificate,
        "ssl_keyfile": key,
        "ssl_ca_certs": authority,
        "ssl_cert_reqs": ssl.CERT_REQUIRED,
    }


def _run(server: uvicorn.Server, place: socket.socket, started: threading.Event) -> None:
    started.set()  # the socket listens already: who connects now waits for the loop
    server.run(sockets=[place])
