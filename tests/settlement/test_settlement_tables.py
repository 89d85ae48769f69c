"""Every table of settlement, row by row; the tables are the specification."""

from collections import Counter

import pytest

from tests.settlement.making import Case
from tests.settlement.tables.counting import COUNTING
from tests.settlement.tables.paying import PAYING

ROWS = [*COUNTING, *PAYING]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.what.replace("/", "|"))
def test_row(row: Case) -> None:
    assert row.got() == row.want, row.because


def test_rows_are_told_apart():
    assert [
        what for what, count in Counter((row.what, repr(row.because)) for row in ROWS).items() if count > 1
    ] == []
