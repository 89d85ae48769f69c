"""Versions of one order and exact duplicates: what no well-behaved sender makes, and some do."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import permutations

import pytest

from adapter.losus.facts import corrected, select
from adapter.losus.signal import Fact, Signal
from adapter.losus.terms import SignalKind
from adapter.losus.versions import VersionOrder

EIGHT = datetime(2026, 3, 2, 8, tzinfo=UTC)
NINE = EIGHT + timedelta(hours=1)


def version(*signals: Signal, order: int = 1, void: bool = False) -> Fact:
    return Fact("h", "Encounter/1", VersionOrder(order), str(order), signals, void)


def admitted(at: datetime, **fields: object) -> Signal:
    return Signal(SignalKind.ADMITTED, at, fields)


def test_exact_duplicates_are_one() -> None:
    fact = version(admitted(EIGHT))
    again = version(admitted(EIGHT.astimezone(timezone(timedelta(hours=1)))))
    chosen = select([fact, again, fact])
    assert len(chosen.live) == 1
    assert [len(versions) for versions in chosen.resources] == [1]


def test_the_order_of_fields_is_no_content() -> None:
    told = [version(admitted(EIGHT, a=1, b=2)), version(admitted(EIGHT, b=2, a=1))]
    assert len(select(told).resources[0]) == 1


def test_two_contents_of_one_order_are_chosen_by_content() -> None:
    told = [version(admitted(EIGHT)), version(admitted(NINE)), version(admitted(EIGHT, care_form="somatic"))]
    assert len({select(order).live[0].at for order in permutations(told)}) == 1


def test_of_one_order_the_void_one_wins() -> None:
    told = [version(void=True), version(admitted(EIGHT))]
    assert [select(order).live for order in permutations(told)] == [(), ()]


def test_values_that_python_takes_for_equal_are_not_one_content() -> None:
    told = [version(admitted(EIGHT, n=1)), version(admitted(EIGHT, n=True))]
    chosen = {type(select(order).live[0].fields["n"]) for order in permutations(told)}
    assert len(chosen) == 1


def test_one_statement_twice_in_a_version_is_one() -> None:
    assert len(select([version(admitted(EIGHT), admitted(EIGHT))]).live) == 1


def test_the_same_from_two_resources_are_two_facts() -> None:
    other = Fact("h", "Encounter/2", VersionOrder(1), "1", (admitted(EIGHT),))
    assert [s.resource for s in select([other, version(admitted(EIGHT))]).live] == [
        "Encounter/1",
        "Encounter/2",
    ]


def leave(at: datetime, *, repeats: bool = True) -> Signal:
    return Signal(SignalKind.LEAVE_STARTED, at, {}, repeats)


CORRECTED = [
    # versions, what was said and holds no more: (at, said in, corrected by, taken back), because
    ([version(admitted(EIGHT))], [], "one version"),
    ([version(admitted(EIGHT)), version(admitted(EIGHT), order=2)], [], "the same again corrects nothing"),
    (
        [version(admitted(EIGHT)), version(admitted(NINE), order=2)],
        [(EIGHT, "1", "2", False)],
        "another time",
    ),
    (
        [version(admitted(EIGHT)), version(admitted(EIGHT), order=2), version(admitted(NINE), order=3)],
        [(EIGHT, "1", "3", False)],
        "said first in the first, corrected by the third",
    ),
    (
        [version(admitted(EIGHT)), version(admitted(NINE), order=2), version(admitted(EIGHT), order=3)],
        [(EIGHT, "1", "2", False), (NINE, "2", "3", False)],
        "there and back: both are seen",
    ),
    (
        [version(admitted(EIGHT)), version(order=2, void=True)],
        [(EIGHT, "1", "2", True)],
        "entered in error",
    ),
    (
        [version(leave(EIGHT)), version(leave(NINE), order=2)],
        [],
        "an occurrence of its own replaces none",
    ),
    ([version(order=1, void=True), version(admitted(NINE), order=2)], [], "nothing was said before"),
]


@pytest.mark.parametrize(("versions", "expected", "because"), CORRECTED)
def test_what_was_corrected_stays_to_be_seen(versions, expected, because: str) -> None:
    for order in permutations(versions):
        found = corrected(select(order))
        told = [(one.was.at, one.said.version, one.by.version, one.by.void) for one in found]
        assert told == expected, because
