"""Keys: our own that sign and seal, the issuers' that show who knocks, and how long certificates last.

Owns from when on a certificate is told of; does not own how any of these is used.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from adapter.access.jwks import KeyShelf
from adapter.client.certificates import certificate_files, end_of
from adapter.client.keys import jwks
from adapter.credentials import Issuer
from adapter.doctor.deployment import Deployment
from adapter.doctor.findings import Told, fail, ok, warn
from adapter.errors import SetupError, UnavailableError
from adapter.settings import Settings
from adapter.store.seal import load_seal

_SOON, _VERY_SOON = timedelta(days=14), timedelta(days=2)


async def signing(it: Deployment) -> Sequence[Told]:
    """The keys that we log in with at sources' servers, as our JWKS shows them."""
    servers = [source.server for source in it.settings.sources.values() if source.server is not None]
    try:
        shown = jwks(servers)["keys"]
    except SetupError as error:
        mend = "openssl ecparam -name secp384r1 -genkey -noout, under that path"
        return [fail(problem.rule, mend, problem.expression or "") for problem in error.problems]
    return [ok(f"{len(shown)} keys in our JWKS")]


async def seal(it: Deployment) -> Sequence[Told]:
    """The keys that raw messages are encrypted with."""
    try:
        load_seal(it.settings.seal)
    except SetupError as error:
        mend = "openssl rand -base64 32 makes one; never take away one that messages are sealed with"
        return [fail(problem.rule, mend, problem.expression or "") for problem in error.problems]
    if it.settings.seal:
        return [ok(f"{len(it.settings.seal)} keys; new messages are sealed with the first")]
    if it.is_sandbox:
        return [ok("messages are not sealed, as a sandbox may")]
    mend = "set seal to a file of `openssl rand -base64 32`, so that a dump of the database tells nothing"
    return [warn("raw messages are not sealed", mend)]


async def issuers(it: Deployment) -> Sequence[Told]:
    """Whether the keys of whoever issues tokens to staff and sources can be had, and used."""
    told = []
    for place, issuer in _issuers(it.settings):
        try:
            await KeyShelf(issuer.jwks).find("")
        except UnavailableError:
            mend = f"is LOSUS_{place.upper().replace('.', '__')}__JWKS right, and reachable from here?"
            told.append(fail("no key that can verify a token is to be had", mend, place))
        else:
            told.append(ok("its keys are to be had", place))
    return told or [ok("no tokens are asked for")]


def _issuers(settings: Settings) -> Iterator[tuple[str, Issuer]]:
    if settings.staff is not None:
        yield "staff.tokens", settings.staff.tokens
    for name, source in settings.sources.items():
        if source.credentials.tokens is not None:
            yield f"sources.{name}.credentials.tokens", source.credentials.tokens


async def certificates(it: Deployment) -> Sequence[Told]:
    """Certificates of the settings that have ended, or soon will."""
    found = list(certificate_files(it.settings))
    told = [_certificate(place, end_of(path), it.now()) for place, path in found]
    return told or [ok("no certificate is named in the settings")]


def _certificate(place: str, ends_at: datetime | None, now: datetime) -> Told:
    if ends_at is None:
        return fail("no certificate in PEM can be read there", "the file that the settings name", place)
    return lasting(place, ends_at, now, "get a new one, put it under the same path")


def lasting(what: str, ends_at: datetime, now: datetime, mend: str) -> Told:
    """Tell how long a certificate is good for."""
    left = ends_at - now
    if left <= timedelta(0):
        return fail(f"ended on {ends_at:%Y-%m-%d}", mend, what)
    if left <= _VERY_SOON:
        return fail(f"ends on {ends_at:%Y-%m-%d}, within {_VERY_SOON.days} days", mend, what)
    if left <= _SOON:
        return warn(f"ends on {ends_at:%Y-%m-%d}, within {_SOON.days} days", mend, what)
    return ok(f"good until {ends_at:%Y-%m-%d}", what)
