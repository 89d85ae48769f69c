"""The bridge to settlement: the stay that is derived from a case.

Owns which of a case's facts settlement reads (settlement rules 1); does not own what they cost.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from adapter.losus.case import Case
from adapter.losus.facts import LiveSignal
from adapter.losus.instants import instant_text
from adapter.losus.moments import Precision
from adapter.losus.municipality import Municipalities
from adapter.losus.reading import precision
from adapter.losus.ready import Episode
from adapter.losus.terms import SignalKind, State

#: The field of a stay that a kind of signal gives a time to.
_TIMED = {
    SignalKind.ADMITTED: "admitted_at",
    SignalKind.NEED_ASSESSED: "need_assessed_at",
    SignalKind.ADMISSION_NOTICE_SENT: "notice_sent_at",
    SignalKind.READY: "ready",
    SignalKind.READY_WITHDRAWN: "ready",
    SignalKind.CRITERION_MET: "ready",
    SignalKind.CRITERION_UNMET: "ready",
    SignalKind.CARE_CONTACT_APPOINTED: "ready",
    SignalKind.SIP_CALLED: "sip_called_at",
    SignalKind.DISCHARGED: "ended_at",
    SignalKind.DECEASED: "ended_at",
    SignalKind.TRANSFERRED_OUT: "ended_at",
}

#: The fields whose day decides what is owed, beside that of the end.
_COUNTED_BY = ("ready", "sip_called_at")


def stay_of(case: Case, region: str | None = None) -> Mapping[str, Any] | None:
    """Give the case as one line of a stays file: JSON values, instants in UTC (RFC 3339).

    None where there is nothing that could be settled by rule; `gaps` tells why. `region`: länskod of the
    region that treats; None: not known.
    """
    return None if gaps(case) else row_of_case(case, region)


def row_of_case(case: Case, region: str | None) -> Mapping[str, Any]:
    """Give the row of a stay whose municipality alone may not be known; it is then null (`WHOSE`)."""
    standing, times, where = case.standing, case.standing.times, case.person.municipalities
    return {
        "stay": case.case_id,
        "municipality": where.placing if case.person.hidden_registration else _home(where),
        "placing_municipality": where.placing,
        "care_form": standing.care_form,
        "compulsory": standing.compulsory,
        "admitted_at": _text(standing.admitted_at),
        "notice_sent_at": _text(times.get(SignalKind.ADMISSION_NOTICE_SENT)),
        "ready": [_episode(episode) for episode in standing.episodes],
        "sip_required": standing.sip_required,
        "sip_called_at": _text(standing.sip_called_at),
        "open_care_available": standing.open_care_available,
        "opposed": standing.opposed,
        "ended_at": _text(standing.end.at if standing.end is not None else None),
        "need_assessed_at": _text(times.get(SignalKind.NEED_ASSESSED)),
        "region": region,
        "protected": case.person.protected,
        "municipalities": None if case.person.hidden_registration else _during(where),
    }


def _during(where: Municipalities) -> list[dict[str, str | None]] | None:
    """Give whose the person was in the course of the stay, where that changed and all of it is known."""
    if len(where.during) < 2 or any(code is None for _, code in where.during):
        return None
    return [{"from": _text(at), "municipality": code} for at, code in where.during]


def _home(where: Municipalities) -> str | None:
    return where.registered or where.placing


#: The gaps that say that it is not known whose a stay is: people may enter the municipality.
WHOSE = ("municipality", "protected-registration")


_DOUBTFUL = "ready: interrupted for a reason that has no row in `interruption_reasons` of the agreement"


def gaps(case: Case) -> tuple[str, ...]:
    """Name what keeps the case from being settled by rule; empty where nothing does.

    `no-stay`: no state, or voided. `protected-registration`: with *skyddad folkbokföring* the registered
    municipality may be a former one; people enter whose the stay is. Protection alone is no gap: it changes
    nothing of what is owed (settlement rules 1a). Else the field that no fact gives; a
    municipality or care form is never guessed, nor the day in a time that is known to the month or year only,
    nor what an interruption means whose reason has no row in the agreement's table.
    """
    if case.state in (None, State.VOIDED):
        return ("no-stay",)
    hidden = case.person.hidden_registration and case.person.municipalities.placing is None
    whose = ("protected-registration",) if hidden and case.municipality is not None else ()
    needed = {
        "municipality": case.municipality,
        "care_form": case.standing.care_form,
        "admitted_at": case.standing.admitted_at,
    }
    doubts = (_DOUBTFUL,) if case.standing.doubtful else ()
    unknown = (name for name, value in needed.items() if value is None)
    return (*whose, *unknown, *_vague(case), *doubts)


def _vague(case: Case) -> Iterator[str]:
    """Name the times that settlement counts days by and that are known to the month or year only.

    The day of admission is none of them.
    """
    known = {name: one for name in _COUNTED_BY if (one := _coarsest(case, name)) is not None}
    end = case.standing.end
    if end is not None and end.precision is not None:
        known["ended_at"] = end.precision
    yield from (f"{name}: known to the {one} only" for name, one in known.items())


def _coarsest(case: Case, name: str) -> Precision | None:
    found = (precision(signal.fields) for signal in case.live if _field(case, signal) == name)
    return min((one for one in found if one is not None), default=None, key=list(Precision).index)


def _field(case: Case, signal: LiveSignal) -> str | None:
    """Name the field of the stay that a signal gives a time to; an interruption's is that of what it ends."""
    if signal.kind is SignalKind.INTERRUPTED:
        ends = any(episode.withdrawn_at == signal.at for episode in case.standing.episodes)
        return "ready" if ends else None
    return _TIMED.get(signal.kind)


def sources_of(case: Case) -> dict[str, tuple[str, ...]]:
    """Give, for each timed field of the stay, the resource versions that say it, oldest time first.

    Each as `source resource version`.
    """
    found: dict[str, tuple[str, ...]] = {}
    for signal in case.live:
        if (name := _field(case, signal)) is not None:
            said = f"{signal.source} {signal.resource} {signal.version}"
            found[name] = (*found.get(name, ()), said)
    return found


def _episode(episode: Episode) -> dict[str, str | None]:
    return {
        "sent_at": _text(episode.sent_at),
        "withdrawn_at": _text(episode.withdrawn_at),
        "home_ready_at": _text(episode.home_ready_at),
    }


def _text(at: datetime | None) -> str | None:
    return None if at is None else instant_text(at)
