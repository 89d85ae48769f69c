"""Our keys: which will do, what the JWKS shows of them, and what an assertion says."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from adapter.client.keys import assertion, jwks, signing_key
from adapter.errors import SetupError
from adapter.servers import Basic, PrivateKey, Server
from adapter.settings import Settings, Source
from adapter.web.keys import router
from tests.client.keys import ec_pem, rsa_pem
from tests.client.outside import BASE

NOW = datetime(2024, 3, 4, 12, tzinfo=UTC)


def server(*keys: Path) -> Server:
    return Server(base_url=BASE, login=PrivateKey(client_id="losus", keys=keys))


@pytest.mark.parametrize(("make", "algorithm"), [(rsa_pem, "RS384"), (ec_pem, "ES384")])
def test_an_assertion_is_verified_by_the_published_keys(tmp_path: Path, make: object, algorithm: str) -> None:
    path = make(tmp_path)
    other = rsa_pem(tmp_path, "next")
    token = assertion(signing_key(path), "losus", "https://auth.example/token", NOW, "jti-1")
    shown = KeySet.import_key_set(jwks([server(path, other)]))
    found = jwt.decode(token, shown, algorithms=["RS384", "ES384"])
    assert found.header == {"alg": algorithm, "kid": signing_key(path).kid, "typ": "JWT"}
    assert found.claims == {
        "iss": "losus",
        "sub": "losus",
        "aud": "https://auth.example/token",
        "exp": int(NOW.timestamp()) + 240,
        "jti": "jti-1",
    }


def test_it_expires_within_five_minutes_also_for_a_clock_that_is_slow(tmp_path: Path) -> None:
    """SMART: «no more than five minutes in the future»."""
    token = assertion(signing_key(ec_pem(tmp_path)), "losus", "a", NOW, "1")
    shown = KeySet.import_key_set(jwks([server(tmp_path / "ec.pem")]))
    expires = datetime.fromtimestamp(jwt.decode(token, shown, algorithms=["ES384"]).claims["exp"], UTC)
    slow = NOW - timedelta(seconds=60)
    assert timedelta(0) < expires - NOW < expires - slow <= timedelta(minutes=5)


def test_the_jwks_shows_the_public_half_of_every_key_once(tmp_path: Path) -> None:
    now, following = ec_pem(tmp_path), rsa_pem(tmp_path)
    basic = Server(base_url=BASE, login=Basic(username="losus", password_file=tmp_path / "none"))
    shown = jwks([server(now, following), basic, server(now), Server(base_url=BASE)])["keys"]
    assert [(one["kty"], one["alg"], one["use"]) for one in shown] == [
        ("EC", "ES384", "sig"),
        ("RSA", "RS384", "sig"),
    ]
    assert [one["kid"] for one in shown] == [signing_key(now).kid, signing_key(following).kid]
    assert {name for one in shown for name in one} == {"kty", "alg", "use", "kid", "crv", "x", "y", "n", "e"}
    assert jwks([]) == {"keys": []}


def test_the_key_id_is_the_thumbprint_of_rfc_7638() -> None:
    """The key and thumbprint of RFC 7638, 3.1, through the same library that names our keys."""
    n = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjB"
        "ZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8"
        "KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_"
        "xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
    )
    key = RSAKey.import_key({"kty": "RSA", "n": n, "e": "AQAB"})
    assert key.thumbprint() == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


def pem(key: object, *, password: bytes | None = None) -> bytes:
    sealed = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, sealed)


GOOD_EC = ec.generate_private_key(ec.SECP384R1())
PUBLIC = GOOD_EC.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
UNFIT = [
    (pem(rsa.generate_private_key(65537, 1024)), "RFC 7518, 3.3: 2048 bits or larger"),  # noqa: S505 - is to be refused
    (pem(ec.generate_private_key(ec.SECP256R1())), "ES384 is on P-384"),
    (pem(ed25519.Ed25519PrivateKey.generate()), "SMART knows RS384 and ES384"),
    (pem(GOOD_EC, password=b"word"), "nobody is there to type a password"),
    (
        GOOD_EC.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "not the private half",
    ),
    (b"no key", "no PEM"),
    (b"", "no PEM"),
]


@pytest.mark.parametrize(("content", "because"), UNFIT)
def test_a_key_that_will_not_do_is_a_fault_of_the_setup(tmp_path: Path, content: bytes, because: str) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(content)
    with pytest.raises(SetupError) as refused:
        print(signing_key(path), because)
    assert refused.value.problems[0].expression == str(path)


def test_a_key_that_is_not_there_is_a_fault_of_the_setup(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="FileNotFoundError"):
        signing_key(tmp_path / "none.pem")


async def test_the_keys_are_shown_over_http(tmp_path: Path) -> None:
    path = ec_pem(tmp_path)
    app = FastAPI()
    app.include_router(router)
    app.state.settings = Settings(
        database="postgresql://nowhere",
        secret="a secret of the tests alone",
        sources={"asked": Source(mapping="m", server=server(path)), "sends": Source(mapping="m")},
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://adapter") as client:
        answer = await client.get("/.well-known/jwks.json")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["cache-control"] == "public, max-age=300"
        assert answer.json() == jwks([server(path)])
        fresh = rsa_pem(tmp_path)
        fresh.replace(path)  # rotated in place, as a mounted secret is
        assert [one["kty"] for one in (await client.get("/.well-known/jwks.json")).json()["keys"]] == ["RSA"]
