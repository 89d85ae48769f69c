"""What a resource says: signals with an effective time, and the fact that carries them.

Owns the shape that lies between the mapping (which makes signals) and the fold (which reads
them); does not own their meaning (`case`) nor how they are found (`adapter.mapping`).

The fields that a signal may carry (`with` in a mapping file), all JSON values:

| field | on | value |
| --- | --- | --- |
| `identifiers` | patient | list of `{"system", "value"}`, with `"use": "old"` for a number no longer held |
| `name` | patient | full name, text |
| `address` | patient | *folkbokföringsadress* as text |
| `municipality` | patient | kommunkod, 4 digits (folkbokföring) |
| `placing_municipality` | patient | kommunkod of the municipality that decided a placement (LUS 5:2) |
| `organizations` | any | list of `"system|value"`: whom the message is for, looked up among the subscribers |
| `open_care_units` | any | list of `"system|value"`: the vårdcentral, or other unit of open care, concerned |
| `protected` | patient | true where identity is protected (sekretessmarkering, skyddad folkbokföring) |
| `protected_registration` | patient | true for *skyddad folkbokföring*: the kommunkod may be a former one |
| `merged_into` | patient | case key or patient identity that this one was merged into; never published |
| `hospital` | admitted, transferred | list of `"system|value"`: the hospital, looked up among the regions' |
| `care_form` | any | `somatic` or `psychiatric` |
| `compulsory` | any | true for ÖPT/ÖRV |
| `unit` | admitted, transferred | `{"id", "name"}` of the ward |
| `expected` | admission-notice-sent, expected-discharge, admitted | date (of a month its last), or instant |
| `consent` | admission-notice-sent, sip-* | text code of consent or *menprövning* |
| `criterion` | criterion-met, criterion-unmet | a `Criterion` |
| `contact` | care-contact-appointed | `{"name", "unit", "phone"}` |
| `coordinator` | care-contact-appointed | true for who coordinates several contacts; alone no contact |
| `open_care` | care-contact-appointed, sip-called | whether region-financed open care appointed, or called |
| `caller` | sip-called | `{"name", "unit"}` of who called (LUS 4:3) |
| `meeting_at` | sip-called, sip-held | instant of the meeting |
| `place` | sip-called, sip-held | where the meeting is held, text |
| `destination` | discharged | where to, text code |
| `precision` | any | `month` or `year` where `at` is known no better; set by the reader, not by `with` |
| `reason` | interrupted, voided, ready-withdrawn, transferred-out | text code |
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from adapter.losus.terms import SignalKind
from adapter.losus.versions import VersionOrder


@dataclass(frozen=True, slots=True)
class Stretch:
    """What a patient signal says of the time from `start` (None: since ever) to the next stretch.

    `fields` are those of the signal as the resource holds in that time. `dated` names those of them that come
    from elements with a `period` of their own: they hold from `start`, whenever they were said.
    """

    start: datetime | None
    fields: Mapping[str, Any]
    dated: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Signal:
    """One statement: `kind` holds from `at` (aware instant) on, with `fields` (JSON values).

    `repeats` means that each effective time is an occurrence of its own, so that a newer version
    of the resource adds to what the older ones said instead of replacing it. A naive `at` names no
    instant and raises ValueError.

    `stretches` (of patient signals alone): the whole of time, oldest first, where the resource itself says
    from when to when its names, addresses or numbers hold; empty where it does not, and then `fields` are
    all that is said of any time. `fields` are those of the stretch that `at` lies in.
    """

    kind: SignalKind
    at: datetime
    fields: Mapping[str, Any] = field(default_factory=dict)
    repeats: bool = False
    stretches: tuple[Stretch, ...] = ()

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError("at: a naive datetime names no instant")


@dataclass(frozen=True, slots=True)
class Fact:
    """What one version of one resource said about one case.

    `source` and `resource` together are the resource's identity (`hospital-a`, `Encounter/17`);
    `order` ranks its versions and `version` names this one to a person. `void` is true for
    `entered-in-error`: all that this and older versions said is taken back; `voids_stay` where the
    resource is the stay itself, with which falls what others say of it. `partial` is true where the
    version does not know the status (`unknown`): what older versions said stands, and it only adds to it.
    """

    source: str
    resource: str
    order: VersionOrder
    version: str
    signals: tuple[Signal, ...]
    void: bool = False
    partial: bool = False
    voids_stay: bool = False
