"""API keys: made, hashed, and known again.

Owns their form. A key is `losus.NAME.SECRET`; NAME is the salt of its hash, so that one hash is tried and
no more, and a key that nobody made costs nothing. SECRET has 256 bits. Checked once with scrypt (RFC 7914),
then known in this process by an HMAC under a key that never leaves it.
"""

import asyncio
import hashlib
import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass

from cachetools import LRUCache

from adapter.errors import Problem, SetupError

#: scrypt's cost: 16 MiB and some 40 ms a key.
N, R, P = 1 << 14, 8, 1
#: What a hash in the settings may ask for, at most.
_MOST_BYTES = 128 << 20
_KNOWN = 4096
_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class KeyHash:
    """A hash as the settings have it, and the source whose key it is."""

    source: str
    n: int
    r: int
    p: int
    salt: str
    hash: bytes


def new_key() -> tuple[str, str]:
    """A new key, to be told once, and its hash for the settings."""
    salt, secret = _text(secrets.token_bytes(16)), _text(secrets.token_bytes(32))
    key = f"losus.{salt}.{secret}"
    return key, f"scrypt${N}${R}${P}${salt}${_text(_scrypt(key, N, R, P, salt))}"


def read_hash(source: str, text: str) -> KeyHash:
    """A hash of the settings; SetupError where its cost is none that scrypt has, or out of bounds."""
    _, n, r, p, salt, hashed = text.split("$")
    found = KeyHash(source, int(n), int(r), int(p), salt, _bytes(hashed))
    sound = found.n > 1 and found.n & (found.n - 1) == 0 and found.r > 0 and 0 < found.p <= 16
    if not sound or 128 * found.n * found.r > _MOST_BYTES or len(found.hash) != 32:
        at = f"sources.{source}.credentials.keys"
        raise SetupError(Problem("value", "no hash that `losus key` would print", at))
    return found


class KeyRing:
    """The keys of all sources; their hashes by the name that a key bears (`KeyHash.salt`)."""

    def __init__(self, hashes: Mapping[str, KeyHash]) -> None:
        self._hashes = hashes
        self._known: LRUCache[bytes, str] = LRUCache(_KNOWN)
        self._own = secrets.token_bytes(32)
        self._turns = asyncio.Semaphore(_AT_ONCE)

    def known(self, key: str) -> str | None:
        """The source of a key that was checked before, in this process."""
        return self._known.get(self._mark(key))

    async def check(self, key: str) -> str | None:
        """The source whose key it is, None where it is nobody's. Takes its time in a thread, two at once."""
        kind, _, rest = key.partition(".")
        wanted = self._hashes.get(rest.partition(".")[0])
        if kind != "losus" or wanted is None:
            return None
        async with self._turns:
            if (source := self.known(key)) is not None:  # checked while this one waited
                return source
            made = await asyncio.to_thread(_scrypt, key, wanted.n, wanted.r, wanted.p, wanted.salt)
        if not hmac.compare_digest(made, wanted.hash):
            return None
        self._known[self._mark(key)] = wanted.source
        return wanted.source

    def _mark(self, key: str) -> bytes:
        return hmac.digest(self._own, key.encode(), "sha256")


def _scrypt(key: str, n: int, r: int, p: int, salt: str) -> bytes:
    return hashlib.scrypt(
        key.encode(), salt=_bytes(salt), n=n, r=r, p=p, maxmem=_MOST_BYTES + (1 << 20), dklen=32
    )


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
