"""What the pods of the chart start with: settings that the service takes, files that are there, commands that are."""

# ruff: noqa: E501 - a row stands on one line

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from typer.core import TyperGroup
from typer.main import get_command

from adapter.access.demands import demands
from adapter.agreements.load import load_book
from adapter.cli import app
from adapter.errors import SetupError
from adapter.mapping.load import load_folder
from adapter.settings import load_database, load_settings
from tests.helm.charting import (
    EXAMPLES,
    VALUES,
    Object,
    Pod,
    mounted,
    objects,
    objects_of,
    pods_of,
    settings_of,
    template,
)
from tests.servers import REPOSITORY

SECRET = "Vq3r0-hTz8kLw2Xn9PbY5cJd7fGmSa4u"
DATABASE = "postgresql://losus:fT7uQ2@db.region.example/losus?sslmode=verify-full"
#: What a component reads when it starts: which settings name files, besides database and secret.
_READS = {
    "api": r"seal|kafka|sources|staff",
    "watch": r"seal|kafka|sources",
    "poll": r"seal|kafka|sources",
    "listen": r"seal|kafka|sources",
    "relay": r"kafka",
    "topics": r"kafka",
    "settle": r"seal|kafka",
    "retention": r"seal|kafka",
    "migrate": r"$^",
    "doctor": r"seal|kafka|sources|staff",
}


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_process_has_settings_that_the_service_takes(example: str, tmp_path: Path) -> None:
    found = objects_of(example)
    for pod in pods_of(found):
        with pytest.MonkeyPatch.context() as patch:
            folder = tmp_path / pod.name
            folder.mkdir()
            lay_out(pod, found, folder, patch)
            if pod.component == "migrate":
                assert load_database().database.get_secret_value() == DATABASE
                with pytest.raises(SetupError):
                    load_settings()  # it has no other secret
                continue
            settings = load_settings()
        assert settings.database.get_secret_value() == DATABASE, pod.name
        assert settings.secret.get_secret_value() == SECRET, pod.name
        assert demands(settings, "10.0.0.7") == [], pod.name


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_file_that_a_setting_names_is_mounted_where_it_is_read(example: str) -> None:
    found = objects_of(example)
    for pod in pods_of(found):
        read = {}
        if "LOSUS_SETTINGS" in pod.environment:
            read = {
                key: one
                for key, one in settings_of(found).items()
                if re.fullmatch(_READS[pod.component], key)
            }
            for name, value in pod.environment.items():
                if name.startswith("LOSUS_KAFKA__TLS__"):
                    read["kafka"]["tls"][name.rpartition("__")[2].lower()] = value
        for path in files(read):
            mount = Path(path).parts[3]
            assert f"/run/secrets/{mount}" in pod.mounts, f"{pod.name}: {path}"


def files(value: Any) -> list[str]:
    """All paths below /run/secrets that a value holds."""
    return re.findall(r'"(/run/secrets/[^"]+)"', json.dumps(value))


def test_whole_numbers_stay_whole() -> None:
    """Helm holds 10000000 as a float; as YAML it would be the text `1e+07` to Python."""
    settings = settings_of(objects_of("region"))
    assert settings["max_bytes"] == 10_000_000
    assert settings["sources"]["ostersund-ehr"]["server"]["cache_bytes"] == 20_000_000


def test_commands_and_options_are_there() -> None:
    root = get_command(app).make_context("losus", ["--help"], resilient_parsing=True)
    for example in EXAMPLES:
        for pod in pods_of(objects_of(example)):
            assert pod.container["command"] == ["losus"]
            command: Any = root.command
            rest = list(pod.container["args"])
            while isinstance(command, TyperGroup):
                _, command, rest = command.resolve_command(root, rest)
            command.make_context(pod.name, rest, parent=root)  # UsageError where there is no such option


def test_the_mappings_that_are_mounted_do_what_their_examples_say(tmp_path: Path) -> None:
    folder = mounted(_pod("minimal", "api").mounts["/etc/losus/mappings"], objects_of("minimal"), tmp_path)
    (folder / "examples").symlink_to(REPOSITORY / "mappings" / "examples")
    told = CliRunner().invoke(get_command(app), ["mappings", "check", str(folder), "--format", "json"])
    assert told.exit_code == 0, told.output
    shipped = sorted(path.stem for path in (REPOSITORY / "mappings").glob("*.yaml"))
    assert json.loads(told.stdout)["mappings"] == shipped


def test_a_region_adds_its_own_mapping_table_and_agreement(tmp_path: Path) -> None:
    ward = (REPOSITORY / "mappings" / "concepts" / "care-form.json").read_text("utf-8")
    mapping = (REPOSITORY / "mappings" / "losus-r4.yaml").read_text("utf-8")
    mapping = mapping.replace("\nid: losus-r4\n", "\nid: region-ehr\n").replace("care-form.json", "ward.json")
    (tmp_path / "region-ehr.yaml").write_text(mapping, "utf-8")
    (tmp_path / "ward.json").write_text(ward, "utf-8")
    rates = (REPOSITORY / "agreements" / "rates.yaml").read_text("utf-8") + "# of the region\n"
    (tmp_path / "rates.yaml").write_text(rates, "utf-8")
    done = template(
        "--values", str(VALUES / "minimal.yaml"),
        "--set-file", rf"mappings.files.region-ehr\.yaml={tmp_path}/region-ehr.yaml",
        "--set-file", rf"mappings.concepts.ward\.json={tmp_path}/ward.json",
        "--set-file", rf"agreements.files.rates\.yaml={tmp_path}/rates.yaml",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = objects(done.stdout)
    (api,) = (pod for pod in pods_of(found) if pod.component == "api")
    for part in ("mappings", "agreements"):
        (tmp_path / part).mkdir()
    folder = mounted(api.mounts["/etc/losus/mappings"], found, tmp_path / "mappings")
    assert "region-ehr" in load_folder(folder)
    folder = mounted(api.mounts["/etc/losus/agreements"], found, tmp_path / "agreements")
    assert (folder / "rates.yaml").read_text("utf-8") == rates
    assert load_book(folder).rules.keys() == load_book().rules.keys()


def _pod(example: str, component: str) -> Pod:
    (pod,) = (pod for pod in pods_of(objects_of(example)) if pod.component == component)
    return pod


def lay_out(pod: Pod, found: tuple[Object, ...], folder: Path, patch: pytest.MonkeyPatch) -> None:
    """What the process of a pod has its settings from, its files below `folder`."""
    for name in [name for name in os.environ if name.startswith("LOSUS_")]:
        patch.delenv(name)
    secrets = folder / "secrets"
    secrets.mkdir()
    projected = pod.mounts["/run/secrets/losus"]["projected"]["sources"]
    for path in (item["path"] for source in projected for item in source["secret"]["items"]):
        (secrets / path).write_text({"losus_database": DATABASE, "losus_secret": SECRET}[path], "utf-8")
    environment = {**pod.environment, "LOSUS_SECRETS": str(secrets)}
    if "LOSUS_SETTINGS" in environment:
        place = Path(environment["LOSUS_SETTINGS"])
        files = mounted(pod.mounts[str(place.parent)], found, folder / "settings")
        environment["LOSUS_SETTINGS"] = str(files / place.name)
    for name, value in environment.items():
        if name.startswith("LOSUS_"):
            patch.setenv(name, value)
