"""A month over HTTP in the forms that it is asked for: another FHIR version, Peppol; and on the command line.

The numbers are of no one: their check digits are counted in `tests/agreements/test_identifiers.py`.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import orjson
import pytest

from adapter.agreements.invoicing import Invoicing
from adapter.commands.peppol import write_documents
from adapter.fhir.decimals import loads
from adapter.fhir.model import FhirVersion, validate
from adapter.web.settlements import NoStatementError
from adapter.wiring import ledger_of
from tests.service import service, settings
from tests.settling.hospital import JH, book, corrected, messages, settled, tell

SPRING = ("2019-01", "2019-02", "2019-03", "2019-04")
PATH = f"/settlements/{JH}/2380/2019-04"
PARTY = {"organisation_number": "2221113331", "buyer_reference": "Ref 4711"}
INVOICE: dict[str, Any] = {
    "payment_days": 30,
    "vat_number": "SE222111222601",
    "bankgiro": "123-4566",
    "parties": {"2380": PARTY},
}
_CBC = "{urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2}"


async def filled(dsn: str, client: httpx.AsyncClient) -> None:
    """April costs 46 800 SEK; May costs 7 800 and takes 23 400 of April back."""
    given = ledger_of(settings(dsn, invoice=INVOICE), book())
    for number, month in enumerate(SPRING):
        await tell(client, *messages(number, month, 20))
    for month in SPRING:
        await settled(dsn, month, "2019-05-02", issue=True, municipalities=("2380",), ledger=given)
    await tell(client, *messages(4, "2019-05", 15), corrected(3, "2019-04", 17, 3))
    await settled(dsn, "2019-05", "2019-06-03", issue=True, municipalities=("2380",), ledger=given)


@pytest.fixture
async def client(dsn: str) -> AsyncIterator[httpx.AsyncClient]:
    async with service(dsn, invoice=INVOICE) as opened:
        await filled(dsn, opened)
        yield opened


async def test_another_fhir_version(client: httpx.AsyncClient) -> None:
    """`fhirVersion=5.0` gives R5 of the same ids and sums; R4 is answered as it was published."""
    params = {"care_form": "somatic"}
    r4 = await client.get(PATH, params=params)
    r5 = await client.get(PATH, params=params, headers={"accept": "application/fhir+json; fhirVersion=5.0"})
    assert r5.headers["content-type"] == "application/fhir+json; fhirVersion=5.0"
    old, new = loads(r4.content), loads(r5.content)
    assert validate(old, FhirVersion.R4) == []
    assert validate(new, FhirVersion.R5) == []
    assert validate(new, FhirVersion.R4) != [], "it is R5 indeed"
    for kind in ("Invoice", "MeasureReport", "ChargeItem"):
        assert _ids(old, kind) == _ids(new, kind)
    (claim,) = (one["resource"] for one in new["entry"] if one["resource"]["resourceType"] == "Invoice")
    assert (claim["periodPeriod"]["start"], str(claim["totalNet"]["value"])) == ("2019-04-01", "46800.00")
    assert claim["identifier"][0]["value"] == "23-2019-000001"
    same = await client.get(PATH, params=params, headers={"accept": "application/fhir+json; fhirVersion=4.0"})
    assert same.content == r4.content
    both = await client.get(PATH, headers={"accept": "application/fhir+json; fhirVersion=5.0"})
    kinds = [one["resource"]["resourceType"] for one in both.json()["entry"]]
    assert kinds.count("MeasureReport") == 2, "both care forms"


def _ids(told: dict[str, Any], kind: str) -> list[str]:
    resources = (one["resource"] for one in told["entry"])
    return sorted(one["id"] for one in resources if one["resourceType"] == kind)


async def test_peppol_over_http(client: httpx.AsyncClient) -> None:
    given = await client.get(PATH, params={"format": "peppol"})
    assert given.status_code == 200, given.text
    assert given.headers["content-type"] == "application/xml"
    assert given.headers["content-disposition"] == 'attachment; filename="23-2019-000001.xml"'
    root = ET.fromstring(given.content)  # noqa: S314 - of our own making
    assert root.tag.endswith("}Invoice")
    assert [one.text for one in root.iter(f"{_CBC}PayableAmount")] == ["46800.00"]


async def test_peppol_where_there_are_several(client: httpx.AsyncClient) -> None:
    """May has an invoice and a credit note: they are listed, and asked for by number."""
    may = PATH.replace("2019-04", "2019-05")
    several = await client.get(may, params={"format": "peppol"})
    assert several.status_code == 409
    assert "23-2019-000002, 23-2019-000003" in several.text
    listed = (await client.get(may, headers={"accept": "application/json"})).json()
    documents = [each for one in listed["statements"] for each in one["documents"]]
    assert [(one["kind"], one["number"], one["amount"], one["due_on"]) for one in documents] == [
        ("invoice", "23-2019-000002", 7800, "2019-07-03"),
        ("credit-note", "23-2019-000003", 23400, None),
    ]
    note = await client.get(may, params={"format": "peppol", "number": "23-2019-000003"})
    root = ET.fromstring(note.content)  # noqa: S314 - of our own making
    assert root.tag.endswith("}CreditNote")
    assert (await client.get(may, params={"format": "peppol", "number": "23-2019-000001"})).status_code == 404
    march = PATH.replace("2019-04", "2019-03")
    assert (await client.get(march, params={"format": "peppol"})).status_code == NoStatementError.status
    assert (await client.get(may, params={"format": "pdf"})).status_code == 400


async def test_a_format_that_lacks_a_number_is_refused_and_others_go_on(dsn: str) -> None:
    async with service(dsn) as client:
        await filled(dsn, client)
        refused = await client.get(PATH, params={"format": "peppol"})
        assert refused.status_code == 409
        issues = refused.json()["issue"]
        assert {one["expression"][0] for one in issues} == {
            "LOSUS_INVOICE__VAT_NUMBER",
            "LOSUS_INVOICE__BANKGIRO",
            *(
                f"LOSUS_INVOICE__PARTIES__2380__{name}"
                for name in ("ORGANISATION_NUMBER", "PEPPOL", "BUYER_REFERENCE")
            ),
        }
        assert all("Östersund" in one["diagnostics"] or "Region" in one["diagnostics"] for one in issues)
        assert (await client.get(PATH)).status_code == 200


async def test_on_the_command_line(
    client: httpx.AsyncClient, dsn: str, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert client
    given = ledger_of(settings(dsn, invoice=INVOICE), book())
    done = await settled(dsn, "2019-05", "2019-06-03", municipalities=("2380",), ledger=given)
    write_documents(done.told, given, tmp_path / "out")
    assert _files(tmp_path / "out") == [
        "23-2019-000002.xml",
        "23-2019-000003.xml",
    ]
    april = await settled(dsn, "2019-04", "2019-06-03", municipalities=("2380",), ledger=given)
    capsysbinary.readouterr()
    write_documents(april.told, given, None)
    assert ET.fromstring(capsysbinary.readouterr().out).tag.endswith("}Invoice")  # noqa: S314


async def test_on_the_command_line_drafts_and_what_lacks_a_number_are_named(
    client: httpx.AsyncClient, dsn: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert client
    given = ledger_of(settings(dsn, invoice={**INVOICE, "bankgiro": None}), book())
    april = await settled(dsn, "2019-04", "2019-06-03", municipalities=("2380",), ledger=given)
    june = await settled(dsn, "2019-06", "2019-07-03", municipalities=("2380",), ledger=given)
    with pytest.raises(BaseException, match="1"):
        write_documents([*april.told, *june.told], given, tmp_path)
    words = capsys.readouterr().err
    assert "2380 somatic 2019-04: " in words
    assert "LOSUS_INVOICE__BANKGIRO" in words
    assert "2380 somatic 2019-06: a draft has no number" in words
    assert _files(tmp_path) == []


def _files(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_settings_are_laid_over_what_ships() -> None:
    shipped = Invoicing.model_validate({"parties": {"2380": {"gln": "7350000123456", "because": "x"}}})
    mine = Invoicing.model_validate({"parties": {"2380": PARTY, "2309": {"buyer_reference": "B"}}})
    laid = mine.over(shipped.parties)
    assert (laid.party("2380").gln, laid.party("2380").buyer_reference) == ("7350000123456", "Ref 4711")
    assert laid.party("2380").endpoint == ("0007", "2221113331")
    assert laid.party("2309").endpoint is None
    assert laid.party("2303").buyer_reference is None
    assert orjson.dumps(laid.model_dump(mode="json"))
