"""A bearer token held against its issuer: signature, issuer, audience, time. What it says is then believed.

Owns what makes a token sound. Does not own whose it is (`doorkeeper`) nor the issuer's keys (`jwks`).
Sources: RFC 7519 (JWT), RFC 8725 (best practice), RFC 9068 (access tokens), RFC 8705 3.1 (bound to a
certificate).
"""

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

import orjson
from cachetools import LRUCache
from joserfc import jwt
from joserfc.errors import (
    BadSignatureError,
    ExpiredTokenError,
    InvalidClaimError,
    JoseError,
    MissingClaimError,
)
from joserfc.jws import JWSRegistry

from adapter.access.caller import NotShownError, Reason
from adapter.access.jwks import KeyShelf
from adapter.credentials import Issuer

#: Asymmetric alone: who can check a token must not be able to make one, and `none` signs nothing.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384")
#: How far clocks may differ.
LEEWAY_S = 30
_LONGEST = 16_384
#: How long a signature that was checked is believed, and of how many tokens that is remembered.
_BELIEVED_S = 60
_REMEMBERED = 4096
_TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})
#: Which claim's fault is told as which reason.
_CLAIMS = {"iss": Reason.ISSUER, "aud": Reason.AUDIENCE, "nbf": Reason.EARLY, "iat": Reason.EARLY}

Claims = Mapping[str, Any]


class Verifier:
    """Holds tokens of one issuer, for one audience."""

    def __init__(self, issuer: Issuer, shelf: KeyShelf) -> None:
        self._issuer, self._shelf = issuer, shelf
        self._registry = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
        self._signed: LRUCache[bytes, tuple[int, dict[str, Any]]] = LRUCache(_REMEMBERED)

    async def verify(self, token: str, now: int) -> Claims:
        """The claims of a sound token at `now` (seconds of the epoch); NotShownError with the reason.

        A sender shows the same token again and again: its signature is believed for a minute, its time is
        looked at each time.
        """
        mark = hashlib.sha256(token.encode()).digest()
        checked_at, claims = self._signed.get(mark, (now - _BELIEVED_S, {}))
        if not 0 <= now - checked_at < _BELIEVED_S:
            claims = await self._decode(token)
            self._signed[mark] = (now, claims)
        self._hold(claims, now)
        return claims

    async def _decode(self, token: str) -> dict[str, Any]:
        header = read_part(token, 0)
        if header.get("alg") not in ALGORITHMS:
            raise NotShownError(Reason.ALGORITHM)
        kid = header.get("kid")
        if not isinstance(kid, str) or str(header.get("typ", "JWT")).lower() not in _TYPES:
            raise NotShownError(Reason.MALFORMED)
        key = await self._shelf.find(kid)
        if key is None:
            raise NotShownError(Reason.KEY_ID)
        try:
            return jwt.decode(token, key, registry=self._registry).claims
        except BadSignatureError:
            raise NotShownError(Reason.SIGNATURE) from None
        except (JoseError, ValueError):
            raise NotShownError(Reason.MALFORMED) from None

    def _hold(self, claims: dict[str, Any], now: int) -> None:
        rules = jwt.JWTClaimsRegistry(
            now=now,
            leeway=LEEWAY_S,
            iss={"essential": True, "value": self._issuer.issuer},
            aud={"essential": True, "value": self._issuer.audience},
            exp={"essential": True},
        )
        try:
            rules.validate(claims)
        except ExpiredTokenError:
            raise NotShownError(Reason.EXPIRED) from None
        except (InvalidClaimError, MissingClaimError) as error:
            raise NotShownError(_CLAIMS.get(error.claim, Reason.CLAIMS)) from None


def read_part(token: str, part: int) -> dict[str, Any]:
    """The header (0) or claims (1) of a token that nobody has verified; NotShownError where it is none."""
    parts = token.split(".")
    if len(parts) != 3 or len(token) > _LONGEST or not token.isascii():
        raise NotShownError(Reason.MALFORMED)
    try:
        read = orjson.loads(urlsafe_b64decode(parts[part] + "=" * (-len(parts[part]) % 4)))
    except ValueError:
        raise NotShownError(Reason.MALFORMED) from None
    if not isinstance(read, dict):
        raise NotShownError(Reason.MALFORMED)
    return read


def client_of(claims: Claims) -> str | None:
    """Who the token is for: the first of `client_id` (RFC 9068), `azp` (OpenID Connect) and `sub` it has."""
    for name in ("client_id", "azp", "sub"):
        if name in claims:
            return claims[name] if isinstance(claims[name], str) else None
    return None


def scopes_in(claims: Claims) -> frozenset[str]:
    """The scopes a token grants: `scope`, words in one text (RFC 8693 4.2), or `scp`, a text or a list."""
    told = claims.get("scope", claims.get("scp", ""))
    words = told.split() if isinstance(told, str) else told
    if not isinstance(words, list):
        return frozenset()
    return frozenset(word for word in words if isinstance(word, str))


def claim_at(claims: Claims, path: str) -> Any:  # noqa: ANN401 - JSON
    """The claim of that name, or at that path of names with dots between; None where there is none."""
    if path in claims:
        return claims[path]
    found: Any = claims
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def is_bound_elsewhere(claims: Claims, certificate: str | None) -> bool:
    """Whether the token belongs to another certificate (SHA-256, hex) than the caller's, or to any other key.

    A proof by key (DPoP, RFC 9449) is not checked here, so that a token which asks for one is not taken.
    """
    if "cnf" not in claims:
        return False
    bound = claims["cnf"]
    if not isinstance(bound, dict) or set(bound) != {"x5t#S256"} or certificate is None:
        return True
    shown = urlsafe_b64encode(bytes.fromhex(certificate)).rstrip(b"=").decode()
    return bool(bound["x5t#S256"] != shown)
