"""The rest-hook door: every form of notification leads to the same case, and a missing event is got."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
import respx

from adapter.errors import LosusError
from adapter.fhir.notification import Event, Notification, read_notification
from adapter.inbound.hook import progress
from adapter.settings import Source
from tests.doors.notices import BASE, SUBSCRIPTION, notice
from tests.doors.rig import SOURCE, essence, home, resources
from tests.service import app_behind, service

Resource = dict[str, Any]
HOOK = f"/fhir/{SOURCE}/$subscription-hook"


def told(kind: str, total: int | None, *numbers: int) -> Notification:
    events = tuple(Event(number, None) for number in numbers)
    return Notification(kind, SUBSCRIPTION, "active", total, events, {})


PROGRESS = [
    # known, notification, missing, reached, because (Backport 1.1, events and errors)
    (None, told("handshake", 0), set(), 0, "the count begins"),
    (None, told("handshake", 7), set(), 7, "it began before we were there"),
    (9, told("handshake", 0), set(), 0, "the server counts anew"),
    (3, told("handshake", 5), {4, 5}, 5, "activated anew: it counted on while nobody was told"),
    (0, told("event-notification", 1, 1), set(), 1, "the next one"),
    (1, told("event-notification", 3, 2, 3), set(), 3, "two at once"),
    (1, told("event-notification", 3, 3), {2}, 3, "one is missing"),
    (1, told("event-notification", 4, 2), {3, 4}, 4, "the server knows of more than it tells"),
    (5, told("event-notification", 5, 5), set(), 5, "the same again"),
    (5, told("event-notification", None, 4), set(), 5, "an old one again"),
    (None, told("event-notification", 9, 9), set(), 9, "the first that is heard of begins the count"),
    (5, told("heartbeat", 5), set(), 5, "nothing has been"),
    (5, told("heartbeat", 7), {6, 7}, 7, "a heartbeat tells of what was missed"),
    (None, told("heartbeat", 7), set(), 7, "what was before the first word is a backfill's"),
]


@pytest.mark.parametrize(("known", "notification", "missing", "reached", "because"), PROGRESS)
def test_what_is_missing(
    known: int | None, notification: Notification, missing: set[int], reached: int, because: str
) -> None:
    assert progress(notification, known) == (missing, reached), because


REAL = [
    ("handshake_bundle.json", "handshake", 0),
    ("heartbeat_bundle.json", "heartbeat", 0),
    ("id_only_notification_bundle.json", "event-notification", 1),
    ("full_resource_notification_bundle.json", "event-notification", 1),
]


@pytest.mark.parametrize(("file", "kind", "events"), REAL)
def test_notifications_of_others_are_read(shared: Path, file: str, kind: str, events: int) -> None:
    bundle = json.loads((shared / "data" / "backport" / file).read_text(encoding="utf-8"))
    found = read_notification(bundle)
    assert (found.kind, len(found.events)) == (kind, events)
    assert found.subscription.endswith("/Subscription/123")


FAULTS = [
    ({"resourceType": "Bundle", "type": "searchset"}, "structure", "no notification"),
    ({"resourceType": "Bundle", "type": "history"}, "structure", "no status"),
    (notice("R5", "gossip", 1), "code-invalid", "a type that is none"),
    (notice("R4", "heartbeat", -1), "value", "a count below 0"),
]


@pytest.mark.parametrize(("bundle", "code", "because"), FAULTS)
def test_what_is_no_notification(bundle: Resource, code: str, because: str) -> None:
    with pytest.raises(LosusError) as caught:
        read_notification(bundle)
    assert caught.value.problems[0].code == code, because


class Server:
    """A source's server, as far as a hook asks it: what it holds, and what it was asked for."""

    def __init__(self, held: list[Resource], *, has_events: bool = True) -> None:
        self.held = {f"{one['resourceType']}/{one['id']}": one for one in held}
        self.has_events, self.asked = has_events, list[str]()
        self.events: dict[int, Resource] = {}

    def answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/fhir/")
        self.asked.append(path)
        if path.endswith("$events"):
            return self._events(request) if self.has_events else httpx.Response(404, json={})
        if "/" in path:
            found = self.held.get(path)
            return httpx.Response(200, json=found) if found else httpx.Response(404, json={})
        entries = [{"resource": one} for name, one in self.held.items() if name.startswith(path + "/")]
        bundle = {"resourceType": "Bundle", "type": "searchset", "entry": entries}
        return httpx.Response(200, json=bundle, headers={"date": "Mon, 04 Mar 2024 12:00:00 GMT"})

    def _events(self, request: httpx.Request) -> httpx.Response:
        first, last = (int(request.url.params[f"events{end}Number"]) for end in ("Since", "Until"))
        wanted = [(n, one) for n, one in self.events.items() if first <= n <= last]
        return httpx.Response(200, json=notice("R4", "query-event", len(self.events), wanted))


def sources(version: str = "R4", **server: Any) -> Mapping[str, Source]:
    given = {"base_url": BASE, "patience": {"attempts": 1}, **server}
    return {SOURCE: Source.model_validate({"mapping": "losus-r4", "fhir": version, "server": given})}


async def pictures(client: httpx.AsyncClient) -> list[Resource]:
    cases: list[Resource] = (await client.get("/cases")).json()["cases"]
    return cases


@pytest.mark.parametrize("content", ["full-resource", "id-only", "empty"])
@pytest.mark.parametrize("version", ["R4", "R4B"])
async def test_every_form_leads_to_the_same_case(dsn: str, version: str, content: str) -> None:
    server = Server([])
    async with service(dsn, sources=sources(version)) as client, respx.mock(base_url=BASE) as router:
        router.route().mock(side_effect=server.answer)
        assert (await client.post(HOOK, json=notice(version, "handshake", 0))).status_code == 204
        for number, resource in enumerate(resources(), start=1):
            server.held[f"{resource['resourceType']}/{resource['id']}"] = resource
            told_ = notice(version, "event-notification", number, [(number, resource)], content)
            answer = await client.post(HOOK, json=told_)
            assert answer.status_code == 204, answer.text
        [picture] = await pictures(client)
        assert essence(picture) == home(app_behind(client).state.world)


async def test_a_missing_event_is_got_from_the_server(dsn: str) -> None:
    every = resources()
    server = Server(every)
    server.events = dict(enumerate(every, start=1))
    async with service(dsn, sources=sources()) as client, respx.mock(base_url=BASE) as router:
        router.route().mock(side_effect=server.answer)
        await client.post(HOOK, json=notice("R4", "handshake", 0))
        last = len(every)
        answer = await client.post(HOOK, json=notice("R4", "event-notification", last, [(last, every[-1])]))
        assert answer.status_code == 204
        assert "Subscription/s1/$events" in server.asked
        [picture] = await pictures(client)
        assert essence(picture) == home(app_behind(client).state.world)


async def test_without_events_all_that_has_changed_is_looked_at(dsn: str) -> None:
    newest = {f"{one['resourceType']}/{one['id']}": one for one in resources()}
    server = Server(list(newest.values()), has_events=False)
    async with service(dsn, sources=sources()) as client, respx.mock(base_url=BASE) as router:
        router.route().mock(side_effect=server.answer)
        await client.post(HOOK, json=notice("R4", "handshake", 0))
        answer = await client.post(HOOK, json=notice("R4", "heartbeat", 3))
        assert answer.status_code == 204
        assert {"Encounter", "Task", "CarePlan"} <= set(server.asked)
        assert len(await pictures(client)) == 1


async def test_a_server_that_is_away_is_asked_to_tell_again(dsn: str) -> None:
    """Nothing is counted that is not stored: the same notification again is no gap and no repeat."""
    every = resources()
    encounter = next(one for one in every if one["resourceType"] == "Encounter")
    event = notice("R4", "event-notification", 1, [(1, encounter)], "id-only")
    server = Server(every)
    async with service(dsn, sources=sources()) as client, respx.mock(base_url=BASE) as router:
        route = router.route().mock(return_value=httpx.Response(503))
        answer = await client.post(HOOK, json=event)
        assert answer.status_code == 503
        assert await pictures(client) == []
        route.mock(side_effect=server.answer)
        assert (await client.post(HOOK, json=event)).status_code == 204
        assert len(await pictures(client)) == 1


async def test_what_is_named_is_fetched_from_the_sources_own_server_alone(dsn: str) -> None:
    event = notice("R4", "event-notification", 1, [(1, {"resourceType": "Encounter", "id": "x"})], "id-only")
    text = json.dumps(event).replace(f"{BASE}/Encounter", "https://evil.example/fhir/Encounter")
    async with (
        service(dsn, sources=sources()) as client,
        respx.mock(base_url=BASE, assert_all_called=False) as router,
    ):
        router.route().mock(return_value=httpx.Response(404, json={}))
        assert (await client.post(HOOK, content=text)).status_code == 204
        assert all(call.request.url.host == "ehr.example" for call in router.calls)
    connection = await asyncpg.connect(dsn)
    assert await connection.fetchval("select cause from held") == "invalid"
    await connection.close()


async def test_plain_r4_puts_the_resource_or_only_knocks(dsn: str) -> None:
    every = resources()
    server = Server([])
    async with service(dsn, sources=sources()) as client, respx.mock(base_url=BASE) as router:
        router.route().mock(side_effect=server.answer)
        for resource in every[:-1]:
            path = f"{HOOK}/{resource['resourceType']}/{resource['id']}"
            assert (await client.put(path, json=resource)).status_code == 204
        server.held = {f"{one['resourceType']}/{one['id']}": one for one in every}
        assert (await client.post(HOOK)).status_code == 204
        [picture] = await pictures(client)
        assert essence(picture) == home(app_behind(client).state.world)
        other = await client.put(f"{HOOK}/Task/other", json=every[0])
        assert (other.status_code, other.json()["issue"][0]["code"]) == (400, "invalid")
