"""Who a caller is, found by what it shows: a token, an API key, a certificate, the secret of a notification.

Owns the order in which these count, and that each of them proves one source alone. Does not own what a
caller may do (`scopes`, `reach`) nor what becomes of a failed attempt (`adapter.web.access`).
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from adapter.access.api_keys import KeyRing
from adapter.access.caller import Caller, Kind, NotShownError, Reason, Role
from adapter.access.certificates import Certificate, is_proven, read_certificate
from adapter.access.jwks import KeyShelf
from adapter.access.register import register
from adapter.access.scopes import scopes_of
from adapter.access.tokens import (
    Claims,
    Verifier,
    claim_at,
    client_of,
    is_bound_elsewhere,
    read_part,
    scopes_in,
)
from adapter.credentials import Issuer, Staff
from adapter.errors import Problem, SetupError, ThrottledError
from adapter.settings import Settings

HOOK_SCOPE = "operation/subscription-hook"


@dataclass(frozen=True, slots=True)
class Knock:
    """What a request shows: the values of each header, as often as it came."""

    authorization: tuple[str, ...] = ()
    api_key: tuple[str, ...] = ()
    certificate: tuple[str, ...] = ()
    proof: tuple[str, ...] = ()
    hook: tuple[str, ...] = ()


class Doorkeeper:
    """Knows the callers of the settings; SetupError where two sources have a credential in common."""

    def __init__(self, settings: Settings, shelf: Callable[[str], KeyShelf] = KeyShelf) -> None:
        self._settings = settings
        self._register = register(settings)
        self._hooks = {
            name: _secret(name, one.hook_file)
            for name, one in settings.sources.items()
            if one.hook_file is not None
        }
        self._ring = KeyRing(self._register.keys)
        issuers = {issuer for issuer, _ in self._register.clients}
        if settings.staff is not None:
            issuers.add(settings.staff.tokens)
        shelves = {issuer.jwks: shelf(issuer.jwks) for issuer in issuers}
        self._verifiers = {issuer: Verifier(issuer, shelves[issuer.jwks]) for issuer in issuers}

    async def identify(self, knock: Knock, source: str | None, now: datetime, *, wait_s: int = 0) -> Caller:
        """The caller; NotShownError with the reason where it does not show who it is.

        `source` is the one that the path names: the secret of a notification proves that one alone. Where
        `wait_s` is not 0, the address has failed too often: an API key that is not known yet is not even
        looked at then (ThrottledError); who shows what is known or signed comes in.
        """
        certificate = self._certificate(knock)
        shown = _authorization(knock)
        if shown is None:
            return self._without_words(knock, source, certificate)
        scheme, credential = shown
        if scheme == "bearer":
            return await self._bearer(credential, certificate, now)
        found = self._ring.known(credential)
        if found is None and wait_s:
            raise throttled(wait_s)
        return self._source(found or await self._ring.check(credential), Reason.API_KEY)

    def _certificate(self, knock: Knock) -> Certificate | None:
        """The certificate that the ingress tells of; None where there is no ingress, or it tells of none."""
        ingress = self._settings.ingress
        if ingress is None or not knock.certificate:
            return None
        if not is_proven(knock.proof, ingress.proof):
            raise NotShownError(Reason.PROOF)
        return read_certificate(knock.certificate)

    def _without_words(self, knock: Knock, source: str | None, certificate: Certificate | None) -> Caller:
        if certificate is not None:
            told = (certificate.sha256, certificate.subject)
            known = self._register.certificates
            names = {known[one] for one in told if one is not None and one in known}
            return self._source(names.pop() if len(names) == 1 else None, Reason.CERTIFICATE)
        if not knock.hook:
            raise NotShownError(Reason.MISSING)
        secret = self._hooks.get(source or "", "")
        given = knock.hook[0].encode("latin-1", "replace")
        if len(knock.hook) != 1 or not secret or not hmac.compare_digest(given, secret.encode()):
            raise NotShownError(Reason.HOOK)
        return self._source(source, Reason.HOOK, frozenset({HOOK_SCOPE}))

    async def _bearer(self, token: str, certificate: Certificate | None, now: datetime) -> Caller:
        """The source or the person that a token is for."""
        told = read_part(token, 1).get("iss")
        verifiers = [(issuer, one) for issuer, one in self._verifiers.items() if issuer.issuer == told]
        fault = NotShownError(Reason.ISSUER)
        for issuer, verifier in verifiers:
            try:
                claims = await verifier.verify(token, int(now.timestamp()))
            except NotShownError as error:
                fault = error
                continue
            if is_bound_elsewhere(claims, certificate.sha256 if certificate else None):
                raise NotShownError(Reason.BOUND)
            return self._of_token(issuer, claims)
        raise fault

    def _of_token(self, issuer: Issuer, claims: Claims) -> Caller:
        """A source by the client that the token names, else a person by its roles."""
        client = client_of(claims)
        source = self._register.clients.get((issuer, client)) if client is not None else None
        if source is not None:
            return self._source(source, Reason.CLIENT, scopes_in(claims))
        staff = self._settings.staff
        person = _person(staff, claims) if staff is not None and staff.tokens == issuer else None
        if person is None:
            raise NotShownError(Reason.CLIENT)
        return person

    def _source(self, name: str | None, reason: Reason, granted: frozenset[str] | None = None) -> Caller:
        if name is None:
            raise NotShownError(reason)
        source = self._settings.sources[name]
        grants = (scopes_of(source),) if granted is None else (scopes_of(source), granted)
        return Caller(Kind.SOURCE, name, grants, municipality=source.municipality)


def throttled(wait_s: int) -> ThrottledError:
    """The answer to an address that failed too often."""
    return ThrottledError(Problem("throttled", "too many failed attempts from here"), retry_after_s=wait_s)


def _authorization(knock: Knock) -> tuple[str, str] | None:
    """The scheme (`bearer`, `apikey`) and the credential; None where neither header is there."""
    shown = [*knock.authorization, *(f"ApiKey {key}" for key in knock.api_key)]
    if not shown:
        return None
    scheme, _, credential = shown[0].partition(" ")
    if len(shown) != 1 or scheme.lower() not in {"bearer", "apikey"} or not credential.isascii():
        raise NotShownError(Reason.MALFORMED)
    return scheme.lower(), credential.strip()


def _person(staff: Staff, claims: Claims) -> Caller | None:
    """The person that a token of staff is about; None where it names nobody, or no role that is known."""
    name = claim_at(claims, staff.user)
    listed = claim_at(claims, staff.roles)
    words = listed.split() if isinstance(listed, str) else listed if isinstance(listed, list) else []
    roles = {role for role in Role if role.value in words}
    municipality = claim_at(claims, staff.municipality)
    if Role.MUNICIPALITY_CONTROLLER in roles and not _is_kommunkod(municipality):
        roles.discard(Role.MUNICIPALITY_CONTROLLER)
    if not isinstance(name, str) or not name or not roles:
        return None
    own = municipality if Role.MUNICIPALITY_CONTROLLER in roles else None
    return Caller(Kind.STAFF, name, roles=frozenset(roles), municipality=own)


def _is_kommunkod(value: object) -> bool:
    return isinstance(value, str) and len(value) == 4 and value.isascii() and value.isdecimal()


def _secret(name: str, file: Path) -> str:
    """The secret in a file; SetupError where it is not there, or says nothing."""
    try:
        secret = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        secret = ""
    if not secret:
        raise SetupError(Problem("not-found", "no secret can be read there", f"sources.{name}.hook_file"))
    return secret
