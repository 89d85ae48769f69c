"""`losus metrics`: what `/metrics` tells, metric by metric.

Owns the table (`helm/METRICS.md` is what it prints); the metrics are in `adapter.watch`.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Annotated

import typer
from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase

from adapter import watch
from adapter.commands.output import print_json

_ENDINGS = {Counter: ("_total",), Histogram: ("_bucket", "_sum", "_count"), Gauge: ("",)}


class Form(StrEnum):
    """How it is printed."""

    MARKDOWN = "markdown"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Described:
    """One metric; `series` are its names in Prometheus.

    `replicas`: how the figures of several are put together, `sum` or `max`; `each` is of one process.
    """

    name: str
    type: str
    labels: tuple[str, ...]
    replicas: str
    meaning: str
    series: tuple[str, ...]


def metrics_command(form: Annotated[Form, typer.Option("--format")] = Form.MARKDOWN) -> None:
    """List the metrics of `/metrics`: name, labels, and how those of several replicas are put together."""
    found = list(described())
    if form is Form.JSON:
        for one in found:
            print_json(asdict(one))
        return
    print(table(found), end="")  # noqa: T201 - data


def described() -> Iterator[Described]:
    """The metrics of `adapter.watch`, by name."""
    metrics = [one for one in vars(watch).values() if isinstance(one, MetricWrapperBase)]
    for metric in sorted(metrics, key=lambda one: _told(one)[0]):
        name, meaning = _told(metric)
        ending = _ENDINGS[type(metric)]
        yield Described(
            name + "_total" if isinstance(metric, Counter) else name,
            type(metric).__name__.lower(),
            tuple(metric._labelnames),  # noqa: SLF001 - the library tells them nowhere else
            _replicas(metric),
            meaning,
            tuple(name + one for one in ending),
        )


def table(found: list[Described]) -> str:
    """As Markdown."""
    rows = [
        f"| `{one.name}` | {one.type} | {', '.join(one.labels)} | {one.replicas} | {one.meaning} |"
        for one in found
    ]
    head = "| metric | type | labels | replicas | meaning |\n| --- | --- | --- | --- | --- |"
    return "\n".join((head, *rows, ""))


def _told(metric: MetricWrapperBase) -> tuple[str, str]:
    (told,) = metric.describe()
    return told.name, told.documentation


def _replicas(metric: MetricWrapperBase) -> str:
    if isinstance(metric, Counter | Histogram):
        return "sum"
    return "each" if metric in watch.PER_PROCESS else "max"
