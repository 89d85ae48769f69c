"""The stays in the mean of an excess, with their lengths: a controller works the mean out anew from them."""

from datetime import date
from fractions import Fraction

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.losus.days import Month
from adapter.settlement.bulk import bulk
from adapter.settlement.columns import Columns
from adapter.settlement.ledger import by_name
from adapter.settlement.plain import columns_of_rows
from adapter.settlement.render import dumps, statement_json
from adapter.settlement.settle import settle
from adapter.settlement.statement import Basis, Statement
from adapter.settlement.stay import Stay
from tests.examples import examples
from tests.settlement.making import JH, LUS, VGR, one_price, rules, stay

MAY = Month(2019, 5)


def month_of(days: list[int], agreement: str = VGR) -> tuple[Statement, list[Stay]]:
    stays = [
        stay("2019-05-06 10:00", f"2019-05-{6 + length:02d} 15:00", f"s-{number}")
        for number, length in enumerate(days)
    ]
    (made,) = settle(stays, rules(agreement), one_price(), (MAY,))
    return made, stays


@settings(max_examples=examples(60), deadline=None)
@given(st.lists(st.integers(0, 20), min_size=1, max_size=8))
def test_the_mean_and_the_excess_follow_from_what_is_listed(days: list[int]) -> None:
    told, stays = month_of(days)
    excess = [line for line in told.lines if line.basis is Basis.EXCESS_OVER_MEAN]
    short = [length for length in days if length <= 7]
    mean = Fraction(sum(short), len(short)) if short else None
    assert bool(excess) == (mean is not None and mean > 3), "a list where there is something to check"
    for line in excess:
        assert [one.days for one in line.counted] == [days[int(one.stay[2:])] for one in line.counted]
        assert Fraction(sum(one.days for one in line.counted), len(line.counted)) == told.mean.mean == mean
        assert line.payable_days == (mean - 3) * len(line.counted)
        assert all((one.end - one.zero).days == one.days for one in line.counted)
    fast = by_name(Columns.joined(list(columns_of_rows(stays, []))), rules(VGR), MAY.end)
    [text] = bulk(fast, rules(VGR), one_price(), (MAY,)).json_lines()
    assert text == dumps(statement_json(told)) + b"\n", "the fast way lists the same"


def test_only_where_the_excess_of_a_mean_is_charged() -> None:
    for agreement in (LUS, JH):
        told, _ = month_of([5, 5], agreement)
        assert not any(line.counted for line in told.lines)
        assert b'"counted"' not in dumps(statement_json(told)), "lines of stays say their own length"


def test_as_json() -> None:
    told, _ = month_of([4, 5])
    [line] = orjson.loads(dumps(statement_json(told)))["lines"]
    zero = date(2019, 5, 6).isoformat()
    assert line["counted"] == [
        {"stay": "s-0", "day_zero": zero, "ended": "2019-05-10", "days": 4},
        {"stay": "s-1", "day_zero": zero, "ended": "2019-05-11", "days": 5},
    ]
