"""Which addresses belong to a source's own server, and where on it they lead.

Owns the rule against being sent elsewhere (server-side request forgery): every address that a message or
an answer names is taken apart, and what is asked for is put together anew from the settings' base address.
"""

import re
from dataclasses import dataclass
from urllib.parse import urljoin

import httpx

from adapter.client.faults import RefusedError
from adapter.errors import Problem

_ID = r"(?!\.+(?:/|$))[A-Za-z0-9\-.]{1,64}"  # FHIR's id, but no step up the path
_LITERAL = re.compile(rf"([A-Z][A-Za-z]{{0,63}})/({_ID})(?:/_history/({_ID}))?")


@dataclass(frozen=True, slots=True)
class Literal:
    """A literal reference to a resource on the server: its type, id, and version if it names one."""

    kind: str
    id: str
    version: str | None

    @property
    def path(self) -> str:
        """The reference relative to the server's base."""
        return f"{self.kind}/{self.id}" + (f"/_history/{self.version}" if self.version else "")


class Base:
    """The server's base address, and the others that it is known as."""

    def __init__(self, base_url: str, known_as: tuple[str, ...] = ()) -> None:
        self.url = base_url
        self._names = tuple(httpx.URL(one) for one in (base_url, *known_as))

    def literal(self, reference: str) -> Literal | None:
        """What `reference` means on this server: relative, or absolute below one of its names; else None."""
        path: str | None = reference
        if ":" in reference:
            path = next((rest for name in self._names if (rest := _below(name, reference))), None)
        found = _LITERAL.fullmatch(path) if path else None
        return Literal(found[1], found[2], found[3]) if found else None

    def own(self, link: str, at: str | None = None) -> str:
        """The address that `link` of an answer leads to on this server; RefusedError where it leads away.

        `at` is the address that gave the answer, where a relative link starts. A link may lead anywhere at
        the server's own origin. Below another name of the server's it is turned to the base address.
        """
        try:
            url = httpx.URL(urljoin(at or self.url, link))
        except (httpx.InvalidURL, ValueError):
            raise RefusedError(Problem("value", "a link of the server's is no address")) from None
        here, path = self._names[0], url.raw_path.decode("ascii")
        if not url.userinfo:
            if _origin(url) == _origin(here):
                return _origin_text(here) + path
            for name in self._names[1:]:
                if _origin(url) == _origin(name) and _is_below(name, url):
                    return _origin_text(here) + _path(here) + path[len(_path(name)) :]
        raise RefusedError(Problem("security", "a link leads away from the server, and is not followed"))


def _below(name: httpx.URL, reference: str) -> str | None:
    """What follows `name` in an absolute reference; None where it does not stand below it."""
    try:
        url = httpx.URL(reference)
    except httpx.InvalidURL:
        return None
    if url.userinfo or url.query or url.fragment or _origin(url) != _origin(name):
        return None
    return url.path[len(_path(name)) + 1 :] if _is_below(name, url) else None


def _is_below(name: httpx.URL, url: httpx.URL) -> bool:
    path = _path(name)
    return url.path == path or url.path.startswith(path + "/")


def _path(name: httpx.URL) -> str:
    return name.path.rstrip("/")


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port or {"http": 80, "https": 443}.get(url.scheme)


def _origin_text(url: httpx.URL) -> str:
    return f"{url.scheme}://{url.netloc.decode('ascii')}"
