"""`losus retention`, as an operator types it: a dry run tells what would go, `--run` takes it out."""

import orjson

from tests.settling.hospital import rows
from tests.settling.test_settle_on_store import losus
from tests.store.aging import counted, made_old, over, sent


async def test_a_dry_run_and_the_run(dsn: str) -> None:
    await sent(dsn, 1)
    await made_old(dsn, 1, over(10))
    # the stay ended years after its last entry, as no real one does: in a month that is not closed
    trial = losus(dsn, "--format", "json", command="retention")
    assert trial.returncode == 0, trial.stderr
    closing, *kinds = [orjson.loads(line) for line in trial.stdout.splitlines()]
    assert closing["run"] is False
    assert closing["closed_through"] is not None
    assert [one["kind"] for one in kinds] == [
        "audit", "statements", "disputes", "follow-ups", "joint-follow-ups", "cases", "messages", "library",
    ]  # fmt: skip
    assert {one["kind"]: one["of"] for one in kinds}["cases"] == {}
    assert await rows(dsn, "select * from books_closed") == []
    run = losus(dsn, "--run", command="retention")
    assert run.returncode == 0, run.stderr
    assert f"settlement is closed through {closing['closed_through']}" in run.stdout
    assert (await counted(dsn, "cases"))["cases"] == 1
    assert await rows(dsn, "select through from books_closed") == [(closing["closed_through"],)]
    wrong = losus(dsn, command="retention", LOSUS_RETENTION__CASES_YEARS="9")
    assert wrong.returncode == 2, "less than the law asks"
    assert "LOSUS_RETENTION__CASES_YEARS" in wrong.stderr
