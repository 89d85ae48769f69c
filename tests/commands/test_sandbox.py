"""`losus sandbox` and `losus demo` as a newcomer runs them: up, used, stopped, and nothing left behind."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from adapter.mapping.load import default_folder
from adapter.sandbox.sandbox import MUNICIPALITIES
from tests.kafka import foreign
from tests.servers import eventually
from tests.service import EXAMPLES

pytestmark = pytest.mark.slow

LOSUS = (sys.executable, "-m", "adapter.cli")
FIRST = EXAMPLES / "01-admission.json"


@contextmanager
def sandbox() -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """A running sandbox and the line that it printed."""
    argv = (*LOSUS, "sandbox", "--format", "json")
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout
        try:
            yield process, json.loads(process.stdout.readline())
        finally:
            process.kill()


def family(pid: int) -> list[psutil.Process]:
    """All that a process has started, directly or not."""
    return psutil.Process(pid).children(recursive=True)


def gone(processes: list[psutil.Process]) -> bool:
    return not [one for one in processes if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.usefixtures("kcat")
def test_a_sandbox_is_used_and_stops_on_ctrl_c() -> None:
    with sandbox() as (process, addresses):
        assert set(addresses) == {"http", "kafka", "postgres", "pid", "settings", "secret"}
        assert addresses["pid"] == process.pid
        stated = httpx.get(f"{addresses['http']}/fhir/metadata").json()
        assert stated["implementation"]["url"] == f"{addresses['http']}/fhir", "where it listens"
        assert httpx.get(f"{addresses['http']}/readyz").json() == {
            "ready": True,
            "database": True,
            "broker": True,
            "why": [],
            "lag_s": 0.0,
            "apart": {},
            "parked_cases": 0,
        }
        sent = subprocess.run(
            [*LOSUS, "send", str(FIRST), "--to", addresses["http"], "--format", "json"],
            capture_output=True,
            check=True,
            text=True,
        )
        assert json.loads(sent.stdout)["code"] == "ok"
        listed = httpx.get(
            f"{addresses['http']}/cases", params={"source": "losus-r4", "key": "stay-1"}
        ).json()
        assert [case["state"] for case in listed["cases"]] == ["admitted"]
        topic = "losus.2380.events"
        assert eventually(lambda: len(foreign.kcat(addresses["kafka"], topic)) == 1)
        assert _settles(addresses), "its settings file is all that a command needs"
        assert Path(addresses["secret"]).stat().st_mode & 0o077 == 0
        started = family(process.pid)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    assert eventually(lambda: gone(started))
    assert not Path(addresses["settings"]).exists()


def _settles(addresses: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the statements of Östersund's March, by `losus settle` on the sandbox's database."""
    argv = [*LOSUS, "settle", "--month", "2018-03", "--municipality", "2380", "--format", "json"]
    given = os.environ | {"LOSUS_SETTINGS": addresses["settings"]}
    done = subprocess.run(argv, capture_output=True, check=True, text=True, env=given)
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.usefixtures("kcat")
def test_every_shipped_mapping_is_a_source_and_every_municipality_has_its_topics() -> None:
    with sandbox() as (_, addresses):
        for path in default_folder().glob("*.yaml"):
            answer = httpx.post(f"{addresses['http']}/fhir/{path.stem}/$process-message", content=b"{")
            assert answer.status_code == 400, path.stem
        assert sorted(MUNICIPALITIES) == ["2303", "2305", "2309", "2313", "2321", "2326", "2361", "2380"]
        for code in MUNICIPALITIES:
            assert foreign.kcat(addresses["kafka"], f"losus.{code}.events") == []


def test_a_sandbox_in_the_background_of_a_shell_stops_on_sigint_too(tmp_path: Path) -> None:
    """A shell without job control starts what it puts in the background with SIGINT ignored."""
    said = tmp_path / "said"
    command = f"exec {' '.join(LOSUS)} sandbox --format json > {said}"
    with subprocess.Popen(["/bin/sh", "-c", f"trap '' INT; {command}"], stderr=subprocess.DEVNULL) as process:
        try:
            assert eventually(lambda: said.exists() and said.read_text().endswith("\n"), within_s=60)
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0
        finally:
            process.kill()


def test_nothing_outlives_a_killed_sandbox() -> None:
    with sandbox() as (process, _):
        started = family(process.pid)
        assert len(started) >= 6, "database, broker, service and relay, and who guards them"
        os.kill(process.pid, signal.SIGKILL)
        assert eventually(lambda: gone(started), within_s=20)


@pytest.mark.parametrize("times", [2])
def test_two_demos_at_once_play_to_the_end(times: int) -> None:
    demos = [
        subprocess.Popen([*LOSUS, "demo"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(times)
    ]
    for demo in demos:
        out, err = demo.communicate(timeout=120)
        assert demo.returncode == 0, err
        for word in (
            "inskriven",
            "utskrivningsklar",
            "hemgångsklar",
            "utskriven",
            "284 000",
            "MeasureReport",
        ):
            assert word in out
