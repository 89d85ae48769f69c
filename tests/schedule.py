"""Which tests need what takes long, and what pytest-xdist gives to which worker.

A worker has a PostgreSQL and a sandbox broker of its own (they start in a second), and gets a file at a time.
Tests that need the same Java server are one group and run on one worker, so that the server starts once.
Groups come first, so that no worker is left alone with one at the end.
"""

from collections.abc import Sequence

import pytest

#: The group of a test that needs this fixture; the first that it has counts.
GROUPS = {
    "fhir_validator": "validator",
    "hapi_of": "hapi",
    "secured": "secured",
    "cluster3": "cluster",
    "apache": "apache",
}
#: Folders whose tests need Java, Node.js, Go or containers' tools: not in `make test-quick`.
TOOLS = ("clients", "conformance", "consumers", "helm", "image")


def group_of(item: pytest.Item) -> str | None:
    """Name the Java server that the test needs; None where it needs none."""
    needed = getattr(item, "fixturenames", ())
    named = next((group for fixture, group in GROUPS.items() if fixture in needed), None)
    return named or ("apache" if item.get_closest_marker("kafka") else None)


def arrange(items: list[pytest.Item], longest: Sequence[str]) -> None:
    """Mark groups and what is slow; put groups first, then the longest files, and leave the rest in order."""
    place = {path: number for number, path in enumerate(longest)}

    def rank(item: pytest.Item) -> int:
        path = item.nodeid.partition("::")[0]
        group = group_of(item)
        if group is not None:
            item.add_marker(pytest.mark.xdist_group(group))
        if group is not None or path.split("/")[1] in TOOLS:
            item.add_marker("slow")
        return -1 if group is not None else place.get(path, len(place))

    items.sort(key=rank)
