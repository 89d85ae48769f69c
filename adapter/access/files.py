"""The files that the settings name: each can be read, and those that hold a secret not by everybody.

Owns what is demanded of a file before a process starts; does not own what stands in it, but for TLS, where
certificate, key and authority must go together. What is asked for is looked at, and nothing changed.
"""

import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from adapter.errors import Problem, UnavailableError
from adapter.servers import Basic, ClientSecret, PrivateKey, Server
from adapter.settings import Kafka, Settings, Source
from adapter.trust import context_of

_EVERYBODY = stat.S_IROTH
#: asyncpg and libpq pass over a `passfile` that anybody but its owner may use.
_NOT_ITS_OWNER = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class _File:
    """A file, the setting that names it, and whose rights to it (bits of its mode) are too many."""

    path: Path
    at: str
    forbidden: int = 0


def file_faults(
    settings: Settings, secrets: Path | None = None, *, sources: bool = False, raw: bool = True
) -> list[Problem]:
    """Every fault of the files, told by the setting alone.

    `secrets`: the folder of secret files, where there is one. `sources`: those of hospitals' servers too,
    which only the doors need. `raw`: the keys that raw messages are sealed with, not to be had by the relay.
    """
    files = [*_kafka(settings.kafka), *_database(settings.database.get_secret_value()), *_folder(secrets)]
    files += [_secret(path, "seal") for path in settings.seal if raw]
    if sources:
        files += [file for name, source in settings.sources.items() for file in _source(name, source)]
    faults = [fault for file in files for fault in _faults(file)]
    return faults or list(_together(settings.kafka))


def database_file_faults(dsn: str, secrets: Path | None = None) -> list[Problem]:
    """The same of a process that needs the database alone."""
    return [fault for file in (*_database(dsn), *_folder(secrets)) for fault in _faults(file)]


def _folder(secrets: Path | None) -> Iterator[_File]:
    if secrets is not None and secrets.is_dir():
        yield from (_secret(path, "secrets") for path in sorted(secrets.glob("losus_*")))


def _kafka(kafka: Kafka) -> Iterator[_File]:
    if kafka.tls is not None:
        for name in ("authority", "certificate"):
            if (path := getattr(kafka.tls, name)) is not None:
                yield _File(path, f"kafka.tls.{name}")
        if kafka.tls.key is not None:
            yield _secret(kafka.tls.key, "kafka.tls.key")
    if kafka.sasl is not None:
        yield _secret(kafka.sasl.password_file, "kafka.sasl.password_file")


def _database(dsn: str) -> Iterator[_File]:
    try:
        asked = parse_qs(urlsplit(dsn).query)
    except ValueError:
        return
    for name, forbidden in (
        ("sslrootcert", 0),
        ("sslcert", 0),
        ("sslkey", _EVERYBODY),
        ("passfile", _NOT_ITS_OWNER),
    ):
        yield from (_File(Path(path), f"database {name}", forbidden) for path in asked.get(name, ()))


def _source(name: str, source: Source) -> Iterator[_File]:
    at = f"sources.{name}"
    if source.hook_file is not None:
        yield _secret(source.hook_file, f"{at}.hook_file")
    if source.server is not None:
        yield from _server(source.server, f"{at}.server")


def _server(server: Server, at: str) -> Iterator[_File]:
    if server.authority is not None:
        yield _File(server.authority, f"{at}.authority")
    if server.certificate is not None:
        yield _File(server.certificate.certificate, f"{at}.certificate.certificate")
        yield _secret(server.certificate.key, f"{at}.certificate.key")
    if isinstance(server.login, Basic):
        yield _secret(server.login.password_file, f"{at}.login.password_file")
    if isinstance(server.login, ClientSecret):
        yield _secret(server.login.secret_file, f"{at}.login.secret_file")
    if isinstance(server.login, PrivateKey):
        yield from (_secret(path, f"{at}.login.keys") for path in server.login.keys)
    if server.subscribe is not None and server.subscribe.secret_file is not None:
        yield _secret(server.subscribe.secret_file, f"{at}.subscribe.secret_file")


def _secret(path: Path, at: str) -> _File:
    return _File(path, at, _EVERYBODY)


def _faults(file: _File) -> Iterator[Problem]:
    try:
        with file.path.open("rb") as found:
            found.read(1)
            mode = file.path.stat().st_mode
    except OSError as error:
        yield _fault(f"cannot be read ({type(error).__name__})", file.at)
        return
    if mode & file.forbidden == 0:
        return
    if file.forbidden == _EVERYBODY:
        yield _fault("is a secret that every user of this machine can read (chmod o= FILE)", file.at)
    else:
        yield _fault("is passed over unless it is its owner's alone (chmod 600 FILE)", file.at)


def _together(kafka: Kafka) -> Iterator[Problem]:
    tls = kafka.tls
    if tls is None:
        return
    try:
        context_of(tls.authority, tls.certificate, tls.key)
    except UnavailableError as error:
        yield _fault(error.problems[0].rule, "kafka.tls")


def _fault(rule: str, at: str) -> Problem:
    return Problem("security", rule, "LOSUS_" + at.upper().replace(".", "__"))
