"""What the chart renders is what Kubernetes takes: Helm's own lint, the API's schemas, the pods' security."""

import subprocess
import tarfile
from collections import Counter
from pathlib import Path

import pytest

from tests.helm.charting import EXAMPLES, VALUES, helm, objects, objects_of, pods_of, rendered, template
from tests.helm.definitions import KUBERNETES, definitions
from tests.helm.tooling import CHART, tools


@pytest.mark.parametrize("example", EXAMPLES)
def test_helm_finds_nothing_to_say(example: str) -> None:
    done = helm("lint", "--strict", "--quiet", str(CHART), "--values", str(VALUES / f"{example}.yaml"))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("example", "version"),
    [
        *((example, KUBERNETES[-1]) for example in EXAMPLES),
        ("region", KUBERNETES[0]),
        ("strimzi", KUBERNETES[0]),
    ],
)
def test_every_object_is_as_its_schema_wants_it(example: str, version: str) -> None:
    told = conform(rendered(example), version)
    assert told.returncode == 0, told.stdout + told.stderr
    count = len(objects_of(example))
    assert f"{count} resources found" in told.stdout
    assert f"Valid: {count}, Invalid: 0, Errors: 0, Skipped: 0" in told.stdout


@pytest.mark.parametrize(
    ("instead", "of", "because"),
    [
        ("replicaz: 2", "replicas: 2", "a field that Deployments do not have"),
        ("intervall: 30s", "interval: 30s", "one that ServiceMonitors do not have"),
        ("interval: often", "interval: 30s", "no duration of Prometheus"),
        ("partitionz: 6", "partitions: 6", "one that KafkaTopics do not have"),
        ("type: none-at-all", "type: scram-sha-512", "no authentication of a KafkaUser"),
        ("kind: KafkaStream", "kind: KafkaTopic", "no schema: never passed over"),
        ("averageUtilization: high", "averageUtilization: 70", "no number"),
    ],
)
def test_the_schemas_bite(instead: str, of: str, because: str) -> None:
    every = f"{rendered('region')}\n---\n{rendered('strimzi')}".split("\n---\n")
    text = next(one for one in every if of in one and "kind: ConfigMap" not in one)
    assert conform(text, KUBERNETES[-1]).returncode == 0
    told = conform(text.replace(of, instead), KUBERNETES[-1])
    assert told.returncode == 1, because


def conform(text: str, version: str) -> "subprocess.CompletedProcess[str]":
    """What kubeconform says, by the API's schemas and those of the operators."""
    argv = [
        tools() / "kubeconform",
        "-n", "1",
        "-strict",
        "-summary",
        "-kubernetes-version", version,
        "-schema-location",
        f"{definitions()}/kubernetes-{version}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json",
        "-schema-location",
        f"{definitions()}/{{{{.ResourceKind}}}}_{{{{.ResourceAPIVersion}}}}.json",
    ]  # fmt: skip
    return subprocess.run(argv, input=text, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_pod_is_admitted_where_pods_are_restricted(example: str) -> None:
    told = admit(rendered(example))
    assert told.returncode == 0, told.stdout + told.stderr
    expected = Counter(f"{pod.kind}/{pod.name}: ok" for pod in pods_of(objects_of(example)))
    assert Counter(told.stdout.splitlines()) == expected


@pytest.mark.parametrize(
    ("instead", "of", "because"),
    [
        ("runAsNonRoot: false", "runAsNonRoot: true", "runAsNonRoot"),
        ("allowPrivilegeEscalation: true", "allowPrivilegeEscalation: false", "allowPrivilegeEscalation"),
        ("drop: [NET_RAW]", "drop: [ALL]", "capabilities"),
        ("type: Unconfined", "type: RuntimeDefault", "seccompProfile"),
        ("hostNetwork: true\n      serviceAccountName:", "serviceAccountName:", "host namespaces"),
        ("hostPath: {path: /tmp}", "emptyDir: {sizeLimit: 256Mi}", "volume"),
    ],
)
def test_the_standard_bites(instead: str, of: str, because: str) -> None:
    text = rendered("minimal")
    assert of in text
    told = admit(text.replace(of, instead, 1))
    assert told.returncode == 1
    assert because in told.stdout


def admit(text: str) -> "subprocess.CompletedProcess[str]":
    """What Kubernetes' own evaluator says of the pods, at the strictest of its levels."""
    argv = [tools() / "podsecurity", "restricted"]
    return subprocess.run(argv, input=text, capture_output=True, text=True, check=False)


def test_what_is_packed_is_the_whole_chart(tmp_path: Path) -> None:
    done = helm("package", str(CHART), "--destination", str(tmp_path))
    assert done.returncode == 0, done.stderr
    (package,) = tmp_path.glob("*.tgz")
    assert package.stat().st_size < 500_000, "a release is kept in a Secret of a million bytes"
    with tarfile.open(package) as files:
        names = {name.removeprefix("losus-adapter/") for name in files.getnames()}
    assert {"mappings/losus-r4.yaml", "mappings/concepts/care-form.json", "agreements/rates.yaml"} <= names
    assert not [name for name in names if "examples" in name or "profiles" in name]
    values = ("--values", str(VALUES / "region.yaml"))
    unpacked = template(*values, chart=package)
    assert objects(unpacked.stdout) == objects_of("region")
