"""What the chart promises of safety: no secret in it, a login for each, no way in or out but those that are named."""

# ruff: noqa: E501 - a row stands on one line

import ipaddress
import re
from dataclasses import dataclass
from typing import Any

import pytest

from adapter.api import create_app
from adapter.settings import Settings
from tests.helm.charting import (
    EXAMPLES,
    NAMESPACE,
    VALUES,
    Object,
    Pod,
    objects,
    objects_of,
    pods_of,
    template,
)

#: By component, whose login of the database it has.
_LOGINS = {
    "api": "intake", "watch": "intake", "poll": "intake", "listen": "intake", "relay": "relay", "topics": "relay",
    "settle": "settle", "retention": "retention", "doctor": "read", "migrate": "owner",
}  # fmt: skip


@pytest.mark.parametrize("example", EXAMPLES)
def test_no_secret_is_made_or_handed_over_in_the_environment(example: str) -> None:
    found = objects_of(example)
    assert not [one for one in found if one["kind"] == "Secret"]
    for pod in pods_of(found):
        for container in (*pod.spec["containers"], *pod.spec.get("initContainers", [])):
            assert "envFrom" not in container, pod.name
            assert all(set(one) == {"name", "value"} for one in container["env"]), pod.name


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_component_has_a_login_of_its_own(example: str) -> None:
    keys = {}
    for pod in pods_of(objects_of(example)):
        sources = pod.mounts["/run/secrets/losus"]["projected"]["sources"]
        (secret,) = (s["secret"] for s in sources if s["secret"]["items"][0]["path"] == "losus_database")
        key = (secret["name"], secret["items"][0]["key"])
        assert keys.setdefault(_LOGINS[pod.component], key) == key, pod.name
    assert len(set(keys.values())) == len(keys)


def test_what_a_component_does_not_read_it_does_not_have() -> None:
    by = {pod.component: set(pod.mounts) for pod in pods_of(objects_of("region"))}
    holders = {name for name, mounts in by.items() if "/run/secrets/seal" in mounts}
    assert holders == {"api", "watch", "poll", "listen", "settle", "retention", "doctor"}
    assert {name for name, mounts in by.items() if "/run/secrets/kafka-admin" in mounts} == {"topics"}


@pytest.mark.parametrize("example", EXAMPLES)
def test_nobody_has_a_token_of_the_cluster_nor_variables_of_its_services(example: str) -> None:
    found = objects_of(example)
    for pod in pods_of(found):
        assert pod.spec["automountServiceAccountToken"] is False, pod.name
        assert pod.spec["enableServiceLinks"] is False, (
            pod.name
        )  # they would be called LOSUS_…, as settings are
    accounts = {one["metadata"]["name"]: one for one in found if one["kind"] == "ServiceAccount"}
    assert {pod.spec["serviceAccountName"] for pod in pods_of(found)} == set(accounts)
    assert all(one["automountServiceAccountToken"] is False for one in accounts.values())
    assert not [one for one in found if "Role" in one["kind"]]


@pytest.mark.parametrize("example", EXAMPLES)
def test_selectors_find_their_pods_and_no_others(example: str) -> None:
    found = objects_of(example)
    pods = list(pods_of(found))
    for one in found:
        if one["kind"] == "Deployment":
            chosen = [pod for pod in pods if matches(one["spec"]["selector"], pod.labels)]
            assert [pod.name for pod in chosen] == [one["metadata"]["name"]]
        if one["kind"] == "PodDisruptionBudget":
            chosen = [pod for pod in pods if matches(one["spec"]["selector"], pod.labels)]
            assert [pod.name for pod in chosen] == [one["metadata"]["name"]]
            assert chosen[0].kind == "Deployment"
        if one["kind"] == "Service" and one["spec"].get("clusterIP") != "None":
            assert [
                pod.component for pod in pods if matches({"matchLabels": one["spec"]["selector"]}, pod.labels)
            ] == ["api"]


def test_names_are_the_releases_and_fit() -> None:
    long = "a-hospital-with-a-name-that-is-longer-than-a-name-in-kubernetes-may-ever-be"
    change = f"settings.sources.{long}.topic=x,settings.sources.{long}.mapping=losus-r4"
    values = ("--values", str(VALUES / "region.yaml"), "--set", change)
    found = objects(template(*values).stdout)
    names = [(one["kind"], one["metadata"]["name"]) for one in found]
    assert len(names) == len(set(names))
    assert all(len(name) <= 52 for _, name in names), "a CronJob's pods are named after it, with 11 more"
    assert len([name for kind, name in names if kind == "Deployment" and "-listen-" in name]) == 2


@pytest.mark.parametrize(
    ("change", "restarted", "because"),
    [
        ("settings.ready_lag_s=301", {"api", "relay", "watch", "poll", "listen", "settle", "retention", "topics",
                                      "doctor"}, "all read the settings"),
        ("mappings.concepts.x\\.json=y", {"api", "watch", "poll", "listen", "settle", "retention", "doctor"},
         "the relay reads no mapping"),
        ("agreements.files.x\\.yaml=y", {"api", "watch", "poll", "listen", "settle", "retention", "doctor"},
         "the relay reads no agreement"),
        ("monitoring.dashboards.enabled=false", set(), "nothing that a process reads"),
    ],
)  # fmt: skip
def test_pods_are_restarted_when_what_they_read_changes(
    change: str, restarted: set[str], because: str
) -> None:
    after = objects(template("--values", str(VALUES / "region.yaml"), "--set", change).stdout)
    before = {pod.name: pod.annotations for pod in pods_of(objects_of("region"))}
    changed = {pod.component for pod in pods_of(after) if pod.annotations != before[pod.name]}
    assert changed == restarted, because


def test_the_ingress_lets_every_door_be_reached_and_no_page_that_names_sources() -> None:
    (ingress,) = (one for one in objects_of("region") if one["kind"] == "Ingress")
    (rule,) = ingress["spec"]["rules"]
    paths = [one["path"] for one in rule["http"]["paths"]]
    settings = Settings(database="postgresql://localhost/x", secret="x" * 32, sources={})
    routes = {"/openapi.json", *create_app(settings).openapi()["paths"]}
    hidden = {path for path in routes if not any(path == one or path.startswith(f"{one}/") for one in paths)}
    assert hidden == {"/healthz", "/readyz", "/metrics"}
    assert ingress["spec"]["tls"] == [{"secretName": "losus-tls", "hosts": ["losus.region.example"]}]


@dataclass(frozen=True)
class Peer:
    """Somebody in the network: a pod elsewhere by its namespace and labels, or an address."""

    namespace: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    address: str = ""


PROMETHEUS = Peer("monitoring", (("app.kubernetes.io/name", "prometheus"),))
CONTOUR, DNS = Peer("projectcontour"), Peer("kube-system", (("k8s-app", "kube-dns"),))
POSTGRES, BROKER = Peer("postgres"), Peer(address="10.20.1.7")
HOSPITAL, CLOUD = Peer(address="192.0.2.1"), Peer(address="169.254.169.254")


@pytest.mark.parametrize(
    ("component", "way", "peer", "port", "allowed", "because"),
    [
        ("api", "Ingress", CONTOUR, 8000, True, "the doors"),
        ("api", "Ingress", Peer("other"), 8000, False, "who comes by the ingress has been through TLS"),
        ("api", "Ingress", PROMETHEUS, 8000, True, "/metrics"),
        ("api", "Ingress", Peer("monitoring"), 8000, False, "Prometheus alone, not its neighbours"),
        ("relay", "Ingress", PROMETHEUS, 8000, True, "/metrics"),
        ("relay", "Ingress", CONTOUR, 8000, False, "it has no doors"),
        ("relay", "Ingress", Peer(NAMESPACE), 8000, False, "nobody here asks another"),
        ("settle", "Ingress", PROMETHEUS, 8000, False, "it has no pages"),
        ("relay", "Egress", BROKER, 9093, True, "it publishes"),
        ("relay", "Egress", BROKER, 9092, False, "that port is not encrypted"),
        ("relay", "Egress", HOSPITAL, 443, False, "it asks nobody"),
        ("relay", "Egress", POSTGRES, 5432, True, "the outbox"),
        ("settle", "Egress", POSTGRES, 5432, True, "the cases"),
        ("settle", "Egress", BROKER, 9093, False, "the relay publishes what it issues"),
        ("migrate", "Egress", POSTGRES, 5432, True, "the tables"),
        ("migrate", "Egress", BROKER, 9093, False, "nothing there"),
        ("topics", "Egress", BROKER, 9093, True, "the topics"),
        ("topics", "Egress", POSTGRES, 5432, False, "nothing there"),
        ("watch", "Egress", HOSPITAL, 443, True, "Subscriptions"),
        ("poll", "Egress", HOSPITAL, 443, True, "it asks"),
        ("api", "Egress", HOSPITAL, 443, True, "references"),
        ("api", "Egress", HOSPITAL, 80, False, "that port is not encrypted"),
        ("api", "Egress", CLOUD, 443, False, "credentials of the node are to be had there"),
        ("api", "Egress", DNS, 53, True, "names"),
        ("api", "Egress", Peer("kube-system"), 53, False, "DNS alone"),
    ],
)
def test_the_network_lets_through_what_is_needed_and_no_more(
    component: str, way: str, peer: Peer, port: int, allowed: bool, because: str
) -> None:
    found = objects_of("region")
    pod = next(pod for pod in pods_of(found) if pod.component == component)
    policies = [one["spec"] for one in found if one["kind"] == "NetworkPolicy"]
    assert may(policies, pod, way, peer, port) is allowed, because


def may(policies: list[Object], pod: Pod, way: str, peer: Peer, port: int) -> bool:
    """Whether the policies let it through: those that choose the pod deny all, and each allows what it names."""
    chosen = [
        one for one in policies if way in one["policyTypes"] and matches(one["podSelector"], pod.labels)
    ]
    assert chosen, "a pod that no policy chooses is open"
    rules = [rule for one in chosen for rule in one.get(way.lower(), [])]
    ends = "from" if way == "Ingress" else "to"
    return any(
        any(_is(one, peer) for one in rule[ends])
        and port in {_port(one["port"], pod) for one in rule["ports"]}
        for rule in rules
    )


def _port(port: int | str, pod: Pod) -> int:
    named = {one["name"]: int(one["containerPort"]) for one in pod.container.get("ports", [])}
    return port if isinstance(port, int) else named.get(port, 0)


def _is(rule: Object, peer: Peer) -> bool:
    if "ipBlock" in rule:
        block = rule["ipBlock"]
        return (
            bool(peer.address)
            and _in(peer.address, block["cidr"])
            and not any(_in(peer.address, one) for one in block.get("except", []))
        )
    namespace = rule.get("namespaceSelector")
    there = (
        peer.namespace == NAMESPACE
        if namespace is None
        else matches(namespace, {"kubernetes.io/metadata.name": peer.namespace})
    )
    return not peer.address and there and matches(rule.get("podSelector", {}), dict(peer.labels))


def _in(address: str, cidr: str) -> bool:
    return ipaddress.ip_address(address) in ipaddress.ip_network(cidr)


def matches(selector: Object, labels: Any) -> bool:
    """Whether a label selector chooses what has these labels."""
    equal = all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())
    for one in selector.get("matchExpressions", []):
        match one["operator"]:
            case "In":
                equal = equal and labels.get(one["key"]) in one["values"]
            case "Exists":
                equal = equal and one["key"] in labels
            case other:
                raise ValueError(other)
    return equal


def test_metrics_are_asked_of_every_process_that_has_them() -> None:
    found = objects_of("region")
    (monitor,) = (one for one in found if one["kind"] == "ServiceMonitor")
    services = [one for one in found if one["kind"] == "Service"]
    (service,) = (one for one in services if matches(monitor["spec"]["selector"], one["metadata"]["labels"]))
    asked = {
        p.component for p in pods_of(found) if matches({"matchLabels": service["spec"]["selector"]}, p.labels)
    }
    assert asked == {"api", "relay", "watch", "poll", "listen"}
    assert service["spec"]["publishNotReadyAddresses"] is True, "what is not ready is what one wants to see"


def test_a_rolling_update_drops_no_request() -> None:
    (api,) = (
        one
        for one in objects_of("minimal")
        if one["metadata"]["name"] == "losus-api" and "strategy" in str(one)
    )
    spec = api["spec"]
    pod = spec["template"]["spec"]
    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    drain = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pod["terminationGracePeriodSeconds"] - drain >= 60, (
        "a reference takes up to 30 s, an answer as long"
    )
    assert "replicas" not in spec, "the autoscaler's figure is not undone by an upgrade"
    assert re.match(r"/readyz\?", pod["containers"][0]["readinessProbe"]["httpGet"]["path"])
