"""Failed attempts: counted, slowed down, gathered; and nobody is locked out by a neighbour."""

from pathlib import Path

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from adapter.access.caller import Caller, Kind, NotShownError, Reason
from adapter.access.doorkeeper import Knock
from adapter.access.entrance import Entrance, Visit
from adapter.access.failures import MOST_KINDS, Attempt, Failures
from adapter.access.throttle import MOST, WINDOW_S, Throttle, place_of
from adapter.errors import ThrottledError
from tests.access.issuer import NOW, token
from tests.access.people import KEYS, PROOF
from tests.access.test_doorkeeper import settings

BAD = Knock(authorization=("ApiKey losus.guess.guess",))
GOOD = Knock(authorization=(f"ApiKey {KEYS['hospital'][0]}",))
SIGNED = Knock(authorization=(f"Bearer {token()}",))

PLACES = [
    # address, counted as, because
    ("192.0.2.7", "192.0.2.7", "each address of IPv4"),
    ("2001:db8:1:2:3::4", "2001:db8:1:2::/64", "one customer has all of a /64"),
    ("::ffff:192.0.2.7", "192.0.2.7", "IPv4 in other words"),
    ("testclient", "unknown", "no address"),
    ("", "unknown", "none"),
]


@pytest.mark.parametrize(("address", "place", "because"), PLACES)
def test_what_counts_as_one(address: str, place: str, because: str) -> None:
    assert place_of(address) == place, because


def test_the_window() -> None:
    throttle = Throttle(most=3, window_s=60)
    for second in (0, 1, 2):
        assert throttle.wait_s("a", second) == 0
        throttle.failed("a", second)
    assert (throttle.wait_s("a", 2), throttle.wait_s("a", 59.9), throttle.wait_s("a", 60)) == (58, 1, 0)
    assert throttle.wait_s("b", 2) == 0, "another address"
    throttle.failed("a", 60)
    assert throttle.wait_s("a", 61) == 0, "a new window begins with one failure"
    throttle.failed("a", 62)
    throttle.failed("a", 63)
    assert throttle.wait_s("a", 63) == 57, "and is as long as the first"


class Watch:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Watch:
    return Watch()


@pytest.fixture
def entrance(tmp_path: Path, clock: Watch) -> Entrance:
    return Entrance(settings(tmp_path), clock=clock, now=lambda: NOW)


def visit(knock: Knock, peer: str = "192.0.2.7", *forwarded: str, source: str | None = "hospital") -> Visit:
    return Visit(knock, source, "/fhir/{source}/$process-message", peer, forwarded)


async def guess(entrance: Entrance, times: int, peer: str = "192.0.2.7") -> None:
    for _ in range(times):
        with pytest.raises(NotShownError):
            await entrance.admit(visit(BAD, peer))


async def test_guessing_is_slow(entrance: Entrance, clock: Watch) -> None:
    await guess(entrance, MOST)
    with pytest.raises(ThrottledError) as caught:
        await entrance.admit(visit(BAD))
    assert 0 < caught.value.retry_after_s <= WINDOW_S
    with pytest.raises(ThrottledError):
        await entrance.admit(visit(GOOD))  # the right guess would look just so
    await guess(entrance, 1, peer="192.0.2.8")
    clock.now += WINDOW_S
    assert (await entrance.admit(visit(GOOD))).name == "hospital"


async def test_a_neighbour_locks_nobody_out(entrance: Entrance) -> None:
    """Many hospitals may come from one address: who is known already, or shows a signed token, comes in."""
    assert (await entrance.admit(visit(GOOD))).name == "hospital"
    await guess(entrance, MOST)
    for shown in (GOOD, SIGNED):
        assert (await entrance.admit(visit(shown))).name == "hospital"


async def test_who_shows_nothing_guesses_nothing(entrance: Entrance) -> None:
    for _ in range(MOST + 1):
        with pytest.raises(NotShownError):
            await entrance.admit(visit(Knock()))
    assert (await entrance.admit(visit(GOOD))).name == "hospital"


FORWARDED = [
    # peer, X-Forwarded-For, proof, counted as, because
    ("10.0.0.1", ("192.0.2.7",), PROOF, "192.0.2.7", "the ingress says who came"),
    ("10.0.0.1", ("198.51.100.1, 192.0.2.7",), PROOF, "192.0.2.7", "the client wrote the first itself"),
    ("10.0.0.1", ("198.51.100.1", "192.0.2.7"), PROOF, "192.0.2.7", "in two headers"),
    ("10.0.0.1", ("192.0.2.7",), "guess", "10.0.0.1", "past the ingress: not believed"),
    ("10.0.0.1", (), PROOF, "10.0.0.1", "nothing said"),
    ("10.0.0.1", ("garbage",), PROOF, "unknown", "no address"),
]


@pytest.mark.parametrize(("peer", "forwarded", "proof", "place", "because"), FORWARDED)
def test_where_it_came_from(
    entrance: Entrance, peer: str, forwarded: tuple[str, ...], proof: str, place: str, because: str
) -> None:
    assert entrance.address(visit(Knock(proof=(proof,)), peer, *forwarded)) == place, because


async def test_what_is_told_of_a_failure(entrance: Entrance) -> None:
    """By source where it is known, and reason; no credential, no name of a source that is not."""

    def count(source: str, reason: str) -> float:
        labels = {"source": source, "reason": reason}
        return REGISTRY.get_sample_value("losus_access_refused_total", labels) or 0.0

    before = count("hospital", "api-key"), count("unknown", "api-key")
    with capture_logs() as logs:
        await guess(entrance, 3)
        with pytest.raises(NotShownError):
            await entrance.admit(visit(BAD, source="19121212-1212"))
    assert (count("hospital", "api-key"), count("unknown", "api-key")) == (before[0] + 3, before[1] + 1)
    assert [(line["source"], line["reason"]) for line in logs] == [
        ("hospital", "api-key"),
        ("unknown", "api-key"),
    ]
    assert not any(word in str(logs) for word in ("guess", "1212"))


def test_many_of_a_kind_are_one_entry() -> None:
    failures = Failures()
    one = Attempt("192.0.2.7", "hospital", "/cases", Reason.API_KEY)
    assert [failures.note(one, NOW) for _ in range(1000)] == [True] + [False] * 999
    [entry] = failures.take()
    assert (entry.count, entry.who, entry.why, entry.at) == (1000, "hospital", "api-key", NOW)
    assert (entry.kind, entry.action, entry.outcome) == ("attempt", "login", "refused")
    assert (failures.take(), failures.note(one, NOW)) == ([], True)


def test_no_number_of_addresses_fills_the_audit() -> None:
    failures = Failures()
    for number in range(MOST_KINDS * 3):
        failures.note(Attempt(f"address {number}", "unknown", "/cases", Reason.EXPIRED), NOW)
    entries = failures.take()
    assert len(entries) == MOST_KINDS + 1
    assert sum(entry.count for entry in entries) == MOST_KINDS * 3
    assert (entries[-1].address, entries[-1].count) == ("several", MOST_KINDS * 2)


def test_what_could_not_be_written_is_kept() -> None:
    failures = Failures()
    one = Attempt("192.0.2.7", "hospital", "/cases", Reason.SCOPE)
    failures.note(one, NOW)
    taken = failures.take()
    failures.note(one, NOW)
    failures.put_back(taken)
    [entry] = failures.take()
    assert (entry.count, entry.action) == (2, "refused")


def test_a_known_caller_is_named(entrance: Entrance) -> None:
    entrance.refused(visit(GOOD, source="other"), Reason.OTHER_SOURCE, Caller(Kind.SOURCE, "hospital"))
    [entry] = entrance._failures.take()
    assert (entry.who, entry.why, entry.action) == ("hospital", "other-source", "refused")
