"""A case: the pure function from the facts known of it to where it stands.

Owns the fold and the value that comes out; each step has its own file: which signals hold (`facts`),
where they lead (`course`), whom they concern (`person`, `municipality`), what is late (`deadlines`),
and what is shown (`picture`). Knows no order of arrival: the same set of facts gives the same case,
however often, in whatever order and in whatever pieces they came.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from adapter.losus.course import ESTABLISHING, Standing, Step, run
from adapter.losus.deadlines import Deadline, judge, next_change
from adapter.losus.drawing import draw
from adapter.losus.facts import LiveSignal, Selection, select
from adapter.losus.person import Person, merged_into, person_of
from adapter.losus.picture import CasePicture
from adapter.losus.process import ProcessTerms
from adapter.losus.signal import Fact
from adapter.losus.terms import SignalKind, State


@dataclass(frozen=True, slots=True)
class Case:
    """A case as its facts give it; `picture` is what is published of it.

    `merge_keys`: what patient records of the case say they were merged into, as the mapping gave it
    (not to be published: it may be a person's number).
    """

    case_id: str
    standing: Standing
    person: Person
    deadlines: tuple[Deadline, ...]
    merge_keys: tuple[str, ...]
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
        """When a pending limit will be missed if nothing more is heard; None where none can be."""
        return next_change(self.deadlines)


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
    matters to pending limits alone. `absorbed_by`: the id of the case that took this one in (merged
    patients), which voids it. MappingError where a field is not as `signal` documents it,
    TooLargeError beyond `facts.MAX_SIGNALS`.
    """
    selection = select(facts)
    live = _without_strayed_voids(selection.live)
    standing = _taken_back(run(live, terms.criteria), selection)
    if absorbed_by is not None:
        standing = _voided(standing, None)
    person = person_of(live, route)
    deadlines = judge(standing, terms=terms, now=now)
    return Case(
        case_id=case_id,
        standing=standing,
        person=person,
        deadlines=deadlines,
        merge_keys=merged_into(live),
        live=live,
        picture=draw(case_id, standing, person, deadlines, live, terms, absorbed_by),
    )


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


def _taken_back(standing: Standing, selection: Selection) -> Standing:
    """Void the case where no fact establishes a state any more, but one did or is marked as an error."""
    if standing.state is not None:
        return standing
    taking = [
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
