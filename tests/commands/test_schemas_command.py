"""`losus schemas`: the files that are shipped, with no settings at all; and how `losus conform` ends."""

import json
import subprocess
from pathlib import Path

import pytest

from adapter.outbound.schemas import schemas
from adapter.outbound.topics import make_topics
from adapter.sandbox.broker import Broker
from tests import cli
from tests.topic import cluster_of


def losus(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return cli.run(*arguments, env={})


def test_schemas_are_written_to_a_folder(tmp_path: Path) -> None:
    done = losus("schemas", "--to", str(tmp_path / "new"), "--format", "json")
    assert done.returncode == 0, done.stderr
    listed = [json.loads(line)["file"] for line in done.stdout.splitlines()]
    assert {Path(one).name for one in listed} == {path.name for path in (tmp_path / "new").iterdir()}
    for name, shape in schemas().items():
        assert json.loads((tmp_path / "new" / f"{name}.json").read_text()) == shape
    assert json.loads((tmp_path / "new" / "asyncapi.json").read_text())["asyncapi"] == "3.0.0"


def test_schemas_are_printed_as_one_value() -> None:
    told = json.loads(losus("schemas", "--format", "json").stdout)
    assert told["schemas"] == schemas()
    assert told["asyncapi"]["channels"]["events"]["address"] == "losus.{kommunkod}.events"


def test_this_installation_needs_its_settings() -> None:
    done = losus("schemas", "--installed")
    assert (done.returncode, done.stdout) == (2, "")
    assert "LOSUS_DATABASE" in done.stderr


ENDS = [
    # kommunkod, exit code, word on standard error, because
    ("2380", 1, "the consumer did not start", "nobody answers at the callback"),
    ("9999", 1, "the broker has no such topic", "the municipality has no topics there"),
]


@pytest.mark.usefixtures("topics")
@pytest.mark.parametrize(("municipality", "code", "word", "because"), ENDS)
def test_conform_says_what_it_lacks(
    broker: Broker, municipality: str, code: int, word: str, because: str
) -> None:
    where = ("--kafka", broker.bootstrap, "--callback", "http://127.0.0.1:1", "--municipality", municipality)
    done = losus("conform", *where, "--wait", "1", "--no-transactions", "--anyway")
    assert (done.returncode, word in done.stderr) == (code, True), (because, done.stderr)


@pytest.fixture
async def topics(broker: Broker) -> None:
    await make_topics(cluster_of(broker.bootstrap), ("2380",), partitions=3, replication=1)
