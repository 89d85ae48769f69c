"""What is asked again, after which pause, and what is asked once: by status, fault and kind of call."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
import respx
import structlog
from prometheus_client import REGISTRY

from adapter.client.calls import FhirClient
from adapter.client.faults import AwayError, GoneError, OpenError, RefusedError
from adapter.errors import LosusError
from adapter.servers import Circuit, Patience
from tests.client.outside import BASE, Stage

PATIENT = {"resourceType": "Patient", "id": "1"}
OK = httpx.Response(200, json=PATIENT, headers={"content-type": "application/fhir+json"})
THRICE = Patience(attempts=3, first_s=1.0, longest_s=10.0)


@pytest.fixture
def stage() -> Stage:
    return Stage()


async def ask(stage: Stage, call: Callable[[FhirClient], Awaitable[Any]], **server: Any) -> LosusError | Any:
    """What becomes of a call: its answer, or the error it ends with."""
    client = stage.client(**{"patience": THRICE, **server})
    try:
        return await call(client)
    except LosusError as error:
        return error
    finally:
        await client.aclose()


def read(client: FhirClient) -> Awaitable[Any]:
    return client.read("Patient/1")


STATUSES = [
    # status, times asked, error, FHIR issue code, because
    (200, 1, None, None, "answered"),
    (400, 1, RefusedError, "processing", "permanent: 4xx"),
    (401, 1, RefusedError, "login", "permanent: there is no login to renew"),
    (403, 1, RefusedError, "forbidden", "permanent: 4xx"),
    (404, 1, GoneError, "not-found", "permanent, and not there"),
    (405, 1, RefusedError, "not-supported", "permanent: 4xx"),
    (406, 1, RefusedError, "not-supported", "permanent: 4xx"),
    (408, 3, AwayError, "timeout", "RFC 9110, 15.5.9: the client may repeat the request"),
    (409, 1, RefusedError, "conflict", "permanent: 4xx"),
    (410, 1, GoneError, "deleted", "permanent, and no longer there"),
    (412, 1, RefusedError, "conflict", "permanent: 4xx"),
    (413, 1, RefusedError, "too-long", "permanent: 4xx"),
    (422, 1, RefusedError, "processing", "permanent: 4xx"),
    (425, 3, AwayError, "transient", "RFC 8470: too early, not at all no"),
    (429, 3, AwayError, "throttled", "issue 5, 2: retry on 429"),
    (500, 3, AwayError, "transient", "issue 5, 2: retry on 5xx"),
    (501, 1, RefusedError, "not-supported", "RFC 9110, 15.6.2: not implemented is no passing state"),
    (502, 3, AwayError, "transient", "issue 5, 2: retry on 5xx"),
    (503, 3, AwayError, "transient", "issue 5, 2: retry on 5xx"),
    (504, 3, AwayError, "timeout", "issue 5, 2: retry on 5xx"),
    (505, 1, RefusedError, "not-supported", "RFC 9110, 15.6.6: the version will not change"),
    (599, 3, AwayError, "transient", "issue 5, 2: retry on 5xx"),
    (304, 1, RefusedError, "processing", "nothing was asked for that could be unchanged"),
]


@pytest.mark.parametrize(("status", "times", "error", "code", "because"), STATUSES)
@respx.mock
async def test_each_status_means_one_thing(
    stage: Stage, status: int, times: int, error: type[LosusError] | None, code: str | None, because: str
) -> None:
    route = respx.get(f"{BASE}/Patient/1")
    route.mock(return_value=OK if status == 200 else httpx.Response(status, json={"secret": "value"}))
    ended = await ask(stage, read)
    assert route.call_count == times, because
    if error is None:
        assert ended.resource == PATIENT
        return
    assert type(ended) is error, because
    assert ended.problems[0].code == code
    assert ended.answered == status
    assert ended.retryable is (error is AwayError)
    assert "value" not in str(ended)


FAULTS: list[tuple[Exception, int, type[LosusError], str, str]] = [
    # fault, times asked, error, FHIR issue code, because
    (httpx.ConnectError("x"), 3, AwayError, "transient", "connection errors are tried again"),
    (httpx.ConnectTimeout("x"), 3, AwayError, "transient", "timeouts are tried again"),
    (httpx.PoolTimeout("x"), 3, AwayError, "transient", "all connections are busy now"),
    (httpx.ReadTimeout("x"), 3, AwayError, "timeout", "timeouts are tried again"),
    (httpx.WriteTimeout("x"), 3, AwayError, "timeout", "timeouts are tried again"),
    (httpx.ReadError("x"), 3, AwayError, "transient", "the connection broke"),
    (httpx.RemoteProtocolError("x"), 3, AwayError, "transient", "the connection broke"),
    (httpx.ProxyError("x"), 3, AwayError, "transient", "a proxy in between may come back"),
]


@pytest.mark.parametrize(("fault", "times", "error", "code", "because"), FAULTS)
@respx.mock
async def test_each_fault_of_the_network_means_one_thing(
    stage: Stage, fault: Exception, times: int, error: type[LosusError], code: str, because: str
) -> None:
    route = respx.get(f"{BASE}/Patient/1").mock(side_effect=lambda _: give(fault))
    ended = await ask(stage, read)
    assert (type(ended), ended.problems[0].code, route.call_count) == (error, code, times), because
    assert ended.__cause__ is None
    assert ended.__suppress_context__  # httpx's words hold addresses


CALLS: list[tuple[str, Callable[[FhirClient], Awaitable[Any]], str, int | Exception, int, str]] = [
    # method, call, path, what comes of it, times asked, because
    ("PUT", lambda c: c.put(PATIENT), "/Patient/1", 500, 3, "RFC 9110, 9.2.2: PUT may be repeated"),
    ("DELETE", lambda c: c.delete("Patient/1"), "/Patient/1", 500, 3, "RFC 9110, 9.2.2: so may DELETE"),
    ("POST", lambda c: c.post(PATIENT), "/Patient", 500, 1, "it may have been made: never make two"),
    ("POST", lambda c: c.post(PATIENT), "/Patient", 429, 3, "surely nothing was made"),
    ("POST", lambda c: c.post(PATIENT), "/Patient", 503, 3, "surely nothing was made"),
    ("POST", lambda c: c.post(PATIENT), "/Patient", httpx.ConnectError("x"), 3, "surely nothing was made"),
    ("POST", lambda c: c.post(PATIENT), "/Patient", httpx.ReadTimeout("x"), 1, "it may have been made"),
    ("POST", lambda c: c.post(PATIENT), "/Patient", httpx.ReadError("x"), 1, "it may have been made"),
    ("POST", lambda c: c.post(PATIENT, once="identifier=1"), "/Patient", 500, 3, "If-None-Exist: made once"),
    ("POST", lambda c: c.operation("$x", body=PATIENT), "/$x", 500, 1, "what it does is not known"),
    ("GET", lambda c: c.operation("$x", {"a": "1"}), "/$x", 500, 3, "GET is safe"),
]


@pytest.mark.parametrize(("method", "call", "path", "comes", "times", "because"), CALLS)
@respx.mock
async def test_only_what_can_be_asked_twice_is_asked_again(
    stage: Stage,
    method: str,
    call: Callable[[FhirClient], Awaitable[Any]],
    path: str,
    comes: int | Exception,
    times: int,
    because: str,
) -> None:
    effect = comes if isinstance(comes, Exception) else httpx.Response(comes)
    route = respx.route(method=method, url__startswith=BASE + path).mock(side_effect=lambda _: give(effect))
    ended = await ask(stage, call)
    assert isinstance(ended, AwayError), because
    assert route.call_count == times, because


def give(effect: httpx.Response | Exception) -> httpx.Response:
    if isinstance(effect, Exception):
        raise effect
    return effect


PAUSES = [
    # chance, Retry-After, pauses, because
    (0.0, None, [0.0, 0.0, 0.0, 0.0], "jitter from nothing"),
    (1.0, None, [1.0, 2.0, 4.0, 5.0], "to twice as much each time, at most longest_s"),
    (0.5, None, [0.5, 1.0, 2.0, 2.5], "and anything between"),
    (0.0, "3", [3.0] * 4, "never sooner than the server asks"),
    (1.0, "3", [4.0] * 4, "a little later, so that not all come at once"),
    (0.0, "Mon, 04 Mar 2024 12:00:03 GMT", [3.0, 0.0, 0.0, 0.0], "a date: after it there is no more to wait"),
    (0.0, "5", [5.0] * 4, "as long as we would wait at most"),
    (0.0, "6", [], "longer than we wait: given up"),
    (0.0, "nonsense", [0.0] * 4, "no pause asked for"),
]


@pytest.mark.parametrize(("chance", "asked", "pauses", "because"), PAUSES)
@respx.mock
async def test_the_pauses_are_exact(
    chance: float, asked: str | None, pauses: list[float], because: str
) -> None:
    stage = Stage(chance)
    headers = {"Retry-After": asked} if asked else {}
    respx.get(f"{BASE}/Patient/1").mock(return_value=httpx.Response(429, headers=headers))
    patience = Patience(attempts=5, first_s=1.0, longest_s=5.0)
    assert isinstance(await ask(stage, read, patience=patience), AwayError)
    assert stage.pauses == pauses, because


@respx.mock
async def test_it_ends_at_the_first_answer(stage: Stage) -> None:
    route = respx.get(f"{BASE}/Patient/1")
    route.side_effect = [httpx.Response(503), httpx.ReadTimeout("x"), OK]
    assert (await ask(stage, read)).resource == PATIENT
    assert stage.pauses == [0.5, 1.0]


@pytest.mark.parametrize(
    ("demand", "rest_s"), [("11", 11.0), ("3600", 3600.0), ("604800", 3600.0)], ids=["11 s", "1 h", "1 week"]
)
@respx.mock
async def test_a_long_pause_that_the_server_asks_for_holds_for_every_call(
    stage: Stage, demand: str, rest_s: float
) -> None:
    route = respx.get(f"{BASE}/Patient/1")
    route.side_effect = [httpx.Response(429, headers={"Retry-After": demand}), OK]
    client = stage.client(patience=THRICE)
    with pytest.raises(AwayError) as first:
        await client.read("Patient/1")
    assert first.value.retry_after_s == rest_s
    stage.at_s = rest_s - 0.01
    with pytest.raises(OpenError):
        await client.read("Patient/1")
    assert (route.call_count, stage.pauses) == (1, [])
    stage.at_s = rest_s
    assert (await client.read("Patient/1")).resource == PATIENT
    await client.aclose()


def outcomes() -> dict[str, float]:
    names = ("ok", "refused", "throttled", "failed", "unreachable", "held")
    labels = [{"source": "hospital", "outcome": name} for name in names]
    return {
        one["outcome"]: REGISTRY.get_sample_value("losus_client_requests_total", one) or 0.0 for one in labels
    }


@respx.mock
async def test_the_circuit_opens_asks_nobody_and_closes_again(stage: Stage) -> None:
    before = outcomes()
    route = respx.get(f"{BASE}/Patient/1").mock(return_value=httpx.Response(500))
    client = stage.client(patience=THRICE, circuit=Circuit(failures=4, rest_s=60.0))
    with pytest.raises(AwayError):  # three attempts
        await client.read("Patient/1")
    with pytest.raises(OpenError):  # the fourth opens it: the fifth is not made
        await client.read("Patient/1")
    assert route.call_count == 4
    assert REGISTRY.get_sample_value("losus_client_circuit_open", {"source": "hospital"}) == 1
    with pytest.raises(OpenError) as held:
        await client.read("Patient/1")
    assert held.value.retryable
    stage.at_s += 60.0
    with pytest.raises(OpenError):  # one trial fails
        await client.read("Patient/1")
    assert route.call_count == 5
    stage.at_s += 60.0
    route.mock(return_value=OK)
    assert (await client.read("Patient/1")).resource == PATIENT
    assert REGISTRY.get_sample_value("losus_client_circuit_open", {"source": "hospital"}) == 0
    counted = {name: count - before[name] for name, count in outcomes().items()}
    assert counted == {"ok": 1, "refused": 0, "throttled": 0, "failed": 5, "unreachable": 0, "held": 3}
    await client.aclose()


@pytest.mark.parametrize("status", [404, 429], ids=["a refusal", "too many requests"])
@respx.mock
async def test_a_server_that_says_no_is_there(stage: Stage, status: int) -> None:
    route = respx.get(f"{BASE}/Patient/1").mock(return_value=httpx.Response(status))
    client = stage.client(patience=Patience(attempts=1), circuit=Circuit(failures=2))
    for _ in range(5):
        with pytest.raises(LosusError):
            await client.read("Patient/1")
    assert route.call_count == 5
    await client.aclose()


@respx.mock
async def test_sources_do_not_share_a_circuit(stage: Stage) -> None:
    respx.get(f"{BASE}/Patient/1").mock(return_value=httpx.Response(500))
    respx.get("https://other.example/fhir/Patient/1").mock(return_value=OK)
    circuit = Circuit(failures=1)
    assert isinstance(await ask(stage, read, circuit=circuit), OpenError)
    ended = await ask(stage, read, circuit=circuit, base_url="https://other.example/fhir")
    assert ended.resource == PATIENT


REDIRECTS = [
    # status, where to, times asked in all, answered, because
    (301, f"{BASE}/Patient/1/", 2, True, "the same server"),
    (302, "/fhir/Patient/1/", 2, True, "the same server"),
    (307, f"{BASE}/Patient/1/", 2, True, "the same server"),
    (308, f"{BASE}/Patient/1/", 2, True, "the same server"),
    (302, "https://elsewhere.example/fhir/Patient/1/", 1, False, "another host is never asked"),
    (302, "http://ehr.example/fhir/Patient/1/", 1, False, "nor the same without TLS"),
    (303, f"{BASE}/Patient/1/", 1, False, "RFC 9110, 15.4.4: not the thing itself"),
    (302, f"{BASE}/Patient/1", 4, False, "round and round: three times at most"),
    (302, None, 1, False, "nowhere"),
]


@pytest.mark.parametrize(("status", "to", "times", "answered", "because"), REDIRECTS)
@respx.mock
async def test_a_redirect_is_followed_on_the_server_alone(
    stage: Stage, status: int, to: str | None, times: int, answered: bool, because: str
) -> None:
    headers = {"Location": to} if to else {}
    respx.get(f"{BASE}/Patient/1").mock(return_value=httpx.Response(status, headers=headers))
    respx.get(f"{BASE}/Patient/1/").mock(return_value=OK)
    ended = await ask(stage, read)
    assert respx.calls.call_count == times, because
    assert isinstance(ended, RefusedError) is not answered, because


@respx.mock
async def test_a_call_that_changes_something_is_not_redirected(stage: Stage) -> None:
    elsewhere = {"Location": f"{BASE}/Patient/2"}
    route = respx.put(f"{BASE}/Patient/1").mock(return_value=httpx.Response(307, headers=elsewhere))
    assert isinstance(await ask(stage, lambda c: c.put(PATIENT)), RefusedError)
    assert route.call_count == 1


LOGS = [
    # what comes of it, log lines, because
    ([OK], [], "nothing to tell"),
    ([httpx.Response(404)], [], "not there is an answer like any other"),
    ([httpx.Response(403)], [("client.failed", 403)], "an operator has to mend it"),
    ([httpx.Response(503), OK], [("client.again", 503)], "it went well in the end"),
    ([httpx.ReadTimeout("x")] * 2, [("client.again", None), ("client.failed", None)], "given up"),
]


@pytest.mark.parametrize(("comes", "lines", "because"), LOGS, ids=range(len(LOGS)))
@respx.mock
async def test_what_an_operator_reads(
    stage: Stage, comes: list[Any], lines: list[tuple[str, int | None]], because: str
) -> None:
    respx.get(f"{BASE}/Patient/1").mock(side_effect=comes)
    with structlog.testing.capture_logs() as told:
        await ask(stage, read, patience=Patience(attempts=2))
    assert [(line["event"], line["answered"]) for line in told] == lines, because
    assert {(line["source"], line["call"]) for line in told} <= {("hospital", "read")}
