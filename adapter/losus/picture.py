"""The picture of a case: the one JSON shape of events, of `/cases/{id}` and of `losus try`.

Owns the shape, its JSON Schema, what may be withheld and what has changed between two pictures. Does
not own what the values mean (`course`, `ready`, `deadlines`). Instants are UTC and written with `Z`
(RFC 3339); `day_zero` and a planned discharge without a time are local dates.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from adapter.losus.contacts import CareContact
from adapter.losus.course import Caller
from adapter.losus.deadlines import Deadline
from adapter.losus.identity import IdentityKind
from adapter.losus.presence import End, Unit
from adapter.losus.ready import Episode
from adapter.losus.terms import Criterion, SignalKind, State

#: How much of a case a municipality is sent: all, or the four fields of LUS 2:2 beside the state.
Payload = Literal["full", "statutory"]

SCHEMA_ID = "urn:losus:schema:case.v1"


class ManualHandling(StrEnum):
    """Why a person must take the case in hand."""

    PROTECTED_IDENTITY = "protected-identity"
    UNCERTAIN_IDENTITY = "uncertain-identity"  # numbers were given, and none is right or several are


#: In the schema of a field that came after the first release: recorded events do not have it.
_ADDED: JsonDict = {"x-added": "0.2"}


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Number(_Part):
    """The person's number; `system` as in FHIR, `value` in normal form (twelve digits where Swedish)."""

    kind: IdentityKind
    system: str
    value: str


class Statutory(_Part):
    """The complete content of an *inskrivningsmeddelande* by LUS 2:2; null where not known or withheld."""

    name: str | None = None
    identifier: Number | None = Field(None, description="personnummer, or what stands in for it")
    address: str | None = Field(None, description="folkbokföringsadress")
    expected_discharge: datetime | date | None = Field(None, description="beräknad tidpunkt för utskrivning")


@dataclass(frozen=True, slots=True)
class CriterionStatus:
    """One condition of *hemgångsklar* that the agreement asks for; `met_at` null while it is open."""

    criterion: Criterion
    met_at: datetime | None


class Sip(_Part):
    """*Samordnad individuell plan*: whether one is to be made, and its steps."""

    required: bool
    offered_at: datetime | None = None
    declined_at: datetime | None = None
    called_at: datetime | None = None
    meeting_at: datetime | None = None
    held_at: datetime | None = None
    coordinated_plan_at: datetime | None = Field(
        None, description="samordnad vårdplan, LPT 7 a § / LRV 12 a §"
    )
    called_by: Caller | None = Field(
        None, description="who called last, LUS 4:3; null: not stated", json_schema_extra=_ADDED
    )
    place: str | None = Field(None, description="where the meeting is held", json_schema_extra=_ADDED)


@dataclass(frozen=True, slots=True)
class Source:
    """One fact: the signal, when it holds from, and the resource and version that say so."""

    signal: SignalKind
    at: datetime
    source: str
    resource: str
    version: str


class CasePicture(_Part):
    """A case as it is known now. Null or empty: not known, or withheld (see `payload`, `protected`)."""

    case_id: str
    revision: int = Field(0, description="contiguous from 1 for each case and municipality; 0: not published")
    payload: Payload = "full"
    state: State | None = Field(description="null: no fact establishes one, nothing is published")
    label: str | None = Field(description="the state in Swedish")
    since: datetime | None = Field(None, description="when this state began, by effective time")
    previous_state: State | None = None
    changed: tuple[str, ...] = Field((), description="names of the fields that differ from the last revision")
    municipality: str | None = Field(None, description="kommunkod of folkbokföring, else of the receiver")
    placing_municipality: str | None = Field(
        None, description="kommunkod of who decided a placement, LUS 5:2"
    )
    compulsory: bool | None = Field(None, description="ÖPT or ÖRV")
    on_leave: bool | None = Field(None, description="permission")
    protected: bool = Field(
        False, description="protected identity: no name, number, address, unit or contact"
    )
    manual_handling: ManualHandling | None = None
    moved: bool = Field(False, description="the case is no longer this municipality's; nothing follows")
    merged_into: str | None = Field(None, description="case id that absorbed this one")
    statutory: Statutory = Statutory()
    unit: Unit | None = None
    care_form: Literal["somatic", "psychiatric"] | None = None
    times: dict[str, datetime] = Field({}, description="each step by its signal's name, and home-ready")
    ready_episodes: tuple[Episode, ...] = ()
    criteria: tuple[CriterionStatus, ...] = ()
    deadlines: tuple[Deadline, ...] = ()
    care_contact: CareContact | None = Field(None, description="the one that was appointed last")
    care_contacts: tuple[CareContact, ...] = Field(
        (), description="all of them, the first appointed first", json_schema_extra=_ADDED
    )
    coordinator: CareContact | None = None
    sip: Sip | None = None
    open_care_available: bool | None = Field(None, description="null: not clarified, LUS 5:5")
    opposed: bool | None = Field(None, description="the person opposes the measures")
    consent: str | None = Field(None, description="code of consent or menprövning")
    day_zero: date | None = Field(None, description="as the agreement in force counts it")
    ended: End | None = None
    reason: str | None = Field(None, description="of an interruption or voiding")
    sources: tuple[Source, ...] = ()

    @property
    def receiver(self) -> str | None:
        """Kommunkod of the municipality that is told: the one liable by LUS 5:2; None: unrouted."""
        return self.placing_municipality or self.municipality


#: What a municipality gets under `statutory`: that there is a case, its state, and the four fields.
_ALWAYS = frozenset(
    {
        "case_id",
        "revision",
        "state",
        "label",
        "since",
        "previous_state",
        "municipality",
        "protected",
        "manual_handling",
        "moved",
        "merged_into",
        "statutory",
    }
)
_UNCOMPARED = frozenset({"case_id", "revision", "changed", "payload"})


def withhold(picture: CasePicture, payload: Payload) -> CasePicture:
    """Keep back what may not be sent; a picture that is sent in full comes back as it is."""
    if payload == "full":
        return picture
    kept = {name: getattr(picture, name) for name in _ALWAYS}
    changed = tuple(name for name in picture.changed if name in _ALWAYS)
    return CasePicture(**kept, payload=payload, changed=changed)


def closing(picture: CasePicture) -> CasePicture:
    """Make the last event for a municipality that the case has left, from the last picture it was sent.

    No word of where to, and nothing of the person or the stay.
    """
    return CasePicture(
        case_id=picture.case_id,
        revision=picture.revision,
        payload=picture.payload,
        state=picture.state,
        label=picture.label,
        protected=picture.protected,
        moved=True,
        changed=("moved",),
    )


def changed_fields(old: CasePicture | None, new: CasePicture) -> tuple[str, ...]:
    """Name the fields that differ, in the order of the model; all that says anything where none was."""
    if old is None:
        old = CasePicture(case_id=new.case_id, state=None, label=None)
    return tuple(
        name
        for name in CasePicture.model_fields
        if name not in _UNCOMPARED and getattr(old, name) != getattr(new, name)
    )


def schema() -> dict[str, Any]:
    """Give the JSON Schema (2020-12) of the picture as it is written."""
    shape = CasePicture.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA_ID, **shape}
