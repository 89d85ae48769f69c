"""What is watched is there: the series and labels that dashboard and alerts ask for, each metric told of."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from adapter import watch
from adapter.commands.metrics import described, table
from tests.servers import REPOSITORY, program
from tests.watching.queries import faults_of, parsed

HELM = REPOSITORY / "helm"
DASHBOARD = HELM / "dashboards" / "losus.json"
RULES = HELM / "alerts" / "losus.yaml"
#: What Prometheus adds to every series when it scrapes it.
TARGET = frozenset({"instance", "job", "namespace", "pod"})
#: Of others: the Python client about its own process; kube-state-metrics.
FOREIGN = {
    "process_resident_memory_bytes": TARGET,
    "process_cpu_seconds_total": TARGET,
    "kube_job_status_failed": frozenset({"namespace", "job_name"}),
}
KNOWN = FOREIGN | {
    name: frozenset(one.labels) | TARGET | ({"le"} if name.endswith("_bucket") else frozenset())
    for one in described()
    for name in one.series
}
UNITS = {"s", "none", "reqps", "percentunit", "bytes", "d", "dateTimeAsIso"}


def board() -> dict[str, Any]:
    told: dict[str, Any] = orjson.loads(DASHBOARD.read_bytes())
    return told


def panels() -> Iterator[dict[str, Any]]:
    return (one for one in board()["panels"] if one["type"] != "row")


def asked() -> Iterator[tuple[str, str]]:
    """Where an expression stands, and the expression."""
    for one in panels():
        for target in one["targets"]:
            yield f"{one['title']} {target['refId']}", target["expr"]
    for group in yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]:
        for rule in group["rules"]:
            yield rule["alert"], rule["expr"]


@pytest.mark.parametrize(("where", "expression"), list(asked()))
def test_what_is_asked_for_is_there(where: str, expression: str) -> None:
    assert faults_of(expression, KNOWN) == [], where


@pytest.mark.parametrize(
    ("expression", "fault", "because"),
    [
        ("sum(losus_nonsense)", "no series losus_nonsense", "of no metric"),
        ("sum(rate(losus_messages_total[5m] offset 1d))", None, "within functions"),
        ("sum(rate(losus_nonsense[5m] offset 1d))", "no series losus_nonsense", "within functions"),
        ('losus_messages_total{lane="a"}', "losus_messages_total has no label lane", "another's label"),
        (
            "sum by (lane) (losus_messages_total)",
            "nothing asked for has a label lane",
            "grouped by another's",
        ),
        ("max_over_time((time() - max(losus_nonsense))[7d:1h])", "no series losus_nonsense", "in a subquery"),
        ("-losus_nonsense > 1", "no series losus_nonsense", "below a sign"),
        ("losus_messages", "no series losus_messages", "a counter ends in _total"),
        ("sum by (le) (losus_publish_seconds_bucket)", None, "a histogram's own label"),
        (
            "histogram_quantile(0.5, sum by (le) (losus_publish_seconds_sum))",
            "nothing asked for has a label le",
            "-",
        ),
    ],
)
def test_what_is_not_there_is_found(expression: str, fault: str | None, because: str) -> None:
    assert faults_of(expression, KNOWN) == ([] if fault is None else [fault]), because


def test_no_expression_is_broken() -> None:
    with pytest.raises(ValueError, match=r".*"):
        parsed("sum by (a (b)")


def test_promtool_can_read_what_the_dashboard_asks_for(tmp_path: Path) -> None:
    """Grafana's variables stand where PromQL has a text or a time."""
    words = {"$__rate_interval": "5m"}
    rules = [
        {
            "record": f"dashboard:{index}",
            "expr": re.sub(r"\$__\w+", lambda one: words[one[0]], target["expr"]),
        }
        for index, target in enumerate(target for one in panels() for target in one["targets"])
    ]
    file = tmp_path / "dashboard.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}), encoding="utf-8")
    done = subprocess.run(
        [program("promtool"), "check", "rules", str(file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("one", list(panels()), ids=lambda one: str(one["title"]))
def test_every_panel_says_what_it_shows(one: dict[str, Any]) -> None:
    source = {"type": "prometheus", "uid": "${datasource}"}
    assert one["datasource"] == source
    assert all(target["datasource"] == source for target in one["targets"])
    assert one["description"].endswith((".", "…", ")."))
    assert one["fieldConfig"]["defaults"]["unit"] in UNITS
    assert len({target["refId"] for target in one["targets"]}) == len(one["targets"]) > 0


def test_panels_have_a_place_each() -> None:
    taken: set[tuple[int, int]] = set()
    for one in board()["panels"]:
        place = one["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, one["title"]
        assert place["x"] + place["w"] <= 24, one["title"]
        taken |= cells
    ids = [one["id"] for one in board()["panels"]]
    assert len(ids) == len(set(ids))


def test_variables_are_asked_of_metrics_that_are_there() -> None:
    for one in board()["templating"]["list"]:
        if one["type"] == "query":
            name, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", one["definition"]).groups()  # type: ignore[union-attr]
            assert label in KNOWN[name]
    used = set(re.findall(r"\$(\w+)", DASHBOARD.read_text(encoding="utf-8")))
    known = {one["name"] for one in board()["templating"]["list"]} | {"__rate_interval", "__all"}
    assert used - {"datasource"} <= known


def test_every_metric_is_shown_or_asked_about() -> None:
    """A figure that nobody looks at is one too many."""
    text = DASHBOARD.read_text(encoding="utf-8") + RULES.read_text(encoding="utf-8")
    assert [one.name for one in described() if not any(series in text for series in one.series)] == []


def test_the_table_of_metrics_is_that_of_the_code() -> None:
    """`losus metrics > helm/METRICS.md`."""
    assert (HELM / "METRICS.md").read_text(encoding="utf-8") == table(list(described()))


def test_every_metric_of_the_code_is_one_of_the_table() -> None:
    """No metric is made elsewhere than in `watch`, so that none is missing in the table."""
    makers = re.compile(r"\b(?:Counter|Gauge|Histogram|Summary|Info)\(\s*[\"']losus_")
    places = {
        path.relative_to(REPOSITORY).as_posix()
        for path in (REPOSITORY / "adapter").rglob("*.py")
        if makers.search(path.read_text(encoding="utf-8"))
    }
    assert places == {"adapter/watch.py"}
    said = makers.findall(Path(watch.__file__).read_text(encoding="utf-8"))
    assert len(said) == len(list(described()))
