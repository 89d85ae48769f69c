"""Whom a case is about: personal identity numbers, HSA-ids, and the pseudonyms that stand for them.

Owns number formats, checksums and the keyed pseudonyms; does not own protected identity (`person`).
No error of this module holds the number. Sources: `hl7se.fhir.base` 1.1.0 for the URIs, Inera's
RIV-TA tables for the OIDs and for «12 tecken utan avgränsare».

For reserve and LMA numbers no checksum is published, so that only their form is checked.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from personnummer import personnummer

from adapter.errors import Problem, ResourceError


class IdentityKind(StrEnum):
    """What kind of number it is, the one to prefer first; `OTHER` is any system not known here."""

    PERSONNUMMER = "personnummer"
    SAMORDNINGSNUMMER = "samordningsnummer"
    NATIONAL_RESERVE = "nationellt-reservnummer"
    REGIONAL_RESERVE = "regionalt-reservnummer"
    LMA = "lma-nummer"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Identity:
    """A person's number: its kind, the identifier system to emit it with, and its normal form."""

    kind: IdentityKind
    system: str
    value: str


_BASE = "http://electronichealth.se/identifier/"
#: The system under which a personnummer is emitted and compared.
PERSONNUMMER = _BASE + "personnummer"
_SAMORDNINGSNUMMER = _BASE + "samordningsnummer"

#: Systems under which a number may come, without `urn:oid:`.
_KINDS: dict[str, IdentityKind] = {
    PERSONNUMMER: IdentityKind.PERSONNUMMER,
    "1.2.752.129.2.1.3.1": IdentityKind.PERSONNUMMER,
    _SAMORDNINGSNUMMER: IdentityKind.SAMORDNINGSNUMMER,
    "1.2.752.129.2.1.3.3": IdentityKind.SAMORDNINGSNUMMER,
    _BASE + "nationelltReservnummer": IdentityKind.NATIONAL_RESERVE,
    "1.2.752.74.9.1": IdentityKind.NATIONAL_RESERVE,
    _BASE + "LMA-nummer": IdentityKind.LMA,
    "1.2.752.97.3.1.3": IdentityKind.REGIONAL_RESERVE,  # Stockholm
    "1.2.752.113.11.0.2.1.1.1": IdentityKind.REGIONAL_RESERVE,  # Västra Götaland
    "1.2.752.74.9.2": IdentityKind.REGIONAL_RESERVE,  # Värmland
    "1.2.752.74.9.3": IdentityKind.REGIONAL_RESERVE,  # Örebro
    "1.2.752.219.1.10.10.1": IdentityKind.REGIONAL_RESERVE,  # Skåne
    "1.2.752.74.9.5": IdentityKind.REGIONAL_RESERVE,  # Blekinge
    "1.2.752.269.1.1": IdentityKind.REGIONAL_RESERVE,  # Västernorrland
    "1.2.752.266.1.1.1": IdentityKind.REGIONAL_RESERVE,  # Sörmland
    "1.2.752.266.1.1.2": IdentityKind.REGIONAL_RESERVE,  # Sörmland
    "1.2.752.129.2.1.3.2": IdentityKind.REGIONAL_RESERVE,  # Inera
}

#: One system a kind where several are in use; the others keep the one they came with.
_EMITTED = {
    IdentityKind.PERSONNUMMER: PERSONNUMMER,
    IdentityKind.SAMORDNINGSNUMMER: _SAMORDNINGSNUMMER,
    IdentityKind.NATIONAL_RESERVE: _BASE + "nationelltReservnummer",
}

_FORMS = {
    IdentityKind.NATIONAL_RESERVE: re.compile(r"[0-9A-Z]{12}"),
    IdentityKind.REGIONAL_RESERVE: re.compile(r"[0-9A-Z]{6,20}"),
    IdentityKind.LMA: re.compile(r"[0-9]{6,12}"),
}
_CIVIC = re.compile(r"(1[89]|20)?([0-9]{6})([-+]?)([0-9]{4})")
_PREFERENCE = {kind: rank for rank, kind in enumerate(IdentityKind)}

#: HSA-id: `hl7se.fhir.base` fixes the first OID, RIV-TA uses the second, older drafts the URL.
HSA_SYSTEMS = (
    "urn:oid:1.2.752.29.4.19",
    "urn:oid:1.2.752.129.2.1.4.1",
    "http://electronichealth.se/identifier/hsaid",
)


def identify(system: str, value: str, *, on: date) -> Identity:
    """Read a number; ResourceError where its form or checksum is wrong.

    `on`: the local day by which a number of ten digits gets its century. Personnummer and
    samordningsnummer come out with twelve digits, whichever of their two systems they came under;
    reserve and LMA numbers without separators; numbers of unknown systems as they are.
    """
    oid = system.removeprefix("urn:oid:")
    kind = _KINDS.get(oid, IdentityKind.OTHER)
    if kind in (IdentityKind.PERSONNUMMER, IdentityKind.SAMORDNINGSNUMMER):
        kind, value = _civic(value, on)
    elif kind is not IdentityKind.OTHER:
        value = re.sub(r"[-/ ]", "", value).upper()
        if not _FORMS[kind].fullmatch(value):
            raise _wrong(kind, "has not the form of one")
    return Identity(kind, _EMITTED.get(kind, system), value)


def preferred(identities: Iterable[Identity]) -> tuple[Identity, ...]:
    """Give the numbers of the kind to prefer, sorted: one where all is well, none where none is known."""
    ranked = sorted(set(identities), key=lambda one: (_PREFERENCE[one.kind], one.system, one.value))
    return tuple(one for one in ranked if one.kind is ranked[0].kind)


def _civic(value: str, on: date) -> tuple[IdentityKind, str]:
    match = _CIVIC.fullmatch(value.strip())
    if match is None:
        raise _wrong(IdentityKind.PERSONNUMMER, "must have ten or twelve digits")
    century, birth, separator, number = match.groups()
    digits = (century or _century(birth, separator, on)) + birth + number
    if not personnummer.valid(digits):
        raise _wrong(IdentityKind.PERSONNUMMER, "its date or checksum is wrong")
    coordination = int(digits[6:8]) > 60  # the day of a samordningsnummer is 60 higher
    return (IdentityKind.SAMORDNINGSNUMMER if coordination else IdentityKind.PERSONNUMMER), digits


def _century(birth: str, separator: str, on: date) -> str:
    """Choose the century of a number of ten digits.

    `-` turns into `+` in the year in which the person becomes a hundred (folkbokföringslagen 18 §).
    Someone whose day of birth would still be to come was born a hundred years before it.
    """
    year = on.year - (on.year - int(birth[:2])) % 100
    month, day = int(birth[2:4]), int(birth[4:6]) % 60
    if separator == "+" or (year, month, day) > (on.year, on.month, on.day):
        year -= 100
    return f"{year // 100:02d}"


def _wrong(kind: IdentityKind, rule: str) -> ResourceError:
    return ResourceError(Problem("value", f"{kind}: {rule}", "Patient.identifier"))


def identifier_key(system: str, value: str, *, on: date) -> str:
    """Give `system|value` in the one form in which identifiers are compared.

    Numbers of persons and HSA-ids have several systems and spellings that mean the same; `on` as in
    `identify`. Every other identifier, and a number that is not right, is compared as it is written.
    """
    try:
        number = identify(system, value, on=on)
    except ResourceError:
        return f"{system}|{value}"
    if number.kind is not IdentityKind.OTHER:
        return f"{number.system}|{number.value}"
    full = f"urn:oid:{system}" if system[:1].isdigit() else system
    return f"{HSA_SYSTEMS[0]}|{value.upper()}" if full in HSA_SYSTEMS else f"{system}|{value}"


def organization_keys(key: str) -> tuple[str, ...]:
    """Give the forms under which an organisation `system|value` may be listed, its own first.

    Both OIDs of HSA-ids mean the same; an HSA-id is written with capitals.
    """
    system, bar, value = key.partition("|")
    full = f"urn:oid:{system}" if system[:1].isdigit() else system
    if not bar or full not in HSA_SYSTEMS:
        return (key,)
    return tuple(dict.fromkeys((key, *(f"{one}|{value.upper()}" for one in HSA_SYSTEMS))))


def pseudonym(secret: bytes, source: str, key: str) -> str:
    """Give the case id for a source's case key: 32 hex digits, the same for ever under one secret.

    A keyed hash (HMAC-SHA256, cut to 128 bits), safe in URLs, topics and keys, from which nobody
    without the secret can find the key. ValueError for an empty secret.
    """
    return _keyed(secret, "case", source, key)


def person_pseudonym(secret: bytes, identity: Identity) -> str:
    """Give the id that ties together the cases of one person; never equal to a case id."""
    return _keyed(secret, "person", identity.system, identity.value)


def _keyed(secret: bytes, *parts: str) -> str:
    if not secret:
        raise ValueError("a pseudonym needs a secret")
    # Lengths before the parts, so that no two lists of parts make one text.
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()[:32]
