"""The chart's values: every key with its words and its form, and what is refused before it is installed."""

# ruff: noqa: E501 - a row stands on one line

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.helm.charting import VALUES, template
from tests.helm.values_schema import SCHEMA, values_schema, words
from tests.helm.values_schema import VALUES as DEFAULTS


def test_the_schema_is_that_of_values_and_settings() -> None:
    found = json.loads(SCHEMA.read_text("utf-8"))
    assert found == values_schema(), "python -m tests.helm.values_schema > helm/values.schema.json"


def test_every_key_has_its_words() -> None:
    text = DEFAULTS.read_text("utf-8")
    said = words(text)
    assert {path for path in said if len(path) == 1} == {(key,) for key in yaml.safe_load(text)}
    with pytest.raises(ValueError, match=r"no comment above topics\.enabled"):
        words(text.replace("  # Whether the chart does it.\n", ""))


@pytest.mark.parametrize(
    ("change", "refused", "because"),
    [
        ({"settings": {"open_doors": True}}, "open_doors", "doors that are open to all are the sandbox's"),
        ({"settings": {"database": "postgresql://u:p@db/losus"}}, "database", "a secret, by reference alone"),
        ({"settings": {"secret": "x" * 40}}, "secret", "a secret, by reference alone"),
        ({"settings": {"base_url": "http://losus.region.example"}}, "base_url", "tokens come that way"),
        ({"settings": {"staff": None}}, "staff", "nobody could see a case"),
        ({"settings": {"kafka": {"tls": None}}}, "kafka", "what is sent is about patients"),
        ({"settings": {"kafka": {"bootstrap": None}}}, "kafka", "where it is"),
        ({"settings": {"kafka": {"tls": {"authoritty": "/run/x"}}}}, "authoritty", "no such setting"),
        ({"settings": {"subscribers": {"380": {"name": "Östersund"}}}}, "380", "no kommunkod"),
        ({"settings": {"subscribers": {"2380": {"name": "Östersund", "payload": "all"}}}}, "payload", "no such"),
        ({"settings": {"sources": {"Ehr_1": {"mapping": "losus-r4"}}}}, "Ehr_1", "it stands in addresses"),
        ({"settings": {"kafka": {"replication": 0}}}, "replication", "nowhere"),
        ({"api": {"resources": {"limits": {"memory": "768Mi"}, "requests": None}}}, "requests", "placed blindly"),
        ({"api": {"replcas": 3}}, "replcas", "no such key"),
        ({"api": {"autoscaling": {"minReplicas": 1}}}, "minReplicas", "a node that is lost closes the doors"),
        ({"relay": {"replicas": 1}}, "replicas", "a node that is lost stops publishing"),
        ({"relay": {"replicas": 9}}, "replicas", "there are eight shares"),
        ({"poll": {"replicas": 2}}, "replicas", "a second would ask for the same"),
        ({"image": {"tag": "latest"}}, "tag", "nobody could say what runs"),
        ({"pods": {"user": 0}}, "user", "root"),
        ({"pods": {"environment": {"LOSUS_SECRET": "x"}}}, "LOSUS_SECRET", "a secret, by reference alone"),
        ({"api": {"environment": {"LOSUS_DATABASE": "x"}}}, "LOSUS_DATABASE", "a secret, by reference alone"),
        ({"api": {"environment": {"LOSUS_OPEN_DOORS": "true"}}}, "LOSUS_OPEN_DOORS", "the sandbox's"),
        ({"topics": {"environment": {"PGPASSWORD": "x"}}}, "PGPASSWORD", "a secret, by reference alone"),
        ({"secrets": {"pseudonyms": {"value": "x" * 40}}}, "value", "a secret, by reference alone"),
        ({"mounts": [{"name": "seal", "for": ["api"]}]}, "mounts", "of what?"),
        ({"mounts": [{"name": "seal", "secret": "a", "configMap": "b", "for": ["api"]}]}, "mounts", "which?"),
        ({"mounts": [{"name": "seal", "secret": "a", "for": ["apo"]}]}, "mounts", "no such component"),
        ({"mounts": [{"name": "losus", "secret": "a", "for": ["api"]}]}, "mounts", "its place is taken"),
        ({"ingress": {"paths": ["/"]}}, "paths", "/metrics names sources"),
        ({"ingress": {"paths": ["/metrics"]}}, "paths", "/metrics names sources"),
        ({"networkPolicy": {"monitoring": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}}, "monitoring", "all the world"),
        ({"networkPolicy": {"monitoring": [{"namespaceSelector": {}}]}}, "monitoring", "every namespace"),
        ({"networkPolicy": {"database": {"to": [{}]}}}, "database", "everywhere"),
        ({"mappings": {"files": {"../x.yaml": "a"}}}, "mappings", "no file name"),
        ({"settle": {"schedule": "daily"}}, "schedule", "cron does not know it"),
    ],
)  # fmt: skip
def test_what_no_schema_lets_through(
    tmp_path: Path, change: dict[str, Any], refused: str, because: str
) -> None:
    told = changed(tmp_path, "minimal", change)
    assert told.returncode != 0, because
    assert "don't meet the specifications of the schema" in told.stderr
    assert refused in told.stderr


@pytest.mark.parametrize(
    ("example", "change", "refused", "because"),
    [
        ("minimal", {"settings": {"settle_from": None}}, "settings.settle_from", "months would be invoiced twice"),
        ("minimal", {"settings": {"seal": ["/run/secrets/seal/key"]}}, "mounts", "no such file"),
        ("minimal", {"secrets": {"database": {"relay": {"name": "losus-database-owner"}}}}, "secrets.database",
         "the owner may change what was issued"),
        ("minimal", {"networkPolicy": {"database": {"to": []}}}, "networkPolicy.database", "closed"),
        ("minimal", {"networkPolicy": {"kafka": {"to": []}}}, "networkPolicy.kafka", "closed"),
        ("minimal", {"networkPolicy": {"https": {"to": []}}}, "staff.tokens.jwks", "nobody could log in"),
        ("region", {"networkPolicy": {"https": {"to": []}}}, "sources.are-ehr.server", "nothing could be asked"),
        ("region", {"networkPolicy": {"monitoring": []}}, "networkPolicy.monitoring", "nothing would be seen"),
        ("region", {"networkPolicy": {"ingressController": []}}, "networkPolicy.ingressController", "closed"),
        ("region", {"ingress": {"host": "other.example"}}, "ingress.host", "answers name settings.base_url"),
        ("region", {"ingress": {"tlsSecret": ""}}, "ingress.tlsSecret", "tokens come that way"),
        ("strimzi", {"settings": {"kafka": {"make_topics": True}}}, "make_topics", "two would make them"),
        ("strimzi", {"topics": {"enabled": True}}, "topics.enabled", "two would make them"),
        ("minimal", {"api": {"autoscaling": {"minReplicas": 9}}}, "minReplicas", "more than the most"),
        ("minimal", {"mappings": {"shipped": False}}, "mappings", "no source could be understood"),
        ("minimal", {"mappings": {"files": {"large.yaml": "x" * 1_000_000}}}, "mappings", "over a ConfigMap's size"),
    ],
)  # fmt: skip
def test_what_does_not_fit_together(
    tmp_path: Path, example: str, change: dict[str, Any], refused: str, because: str
) -> None:
    told = changed(tmp_path, example, change)
    assert told.returncode != 0, because
    assert refused in told.stderr


def test_all_that_does_not_fit_is_told_at_once(tmp_path: Path) -> None:
    change = {
        "settings": {"settle_from": None},
        "networkPolicy": {"database": {"to": []}, "kafka": {"to": []}},
    }
    told = changed(tmp_path, "minimal", change).stderr
    assert all(one in told for one in ("settle_from", "networkPolicy.database", "networkPolicy.kafka"))


def changed(folder: Path, example: str, change: dict[str, Any]) -> Any:
    """What Helm says of an example with something changed in it."""
    path = folder / "change.yaml"
    path.write_text(json.dumps(change), "utf-8")
    return template("--values", str(VALUES / f"{example}.yaml"), "--values", str(path))
