"""The fold knows no order of arrival: properties over generated histories of a case."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.losus.case import Case, fold
from adapter.losus.days import LOCAL
from adapter.losus.deadlines import DeadlineStatus, judge
from adapter.losus.picture import CasePicture, changed_fields
from adapter.losus.signal import Fact, Signal
from adapter.losus.stay import stay_of
from adapter.losus.terms import Criterion, SignalKind, State
from adapter.losus.versions import VersionOrder
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
    return Fact(source, resource, order, str(version), said, void=draw(st.integers(0, 9)) == 0)


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
@settings(max_examples=300, deadline=None)
def test_any_order_any_number_of_times_gives_the_same_case(pair: tuple[list[Fact], list[Fact]]) -> None:
    told, retold = pair
    assert folded(retold) == folded(told)
    assert folded(retold).picture.model_dump_json() == folded(told).picture.model_dump_json()


@given(retellings())
@settings(max_examples=100, deadline=None)
def test_folding_in_pieces_ends_as_folding_at_once(pair: tuple[list[Fact], list[Fact]]) -> None:
    told, retold = pair
    known: list[Fact] = []
    last = folded(known)
    for fact in retold:
        known.append(fact)
        last = folded(known)
    assert last == folded(told)


@given(retellings())
@settings(max_examples=200, deadline=None)
def test_instants_in_another_zone_are_the_same_instants(pair: tuple[list[Fact], list[Fact]]) -> None:
    told, retold = pair
    local = [
        Fact(f.source, f.resource, f.order, f.version,
             tuple(Signal(s.kind, s.at.astimezone(LOCAL), s.fields, s.repeats) for s in f.signals), f.void)
        for f in retold
    ]  # fmt: skip
    assert folded(local) == folded(told)


@given(histories, st.integers(1, 4))
@settings(max_examples=200, deadline=None)
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
@settings(max_examples=200, deadline=None)
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
        assert all(
            word not in picture.model_dump_json() for word in ("Ada", "Bo", "19850709", "19121212", "w1")
        )
        assert stay_of(case) is None
    assert CasePicture.model_validate_json(picture.model_dump_json()) == picture
    assert changed_fields(picture, picture) == ()


@given(histories, moments)
@settings(max_examples=200, deadline=None)
def test_time_alone_changes_nothing_but_pending_to_missed(told: list[Fact], now: datetime) -> None:
    case, later = folded(told, now), folded(told, now + timedelta(days=3))
    assert set(changed_fields(case.picture, later.picture)) <= {"deadlines"}
    for before, after in zip(case.deadlines, later.deadlines, strict=True):
        turned = (before.status, after.status) == (DeadlineStatus.PENDING, DeadlineStatus.MISSED)
        assert before.status is after.status or turned
        assert (before.name, before.due, before.met_at) == (after.name, after.due, after.met_at)


@given(histories, moments)
@settings(max_examples=200, deadline=None)
def test_the_next_change_is_when_a_limit_is_missed(told: list[Fact], now: datetime) -> None:
    case = folded(told, now)
    if case.next_change is None:
        assert judge(case.standing, terms=JAMTLAND, now=now + timedelta(days=400)) == case.deadlines
        return
    assert case.next_change > now
    just_before = case.next_change - timedelta(microseconds=1)
    assert judge(case.standing, terms=JAMTLAND, now=just_before) == case.deadlines
    assert judge(case.standing, terms=JAMTLAND, now=case.next_change) != case.deadlines
