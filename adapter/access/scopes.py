"""What a source may do: scopes by type of resource, and what is a municipality's to say.

Owns the two tables. Pure. Does not own who a caller is (`doorkeeper`), nor which cases are a municipality's
own, which the flow knows.
Sources: SMART App Launch 2.2, «Scopes» (`system/Encounter.cu`; version 1 wrote `.read`, `.write`); LUS
(2017:612); the contract, section 7.
"""

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from adapter.losus.terms import SignalKind
from adapter.settings import Source

_RESOURCE = re.compile(r"system/([A-Z][A-Za-z]+|\*)\.(c?r?u?d?s?|read|write|\*)", re.ASCII)
#: What version 1 wrote, in the letters of version 2.
_FIRST_VERSION = {"read": "rs", "write": "cud", "*": "cruds"}

#: What a municipality's system needs to write in joint follow-ups.
WRITE_FOLLOW_UPS = "operation/follow-up"

#: What a sender may do of whom the settings say no scopes.
HOSPITAL = frozenset({"system/*.cu", "operation/process-message", "operation/subscription-hook"})
#: The same of a municipality's system: what it tells is cut to `MUNICIPAL`, what it reads to its own.
MUNICIPALITY = HOSPITAL | {"system/*.rs", "operation/dispute", WRITE_FOLLOW_UPS}

#: What is a municipality's to say of its own cases, and why. Not the call to SIP: that is the duty of the
#: *fast vårdkontakt* in the region's open care, and the municipality's liability hangs on it (LUS 4:3,
#: 5:3 second paragraph), so that nobody else may say that it was done.
MUNICIPAL: Mapping[SignalKind, str] = MappingProxyType(
    {
        SignalKind.ADMISSION_NOTICE_ACKNOWLEDGED: "LUS 2:1: the notice is the municipality's to receive",
        SignalKind.PLANNING_STARTED: "LUS 2:6: each unit that received the notice starts to plan",
        SignalKind.SIP_HELD: "LUS 4:1-2: region and municipality plan together, either may tell it",
    }
)


def may_say(source: Source, kinds: Iterable[SignalKind]) -> frozenset[SignalKind]:
    """Of `kinds`, those that are this source's to say: all for a hospital, `MUNICIPAL` for a municipality."""
    said = frozenset(kinds)
    return said if source.municipality is None else said & MUNICIPAL.keys()


def scopes_of(source: Source) -> frozenset[str]:
    """The scopes that the settings give a source."""
    named = source.credentials.scopes
    if named is not None:
        return frozenset(named)
    return HOSPITAL if source.municipality is None else MUNICIPALITY


def covers(granted: Iterable[str], needed: str) -> bool:
    """Whether any one of the scopes allows `needed`, `system/Type.letters` or `operation/name`.

    What is not understood allows nothing, above all a scope with a condition (`?category=…`), whose
    condition nobody here would hold.
    """
    asked = _RESOURCE.fullmatch(needed)
    if asked is None:
        return needed in granted
    kind, letters = asked.groups()
    for scope in granted:
        given = _RESOURCE.fullmatch(scope)
        if given is None or given[1] not in {kind, "*"}:
            continue
        if set(_FIRST_VERSION.get(given[2], given[2])) >= set(letters):
            return True
    return False
