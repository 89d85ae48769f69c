"""What is withheld of public counts, and that nothing small can be worked out from what is left.

The second is proved by trying: every table of a small world is told, and those that are told alike are put
together. Whoever sees what is told, and knows the rule, knows only that it is one of them.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import product

import pytest

from adapter.settlement.withholding import Counts, Withheld, withhold

FIVE = 5


def shown(cells: Iterable[Counts], fewest: int) -> tuple[object, ...]:
    """All that is told: of each and of the sum, None where withheld."""
    cells = tuple(cells)
    hidden, summed = withhold(cells, fewest)
    total = Counts(*(sum(column) for column in zip(*cells, strict=True)))
    return tuple(_told(one, off) for one, off in zip((*cells, total), (*hidden, summed), strict=True))


def _told(one: Counts, off: Withheld) -> tuple[int | None, ...]:
    return (
        None if off.all else one.out + one.stays,
        None if off.out else one.out,
        None if off.stays else one.stays,
        None if off.zero else one.zero,
    )


def col(*values: int) -> list[Counts]:
    """Municipalities with so many stays, all of them home later."""
    return [Counts(0, 0, value) for value in values]


_ = None
COUNTS = [
    # stays by municipality, how many are told of each, and of all, because
    ((9, 9, 9), (9, 9, 9), 27, "five or more show nobody"),
    ((9, 0, 9), (9, 0, 9), 18, "zero shows nobody"),
    ((4, 9, 9), (_, _, 9), 22, "22 − 18 would be 4: another is withheld beside it"),
    ((9, 9, 4), (_, 9, _), 22, "the first in the order, whatever it is"),
    ((4, 5, 9), (_, _, _), 18, "4 and 5 are not ten together: a third"),
    ((4, 6, 9), (_, _, 9), 19, "ten together"),
    ((4, 4, 9), (_, _, _), 17, "two small ones are not ten together either"),
    ((4, 0, 0), (_, 0, 0), _, "nobody to hide behind: the sum goes"),
    ((4, 5, 0), (_, _, 0), _, "nine, and nobody else: the sum, and all that is not zero"),
    ((4,), (_,), _, "alone it is the sum"),
    ((9,), (9,), 9, "alone, and not small"),
]


@pytest.mark.parametrize(("stays", "each", "total", "because"), COUNTS)
def test_counts_and_their_sum(
    stays: tuple[int, ...], each: tuple[int | None, ...], total: int | None, because: str
) -> None:
    *told, whole = shown(col(*stays), FIVE)
    assert ([one[2] for one in told], whole[2]) == (list(each), total), because


def test_nothing_at_all() -> None:
    assert withhold([], FIVE) == ([], Withheld())


WORLDS = [
    # municipalities, counts of each up to this one, how one is made of two numbers, because
    (4, (9, 0), lambda a, _: Counts(0, 0, a), "the stays in the mean"),
    (4, (9, 0), lambda a, _: Counts(a, 0, 6), "those left out, beside a count that is told"),
    (3, (6, 6), lambda a, b: Counts(0, a, b), "day zero and later"),
]


@pytest.mark.parametrize(("many", "most", "make", "because"), WORLDS)
def test_no_small_count_can_be_worked_out(
    many: int, most: tuple[int, int], make: Callable[[int, int], Counts], because: str
) -> None:
    fewest = 3  # 1 and 2 are small: whoever can tell which of them it is knows too much
    pairs = [(a, b) for a in range(most[0] + 1) for b in range(most[1] + 1)]
    alike: dict[object, list[tuple[tuple[int, int], ...]]] = defaultdict(list)
    for table in product(pairs, repeat=many):
        alike[shown([make(*one) for one in table], fewest)].append(table)
    for tables in alike.values():
        # at the edge of this small world there are neighbours in the large one that are told alike
        if not any(
            all(n <= max(m - 2, 0) for one in table for n, m in zip(one, most, strict=True))
            for table in tables
        ):
            continue
        for place in range(many):
            for count in ("out", "zero", "later", "stays"):
                could = {getattr(make(*table[place]), count) for table in tables}
                assert len(could) > 1 or not 0 < min(could) < fewest, (because, count, tables[0])
