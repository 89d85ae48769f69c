"""Numbers of persons and organisations, and the pseudonyms that stand for them."""

# ruff: noqa: E501 - a row of a table stands on one line where it can be read so

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.errors import ResourceError
from adapter.losus.identity import (
    HSA_SYSTEMS,
    Identity,
    IdentityKind,
    identify,
    organization_keys,
    person_pseudonym,
    preferred,
    pseudonym,
)

BASE = "http://electronichealth.se/identifier/"
PNR, SAM = BASE + "personnummer", BASE + "samordningsnummer"
DAY = date(2026, 3, 2)
SECRET = b"only for tests"

# system, number as sent, reference day → kind, normal form, because
READ = [
    (PNR, "191212121212", DAY, "personnummer", "191212121212", "twelve digits are the normal form"),
    (PNR, "19121212-1212", DAY, "personnummer", "191212121212", "older examples carry a hyphen"),
    (PNR, " 121212+1212 ", DAY, "personnummer", "191212121212", "+ from the year one becomes a hundred"),
    (PNR, "121212+1212", date(2012, 1, 1), "personnummer", "191212121212", "a hundred in that year"),
    (PNR, "121212-1212", date(2011, 12, 31), "personnummer", "191212121212", "ninety-nine that year: -"),
    (PNR, "121212-1212", date(2012, 12, 11), "personnummer", "191212121212", "not yet born on that day in 2012"),
    (PNR, "121212-1212", date(2012, 12, 12), "personnummer", "201212121212", "born that very day"),
    (PNR, "1212121212", DAY, "personnummer", "201212121212", "no separator reads as -"),
    (PNR, "850709-9805", DAY, "personnummer", "198507099805", "- is the latest that can be"),
    ("urn:oid:1.2.752.129.2.1.3.1", "850709-9805", DAY, "personnummer", "198507099805", "the OID of RIV-TA"),
    ("1.2.752.129.2.1.3.1", "850709-9805", DAY, "personnummer", "198507099805", "the bare OID"),
    (SAM, "19701063-2391", DAY, "samordningsnummer", "197010632391", "the day is 60 higher"),
    ("urn:oid:1.2.752.129.2.1.3.3", "701063-2391", DAY, "samordningsnummer", "197010632391", "OID, ten digits"),
    (SAM, "701063+2391", date(2071, 1, 1), "samordningsnummer", "197010632391", "its day counts without the 60"),
    (PNR, "197010632391", DAY, "samordningsnummer", "197010632391", "the number tells its kind, not the system"),
    (SAM, "191212121212", DAY, "personnummer", "191212121212", "same"),
    (BASE + "nationelltReservnummer", "20260302-A1B2", DAY, "nationellt-reservnummer", "20260302A1B2", "no checksum"),
    ("urn:oid:1.2.752.74.9.1", "20260302a1b2", DAY, "nationellt-reservnummer", "20260302A1B2", "capitals"),
    ("urn:oid:1.2.752.97.3.1.3", "991212-A12345", DAY, "regionalt-reservnummer", "991212A12345", "Stockholm"),
    (BASE + "LMA-nummer", "50-123456/7", DAY, "lma-nummer", "501234567", "digits alone"),
    ("urn:oid:1.2.208.176.1.2", "2512489996", DAY, "other", "2512489996", "a Danish CPR number is left as it is"),
    ("", "anything", DAY, "other", "anything", "a number without a system"),
]  # fmt: skip

# system, number, because
REFUSED = [
    (PNR, "191212121213", "the checksum is wrong"),
    (PNR, "191213311212", "there is no thirteenth month"),
    (PNR, "19121212121", "eleven digits"),
    (PNR, "181212121212x", "a letter"),
    (PNR, "171212121212", "no one born in the 1700s"),
    (PNR, "１９１２１２１２１２１２", "digits of another script"),
    (PNR, "19121212--1212", "two hyphens"),
    (PNR, "", "empty"),
    (SAM, "197010632392", "the checksum is wrong"),
    (SAM, "197002922391", "30 February"),
    ("urn:oid:1.2.752.74.9.1", "20260302A1B", "eleven characters"),
    ("urn:oid:1.2.752.97.3.1.3", "9912å2A1234", "a letter beyond A to Z"),
    (BASE + "LMA-nummer", "50-12", "too short"),
]


@pytest.mark.parametrize(("system", "value", "on", "kind", "normal", "because"), READ)
def test_number_is_read(system: str, value: str, on: date, kind: str, normal: str, because: str) -> None:
    found = identify(system, value, on=on)
    assert (found.kind, found.value) == (kind, normal), because


@pytest.mark.parametrize(("system", "value", "because"), REFUSED)
def test_wrong_number_is_refused_and_not_quoted(system: str, value: str, because: str) -> None:
    with pytest.raises(ResourceError) as refused:
        identify(system, value, on=DAY)
    assert not value or value not in str(refused.value), because
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None


@given(st.text(max_size=14), st.sampled_from([PNR, SAM, BASE + "LMA-nummer"]))
@settings(deadline=None)
def test_any_text_is_refused_or_has_a_normal_form(value: str, system: str) -> None:
    try:
        found = identify(system, value, on=DAY)
    except ResourceError:
        return
    assert identify(found.system, found.value, on=DAY) == found


@given(st.dates(date(1900, 1, 1), date(2026, 3, 1)), st.integers(1, 998))
@settings(deadline=None)
def test_ten_digits_find_their_century(born: date, serial: int) -> None:
    digits = f"{born:%y%m%d}{serial:03d}"
    weighed = [int(d) * (2 - i % 2) for i, d in enumerate(digits)]
    check = -sum(n // 10 + n % 10 for n in weighed) % 10
    separator = "+" if DAY.year - born.year >= 100 else "-"
    short = f"{digits[:6]}{separator}{digits[6:]}{check}"
    assert identify(PNR, short, on=DAY).value == f"{born:%Y}{digits[2:]}{check}"


def test_one_system_is_emitted_for_each_kind() -> None:
    assert identify("urn:oid:1.2.752.129.2.1.3.1", "191212121212", on=DAY).system == PNR
    assert identify(PNR, "197010632391", on=DAY).system == SAM
    assert identify("urn:oid:1.2.752.97.3.1.3", "991212A12345", on=DAY).system == "urn:oid:1.2.752.97.3.1.3"


def test_the_preferred_number_does_not_hang_on_the_order() -> None:
    reserve = Identity(IdentityKind.REGIONAL_RESERVE, "urn:oid:1.2.752.97.3.1.3", "991212A12345")
    civic = Identity(IdentityKind.PERSONNUMMER, PNR, "191212121212")
    other = Identity(IdentityKind.PERSONNUMMER, PNR, "198507099805")
    assert preferred([reserve, civic]) == preferred([civic, reserve, civic]) == (civic,)
    assert preferred([other, reserve, civic]) == preferred([civic, other]) == (civic, other)
    assert preferred([]) == ()


@pytest.mark.parametrize("system", HSA_SYSTEMS)
def test_an_hsa_id_is_one_under_every_system(system: str) -> None:
    keys = organization_keys(f"{system}|se2321000016-1abc")
    assert set(keys) >= {f"{one}|SE2321000016-1ABC" for one in HSA_SYSTEMS}
    assert keys[0] == f"{system}|se2321000016-1abc"


def test_a_bare_oid_is_an_hsa_id_too() -> None:
    assert "urn:oid:1.2.752.29.4.19|SE1-A" in organization_keys("1.2.752.129.2.1.4.1|SE1-A")


def test_other_organisations_have_one_key() -> None:
    assert organization_keys("urn:oid:2.5.4.97|232100-0016") == ("urn:oid:2.5.4.97|232100-0016",)
    assert organization_keys(HSA_SYSTEMS[0]) == (HSA_SYSTEMS[0],)


def test_pseudonym_is_keyed_and_safe_in_a_topic() -> None:
    case = pseudonym(SECRET, "hospital-a", "Encounter/17")
    assert case == pseudonym(SECRET, "hospital-a", "Encounter/17")
    assert len(case) == 32
    assert set(case) <= set("0123456789abcdef")
    assert case != pseudonym(b"another", "hospital-a", "Encounter/17")
    assert case != pseudonym(SECRET, "hospital-b", "Encounter/17")


@given(st.text(), st.text(), st.text(), st.text())
@settings(deadline=None)
def test_no_two_keys_share_a_pseudonym(source: str, key: str, source2: str, key2: str) -> None:
    same = (source, key) == (source2, key2)
    assert (pseudonym(SECRET, source, key) == pseudonym(SECRET, source2, key2)) is same


def test_parts_do_not_run_together() -> None:
    assert pseudonym(SECRET, "a", "bc") != pseudonym(SECRET, "ab", "c")


def test_a_person_is_never_a_case() -> None:
    civic = identify(PNR, "191212121212", on=DAY)
    person = person_pseudonym(SECRET, civic)
    assert person == person_pseudonym(SECRET, identify(PNR, "121212+1212", on=DAY))
    assert person != pseudonym(SECRET, civic.system, civic.value)
    assert civic.value not in person


def test_a_pseudonym_needs_a_secret() -> None:
    with pytest.raises(ValueError, match="needs a secret"):
        pseudonym(b"", "a", "b")
