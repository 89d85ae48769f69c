"""What a million stays cost to settle, against plain Python that only reads them.

`measure(count)` runs whole processes: a loop of `orjson.loads` over the lines, `losus settle` and
`losus compare --sweep` of twenty variants, on the same file of 290 municipalities and 36 months. Ratios are
of wall time, start of the interpreter included, and of the seconds that all processors of the whole process
tree spent, which say more on a busy machine; memory is the peak of the largest process, the one that settles.
The one that reads beside it holds its part of the file and is smaller.
"""

import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from adapter.agreements.load import load_book
from adapter.losus.days import LOCAL

MUNICIPALITIES = tuple(sorted(load_book().municipalities))
FIRST, DAYS = datetime(2018, 1, 1, tzinfo=LOCAL), 1096
AGREEMENT, STATUTE = "jamtland-harjedalen-losus-2018", "lus-2017-612"
SWEEP = "threshold=1.5..3.5:0.5 first_payable_day=2..5"
SINCE, UNTIL = "2018-03", "2020-12"

READING = """
import sys, orjson
for line in open(sys.argv[1], "rb"):
    orjson.loads(line)
"""
RUN = """
import resource, subprocess, sys
with open(sys.argv[1], "wb") as to:
    code = subprocess.run(sys.argv[2:], stdout=to).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss, file=sys.stderr)
sys.exit(code)
"""


@dataclass(frozen=True)
class Cost:
    """What a process cost with all that it started: seconds, seconds of processors, peak memory in MB."""

    wall: float
    cpu: float
    peak_mb: float


def measure(count: int = 1_000_000, repeats: int = 2) -> dict[str, Any]:
    """Give the ratios settle : reading and sweep : settle, seconds, and peak memory in MB."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stays.ndjson"
        write(path, count)
        return {"stays": count, **ratios(costs(path, repeats))}


def commands(path: Path) -> dict[str, Sequence[str]]:
    """What is measured on a file."""
    losus = (sys.executable, "-m", "adapter.cli")
    asked = ("--stays", str(path), "--from", SINCE, "--to", UNTIL, "--format", "json")
    return {
        "reading": (sys.executable, "-c", READING, str(path)),
        "settle": (*losus, "settle", "--agreement", AGREEMENT, *asked),
        "statute": (*losus, "settle", "--agreement", STATUTE, *asked),
        "in_force": (*losus, "settle", *asked),
        "sweep": (*losus, "compare", STATUTE, AGREEMENT, *asked, "--sweep", SWEEP),
    }


def costs(path: Path, repeats: int) -> dict[str, Cost]:
    """Measure each command on a file: the best of `repeats` runs, in turns, for other work only adds."""
    runs = [{name: _run(command, path) for name, command in commands(path).items()} for _ in range(repeats)]
    return {
        name: Cost(
            min(run[name].wall for run in runs),
            min(run[name].cpu for run in runs),
            max(run[name].peak_mb for run in runs),
        )
        for name in runs[0]
    }


def ratios(found: Mapping[str, Cost]) -> dict[str, Any]:
    """Set the costs in relation."""
    told: dict[str, Any] = {"peak_mb": {name: round(one.peak_mb) for name, one in found.items()}}
    for kind in ("wall", "cpu"):
        spent = {name: getattr(one, kind) for name, one in found.items()}
        told[f"{kind}_s"] = {name: round(seconds, 2) for name, seconds in spent.items()}
        for name in ("settle", "statute", "in_force"):
            told[f"{kind}_{name}_by_reading"] = round(spent[name] / spent["reading"], 2)
        told[f"{kind}_sweep_by_settle"] = round(spent["sweep"] / spent["settle"], 2)
    return told


def _run(command: Sequence[str], path: Path) -> Cost:
    """Run a whole process."""
    wrapped = [sys.executable, "-c", RUN, str(path.with_suffix(".out")), *command]
    begin = time.perf_counter()
    done = subprocess.run(wrapped, stderr=subprocess.PIPE, check=False, text=True)
    wall = time.perf_counter() - begin
    if done.returncode:
        raise RuntimeError(done.stderr)
    cpu, peak = done.stderr.split()[-2:]
    return Cost(wall, float(cpu), int(peak) / 1024)


def write(path: Path, count: int, towns: int = len(MUNICIPALITIES)) -> None:
    """Write a file of stays: the same one for the same count, of so many municipalities."""
    with path.open("w", encoding="utf-8") as file:
        for row in rows(count, MUNICIPALITIES[:towns]):
            file.write(json.dumps(row) + "\n")


def rows(count: int, towns: Sequence[str] = MUNICIPALITIES) -> Iterator[dict[str, Any]]:
    """Make stays with all that real ones have: late notices, two episodes, other municipalities."""
    chance = random.Random(1)  # noqa: S311 - the same rows each time
    offsets = [(FIRST + timedelta(days=day)).strftime("%z") for day in range(-60, DAYS + 90)]
    stamps = [
        ((FIRST + timedelta(days=day)).strftime("%Y-%m-%d"), f"{offset[:3]}:{offset[3:]}")
        for day, offset in zip(range(-60, DAYS + 90), offsets, strict=True)
    ]
    for number in range(count):
        yield _row(number, chance, stamps, towns)


def _row(
    number: int, chance: random.Random, stamps: Sequence[tuple[str, str]], towns: Sequence[str]
) -> dict[str, Any]:
    end = 60 + chance.randrange(DAYS)
    waits = min(int(chance.expovariate(0.4)), 40)
    ready = end - waits
    admitted = ready - chance.randrange(1, 15)

    def at(day: int) -> str:
        date, offset = stamps[day]
        return f"{date}T{chance.randrange(4, 24):02d}:{chance.randrange(60):02d}:00{offset}"

    sent = at(ready)
    called = (
        None if chance.random() < 0.05 else at(ready + (chance.random() < 0.3) + 4 * (chance.random() < 0.05))
    )
    odd = chance.random()
    episodes = [{"sent_at": sent, "withdrawn_at": None, "home_ready_at": None if odd < 0.02 else sent}]
    if odd > 0.95:
        earlier = at(ready - 1)
        episodes.insert(0, {"sent_at": earlier, "withdrawn_at": sent, "home_ready_at": earlier})
    return {
        "stay": f"stay-{number:07d}",
        "municipality": chance.choice(towns),
        "placing_municipality": chance.choice(towns) if chance.random() < 0.01 else None,
        "care_form": "psychiatric" if chance.random() < 0.1 else "somatic",
        "compulsory": chance.random() < 0.01,
        "admitted_at": at(admitted),
        "notice_sent_at": None if chance.random() < 0.01 else at(admitted + (chance.random() < 0.2)),
        "ready": [] if chance.random() < 0.01 else episodes,
        "sip_required": chance.random() < 0.8,
        "sip_called_at": called,
        "open_care_available": None if chance.random() < 0.02 else chance.random() < 0.97,
        "opposed": chance.random() < 0.02,
        "ended_at": None if chance.random() < 0.002 else max(at(end), sent),
    }


def main() -> None:
    """Print what was measured."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    sys.stdout.write(json.dumps(measure(count), indent=2) + "\n")


if __name__ == "__main__":
    main()
