"""Edits and resends: what is newer by its own word counts, a tie with another content is the sender's fault.

Source: FHIR R4 resource#Meta («versionId … changes each time the content changes»), http#versions,
http#update; issue 11, row 14. One rule for every channel.
"""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from adapter.delivery import Delivery, Door
from adapter.inbound.library import Library
from adapter.inbound.rereader import reread_now
from tests.service import app_behind, way_home
from tests.specification.sending import (
    Resource,
    bundle,
    cases,
    changed,
    code_of,
    entry,
    events,
    finished,
    held,
    issues,
    message,
    meta,
    person,
    pictures,
    put,
    ready,
    rows,
    say,
    stay,
    transact,
    update,
    without,
)

EARLIER, LATER = "2024-03-04T14:26:00+01:00", "2024-03-04T15:00:00+01:00"
#: The stay as it is known, and an edit: other times.
EDIT = {"period": {"start": "2024-03-05T08:00:00+01:00"}}
KOMMUN = {"address": person(kommun="2309")["address"]}

EDITS = [
    # what is edited, its meta then, Bundle.timestamp, is accepted, because
    ("stay", meta(), EARLIER, False, "the same version in every respect"),
    ("stay", meta("2"), EARLIER, True, "versionId is raised"),
    ("stay", meta("1", LATER), EARLIER, True, "meta.lastUpdated is later"),
    ("stay", meta(), LATER, True, "Bundle.timestamp is later"),
    ("stay", meta("0"), LATER, False, "an older version"),
    ("stay", meta("1", "2024-03-01T00:00:00+01:00"), LATER, False, "an older time"),
    ("person", meta(), EARLIER, False, "the same version in every respect"),
    ("person", meta("2"), EARLIER, True, "versionId is raised"),
    ("person", meta("1", LATER), EARLIER, True, "meta.lastUpdated is later"),
    ("person", meta(), LATER, True, "Bundle.timestamp is later"),
]


def edited(what: str, told: Resource) -> tuple[Resource, Resource]:
    """The stay and the person, one of them edited."""
    if what == "stay":
        return stay(**EDIT, **told), person()
    return stay(), person(**KOMMUN, **told)


@pytest.mark.parametrize(("what", "told", "sent", "accepted", "because"), EDITS)
async def test_an_edited_message(
    client: httpx.AsyncClient,
    dsn: str,
    what: str,
    told: Resource,
    sent: str,
    accepted: bool,
    because: str,
) -> None:
    assert code_of(await say(client, message("1", stay(), person()))) == "ok"
    before, stored = await pictures(client), await rows(dsn, "select count(*) from message")
    answer = await say(client, message("2", *edited(what, told), sent=sent))
    after = await pictures(client)
    if accepted:
        assert (answer.status_code, code_of(answer)) == (200, "ok"), because
        if what == "stay":
            assert after["s1"]["times"]["admitted"] == "2024-03-05T07:00:00Z", because
        else:
            assert after["s1"]["municipality"] == "2309", because
        return
    assert without(after["s1"], "revision") == without(before["s1"], "revision")
    place = f"Bundle.entry[{1 if what == 'stay' else 2}].resource.meta.versionId"
    if "older" in because:
        assert (answer.status_code, code_of(answer)) == (200, "ok")
        assert ("information", "informational", place) in issues(answer), "it says so"
    else:
        assert (answer.status_code, code_of(answer)) == (409, "fatal-error"), because
        assert ("error", "conflict", place) in issues(answer)
        assert await rows(dsn, "select count(*) from message") == stored, "nothing is stored"


async def test_the_recipe_of_the_readme(client: httpx.AsyncClient) -> None:
    """README: copy the file, change a time, give new ids and a newer version, send it again."""
    first = way_home()[0]
    assert code_of(await say(client, first)) == "ok"
    again: Resource = json.loads(json.dumps(first))
    again["id"], again["entry"][0]["resource"]["id"] = "of-mine", "of-mine-too"
    again["entry"][0]["fullUrl"] = "https://ehr.example/fhir/MessageHeader/of-mine-too"
    same = await say(client, again)
    assert code_of(same) == "ok"
    assert [issue[:2] for issue in issues(same)] == [("information", "informational")], "it says so"
    [encounter] = [one for one in again["entry"] if one["resource"]["resourceType"] == "Encounter"]
    again["id"], again["entry"][0]["resource"]["id"] = "of-mine-3", "of-mine-4"
    again["entry"][0]["fullUrl"] = "https://ehr.example/fhir/MessageHeader/of-mine-4"
    encounter["resource"]["period"]["start"] = "2024-03-04T16:00:00+01:00"
    assert (await say(client, again)).status_code == 409
    again["timestamp"] = "2024-03-04T17:00:00+01:00"
    again["id"], again["entry"][0]["resource"]["id"] = "of-mine-5", "of-mine-6"
    again["entry"][0]["fullUrl"] = "https://ehr.example/fhir/MessageHeader/of-mine-6"
    assert code_of(await say(client, again)) == "ok"
    [case] = (await pictures(client)).values()
    assert case["times"]["admitted"] == "2024-03-04T15:00:00Z"


async def test_a_refused_message_may_be_sent_again_under_its_ids(client: httpx.AsyncClient) -> None:
    """Nothing is stored of what is refused, so that its ids are not used."""
    await say(client, message("1", stay(), person()))
    assert (await say(client, message("2", stay(**EDIT), person()))).status_code == 409
    assert code_of(await say(client, message("2", stay(**EDIT, **meta("2")), person()))) == "ok"


PUTS = [
    # meta of the edit, status, because
    (meta(), 409, "one version with two contents"),
    (meta("2"), 200, "versionId is raised"),
    (meta("1", LATER), 200, "meta.lastUpdated is later"),
    (meta(None, None), 200, "no version: it is stamped as it comes"),
    (meta("0"), 200, "an older one: stored, and what is answered is the newest"),
]


@pytest.mark.parametrize("way", ["put", "transaction", "batch"])
@pytest.mark.parametrize(("told", "status", "because"), PUTS)
async def test_an_edit_that_is_put(
    client: httpx.AsyncClient, way: str, told: Resource, status: int, because: str
) -> None:
    await update(client, person())
    first = await update(client, stay())
    sent = {**without(stay(**EDIT), "meta"), **told}
    if way == "put":
        answer = await update(client, sent)
        given, tag = answer.status_code, answer.headers.get("etag")
    else:
        answer = await transact(client, put(sent), kind=way)
        one = answer.json()["entry"][0]["response"] if answer.status_code == 200 else {"status": "409"}
        given, tag = int(one["status"][:3]), one.get("etag")
    assert given == status, (because, answer.text)
    start = (await pictures(client))["s1"]["times"]["admitted"]
    newer = status == 200 and told.get("meta", {}).get("versionId") != "0"
    assert start == ("2024-03-05T07:00:00Z" if newer else "2024-03-04T13:20:00Z"), because
    if told.get("meta", {}).get("versionId") == "0":
        assert tag == first.headers["etag"]
        if way == "put":
            assert answer.json()["period"] == stay()["period"], "the representation is the newest"
    if status == 409 and way == "put":
        assert issues(answer)[0] == ("error", "conflict", "Encounter.meta.versionId")
    if status == 409 and way == "transaction":
        assert issues(answer)[0][1:] == ("conflict", "Bundle.entry[0].resource.meta.versionId")


async def take(client: httpx.AsyncClient, door: Door, body: Resource) -> str:
    """Hand something over by a channel at which nobody waits for an answer: what became of it."""
    receipt = await app_behind(client).state.receiver.take(
        Delivery("losus-r4", door, json.dumps(body).encode())
    )
    return str(receipt.state)


ASYNCHRONOUS = [Door.HOOK, Door.POLL, Door.IMPORT, Door.STREAM]


@pytest.mark.parametrize("door", ASYNCHRONOUS)
async def test_nobody_waits_so_it_is_parked(client: httpx.AsyncClient, dsn: str, door: Door) -> None:
    """A contradiction of an asynchronous channel waits for a person; a replay does not let it through."""
    is_message = door is Door.STREAM

    def whole(name: str, *resources: Resource) -> Resource:
        return message(name, *resources) if is_message else bundle(*map(entry, resources), kind="collection")

    assert await take(client, door, whole("1", stay(), person())) == "taken"
    before = await events(dsn)
    assert await take(client, door, whole("2", stay(**EDIT), person())) == "held"
    assert await held(dsn) == ["conflict"]
    assert await events(dsn) == before
    app = app_behind(client)
    [(number,)] = await rows(dsn, "select message from held")
    [again] = await reread_now(app.state.world, app.state.database, Library(), [number], datetime.now(UTC))
    assert again.problems, "a replay does not let it through"
    assert again.problems[0].code == "conflict"
    assert await held(dsn) == ["conflict"]
    assert (await pictures(client))["s1"]["times"]["admitted"] == "2024-03-04T13:20:00Z"
    assert await take(client, door, whole("1" if is_message else "", stay(), person())) == "known"


async def test_two_contents_that_both_waited(client: httpx.AsyncClient, dsn: str) -> None:
    """What waits for its stay is held against what came to be known meanwhile, as anything else is."""
    one = ready(encounter={"identifier": {"system": "urn:x", "value": "V-1"}})
    other = changed(one, executionPeriod={"start": "2024-03-08T10:40:00+01:00"})
    for name, task in (("1", one), ("2", other)):
        assert code_of(await say(client, message(name, task))) == "fatal-error"
    assert await held(dsn) == ["unresolved", "unresolved"]
    await say(client, message("3", stay(identifier=[{"system": "urn:x", "value": "V-1"}]), person()))
    app = app_behind(client)
    numbers = [number for (number,) in await rows(dsn, "select message from held order by message")]
    await reread_now(app.state.world, app.state.database, Library(), numbers, datetime.now(UTC))
    assert await held(dsn) == ["conflict"]
    assert await rows(dsn, "select count(*) from fact where resource = 'Task/t1'") == [(1,)]


async def test_two_messages_at_once_that_contradict_each_other(client: httpx.AsyncClient, dsn: str) -> None:
    """Taken in one transaction: the first stands, the second is refused."""
    sent = [
        message(f"{day}", stay(period={"start": f"2024-03-0{day}T08:00:00+01:00"}), person())
        for day in (1, 2, 3)
    ]
    answers = await asyncio.gather(*(say(client, one) for one in sent))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    assert await rows(dsn, "select count(*) from fact where resource = 'Encounter/s1'") == [(1,)]


async def test_two_versions_in_one_message_that_contradict(client: httpx.AsyncClient) -> None:
    answer = await say(client, message("1", stay(), entry(stay(**EDIT), "urn:uuid:1"), person()))
    assert answer.status_code == 409


ARRIVALS = ["older first", "newer first"]
PAIRS = [
    # meta of the older, meta of the newer, because
    (meta("1"), meta("2"), "by number"),
    (meta("9"), meta("10"), "numbers, no texts"),
    (meta("a", EARLIER), meta("b", LATER), "versionId is no number: by the time"),
    (meta("b", EARLIER), meta("a", LATER), "versionId is no number: by the time, and not by its letters"),
    (meta(None, EARLIER), meta(None, LATER), "no number: by the time"),
    (meta("1", "2024-03-04T14:25:00+01:00"), meta("1", "2024-03-04T13:26:00Z"), "times of two zones"),
]


@pytest.mark.parametrize("arrival", ARRIVALS)
@pytest.mark.parametrize(("older", "newer", "because"), PAIRS)
async def test_the_newer_stands_whenever_it_comes(
    client: httpx.AsyncClient, arrival: str, older: Resource, newer: Resource, because: str
) -> None:
    """Contract 2: «never by arrival»."""
    two = [message("1", stay(**older), person()), message("2", finished(**newer), person())]
    for sent in two if arrival == "older first" else two[::-1]:
        assert code_of(await say(client, sent)) == "ok"
    assert (await cases(client))["s1"][0] == "discharged", because


UNKNOWN = {"status": "unknown"}


@pytest.mark.parametrize(
    ("versions", "state", "because"),
    [
        ([finished(), stay(**meta("3"), **UNKNOWN)], "discharged", "`unknown` takes nothing back"),
        ([stay(**meta("3"), **UNKNOWN), finished()], "discharged", "the same, the other way round"),
        ([stay(**meta("3"), **UNKNOWN)], "admitted", "`unknown` alone: there is a stay"),
        ([stay(), stay(**meta("2"), **UNKNOWN)], "admitted", "nothing else is known"),
        (
            [stay(), finished(), stay(**meta("3"), **UNKNOWN), stay(**meta("4"))],
            "admitted",
            "a later version that knows: it goes on",
        ),
    ],
)
async def test_an_unknown_status(
    client: httpx.AsyncClient, versions: list[Resource], state: str, because: str
) -> None:
    """R4 encounter-status `unknown`: «The encounter status is unknown», thus no statement that it goes on."""
    await update(client, person())
    for one in versions:
        assert (await update(client, one)).status_code in {200, 201}
    assert (await cases(client))["s1"][0] == state, because


@pytest.fixture
def danish() -> tuple[Resource, Resource]:
    """The admission and the discharge of MedCom's example."""
    folder = Path(__file__).parents[2] / "mappings" / "examples" / "medcom-hospitalnotification"
    return tuple(
        json.loads((folder / name).read_text(encoding="utf-8")) for name in ("01-stin.json", "04-slhj.json")
    )  # type: ignore[return-value]


def at_one_time(sent: Resource, moment: str) -> Resource:
    """The message with every Provenance at one moment."""
    copy: Resource = json.loads(json.dumps(sent))
    for one in copy["entry"]:
        if one["resource"]["resourceType"] == "Provenance":
            one["resource"]["occurredDateTime"] = moment
    return copy


@pytest.mark.parametrize("arrival", ARRIVALS)
@pytest.mark.parametrize("times", ["one Provenance each", "a chain"])
async def test_two_versions_of_one_newest_time(
    client: httpx.AsyncClient, danish: tuple[Resource, Resource], arrival: str, times: str
) -> None:
    """`losus.versions`: the more final by its table, never by a hash nor by arrival."""
    two = [at_one_time(sent, "2024-03-12T11:00:00+01:00") for sent in danish]
    if times == "one Provenance each":
        for sent in two:
            sent["timestamp"] = "2024-03-12T11:00:30+01:00"
            chain = [one for one in sent["entry"] if one["resource"]["resourceType"] == "Provenance"]
            for one in chain[:-1]:
                sent["entry"].remove(one)
            sent["entry"][0]["resource"]["focus"] = sent["entry"][0]["resource"]["focus"]
    for sent in two if arrival == "older first" else two[::-1]:
        answer = await say(client, sent, "/fhir/medcom-hospitalnotification")
        assert code_of(answer) == "ok", answer.text
    assert [state for state, _ in (await cases(client)).values()] == ["discharged"]
