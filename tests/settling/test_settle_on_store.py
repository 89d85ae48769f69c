"""`losus settle` on the store, as a controller types it: exit codes, JSON, and what people are told."""

import os
import subprocess
from pathlib import Path

import orjson

from tests import cli
from tests.service import service, settings
from tests.settling.hospital import JH, confirmed, messages, rows, tell


def losus(
    dsn: str, *arguments: str, command: str = "settle", **more: str
) -> subprocess.CompletedProcess[str]:
    given = settings(dsn)
    environment = os.environ | {
        "LOSUS_DATABASE": dsn,
        "LOSUS_SECRET": given.secret.get_secret_value(),
        "LOSUS_REGION": given.region.model_dump_json(),
        "LOSUS_OPEN_DOORS": "true",
        "LOSUS_SOURCES": '{"losus-r4": {"mapping": "losus-r4"}}',
        "LOSUS_SUBSCRIBERS": '{"2380": {"name": "Östersund"}}',
        "COLUMNS": "200",
        **more,
    }
    return cli.run(command, *arguments, env=environment)


async def test_a_controllers_year(dsn: str) -> None:
    async with service(dsn) as client:
        for number, month in enumerate(("2019-01", "2019-02", "2019-03", "2019-04")):
            await tell(client, *messages(number, month, 20))
    await confirmed(dsn)
    draft = losus(dsn, "--agreement", JH, "--month", "2019-04", "--format", "json")
    assert (draft.returncode, draft.stderr) == (0, "")
    told = [orjson.loads(line) for line in draft.stdout.splitlines()]
    assert [(one["care_form"], one["issued"], one["to_invoice"]) for one in told] == [
        ("psychiatric", False, 0),
        ("somatic", False, 46800),
    ]
    assert await rows(dsn, "select * from statement") == []
    issued = losus(dsn, "--month", "2019-04", "--municipality", "2380", "--issue")
    assert issued.returncode == 0, issued.stderr
    assert "46 800" in issued.stdout
    assert "2380 somatic 2019-04: issued now, to invoice 46800 SEK" in issued.stdout
    again = losus(dsn, "--month", "2019-04", "--issue", "--format", "json")
    assert [orjson.loads(line)["new"] for line in again.stdout.splitlines()] == [False, False]
    bundle = orjson.loads(losus(dsn, "--month", "2019-04", "--format", "fhir").stdout)
    assert "Invoice" in {entry["resource"]["resourceType"] for entry in bundle["entry"]}
    csv = losus(dsn, "--month", "2019-04", "--format", "csv").stdout.splitlines()
    assert csv[2].startswith(f"2380,somatic,2019-04,{JH},1,9,9,3,liable,6,46800,46800")
    [(case_id,)] = await rows(dsn, "select id from cases where key = 'stay-1-3'")
    explained = losus(dsn, "--explain", case_id)
    assert "Tillsammans 46 800,00 kr." in explained.stdout
    assert "losus-r4 Encounter/stay-1-3 2" in explained.stdout


async def test_the_monthly_follow_up(dsn: str) -> None:
    async with service(dsn) as client:
        await tell(client, *messages(1, "2019-03", 20), *messages(2, "2019-03", 12))
    run = losus(dsn, "--month", "2019-03", "--municipality", "2380", "--follow-up")
    assert run.returncode == 0, run.stderr
    report = orjson.loads(run.stdout)["entry"][0]["resource"]
    said = {
        group["code"]["coding"][0]["code"]: (
            [one.get("count") for one in group["population"]],
            group.get("measureScore", {}).get("value"),
        )
        for group in report["group"]
    }
    assert said["mean-days"] == ([2, 2], 5), "nine days and one"
    assert said["admission-notice-share"] == ([2, 2, 2], 1), "four hours after admission"
    assert said["information-transfer-share"] == ([2, 2, 2], 1)
    assert said["return-share"] == ([0, 0, 0], None), "their thirty days end in April"
    assert losus(dsn, "--month", "2019-03", "--follow-up").returncode == 2, "of which municipality?"


async def test_the_scheduled_run(dsn: str) -> None:
    async with service(dsn) as client:
        await tell(client, *messages(1, "2019-03", 20))
    await confirmed(dsn)
    unset = losus(dsn, "--due")
    assert unset.returncode == 2
    assert "LOSUS_SETTLE_FROM" in unset.stderr
    for fresh in (True, False):
        run = losus(dsn, "--due", "--format", "json", LOSUS_SETTLE_FROM="2026-09")
        assert run.returncode == 0, run.stderr
        assert bool(run.stdout.strip()) is fresh, "what is due is issued once"


async def test_a_year_without_a_rate_is_told_and_ends_with_1(dsn: str) -> None:
    async with service(dsn) as client:
        for number, month in enumerate(("2021-01", "2021-02", "2021-03", "2021-04")):
            await tell(client, *messages(number, month, 20))
    refused = losus(dsn, "--month", "2021-04", "--issue")
    assert refused.returncode == 1
    assert "losus: 2380 2021-04: unknown rate 2021; nothing was issued of it" in refused.stderr


async def test_wrong_use_ends_with_2(dsn: str, tmp_path: Path) -> None:
    file = tmp_path / "stays.ndjson"
    file.write_text("")
    for arguments in (
        (),
        ("--month", "mars"),
        ("--month", "2019-03", "--due"),
        ("--due", "--issue"),
        ("--month", "2019-03", "--early", "because"),
        ("--stays", str(file), "--month", "2019-03"),
        ("--stays", str(file), "--issue"),
        ("--month", "2019-03", "--from", "2019-01"),
        ("--month", "2019-03", "--agreement", "no-such"),
        ("--month", "2019-03", "--municipality", "9999"),
        ("--explain", "x", "--lang", "fi"),
    ):
        assert losus(dsn, *arguments).returncode == 2, arguments
    missing = losus(dsn, "--explain", "nobody")
    assert (missing.returncode, missing.stderr.strip()) == (1, "losus: error: no such stay")
