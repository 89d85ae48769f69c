"""What PromQL asks for: the series of an expression, with the labels that it names of them."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import promql_parser

#: Variables of Grafana's own, by something of the same kind that PromQL can read.
_GRAFANA = {"$__rate_interval": "5m", "$__interval": "5m", "$__range": "1h"}


def parsed(expression: str) -> Any:
    """The expression as a tree; ValueError where it is none."""
    for name, value in _GRAFANA.items():
        expression = expression.replace(name, value)
    return promql_parser.parse(expression)


def series_of(tree: Any) -> Iterator[tuple[str, frozenset[str]]]:
    """The series that a tree selects, each with the labels that its selector names."""
    if isinstance(tree, promql_parser.VectorSelector):
        yield tree.name, frozenset(one.name for one in tree.matchers.matchers)
    for name in ("expr", "lhs", "rhs", "vs", "vector_selector", "param"):
        inner = getattr(tree, name, None)
        if inner is not None and not isinstance(inner, str):
            yield from series_of(inner)
    for inner in getattr(tree, "args", None) or ():
        yield from series_of(inner)


def labels_grouped(expression: str) -> frozenset[str]:
    """The labels that an expression groups by or matches on."""
    found = re.findall(r"\b(?:by|on)\s*\(([^)]*)\)", expression)
    return frozenset(label.strip() for said in found for label in said.split(",") if label.strip())


def faults_of(expression: str, known: Mapping[str, frozenset[str]]) -> list[str]:
    """What an expression asks for that is not there: series and labels; `known` has the labels of each."""
    asked = list(series_of(parsed(expression)))
    faults = [f"no series {name}" for name, _ in asked if name not in known]
    for name, labels in asked:
        faults += [f"{name} has no label {one}" for one in sorted(labels - known.get(name, labels))]
    everything = frozenset().union(*(known.get(name, frozenset()) for name, _ in asked))
    return faults + [
        f"nothing asked for has a label {one}" for one in labels_grouped(expression) - everything
    ]
