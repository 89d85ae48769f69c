"""Numbers that invoicing needs, each with its check digit: organisation number, GLN, giro accounts, VAT.

Owns what a well-formed number is. Does not own whose it is (`invoicing`).
Sources: lagen (1974:174) om identitetsbeteckning för juridiska personer m.fl. (ten digits, the last by the
modulus 10 of the personnummer); GS1 General Specifications 7.9 (GLN); Peppol Policy for use of Identifiers,
code list «Participant identifier schemes» (0007, 0088); Bankgirot (seven or eight digits, modulus 10).
"""

import re
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator

_DIGITS = re.compile(r"[0-9]+")
#: Peppol's schemes that a Swedish public body is addressed by: organisation number and GLN.
ORGANISATION_SCHEME: Final = "0007"
GLN_SCHEME: Final = "0088"
_ORGANISATION_DIGITS, _GLN_DIGITS = 10, 13
#: The third digit of a legal person's number: as a month it would be 20 or more.
_LEGAL_PERSON = 2
_BANKGIRO, _PLUSGIRO = range(7, 9), range(2, 9)
_TEN = 10


def has_luhn_digit(digits: str) -> bool:
    """Whether the last digit is the Luhn check digit (modulus 10, weights 1 and 2 from the right)."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + position % 2)
        total += value - 9 if value >= _TEN else value
    return total % _TEN == 0


def has_gs1_digit(digits: str) -> bool:
    """Whether the last digit is GS1's check digit (modulus 10, weights 1 and 3 from the right)."""
    return sum(int(digit) * (1, 3)[n % 2] for n, digit in enumerate(reversed(digits))) % _TEN == 0


def _organisation_number(text: str) -> str:
    digits = text.replace("-", "", 1) if text[6:7] == "-" else text
    if not _DIGITS.fullmatch(digits) or len(digits) != _ORGANISATION_DIGITS:
        raise ValueError("an organisation number has ten digits")
    if int(digits[2]) < _LEGAL_PERSON:
        raise ValueError("the third digit of an organisation number is 2 or more")
    if not has_luhn_digit(digits):
        raise ValueError("the check digit of the organisation number is wrong")
    return digits


def _gln(text: str) -> str:
    if not _DIGITS.fullmatch(text) or len(text) != _GLN_DIGITS:
        raise ValueError("a GLN has thirteen digits")
    if not has_gs1_digit(text):
        raise ValueError("the check digit of the GLN is wrong")
    return text


def _account(text: str, name: str, lengths: range) -> str:
    digits = text.replace("-", "").replace(" ", "")
    if not _DIGITS.fullmatch(digits) or len(digits) not in lengths:
        raise ValueError(f"a {name} number has {lengths.start} to {lengths.stop - 1} digits")
    if not has_luhn_digit(digits):
        raise ValueError(f"the check digit of the {name} number is wrong")
    return digits


def _bankgiro(text: str) -> str:
    return _account(text, "bankgiro", _BANKGIRO)


def _plusgiro(text: str) -> str:
    return _account(text, "plusgiro", _PLUSGIRO)


def _vat_number(text: str) -> str:
    if not re.fullmatch(r"SE[0-9]{10}01", text):
        raise ValueError("a Swedish VAT number is SE, the organisation number, and 01")
    _organisation_number(text[2:12])
    return text


def _peppol(text: str) -> str:
    scheme, _, value = text.partition(":")
    if scheme == ORGANISATION_SCHEME:
        return f"{scheme}:{_organisation_number(value)}"
    if scheme == GLN_SCHEME:
        return f"{scheme}:{_gln(value)}"
    raise ValueError(f"a Peppol address is {ORGANISATION_SCHEME}:ORGANISATION NUMBER or {GLN_SCHEME}:GLN")


def _unquoted(value: object) -> object:
    """Take a number for its digits: YAML reads one without quotation marks as an integer."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


OrganisationNumber = Annotated[str, BeforeValidator(_unquoted), AfterValidator(_organisation_number)]
Gln = Annotated[str, BeforeValidator(_unquoted), AfterValidator(_gln)]
Bankgiro = Annotated[str, BeforeValidator(_unquoted), AfterValidator(_bankgiro)]
Plusgiro = Annotated[str, BeforeValidator(_unquoted), AfterValidator(_plusgiro)]
VatNumber = Annotated[str, AfterValidator(_vat_number)]
#: `scheme:identifier`, as `0007:…` or `0088:…`.
PeppolAddress = Annotated[str, AfterValidator(_peppol)]
