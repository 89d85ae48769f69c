"""One request, one answer: over TLS as the settings say, within limits of time and size.

Owns what a fault of the network means; does not own credentials, trying again, or what a status means.
"""

import asyncio
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import httpx

from adapter.client.answers import Answer, Sink, read_answer
from adapter.client.faults import AwayError, RefusedError
from adapter.errors import Problem, SetupError
from adapter.servers import Server

_CHAIN = 10  # how deep a fault may lie below httpx's own: httpcore's, anyio's, ssl's


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked. `repeatable`: asked twice, it does no more than asked once.

    `sink` is where a long answer goes while it comes in; no limit of time and size holds for its whole.
    """

    name: str
    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    repeatable: bool = True
    sink: Sink | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Line:
    """The way to the server: connections, limits of an answer (seconds and bytes), the wall clock."""

    http: httpx.AsyncClient
    answer_s: float
    max_bytes: int
    now: Callable[[], datetime]

    async def ask(self, call: Call, authorization: str | None = None) -> Answer:
        """The answer, of whatever status.

        Raises AwayError where none came in time or whole, RefusedError where it is too large or the
        server's certificate is not trusted. Redirects are not followed here.
        """
        headers = {**call.headers, **({"Authorization": authorization} if authorization else {})}
        try:
            async with (
                asyncio.timeout(None if call.sink else self.answer_s),
                self.http.stream(call.method, call.url, headers=headers, content=call.body) as response,
            ):
                return await read_answer(response, self.max_bytes, self.now(), call.sink)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            if _is_untrusted(error):
                problem = Problem("security", "the server's certificate is not one to trust")
                raise RefusedError(problem) from None
            raise AwayError(Problem("transient", "no connection to the server"), untouched=True) from None
        except (TimeoutError, httpx.TimeoutException):
            raise AwayError(Problem("timeout", "the server did not answer in time")) from None
        except httpx.RequestError:
            raise AwayError(Problem("transient", "the connection broke before the answer")) from None
        except httpx.InvalidURL:
            raise RefusedError(Problem("value", "no address that can be asked")) from None


def connections(server: Server) -> httpx.AsyncClient:
    """HTTP connections to one server; SetupError where certificate, key or authority cannot be used."""
    return httpx.AsyncClient(
        verify=_tls(server),
        timeout=server.timeout_s,
        follow_redirects=False,
        headers={"Accept-Encoding": "gzip", "User-Agent": "losus-adapter"},
    )


def _tls(server: Server) -> ssl.SSLContext:
    context = _trust(server)
    if server.certificate:
        try:
            context.load_cert_chain(server.certificate.certificate, server.certificate.key, password=_none)
        except (OSError, ssl.SSLError):
            rule = "certificate and key cannot be read, or do not belong together"
            raise SetupError(Problem("value", rule, str(server.certificate.certificate))) from None
    return context


def _trust(server: Server) -> ssl.SSLContext:
    if server.authority is None:
        return httpx.create_ssl_context()
    try:
        return ssl.create_default_context(cafile=server.authority)
    except (OSError, ssl.SSLError):
        problem = Problem("value", "no certificates of authorities in PEM", str(server.authority))
        raise SetupError(problem) from None


def _none() -> str:
    """No password: OpenSSL would ask for one on the terminal."""
    return ""


def _is_untrusted(error: BaseException) -> bool:
    """Whether a certificate that does not hold is at the bottom of the fault."""
    below: BaseException | None = error
    for _ in range(_CHAIN):
        if below is None or isinstance(below, ssl.SSLCertVerificationError):
            break
        below = below.__cause__ or below.__context__
    return isinstance(below, ssl.SSLCertVerificationError)
