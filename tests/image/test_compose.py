"""compose.yaml: what can be known of it without an engine; each step is run as the engine would run it."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from typer.main import get_command

from adapter.access.demands import demands
from adapter.cli import app
from adapter.settings import load_settings
from tests.kafka.cluster import ApacheBroker
from tests.servers import java

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = [name for name, one in SERVICES.items() if one.get("configs")]


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """The folder of secrets after the service `keys` has run, twice, as it does when all is started again."""
    [code] = SERVICES["keys"]["command"]
    for _ in range(2):
        program = code.replace('"/run/losus"', repr(str(tmp_path)))
        assert program != code
        subprocess.run([*_python(SERVICES["keys"]["entrypoint"]), program], check=True)
    return tmp_path


def _python(entrypoint: list[str]) -> list[str]:
    assert entrypoint == ["python", "-c"]
    return [sys.executable, "-c"]


def test_the_settings_are_taken_by_the_service_and_are_of_a_sandbox(
    keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(COMPOSE["configs"]["settings"]["content"], encoding="utf-8")
    monkeypatch.setenv("LOSUS_SETTINGS", str(file))
    monkeypatch.setenv("LOSUS_SECRETS", str(keys))
    settings = load_settings()
    password = (keys / "postgres_password").read_text(encoding="utf-8")
    assert settings.database.get_secret_value() == f"postgresql://losus:{password}@postgres/losus"
    assert len(password) >= 32
    assert demands(settings) == []
    assert demands(settings, "0.0.0.0"), "without --sandbox open doors are refused"  # noqa: S104
    assert settings.sources["hapi"].server is not None
    assert settings.sources["hapi"].server.poll is not None


def test_a_second_start_draws_no_other_secrets(keys: Path) -> None:
    before = {path.name: path.read_bytes() for path in keys.iterdir() if path.is_file()}
    [code] = SERVICES["keys"]["command"]
    program = code.replace('"/run/losus"', repr(str(keys)))
    subprocess.run([sys.executable, "-c", program], check=True)
    assert {path.name: path.read_bytes() for path in keys.iterdir() if path.is_file()} == before


@pytest.mark.parametrize("name", OURS)
def test_each_process_is_called_as_the_command_line_knows_it(name: str) -> None:
    command, *arguments = SERVICES[name]["command"]
    group = get_command(app)
    assert isinstance(group, typer.core.TyperGroup)
    found = group.get_command(typer.Context(group), command)
    assert found is not None
    found.make_context(command, list(arguments))  # a usage error where an option or argument is not known


@pytest.mark.parametrize("name", OURS)
def test_ours_may_do_nothing_that_they_need_not(name: str) -> None:
    one = SERVICES[name]
    assert (one["read_only"], one["cap_drop"], one["tmpfs"]) == (True, ["ALL"], ["/tmp"])  # noqa: S108
    assert one["security_opt"] == ["no-new-privileges:true"]
    assert "user" not in one, "the image's own"


def test_nothing_is_published_beyond_this_machine() -> None:
    ports = {name: one["ports"] for name, one in SERVICES.items() if "ports" in one}
    assert set(ports) == {"adapter", "hapi", "kafka"}
    assert all(port.startswith("127.0.0.1:") for given in ports.values() for port in given)


def test_every_image_of_others_has_a_version() -> None:
    images = {one["image"] for one in SERVICES.values()} - {"losus-adapter"}
    assert images
    assert all(re.search(r":v?[0-9][0-9a-z.-]*$", image) for image in images)


@pytest.mark.kafka
def test_kafka_takes_its_settings() -> None:
    """Kafka's own tool reads them, as the image writes them from the environment: KAFKA_A_B is a.b."""
    java()
    given = SERVICES["kafka"]["environment"]
    settings = {name.removeprefix("KAFKA_").lower().replace("_", "."): text for name, text in given.items()}
    assert settings.pop("node.id") == "1"
    broker = ApacheBroker(1, 9092, "MkU3OEVBNTcwNTJENDM2Qg", settings)
    try:
        broker.format()
    finally:
        broker.close()
