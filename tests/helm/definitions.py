"""JSON Schemas for kubeconform: Kubernetes' own, and those of what operators define, made from their own code.

Owns making them once: Kubernetes' from the package kubernetes-validate, Prometheus' by controller-gen from the
operator's Go types, Strimzi's by its CrdGenerator from its Java classes; and that none knows other fields than
those that are named.
"""

# ruff: noqa: E501 - an address or a command stands on one line

import json
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml

from tests.helm.tooling import TOOLS, cache, go_environment, tools
from tests.jars import fetched, made, stamp
from tests.servers import java, missing

#: The oldest that Chart.yaml allows, and the newest that there are schemas of.
KUBERNETES = ("1.30.0", "1.37.0")
_STRIMZI = Path(__file__).parent / "strimzi"
_PROMETHEUS = "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
_CLASSES = {"KafkaTopic": "topic", "KafkaUser": "user"}


def definitions() -> Path:
    """The folder of the schemas: `<kind>_<version>.json`, and a folder `kubernetes-<version>` for each of its."""
    made_of = (TOOLS / "go.sum", _STRIMZI / "pom.xml", _STRIMZI / "jars.lock", Path(__file__))
    jars = fetched(_STRIMZI / "pom.xml", "strimzi", "Strimzi's definitions", _STRIMZI / "jars.lock")
    generator = tools() / "controller-gen"
    return made(cache() / f"definitions-{stamp(*made_of)}", lambda folder: _make(folder, generator, jars))


def _make(folder: Path, generator: Path, jars: Path) -> None:
    for version in KUBERNETES:
        _kubernetes(folder / f"kubernetes-{version}", version)
    found = folder / "crd"
    found.mkdir()
    _prometheus(found, generator)
    _strimzi(found, jars)
    for path in found.glob("*.yaml"):
        _write(yaml.load(path.read_text("utf-8"), yaml.CSafeLoader), folder)


def _kubernetes(folder: Path, version: str) -> None:
    """The package's schemas are named as of a server, and point at each other there; here, at files."""
    spec = find_spec("kubernetes_validate")
    if spec is None or spec.origin is None:
        missing("the package kubernetes-validate")
    shipped = Path(spec.origin).parent / "kubernetes-json-schema" / f"v{version}-local-strict"
    folder.mkdir()
    for path in shipped.glob("*.json"):
        schema = json.loads(path.read_text("utf-8").replace('"/api/_definitions', '"_definitions'))
        schema.pop("$id", None)
        (folder / path.name).write_text(json.dumps(schema), "utf-8")


def _prometheus(folder: Path, generator: Path) -> None:
    argv = [generator, "crd:crdVersions=v1", f"paths={_PROMETHEUS}", f"output:dir={folder}"]
    subprocess.run(argv, cwd=TOOLS, env=go_environment("-tags=crds"), check=True, timeout=600)


def _strimzi(folder: Path, jars: Path) -> None:
    wanted = [
        f"io.strimzi.api.kafka.model.{part}.{kind}={folder}/{kind}.yaml" for kind, part in _CLASSES.items()
    ]
    main = "io.strimzi.crdgenerator.CrdGenerator"
    argv = [java(), "-cp", f"{jars}/*", main, "--target-kube", "1.25+", "--yaml", *wanted]
    subprocess.run(argv, check=True, capture_output=True, timeout=120)


def _write(definition: dict[str, Any], folder: Path) -> None:
    kind = definition["spec"]["names"]["kind"].lower()
    for version in definition["spec"]["versions"]:
        schema = _strict(version["schema"]["openAPIV3Schema"])
        (folder / f"{kind}_{version['name']}.json").write_text(json.dumps(schema), "utf-8")


def _strict(schema: Any) -> Any:
    """The same as JSON Schema: no other fields than those that are named, unless it says that it keeps them."""
    if isinstance(schema, list):
        return [_strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    strict = {key: _strict(one) for key, one in schema.items() if key != "x-kubernetes-validations"}
    if "properties" in strict and not strict.get("x-kubernetes-preserve-unknown-fields"):
        strict.setdefault("additionalProperties", False)
    if strict.get("x-kubernetes-int-or-string"):
        strict.pop("type", None)
        strict["anyOf"] = [{"type": "integer"}, {"type": "string"}]
    return strict
