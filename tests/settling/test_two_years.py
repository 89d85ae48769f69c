"""Two years of Östersund, Krokom and a guest from Sundsvall, month by month, against a table made by hand.

Bilaga 9: over three days on average in three months in a row, and from the fourth month the municipality pays
from day four (7 100 SEK in 2018, 7 800 SEK in 2019); three months of three days or fewer end it; from the
second time on the three months that opened it are paid too. Psychiatric care has thirty days in 2018.
"""

from collections.abc import Callable, Mapping

import httpx

from adapter.losus.days import Month
from adapter.settings import Source
from adapter.settlement.difference import Issued
from adapter.settlement.reasons import GateReason
from tests.service import service
from tests.settling.hospital import rows, settled, tell
from tests.settling.test_disputes import ask, task
from tests.settling.test_settle_on_store import losus
from tests.settling.two_years import KROKOM, OSTERSUND, SUNDSVALL, play

SOURCES = {
    "losus-r4": Source(mapping="losus-r4"),
    "ostersund": Source(mapping="losus-r4", municipality=OSTERSUND),
}
SOMATIC, PSYCHIATRIC = "somatic", "psychiatric"

#: What each month is when it is issued, from March 2018 to December 2019: F follow-up, A analysis, L liable,
#: R liable and the months before it too.
STATUS = {
    # because: over in March, April and May; July, August and September are not (3 is not over 3); October to
    # December open it again; May, June and July 2019 (nobody) are not; September is not; October to December
    (OSTERSUND, SOMATIC): "AAALLLLAAR LLLLLLLAFAAR",
    # because: November to January open it; in August January proves to be not over, so it never opened
    (KROKOM, SOMATIC): "FFFFFFFFAA ALLLLLLFFFFF",
    # because: over thirty days in October, November and December; in 2019 over three; March to May are not
    (OSTERSUND, PSYCHIATRIC): "FFFFFFFAAA LLLLLFFFFFFF",
    (KROKOM, PSYCHIATRIC): "FFFFFFFFFF FFFFFFFFFFFF",
}
WORDS = {"F": "follow-up", "A": "analysis", "L": "liable", "R": "liable-retroactive"}

#: Every month that costs something or corrects something; all others come to nothing.
#: payable days, SEK of the month, [(month corrected, days, SEK, reason)], because
ISSUED: Mapping[tuple[str, str, str], tuple[int, int, list[tuple[str, int, int, str]], str]] = {
    (OSTERSUND, SOMATIC, "2018-06"): (3, 21_300, [], "6 days: days 4 to 6; 2 days: none"),
    (OSTERSUND, SOMATIC, "2018-08"): (2, 14_200, [], "5 days: days 4 and 5; liable though the mean is 5/2"),
    (OSTERSUND, SOMATIC, "2018-12"): (
        4,
        28_400,
        [("2018-10", 4, 28_400, "gate"), ("2018-11", 1, 7_100, "gate"), ("2018-11", 3, 21_300, "gate")],
        "5 and 5 days; retroactively October (7 days) and November (6 and 4 days)",
    ),
    (OSTERSUND, SOMATIC, "2019-01"): (3, 23_400, [], "6 days"),
    (OSTERSUND, SOMATIC, "2019-02"): (
        2,
        15_600,
        [("2018-11", -2, -14_200, "fact")],
        "4 and 4 days; November's stay ended two days earlier",
    ),
    (OSTERSUND, SOMATIC, "2019-03"): (
        5,
        39_000,
        [("2019-01", -3, -23_400, "dispute")],
        "8 days; January's line is disputed and held off",
    ),
    (OSTERSUND, SOMATIC, "2019-04"): (
        2,
        15_600,
        [("2019-01", 3, 23_400, "dispute"), ("2019-03", -5, -39_000, "dispute")],
        "4 and 4 days; January's dispute was rejected, March's line is held off",
    ),
    (OSTERSUND, SOMATIC, "2019-06"): (
        0,
        0,
        [("2019-02", -1, -7_800, "municipality")],
        "one of February's persons had moved to Krokom before the stay",
    ),
    (OSTERSUND, SOMATIC, "2019-12"): (
        3,
        23_400,
        [
            ("2019-10", 1, 7_800, "gate"),
            ("2019-10", 1, 7_800, "gate"),
            ("2019-11", 2, 15_600, "gate"),
        ],
        "6 days; retroactively October (4 and 4) and November (5)",
    ),
    (OSTERSUND, PSYCHIATRIC, "2019-01"): (
        13,
        100_700,
        [],
        "31 days to 10 January: 10 of 2019 from day 4; 32 days to 2 January: day 30 of 2018, 2 of 2019",
    ),
    (OSTERSUND, PSYCHIATRIC, "2019-02"): (2, 15_600, [], "5 days"),
    (KROKOM, SOMATIC, "2019-02"): (1, 7_800, [], "4 days"),
    (KROKOM, SOMATIC, "2019-04"): (2, 15_600, [], "5 days"),
    (KROKOM, SOMATIC, "2019-05"): (1, 7_800, [], "4 days"),
    (KROKOM, SOMATIC, "2019-06"): (
        0,
        0,
        [("2019-02", 1, 7_800, "municipality")],
        "who had moved here before the stay of February",
    ),
    (KROKOM, SOMATIC, "2019-08"): (
        0,
        0,
        [
            ("2019-02", -1, -7_800, "gate"),
            ("2019-02", -1, -7_800, "gate"),
            ("2019-04", -2, -15_600, "gate"),
            ("2019-05", -1, -7_800, "gate"),
        ],
        "January was not over the threshold after all, so nothing was owed from February on",
    ),
    (SUNDSVALL, SOMATIC, "2019-03"): (
        7,
        54_600,
        [],
        "the statute, 5:4: ten days, days 3 to 9; treated in Jämtland",
    ),
}
TOTAL = {
    OSTERSUND: 21_300 + 14_200 + 28_400 * 3 + 23_400 + 1_400 + 15_600 + 0 - 7_800 + 54_600 + 100_700 + 15_600,
    KROKOM: 0,
    SUNDSVALL: 54_600,
}


async def _disputes(client: httpx.AsyncClient, dsn: str, month: str, asked: dict[str, str]) -> None:
    """What Östersund asks and the region answers before a month is settled."""
    if month == "2019-03":
        asked["January"] = await _dispute(client, "2019-01", 3)
    if month == "2019-04":
        _answer(dsn, asked["January"], "rejected")
        asked["March"] = await _dispute(client, "2019-03", 5)
    if month == "2019-05":
        _answer(dsn, asked["March"], "completed")


async def _dispute(client: httpx.AsyncClient, period: str, days: int) -> str:
    """Dispute the month's line of that many days."""
    found = (await client.get(f"/fhir/ChargeItem?municipality={OSTERSUND}&period={period}")).json()
    items = [entry["resource"] for entry in found["entry"]]
    [line] = [
        item["id"] for item in items if item["quantity"]["value"] == days and item["status"] == "billed"
    ]
    answer = await ask(client, "ostersund", {**task(line), "id": f"question-{period}"})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def _answer(dsn: str, name: str, status: str) -> None:
    given = losus(dsn, "--answer", name, "--status", status, command="disputes")
    assert given.returncode == 0, given.stderr


def _is_as_in_the_table(key: tuple[str, str, str], one: Issued) -> None:
    days, amount, adjustments, because = ISSUED.get(key, (0, 0, [], "nothing is owed"))
    lines = one.statement.lines
    assert (sum(line.payable_days for line in lines), sum(line.amount for line in lines)) == (days, amount), (
        key,
        because,
    )
    corrected = [
        (
            str(each.post.month),
            each.payable_days,
            each.amount,
            " ".join(reason.kind for reason in each.reasons),
        )
        for each in one.adjustments
    ]
    assert sorted(corrected) == sorted(adjustments), (key, because)
    assert one.statement.region == "23", "the region that treated is paid, under the statute too"
    assert one.due == amount + sum(row[2] for row in adjustments), (key, because)


def _gate_is_explained(august: Issued) -> None:
    """The month whose mean decided it, from and to: January's was six days, and is three."""
    gates = {
        reason for each in august.adjustments for reason in each.reasons if isinstance(reason, GateReason)
    }
    [change] = {mean for reason in gates for mean in reason.means if str(mean.month) == "2019-01"}
    assert (change.before, change.after) == ("6", "3")


Key = tuple[str, str, str]


async def issue_two_years(dsn: str, look: Callable[[Key, Issued], None]) -> dict[Key, Issued]:
    """Play the two years; each month is issued on the first of the next, by what has arrived until then.

    `look` sees each statement when it is issued, so that what is wrong is found in its own month.
    """
    issued: dict[Key, Issued] = {}
    asked: dict[str, str] = {}
    async with service(dsn, sources=SOURCES) as client:
        for month, messages in play():
            await tell(client, *messages)
            await _disputes(client, dsn, month, asked)
            done = await settled(dsn, month, str(Month.parse(month).end), issue=True)
            assert (done.refused, done.by_hand) == ([], []), month
            for one in done.told:
                statement = one.statement.statement
                key = (statement.municipality, statement.care_form, month)
                issued[key] = one.statement
                look(key, one.statement)
    return issued


async def test_two_years_come_out_to_the_krona(dsn: str) -> None:
    issued = await issue_two_years(dsn, _is_as_in_the_table)
    assert set(ISSUED) <= set(issued)
    for payer, letters in STATUS.items():
        months = sorted(month for *who, month in issued if tuple(who) == payer)
        seen = [issued[(*payer, month)].statement.status.value for month in months]
        assert seen == [WORDS[letter] for letter in letters.replace(" ", "")], payer
    _gate_is_explained(issued[KROKOM, SOMATIC, "2019-08"])
    total = await rows(dsn, "select municipality, sum(due)::int from statement group by 1")
    assert {code: due for code, due in total if due} == {code: due for code, due in TOTAL.items() if due}
