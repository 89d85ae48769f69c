"""What a delivery points at: what is fetched, what is lost, what comes later; within which bounds."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx

from adapter.client.references import Fetcher, references_in
from adapter.servers import Basic, Patience, Server
from tests.client.outside import BASE, Stage


@pytest.fixture
def stage() -> Stage:
    return Stage()


def fetcher(stage: Stage, **server: Any) -> Fetcher:
    told = {"base_url": BASE, "patience": Patience(attempts=2), **server}
    return Fetcher(stage.client(**told), Server(**told), stage.outside)


def there(request: httpx.Request) -> httpx.Response:
    """A server that has everything; what is asked for in a version says so in its meta."""
    kind, name = request.url.path.removeprefix("/fhir/").split("/")[:2]
    return httpx.Response(200, json={"resourceType": kind, "id": name})


@respx.mock
async def test_a_reference_leads_to_its_resource_as_it_was_written(stage: Stage) -> None:
    respx.route().mock(side_effect=there)
    wanted = ["Organization/1", f"{BASE}/Location/2", "Encounter/3/_history/4"]
    found = await fetcher(stage).find(wanted)
    assert {reference: one["id"] for reference, one in found.resources.items()} == dict(
        zip(wanted, "123", strict=True)
    )
    assert (found.lost, found.later, found.asked) == ({}, {}, 3)
    assert sorted(str(one.request.url) for one in respx.calls) == [
        f"{BASE}/Encounter/3/_history/4",
        f"{BASE}/Location/2",
        f"{BASE}/Organization/1",
    ]


ENDS = [
    # answer, what becomes of the reference, FHIR issue code, because
    (httpx.Response(404), "lost", "not-found", "it is not there"),
    (httpx.Response(410), "lost", "deleted", "it is no longer there"),
    (httpx.Response(401), "later", "login", "an operator can mend our login"),
    (httpx.Response(403), "later", "forbidden", "an operator can ask for the scope"),
    (httpx.Response(400), "later", "processing", "the server does not say that it is not there"),
    (httpx.Response(200, text="<html>"), "later", "structure", "a page of a proxy's"),
    (httpx.Response(200, json={"resourceType": "Group", "id": "1"}), "later", "conflict", "another resource"),
    (httpx.Response(200, text="x" * 2_000), "lost", "too-long", "over the bound in size"),
    (httpx.Response(429), "later", "throttled", "issue 5, 2: it is to wait"),
    (httpx.Response(503), "later", "transient", "issue 5, 2: it is to wait"),
    (httpx.ReadTimeout("x"), "later", "timeout", "issue 5, 2: it is to wait"),
    (httpx.ConnectError("x"), "later", "transient", "issue 5, 2: it is to wait"),
    (
        httpx.Response(302, headers={"Location": "https://elsewhere.example"}),
        "later",
        "security",
        "not followed",
    ),
]


@pytest.mark.parametrize(("answer", "place", "code", "because"), ENDS)
@respx.mock
async def test_what_is_not_had_is_lost_or_later(
    stage: Stage, answer: httpx.Response | Exception, place: str, code: str, because: str
) -> None:
    respx.get(f"{BASE}/Organization/1").mock(side_effect=[answer] * 2)
    respx.get(f"{BASE}/Organization/2").mock(side_effect=there)
    found = await fetcher(stage, max_bytes=1_000).find(["Organization/1", "Organization/2"])
    other = {"lost": found.later, "later": found.lost}[place]
    assert {name: one.code for name, one in getattr(found, place).items()} == {"Organization/1": code}, (
        because
    )
    assert other == {}, because
    assert list(found.resources) == ["Organization/2"]  # one that fails takes no other with it


@pytest.mark.parametrize(
    "reference",
    [
        "https://elsewhere.example/fhir/Organization/1",
        "http://169.254.169.254/latest/Organization/1",
        "http://ehr.example/fhir/Organization/1",
        "Organization?identifier=1",
        "Organization/..",
        "#organization",
        "urn:uuid:9d9f5c0e-9a7d-4b57-a9f0-a6b1b3b7d1c2",
        "",
    ],
)
@respx.mock
async def test_what_does_not_lead_to_the_source_s_own_server_is_never_asked_for(
    stage: Stage, reference: str
) -> None:
    found = await fetcher(stage).find([reference])
    assert {name: one.code for name, one in found.lost.items()} == {reference: "not-found"}
    assert (found.resources, found.later, found.asked) == ({}, {}, 0)
    assert respx.calls.call_count == 0
    assert reference == "" or reference not in str(found.lost[reference])


BOUNDS = [
    # max_references, spent, references, how many are found, because
    (3, 0, 3, 3, "up to the bound"),
    (3, 0, 4, 3, "not beyond it"),
    (3, 2, 4, 1, "what was spent before counts"),
    (3, 3, 1, 0, "nothing is left"),
    (3, 9, 1, 0, "nothing is left"),
    (0, 0, 1, 0, "none at all"),
]


@pytest.mark.parametrize(("most", "spent", "count", "had", "because"), BOUNDS)
@respx.mock
async def test_of_one_delivery_only_so_many_are_looked_for(
    stage: Stage, most: int, spent: int, count: int, had: int, because: str
) -> None:
    respx.route().mock(side_effect=there)
    wanted = [f"Organization/{number}" for number in range(count)]
    found = await fetcher(stage, max_references=most).find(wanted, spent=spent)
    assert list(found.resources) == wanted[:had], because
    assert {name: one.code for name, one in found.lost.items()} == dict.fromkeys(wanted[had:], "too-costly")
    assert found.asked == had


@respx.mock
async def test_the_same_resource_by_two_references_is_asked_for_once(stage: Stage) -> None:
    route = respx.get(f"{BASE}/Organization/1").mock(side_effect=there)
    wanted = ["Organization/1", f"{BASE}/Organization/1", "Organization/1"]
    found = await fetcher(stage, max_references=1).find(wanted)
    assert list(found.resources) == wanted[:2]
    assert (route.call_count, found.asked) == (1, 1)


KEPT = [
    # reference, times asked in three looks (the third after cache_s), because
    ("Organization/1", 2, "the region's organisation seldom changes"),
    ("Location/1", 2, "the region's organisation seldom changes"),
    ("Patient/1", 3, "OSL 22:1, sekretessmarkering: a protected identity has to be seen at once"),
    ("Patient/1/_history/1", 2, "FHIR: a version never changes"),
    ("Encounter/1", 3, "it is what changes"),
    ("EpisodeOfCare/1", 3, "it is what changes"),
]


@pytest.mark.parametrize(("reference", "asked", "because"), KEPT)
@respx.mock
async def test_what_seldom_changes_is_kept_for_a_while(
    stage: Stage, reference: str, asked: int, because: str
) -> None:
    respx.route().mock(side_effect=there)
    one = fetcher(stage, cache_s=300.0)
    for at_s in (0.0, 299.9, 300.0):
        stage.at_s = at_s
        found = await one.find([reference])
        found.resources[reference]["id"] = "changed by who asked"  # a dict of the caller's own
    assert respx.calls.call_count == asked, because


@pytest.mark.parametrize(("cache_bytes", "asked"), [(1_000, 1), (20, 2), (0, 2)])
@respx.mock
async def test_what_is_kept_is_bounded_in_bytes(stage: Stage, cache_bytes: int, asked: int) -> None:
    respx.route().mock(side_effect=there)
    one = fetcher(stage, cache_bytes=cache_bytes)
    for _ in range(2):
        assert list((await one.find(["Organization/1"])).resources) == ["Organization/1"]
    assert respx.calls.call_count == asked


@respx.mock
async def test_what_was_lost_is_asked_for_again(stage: Stage) -> None:
    route = respx.get(f"{BASE}/Organization/1")
    route.side_effect = [httpx.Response(404), there(httpx.Request("GET", f"{BASE}/Organization/1"))]
    one = fetcher(stage)
    assert list((await one.find(["Organization/1"])).lost) == ["Organization/1"]
    assert list((await one.find(["Organization/1"])).resources) == ["Organization/1"]


@respx.mock
async def test_what_is_not_answered_in_time_is_for_later_and_no_longer_asked(stage: Stage) -> None:
    ended = asyncio.Event()

    async def never(_: httpx.Request) -> httpx.Response:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        raise AssertionError

    respx.get(f"{BASE}/Organization/1").mock(side_effect=never)
    respx.get(f"{BASE}/Organization/2").mock(side_effect=there)
    found = await fetcher(stage, references_s=2.0).find(["Organization/1", "Organization/2"])
    assert {name: one.code for name, one in found.later.items()} == {"Organization/1": "timeout"}
    assert list(found.resources) == ["Organization/2"]
    assert ended.is_set()


@respx.mock
async def test_the_bound_of_four_at_once_holds_over_deliveries(stage: Stage) -> None:
    under_way: list[str] = []
    most = 0

    async def slowly(request: httpx.Request) -> httpx.Response:
        nonlocal most
        under_way.append(request.url.path)
        most = max(most, len(under_way))
        for _ in range(5):
            await asyncio.sleep(0)  # let the others come
        under_way.remove(request.url.path)
        return there(request)

    respx.route().mock(side_effect=slowly)
    one = fetcher(stage)
    wanted = [[f"Organization/{group}-{number}" for number in range(6)] for group in range(3)]
    found = await asyncio.gather(*(one.find(group) for group in wanted))
    assert [len(each.resources) for each in found] == [6, 6, 6]
    assert most == 4


@respx.mock
async def test_a_server_that_is_away_is_not_asked_for_each(stage: Stage) -> None:
    route = respx.route().mock(return_value=httpx.Response(503))
    wanted = [f"Organization/{number}" for number in range(20)]
    found = await fetcher(stage, circuit={"failures": 4, "rest_s": 60.0}).find(wanted)
    assert list(found.later) == wanted
    assert route.call_count < 10


async def test_a_fault_of_the_setup_makes_it_wait(stage: Stage, tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("word", encoding="utf-8")
    one = fetcher(stage, login=Basic(username="losus", password_file=password))
    password.unlink()
    found = await one.find(["Organization/1"])
    assert {name: one.code for name, one in found.later.items()} == {"Organization/1": "exception"}
    assert str(tmp_path) not in str(found.later)  # where our secrets lie is nobody's business


REFERENCES: list[tuple[Any, list[str], str]] = [
    ({"subject": {"reference": "Patient/1"}}, ["Patient/1"], "a Reference"),
    ({"a": [{"b": {"reference": "A/1"}}, {"b": {"reference": "B/1"}}]}, ["A/1", "B/1"], "deep inside"),
    ({"a": {"reference": "A/1"}, "b": {"reference": "A/1"}}, ["A/1"], "each once"),
    ({"a": {"reference": "#c"}, "contained": [{"id": "c"}]}, [], "contained: it is here"),
    ({"contained": [{"x": {"reference": "A/1"}}]}, ["A/1"], "what is contained points out as well"),
    ({"a": {"reference": "urn:uuid:9d9f5c0e"}}, [], "of the Bundle alone"),
    ({"a": {"reference": {"reference": "A/1"}}}, ["A/1"], "R5 CodeableReference"),
    ({"a": {"identifier": {"value": "1"}}}, [], "a reference by identifier alone leads nowhere"),
    ({"a": {"reference": "https://x.example/A/1"}}, ["https://x.example/A/1"], "absolute: find() judges it"),
    ({"a": {"reference": 1}}, [], "no text"),
    ({}, [], "nothing"),
]


@pytest.mark.parametrize(("resource", "references", "because"), REFERENCES)
def test_the_references_that_lead_out_of_a_resource(
    resource: dict[str, Any], references: list[str], because: str
) -> None:
    assert list(references_in(resource)) == references, because


def test_a_resource_nested_deeply_is_no_fault() -> None:
    resource: dict[str, Any] = {"reference": "A/1"}
    for _ in range(100_000):
        resource = {"a": [resource]}
    assert list(references_in(resource)) == ["A/1"]
    _unnest(resource)


def _unnest(resource: Any) -> None:
    """Take it apart level by level: Python itself would recurse when it lets go of it."""
    step: Callable[[Any], Any] = lambda one: one.popitem()[1] if isinstance(one, dict) else one.pop()  # noqa: E731
    while isinstance(resource, dict | list) and resource:
        resource = step(resource)
