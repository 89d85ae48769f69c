"""What a door hands over, and what it gets back.

Owns the shapes that all doors share; does not own what becomes of a delivery (`adapter.flow`) nor the
doors (`adapter.inbound`, `adapter.web`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from adapter.errors import LosusError, Problem
from adapter.fhir.model import FhirVersion
from adapter.fhir.preconditions import Expected
from adapter.trace import Trace


class Door(StrEnum):
    """How something came in. Behind the last four nobody waits for an answer: what is wrong is kept."""

    MESSAGE = "message"
    TRANSACTION = "transaction"
    REST = "rest"
    HOOK = "hook"
    POLL = "poll"
    IMPORT = "import"
    STREAM = "stream"

    @property
    def is_answered(self) -> bool:
        """Whether a sender waits for the answer, and so can mend what is wrong."""
        return self in {Door.MESSAGE, Door.TRANSACTION, Door.REST}


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a door has come (an offset, a cursor, a counter), kept in the delivery's own transaction."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """One thing that came in: stored whole or not at all.

    `body` is as it was received: a Bundle of type message (MESSAGE, STREAM), transaction (TRANSACTION), any
    Bundle or a single resource (the others). `fhir` is the version that the request names, None where the
    source's setting holds. `targets` are the names (Type/id) that the door gave to resources, by their place
    in the Bundle ("0" for a single one), and what it found out beside them (`fhir.interaction.Named`).
    `expected` is what `If-Match` and `If-None-Match` demand of the versions that are known, by name; with
    `once` nothing is done where a target is known already. `trace` is what it belongs to: given by the door
    where it came with one, else by whoever takes it in.
    """

    source: str
    door: Door
    body: bytes
    media: Literal["json", "xml"] = "json"
    fhir: FhirVersion | None = None
    mark: Mark | None = None
    targets: Mapping[str, str] = field(default_factory=dict)
    expected: Mapping[str, Expected] = field(default_factory=dict)
    once: bool = False
    trace: Trace | None = None


@dataclass(frozen=True, slots=True)
class Version:
    """One resource of a delivery as it is known now: `Type/id`, the version's name and time.

    `is_new`: whether the resource was not known before. `at`: when this version was written (UTC text, ""
    where nothing says so). `is_sent`: it is what the delivery brings, and no other version that is newer.
    """

    resource: str
    version: str
    is_new: bool
    at: str = ""
    is_sent: bool = True


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a delivery.

    `taken`: stored, and what follows from it; `known`: nothing new; `held`: kept raw, and waiting, for its
    mending (`problems` says what is wrong) or for its turn; `refused`: nothing kept, `error` says why.
    `response` is the stored answer to a message, FHIR JSON, and `status` its HTTP status.
    `is_unchanged`: all that it brings was known already. `hints`: what is told of something that was
    accepted.
    """

    state: Literal["taken", "known", "held", "refused"]
    number: int | None = None
    status: int = 200
    response: bytes = b""
    problems: tuple[Problem, ...] = ()
    error: LosusError | None = None
    versions: tuple[Version, ...] = field(default=())
    is_unchanged: bool = False
    hints: tuple[Problem, ...] = ()
