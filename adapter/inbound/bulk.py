"""The whole of a source at once: FHIR Bulk Data, `$export` of its server, for a backfill.

Owns the steps of an export: asking for it, waiting, fetching each file, letting the server forget it. Does
not own asking (`adapter.client`) nor what becomes of a resource.
Source: FHIR Bulk Data Access IG 2.0, «Export».
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Any

from adapter.client.calls import FhirClient
from adapter.client.faults import RefusedError
from adapter.delivery import Delivery
from adapter.errors import LosusError, Problem
from adapter.inbound.files import deliveries_of_lines
from adapter.losus.instants import instant_text

_ACCEPTED, _DONE = 202, 200
_PAUSE_S = 5.0
_LONGEST_PAUSE_S = 120.0


async def export(
    client: FhirClient,
    source: str,
    kinds: Sequence[str],
    since: datetime | None = None,
    *,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    most: int = 10_000,
) -> AsyncIterator[Delivery]:
    """All resources of these types (changed since then) that the source's server has, as deliveries.

    `most` is how often the server is asked whether it is done. Raises RefusedError where it refuses or its
    answers are none of Bulk Data, AwayError where it is away.
    """
    parameters = {"_type": ",".join(kinds), "_outputFormat": "application/fhir+ndjson"}
    if since is not None:
        parameters["_since"] = instant_text(since)
    started = await client.operation("$export", parameters, prefer="respond-async")
    if started.status != _ACCEPTED or not started.location:
        raise RefusedError(Problem("not-supported", "the server does not begin an export"))
    try:
        manifest = await _wait(client, started.location, sleep, most)
        for url in _files(manifest):
            async with aclosing(client.lines(url)) as lines:
                async for line in lines:
                    for delivery in deliveries_of_lines((line,), source):
                        yield delivery
    finally:
        await _forget(client, started.location)


async def _wait(
    client: FhirClient, status: str, sleep: Callable[[float], Awaitable[None]], most: int
) -> dict[str, Any]:
    for _ in range(most):
        answer = await client.get(status)
        if answer.status == _DONE:
            return answer.document
        await sleep(min(answer.retry_after_s or _PAUSE_S, _LONGEST_PAUSE_S))
    raise RefusedError(Problem("timeout", "the server does not finish its export"))


def _files(manifest: dict[str, Any]) -> list[str]:
    """The addresses of the files; RefusedError where any part of the export failed, for it is not whole."""
    if manifest.get("error"):
        raise RefusedError(Problem("incomplete", "the server could not export all that was asked for"))
    output = manifest.get("output")
    urls = [one.get("url") for one in output if isinstance(one, dict)] if isinstance(output, list) else []
    if not isinstance(output, list) or not all(isinstance(url, str) for url in urls):
        raise RefusedError(Problem("structure", "the manifest of the export has no list of files"))
    return [url for url in urls if isinstance(url, str)]


async def _forget(client: FhirClient, status: str) -> None:
    """Let the server delete the export's files; where it does not, they expire by themselves."""
    try:
        await client.discard(status)
    except LosusError:
        return
