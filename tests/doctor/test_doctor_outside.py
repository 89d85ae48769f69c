"""What the doctor says of files, certificates, keys and the servers of hospitals."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from fastapi import FastAPI

from adapter.cluster import Sasl
from adapter.doctor import servers
from adapter.doctor.findings import Verdict
from adapter.servers import Certificate, Poll, PrivateKey, Server, Subscribe
from adapter.settings import Kafka, Source
from tests.client.listening import listening
from tests.doctor.broken import FAIL, NO_RATE, POLLED, SUBSCRIBED, WARN, one, sources
from tests.doctor.region import OPEN_DOORS, Region, troubles


@pytest.mark.parametrize(
    ("mode", "verdict", "because"),
    [(0o640, None, "its group is the adapter's own"), (0o644, FAIL, "everybody could read it")],
)
async def test_a_secret_file_is_nobody_elses(
    well: Region, tmp_path: Path, mode: int, verdict: Verdict | None, because: str
) -> None:
    file = tmp_path / "hook"
    file.write_text("a secret")
    file.chmod(mode)
    found = troubles(await well.seen(**sources(hook_file=file))) - {NO_RATE, OPEN_DOORS}
    place = "LOSUS_SOURCES__LOSUS-R4__HOOK_FILE"
    assert found == (one("files", "rights", place, verdict) if verdict else set()), because


async def test_a_broker_that_one_cannot_come_in_at_says_why(well: Region) -> None:
    sasl = Sasl(username="losus", password_file=Path("/nowhere/password"))
    found = await well.seen(kafka=Kafka(bootstrap=well.bootstrap, sasl=sasl, transactions=False))
    (told,) = (each for each in found if (each.area, each.verdict) == ("broker", FAIL))
    assert (told.check, told.found) == ("reachable", "cannot be read (FileNotFoundError)")
    place = "LOSUS_KAFKA__SASL__PASSWORD_FILE"
    assert {each for each in troubles(found) if each[0] == "files"} == one("files", "rights", place)


@pytest.mark.parametrize(
    ("days", "verdict", "because"), [(5, WARN, "within fourteen days"), (50, Verdict.OK, "not soon")]
)
async def test_the_certificate_of_a_server_is_looked_at(
    well: Region, tmp_path: Path, days: int, verdict: Verdict, because: str
) -> None:
    authority = trustme.CA()
    made = authority.issue_cert("localhost", not_after=datetime.now(UTC) + timedelta(days))
    certificate, key, trusted = (tmp_path / name for name in ("tls.crt", "tls.key", "ca.crt"))
    made.cert_chain_pems[0].write_to_path(certificate)
    made.private_key_pem.write_to_path(key)
    authority.cert_pem.write_to_path(trusted)
    with listening(FastAPI(), {"ssl_certfile": str(certificate), "ssl_keyfile": str(key)}) as address:
        server = Server(base_url=f"{address}/fhir", authority=trusted)
        found = await servers.certificates(well.deployment(**sources(server)))
    assert [each.verdict for each in found] == [verdict], because


@pytest.mark.parametrize(
    ("known", "verdict", "mend", "because"),
    [
        (None, FAIL, "losus watch", "nobody asked for any"),
        ("alive", Verdict.OK, "", "it is active"),
        ("broken", FAIL, "losus watch", "it is in error: the server tells of nothing"),
        ("gone", FAIL, "losus watch", "the server does not know it"),
    ],
)
async def test_our_subscriptions_are_looked_at(
    well: Region, ehr: str, known: str | None, verdict: Verdict, mend: str, because: str
) -> None:
    server = Server(base_url=ehr, subscribe=Subscribe(hook_url="http://127.0.0.1/hook"))
    if known:
        await well.execute(SUBSCRIBED.format(known))
    try:
        (found,) = await servers.subscriptions(well.deployment(**sources(server)))
    finally:
        await well.execute("delete from mark")
    assert found.verdict is verdict, because
    assert mend in found.mend


@pytest.mark.parametrize(
    ("days", "verdict", "because"),
    [(-1, FAIL, "it has ended"), (1, FAIL, "it ends tomorrow"), (13, WARN, "soon"), (15, None, "not yet")],
)
async def test_the_end_of_a_certificate_is_told_in_time(
    well: Region, ehr: str, tmp_path: Path, days: int, verdict: Verdict | None, because: str
) -> None:
    now = datetime.now(UTC)
    made = trustme.CA().issue_cert(
        "a.example", not_before=now - timedelta(9), not_after=now + timedelta(days)
    )
    certificate, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    made.cert_chain_pems[0].write_to_path(certificate)
    made.private_key_pem.write_to_path(key)
    key.chmod(0o600)
    server = Server(base_url=ehr, certificate=Certificate(certificate=certificate, key=key))
    found = troubles(await well.seen(**sources(server))) - {NO_RATE, OPEN_DOORS}
    place = "sources.losus-r4.server.certificate"
    assert found == (one("keys", "certificates", place, verdict) if verdict else set()), because


async def test_a_server_that_speaks_another_version_is_told(well: Region, ehr: str) -> None:
    given = {"sources": {"losus-r4": Source(mapping="losus-r4", fhir="R5", server=Server(base_url=ehr))}}
    found = troubles(await well.seen(**given)) - {NO_RATE, OPEN_DOORS}
    assert found == one("sources", "servers", "losus-r4", WARN)


async def test_a_key_that_cannot_sign_is_told(well: Region, ehr: str, tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.write_text("no key")
    key.chmod(0o600)
    server = Server(base_url=ehr, login=PrivateKey(client_id="losus", keys=(key,)))
    found = troubles(await well.seen(**sources(server))) - {NO_RATE, OPEN_DOORS}
    assert found == one("keys", "signing", str(key)) | one("sources", "servers", "losus-r4")


@pytest.mark.parametrize(
    ("asked", "verdict", "because"),
    [(None, FAIL, "never"), ("11 minutes", FAIL, "not for ten minutes"), ("9 minutes", None, "of late")],
)
async def test_a_server_that_nobody_asks_is_told(
    well: Region, ehr: str, asked: str | None, verdict: Verdict | None, because: str
) -> None:
    if asked:
        await well.execute(POLLED.format(asked))
    try:
        found = troubles(await well.seen(**sources(Server(base_url=ehr, poll=Poll())))) - {
            NO_RATE,
            OPEN_DOORS,
        }
    finally:
        await well.execute("delete from mark")
    assert found == (one("intake", "polled", "losus-r4", verdict) if verdict else set()), because
