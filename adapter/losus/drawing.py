"""Drawing the picture of a case from what is known of it.

Owns which value goes where and what is left out of a protected person's picture; does not own the
shape (`picture`).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from adapter.errors import MappingError, Problem
from adapter.losus.course import Standing
from adapter.losus.deadlines import Deadline
from adapter.losus.facts import LiveSignal
from adapter.losus.person import Person
from adapter.losus.picture import (
    CasePicture,
    CriterionStatus,
    ManualHandling,
    Number,
    Sip,
    Source,
    Statutory,
)
from adapter.losus.presence import End
from adapter.losus.process import ProcessTerms
from adapter.losus.ready import day_zero
from adapter.losus.terms import STATE_LABELS, SignalKind

#: A record of the person is no step, and `criteria` tells of criteria one by one.
_NO_STEPS = frozenset({SignalKind.PATIENT, SignalKind.CRITERION_MET, SignalKind.CRITERION_UNMET})


def draw(
    case_id: str,
    standing: Standing,
    person: Person,
    deadlines: tuple[Deadline, ...],
    live: Sequence[LiveSignal],
    terms: ProcessTerms,
    absorbed_by: str | None,
) -> CasePicture:
    """Draw the picture, revision 0; MappingError where a value has not the shape of its field."""
    steps = standing.history
    values: dict[str, Any] = {
        "case_id": case_id,
        "state": standing.state,
        "label": STATE_LABELS[steps[-1].state] if steps else None,
        "since": steps[-1].at if steps else None,
        "previous_state": steps[-2].state if len(steps) > 1 else None,
        "compulsory": standing.compulsory,
        "on_leave": standing.on_leave,
        "merged_into": absorbed_by,
        "care_form": standing.care_form,
        "times": _times(standing),
        "ready_episodes": standing.episodes,
        "criteria": tuple(CriterionStatus(one, standing.met.get(one)) for one in terms.criteria),
        "deadlines": deadlines,
        "open_care_available": standing.open_care_available,
        "opposed": standing.opposed,
        "consent": standing.consent,
        "day_zero": day_zero(standing.episodes, terms),
        "reason": standing.reason,
    }
    values |= _protected(standing, person) if person.protected else _open(standing, person, live)
    try:
        return CasePicture(**values)
    except ValidationError as broken:
        # Its own text quotes the values; only where and which rule may be told.
        raise MappingError(
            *(
                Problem("value", f"field {'.'.join(map(str, fault['loc']))}: {fault['type']}")
                for fault in broken.errors(include_input=False, include_context=False)
            )
        ) from None


def _times(standing: Standing) -> dict[str, datetime]:
    times = {kind: at for kind, at in standing.times.items() if kind not in _NO_STEPS}
    if standing.episodes and (home_ready_at := standing.episodes[-1].home_ready_at) is not None:
        times["home-ready"] = home_ready_at
    return times


def _sip(standing: Standing, *, is_protected: bool) -> Sip:
    """Return the steps of SIP; who called and the place of the meeting would show where a person lives."""
    at = standing.times.get
    return Sip(
        called_by=None if is_protected else standing.sip_caller,
        place=None if is_protected else standing.sip_place,
        required=standing.sip_required,
        offered_at=at(SignalKind.SIP_OFFERED),
        declined_at=at(SignalKind.SIP_DECLINED),
        called_at=at(SignalKind.SIP_CALLED),
        meeting_at=standing.sip_meeting_at,
        held_at=at(SignalKind.SIP_HELD),
        coordinated_plan_at=at(SignalKind.COORDINATED_PLAN_MADE),
    )


def _open(standing: Standing, person: Person, live: Sequence[LiveSignal]) -> dict[str, Any]:
    """Give the parts that tell who and where."""
    number = person.identity
    return {
        "municipality": person.municipalities.registered,
        "placing_municipality": person.municipalities.placing,
        "manual_handling": ManualHandling.UNCERTAIN_IDENTITY if person.uncertain else None,
        "statutory": Statutory(
            name=person.name,
            identifier=number and Number(kind=number.kind, system=number.system, value=number.value),
            address=person.address,
            expected_discharge=standing.expected,
        ),
        "unit": standing.unit,
        "sip": _sip(standing, is_protected=False),
        "care_contact": standing.care_contact,
        "care_contacts": standing.care_contacts,
        "coordinator": standing.coordinator,
        "ended": standing.end,
        "sources": tuple(Source(s.kind, s.at, s.source, s.resource, s.version) for s in live),
    }


def _protected(standing: Standing, person: Person) -> dict[str, Any]:
    """Give what may be told of a person with protected identity: nothing of who or where.

    Sources name the hospital, a destination the place, the second municipality the first: all left
    out; only the municipality that gets the event stands in it.
    """
    end = standing.end
    return {
        "municipality": person.municipalities.liable,
        "protected": True,
        "manual_handling": ManualHandling.PROTECTED_IDENTITY,
        "statutory": Statutory(expected_discharge=standing.expected),
        "sip": _sip(standing, is_protected=True),
        "ended": end and End(end.how, end.at),
    }
