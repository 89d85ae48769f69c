"""The same story through every channel, in every style of reference, in any order: the same cases.

Contract 1 and 3 («Every channel gives the same case for the same facts»). What is compared is what a
municipality sees, but for names: ids that a server gives, and which resource and version said something.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import httpx
import orjson
import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapter.delivery import Delivery, Door
from adapter.inbound.handing import hand_over
from adapter.inbound.library import Library
from adapter.inbound.rereader import reread_due
from adapter.settings import Source
from tests.doors.notices import notice
from tests.examples import PROFILE, examples
from tests.servers import REPOSITORY
from tests.service import app_behind, service
from tests.specification.stories import BASE, STYLES, SYSTEM, Story, name_of, referring, stories, urn

Resource = dict[str, Any]

_SHARED = REPOSITORY.parent / "shared"
STORIES = stories(_SHARED if _SHARED.is_dir() else None)
_SOURCES = 4_000
_LONG_AGO = {"lastUpdated": "2024-01-01T08:00:00+01:00"}


class Hospital:
    """One source of its own on the running service, and how it sends."""

    def __init__(self, client: httpx.AsyncClient, source: str, story: Story, style: str) -> None:
        self.client, self.source, self.style = client, source, style
        self.known = {name_of(one): one for one in story.versions}
        self.base = f"/fhir/{source}"
        self.sent = 0

    def written(self, resource: Resource, together: Sequence[Resource] = ()) -> Resource:
        names = frozenset(map(name_of, together))
        style = "relative" if self.style == "urn" and not names else self.style
        return referring(resource, style, self.known, together=names)

    async def message(self, group: Sequence[Resource]) -> None:
        for part in _distinct(group):
            self.sent += 1
            header = f"h-{self.source}-{self.sent}"
            url = urn if self.style == "urn" else (lambda name: f"{BASE}/{name}")
            first = {
                "resourceType": "MessageHeader",
                "id": header,
                "eventCoding": {"system": f"{SYSTEM}/event", "code": "x"},
                "source": {"endpoint": BASE},
                "focus": [{"reference": name_of(part[0])}],
            }
            bundle = {
                "resourceType": "Bundle",
                "id": f"b-{self.source}-{self.sent}",
                "type": "message",
                "timestamp": max(one.get("meta", _LONG_AGO)["lastUpdated"] for one in part),
                "entry": [
                    {"fullUrl": f"urn:uuid:{header}", "resource": first},
                    *({"fullUrl": url(name_of(one)), "resource": self.written(one, part)} for one in part),
                ],
            }
            self._accepted(await self.client.post(f"{self.base}/$process-message", json=bundle))

    async def put(self, group: Sequence[Resource]) -> None:
        for one in group:
            self._accepted(await self.client.put(f"{self.base}/{name_of(one)}", json=self.written(one)))

    async def conditional(self, group: Sequence[Resource]) -> None:
        """Updates on a condition: the server gives the ids, so references are by identifier."""
        for one in group:
            body = referring(one, self.style if "logical" in self.style else "conditional", self.known)
            del body["id"]
            kind = one["resourceType"]
            query = {"identifier": f"{SYSTEM}|{kind}-{one['id']}"}
            self._accepted(await self.client.put(f"{self.base}/{kind}", params=query, json=body))

    async def create(self, group: Sequence[Resource]) -> None:
        """A create where nothing is there yet, else an update of what it made."""
        for one in group:
            body = referring(one, self.style if "logical" in self.style else "conditional", self.known)
            kind, found = one["resourceType"], f"identifier={SYSTEM}|{one['resourceType']}-{one['id']}"
            del body["id"]
            answer = await self.client.post(
                f"{self.base}/{kind}", json=body, headers={"if-none-exist": found}
            )
            self._accepted(answer)
            if answer.status_code == 200:
                answer = await self.client.put(f"{self.base}/{kind}?{found}", json=body)
                self._accepted(answer)

    async def transaction(self, group: Sequence[Resource]) -> None:
        for part in _distinct(group):
            url = urn if self.style == "urn" else (lambda name: f"{BASE}/{name}")
            entries = [
                {
                    "fullUrl": url(name_of(one)),
                    "resource": self.written(one, part),
                    "request": {"method": "PUT", "url": name_of(one)},
                }
                for one in part
            ]
            bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
            answer = await self.client.post(self.base, json=bundle)
            if self.style == "conditional" and answer.status_code == 422:
                # R4 http#trules: a conditional reference to nothing that is known fails a transaction
                await self.put(part)
            else:
                self._accepted(answer)

    async def batch(self, group: Sequence[Resource]) -> None:
        for part in _distinct(group):
            entries = [
                {"resource": self.written(one), "request": {"method": "PUT", "url": name_of(one)}}
                for one in part
            ]
            answer = await self.client.post(
                self.base, json={"resourceType": "Bundle", "type": "batch", "entry": entries}
            )
            assert answer.status_code == 200
            for entry in answer.json()["entry"]:
                assert entry["response"]["status"][:3] in {"200", "201", "422"}, entry

    async def notification(self, group: Sequence[Resource]) -> None:
        for one in group:
            self.sent += 1
            told = notice("R4", "event-notification", self.sent, [(self.sent, self.written(one))])
            answer = await self.client.post(f"{self.base}/$subscription-hook", json=told)
            assert answer.status_code == 204, answer.text

    async def polled(self, group: Sequence[Resource]) -> None:
        await self._hand_over(Door.POLL, group)

    async def file(self, group: Sequence[Resource]) -> None:
        await self._hand_over(Door.IMPORT, group)

    async def stream(self, group: Sequence[Resource]) -> None:
        await self._hand_over(Door.STREAM, group)

    async def _hand_over(self, door: Door, group: Sequence[Resource]) -> None:
        receiver = app_behind(self.client).state.receiver
        bodies = (orjson.dumps(self.written(one)) for one in group)
        await hand_over(receiver, [Delivery(self.source, door, body) for body in bodies])

    @staticmethod
    def _accepted(answer: httpx.Response) -> None:
        """Stored: at once, or kept until what it refers to comes (422, `not-found`)."""
        if answer.status_code == 422:
            assert "not-found" in answer.text, answer.text
        else:
            assert answer.status_code in {200, 201}, answer.text

    async def cases(self) -> list[Resource]:
        app = app_behind(self.client)
        while await reread_due(app.state.world, app.state.database, Library(), datetime.now(UTC)):
            pass
        found = (await self.client.get("/cases", params={"source": self.source})).json()["cases"]
        return sorted((_essence(case) for case in found), key=lambda case: json.dumps(case, sort_keys=True))


def _distinct(group: Sequence[Resource]) -> list[list[Resource]]:
    """The group in parts that bring no resource twice: one Bundle has one version of each."""
    parts: list[list[Resource]] = []
    for one in group:
        place = next((part for part in parts if name_of(one) not in map(name_of, part)), None)
        if place is None:
            parts.append([one])
        else:
            place.append(one)
    return parts


_NAMES = {"case_id", "revision", "changed", "sources", "merged_into"}


def _says_more(before: Resource, after: Resource) -> bool:
    """Whether an event says more than which revision it is and what it rests on."""
    return any(before[name] != after[name] for name in after.keys() - {"revision", "changed", "sources"})


def _essence(case: Resource) -> Resource:
    kept = {name: value for name, value in case.items() if name not in _NAMES}
    if kept.get("unit"):
        kept["unit"] = {"name": kept["unit"]["name"]}
    return kept


CHANNELS: dict[str, Callable[[Hospital, Sequence[Resource]], Awaitable[None]]] = {
    "message": Hospital.message,
    "put": Hospital.put,
    "create": Hospital.create,
    "conditional": Hospital.conditional,
    "transaction": Hospital.transaction,
    "batch": Hospital.batch,
    "notification": Hospital.notification,
    "poll": Hospital.polled,
    "file": Hospital.file,
    "stream": Hospital.stream,
}


@pytest.fixture
async def empty(dsn: str) -> str:
    return dsn


class Region:
    """The service with a source for each telling, in an event loop of its own."""

    def __init__(self, dsn: str) -> None:
        self.loop = asyncio.new_event_loop()
        self.stack = AsyncExitStack()
        names = {
            f"s{number}-{mapping}": mapping
            for number in range(_SOURCES)
            for mapping in ("losus-r4", "hl7-r4")
        }
        sources = {name: Source(mapping=mapping, rate=1_000_000) for name, mapping in names.items()}
        self.client = self.loop.run_until_complete(
            self.stack.enter_async_context(service(dsn, sources=sources))
        )
        self.next = 0
        self.wanted: dict[str, list[Resource]] = {}

    def hospital(self, story: Story, style: str) -> Hospital:
        self.next += 1
        return Hospital(self.client, f"s{self.next}-{story.mapping}", story, style)

    def tell(
        self, story: Story, channel: str, style: str, groups: Sequence[Sequence[Resource]]
    ) -> list[Resource]:
        async def all_of_it() -> list[Resource]:
            hospital = self.hospital(story, style)
            for group in groups:
                await CHANNELS[channel](hospital, group)
            found = await hospital.cases()
            events = await self._events(hospital.source)
            published = await self._last_pictures(hospital.source)
            quiet = [case for case in found if case not in published]
            assert [case for case in found if case in published] == published, "as it was published last"
            assert {case["state"] for case in quiet} <= {"voided"}, "void before anybody was told of it"
            await CHANNELS[channel](hospital, story.versions)
            assert await hospital.cases() == found, "the whole again changes nothing"
            assert await self._events(hospital.source) == events, "and nobody is told of it"
            return found

        return self.loop.run_until_complete(all_of_it())

    async def _events(self, source: str) -> list[tuple[str, str, int]]:
        """The events of a source's cases: each municipality's numbered from 1, and each says a new thing."""
        rows = await self._fetch(
            """select case_id, coalesce(event.municipality, '') as home, revision, type, payload from event
               join cases on cases.id = case_id where source = $1 order by event.id""",
            source,
        )
        told = [(row["case_id"], row["home"], row["revision"]) for row in rows]
        for stream in {(case, home) for case, home, _ in told}:
            mine = [row for row in rows if (row["case_id"], row["home"]) == stream]
            assert [row["revision"] for row in mine] == list(range(1, len(mine) + 1))
            for before, after in pairwise(mine):
                said = (orjson.loads(row["payload"]) for row in (before, after))
                assert before["type"] != after["type"] or _says_more(*said)
        return told

    async def _last_pictures(self, source: str) -> list[Resource]:
        rows = await self._fetch(
            """select distinct on (case_id) payload from event join cases on cases.id = case_id
               where source = $1 order by case_id, event.id desc""",
            source,
        )
        found = (_essence(orjson.loads(row["payload"])) for row in rows)
        return sorted(found, key=lambda case: json.dumps(case, sort_keys=True))

    async def _fetch(self, query: str, *arguments: object) -> list[Any]:
        async with app_behind(self.client).state.database.transaction() as connection:
            return list(await connection.fetch(query, *arguments))

    def expected(self, story: Story) -> list[Resource]:
        """The story as it is told at its plainest: update by update, in order."""
        if story.name not in self.wanted:
            self.wanted[story.name] = self.tell(story, "put", "relative", [story.versions])
        return self.wanted[story.name]

    def close(self) -> None:
        self.loop.run_until_complete(self.stack.aclose())
        self.loop.close()


@pytest.fixture
def region(empty: str) -> Iterator[Region]:
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    made = Region(empty)
    yield made
    made.close()
    structlog.configure(**before)


@st.composite
def tellings(draw: st.DrawFn) -> tuple[Story, str, str, list[list[Resource]]]:
    """A story, a channel, a style, and its versions in some order, cut into groups, some of them twice."""
    story = draw(st.sampled_from(STORIES))
    channel, style = draw(st.sampled_from(sorted(CHANNELS))), draw(st.sampled_from(STYLES))
    versions = draw(st.permutations(story.versions))
    again = draw(st.lists(st.sampled_from(story.versions), max_size=3))
    told = [*versions, *again]
    cuts = sorted(draw(st.sets(st.integers(1, max(1, len(told) - 1)), max_size=4)))
    groups = [told[start:end] for start, end in zip([0, *cuts], [*cuts, len(told)], strict=True)]
    return story, channel, style, [group for group in groups if group]


def test_every_way_of_telling_a_story_leads_to_the_same_cases(region: Region) -> None:
    @settings(
        max_examples=examples(120),
        deadline=None,
        derandomize=PROFILE != "long",
        suppress_health_check=list(HealthCheck),
    )
    @given(tellings())
    def told(telling: tuple[Story, str, str, list[list[Resource]]]) -> None:
        story, channel, style, groups = telling
        assert region.tell(story, channel, style, groups) == region.expected(story), (
            story.name,
            channel,
            style,
        )

    told()


def test_the_stories_are_worth_telling(region: Region) -> None:
    """What they come to, so that a story that comes to nothing does not agree with nothing."""
    told = {story.name: region.expected(story) for story in STORIES}
    assert all(told.values())
    states = {name: [case["state"] for case in cases] for name, cases in told.items()}
    assert states["the way home"] == ["discharged"]
    assert states["a newborn"] == ["admitted", "admitted"]
    assert states["departments"] == ["admitted"]
    assert states["an admission in error"] == ["voided"]
    assert states["plain R4"] == ["discharged"]
    assert sorted(states["two stays, a person without versions"]) == ["admitted", "discharged"]
    assert [case["municipality"] for case in told["a move within the stay"]] == ["2313"]
    assert [case["placing_municipality"] for case in told["a placement"]] == ["2303"]
    assert [case["protected"] for case in told["protected identity"]] == [True]


@pytest.mark.skipif(not _SHARED.is_dir(), reason="HL7's own Encounters are told where ../shared is there")
def test_the_real_encounters_are_told() -> None:
    assert "HL7's own encounters" in {story.name for story in STORIES}
