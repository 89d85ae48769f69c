"""Our own keys: what we sign client assertions with, and the JWKS that shows their public halves.

Owns the reading of PEM files and the claims of the assertion.
Source: SMART App Launch 2.2, «Client Authentication: Asymmetric (public key)»; RFC 7517, 7523, 7638.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from adapter.client.files import read_file
from adapter.errors import Problem, SetupError
from adapter.servers import PrivateKey, Server

#: «no more than five minutes in the future»; one minute less, for a clock of the server's that is slow.
LIFETIME = timedelta(minutes=4)
_RSA_BITS = 2048  # RFC 7518, 3.3: «2048 bits or larger»


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One key: its id, the RFC 7638 thumbprint of its public half, and the algorithm it signs with."""

    kid: str
    algorithm: str
    key: RSAKey | ECKey = field(repr=False)

    @property
    def public(self) -> dict[str, Any]:
        """The public half as a JWK."""
        told = self.key.as_dict(private=False)
        return {**told, "kid": self.kid, "use": "sig", "alg": self.algorithm}


def signing_key(path: Path) -> SigningKey:
    """The key in a PEM file; SetupError where there is none that SMART knows."""
    pem = read_file(path)
    try:
        found = load_pem_private_key(pem, None)
    except (ValueError, TypeError):  # no PEM, an unknown kind of key; one with a password
        found = None
    if isinstance(found, RSAPrivateKey) and found.key_size >= _RSA_BITS:
        rsa = RSAKey.import_key(pem)
        return SigningKey(rsa.thumbprint(), "RS384", rsa)
    if isinstance(found, EllipticCurvePrivateKey) and isinstance(found.curve, SECP384R1):
        ec = ECKey.import_key(pem)
        return SigningKey(ec.thumbprint(), "ES384", ec)
    rule = "no private key without password in PEM, RSA of 2048 bits or more or EC on P-384"
    raise SetupError(Problem("value", rule, str(path)))


def assertion(key: SigningKey, client_id: str, audience: str, now: datetime, unique: str) -> str:
    """The signed JWT that shows who we are at the token endpoint `audience`; `unique` is its `jti`."""
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": audience,
        "exp": int((now + LIFETIME).timestamp()),
        "jti": unique,
    }
    header = {"alg": key.algorithm, "kid": key.kid, "typ": "JWT"}
    return jwt.encode(header, claims, key.key, algorithms=[key.algorithm])


def jwks(servers: Iterable[Server]) -> dict[str, Any]:
    """The public halves of all keys in the settings, each once, as a JWK Set; in the settings' order."""
    paths = [path for one in servers if isinstance(one.login, PrivateKey) for path in one.login.keys]
    shown = {key.kid: key.public for key in map(signing_key, dict.fromkeys(paths))}
    return {"keys": list(shown.values())}
