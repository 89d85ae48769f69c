"""PostgreSQL over TLS, by every way that we connect: whom we believe, and what is said where we do not."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from adapter.errors import UnavailableError
from adapter.sandbox.database import Database
from adapter.store.database import connect, connect_once
from adapter.store.migrate import migrate
from adapter.store.outbox import open_session
from tests.kafka.authority import Authority, Pem
from tests.store.encrypted import BY_CERTIFICATE, EncryptedDatabase


@dataclass(frozen=True, slots=True)
class Rig:
    """The server, the authority of all its certificates, another one, and a folder for files."""

    server: EncryptedDatabase
    authority: Authority
    other: Authority
    folder: Path


@pytest.fixture(scope="module")
async def rig(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rig]:
    folder = tmp_path_factory.mktemp("postgres-tls")
    authority = Authority(folder, "region")
    with EncryptedDatabase.start(durable=False) as server:
        await server.begin(authority.server("127.0.0.1"), authority)
        await migrate(server.dsn)
        yield Rig(server, authority, Authority(folder, "other"), folder)


async def _pool(dsn: str) -> str:
    database = await connect(dsn, size=1)
    try:
        async with database.transaction() as connection:
            return str(await connection.fetchval(TLS))
    finally:
        await database.close()


async def _single(dsn: str) -> str:
    connection = await connect_once(dsn)
    try:
        return str(await connection.fetchval(TLS))
    finally:
        await connection.close()


async def _relay(dsn: str) -> str:
    connection = await open_session(dsn)
    try:
        return str(await connection.fetchval(TLS))
    finally:
        await connection.close()


async def _migrate(dsn: str) -> str:
    assert await migrate(dsn) == []
    return "TLSv1.3"


#: In TLS 1.3 the server looks at our certificate when the handshake is over for us: what it says of it may
#: come too late for asyncpg, which then says that the connection has ended.
_CUT_OFF = "it does not take our certificate|ConnectionDoesNotExistError"
TLS = "select version from pg_stat_ssl where pid = pg_backend_pid()"
WAYS = {"pool": _pool, "a connection": _single, "relay": _relay, "migrate": _migrate}


def _full(one: Rig, **more: str) -> str:
    asked = {"sslmode": "verify-full", "sslrootcert": str(one.authority.file)}
    return one.server.address(**{**asked, "password": one.server.password, **more})


def _by_certificate(one: Rig, pem: Pem) -> str:
    files = {"sslcert": str(pem.certificate), "sslkey": str(pem.key)}
    return one.server.address(
        user=BY_CERTIFICATE, sslmode="verify-full", sslrootcert=str(one.authority.file), **files
    )


def _by_file(one: Rig) -> str:
    path = one.folder / "passfile"
    path.write_text(f"*:*:*:losus:{one.server.password}\n")
    path.chmod(0o600)
    return one.server.address(sslmode="verify-full", sslrootcert=str(one.authority.file), passfile=str(path))


TRUSTED = [
    # the address, because
    (_full, "the right authority and host, a password"),
    (lambda one: _full(one, host="localhost", sslmode="verify-ca"), "verify-ca asks for no host name"),
    (
        lambda one: _by_certificate(one, one.authority.client(BY_CERTIFICATE)),
        "a certificate, no password",
    ),
    (_by_file, "the password from a file"),
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("address", "because"), TRUSTED)
async def test_who_is_to_be_believed_is(
    rig: Rig, way: str, address: Callable[[Rig], str], because: str
) -> None:
    assert await WAYS[way](address(rig)) == "TLSv1.3", because


REFUSED = [
    # the address, what is said, because
    (
        lambda one: _full(one, sslrootcert=str(one.other.file)),
        "its certificate is not of an authority that is trusted",
        "another authority",
    ),
    (
        lambda one: _full(one, host="localhost"),
        "its certificate is of another host name",
        "it is of 127.0.0.1",
    ),
    (lambda one: _full(one, sslrootcert="/secrets/none"), "FileNotFoundError", "no file of authorities"),
    (lambda one: _full(one, password="kRm9vQ7x"), "InvalidPasswordError", "not its password"),
    (
        lambda one: _by_certificate(one, one.authority.client("another")),
        "InvalidAuthorizationSpecificationError",
        "a certificate of another user",
    ),
    (
        lambda one: _by_certificate(one, one.other.client(BY_CERTIFICATE)),
        _CUT_OFF,
        "a certificate of another authority",
    ),
    (
        lambda one: _by_certificate(one, one.authority.client(BY_CERTIFICATE, expired=True)),
        _CUT_OFF,
        "ours has expired",
    ),
]


async def _said(way: Callable[[str], Awaitable[str]], dsn: str) -> str:
    """What is said; it can be tried again, and holds nothing of the address."""
    with pytest.raises(UnavailableError) as caught:
        await way(dsn)
    assert caught.value.retryable
    assert caught.value.status == 503
    told = str(caught.value)
    secrets = (urlsplit(dsn).password, "127.0.0.1", "localhost", "secrets")
    assert not [word for word in secrets if word and word in told]
    return told


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("address", "said", "because"), REFUSED)
async def test_who_is_not_to_be_believed_is_refused(
    rig: Rig, way: str, address: Callable[[Rig], str], said: str, because: str
) -> None:
    assert re.search(rf"\(({said})\)", await _said(WAYS[way], address(rig))), because


@pytest.mark.parametrize("way", WAYS)
async def test_a_server_without_tls_is_refused(database: Database, rig: Rig, way: str) -> None:
    plain = f"{database.dsn}?sslmode=verify-full&sslrootcert={rig.authority.file}"
    assert "(it offers no TLS)" in await _said(WAYS[way], plain)


async def test_an_expired_certificate_is_exchanged_and_the_pool_goes_on(rig: Rig) -> None:
    pool = await connect(_full(rig), size=2)
    try:
        async with pool.transaction() as held:
            await rig.server.show(rig.authority.server("127.0.0.1", expired=True))
            await _until(rig, "its certificate has expired")
            assert await held.fetchval("select 1") == 1, "who is connected stays so"
            with pytest.raises(UnavailableError, match="its certificate has expired"):
                async with pool.transaction():
                    pass
            await rig.server.show(rig.authority.server("127.0.0.1"))
            await _until(rig, None)
            async with pool.transaction() as another:
                assert await another.fetchval("select 1") == 1
    finally:
        await pool.close()


async def _until(one: Rig, said: str | None) -> None:
    """Reloading takes the server a moment."""
    told: str | None = "nothing yet"
    for _ in range(500):
        told = None
        try:
            await _single(_full(one))
        except UnavailableError as error:
            told = str(error)
        if (said is None and told is None) or (said is not None and said in (told or "")):
            return
    raise AssertionError(told)
