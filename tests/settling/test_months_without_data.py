"""Row 25 on the store: no data is not the same as nobody waited. Nothing is issued of it but by people."""

from pathlib import Path

import orjson

from adapter.losus.days import Month
from adapter.settling.run import Unknown
from tests.service import service
from tests.settling.hospital import messages, rows, settled, tell
from tests.settling.test_settle_on_store import losus

ISSUED = "select care_form, month from statement where municipality = '2380' order by month, care_form"
TOWN = {"issue": True, "municipalities": ("2380",), "complete": False}


async def test_a_month_without_a_message_waits_for_people(dsn: str) -> None:
    """The hospital sends of January and March alone, and nothing at all of psychiatric care."""
    async with service(dsn) as client:
        await tell(client, *messages(1, "2019-01", 20), *messages(2, "2019-03", 20))
    found = {}
    for month in ("2019-01", "2019-02", "2019-03"):
        done = await settled(dsn, month, "2019-05-02", **TOWN)
        found[month] = done.unknown
        assert not done.refused
    assert await rows(dsn, ISSUED) == [("somatic", "2019-01"), ("somatic", "2019-03")]
    psychiatric = [Unknown("2380", "psychiatric", Month.parse(month), ()) for month in found]
    assert found == {
        "2019-01": psychiatric[:1],
        "2019-02": [psychiatric[1], Unknown("2380", "somatic", Month(2019, 2), ("losus-r4",))],
        "2019-03": psychiatric[2:],
    }
    follow_ups = await rows(dsn, "select month from follow_up where municipality = '2380' order by month")
    assert follow_ups == [("2019-01",), ("2019-03",)], "of what is known"
    assert await rows(dsn, "select * from statistic") == [], "told once: not before all is known"


async def test_the_gate_passes_over_it_until_people_say_that_nothing_happened(dsn: str) -> None:
    """Bilaga 9: three months in a row. Without data of February, January, March and April are in a row."""
    async with service(dsn) as client:
        for number, month in enumerate(("2019-01", "2019-03", "2019-04", "2019-05")):
            await tell(client, *messages(number, month, 20))
    drafts = await settled(dsn, "2019-05", "2019-06-01", municipalities=("2380",), complete=False)
    assert [one.statement.statement.status.value for one in drafts.told] == ["no-data", "liable"]
    say = ("--confirm-empty", "somatic", "--month", "2019-02", "--because", "Avdelningen var stängd.")
    for words in ("confirmed", "confirmed before"):
        run = losus(dsn, *say, LOSUS_OPERATOR="anna")
        assert (run.returncode, run.stdout) == (0, f"2019-02 somatic: {words}: nothing happened\n"), (
            run.stderr
        )
    audit = "select who, what, why from audit where action = 'change: losus settle' order by number"
    assert (await rows(dsn, audit))[0] == (
        "anna",
        ["settlement/somatic/2019-02"],
        "Avdelningen var stängd.",
    )
    drafts = await settled(dsn, "2019-05", "2019-06-01", municipalities=("2380",), complete=False)
    status = {one.statement.statement.care_form: one.statement.statement.status.value for one in drafts.told}
    assert status == {"psychiatric": "no-data", "somatic": "analysis"}


async def test_what_will_never_come_is_issued_as_no_data_and_corrected_if_it_comes(dsn: str) -> None:
    async with service(dsn) as client:
        for number, month in enumerate(("2019-01", "2019-02", "2019-03", "2019-05")):
            await tell(client, *messages(number, month, 20))
    asked = ("--month", "2019-04", "--municipality", "2380", "--issue")
    waiting = losus(dsn, *asked)
    assert waiting.returncode == 0, waiting.stderr
    assert "losus: 2019-04 somatic: no data (no message from losus-r4); not issued to 2380" in waiting.stderr
    assert "no data (no message of this care form)" in waiting.stderr
    assert await rows(dsn, ISSUED) == []
    run = losus(dsn, *asked, "--no-data", "Journalsystemet förlorade april.", "--format", "json")
    told = [orjson.loads(line) for line in run.stdout.splitlines()]
    assert [(one["care_form"], one["status"], one["stays"], one["mean"], one["new"]) for one in told] == [
        ("psychiatric", "no-data", None, None, True),
        ("somatic", "no-data", None, None, True),
    ]
    async with service(dsn) as client:
        await tell(client, *messages(9, "2019-04", 20))
    done = await settled(dsn, "2019-05", "2019-06-01", **TOWN)
    [may] = [one.statement for one in done.told if one.statement.statement.care_form == "somatic"]
    [adjustment] = may.adjustments
    assert (adjustment.kind, f"{adjustment.amount:f}") == ("debit", "46800")
    assert [reason.kind for reason in adjustment.reasons] == ["fact", "gate"]
    [again] = may.measures
    assert (again.number, again.statement.status.value) == (2, "liable")


async def test_a_month_is_empty_with_a_reason_and_when_it_is_over(dsn: str, tmp_path: Path) -> None:
    stays = tmp_path / "stays.ndjson"
    stays.write_text("")
    for arguments in (
        ("--confirm-empty", "somatic", "--month", "2019-02"),
        ("--confirm-empty", "somatic", "--because", "x"),
        ("--confirm-empty", "dental", "--month", "2019-02", "--because", "x"),
        ("--confirm-empty", "somatic", "--month", "2199-01", "--because", "x"),
        ("--confirm-empty", "somatic", "--month", "2019-02", "--because", "x", "--issue"),
        ("--month", "2019-02", "--because", "x"),
        ("--month", "2019-02", "--no-data", "x"),
        ("--stays", str(stays), "--confirm-empty", "somatic"),
    ):
        assert losus(dsn, *arguments).returncode == 2, arguments
    assert await rows(dsn, "select * from confirmed_empty") == []
