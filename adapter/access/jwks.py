"""The public keys of an authorization server: fetched, kept, and fetched again when it shows a new one.

Owns how old they may be and how often they are asked for. Does not own what is signed with them (`tokens`).
Source: RFC 7517; OpenID Connect Core 1.0, 10.1.1 (rotation: an unknown `kid` is the sign to fetch again).
"""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import orjson
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from joserfc.util import base64_to_int

from adapter.errors import Problem, UnavailableError

log = structlog.get_logger()

PublicKey = RSAKey | ECKey

#: Keys are looked at again when they are this old, so that one that was taken back is forgotten …
_FRESH_S = 600.0
#: … and not more often than this, whatever tokens say of their `kid`.
_PAUSE_S = 60.0
_TIMEOUT_S = 5.0
_MOST_BYTES = 1 << 20
_RSA_BITS = 2048
_KINDS: dict[str, type[PublicKey]] = {"RSA": RSAKey, "EC": ECKey}


class KeyShelf:
    """The keys at `place` (address, or path of a file), by `kid`; what was had is kept when a fetch fails."""

    def __init__(self, place: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._place, self._clock = place, clock
        self._keys: dict[str, PublicKey] = {}
        self._asked_at: float | None = None
        self._had_at: float | None = None
        self._asking = asyncio.Lock()

    async def find(self, kid: str) -> PublicKey | None:
        """The key of that id, None where the issuer shows none such.

        Raises UnavailableError where its keys could never be had yet.
        """
        now = self._clock()
        stale = self._had_at is None or now - self._had_at > _FRESH_S
        if kid not in self._keys or (stale and not self._asking.locked()):
            await self._ask()
        if self._had_at is None:
            raise UnavailableError(Problem("transient", "the keys of the token's issuer cannot be had now"))
        return self._keys.get(kid)

    async def _ask(self) -> None:
        """Fetch, but not twice within the pause; whoever comes meanwhile waits for the same answer."""
        async with self._asking:
            now = self._clock()
            if self._asked_at is not None and now - self._asked_at < _PAUSE_S:
                return
            self._asked_at = now
            try:
                self._keys = read_keys(await self._fetch())
                self._had_at = now
            except (httpx.HTTPError, OSError, ValueError) as error:
                log.warning("access.jwks_failed", error=type(error).__name__)

    async def _fetch(self) -> bytes:
        if not self._place.startswith(("https://", "http://")):
            return await asyncio.to_thread(Path(self._place).read_bytes)
        async with (
            httpx.AsyncClient(timeout=_TIMEOUT_S) as client,
            client.stream("GET", self._place, headers={"accept": "application/json"}) as answer,
        ):
            answer.raise_for_status()
            body = b""
            async for chunk in answer.aiter_bytes():
                body += chunk
                if len(body) > _MOST_BYTES:
                    raise ValueError("too long for a set of keys")
            return body


def read_keys(body: bytes) -> dict[str, PublicKey]:
    """The keys of a JWK set that can verify a signature, by `kid`; ValueError where it holds none such.

    Keys of other kinds are passed over (RFC 7517, 5), above all `oct`: a secret has no place there.
    """
    document = orjson.loads(body)
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise ValueError("no JWK set")  # noqa: TRY004 - a fault of the document, not of a type
    found = {one["kid"]: key for one in listed if (key := _read_key(one)) is not None}
    if not found:
        raise ValueError("no key that can verify a signature")
    return found


def _read_key(one: Any) -> PublicKey | None:  # noqa: ANN401 - JSON
    if not isinstance(one, dict) or not isinstance(one.get("kid"), str) or one.get("kty") not in _KINDS:
        return None
    if one.get("use", "sig") != "sig" or "verify" not in one.get("key_ops", ["verify"]):
        return None
    try:
        if one["kty"] == "RSA" and base64_to_int(one["n"]).bit_length() < _RSA_BITS:
            return None
        return _KINDS[one["kty"]].import_key(one)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        return None
