"""The alert rules: each fires on one side of its edge and not on the other, as promtool judges it."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.servers import REPOSITORY, program
from tests.watching.alert_rows import PACES, TABLE, Labels

RULES = REPOSITORY / "helm" / "alerts" / "losus.yaml"
RUNBOOK = REPOSITORY / "helm" / "RUNBOOK.md"


def rules() -> Iterator[dict[str, Any]]:
    for group in yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]:
        yield from group["rules"]


def test_the_rules_are_sound() -> None:
    done = subprocess.run(
        [program("promtool"), "check", "rules", str(RULES)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_fires_on_one_side_of_its_edge_alone(tmp_path: Path) -> None:
    """One run of promtool; a file for each alert, so that no other is worked out meanwhile."""
    files = [_file(tmp_path, rule) for rule in rules()]
    done = subprocess.run(
        [program("promtool"), "test", "rules", *map(str, files)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _file(folder: Path, rule: dict[str, Any]) -> Path:
    alert = rule["alert"]
    evaluation, interval = PACES.get(alert, ("1m", "1m"))
    alone = folder / f"{alert}.rules.yaml"
    alone.write_text(yaml.safe_dump({"groups": [{"name": alert, "rules": [rule]}]}), encoding="utf-8")
    tests = [
        {
            "name": f"{alert} at {minute} min: {because}",
            "interval": interval,
            "input_series": [{"series": name, "values": values} for name, values in series.items()],
            "promql_expr_test": [
                {
                    "expr": f'ALERTS{{alertname="{alert}", alertstate="firing"}}',
                    "eval_time": f"{minute}m",
                    "exp_samples": []
                    if labels is None
                    else [{"labels": _series(alert, {**labels, **rule["labels"]}), "value": 1}],
                }
            ],
        }
        for name, series, minute, labels, because in TABLE
        if name == alert
    ]
    told = {"rule_files": [str(alone)], "evaluation_interval": evaluation, "tests": tests}
    file = folder / f"{alert}.yaml"
    file.write_text(yaml.safe_dump(told), encoding="utf-8")
    return file


def _series(alert: str, labels: Labels) -> str:
    told = {"alertname": alert, "alertstate": "firing", **labels}
    return "ALERTS{" + ", ".join(f'{name}="{value}"' for name, value in told.items()) + "}"


def test_every_alert_has_a_row_on_either_side() -> None:
    assert {alert for alert, *_, labels, _ in TABLE if labels is not None} == {
        rule["alert"] for rule in rules()
    }
    assert {alert for alert, *_, labels, _ in TABLE if labels is None} == {rule["alert"] for rule in rules()}


@pytest.mark.parametrize("rule", list(rules()), ids=lambda rule: str(rule["alert"]))
def test_every_alert_says_what_it_means_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"warning", "critical"}
    said = rule["annotations"]
    assert said.keys() == {"summary", "description", "runbook"}
    file, _, anchor = said["runbook"].partition("#")
    assert file == "helm/RUNBOOK.md"
    assert anchor in anchors()


def anchors() -> list[str]:
    lines = RUNBOOK.read_text(encoding="utf-8").splitlines()
    return [line.removeprefix("### ").lower() for line in lines if line.startswith("### ")]


def test_the_runbook_has_no_section_that_no_alert_leads_to() -> None:
    named = {rule["annotations"]["runbook"].partition("#")[2] for rule in rules()}
    assert sorted(anchors()) == sorted(named)
