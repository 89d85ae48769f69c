"""FHIR's interactions with a source's own server: read, search, create, update, delete, operations.

Owns addresses, headers and pages; does not own patience and credentials (`asker`), nor whether a resource
fits its model (`adapter.fhir`), nor what it means.
Source: FHIR R4/R4B/R5, «RESTful API».
"""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self
from urllib.parse import urlencode

import httpx
import orjson

from adapter.client.answers import Answer, Resource
from adapter.client.asker import Asker
from adapter.client.exchange import Call
from adapter.client.faults import RefusedError
from adapter.client.lines import lines
from adapter.client.urls import Base
from adapter.errors import Problem
from adapter.fhir.model import FhirVersion

#: The version in the media type (`fhirVersion`), major and minor.
_VERSION = {FhirVersion.R4: "4.0", FhirVersion.R4B: "4.3", FhirVersion.R5: "5.0"}

#: Search parameters and those of an operation; a value may be a list, for a parameter that repeats.
Parameters = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a search: its resources, and where the next page is (None: this is the last).

    `next` is the server's own word, to be followed as it is. `server_time` is the server's clock when it
    answered. `resources` are the matches and what was included; an OperationOutcome about the search is
    left out.
    """

    resources: tuple[Resource, ...] = field(repr=False)
    next: str | None = field(repr=False)
    server_time: datetime | None
    bundle: Resource = field(repr=False)


class FhirClient:
    """One source's server.

    Every call raises AwayError (retryable) where the server cannot answer, RefusedError where it refuses or
    answers what cannot be used, and GoneError of these where what is asked for is not there.
    """

    def __init__(
        self, base: Base, version: FhirVersion, asker: Asker, http: httpx.AsyncClient, longest_line: int
    ) -> None:
        self.base, self._longest_line = base, longest_line
        self._media = media_type(version)
        self._asker, self._http = asker, http

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def read(self, reference: str) -> Answer:
        """The resource that `reference` (`Type/id`, `Type/id/_history/v`, absolute on this server) means.

        RefusedError where it is no reference to this server, or the answer is another resource.
        """
        literal = self.base.literal(reference)
        if literal is None:
            raise RefusedError(Problem("value", "no literal reference to a resource of this server"))
        answer = await self._get("read", f"{self.base.url}/{literal.path}")
        found = answer.resource
        if (found["resourceType"], found.get("id")) != (literal.kind, literal.id):
            raise RefusedError(Problem("conflict", "the server answered with another resource"))
        return answer

    async def get(self, url: str) -> Answer:
        """What is at an address of this server: relative to its base, or a link that it gave itself."""
        return await self._get("get", self.base.own(url, self.base.url + "/"))

    def lines(self, url: str) -> AsyncGenerator[bytes, None]:
        """The lines of a file of the server's (NDJSON), while it comes in, whatever its size.

        Where it breaks off it is asked for again, and goes on after the lines that were given: what came
        before must be the same. `aclose` the iterator, or read it to its end.
        """
        address = self.base.own(url, self.base.url + "/")
        return lines(self._asker, address, self._longest_line)

    async def search(self, kind: str, parameters: Parameters, *, most: int = 10_000) -> AsyncIterator[Page]:
        """The pages of a search for resources of type `kind`, in the server's order; see `pages`."""
        query = urlencode(parameters, doseq=True)
        first = f"{self.base.url}/{kind}" + (f"?{query}" if query else "")
        async for page in self.pages(first, most=most):
            yield page

    async def pages(self, url: str, *, most: int = 10_000) -> AsyncIterator[Page]:
        """The pages from `url` on, a `Page.next` of before: so a search goes on where it was left.

        A search is made anew each time (`no-cache`): a server may otherwise give what it found a minute ago.

        RefusedError after `most` pages, and where the server leads back to a page of before. A server may
        have forgotten the search: then `GoneError`, and the search has to begin anew.
        """
        seen: set[str] = set()
        link: str | None = url
        while link is not None:
            at = self.base.own(link)
            if at in seen or len(seen) >= most:
                raise RefusedError(Problem("too-costly", "the pages of a search do not come to an end"))
            seen.add(at)
            page = _page(await self._get("search", at, {"Cache-Control": "no-cache"}))
            link = None if page.next is None else self.base.own(page.next, at)
            yield Page(page.resources, link, page.server_time, page.bundle)

    async def post(self, resource: Resource, *, once: str | None = None) -> Answer:
        """Create a resource; `once` (`If-None-Exist`) only where no resource fits that search.

        Without `once` it is sent again only where the server surely did nothing, so that nothing is made
        twice.
        """
        headers = {"If-None-Exist": once} if once else {}
        url = f"{self.base.url}/{resource['resourceType']}"
        return await self._send("create", "POST", url, resource, headers, repeatable=bool(once))

    async def put(self, resource: Resource, *, expected: str | None = None) -> Answer:
        """Update a resource, or create it under its id; `expected` (`If-Match`): only that version of it."""
        headers = {"If-Match": f'W/"{expected}"'} if expected else {}
        url = f"{self.base.url}/{resource['resourceType']}/{resource['id']}"
        return await self._send("update", "PUT", url, resource, headers)

    async def delete(self, reference: str) -> Answer:
        """Delete the resource `Type/id`; GoneError where the server says that there is none."""
        literal = self.base.literal(reference)
        if literal is None or literal.version:
            raise RefusedError(Problem("value", "no literal reference to a resource of this server"))
        url = f"{self.base.url}/{literal.path}"
        return await self._asker.ask(Call("delete", "DELETE", url, {"Accept": self._media}))

    async def discard(self, url: str) -> Answer:
        """Delete what a link of the server names: the status of long work, with all that it made."""
        address = self.base.own(url, self.base.url + "/")
        return await self._asker.ask(Call("delete", "DELETE", address, {"Accept": self._media}))

    async def operation(
        self,
        path: str,
        parameters: Parameters | None = None,
        body: Resource | None = None,
        *,
        prefer: str | None = None,
    ) -> Answer:
        """An operation (`$export`, `Subscription/1/$events`): GET with `parameters`, or POST of a `body`.

        `prefer` is the header of that name. A POST is sent again only where the server surely did nothing.
        """
        query = urlencode(parameters or {}, doseq=True)
        url = self.base.own(f"{self.base.url}/{path}" + (f"?{query}" if query else ""))
        headers = {"Prefer": prefer} if prefer else {}
        if body is None:
            return await self._asker.ask(Call("operation", "GET", url, {"Accept": self._media, **headers}))
        return await self._send("operation", "POST", url, body, headers, repeatable=False)

    async def _get(self, name: str, url: str, headers: Mapping[str, str] | None = None) -> Answer:
        return await self._asker.ask(Call(name, "GET", url, {"Accept": self._media, **(headers or {})}))

    async def _send(
        self,
        name: str,
        method: str,
        url: str,
        resource: Resource,
        headers: Mapping[str, str],
        *,
        repeatable: bool = True,
    ) -> Answer:
        told = {"Accept": self._media, "Content-Type": self._media, **headers}
        return await self._asker.ask(Call(name, method, url, told, orjson.dumps(resource), repeatable))


def media_type(version: FhirVersion) -> str:
    """FHIR JSON of that version."""
    return f"application/fhir+json; fhirVersion={_VERSION[version]}"


def _page(answer: Answer) -> Page:
    bundle = answer.resource
    if bundle["resourceType"] != "Bundle":
        raise RefusedError(Problem("structure", "the answer to a search is no Bundle"))
    entries, links = bundle.get("entry", []), bundle.get("link", [])
    if not isinstance(entries, list) or not isinstance(links, list):
        raise RefusedError(Problem("structure", "entries and links of a Bundle are lists", "Bundle"))
    resources = tuple(one["resource"] for one in entries if _is_found(one))
    following = [one.get("url") for one in links if isinstance(one, dict) and one.get("relation") == "next"]
    if following and not isinstance(following[0], str):
        raise RefusedError(Problem("structure", "a link has an address", "Bundle.link.url"))
    return Page(resources, following[0] if following else None, answer.server_time, bundle)


def _is_found(entry: object) -> bool:
    """Whether an entry holds a resource that was found, and no word of the server's about the search."""
    if not isinstance(entry, dict) or not isinstance(entry.get("resource"), dict):
        return False
    search = entry.get("search")
    return not isinstance(search, dict) or search.get("mode") != "outcome"
