"""The tools that the chart is checked with: built once from the Go modules of `tools/`, and Java's for Strimzi.

Owns where they lie: in the user's cache, outside the checkout, named by what they are made of; so that a second run,
of another clone too, builds nothing.
"""

# ruff: noqa: E501 - an address or a command stands on one line

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.jars import stamp
from tests.servers import REPOSITORY, missing, program

CHART = REPOSITORY / "helm"
TOOLS = Path(__file__).parent / "tools"
_GO = (1, 26)
_PACKAGES = (
    "helm.sh/helm/v4/cmd/helm",
    "github.com/yannh/kubeconform/cmd/kubeconform",
    "sigs.k8s.io/controller-tools/cmd/controller-gen",
    "./podsecurity",
)


def tools() -> Path:
    """The folder with `helm`, `kubeconform`, `controller-gen`, `podsecurity`."""
    made_of = (TOOLS / "go.mod", TOOLS / "go.sum", TOOLS / "podsecurity" / "main.go")
    folder = cache() / f"helm-tools-{stamp(*made_of)}"
    if not folder.is_dir():
        _build(folder)
    return folder


def cache() -> Path:
    """A folder of the user's cache."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = base / "losus-adapter"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def go(*argv: str, timeout_s: float = 1500) -> str:
    """What a command of Go prints, run in the module of the tools; skipped, in CI failed, where there is no Go."""
    path = program("go")
    said = subprocess.run([path, "env", "GOVERSION"], capture_output=True, text=True, check=True, cwd=cache())
    version = tuple(int(part) for part in said.stdout.strip().removeprefix("go").split(".")[:2])
    if version < _GO:
        missing(f"Go {_GO[0]}.{_GO[1]} or later; {said.stdout.strip()} is here")
    done = subprocess.run(
        [path, *argv],
        capture_output=True,
        text=True,
        check=False,
        cwd=TOOLS,
        env=go_environment(),
        timeout=timeout_s,
    )
    if done.returncode != 0:
        missing("tools of Go, which could not be built: " + " | ".join(done.stderr.strip().splitlines()[-6:]))
    return done.stdout


def go_environment(*flags: str) -> dict[str, str]:
    """How Go is run: what is pinned and nothing else, by the Go that is here."""
    return {
        **os.environ,
        "CGO_ENABLED": "0",
        "GOTOOLCHAIN": "local",
        "GOFLAGS": " ".join(("-mod=readonly", "-buildvcs=false", *flags)),
    }


def _build(folder: Path) -> None:
    """Two runs may build at the same time: each fills a folder of its own, and renaming it is one step."""
    filled = Path(tempfile.mkdtemp(dir=folder.parent))
    try:
        go("build", "-ldflags=-s -w", "-o", f"{filled}/", *_PACKAGES)
        filled.chmod(0o755)
        filled.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise
    finally:
        shutil.rmtree(filled, ignore_errors=True)
