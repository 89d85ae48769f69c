"""Numbers that invoicing needs, each with its check digit: organisation number, GLN, giro accounts, VAT.

Owns what a well-formed number is. Does not own whose it is (`invoicing`), nor the organisation number
(`regions.read_organisation_number`). Sources: GS1 General Specifications 7.9 (GLN); Peppol Policy for use
of Identifiers, code list «Participant identifier schemes» (0007, 0088); Bankgirot (seven or eight digits,
modulus 10).
"""

import re
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator

from adapter.agreements.check_digits import has_gs1_digit, has_luhn_digit
from adapter.agreements.regions import read_organisation_number

_DIGITS = re.compile(r"[0-9]+")
#: Peppol's schemes that a Swedish public body is addressed by: organisation number and GLN.
ORGANISATION_SCHEME: Final = "0007"
GLN_SCHEME: Final = "0088"
_GLN_DIGITS = 13
_BANKGIRO, _PLUSGIRO = range(7, 9), range(2, 9)


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
    read_organisation_number(text[2:12])
    return text


def _peppol(text: str) -> str:
    scheme, _, value = text.partition(":")
    if scheme == ORGANISATION_SCHEME:
        return f"{scheme}:{read_organisation_number(value).replace('-', '')}"
    if scheme == GLN_SCHEME:
        return f"{scheme}:{_gln(value)}"
    raise ValueError(f"a Peppol address is {ORGANISATION_SCHEME}:ORGANISATION NUMBER or {GLN_SCHEME}:GLN")


def _unquoted(value: object) -> object:
    """Take a number for its digits: YAML reads one without quotation marks as an integer."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


OrganisationNumber = Annotated[str, BeforeValidator(_unquoted), AfterValidator(read_organisation_number)]
Gln = Annotated[str, BeforeValidator(_unquoted), AfterValidator(_gln)]
Bankgiro = Annotated[str, BeforeValidator(_unquoted), AfterValidator(_bankgiro)]
Plusgiro = Annotated[str, BeforeValidator(_unquoted), AfterValidator(_plusgiro)]
VatNumber = Annotated[str, AfterValidator(_vat_number)]
#: `scheme:identifier`, as `0007:…` or `0088:…`.
PeppolAddress = Annotated[str, AfterValidator(_peppol)]
