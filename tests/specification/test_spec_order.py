"""Which version is newer, the same, or a contradiction: laws that hold for any versions whatever."""

import random
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.losus.versions import VersionOrder, contradicts, in_order, is_newer, is_same, newest, repeats
from tests.examples import examples

TIMES = ["", "2024-03-04T13:00:00+00:00", "2024-03-04T13:00:01+00:00", "2024-03-05T13:00:00+00:00"]
orders = st.builds(
    VersionOrder,
    st.integers(-1, 3),
    st.sampled_from(TIMES),
    st.sampled_from(TIMES),
    st.sampled_from(["", "1", "7", "9"]),
    st.sampled_from(["", "a", "b", "c"]),
)


def itself(order: VersionOrder) -> VersionOrder:
    return order


@given(st.lists(orders, max_size=7), st.randoms(use_true_random=False))
@settings(max_examples=examples(500))
def test_the_order_does_not_depend_on_the_order_of_arrival(
    versions: list[VersionOrder], by: random.Random
) -> None:
    shuffled = list(versions)
    by.shuffle(shuffled)
    assert list(in_order(shuffled, itself)) == list(in_order(versions, itself))


@given(orders, orders)
@settings(max_examples=examples(500))
def test_of_two_versions_at_most_one_is_newer(one: VersionOrder, other: VersionOrder) -> None:
    assert not (is_newer(one, other) and is_newer(other, one))
    assert is_newer(one, other) or is_newer(other, one) or is_same(one, other)
    assert not is_newer(one, one)


@given(orders, orders)
@settings(max_examples=examples(500))
def test_contradicting_is_of_two_and_never_of_the_same(one: VersionOrder, other: VersionOrder) -> None:
    assert contradicts(one, other) == contradicts(other, one)
    assert is_same(one, other) == is_same(other, one)
    assert not (contradicts(one, other) and is_same(one, other))
    assert not contradicts(one, one)


@given(st.lists(orders, min_size=1, max_size=6))
def test_the_newest_is_older_than_none(versions: list[VersionOrder]) -> None:
    last = newest(versions, itself)
    numbered = [one for one in versions if one.rank >= 0]
    if len(numbered) in {0, len(versions)}:  # where some bear a number and some do not, three may go round
        assert not any(is_newer(one, last) for one in versions)


@given(st.lists(orders, max_size=6), orders)
def test_what_is_repeated_says_the_same(versions: list[VersionOrder], new: VersionOrder) -> None:
    before = repeats(versions, new)
    if before is not None:
        assert before in versions
        assert before.digest == new.digest or not before.digest or not new.digest


EARLY, LATE = TIMES[1], TIMES[3]
TWO = [
    # one, other, newer of them (0, 1, None: the same, "fault": neither), because
    (
        (1, EARLY, "", "", "a"),
        (2, EARLY, "", "", "b"),
        1,
        "resource#Meta: versionId changes with each version",
    ),
    ((2, EARLY, "", "", "a"), (1, LATE, "", "", "b"), 0, "the number decides before the time"),
    ((1, EARLY, "", "", "a"), (1, LATE, "", "", "b"), 1, "resource#Meta: lastUpdated is that of the version"),
    ((1, EARLY, EARLY, "", "a"), (1, EARLY, LATE, "", "b"), 1, "what the message says of itself: its time"),
    ((1, EARLY, EARLY, "", "a"), (1, EARLY, LATE, "", "a"), None, "the same content is the same version"),
    ((1, EARLY, "", "", "a"), (1, EARLY, "", "", "b"), "fault", "one version has one content"),
    (
        (1, EARLY, EARLY, "", "a"),
        (1, EARLY, "", "", "b"),
        "fault",
        "one message has no time: nothing decides",
    ),
    (
        (-1, EARLY, "", "1", "a"),
        (-1, EARLY, "", "7", "b"),
        1,
        "one newest time: the more final, by the table",
    ),
    ((-1, EARLY, "", "7", "a"), (-1, EARLY, "", "7", "b"), "fault", "as final, another content"),
    ((-1, EARLY, "", "", "a"), (-1, LATE, "", "", "a"), 1, "two times: two versions, though of one content"),
    ((3, EARLY, "", "", "a"), (-1, LATE, "", "", "b"), 1, "without a number: by its time"),
    ((3, LATE, "", "", "a"), (-1, EARLY, "", "", "b"), 0, "without a number: by its time"),
    ((3, LATE, "", "", "a"), (-1, LATE, "", "", "b"), 1, "of the same time: behind the number"),
]


@pytest.mark.parametrize(("one", "other", "newer", "because"), TWO)
def test_two_versions(
    one: tuple[int, str, str, str, str],
    other: tuple[int, str, str, str, str],
    newer: int | str | None,
    because: str,
) -> None:
    first, second = VersionOrder(*one), VersionOrder(*other)
    assert contradicts(first, second) == (newer == "fault"), because
    if newer != "fault":
        told = (is_newer(first, second), is_newer(second, first))
        assert told == (newer == 0, newer == 1), because


def test_three_versions_of_both_kinds_stand_alike_for_every_arrival() -> None:
    three = [
        VersionOrder(1, EARLY, "", "", "a"),
        VersionOrder(2, LATE, "", "", "b"),
        VersionOrder(-1, TIMES[2], "", "", "c"),
    ]
    for arrived in permutations(three):
        assert [one.digest for one in in_order(arrived, itself)] == ["a", "c", "b"]
