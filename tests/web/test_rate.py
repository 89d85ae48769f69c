"""A source knocks as often as its settings allow, and slows nobody else."""

import httpx
import pytest
from fastapi import FastAPI, Request, Response
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.errors import LosusError, ThrottledError
from adapter.web.negotiation import refuse
from adapter.web.rate import Rates


class Clock:
    """Seconds, moved by hand."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def let_in(rates: Rates, source: str) -> bool:
    try:
        rates.take(source)
    except ThrottledError:
        return False
    return True


STEPS = [
    # rate a minute, (seconds that pass, whether it is let in)…, because
    (3, [(0, True), (0, True), (0, True), (0, False)], "a minute's worth at once, and no more"),
    (3, [(0, True)] * 3 + [(19.9, False), (0.2, True), (0, False)], "then one in twenty seconds"),
    (60, [(0, True)] * 60 + [(0.9, False), (0.2, True)], "one a second"),
    (1, [(0, True), (59.9, False), (0.2, True), (30, False)], "one a minute"),
    (2, [(0, True), (0, True), (3600, True), (0, True), (0, False)], "what is not used is not saved up"),
    (2, [(0, True), (0, True), (29, False), (2, True)], "to be refused costs nothing"),
]


@pytest.mark.parametrize(("rate", "steps", "because"), STEPS)
def test_the_rate(rate: int, steps: list[tuple[float, bool]], because: str) -> None:
    clock = Clock()
    rates = Rates({"hospital": rate}, clock)
    for passes_s, expected in steps:
        clock.now += passes_s
        assert let_in(rates, "hospital") is expected, because


RETRIES = [
    # rate a minute, seconds until the next is let in, because
    (1, 60, "a minute"),
    (7, 9, "60/7 = 8.57, rounded up"),
    (60, 1, "a second"),
    (6_000, 1, "a hundredth: the header knows whole seconds"),
]


@pytest.mark.parametrize(("rate", "wait_s", "because"), RETRIES)
def test_when_to_come_back(rate: int, wait_s: int, because: str) -> None:
    clock = Clock()
    rates = Rates({"hospital": rate}, clock)
    for _ in range(rate):
        rates.take("hospital")
    with pytest.raises(ThrottledError) as caught:
        rates.take("hospital")
    assert (caught.value.status, caught.value.problems[0].code) == (429, "throttled")
    assert caught.value.retry_after_s == wait_s, because
    clock.now += wait_s
    rates.take("hospital")


def test_one_does_not_use_up_anothers() -> None:
    rates = Rates({"loud": 1, "quiet": 1, "free": None}, Clock())
    assert [let_in(rates, "loud") for _ in range(100)].count(True) == 1
    assert let_in(rates, "quiet")
    assert all(let_in(rates, name) for name in ("free", "unknown") for _ in range(1_000))


@settings(deadline=None)  # the machine may be busy
@given(
    st.integers(1, 120),
    st.lists(st.floats(0, 90, allow_nan=False), min_size=1, max_size=200),
)
def test_in_no_span_of_time_come_more_than_the_rate_allows(rate: int, pauses: list[float]) -> None:
    clock = Clock()
    rates = Rates({"hospital": rate}, clock)
    came: list[float] = []
    for pause in pauses:
        clock.now += pause
        if let_in(rates, "hospital"):
            came.append(clock.now)
    for first in range(len(came)):
        for last in range(first, len(came)):
            span = came[last] - came[first]
            assert last - first + 1 <= rate + span * rate / 60 + 1e-6


@settings(deadline=None)  # the machine may be busy
@given(st.integers(1, 600), st.lists(st.floats(0, 5, allow_nan=False), max_size=50))
def test_who_comes_back_when_told_is_let_in(rate: int, pauses: list[float]) -> None:
    clock = Clock()
    rates = Rates({"hospital": rate}, clock)
    for _ in range(rate):
        rates.take("hospital")
    for pause in pauses:
        clock.now += pause
        try:
            rates.take("hospital")
        except ThrottledError as error:
            clock.now += error.retry_after_s + 1e-6
            rates.take("hospital")


async def test_a_door_answers_429() -> None:
    app, rates = FastAPI(), Rates({"hospital": 1}, Clock())

    @app.post("/{source}")
    async def door(source: str, request: Request) -> Response:
        try:
            rates.take(source)
        except LosusError as error:
            return refuse(request, error)
        return Response()

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://adapter") as client:
        answers = [await client.post(f"/{name}") for name in ("hospital", "hospital", "other")]
    assert [answer.status_code for answer in answers] == [200, 429, 200]
    assert answers[1].headers["retry-after"] == "60"
    (issue,) = answers[1].json()["issue"]
    assert (answers[1].json()["resourceType"], issue["code"]) == ("OperationOutcome", "throttled")
