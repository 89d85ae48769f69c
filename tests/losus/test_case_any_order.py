"""The fold knows no order of arrival: properties over generated histories of a case."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.losus.case import Case, fold
from adapter.losus.days import LOCAL
from adapter.losus.deadlines import DeadlineStatus, judge
from adapter.losus.picture import CasePicture, changed_fields
from adapter.losus.signal import Fact, Signal, Stretch
from adapter.losus.stay import stay_of
from adapter.losus.terms import Criterion, SignalKind, State
from adapter.losus.versions import VersionOrder
from tests.examples import examples
from tests.losus.telling import JAMTLAND, ROUTE

MONDAY = datetime(2026, 3, 23, 7, tzinfo=UTC)
PERSONNUMMER = "http://electronichealth.se/identifier/personnummer"

# Few instants, resources and values, so that ties and contradictions are the rule.
instants = st.integers(0, 60).map(lambda quarter: MONDAY + timedelta(hours=4 * quarter))
_fields: dict[SignalKind, st.SearchStrategy[dict[str, Any]]] = {
    SignalKind.PATIENT: st.fixed_dictionaries(
        {},
        optional={
            "identifiers": st.sampled_from(["191212121212", "198507099805", "121212+1212", "1"]).map(
                lambda value: [{"system": PERSONNUMMER, "value": value}]
            ),
            "name": st.sampled_from(["Ada", "Bo"]),
            "municipality": st.sampled_from(["2380", "2326", None]),
            "placing_municipality": st.sampled_from(["2303", None]),
            "protected": st.booleans(),
            "merged_into": st.sampled_from(["x", "y"]),
            "open_care_units": st.sampled_from([["hsa|1"], ["hsa|2", "hsa|3"]]),
        },
    ),
    SignalKind.CRITERION_MET: st.sampled_from(Criterion).map(lambda one: {"criterion": one.value}),
    SignalKind.CRITERION_UNMET: st.sampled_from(Criterion).map(lambda one: {"criterion": one.value}),
}
_any_fields = st.fixed_dictionaries(
    {},
    optional={
        "care_form": st.sampled_from(["somatic", "psychiatric"]),
        "compulsory": st.booleans(),
        "unit": st.sampled_from([{"id": "w1"}, {"id": "w2", "name": "Två"}]),
        "organizations": st.lists(st.sampled_from([*ROUTE, "urn:x|none"]), max_size=2),
        "expected": st.sampled_from(["2026-03-26", "2026-03-27T14:00:00+01:00"]),
        "destination": st.sampled_from(["home", "hosp"]),
        "reason": st.sampled_from(["a", "b"]),
        "open_care": st.booleans(),
        "coordinator": st.booleans(),
        "contact": st.sampled_from([{"name": "Eva"}, {"name": "Bo", "unit": "vc"}, {"unit": "vc"}]),
        "caller": st.sampled_from([{"name": "Eva"}, {"unit": "vc"}]),
        "place": st.sampled_from(["hemma", "vc"]),
        "open_care_units": st.sampled_from([["hsa|1"], ["hsa|4"]]),
    },
)


@st.composite
def signals(draw: st.DrawFn) -> Signal:
    kind = draw(st.sampled_from(SignalKind))
    fields = draw(_any_fields) | draw(_fields.get(kind, st.just({})))
    return Signal(kind, draw(instants), fields, repeats=draw(st.booleans()))


@st.composite
def facts(draw: st.DrawFn) -> Fact:
    source, resource = draw(
        st.sampled_from([("a", "Encounter/1"), ("a", "Task/1"), ("b", "Encounter/1"), ("b", "Patient/1")])
    )
    version = draw(st.integers(1, 4))
    # Now and then two contents under one order, as a broken sender makes them.
    order = VersionOrder(version, draw(st.sampled_from(["", "2026-03-24T00:00:00Z"])))
    said = tuple(draw(st.lists(signals(), max_size=4)))
    void = draw(st.integers(0, 9)) == 0
    return Fact(source, resource, order, str(version), said, void, voids_stay=void and draw(st.booleans()))


histories = st.lists(facts(), max_size=14)
moments = st.integers(0, 120).map(lambda hours: MONDAY + timedelta(hours=2 * hours))


def folded(told: Sequence[Fact], now: datetime = MONDAY + timedelta(days=10)) -> Case:
    return fold("c", told, terms=JAMTLAND, route=ROUTE, now=now)


@st.composite
def retellings(draw: st.DrawFn) -> tuple[list[Fact], list[Fact]]:
    """A history, and the same facts shuffled, with repetitions between them."""
    told = draw(histories)
    again = draw(st.lists(st.sampled_from(told), max_size=8)) if told else []
    return told, draw(st.permutations(told + again))


@given(retellings())
@settings(max_examples=examples(300), deadline=None)
def test_any_order_any_number_of_times_gives_the_same_case(pair: tuple[list[Fact], list[Fact]]) -> None:
    told, retold = pair
    assert folded(retold) == folded(told)
    assert folded(retold).picture.model_dump_json() == folded(told).picture.model_dump_json()


@given(retellings())
@settings(max_examples=examples(100), deadline=None)
def test_folding_in_pieces_ends_as_folding_at_once(pair: tuple[list[Fact], list[Fact]]) -> None:
    told, retold = pair
    known: list[Fact] = []
    last = folded(known)
    for fact in retold:
        known.append(fact)
        last = folded(known)
    assert last == folded(told)


@given(retellings())
@settings(max_examples=examples(200), deadline=None)
def test_instants_in_another_zone_are_the_same_instants(pair: tuple[list[Fact], list[Fact]]) -> None:
    told, retold = pair
    local = [
        replace(f, signals=tuple(replace(s, at=s.at.astimezone(LOCAL)) for s in f.signals)) for f in retold
    ]
    assert folded(local) == folded(told)


@given(histories, st.integers(1, 4))
@settings(max_examples=examples(200), deadline=None)
def test_a_newer_version_that_says_the_same_changes_nothing(told: list[Fact], step: int) -> None:
    newest = {(f.source, f.resource): f for f in sorted(told, key=lambda f: f.order)}
    again = [
        Fact(
            f.source, f.resource, f.order._replace(rank=f.order.rank + 10 * step), "later", f.signals, f.void
        )
        for f in newest.values()
        if sum(g.order == f.order and (g.source, g.resource) == (f.source, f.resource) for g in told) == 1
        and not f.void
    ]
    assert folded(told + again).picture == folded(told).picture


@given(histories, moments)
@settings(max_examples=examples(200), deadline=None)
def test_what_holds_of_every_case(told: list[Fact], now: datetime) -> None:
    case = folded(told, now)
    standing, picture = case.standing, case.picture
    states = [step.state for step in standing.history]
    assert all(a is not b for a, b in pairwise(states))
    assert [e.withdrawn_at is None for e in standing.episodes[:-1]] == [False] * len(standing.episodes[:-1])
    assert all(e.sent_at <= e.home_ready_at for e in standing.episodes if e.home_ready_at)
    if case.state is State.HOME_READY:
        assert {c.criterion for c in picture.criteria if c.met_at} == set(Criterion)
    if picture.protected:
        shown = picture.model_dump_json()
        hidden = ("Ada", "Bo", "19850709", "19121212", "w1", "Eva", '"vc"', "hemma", "hsa|")
        assert all(word not in shown for word in hidden)
        assert stay_of(case) is None
    assert CasePicture.model_validate_json(picture.model_dump_json()) == picture
    assert changed_fields(picture, picture) == ()


@given(histories, moments)
@settings(max_examples=examples(200), deadline=None)
def test_time_alone_changes_nothing_but_pending_to_missed(told: list[Fact], now: datetime) -> None:
    case, later = folded(told, now), folded(told, now + timedelta(days=3))
    changes_at = case.person.changes_at
    if changes_at is None or changes_at > now + timedelta(days=3):  # nothing of the person begins meanwhile
        assert set(changed_fields(case.picture, later.picture)) <= {"deadlines"}
    for before, after in zip(case.deadlines, later.deadlines, strict=True):
        turned = (before.status, after.status) == (DeadlineStatus.PENDING, DeadlineStatus.MISSED)
        assert before.status is after.status or turned
        assert (before.name, before.due, before.met_at) == (after.name, after.due, after.met_at)


@given(histories, moments)
@settings(max_examples=examples(200), deadline=None)
def test_the_next_change_is_when_a_limit_is_missed(told: list[Fact], now: datetime) -> None:
    case = folded(told, now)
    if case.person.changes_at is not None and case.next_change == case.person.changes_at:
        assert case.next_change > now
        assert case.standing.end is None
        return
    if case.next_change is None:
        assert judge(case.standing, terms=JAMTLAND, now=now + timedelta(days=400)) == case.deadlines
        return
    assert case.next_change > now
    just_before = case.next_change - timedelta(microseconds=1)
    assert judge(case.standing, terms=JAMTLAND, now=just_before) == case.deadlines
    assert judge(case.standing, terms=JAMTLAND, now=case.next_change) != case.deadlines


# Few days and values, and versions that are told again with a later time or another order of arrival.
_DAYS = st.integers(0, 9).map(lambda day: MONDAY + timedelta(days=day))
_codes = st.sampled_from(["2380", "2326", None])
STAY = (Signal(SignalKind.ADMITTED, MONDAY), Signal(SignalKind.DISCHARGED, MONDAY + timedelta(days=5)))
ENDED = Fact("a", "Encounter/9", VersionOrder(1), "1", STAY)


@st.composite
def stretches(draw: st.DrawFn, fields: dict[str, Any]) -> tuple[Stretch, ...]:
    """What a resource says of all time: the municipality, now and then by a period."""
    starts: list[datetime | None] = [None, *sorted(draw(st.sets(_DAYS, max_size=3)))]
    found = []
    for start in starts:
        code, is_dated = draw(_codes), draw(st.booleans())
        dated = frozenset({"municipality"}) if is_dated and code else frozenset[str]()
        found.append(Stretch(start, {**fields, "municipality": code}, dated))
    return tuple(found) if draw(st.booleans()) else ()


@st.composite
def records(draw: st.DrawFn) -> list[Fact]:
    """Versions of a patient record, each of its own time."""
    versions = []
    for number, made in enumerate(sorted(draw(st.lists(_DAYS, min_size=1, max_size=4, unique=True)))):
        fields = {"name": draw(st.sampled_from(["Ada", "Bo"])), "municipality": draw(_codes)}
        signal = Signal(SignalKind.PATIENT, made, fields, stretches=draw(stretches(fields)))
        versions.append(
            Fact("a", "Patient/1", VersionOrder(number, made.isoformat()), str(number), (signal,))
        )
    return versions


@given(st.data(), records(), moments)
@settings(max_examples=examples(200), deadline=None)
def test_any_order_of_the_versions_of_a_record_gives_the_same_person(
    data: st.DataObject, versions: list[Fact], now: datetime
) -> None:
    again = data.draw(st.permutations([*versions, ENDED, *versions]))
    assert folded(again, now) == folded([*versions, ENDED], now)


@given(st.data(), records(), moments, st.booleans())
@settings(max_examples=examples(300), deadline=None)
def test_a_version_that_comes_again_later_changes_nothing(
    data: st.DataObject, versions: list[Fact], now: datetime, ended: bool
) -> None:
    """11 row 5: a Patient without meta comes along with each later Encounter, as new as its message."""
    index = data.draw(st.integers(0, len(versions) - 1))
    (signal,) = versions[index].signals
    later = signal.at + timedelta(hours=data.draw(st.integers(1, 23)))
    order = VersionOrder(versions[index].order[0], later.isoformat(), "1")
    again = Fact("a", "Patient/1", order, "again", (replace(signal, at=later),))
    told = [*versions, *([ENDED] if ended else [Fact("a", "E/1", ENDED.order, "1", ENDED.signals[:1])])]
    before, after = folded(told, now), folded([*told, again], now)
    assert after.picture == before.picture
    assert after.person.municipalities == before.person.municipalities


@given(records(), _codes, st.integers(0, 99), moments)
@settings(max_examples=examples(200), deadline=None)
def test_what_is_true_only_after_the_end_changes_nothing(
    versions: list[Fact], code: str | None, hours: int, now: datetime
) -> None:
    made = MONDAY + timedelta(days=10, hours=hours)
    moved = Signal(SignalKind.PATIENT, made, {"name": "Ny", "municipality": code})
    newer = Fact("a", "Patient/1", VersionOrder(99, made.isoformat()), "newer", (moved,))
    told = [*(fact for fact in versions), ENDED]
    is_known = any(s.at <= MONDAY + timedelta(days=5) for fact in versions for s in fact.signals)
    before, after = folded(told, now), folded([*told, newer], now)
    if is_known and before.person.municipalities.registered is not None:
        assert after.picture == before.picture
        assert stay_of(after) == stay_of(before)
    assert after.next_change == before.next_change
