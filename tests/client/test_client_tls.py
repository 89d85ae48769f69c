"""TLS as it is: against servers that listen, with certificates of an authority of the tests' own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from adapter.client.connect import client_of
from adapter.client.faults import AwayError, RefusedError
from adapter.errors import SetupError
from adapter.fhir.model import FhirVersion
from adapter.servers import Certificate, Patience, Server
from tests.client.listening import listening, mutual
from tests.client.outside import Stage

PATIENT = {"resourceType": "Patient", "id": "1"}


class Papers:
    """An authority, and certificates as files: the server's, ours, and ones of a stranger's."""

    def __init__(self, folder: Path) -> None:
        ours, strange = trustme.CA(), trustme.CA()
        self.authority, self.stranger = folder / "authority.pem", folder / "stranger.pem"
        ours.cert_pem.write_to_path(str(self.authority))
        strange.cert_pem.write_to_path(str(self.stranger))
        self.server = _written(folder, "server", ours.issue_cert("localhost"))
        self.elsewhere = _written(folder, "elsewhere", ours.issue_cert("elsewhere.example"))
        self.client = _written(folder, "client", ours.issue_cert("losus.example"))
        self.impostor = _written(folder, "impostor", strange.issue_cert("losus.example"))


def _written(folder: Path, name: str, issued: trustme.LeafCert) -> Certificate:
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    issued.private_key_pem.write_to_path(str(key))
    for number, one in enumerate(issued.cert_chain_pems):
        one.write_to_path(str(certificate), append=number > 0)
    return Certificate(certificate=certificate, key=key)


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    return Papers(tmp_path_factory.mktemp("papers"))


async def patient(_: Request) -> JSONResponse:
    return JSONResponse(PATIENT)


APP = Starlette(routes=[Route("/fhir/Patient/1", patient)])


@pytest.fixture(scope="module")
def asks_for_a_certificate(papers: Papers) -> Iterator[str]:
    with listening(APP, _tls(papers.server, papers)) as address:
        yield address


@pytest.fixture(scope="module")
def has_another_name(papers: Papers) -> Iterator[str]:
    with listening(APP, _tls(papers.elsewhere, papers)) as address:
        yield address


def _tls(shown: Certificate, papers: Papers) -> dict[str, object]:
    return mutual(str(shown.certificate), str(shown.key), str(papers.authority))


async def read(address: str, **server: object) -> object:
    stage = Stage()
    told = Server(**{"base_url": f"{address}/fhir", "patience": Patience(attempts=2), **server})
    async with client_of("hospital", told, FhirVersion.R4, stage.outside) as client:
        return (await client.read("Patient/1")).resource


async def test_both_show_a_certificate_and_trust_the_other(
    asks_for_a_certificate: str, papers: Papers
) -> None:
    given = await read(asks_for_a_certificate, certificate=papers.client, authority=papers.authority)
    assert given == PATIENT


@pytest.mark.parametrize("shown", ["none", "impostor"])
async def test_without_the_right_certificate_the_server_lets_nobody_in(
    asks_for_a_certificate: str, papers: Papers, shown: str
) -> None:
    certificate = papers.impostor if shown == "impostor" else None
    with pytest.raises(AwayError):
        await read(asks_for_a_certificate, certificate=certificate, authority=papers.authority)


@pytest.mark.parametrize("authority", ["stranger", "public"])
async def test_a_server_whose_authority_is_not_ours_is_told_nothing(
    asks_for_a_certificate: str, papers: Papers, authority: str
) -> None:
    trusted = papers.stranger if authority == "stranger" else None
    with pytest.raises(RefusedError) as refused:
        await read(asks_for_a_certificate, certificate=papers.client, authority=trusted)
    assert refused.value.problems[0].code == "security"


async def test_a_server_of_another_name_is_told_nothing(has_another_name: str, papers: Papers) -> None:
    with pytest.raises(RefusedError) as refused:
        await read(has_another_name, certificate=papers.client, authority=papers.authority)
    assert refused.value.problems[0].code == "security"


async def test_a_server_without_tls_is_no_server_with_it(papers: Papers) -> None:
    with listening(APP) as address, pytest.raises(AwayError):
        await read(address.replace("http:", "https:"), authority=papers.authority)


def _broken(papers: Papers, folder: Path) -> list[tuple[dict[str, object], str]]:
    nothing, none = folder / "nothing.pem", folder / "none.pem"
    nothing.write_bytes(b"")
    sealed = folder / "sealed.key"
    plain = load_pem_private_key(papers.client.key.read_bytes(), None)
    how = BestAvailableEncryption(b"word")
    sealed.write_bytes(plain.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how))
    swapped = Certificate(certificate=papers.client.certificate, key=papers.impostor.key)
    return [
        ({"authority": none}, "no such file"),
        ({"authority": nothing}, "no certificate in it"),
        ({"authority": papers.client.key}, "a key is no certificate"),
        ({"certificate": Certificate(certificate=none, key=papers.client.key)}, "no such file"),
        ({"certificate": Certificate(certificate=papers.client.certificate, key=none)}, "no such file"),
        ({"certificate": Certificate(certificate=nothing, key=papers.client.key)}, "no certificate in it"),
        ({"certificate": Certificate(certificate=papers.client.certificate, key=sealed)}, "a password on it"),
        ({"certificate": swapped}, "key and certificate do not belong together"),
    ]


def test_files_that_will_not_do_are_a_fault_of_the_setup(papers: Papers, tmp_path: Path) -> None:
    for server, because in _broken(papers, tmp_path):
        told = Server(**{"base_url": "https://localhost/fhir", **server})
        with pytest.raises(SetupError):
            print(client_of("hospital", told, FhirVersion.R4), because)
