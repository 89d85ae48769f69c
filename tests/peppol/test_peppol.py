"""Peppol BIS Billing 3: documents written by hand, sums, what is missing by name, and Peppol's own rules."""

import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from adapter.agreements.invoicing import Invoicing, Vat
from adapter.agreements.rates import Rate
from adapter.peppol.parties import IncompleteError
from adapter.peppol.statement import Creditor, documents_as_xml
from adapter.settlement.difference import DocumentKind, Issued
from adapter.settlement.stay import Stay
from tests.peppol.peppol_cases import CASES, INVOICING, REGION, credited, debited, run
from tests.peppol.validator.validator import PeppolValidator
from tests.settlement.making import stay

GOLDEN = Path(__file__).parent / "golden"
_CBC = "{urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2}"
_CAC = "{urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2}"


def written(issued: Issued, invoicing: Invoicing = INVOICING, region: Creditor = REGION) -> dict[str, bytes]:
    return {one.number: one.xml for one in documents_as_xml(issued, region, "Exempelkommunen", invoicing)}


@pytest.mark.parametrize("number", ["23-2019-000002", "23-2019-000003"])
def test_is_what_was_written_by_hand(number: str) -> None:
    """The invoice of a month and the credit note beside it, element by element."""
    text = written(credited())[number].decode()
    text = re.sub(r"Avräkning 2380-2019-06\.", "Avräkning ID.", text)
    assert text == (GOLDEN / f"{number}.xml").read_text("utf-8")


@pytest.mark.parametrize("name", CASES)
def test_keeps_the_rules(peppol_validator: PeppolValidator, name: str) -> None:
    """The schema of UBL 2.1, EN 16931 and Peppol BIS Billing 3 with Sweden's rules: no error, no warning."""
    issued = CASES[name]()
    found = written(issued)
    assert found
    for one in issued.documents or ():
        assert peppol_validator.check(one.kind.value, found[one.number]) == []


def test_a_charge_without_vat_liability(peppol_validator: PeppolValidator) -> None:
    """Category O: no rate, no VAT number of the seller (BR-O-02, BR-O-05)."""
    vat = Vat(category="O", reason="Ersättning enligt lag, ingen omsättning", source="beslut 2026-01-02")
    one = debited()
    documents = tuple(replace(each, vat=vat) for each in one.documents or ())
    (xml,) = written(replace(one, documents=documents)).values()
    assert b"SE222111222601" not in xml
    assert peppol_validator.check("invoice", xml) == []


def test_plusgiro_and_the_organisation_number_as_the_address(peppol_validator: PeppolValidator) -> None:
    changed = INVOICING.model_copy(
        update={
            "bankgiro": None,
            "plusgiro": "1234566",
            "parties": {"2380": INVOICING.party("2380").model_copy(update={"peppol": None, "gln": None})},
        }
    )
    (xml,) = written(debited(), changed).values()
    assert b'schemeID="0007">2221113331</cbc:EndpointID>' in xml
    assert b"SE:PLUSGIRO" in xml
    assert peppol_validator.check("invoice", xml) == []


def test_is_rounded_once(peppol_validator: PeppolValidator) -> None:
    """Three lines of 5 200.005: 5 200.01 each, 15 600.03; the exact sum 15 600.015 is paid as 15 600.02."""
    one = debited_by_three("5200.005")
    (xml,) = written(one).values()
    root = ET.fromstring(xml)  # noqa: S314 - of our own making
    sums = {each.tag.removeprefix(_CBC): each.text for each in root.find(f"{_CAC}LegalMonetaryTotal") or ()}
    assert sums == {
        "LineExtensionAmount": "15600.03",
        "TaxExclusiveAmount": "15600.03",
        "TaxInclusiveAmount": "15600.03",
        "PayableRoundingAmount": "-0.01",
        "PayableAmount": "15600.02",
    }
    assert peppol_validator.check("invoice", xml) == []


def debited_by_three(amount: str) -> Issued:
    """Three stays with one payable day each at that price."""
    stays = [_stay(name) for name in "abc"]
    one = run(("2019-05", stays))[-1]

    def priced(rate: Rate) -> Rate:
        return replace(rate, amount=Decimal(amount))

    lines = tuple(
        replace(line, charges=tuple(replace(charge, rate=priced(charge.rate)) for charge in line.charges))
        for line in one.statement.lines
    )
    return replace(one, statement=replace(one.statement, lines=lines))


def _stay(name: str) -> Stay:
    return stay("2019-05-13 10:00", "2019-05-17 15:00", name)


Break = Callable[[bytes], bytes]


def _swap(old: str, new: str) -> Break:
    def change(xml: bytes) -> bytes:
        assert old.encode() in xml
        return xml.replace(old.encode(), new.encode(), 1)

    return change


def _without_reason(xml: bytes) -> bytes:
    return re.sub(rb"<cbc:TaxExemptionReason>.*?</cbc:TaxExemptionReason>", b"", xml)


#: A sound invoice broken in one place each → the rule that must say so.
BROKEN: dict[str, tuple[Break, str]] = {
    "another sum of the lines": (
        _swap(">23400.00</cbc:LineExtensionAmount", ">23400.01</cbc:LineExtensionAmount"),
        "BR-CO-10",
    ),
    "no buyer reference": (
        _swap("<cbc:BuyerReference>Ref 4711</cbc:BuyerReference>", ""),
        "PEPPOL-EN16931-R003",
    ),
    "a wrong GLN": (
        _swap(">7350000123456</cbc:EndpointID", ">7350000123457</cbc:EndpointID"),
        "PEPPOL-COMMON-R040",
    ),
    "a wrong organisation number": (
        _swap(">2221112226</cbc:EndpointID", ">2221112225</cbc:EndpointID"),
        "PEPPOL-COMMON-R049",
    ),
    "a wrong bankgiro": (_swap(">1234566</cbc:ID", ">12345X6</cbc:ID"), "SE-R-008"),
    "no reason for the exemption": (_without_reason, "BR-E-10"),
    "a period of a line outside the invoice's": (
        _swap("<cbc:StartDate>2019-05-01</cbc:StartDate>", "<cbc:StartDate>2019-05-20</cbc:StartDate>"),
        "PEPPOL-EN16931-R110",
    ),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_bites(peppol_validator: PeppolValidator, broken: str) -> None:
    change, rule = BROKEN[broken]
    (xml,) = written(debited()).values()
    assert rule in {one.rule for one in peppol_validator.check("invoice", change(xml))}


def test_the_schema_bites(peppol_validator: PeppolValidator) -> None:
    (xml,) = written(debited()).values()
    found = peppol_validator.check(
        "invoice",
        _swap("<cbc:ID>23-", "<cbc:IDs>23-")(xml).replace(b"000002</cbc:ID>", b"000002</cbc:IDs>", 1),
    )
    assert found
    assert all(one.severity == "error" for one in found)


def without(**changes: Any) -> Invoicing:
    return INVOICING.model_copy(update=changes)


def without_party(field: str) -> Invoicing:
    return INVOICING.model_copy(
        update={"parties": {"2380": INVOICING.party("2380").model_copy(update={field: None})}}
    )


PARTY = "LOSUS_INVOICE__PARTIES__2380"
MISSING = [
    (without(payment_days=None), REGION, set(), "the date stands on the document: terms of its own day"),
    (without(bankgiro=None), REGION, {"LOSUS_INVOICE__BANKGIRO"}, "nowhere to pay to"),
    (without(vat_number=None), REGION, {"LOSUS_INVOICE__VAT_NUMBER"}, "BR-E-02"),
    (
        INVOICING,
        Creditor("Region Exempel", None),
        {"LOSUS_REGION__ORGANISATION_NUMBER", "LOSUS_INVOICE__SELLER__PEPPOL"},
        "nobody is paid",
    ),
    (without_party("organisation_number"), REGION, {f"{PARTY}__ORGANISATION_NUMBER"}, "who pays"),
    (without_party("buyer_reference"), REGION, {f"{PARTY}__BUYER_REFERENCE"}, "PEPPOL-EN16931-R003"),
    (without_party("peppol"), REGION, set(), "the organisation number is an address too"),
    (
        without(parties={}),
        REGION,
        {f"{PARTY}__{name}" for name in ("ORGANISATION_NUMBER", "PEPPOL", "BUYER_REFERENCE")},
        "all that is missing at once",
    ),
]


@pytest.mark.parametrize(("invoicing", "region", "settings", "because"), MISSING)
def test_what_is_missing_is_named(
    invoicing: Invoicing, region: Creditor, settings: set[str], because: str
) -> None:
    if not settings:
        assert written(debited(), invoicing, region), because
        return
    with pytest.raises(IncompleteError) as refused:
        written(debited(), invoicing, region)
    assert {one.expression for one in refused.value.problems} == settings, because
    names = {"Region Exempel", "Exempelkommunen"}
    assert all(any(name in one.rule for name in names) for one in refused.value.problems)


def test_no_terms_of_payment() -> None:
    one = debited()
    documents = tuple(replace(each, due_on=None) for each in one.documents or ())
    with pytest.raises(IncompleteError) as refused:
        written(replace(one, documents=documents))
    assert [each.expression for each in refused.value.problems] == ["LOSUS_INVOICE__PAYMENT_DAYS"]


def test_a_credit_note_needs_no_account_and_no_date() -> None:
    one = credited()
    notes = tuple(each for each in one.documents or () if each.kind is DocumentKind.CREDIT_NOTE)
    assert written(replace(one, documents=notes), without(bankgiro=None, payment_days=None))


def test_a_draft_is_no_document() -> None:
    one = debited()
    documents = tuple(replace(each, number=None) for each in one.documents or ())
    with pytest.raises(IncompleteError, match="draft"):
        written(replace(one, documents=documents))


def test_a_statement_of_before_is_no_document() -> None:
    with pytest.raises(IncompleteError, match="before invoices had numbers"):
        written(replace(debited(), documents=None))


def test_says_nothing_of_a_person() -> None:
    """Of a stay nothing but its pseudonym."""
    for xml in written(credited()).values():
        root = ET.fromstring(xml)  # noqa: S314 - of our own making
        stays = [each.text for each in root.iter(f"{_CBC}Value")]
        assert set(stays) <= {"stay-a", "stay-c"}
