"""An authorization server of the tests' own: its keys, its JWK set, its tokens. Keys are made once a run."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry

from adapter.credentials import Issuer

#: A moment of the tests'; nothing here looks at a clock.
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
NOW_S = int(NOW.timestamp())

ISSUER = "https://login.region.example"
AUDIENCE = "https://losus.region.example"
SIGNING = JWSRegistry(
    algorithms=["RS256", "RS384", "RS512", "PS256", "PS384", "ES256", "ES384", "HS256", "none"]
)


@cache
def rsa(kid: str = "rsa-1", bits: int = 2048) -> RSAKey:
    return RSAKey.generate_key(bits, {"kid": kid, "use": "sig"})


@cache
def ec(kid: str = "ec-1", curve: str = "P-256") -> ECKey:
    return ECKey.generate_key(curve, {"kid": kid})


def key_set(*keys: RSAKey | ECKey) -> bytes:
    return json.dumps({"keys": [key.as_dict(private=False) for key in keys]}).encode()


def claims(now_s: int = NOW_S, **more: Any) -> dict[str, Any]:
    """The claims of a source's token; None leaves one out."""
    made = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "hospital",
        "client_id": "hospital",
        "scope": "system/*.cu operation/process-message",
        "iat": now_s - 10,
        "exp": now_s + 290,
        **more,
    }
    return {name: value for name, value in made.items() if value is not None}


def token(
    said: Mapping[str, Any] | None = None,
    key: Any = None,
    alg: str = "RS256",
    header: Mapping[str, Any] | None = None,
) -> str:
    """A signed token; `key` is the first RSA key where none is given."""
    key = rsa() if key is None else key
    head = {"alg": alg, "kid": getattr(key, "kid", None) or "rsa-1", **(header or {})}
    head = {name: value for name, value in head.items() if value is not None}
    return jwt.encode(head, dict(claims() if said is None else said), key, registry=SIGNING)


def part(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def by_hand(header: Mapping[str, Any], sign: Callable[[bytes], bytes] | None = None) -> str:
    """A token that no library would make, soundly signed with the first RSA key where `sign` is not given."""
    signed = f"{part(json.dumps(header).encode())}.{part(json.dumps(claims()).encode())}"
    if sign is None:
        key = rsa().private_key
        assert key is not None
        signature = key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    else:
        signature = sign(signed.encode())
    return f"{signed}.{part(signature)}"


def issuer(folder: Path, *keys: RSAKey | ECKey) -> Issuer:
    """The issuer as the settings have it, with its keys in a file."""
    file = folder / "jwks.json"
    file.write_bytes(key_set(*(keys or (rsa(), ec()))))
    return Issuer(issuer=ISSUER, audience=AUDIENCE, jwks=str(file))
