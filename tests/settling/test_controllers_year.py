"""A controller's year: settled by month, a discharge changed three months back, settled again, explained."""

import orjson

from adapter.losus.days import Month, months
from tests.service import service
from tests.settling.hospital import corrected, messages, rows, settled, tell
from tests.settling.test_settle_on_store import losus

YEAR = tuple(months(Month(2019, 1), Month(2020, 1)))
OCTOBER = 9


async def test_the_difference_is_explained_to_the_krona(dsn: str) -> None:
    async with service(dsn) as client:
        for number, month in enumerate(YEAR):  # one stay a month, nine days after day zero: always over three
            await tell(client, *messages(number, str(month), 20))
        due = []
        for month in YEAR:
            done = await settled(dsn, str(month), str(month.end), issue=True)
            due += [
                int(one.statement.due)
                for one in done.told
                if (one.statement.statement.municipality, one.statement.statement.care_form)
                == ("2380", "somatic")
            ]
        assert due == [0, 0, 0, *[46_800] * 9], "three months of analysis; then days 4 to 9 at 7 800 SEK"
        before = await rows(dsn, "select id, due, bundle from statement order by number")
        await tell(client, corrected(OCTOBER, "2019-10", 18, 3))  # home on the 18th of October, not the 20th
    [(case,)] = await rows(dsn, "select id from cases where key = 'stay-1-9'")

    again = await settled(dsn, "2020-01", "2020-02-01", municipalities=("2380",))
    assert again.folded == 1, "the one case that has changed since December was issued"
    draft = losus(dsn, "--month", "2020-01", "--municipality", "2380", "--format", "fhir")
    told = [entry["resource"] for entry in orjson.loads(draft.stdout)["entry"]]
    [credit] = [one for one in told if one["resourceType"] == "ChargeItem"]
    assert (credit["code"]["coding"][0]["code"], credit["quantity"]["value"]) == ("adjustment-credit", 2)
    assert credit["priceOverride"] == {"value": 15600.0, "currency": "SEK"}
    [claim] = [one for one in told if one["resourceType"] == "Invoice"]
    assert (claim["status"], claim["totalNet"]["value"]) == ("draft", 15600.0), "a credit note"

    january = await settled(dsn, "2020-01", "2020-02-01", issue=True, municipalities=("2380",))
    lines = [
        (str(a.post.month), a.post.stay, a.kind, int(a.payable_days), f"{a.amount:f}")
        for one in january.told
        for a in one.statement.adjustments
    ]
    assert lines == [("2019-10", case, "credit", -2, "-15600")]
    assert await rows(dsn, "select id, due, bundle from statement where month < '2020' order by number") == (
        before
    ), "what was issued is as it was"
    [(total,)] = await rows(dsn, "select sum(due) from statement where municipality = '2380'")
    assert total == 9 * 46_800 - 15_600

    story = losus(dsn, "--explain", case, "--lang", "en").stdout
    [(october,)] = await rows(
        dsn,
        """select id from statement
           where month = '2019-10' and municipality = '2380' and care_form = 'somatic'""",
    )
    for sentence in (
        "Hemgångsklar 2019-10-11 14:30: day zero is the later day, 2019-10-11",
        "Care ended 2019-10-18: 7 days after day zero",
        "Payable from day 4",
        "Day 7, 2019-10-18: SEK 7 800.00",
        "Together SEK 31 200.00.",
        f"Issued on the statement of 2019-10 ({october}) to municipality 2380: SEK 46 800.00.",
        f"2019-10: -2 d, SEK -15 600.00, corrects {october}: facts changed: end of care ",
        "(losus-r4 Encounter/stay-1-9 3)",
    ):
        assert sentence in story, story
    lines = [line for line in story.splitlines() if "2019-10-20" in line]
    assert [line.count("facts changed: end of care 2019-10-20") for line in lines] == [1], (
        "the discharge that was said before holds no more, but as what was corrected"
    )
