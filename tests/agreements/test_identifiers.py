"""Numbers with check digits: what is taken, what is refused, both sides of each digit.

The numbers are of no one: each is counted here by hand from digits in a row.
"""

import pytest
from pydantic import TypeAdapter, ValidationError

from adapter.agreements.identifiers import (
    Bankgiro,
    Gln,
    OrganisationNumber,
    PeppolAddress,
    Plusgiro,
    VatNumber,
)

#: 2 2 2 1 1 1 2 2 2: weights 2 1 2 1 2 1 2 1 2 give 4 2 4 1 2 1 4 2 4 = 24, so the tenth digit is 6.
ORGANISATION = "2221112226"
#: 7 3 5 0 0 0 0 1 2 3 4 5: weights 1 and 3 from the left give 7 9 5 0 0 0 0 3 2 9 4 15 = 54, so 6.
GLN = "7350000123456"
#: 1 2 3 4 5 6: weights 2 1 2 1 2 1 from the right (6: 12 → 3, 5, 4: 8, 3, 2: 4, 1) give 24, so 6.
GIRO = "1234566"

GOOD = [
    (OrganisationNumber, ORGANISATION, "222111-2226", "lagen 1974:174: ten digits"),
    (OrganisationNumber, "222111-2226", "222111-2226", "written with a hyphen"),
    (OrganisationNumber, 2221112226, "222111-2226", "YAML reads it as an integer"),
    (Gln, GLN, GLN, "GS1: thirteen digits"),
    (Gln, 7350000123456, GLN, "YAML reads it as an integer"),
    (Bankgiro, "123-4566", GIRO, "Bankgirot: seven or eight digits, written with a hyphen"),
    (Bankgiro, "1234-5674", "12345674", "eight digits"),
    (Plusgiro, "12 34 56-6", GIRO, "written in pairs"),
    (Plusgiro, "18", "18", "two digits are the fewest: 1 × 2 = 2, so 8"),
    (VatNumber, f"SE{ORGANISATION}01", f"SE{ORGANISATION}01", "SE, the number, 01"),
    (PeppolAddress, f"0007:{ORGANISATION}", f"0007:{ORGANISATION}", "Peppol: 0007 organisation number"),
    (PeppolAddress, "0007:222111-2226", f"0007:{ORGANISATION}", "a network knows no hyphen"),
    (PeppolAddress, f"0088:{GLN}", f"0088:{GLN}", "Peppol: 0088 GLN"),
]


@pytest.mark.parametrize(("kind", "text", "read", "because"), GOOD)
def test_is_taken(kind: type[str], text: object, read: str, because: str) -> None:
    assert TypeAdapter(kind).validate_python(text) == read, because


def _other_digits(number: str) -> list[str]:
    return [number[:-1] + digit for digit in "0123456789" if digit != number[-1]]


BAD = [
    *((OrganisationNumber, one, "check digit") for one in _other_digits(ORGANISATION)),
    (OrganisationNumber, "2211112227", "third digit"),
    (OrganisationNumber, ORGANISATION[:9], "ten digits"),
    (OrganisationNumber, ORGANISATION + "0", "ten digits"),
    (OrganisationNumber, "22211-12226", "ten digits"),
    (OrganisationNumber, "22211122٦6", "ten digits"),
    *((Gln, one, "check digit") for one in _other_digits(GLN)),
    (Gln, GLN[:12], "thirteen digits"),
    (Gln, GLN + "0", "thirteen digits"),
    *((Bankgiro, one, "check digit") for one in _other_digits(GIRO)),
    (Bankgiro, "123455", "7 to 8 digits"),
    (Bankgiro, "123456782", "7 to 8 digits"),
    *((Plusgiro, one, "check digit") for one in _other_digits(GIRO)),
    (Plusgiro, "0", "2 to 8 digits"),
    *((VatNumber, f"SE{one}01", "check digit") for one in _other_digits(ORGANISATION)),
    (VatNumber, f"SE{ORGANISATION}02", "and 01"),
    (VatNumber, f"{ORGANISATION}01", "and 01"),
    *((PeppolAddress, f"0007:{one}", "check digit") for one in _other_digits(ORGANISATION)),
    *((PeppolAddress, f"0088:{one}", "check digit") for one in _other_digits(GLN)),
    (PeppolAddress, f"0009:{ORGANISATION}", "0007:ORGANISATION NUMBER"),
    (PeppolAddress, ORGANISATION, "0007:ORGANISATION NUMBER"),
]


@pytest.mark.parametrize(("kind", "text", "rule"), BAD)
def test_is_refused(kind: type[str], text: str, rule: str) -> None:
    with pytest.raises(ValidationError, match=rule):
        TypeAdapter(kind).validate_python(text)


def test_no_check_digit_is_wrong_in_two_ways() -> None:
    """Two digits in a row that are exchanged are found, but for 0 and 9 (Luhn)."""
    for place in range(len(ORGANISATION) - 1):
        left, right = ORGANISATION[place], ORGANISATION[place + 1]
        if left == right:
            continue
        other = ORGANISATION[:place] + right + left + ORGANISATION[place + 2 :]
        with pytest.raises(ValidationError):
            TypeAdapter(OrganisationNumber).validate_python(other)
