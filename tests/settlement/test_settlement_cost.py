"""What settling a file costs, held against plain Python that reads the same file with orjson.

Seconds of all processors of the whole process tree are compared, for they mean something on a busy machine
too; what a process costs that reads one stay is taken off both sides. A tenth of a million stays, of a tenth
of the municipalities, have as many statements a stay as the whole has. The limits lie about two thirds above
what was measured on a machine with five times as much to do as it had processors: twice the work fails.
`make bench` measures the million by the clock, start included; six times reading is what may be spent there.
"""

from collections.abc import Mapping

import pytest

from tests.bench.settlement_scale import MUNICIPALITIES, Cost, costs, write

pytestmark = pytest.mark.long

MILLION, COUNT = 1_000_000, 100_000


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Cost]:
    path = tmp_path_factory.mktemp("many") / "stays.ndjson"
    write(path, COUNT, len(MUNICIPALITIES) * COUNT // MILLION)
    return costs(path, repeats=2)


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Cost]:
    path = tmp_path_factory.mktemp("one") / "stays.ndjson"
    write(path, 1)
    return costs(path, repeats=2)


@pytest.mark.parametrize(
    ("command", "limit", "measured"),
    [
        ("settle", 6.0, "3.5: by one agreement, few of whose months are liable"),
        ("statute", 7.2, "4.3: by one agreement, all of whose months are liable"),
        ("in_force", 8.8, "5.3: by what is in force for each stay"),
        ("sweep", 11.5, "6.9: two agreements, and twenty variants of one"),
    ],
)
def test_settling_costs_a_few_times_reading(many, one, command, limit, measured):
    reading = many["reading"].cpu - one["reading"].cpu
    assert (many[command].cpu - one[command].cpu) / reading < limit, measured


def test_twenty_variants_cost_less_than_four_settlements(many):
    assert many["sweep"].cpu < 4 * many["settle"].cpu


def test_memory_is_bounded(many, one):
    """Read on to a million, each command would need less than 600 MB."""
    for command in ("settle", "statute", "in_force", "sweep"):
        start = one[command].peak_mb
        assert start + (many[command].peak_mb - start) * MILLION / COUNT < 600, command
