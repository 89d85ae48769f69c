"""API keys: what is made is known again, and nothing else is."""

import asyncio
import hashlib
from typing import Any

import pytest

from adapter.access import api_keys
from adapter.access.api_keys import KeyRing, new_key, read_hash
from adapter.errors import SetupError

KEY, HASH = new_key()
OTHER, OTHER_HASH = new_key()


def ring() -> KeyRing:
    hashes = [read_hash("hospital", HASH), read_hash("municipality", OTHER_HASH)]
    return KeyRing({one.salt: one for one in hashes})


async def test_a_key_proves_its_source() -> None:
    keys = ring()
    assert [await keys.check(key) for key in (KEY, OTHER)] == ["hospital", "municipality"]


def test_the_hash_is_scrypt_of_the_whole_key() -> None:
    """By the standard library alone, so that a hash outlives this code (RFC 7914)."""
    _, n, r, p, salt, hashed = HASH.split("$")
    raw, expected = (api_keys._bytes(text) for text in (salt, hashed))
    made = hashlib.scrypt(KEY.encode(), salt=raw, n=int(n), r=int(r), p=int(p), maxmem=1 << 26, dklen=32)
    assert made == expected
    assert KEY.split(".")[2] not in HASH


def test_no_two_keys_are_alike() -> None:
    assert len({new_key()[0] for _ in range(3)}) == 3


NOBODYS = [
    # key, because
    ("", "nothing"),
    ("losus", "no name and no secret"),
    (KEY[:-1], "a character is missing"),
    (KEY + "A", "a character too many"),
    (KEY.upper(), "another key"),
    (KEY.replace("losus.", "other."), "not of our making"),
    (f"{KEY.rpartition('.')[0]}.{OTHER.rpartition('.')[2]}", "the name of one, the secret of another"),
    (HASH, "the hash opens nothing: who reads the settings is not let in"),
    (new_key()[0], "a key of somebody else's adapter"),
]


@pytest.mark.parametrize(("key", "because"), NOBODYS, ids=[because for _, because in NOBODYS])
async def test_anything_else_is_nobodys(key: str, because: str) -> None:
    keys = ring()
    assert await keys.check(key) is None, because
    assert keys.known(key) is None, because


async def test_scrypt_is_paid_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many requests with the same key, at once and after, cost one scrypt; a key nobody made costs none."""
    paid: list[str] = []

    def counted(key: str, *rest: Any) -> bytes:
        paid.append(key)
        return scrypt(key, *rest)

    scrypt = api_keys._scrypt
    monkeypatch.setattr(api_keys, "_scrypt", counted)
    keys = ring()
    assert keys.known(KEY) is None
    assert set(await asyncio.gather(*(keys.check(KEY) for _ in range(20)))) == {"hospital"}
    assert len(paid) <= api_keys._AT_ONCE
    before = len(paid)
    assert (await keys.check(KEY), keys.known(KEY)) == ("hospital", "hospital")
    assert [await keys.check(new_key()[0].replace("losus", name)) for name in ("losus", "x")] == [None, None]
    assert len(paid) == before + 2  # the two that `new_key` hashed itself


UNSOUND = [
    # hash, because
    ("scrypt$1000$8$1$c2FsdA$" + HASH.split("$")[-1], "n is a power of two (RFC 7914 2)"),
    ("scrypt$1$8$1$c2FsdA$" + HASH.split("$")[-1], "n is larger than 1"),
    ("scrypt$16384$0$1$c2FsdA$" + HASH.split("$")[-1], "r is positive"),
    ("scrypt$16384$8$0$c2FsdA$" + HASH.split("$")[-1], "p is positive"),
    ("scrypt$16384$8$17$c2FsdA$" + HASH.split("$")[-1], "more work than any key is worth"),
    ("scrypt$1048576$8$1$c2FsdA$" + HASH.split("$")[-1], "a gigabyte of memory for each request"),
    ("scrypt$16384$8$1$c2FsdA$AAAA", "a hash of 3 bytes"),
]


@pytest.mark.parametrize(("text", "because"), UNSOUND, ids=[because for _, because in UNSOUND])
def test_hashes_that_cannot_be(text: str, because: str) -> None:
    with pytest.raises(SetupError) as caught:
        read_hash("hospital", text)
    assert caught.value.problems[0].expression == "sources.hospital.credentials.keys", because
