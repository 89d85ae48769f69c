"""The pages of what is searched outside the database: each thing once, in order, whatever the size."""

import pytest

from adapter.fhir.search import read_search
from adapter.store.issued import Found
from adapter.web.searching import page_of

KEYS = (3, 1, 2, 2, 1)  # by number, from 1 on

ORDERS = [
    # parameters, numbers in order, because
    ([], [1, 2, 3, 4, 5], "as they came"),
    ([("_sort", "_id")], [2, 5, 3, 4, 1], "by key, then as they came"),
    ([("_sort", "-_id")], [1, 4, 3, 5, 2], "the same from its end"),
]


@pytest.mark.parametrize("count", [1, 2, 3, 5, 6])
@pytest.mark.parametrize(("given", "order", "because"), ORDERS)
def test_pages(given: list[tuple[str, str]], order: list[int], because: str, count: int) -> None:
    every = [
        ((key,) if given else (), Found(number, str(number), b"{}")) for number, key in enumerate(KEYS, 1)
    ]
    seen: list[int] = []
    after, more = 0, True
    while more:
        asked = [*given, ("_count", str(count)), ("_after", str(after))]
        found, more = page_of(every, read_search("Task", asked, strict=True))
        assert len(found) == min(count, len(order) - len(seen))
        seen += [one.number for one in found]
        after = seen[-1]
    assert seen == order, because


def test_a_page_behind_nothing_that_is_there_is_empty() -> None:
    found, more = page_of([((), Found(1, "1", b"{}"))], read_search("Task", [("_after", "7")], strict=True))
    assert (list(found), more) == ([], False)
    found, more = page_of([((), Found(1, "1", b"{}"))], read_search("Task", [("_count", "0")], strict=True))
    assert (list(found), more) == ([], False)
