"""The sources' own servers: whether they answer, let us in, and speak the FHIR that is set.

Owns what is asked of each: its CapabilityStatement, with our credentials, once. Does not own asking
(`adapter.client`).
"""

import asyncio
from collections.abc import Sequence

from adapter.client.connect import client_of
from adapter.client.faults import AwayError, RefusedError
from adapter.doctor.deployment import Deployment
from adapter.doctor.findings import Told, fail, ok, warn
from adapter.errors import SetupError
from adapter.fhir.model import FhirVersion
from adapter.servers import Patience, Server

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
    once = server.model_copy(
        update={"patience": Patience(attempts=1), "answer_s": min(server.answer_s, 10.0)}
    )
    try:
        client = client_of(name, once, FhirVersion(version))
    except SetupError as error:
        return fail(error.problems[0].rule, "the file that the settings name for it", name)
    try:
        told = (await client.get("metadata")).document
    except AwayError as error:
        return fail(error.problems[0].rule, "is the server up, does a NetworkPolicy let us reach it?", name)
    except RefusedError as error:
        problem = error.problems[0]
        return fail(problem.rule, _MENDS.get(problem.code, "ask whoever runs that server"), name)
    finally:
        await client.aclose()
    spoken = told.get("fhirVersion")
    if not isinstance(spoken, str) or not spoken.startswith(_BEGINS[version]):
        return warn(f"does not say that it speaks {version}", f"sources.{name}.fhir, or base_url", name)
    return ok(f"it answers, lets us in, and speaks {version}", name)
