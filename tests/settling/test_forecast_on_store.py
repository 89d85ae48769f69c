"""`losus forecast` without a file: the year ahead from the cases of the store."""

from datetime import date

import orjson
import pytest

from adapter.commands.forecast_store import whole_months
from tests.service import service
from tests.settlement.making import span
from tests.settling.hospital import JH, confirmed, messages, tell
from tests.settling.test_settle_on_store import losus


async def test_a_year_from_the_cases_of_the_store(dsn: str) -> None:
    """Four months over three days go round for a year: liable from the fourth, as `settle` has it."""
    async with service(dsn) as client:
        for number, month in enumerate(("2019-01", "2019-02", "2019-03", "2019-04")):
            await tell(client, *messages(number, month, 20))
    await confirmed(dsn)
    settled = losus(dsn, "--agreement", JH, "--month", "2019-04", "--format", "json")
    somatic = orjson.loads(settled.stdout.splitlines()[-1])
    assert (somatic["status"], somatic["payable_days"]) == ("liable", 6)
    done = losus(dsn, "--rate", "7800", "--format", "json", command="forecast")
    assert (done.returncode, done.stderr) == (0, "")
    told = orjson.loads(done.stdout)
    assert (told["agreement"], told["months"]) == (JH, ["2019-01", "2019-02", "2019-03", "2019-04"])
    assert (told["payable_days"], told["amount"]) == (9 * 6, 9 * 6 * 7800)
    narrow = losus(dsn, "--from", "2019-04", "--to", "2019-04", "--rate", "7800", command="forecast")
    assert "like the 1 at hand (2019-04 to 2019-04)" in narrow.stdout


@pytest.mark.parametrize(
    ("today", "kept"),
    [(date(2019, 4, 30), 1), (date(2019, 5, 1), 2), (date(2019, 3, 31), 0), (date(2019, 4, 1), 1)],
)
def test_a_month_that_is_not_over_is_left_out(today: date, kept: int) -> None:
    march_and_april = span("2019-03", "2019-04")
    assert whole_months(march_and_april, today) == list(march_and_april[:kept])


async def test_an_empty_store_has_nothing_to_forecast_from(dsn: str) -> None:
    async with service(dsn):
        pass
    done = losus(dsn, command="forecast")
    assert done.returncode == 2
    assert "no stay that ended in a month that is over" in " ".join(done.stderr.replace("│", " ").split())


async def test_skipping_rows_goes_with_a_file(dsn: str) -> None:
    assert losus(dsn, "--skip-bad", command="forecast").returncode == 2
