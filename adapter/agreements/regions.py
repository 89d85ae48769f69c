"""The regions that treat patients and are paid: länskod, name and organisation number.

Settlement rules 3: creditor, issuer and reporter of a statement are the treating region, under the statute
too. Does not own which region treats in a stay (`adapter.treating`) nor what an agreement binds
(`in_force`). No organisation number is shipped: each comes from the settings.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from adapter.agreements.check_digits import has_luhn_digit
from adapter.errors import Problem, SetupError

COUNTY = r"^[0-9]{2}$"
_NUMBER = re.compile(r"(?:16)?([0-9]{6})-?([0-9]{4})", re.ASCII)
_LEGAL_PERSON = 2


@dataclass(frozen=True, slots=True)
class Region:
    """A region: länskod (SCB, two digits), name, and organisation number (`NNNNNN-NNNN`; None: not known)."""

    county: str
    name: str
    organisation_number: str | None = None

    @property
    def number(self) -> str:
        """The organisation number; SetupError that names the region and the setting where it is not known."""
        if self.organisation_number is None:
            rule = f"{self.name} ({self.county}) has no organisation number: who is paid is not known"
            raise SetupError(Problem("required", rule, "LOSUS_REGION__ORGANISATION_NUMBER"))
        return self.organisation_number


@dataclass(frozen=True, slots=True)
class Regions:
    """The regions by länskod. `home`: that of the installation; None where the settings do not name it."""

    home: str | None = None
    by_county: Mapping[str, Region] = field(default_factory=lambda: MappingProxyType({}))

    def name(self, county: str) -> str:
        """Name a region in words; its länskod where it is none that is known."""
        return self.by_county[county].name if county in self.by_county else county

    def get(self, county: str | None) -> Region:
        """Give a region by its länskod; SetupError that names it, or the setting, where it is not known."""
        if county is None:
            rule = "the treating region is not known: name it, or give the source its own"
            raise SetupError(Problem("required", rule, "LOSUS_REGION__COUNTY"))
        if county not in self.by_county:
            raise SetupError(Problem("not-found", f"{county} is no region's länskod", "LOSUS_REGIONS"))
        return self.by_county[county]


def read_organisation_number(text: str) -> str:
    """Give an organisation number as `NNNNNN-NNNN`; ValueError where its form or check digit is wrong.

    The third digit of a legal person's number is 2 or more, where a personnummer has the month. The last
    digit is that of the Luhn algorithm over the nine before it.
    """
    match = _NUMBER.fullmatch(text.strip())
    if match is None:
        raise ValueError("an organisation number has ten digits, NNNNNN-NNNN")
    digits = "".join(match.groups())
    if int(digits[2]) < _LEGAL_PERSON:
        raise ValueError("the third digit of an organisation number is 2 or more: this is a person's")
    if not has_luhn_digit(digits):
        raise ValueError("the check digit of the organisation number is wrong")
    return "-".join(match.groups())
