"""A case: the pure function from the facts known of it to where it stands.

Owns the fold and the value that comes out; each step has its own file: which signals hold (`facts`),
where they lead (`course`), whom they concern (`person`, `municipality`), what is late (`deadlines`),
and what is shown (`picture`). Knows no order of arrival: the same set of facts gives the same case,
however often, in whatever order and in whatever pieces they came.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from adapter.losus import reading
from adapter.losus.course import ESTABLISHING, Standing, Step, run
from adapter.losus.deadlines import Deadline, judge, next_change
from adapter.losus.drawing import draw
from adapter.losus.facts import LiveSignal, Selection, by_time, select
from adapter.losus.person import Person, merged_into, person_of
from adapter.losus.picture import CasePicture
from adapter.losus.process import ProcessTerms
from adapter.losus.signal import Fact
from adapter.losus.terms import SignalKind, State


@dataclass(frozen=True, slots=True)
class Case:
    """A case as its facts give it; `picture` is what is published of it.

    `merge_keys`: what patient records of the case say they were merged into, as the mapping gave it
    (not to be published: it may be a person's number). `hospital`: identifiers (`system|value`) of the
    hospital where the person is or was last; empty where no message says it. `live`: the signals that hold,
    of statements on the person those that the case rests on.
    """

    case_id: str
    standing: Standing
    person: Person
    deadlines: tuple[Deadline, ...]
    merge_keys: tuple[str, ...]
    hospital: tuple[str, ...]
    live: tuple[LiveSignal, ...]
    picture: CasePicture

    @property
    def state(self) -> State | None:
        """None where no fact establishes a state: then nothing is to be published."""
        return self.standing.state

    @property
    def municipality(self) -> str | None:
        """Kommunkod of the municipality that the case concerns and that is told; None: unrouted."""
        return self.person.municipalities.liable

    @property
    def next_change(self) -> datetime | None:
        """When a limit will be missed, or another fact on the person hold, if nothing more is heard."""
        changes = (next_change(self.deadlines), self.person.changes_at)
        return min((at for at in changes if at is not None), default=None)


def fold(
    case_id: str,
    facts: Iterable[Fact],
    *,
    terms: ProcessTerms,
    route: Mapping[str, str],
    now: datetime,
    absorbed_by: str | None = None,
) -> Case:
    """Fold the facts of one case.

    `terms`: the limits in force for it. `route`: kommunkod by organisation (`system|value`). `now`
    matters to pending limits, and to the person while the stay goes on. `absorbed_by`: the id of the case
    that took this one in (merged patients), which voids it. MappingError where a field is not as `signal`
    documents it, TooLargeError beyond `facts.MAX_SIGNALS`.
    """
    selection = select(facts)
    live = _without_strayed_voids(selection.live)
    standing = _taken_back(run(live, terms), selection, live)
    if absorbed_by is not None:
        standing = _voided(standing, None)
    as_of = _as_of(standing, live)
    person = person_of(
        selection.people,
        live,
        route,
        as_of=as_of or now,
        since=standing.admitted_at,
        is_open=as_of is None,
    )
    live = by_time((*(one for one in person.rests_on if one not in live), *live))
    deadlines = judge(standing, terms=terms, now=now)
    return Case(
        case_id=case_id,
        standing=standing,
        person=person,
        deadlines=deadlines,
        merge_keys=merged_into(selection.people),
        hospital=_hospital(live),
        live=live,
        picture=draw(case_id, standing, person, deadlines, live, terms, absorbed_by),
    )


def _hospital(live: tuple[LiveSignal, ...]) -> tuple[str, ...]:
    """Give the hospital that is named last, in effective order."""
    named = (tuple(reading.texts(signal.fields, "hospital")) for signal in reversed(live))
    return next((one for one in named if one), ())


def _as_of(standing: Standing, live: tuple[LiveSignal, ...]) -> datetime | None:
    """As of when the person is read: the end of the stay, or when it was voided; None while it goes on.

    What is true of the person only later changes nothing of a stay that is over (settlement rules 1a).
    """
    if standing.end is not None:
        return standing.end.at
    if standing.state is not State.VOIDED:
        return None
    return standing.history[-1].at or max((signal.at for signal in live), default=None)


def _without_strayed_voids(live: tuple[LiveSignal, ...]) -> tuple[LiveSignal, ...]:
    """Leave out what voids another admission than the one that stands.

    A cancelled admission that was entered again under another resource says `voided` of itself alone.
    """
    if not any(signal.kind is SignalKind.VOIDED for signal in live):
        return live
    admitting = {(s.source, s.resource) for s in live if s.kind is SignalKind.ADMITTED}
    return tuple(
        s for s in live if s.kind is not SignalKind.VOIDED or not admitting - {(s.source, s.resource)}
    )


def _taken_back(standing: Standing, selection: Selection, live: tuple[LiveSignal, ...]) -> Standing:
    """Void the case where no fact establishes a state any more, but one did or is marked as an error.

    So is a case whose stay itself is marked as an error, whatever steps it had, where no other resource
    admits (R4 encounter-status: it should not have been part of the record).
    """
    taking = [versions[-1] for versions in selection.resources if versions[-1].voids_stay]
    if standing.state is not None and (not taking or any(s.kind is SignalKind.ADMITTED for s in live)):
        return standing
    taking = taking or [
        versions[-1]
        for versions in selection.resources
        if versions[-1].void or any(s.kind in ESTABLISHING for fact in versions for s in fact.signals)
    ]
    if not taking:
        return standing
    return _voided(standing, max((fact.order[1] for fact in taking), default=""))


def _voided(standing: Standing, at: str | None) -> Standing:
    """Put the case to `voided`, since the instant `at` (text) or, where unknown, since no known time."""
    if standing.state is State.VOIDED:
        return standing
    try:
        since = datetime.fromisoformat(at or "").astimezone(UTC)
    except ValueError:
        since = None
    return replace(standing, history=(*standing.history, Step(State.VOIDED, since)))
