"""The chart as Helm renders it, and what of it runs: objects, pods, their files.

Owns calling Helm and reading what it gives; does not own any demand on it.
"""

# ruff: noqa: E501 - an address or a command stands on one line

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.helm.tooling import CHART, tools

Object = dict[str, Any]
VALUES = Path(__file__).parent / "values"
#: The example values, by name.
EXAMPLES = tuple(sorted(path.stem for path in VALUES.glob("*.yaml")))
RELEASE, NAMESPACE = "losus", "vard"


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod of the chart: whose it is, its labels, its specification."""

    kind: str
    name: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    spec: Object

    @property
    def component(self) -> str:
        return self.labels["app.kubernetes.io/component"]

    @property
    def container(self) -> Object:
        (container,) = self.spec["containers"]
        found: Object = container
        return found

    @property
    def environment(self) -> dict[str, str]:
        return {one["name"]: one["value"] for one in self.container["env"]}

    @property
    def mounts(self) -> dict[str, Object]:
        """By path, the volume that is there."""
        volumes = {one["name"]: one for one in self.spec["volumes"]}
        return {one["mountPath"]: volumes[one["name"]] for one in self.container["volumeMounts"]}


def helm(*argv: str) -> subprocess.CompletedProcess[str]:
    """What Helm says; nothing of this machine's own Helm is read."""
    nowhere = dict.fromkeys(("HELM_REPOSITORY_CONFIG", "HELM_REGISTRY_CONFIG", "KUBECONFIG"), os.devnull)
    call = [tools() / "helm", *argv]
    return subprocess.run(call, capture_output=True, text=True, check=False, env={**os.environ, **nowhere})


def template(*argv: str, chart: Path = CHART) -> subprocess.CompletedProcess[str]:
    """What Helm renders of the chart by these options."""
    return helm("template", RELEASE, str(chart), "--namespace", NAMESPACE, *argv)


@cache
def rendered(example: str) -> str:
    """What is rendered of an example's values."""
    done = template("--values", str(VALUES / f"{example}.yaml"))
    assert done.returncode == 0, done.stderr
    return done.stdout


def objects(text: str) -> tuple[Object, ...]:
    """The objects of rendered text."""
    return tuple(one for one in yaml.load_all(text, yaml.CSafeLoader) if one)


@cache
def objects_of(example: str) -> tuple[Object, ...]:
    """The objects of an example."""
    return objects(rendered(example))


def pods_of(found: tuple[Object, ...]) -> Iterator[Pod]:
    """Every pod that would run."""
    for one in found:
        match one["kind"]:
            case "Deployment" | "Job":
                pod = one["spec"]["template"]
            case "CronJob":
                pod = one["spec"]["jobTemplate"]["spec"]["template"]
            case "Pod":
                pod = one
            case _:
                continue
        meta = pod["metadata"]
        yield Pod(one["kind"], one["metadata"]["name"], meta["labels"], meta["annotations"], pod["spec"])


def named(found: tuple[Object, ...], kind: str, name: str) -> Object:
    """The one object of this kind and name."""
    (one,) = (one for one in found if one["kind"] == kind and one["metadata"]["name"] == name)
    return one


def settings_of(found: tuple[Object, ...]) -> Object:
    """The settings that pods read."""
    (one,) = (one for one in found if one["kind"] == "ConfigMap" and "settings.yaml" in one["data"])
    settings: Object = json.loads(one["data"]["settings.yaml"])
    return settings


def mounted(volume: Object, found: tuple[Object, ...], folder: Path) -> Path:
    """Lay out a volume of a ConfigMap as the kubelet does: files in a folder of a moment, and links to them."""
    config = named(found, "ConfigMap", volume["configMap"]["name"])["data"]
    paths = {one["key"]: one["path"] for one in volume["configMap"].get("items", [])}
    moment = folder / "..2026_01_01_00_00_00.1"
    for key, path in (paths or {key: key for key in config}).items():
        file = moment / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(config[key], "utf-8")
    (folder / "..data").symlink_to(moment.name)
    for one in moment.iterdir():
        (folder / one.name).symlink_to(Path("..data") / one.name)
    return folder
