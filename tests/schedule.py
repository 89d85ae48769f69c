"""Which tests need what takes long, and what pytest-xdist gives to which worker.

A worker has a PostgreSQL and a sandbox broker of its own (they start in a second), and gets a file at a time.
Tests that need the same Java server are one group and run on one worker, one after the other: the server
starts once, and stops when the last of them has run, for it costs processor time while it waits too. Groups
come first, so that no worker is left alone with one at the end.
"""

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

#: The group of a test that needs this fixture, the longest first; the first that a test has counts.
GROUPS = {
    "apache": "apache",
    "hapi_of": "hapi",
    "secured": "secured",
    "cluster3": "cluster",
    "fhir_validator": "validator",
}
#: Folders that are a group: what is built for them once, with Go, takes both processors.
_FOLDERS = {"helm": "helm"}
_ORDER = {group: number for number, group in enumerate([*GROUPS.values(), *_FOLDERS.values()])}
#: Folders whose tests need Java, Node.js, Go or containers' tools: not in `make test-quick`.
TOOLS = ("clients", "conformance", "consumers", "helm", "image")


def group_of(item: pytest.Item) -> str | None:
    """Name what has to be started or built that the test shares with others; None where there is nothing."""
    needed = getattr(item, "fixturenames", ())
    named = next((group for fixture, group in GROUPS.items() if fixture in needed), None)
    if named is None and item.get_closest_marker("kafka"):
        return "apache"
    return named or _FOLDERS.get(_folder(item))


def _folder(item: pytest.Item) -> str:
    return item.nodeid.split("/")[1]


def arrange(items: list[pytest.Item], longest: Sequence[str]) -> None:
    """Mark groups and what is slow; put groups first, then the longest files, and leave the rest in order."""
    place = {path: number for number, path in enumerate(longest)}

    def rank(item: pytest.Item) -> tuple[int, int]:
        path = item.nodeid.partition("::")[0]
        group = group_of(item)
        if group is not None or _folder(item) in TOOLS:
            item.add_marker("slow")
        return (0, _ORDER[group]) if group is not None else (1, place.get(path, len(place)))

    items.sort(key=rank)


def write_groups(items: list[pytest.Item], to: Path) -> None:
    """Write down which tests are of a group, for the scheduler; every worker writes the same."""
    found = {item.nodeid: group for item in items if (group := group_of(item)) is not None}
    own = to.with_suffix(f".{os.getpid()}")
    own.write_text(json.dumps(found), "utf-8")
    own.replace(to)


class Stops:
    """How the servers of a group are stopped when its last test has run."""

    def __init__(self) -> None:
        self._stops: dict[str, list[Callable[[], None]]] = {}

    def add(self, group: str, stop: Callable[[], None]) -> None:
        """Remember to call `stop` then."""
        self._stops.setdefault(group, []).append(stop)

    def after(self, item: pytest.Item, following: pytest.Item | None) -> None:
        """Stop what `item` needed, and `following`, if there is one, does not need."""
        group = group_of(item)
        if group is not None and following is not None and group_of(following) != group:
            for stop in self._stops.pop(group, ()):
                stop()
