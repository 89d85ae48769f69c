"""What a message points at outside its Bundle, fetched from the source's own server.

Owns which references are asked for (literal ones of this server alone), how many and for how long, and
what is kept of the answers. Does not own how deep: whoever asks for what was found's own references bounds
that (`Server.max_depth`). The resources are not held against their model here.
"""

import asyncio
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cachetools import TTLCache

from adapter.client.answers import Answer, Resource
from adapter.client.calls import FhirClient
from adapter.client.faults import GoneError
from adapter.client.outside import Outside
from adapter.client.urls import Literal
from adapter.errors import LosusError, Problem, SetupError
from adapter.servers import Server

_AT_ONCE = 4  # requests to the server at the same time
#: What is kept for a while: the region's own organisation. Never a Patient: that an identity is protected
#: (sekretessmarkering) has to be seen at once. A version that is named never changes, whatever its type.
_KEPT = frozenset({"Organization", "Location", "HealthcareService", "Practitioner", "PractitionerRole"})


@dataclass(frozen=True, slots=True)
class Found:
    """What became of references, each as it was written.

    `lost` are not to be had for good: not there (404, 410), not of this server, over the bound in number or
    size. `later` may be had: the server is away, or refuses what an operator can mend (401, 403, an answer
    that is no FHIR). Both say why, without a value. `asked` is how many resources were looked for.
    """

    resources: Mapping[str, Resource] = field(default_factory=dict, repr=False)
    lost: Mapping[str, Problem] = field(default_factory=dict, repr=False)
    later: Mapping[str, Problem] = field(default_factory=dict, repr=False)
    asked: int = 0


class Fetcher:
    """Fetches what references of one source mean; keeps what seldom changes."""

    def __init__(self, client: FhirClient, server: Server, outside: Outside | None = None) -> None:
        self._client, self._server = client, server
        timer = (outside or Outside()).monotonic
        self._kept: TTLCache[str, Answer] = TTLCache(server.cache_bytes, server.cache_s, timer, _size)
        self._gate = asyncio.Semaphore(_AT_ONCE)

    async def find(self, references: Collection[str], *, spent: int = 0) -> Found:
        """What `references` mean, in at most `references_s` seconds.

        Of one delivery at most `max_references` resources are looked for, in the order given; `spent` is
        how many were before (`Found.asked`). What was not answered in time is for later.
        """
        resources: dict[str, Resource] = {}
        lost: dict[str, Problem] = {}
        later: dict[str, Problem] = {}
        wanted = self._wanted(references, self._server.max_references - spent, lost)
        tasks = {one: asyncio.create_task(self._fetch(one)) for one in dict.fromkeys(wanted.values())}
        try:
            if tasks:
                await asyncio.wait(tasks.values(), timeout=self._server.references_s)
            for reference, literal in wanted.items():
                ended = _ended(tasks[literal])
                if isinstance(ended, Problem):
                    later[reference] = ended
                elif isinstance(ended, LosusError):
                    (lost if _is_final(ended) else later)[reference] = ended.problems[0]
                else:
                    resources[reference] = ended
        finally:
            for task in tasks.values():
                task.cancel()
            await asyncio.gather(*tasks.values(), return_exceptions=True)
        return Found(resources, lost, later, len(tasks))

    def _wanted(self, references: Collection[str], most: int, lost: dict[str, Problem]) -> dict[str, Literal]:
        """The references to ask for, and what each means on this server; the others are lost."""
        wanted: dict[str, Literal] = {}
        asked: set[Literal] = set()
        for reference in dict.fromkeys(references):
            literal = self._client.base.literal(reference)
            if literal is None:
                rule = "the reference does not lead to a resource of the source's own server"
                lost[reference] = Problem("not-found", rule)
            elif literal not in asked and len(asked) >= most:
                rule = f"of one delivery at most {self._server.max_references} references are looked for"
                lost[reference] = Problem("too-costly", rule)
            else:
                asked.add(literal)
                wanted[reference] = literal
        return wanted

    async def _fetch(self, literal: Literal) -> Resource:
        """The resource, of what is kept or of the server; a dict of the caller's own."""
        answer = self._kept.get(literal.path)
        if answer is None:
            async with self._gate:
                answer = await self._client.read(literal.path)
            if (literal.version or literal.kind in _KEPT) and _size(answer) <= self._server.cache_bytes:
                self._kept[literal.path] = answer
        return answer.resource


def references_in(resource: Resource) -> Iterator[str]:
    """The references that lead out of a resource, each once; neither contained (`#…`) nor `urn:` ones.

    Those inside its contained resources lead out of it too. A reference by identifier alone is none.
    """
    told: set[str] = set()
    level: list[Any] = [resource]
    while level:
        for value in level:
            reference = value.get("reference") if isinstance(value, dict) else None
            if isinstance(reference, str) and not reference.startswith(("#", "urn:")):
                if reference not in told:
                    yield reference
                told.add(reference)
        level = [
            inner
            for value in level
            for inner in (value.values() if isinstance(value, dict) else value)
            if isinstance(inner, dict | list)
        ]


def _ended(task: asyncio.Task[Resource]) -> Resource | LosusError | Problem:
    """What a task came to: the resource, why there is none, or that it is still under way."""
    if not task.done():
        return Problem("timeout", "the server did not answer in time")
    error = task.exception()
    if error is None:
        return task.result()
    if isinstance(error, SetupError):  # the log names the file; nobody else is told of it
        return Problem("exception", "a fault of our own setup")
    if isinstance(error, LosusError):
        return error
    raise error


def _is_final(error: LosusError) -> bool:
    """Whether asking later is no help, whatever an operator does: not there, or too large."""
    return isinstance(error, GoneError) or error.problems[0].code == "too-long"


def _size(answer: Answer) -> int:
    return len(answer.body)
