"""FHIR's interactions as they go out, and what is made of the answers."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import orjson
import pytest
import respx

from adapter.client.calls import FhirClient
from adapter.client.faults import GoneError, RefusedError
from adapter.fhir.model import FhirVersion
from tests.client.outside import BASE, Stage

PATIENT = {"resourceType": "Patient", "id": "1"}
OUTCOME = {"resourceType": "OperationOutcome", "issue": []}


@pytest.fixture
def stage() -> Stage:
    return Stage()


REQUESTS: list[tuple[Callable[[FhirClient], Awaitable[Any]], str, str, dict[str, str], str]] = [
    # call, method, address, headers, because
    (lambda c: c.read("Patient/1"), "GET", "/Patient/1", {}, "FHIR http.html#read"),
    (lambda c: c.read(f"{BASE}/Patient/1"), "GET", "/Patient/1", {}, "absolute, on this server"),
    (lambda c: c.read("Patient/1/_history/2"), "GET", "/Patient/1/_history/2", {}, "#vread"),
    (lambda c: c.get("metadata"), "GET", "/metadata", {}, "relative to the base"),
    (lambda c: c.get(f"{BASE}?_getpages=1"), "GET", "?_getpages=1", {}, "a link of the server's"),
    (lambda c: c.post(PATIENT), "POST", "/Patient", {}, "#create"),
    (lambda c: c.post(PATIENT, once="a=b"), "POST", "/Patient", {"if-none-exist": "a=b"}, "#ccreate"),
    (lambda c: c.put(PATIENT), "PUT", "/Patient/1", {}, "#update"),
    (lambda c: c.put(PATIENT, expected="3"), "PUT", "/Patient/1", {"if-match": 'W/"3"'}, "#concurrency"),
    (lambda c: c.delete("Patient/1"), "DELETE", "/Patient/1", {}, "#delete"),
    (lambda c: c.operation("$export", {"_type": "Task"}, prefer="respond-async"), "GET",
     "/$export?_type=Task", {"prefer": "respond-async"}, "Bulk Data: kick-off"),
    (lambda c: c.operation("Subscription/1/$events", {"eventsSinceNumber": "4"}), "GET",
     "/Subscription/1/$events?eventsSinceNumber=4", {}, "Subscriptions backport: $events"),
    (lambda c: c.operation("$x", body={"resourceType": "Parameters"}), "POST", "/$x", {}, "operations.html"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "method", "address", "headers", "because"), REQUESTS)
@respx.mock
async def test_a_call_is_the_request_that_fhir_says(
    stage: Stage,
    call: Callable[[FhirClient], Awaitable[Any]],
    method: str,
    address: str,
    headers: dict[str, str],
    because: str,
) -> None:
    respx.route().mock(return_value=httpx.Response(200, json=PATIENT))
    client = stage.client()
    await call(client)
    sent = respx.calls.last.request
    assert (sent.method, str(sent.url)) == (method, BASE + address), because
    media = "application/fhir+json; fhirVersion=4.0"
    expected = {"accept": media, "accept-encoding": "gzip", **headers}
    if method in {"POST", "PUT"}:
        expected["content-type"] = media
    own = (
        "accept",
        "accept-encoding",
        "content-type",
        "if-match",
        "if-none-exist",
        "prefer",
        "authorization",
    )
    assert {name: sent.headers[name] for name in own if name in sent.headers} == expected, because
    if method in {"POST", "PUT"} and address != "/$x":
        assert orjson.loads(sent.content) == PATIENT
    await client.aclose()


@pytest.mark.parametrize(
    ("version", "media"),
    [
        (FhirVersion.R4, "application/fhir+json; fhirVersion=4.0"),
        (FhirVersion.R4B, "application/fhir+json; fhirVersion=4.3"),
        (FhirVersion.R5, "application/fhir+json; fhirVersion=5.0"),
    ],
)
@respx.mock
async def test_the_version_is_in_the_media_type(stage: Stage, version: FhirVersion, media: str) -> None:
    respx.get(f"{BASE}/Patient/1").mock(return_value=httpx.Response(200, json=PATIENT))
    client = stage.client(version)
    await client.read("Patient/1")
    assert respx.calls.last.request.headers["accept"] == media
    await client.aclose()


@respx.mock
async def test_an_answer_tells_version_and_the_server_s_time(stage: Stage) -> None:
    headers = {"etag": 'W/"7"', "date": "Mon, 04 Mar 2024 12:30:00 GMT"}
    respx.get(f"{BASE}/Patient/1").mock(return_value=httpx.Response(200, json=PATIENT, headers=headers))
    client = stage.client()
    answer = await client.read("Patient/1")
    assert (answer.resource, answer.version) == (PATIENT, "7")
    assert answer.server_time == datetime(2024, 3, 4, 12, 30, tzinfo=UTC)
    await client.aclose()


async def pages(client: FhirClient, url: str) -> list[Any]:
    return [page async for page in client.pages(url)]


ELSEWHERE: list[tuple[Callable[[FhirClient], Awaitable[Any]], int, str]] = [
    # call, requests to this server, because
    (lambda c: c.read("https://elsewhere.example/fhir/Patient/1"), 0, "another host"),
    (lambda c: c.read("Patient/.."), 0, "a step up"),
    (lambda c: c.read("urn:uuid:9d9f5c0e-9a7d-4b57-a9f0-a6b1b3b7d1c2"), 0, "of a Bundle"),
    (lambda c: c.get("https://elsewhere.example/fhir"), 0, "another host"),
    (lambda c: c.get("//elsewhere.example/fhir"), 0, "another host"),
    (lambda c: c.discard("https://elsewhere.example/export/1"), 0, "another host"),
    (lambda c: pages(c, "https://elsewhere.example/fhir?page=2"), 0, "another host"),
    (lambda c: c.delete("Patient/1/_history/2"), 0, "a version cannot be deleted"),
    (lambda c: c.delete("Patient?identifier=1"), 0, "many might be"),
    (lambda c: c.operation("@elsewhere.example/$x"), 1, "it stays a path"),
]


@pytest.mark.parametrize(("call", "asked", "because"), ELSEWHERE)
@respx.mock
async def test_nothing_is_asked_elsewhere(
    stage: Stage, call: Callable[[FhirClient], Awaitable[Any]], asked: int, because: str
) -> None:
    respx.route(host="ehr.example").mock(return_value=httpx.Response(404))
    client = stage.client()
    with pytest.raises(RefusedError):
        print(await call(client), because)
    assert [one.request.url.host for one in respx.calls] == ["ehr.example"] * asked
    await client.aclose()


@pytest.mark.parametrize(
    ("other", "because"),
    [
        ({"resourceType": "Patient", "id": "2"}, "another id"),
        ({"resourceType": "Patient"}, "no id"),
        ({"resourceType": "Group", "id": "1"}, "another type"),
        ({"resourceType": "OperationOutcome", "issue": []}, "a word about it, and not the thing"),
    ],
)
@respx.mock
async def test_another_resource_than_the_one_asked_for_is_refused(
    stage: Stage, other: dict[str, Any], because: str
) -> None:
    respx.get(f"{BASE}/Patient/1").mock(return_value=httpx.Response(200, json=other))
    client = stage.client()
    with pytest.raises(RefusedError):
        print(await client.read("Patient/1"), because)
    await client.aclose()


def bundle(*names: str, following: Any = None, **more: Any) -> httpx.Response:
    entries = [
        {"resource": {"resourceType": "Task", "id": name}, "search": {"mode": "match"}} for name in names
    ]
    links = [{"relation": "self", "url": "https://elsewhere.example/self"}]
    links += [{"relation": "next", "url": following}] if following else []
    told = {"resourceType": "Bundle", "type": "searchset", "entry": entries, "link": links, **more}
    return httpx.Response(200, json=told, headers={"date": "Mon, 04 Mar 2024 12:30:00 GMT"})


async def ids(client: FhirClient, **more: Any) -> list[list[str]]:
    pages = client.search("Task", {"status": ["ready", "draft"], "_count": "2"}, **more)
    return [[one["id"] for one in page.resources] async for page in pages]


@respx.mock
async def test_pages_are_followed_to_the_last_by_the_server_s_own_links(stage: Stage) -> None:
    first = respx.get(f"{BASE}/Task?status=ready&status=draft&_count=2")
    first.mock(return_value=bundle("1", "2", following=f"{BASE}?_getpages=a%2Bb&o=2"))
    second = respx.get(f"{BASE}?_getpages=a%2Bb&o=2").mock(return_value=bundle("3", "4", following="?o=4"))
    third = respx.get(f"{BASE}?o=4").mock(return_value=bundle("5"))
    client = stage.client()
    assert await ids(client) == [["1", "2"], ["3", "4"], ["5"]]
    assert (first.call_count, second.call_count, third.call_count) == (1, 1, 1)
    await client.aclose()


@respx.mock
async def test_a_search_goes_on_at_the_link_where_it_was_left(stage: Stage) -> None:
    respx.get(f"{BASE}/Task?page=2").mock(return_value=bundle("2"))
    respx.get(f"{BASE}/Task").mock(return_value=bundle("1", following=f"{BASE}/Task?page=2"))
    client = stage.client()
    async for page in client.search("Task", {}):
        left_at = page.next
        assert page.server_time == datetime(2024, 3, 4, 12, 30, tzinfo=UTC)
        break
    assert left_at
    assert [page.resources[0]["id"] async for page in client.pages(left_at)] == ["2"]
    await client.aclose()


@respx.mock
async def test_a_relative_link_starts_at_the_page_that_has_it(stage: Stage) -> None:
    respx.get(f"{BASE}/Task?page=2").mock(return_value=bundle("2"))
    respx.get(f"{BASE}/Task").mock(return_value=bundle("1", following="?page=2"))
    client = stage.client()
    assert [page.next async for page in client.search("Task", {})] == [f"{BASE}/Task?page=2", None]
    await client.aclose()


@respx.mock
async def test_a_link_by_another_name_of_the_server_is_asked_for_at_its_base(stage: Stage) -> None:
    respx.get(f"{BASE}/Task", params={"_count": "2"}).mock(
        return_value=bundle("1", following="http://inner:8080/r4?page=2")
    )
    respx.get(f"{BASE}?page=2").mock(return_value=bundle("2"))
    client = stage.client(known_as=("http://inner:8080/r4",))
    assert await ids(client) == [["1"], ["2"]]
    await client.aclose()


FOLLOWING = [
    # next link, pages asked for, error, because
    ("https://elsewhere.example/fhir?page=2", 1, RefusedError, "another host"),
    ("http://ehr.example/fhir?page=2", 1, RefusedError, "the same without TLS"),
    (f"{BASE}/Task", 1, RefusedError, "back to where it began"),
    (f"{BASE}/Task?more", 3, RefusedError, "no end"),
    (7, 1, RefusedError, "no address"),
    (f"{BASE}/gone", 2, GoneError, "the server forgot the search"),
]


@pytest.mark.parametrize(("link", "asked", "error", "because"), FOLLOWING)
@respx.mock
async def test_a_next_link_that_is_not_followed(
    stage: Stage, link: Any, asked: int, error: type[Exception], because: str
) -> None:
    numbers = iter(range(99))
    respx.get(f"{BASE}/gone").mock(return_value=httpx.Response(410))
    endless = link == f"{BASE}/Task?more"
    respx.route(host="ehr.example").mock(
        side_effect=lambda _: bundle("1", following=f"{link}={next(numbers)}" if endless else link)
    )
    client = stage.client()
    with pytest.raises(error):
        print([page async for page in client.search("Task", {}, most=3)], because)
    assert respx.calls.call_count == asked, because
    await client.aclose()


@pytest.mark.parametrize(
    ("entries", "found", "because"),
    [
        (None, [], "an empty page has no entry"),
        (
            [{"resource": {"resourceType": "OperationOutcome"}, "search": {"mode": "outcome"}}],
            [],
            "a word on it",
        ),
        ([{"resource": PATIENT, "search": {"mode": "include"}}], ["1"], "_include"),
        ([{"resource": PATIENT}], ["1"], "a server that does not say the mode"),
        ([{"fullUrl": f"{BASE}/Patient/1"}, 1], [], "nothing in it"),
    ],
)
@respx.mock
async def test_what_counts_as_found(stage: Stage, entries: Any, found: list[str], because: str) -> None:
    told = {"resourceType": "Bundle", "type": "searchset", **({"entry": entries} if entries else {})}
    respx.get(f"{BASE}/Task").mock(return_value=httpx.Response(200, json=told))
    client = stage.client()
    pages = [page async for page in client.search("Task", {})]
    assert [[one["id"] for one in page.resources] for page in pages] == [found], because
    await client.aclose()


@pytest.mark.parametrize(
    "told",
    [
        {"resourceType": "OperationOutcome", "issue": []},
        {"resourceType": "Bundle", "entry": {}},
        {"resourceType": "Bundle", "link": 1},
    ],
)
@respx.mock
async def test_an_answer_that_is_no_page_is_refused_and_not_taken_for_an_empty_one(
    stage: Stage, told: dict[str, Any]
) -> None:
    respx.get(f"{BASE}/Task").mock(return_value=httpx.Response(200, json=told))
    client = stage.client()
    with pytest.raises(RefusedError):
        print([page async for page in client.search("Task", {})])
    await client.aclose()
