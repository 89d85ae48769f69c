"""The circuit: when a server is left alone, and how it is tried again."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.client.breaker import Breaker
from adapter.client.faults import OpenError


def lets_through(breaker: Breaker, now: float) -> bool:
    try:
        breaker.admit(now)
    except OpenError:
        return False
    return True


def broken(failures: int = 3, rest_s: float = 10.0) -> Breaker:
    """A circuit that has just opened, at 0 s."""
    breaker = Breaker(failures, rest_s)
    for _ in range(failures):
        breaker.admit(0.0)
        breaker.failed(0.0)
    return breaker


@pytest.mark.parametrize(("failures", "opens"), [(1, False), (2, False), (3, True), (4, True)])
def test_it_opens_at_the_failure_that_is_set(failures: int, opens: bool) -> None:
    breaker = Breaker(3, 10.0)
    for _ in range(failures):
        breaker.failed(0.0)
    assert breaker.is_open is opens
    assert lets_through(breaker, 0.0) is not opens


def test_an_answer_between_failures_begins_the_count_anew() -> None:
    breaker = Breaker(3, 10.0)
    for _ in range(2):
        breaker.failed(0.0)
        breaker.failed(0.0)
        breaker.succeeded()
    assert lets_through(breaker, 0.0)


@pytest.mark.parametrize(("now", "through"), [(0.0, False), (9.999, False), (10.0, True), (11.0, True)])
def test_it_stays_open_for_its_rest(now: float, through: bool) -> None:
    assert lets_through(broken(), now) is through


def test_half_open_one_request_tries_and_the_others_wait() -> None:
    breaker = broken()
    assert lets_through(breaker, 10.0)
    assert not lets_through(breaker, 10.0)
    assert not lets_through(breaker, 999.0)


ENDS: list[tuple[Callable[[Breaker], None], list[tuple[float, bool]], str]] = [
    (lambda one: one.succeeded(), [(10.0, True), (10.0, True)], "it answered: closed"),
    (lambda one: one.failed(10.0), [(19.999, False), (20.0, True), (20.0, False)], "open for another rest"),
    (lambda one: one.left(), [(10.0, True), (10.0, False)], "cancelled: another may try"),
]


@pytest.mark.parametrize(("end", "then", "because"), ENDS)
def test_what_becomes_of_the_trial(
    end: Callable[[Breaker], None], then: list[tuple[float, bool]], because: str
) -> None:
    breaker = broken()
    breaker.admit(10.0)
    end(breaker)
    assert [(now, lets_through(breaker, now)) for now, _ in then] == then, because


def test_a_server_s_own_demand_is_kept_and_a_shorter_one_takes_nothing_from_it() -> None:
    breaker = Breaker(3, 10.0)
    breaker.rest(100.0, 60.0)
    breaker.rest(101.0, 5.0)
    assert not lets_through(breaker, 159.999)
    assert lets_through(breaker, 160.0)
    assert not breaker.is_open


def test_it_says_how_long_to_wait() -> None:
    with pytest.raises(OpenError) as held:
        broken().admit(4.0)
    assert held.value.retry_after_s == 6.0
    assert held.value.retryable


STEP = st.sampled_from(["failed", "succeeded", "left", "wait"])


@given(st.lists(STEP, max_size=60))
def test_it_never_stays_shut_for_good(steps: list[str]) -> None:
    """Whatever happened before: a rest later one request is let through, and an answer closes it."""
    breaker, now = Breaker(3, 10.0), 0.0
    for step in steps:
        if step == "wait":
            now += 4.0
        elif lets_through(breaker, now):
            if step == "failed":
                breaker.failed(now)
            else:
                getattr(breaker, step)()
    assert lets_through(breaker, now + 10.0)
    breaker.succeeded()
    assert all(lets_through(breaker, now + 10.0) for _ in range(5))
