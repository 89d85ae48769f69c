"""Raw messages encrypted at rest, where keys are set (AES-256-GCM).

Owns sealing and opening, and which key does which; does not own the tables. The first key seals, all
open: so a key is exchanged by putting a new one before it. What was stored before there was a key stays
readable as it is.
"""

import base64
import binascii
import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from adapter.errors import Problem, SetupError

_KEY_BYTES = 32
_NONCE_BYTES = 12


class Seal:
    """The keys that raw messages are sealed with, none or more."""

    def __init__(self, keys: Iterable[bytes] = ()) -> None:
        self._ciphers = {hashlib.sha256(key).hexdigest()[:16]: AESGCM(key) for key in keys}
        self._first = next(iter(self._ciphers), None)

    def close(self, body: bytes) -> tuple[bytes, str | None]:
        """The body as it is to be stored, and the name of the key (None: as it is)."""
        if self._first is None:
            return body, None
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._ciphers[self._first].encrypt(nonce, body, None), self._first

    def open(self, stored: bytes, key: str | None) -> bytes:
        """The body as it came; SetupError where its key is not among the settings."""
        if key is None:
            return stored
        cipher = self._ciphers.get(key)
        if cipher is None:
            rule = "a stored message is sealed with a key that is not set"
            raise SetupError(Problem("not-found", rule, "seal"))
        try:
            return cipher.decrypt(stored[:_NONCE_BYTES], stored[_NONCE_BYTES:], None)
        except InvalidTag:
            rule = "a stored message is not what was sealed: it was changed, or its key was"
            raise SetupError(Problem("security", rule, "seal")) from None


def load_seal(files: Iterable[Path]) -> Seal:
    """The keys in `files` (32 bytes as base64, each); SetupError with every file that holds none."""
    keys: list[bytes] = []
    problems: list[Problem] = []
    for file in files:
        try:
            key = base64.b64decode(file.read_text(encoding="ascii").strip(), validate=True)
        except (OSError, UnicodeDecodeError, binascii.Error):
            key = b""
        if len(key) == _KEY_BYTES:
            keys.append(key)
        else:
            problems.append(Problem("value", f"{file.name}: is to hold {_KEY_BYTES} bytes as base64", "seal"))
    if problems:
        raise SetupError(*problems)
    return Seal(keys)
