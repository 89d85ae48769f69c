"""The chart's Strimzi resources are those that `losus topics apply --format strimzi` prints."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from typer.main import get_command

from adapter.agreements.load import load_book
from adapter.cli import app
from adapter.outbound.access_lists import strimzi
from adapter.outbound.topics import TopicTerms
from tests.helm.charting import VALUES, objects, objects_of, settings_of, template

KINDS = ("KafkaTopic", "KafkaUser")


def comparable(found: Any) -> dict[tuple[str, str], Any]:
    """By kind and name, what matters of each: version, the cluster it is for, what is asked for."""
    return {
        (one["kind"], one["metadata"]["name"]): (
            one["apiVersion"], one["metadata"]["labels"]["strimzi.io/cluster"], one["spec"],
        )
        for one in found
        if one is not None and one["kind"] in KINDS
    }  # fmt: skip


def test_chart_and_command_agree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = objects_of("strimzi")
    path = tmp_path / "settings.yaml"
    settings = settings_of(found)
    settings["kafka"] |= {"tls": {}, "sasl": None}  # whose files are in the cluster
    settings["staff"]["tokens"]["jwks"] = "https://login.region.example/jwks"
    path.write_text(json.dumps(settings), "utf-8")
    monkeypatch.setenv("LOSUS_SETTINGS", str(path))
    monkeypatch.setenv("LOSUS_DATABASE", "postgresql://localhost/losus")
    monkeypatch.setenv("LOSUS_SECRET", "Vq3r0-hTz8kLw2Xn9PbY5cJd7fGmSa4u")
    argv = [
        "topics",
        "apply",
        "--format",
        "strimzi",
        "--cluster",
        "kafka",
        "--authentication",
        "scram-sha-512",
    ]
    told = CliRunner().invoke(get_command(app), argv)
    assert told.exit_code == 0, told.output
    printed = comparable(yaml.load_all(told.stdout, yaml.CSafeLoader))
    assert len(printed) == 3 + 2 * 3 + 2 + 2 + 2 + 1  # the unit of open care has two topics and a user
    assert comparable(found) == printed
    assert {one["metadata"]["namespace"] for one in found if one["kind"] in KINDS} == {"kafka"}


@pytest.mark.parametrize(
    ("kafka", "terms", "because"),
    [
        ({}, TopicTerms(), "the defaults are the same"),
        ({"replication": 1}, TopicTerms(replication=1), "never fewer copies than one"),
        ({"replication": 5}, TopicTerms(replication=5), "one less than there are"),
        ({"replication": 3, "min_insync": 1, "partitions": 12}, TopicTerms(12, 3, 1), "as said"),
        ({"retention_days": 36500}, TopicTerms(retention_days=36500), "milliseconds of a century stay whole"),
    ],
)
def test_figures_are_those_of_the_settings(
    tmp_path: Path, kafka: dict[str, int], terms: TopicTerms, because: str
) -> None:
    values = yaml.safe_load((VALUES / "strimzi.yaml").read_text("utf-8"))
    for key in ("partitions", "replication", "retention_days"):
        del values["settings"]["kafka"][key]
    values["settings"]["kafka"] |= kafka
    values["strimzi"] |= {"api": "v1beta2", "authentication": "tls"}
    path = tmp_path / "values.json"
    path.write_text(json.dumps(values), "utf-8")
    done = template("--values", str(path))
    assert done.returncode == 0, done.stderr
    expected = strimzi(
        ["0180", "2380", "region.zata"], terms, cluster="kafka", api="v1beta2", authentication="tls"
    )
    assert comparable(objects(done.stdout)) == comparable(expected), because


def test_all_municipalities_of_sweden(tmp_path: Path) -> None:
    codes = load_book().municipalities
    path = tmp_path / "sweden.json"  # a YAML writer leaves 0180 unquoted, and Helm reads a number
    change = {"settings": {"subscribers": {code: {"name": name} for code, name in codes.items()}}}
    path.write_text(json.dumps(change), "utf-8")
    done = template("--values", str(VALUES / "strimzi.yaml"), "--values", str(path))
    assert done.returncode == 0, done.stderr
    terms = TopicTerms(6, 3, None, 120)
    expected = strimzi(
        [*codes, "region.zata"], terms, cluster="kafka", api="v1", authentication="scram-sha-512"
    )
    assert comparable(objects(done.stdout)) == comparable(expected)
    assert len(codes) == 290
