"""Where the person is: admitted, on leave, moved between wards, gone.

Owns the stay's beginning and end and what is true of it in between; does not own the steps of
discharge (`ready`, `course`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from adapter.losus import reading
from adapter.losus.facts import LiveSignal
from adapter.losus.moments import Precision, earliest
from adapter.losus.terms import SignalKind


class EndHow(StrEnum):
    """How a stay ended."""

    DISCHARGED = "discharged"
    DECEASED = "deceased"
    TRANSFERRED_OUT = "transferred-out"


@dataclass(frozen=True, slots=True)
class End:
    """The end of a stay: how, when, and where to (text code; None where not said).

    `at` is the last instant that it may be. `precision`: how exactly it is known, where no better than to the
    month; it is for settlement alone, and not published.
    """

    how: EndHow
    at: datetime
    destination: str | None = None
    precision: Annotated[Precision | None, Field(exclude=True)] = field(default=None, compare=False)

    @property
    def earliest(self) -> datetime:
        """The earliest instant at which the stay may have ended."""
        return earliest(self.at, self.precision)


@dataclass(frozen=True, slots=True)
class Unit:
    """A ward; both parts None where the hospital gives none."""

    id: str | None = None
    name: str | None = None


_ENDS = {
    SignalKind.DISCHARGED: EndHow.DISCHARGED,
    SignalKind.DECEASED: EndHow.DECEASED,
    SignalKind.TRANSFERRED_OUT: EndHow.TRANSFERRED_OUT,
}


#: Said of a person, these mean that the person is in closed care, whoever admitted.
_IN_CARE = frozenset(
    {
        SignalKind.ADMITTED,
        SignalKind.TRANSFERRED,
        SignalKind.LEAVE_STARTED,
        SignalKind.LEAVE_ENDED,
        SignalKind.READY,
        SignalKind.READY_WITHDRAWN,
    }
)


@dataclass(slots=True)
class Presence:
    """Gathers where the person is, signal by signal in effective order.

    `in_care`: something was said that only holds of a person in closed care. `admitted_at`: the
    first admission. `unit` and `care_form` are those of the last ward: the discharging one once the
    stay has ended. `on_leave` (*permission*) is no state: the place is kept.
    """

    in_care: bool = False
    admitted_at: datetime | None = None
    end: End | None = None
    on_leave: bool = False
    unit: Unit | None = None
    care_form: str | None = None

    def take(self, signal: LiveSignal) -> None:
        """Take in one signal; what is said of the time after the end changes nothing but by admission."""
        if self.end is not None and self.end.at < signal.at:
            if signal.kind is not SignalKind.ADMITTED or self.end.how is EndHow.DECEASED:
                return
            self.end = None  # the discharge was cancelled, or the person came back to the same case
        self.care_form = reading.text(signal.fields, "care_form") or self.care_form
        if signal.kind in _ENDS:
            self._leave(_ENDS[signal.kind], signal)
        elif signal.kind in _IN_CARE:
            self._stay(signal)

    def _leave(self, how: EndHow, signal: LiveSignal) -> None:
        """End the stay. The first end stands; of several at one instant death, then transfer."""
        if self.end is None or self.end.how is not EndHow.DECEASED:
            known = None if self.end is None else self.end.destination
            destination = reading.text(signal.fields, "destination") or known
            self.end = End(how, signal.at, destination, reading.precision(signal.fields))
            self.on_leave = False

    def _stay(self, signal: LiveSignal) -> None:
        self.in_care = True
        match signal.kind:
            case SignalKind.ADMITTED:
                self.admitted_at = self.admitted_at or signal.at
                self._place(signal.fields)
            case SignalKind.TRANSFERRED:
                self._place(signal.fields)
            case SignalKind.LEAVE_STARTED:
                self.on_leave = True
            case SignalKind.LEAVE_ENDED:
                self.on_leave = False

    def _place(self, fields: Mapping[str, Any]) -> None:
        if told := reading.part(fields, "unit"):
            self.unit = Unit(reading.text(told, "id"), reading.text(told, "name"))
