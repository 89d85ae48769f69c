"""The files that settings name, before a process starts: each fault by itself, and all of them at once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapter.access.files import file_faults
from adapter.cluster import Sasl, Tls
from adapter.servers import Basic, Certificate, ClientSecret, PrivateKey, Server, Subscribe
from adapter.settings import Kafka, Settings, Source
from tests.kafka.authority import Authority, Pem


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("files"), "region")


@pytest.fixture(scope="module")
def pem(authority: Authority) -> Pem:
    return authority.client("losus-relay")


def settings(dsn: str = "postgresql:///losus", **more: Any) -> Settings:
    return Settings(database=dsn, secret="a secret of the tests alone", **more)


def kafka(**tls: Path) -> dict[str, Any]:
    return {"kafka": Kafka(tls=Tls(**tls))}


def source(**more: Any) -> dict[str, Any]:
    return {"sources": {"hospital": Source(mapping="losus-r4", **more)}}


def server(**more: Any) -> dict[str, Any]:
    return source(server=Server(base_url="https://ehr.example/fhir", **more))


def user(path: Path) -> dict[str, Any]:
    return {"kafka": Kafka(sasl=Sasl(username="losus-relay", password_file=path))}


def hook(path: Path) -> dict[str, Any]:
    return server(subscribe=Subscribe(hook_url="https://losus.example/hook", secret_file=path))


def database(name: str) -> Callable[[Path], dict[str, Any]]:
    return lambda path: {"dsn": f"postgresql://db/losus?sslmode=verify-full&{name}={path}"}


SECRETS = [
    # settings with the file, where it is told
    (user, "KAFKA__SASL__PASSWORD_FILE"),
    (lambda path: {"seal": (path,)}, "SEAL"),
    (lambda path: source(hook_file=path), "SOURCES__HOSPITAL__HOOK_FILE"),
    (
        lambda path: server(login=Basic(username="a", password_file=path)),
        "SOURCES__HOSPITAL__SERVER__LOGIN__PASSWORD_FILE",
    ),
    (
        lambda path: server(login=ClientSecret(client_id="a", secret_file=path)),
        "SOURCES__HOSPITAL__SERVER__LOGIN__SECRET_FILE",
    ),
    (
        lambda path: server(login=PrivateKey(client_id="a", keys=(path,))),
        "SOURCES__HOSPITAL__SERVER__LOGIN__KEYS",
    ),
    (hook, "SOURCES__HOSPITAL__SERVER__SUBSCRIBE__SECRET_FILE"),
    (database("sslkey"), "DATABASE SSLKEY"),
    (database("passfile"), "DATABASE PASSFILE"),
]


@pytest.mark.parametrize(("given", "place"), SECRETS)
def test_a_secret_is_there_and_not_everybodys(
    tmp_path: Path, given: Callable[[Path], dict[str, Any]], place: str
) -> None:
    path = tmp_path / "secret"

    def told() -> list[tuple[str | None, str]]:
        return [(one.expression, one.rule) for one in file_faults(settings(**given(path)), sources=True)]

    assert told() == [(f"LOSUS_{place}", "cannot be read (FileNotFoundError)")]
    path.write_text("kRm9vQ7x")
    path.chmod(0o644)
    [(at, rule)] = told()
    assert at == f"LOSUS_{place}"
    assert "chmod" in rule
    assert "kRm9vQ7x" not in rule
    path.chmod(0o600)
    assert told() == []
    path.chmod(0o440)  # as Kubernetes mounts a secret for the group of a pod
    assert bool(told()) == ("PASSFILE" in place), "asyncpg passes over a passfile of a group"


TLS_FILES = [
    # files, where it is told, because
    (lambda a, p: kafka(authority=a.file, certificate=p.certificate, key=p.key), None, "as it is to be"),
    (lambda a, _: kafka(authority=a.file), None, "no certificate of ours"),
    (lambda a, _: kafka(authority=a.file.with_name("none")), "KAFKA__TLS__AUTHORITY", "no such file"),
    (
        lambda _, p: kafka(certificate=p.certificate, key=p.key.with_name("none")),
        "KAFKA__TLS__KEY",
        "no file",
    ),
    (lambda _, p: kafka(authority=p.key), "KAFKA__TLS", "no certificate in it"),
    (lambda a, p: kafka(certificate=p.certificate, key=a.client("other").key), "KAFKA__TLS", "another's key"),
    (
        lambda a, _: server(authority=a.file.with_name("none")),
        "SOURCES__HOSPITAL__SERVER__AUTHORITY",
        "no file",
    ),
    (
        lambda a, p: server(certificate=Certificate(certificate=a.file.with_name("none"), key=p.key)),
        "SOURCES__HOSPITAL__SERVER__CERTIFICATE__CERTIFICATE",
        "no file",
    ),
    (lambda a, _: database("sslrootcert")(a.file.with_name("none")), "DATABASE SSLROOTCERT", "no file"),
    (lambda a, _: database("sslcert")(a.file), None, "public: everybody may read it"),
]


@pytest.mark.parametrize(("given", "place", "because"), TLS_FILES)
def test_certificates_are_there_and_go_together(
    authority: Authority, pem: Pem, given: Callable[..., dict[str, Any]], place: str | None, because: str
) -> None:
    told = file_faults(settings(**given(authority, pem)), sources=True)
    assert [one.expression for one in told] == ([f"LOSUS_{place}"] if place else []), because


def test_the_folder_of_secrets_is_not_everybodys(tmp_path: Path) -> None:
    for name, mode in (("losus_secret", 0o644), ("losus_database", 0o600), ("another", 0o644)):
        (tmp_path / name).write_text("kRm9vQ7x")
        (tmp_path / name).chmod(mode)
    assert [one.expression for one in file_faults(settings(), tmp_path)] == ["LOSUS_SECRETS"]


def test_all_are_told_at_once_and_the_sources_to_who_needs_them(tmp_path: Path) -> None:
    none = tmp_path / "none"
    given = {**user(none), **source(hook_file=none), "seal": (none,), "dsn": f"postgresql:///a?sslkey={none}"}
    common = ["LOSUS_KAFKA__SASL__PASSWORD_FILE", "LOSUS_DATABASE SSLKEY", "LOSUS_SEAL"]
    assert [one.expression for one in file_faults(settings(**given))] == common
    told = file_faults(settings(**given), sources=True)
    assert [one.expression for one in told] == [*common, "LOSUS_SOURCES__HOSPITAL__HOOK_FILE"]
