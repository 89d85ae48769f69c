"""The issuer's keys: fetched once, again for an unknown kid, once a minute at most, kept on failure."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx

from adapter.access.jwks import KeyShelf, read_keys
from adapter.errors import UnavailableError
from tests.access.issuer import ec, key_set, rsa

ADDRESS = "https://login.region.example/keys"


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server() -> Any:
    with respx.mock(assert_all_called=False) as mock:
        route = mock.get(ADDRESS)
        route.respond(content=key_set(rsa()))
        yield route


async def kids(shelf: KeyShelf, *wanted: str) -> list[bool]:
    return [await shelf.find(kid) is not None for kid in wanted]


async def test_keys_are_fetched_once(server: Any, clock: Clock) -> None:
    shelf = KeyShelf(ADDRESS, clock)
    assert await kids(shelf, "rsa-1", "rsa-1") == [True, True]
    assert server.call_count == 1


async def test_a_new_key_is_found_when_it_is_first_used(server: Any, clock: Clock) -> None:
    shelf = KeyShelf(ADDRESS, clock)
    assert await kids(shelf, "rsa-1") == [True]
    server.respond(content=key_set(rsa(), rsa("rsa-2")))
    clock.now += 60
    assert await kids(shelf, "rsa-2", "rsa-1") == [True, True]
    assert server.call_count == 2


async def test_unknown_kids_ask_once_a_minute(server: Any, clock: Clock) -> None:
    shelf = KeyShelf(ADDRESS, clock)
    assert await kids(shelf, *(f"made-up-{n}" for n in range(50))) == [False] * 50
    clock.now += 59
    assert await kids(shelf, "made-up") == [False]
    assert server.call_count == 1
    clock.now += 1
    assert await kids(shelf, "made-up") == [False]
    assert server.call_count == 2


async def test_a_key_that_was_taken_back_is_forgotten(server: Any, clock: Clock) -> None:
    shelf = KeyShelf(ADDRESS, clock)
    assert await kids(shelf, "rsa-1") == [True]
    server.respond(content=key_set(rsa("rsa-2")))
    clock.now += 601
    assert await kids(shelf, "rsa-1", "rsa-2") == [False, True]


async def test_many_at_once_ask_once(server: Any, clock: Clock) -> None:
    shelf = KeyShelf(ADDRESS, clock)
    found = await asyncio.gather(*(shelf.find("rsa-1") for _ in range(20)))
    assert all(found)
    assert server.call_count == 1


FAILURES = [
    # what the server does, because
    ({"side_effect": httpx.ConnectError("down")}, "nobody answers"),
    ({"side_effect": httpx.ReadTimeout("slow")}, "nobody answers in time"),
    ({"return_value": httpx.Response(500)}, "a fault of the issuer's"),
    ({"return_value": httpx.Response(302, headers={"location": "https://evil.example"})}, "not followed"),
    ({"return_value": httpx.Response(200, content=b"<html>")}, "no JSON"),
    ({"return_value": httpx.Response(200, json={"keys": []})}, "no key at all"),
    ({"return_value": httpx.Response(200, json=["keys"])}, "no JWK set"),
    ({"return_value": httpx.Response(200, content=b" " * ((1 << 20) + 1))}, "longer than any set of keys"),
]


@pytest.mark.parametrize(("does", "because"), FAILURES)
async def test_what_was_had_is_kept(server: Any, clock: Clock, does: Any, because: str) -> None:
    shelf = KeyShelf(ADDRESS, clock)
    assert await kids(shelf, "rsa-1") == [True]
    server.mock(**does)
    clock.now += 601
    assert await kids(shelf, "rsa-1", "rsa-2") == [True, False], because
    assert server.call_count == 2


@pytest.mark.parametrize(("does", "because"), FAILURES)
async def test_no_keys_yet_is_no_fault_of_the_caller(
    server: Any, clock: Clock, does: Any, because: str
) -> None:
    shelf = KeyShelf(ADDRESS, clock)
    server.mock(**does)
    with pytest.raises(UnavailableError):
        await shelf.find("rsa-1")
    server.mock(return_value=httpx.Response(200, content=key_set(rsa())))
    clock.now += 60
    assert await kids(shelf, "rsa-1") == [True], because


async def test_keys_of_a_file(tmp_path: Path, clock: Clock) -> None:
    file = tmp_path / "jwks.json"
    shelf = KeyShelf(str(file), clock)
    with pytest.raises(UnavailableError):
        await shelf.find("rsa-1")
    file.write_bytes(key_set(rsa()))
    clock.now += 60
    assert await kids(shelf, "rsa-1", "ec-1") == [True, False]
    file.write_bytes(key_set(rsa(), ec()))
    clock.now += 60
    assert await kids(shelf, "ec-1") == [True]


PUBLIC = rsa().as_dict(private=False)
PASSED_OVER = [
    # a key of the set, because
    ({"kty": "oct", "k": "c2VjcmV0", "kid": "x"}, "a secret has no place in a public set"),
    ({**PUBLIC, "kid": None}, "no token could name it"),
    ({**PUBLIC, "kid": "x", "use": "enc"}, "for encryption"),
    ({**PUBLIC, "kid": "x", "use": None, "key_ops": ["encrypt"]}, "not for verifying"),
    ({"kty": "RSA", "kid": "x", "e": "AQAB"}, "without a modulus"),
    ({"kty": "RSA", "kid": "x", "e": "AQAB", "n": 17}, "a modulus that is none"),
    (
        {"kty": "RSA", "kid": "x", "e": "AQAB", "n": "AQAB" * 85},
        "2 040 bits: NIST SP 800-131A asks 2 048",
    ),
    ({"kty": "EC", "kid": "x", "crv": "P-256", "x": "AA", "y": "AA"}, "no point of the curve"),
    ({"kty": "EC", "kid": "x", "crv": "P-000", "x": "AA", "y": "AA"}, "no curve"),
    ({"kty": "AKP", "kid": "x"}, "RFC 7517 5: kinds that are not known are ignored"),
    ("key", "no object"),
]


@pytest.mark.parametrize(("key", "because"), PASSED_OVER)
def test_keys_that_are_passed_over(key: Any, because: str) -> None:
    """One of them does not spoil the set: the others are read."""
    found = read_keys(json.dumps({"keys": [key, PUBLIC]}).encode())
    assert list(found) == ["rsa-1"], because
    with pytest.raises(ValueError, match="no key"):
        read_keys(json.dumps({"keys": [key]}).encode())
