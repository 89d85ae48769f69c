"""The sources' own servers: whether they answer, let us in, and speak the FHIR that is set.

Owns what is asked of each, once: its CapabilityStatement with our credentials, our Subscriptions, its
certificate. Does not own asking (`adapter.client`).
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from urllib.parse import urlsplit

from adapter.client.calls import FhirClient
from adapter.client.connect import client_of
from adapter.client.faults import AwayError, GoneError, RefusedError
from adapter.doctor.deployment import Deployment
from adapter.doctor.findings import Told, fail, ok, skipped, warn
from adapter.doctor.keys import lasting
from adapter.errors import LosusError, SetupError, UnavailableError
from adapter.fhir.model import FhirVersion
from adapter.servers import Patience, Server
from adapter.settings import Source
from adapter.store import doors
from adapter.trust import context_of, tls_fault

#: `CapabilityStatement.fhirVersion`, as far as it must be the same.
_BEGINS = {"R4": "4.0", "R4B": "4.3", "R5": "5."}
_MENDS = {
    "login": "the client's id, its secret or key, and what its authorization server has registered of them",
    "forbidden": "our scope at that server",
    "security": "`authority` of the server in the settings, or the server's certificate",
    "not-found": "base_url of the server in the settings",
}


async def servers(it: Deployment) -> Sequence[Told]:
    """Ask each server that the settings name, all at the same time."""
    asked = [
        _server(name, source.server, source.fhir)
        for name, source in it.settings.sources.items()
        if source.server is not None
    ]
    return await asyncio.gather(*asked) or [ok("no source has a server to ask")]


async def _server(name: str, server: Server, version: str) -> Told:
    try:
        async with _client(name, server, version) as client:
            told = (await client.get("metadata")).document
    except (SetupError, AwayError, RefusedError) as error:
        return _fault(name, error)
    spoken = told.get("fhirVersion")
    if not isinstance(spoken, str) or not spoken.startswith(_BEGINS[version]):
        return warn(f"does not say that it speaks {version}", f"sources.{name}.fhir, or base_url", name)
    return ok(f"it answers, lets us in, and speaks {version}", name)


@asynccontextmanager
async def _client(name: str, server: Server, version: str) -> AsyncIterator[FhirClient]:
    """A client that asks once, and does not wait for long."""
    once = {"patience": Patience(attempts=1), "answer_s": min(server.answer_s, 10.0)}
    async with client_of(name, server.model_copy(update=once), FhirVersion(version)) as client:
        yield client


def _fault(name: str, error: LosusError) -> Told:
    problem = error.problems[0]
    if isinstance(error, SetupError):
        return fail(problem.rule, "the file that the settings name for it", name)
    if isinstance(error, AwayError):
        return fail(problem.rule, "is the server up, does a NetworkPolicy let us reach it?", name)
    return fail(problem.rule, _MENDS.get(problem.code, "ask whoever runs that server"), name)


async def subscriptions(it: Deployment) -> Sequence[Told]:
    """Our Subscriptions, as the servers have them: each there, and alive."""
    wanted = {
        name: source
        for name, source in it.settings.sources.items()
        if source.server is not None and source.server.subscribe is not None
    }
    async with it.database() as connection:
        marks = {name: await doors.read_marks(connection, f"subscription {name} ") for name in wanted}
    told = await asyncio.gather(
        *(_subscriptions(name, source, sorted(marks[name].values())) for name, source in wanted.items())
    )
    return told or [ok("none are asked for")]


async def _subscriptions(name: str, source: Source, known: Sequence[str]) -> Told:
    mend = "does `losus watch` run? Its log says subscriber.interrupted, with the kind of error"
    if source.server is None or not known:
        return fail("none was asked for yet", mend, name)
    try:
        async with _client(name, source.server, source.fhir) as client:
            found = [(await client.read(f"Subscription/{one}")).resource for one in known]
    except GoneError:
        return fail("the server has one of them no more", mend, name)
    except (SetupError, AwayError, RefusedError) as error:
        return _fault(name, error)
    dead = sum(one.get("status") not in {"active", "requested"} for one in found)
    if dead:
        return fail(f"{dead} of {len(found)} are not alive", mend, name)
    return ok(f"all {len(found)} are alive", name)


async def certificates(it: Deployment) -> Sequence[Told]:
    """How long the certificates of the servers themselves are good for."""
    asked = [
        _certificate(name, source.server, it.now())
        for name, source in it.settings.sources.items()
        if source.server is not None and source.server.base_url.startswith("https:")
    ]
    return await asyncio.gather(*asked) or [ok("no server is asked by TLS")]


async def _certificate(name: str, server: Server, now: datetime) -> Told:
    parts, own = urlsplit(server.base_url), server.certificate
    try:
        ours = (own.certificate, own.key) if own is not None else (None, None)
        context = context_of(server.authority, *ours)
        async with asyncio.timeout(server.timeout_s):
            _, writer = await asyncio.open_connection(parts.hostname, parts.port or 443, ssl=context)
        shown = writer.get_extra_info("peercert")
        writer.transport.abort()
    except (OSError, TimeoutError, UnavailableError) as error:
        return skipped(
            f"not seen ({tls_fault(error) or type(error).__name__}): check servers says more", name
        )
    ends_at = datetime.fromtimestamp(ssl.cert_time_to_seconds(shown["notAfter"]), UTC)
    return lasting(name, ends_at, now, "its operators have to exchange it")
