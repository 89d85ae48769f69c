"""How the adapter shows a source's own server who it is: HTTP Basic, or a bearer token.

Owns the header `Authorization` and the life of a token: fetched when it is first needed, kept until
shortly before it expires, fetched anew once where the server does not take it. Mutual TLS is a matter of
the connection (`exchange`). No secret, assertion or token stands in a log line, an error or a repr.
Source: RFC 6749 (4.4), 6750, 7617; SMART App Launch 2.2, «Backend Services».
"""

import asyncio
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import quote_plus, urlencode

from adapter.client.answers import Answer
from adapter.client.discovery import token_endpoint
from adapter.client.exchange import Call, Line
from adapter.client.faults import RefusedError, fault
from adapter.client.files import read_secret
from adapter.client.keys import assertion, signing_key
from adapter.client.outside import Outside
from adapter.errors import Problem
from adapter.servers import Basic, ClientSecret, PrivateKey, Server, is_readable

_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#: «SHOULD NOT exceed five minutes»: taken for a token that does not say how long it lives.
_LIFE_S = 300.0
_EARLY_S = 30.0  # a token is not used in its last seconds: it has to live until the server reads it
#: RFC 6749, 5.2: the words of its errors; no other word of the answer is told.
_OAUTH_ERRORS = frozenset(
    {
        "invalid_request",
        "invalid_client",
        "invalid_grant",
        "unauthorized_client",
        "unsupported_grant_type",
        "invalid_scope",
    }
)


class Authorization(Protocol):
    """What goes into the header `Authorization`."""

    async def header(self) -> str:
        """Its value now; may ask an authorization server, and raise what that raises."""

    async def renew(self, refused: str) -> bool:
        """Whether it is worth trying once more, now that the server answered 401 to `refused`."""


class BasicAuthorization:
    """User name and password."""

    def __init__(self, login: Basic) -> None:
        self._login = login

    async def header(self) -> str:
        """`Basic …`, with the password that is in the file now."""
        return _basic(self._login.username, read_secret(self._login.password_file))

    async def renew(self, refused: str) -> bool:
        """Only where the password in the file is another by now."""
        return await self.header() != refused


@dataclass(frozen=True, slots=True)
class _Token:
    value: str = field(repr=False)
    renew_at: float


class BearerAuthorization:
    """Access tokens by OAuth 2 client credentials: with a client secret, or a JWT that we signed."""

    def __init__(
        self, login: ClientSecret | PrivateKey, server: Server, accept: str, line: Line, outside: Outside
    ) -> None:
        self._login, self._server, self._accept = login, server, accept
        self._line, self._outside = line, outside
        self._token: _Token | None = None
        self._endpoint = login.token_url
        self._lock = asyncio.Lock()

    async def header(self) -> str:
        """`Bearer …`; many who ask at the same time wait for one token.

        Raises RefusedError where the authorization server does not take us, AwayError where it is away.
        """
        async with self._lock:
            if self._token is None or self._outside.monotonic() >= self._token.renew_at:
                self._token = await self._fetch()
            return f"Bearer {self._token.value}"

    async def renew(self, refused: str) -> bool:
        """Let go of the token that was refused, unless another took its place meanwhile."""
        async with self._lock:
            if self._token is not None and f"Bearer {self._token.value}" == refused:
                self._token = None
        return True

    async def _fetch(self) -> _Token:
        url = self._endpoint or await self._discover()
        asked_at = self._outside.monotonic()
        self._endpoint = self._login.token_url  # should this fail, it may have moved: it is found anew
        answer = await self._line.ask(self._request(url))
        if answer.status in {400, 401, 403}:
            raise RefusedError(Problem("login", _refusal(answer)), answered=answer.status)
        wrong = fault(answer.status, answer.retry_after_s)
        if wrong is not None:
            raise wrong
        token = _token(answer, asked_at)
        self._endpoint = url
        return token

    async def _discover(self) -> str:
        url = await token_endpoint(self._line, self._server.base_url, self._accept)
        if is_readable(url) and not self._server.plain_http:
            raise RefusedError(Problem("security", "the server names a token endpoint without TLS"))
        return url

    def _request(self, url: str) -> Call:
        form = {"grant_type": "client_credentials", "scope": self._login.scope}
        headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        if isinstance(self._login, ClientSecret):
            secret = read_secret(self._login.secret_file)
            # RFC 6749, 2.3.1: both are form-encoded before they are joined
            headers["Authorization"] = _basic(quote_plus(self._login.client_id), quote_plus(secret))
        else:
            key = signing_key(self._login.keys[0])
            now, unique = self._outside.now(), self._outside.unique()
            form["client_assertion_type"] = _ASSERTION_TYPE
            form["client_assertion"] = assertion(key, self._login.client_id, url, now, unique)
        return Call("token", "POST", url, headers, urlencode(form).encode())


def _basic(name: str, secret: str) -> str:
    return "Basic " + b64encode(f"{name}:{secret}".encode()).decode()


def _refusal(answer: Answer) -> str:
    try:
        word = answer.document.get("error")
    except RefusedError:
        word = None
    known = f": {word}" if isinstance(word, str) and word in _OAUTH_ERRORS else ""
    return f"the authorization server does not take our credentials{known}"


def _token(answer: Answer, asked_at: float) -> _Token:
    """The token in the answer, to be used until shortly before it expires."""
    told = answer.document
    value, kind, life = told.get("access_token"), told.get("token_type"), told.get("expires_in")
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or not value:
        raise RefusedError(Problem("structure", "the authorization server's answer holds no token"))
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise RefusedError(Problem("not-supported", "the authorization server gives no bearer token"))
    life_s = _seconds(life)
    return _Token(value, asked_at + life_s - min(_EARLY_S, life_s / 4))


def _seconds(life: object) -> float:
    """`expires_in`, which some servers write as a text."""
    if isinstance(life, int | float) and not isinstance(life, bool):
        return float(life)
    return float(life) if isinstance(life, str) and life.isascii() and life.isdigit() else _LIFE_S
