"""`losus rates add` beside a store: recorded in the audit log, and no issued amount is changed by the way."""

import shutil
from pathlib import Path

import orjson

from adapter.agreements.load import OWN_RATES, default_folder
from tests.service import service
from tests.settling.hospital import messages, rows, tell
from tests.settling.test_settle_on_store import losus

SOURCE = ("--source", "HSLF-FS 2018:67, 1 §")


async def test_an_amount_that_was_issued_is_changed_only_on_purpose(dsn: str, tmp_path: Path) -> None:
    """Settlement 8: an issued statement is never changed; what differs is corrected on the next."""
    folder = Path(shutil.copytree(default_folder(), tmp_path / "agreements"))
    given = {"LOSUS_AGREEMENTS": str(folder), "LOSUS_OPERATOR": "anna"}
    async with service(dsn) as client:
        for number, month in enumerate(("2019-01", "2019-02", "2019-03", "2019-04", "2019-05")):
            await tell(client, *messages(number, month, 20))
    issued = losus(dsn, "--month", "2019-04", "--municipality", "2380", "--issue", **given)
    assert issued.returncode == 0, issued.stderr
    add = ("add", "2019", "7900", *SOURCE)
    refused = losus(dsn, *add, command="rates", **given)
    assert refused.returncode == 1
    assert "1 issued statements rest on 7800 SEK of 2019: --change-issued" in refused.stderr
    assert not (folder / OWN_RATES).exists()
    assert losus(dsn, "add", "2019", "7800", *SOURCE, command="rates", **given).returncode == 0, "the same"
    assert losus(dsn, "add", "2018", "7200", *SOURCE, command="rates", **given).returncode == 0, "not issued"
    done = losus(dsn, *add, "--change-issued", command="rates", **given)
    assert done.returncode == 0, done.stderr
    assert "was 7800" in done.stdout
    after = losus(dsn, "--month", "2019-05", "--municipality", "2380", "--format", "json", **given)
    adjusted = [one for line in after.stdout.splitlines() for one in orjson.loads(line)["adjustments"]]
    assert [(one["month"], one["amount_before"], one["amount_after"]) for one in adjusted] == [
        ("2019-04", 46800, 47400)
    ]
    entries = await rows(dsn, "select what, who, outcome from audit where action = 'change: losus rates add'")
    assert sorted(map(tuple, entries)) == sorted(
        (["rates/varddygn/2018"], "anna", "ok")
        if year == 2018
        else (["rates/varddygn/2019"], "anna", outcome)
        for year, outcome in ((2018, "ok"), (2019, "ok"), (2019, "failed"), (2019, "ok"), (2019, "ok"))
    )
