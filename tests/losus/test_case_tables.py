"""Every table of the case, row by row; the tables are the specification of the fold."""

import pytest

from tests.losus.tables.rows import ROWS
from tests.losus.telling import Row, failures


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_row(row: Row) -> None:
    assert failures(row) == {}, row.because
