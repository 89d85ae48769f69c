"""The same content is the same version, however often it comes: no event where nothing has changed.

Source: FHIR R4 resource#Meta («versionId … changes each time the content of the resource changes»);
contract 4 (revisions contiguous for each case and municipality); issue 11, row 5.
"""

import json
from collections.abc import Awaitable, Callable

import httpx
import pytest

from adapter.settings import Subscriber
from tests.service import service
from tests.specification.sending import (
    ANOTHER_NUMBER,
    BASE,
    NUMBER,
    PNR,
    Resource,
    cases,
    changed,
    condition,
    events,
    finished,
    logical,
    message,
    meta,
    person,
    pictures,
    put,
    ready,
    reread,
    rows,
    say,
    stay,
    transact,
    update,
    without,
)

BARE = without(person(), "meta")
STAY = finished("s0", period={"start": "2024-01-04T14:20:00+01:00", "end": "2024-01-06T14:20:00+01:00"})
Again = Callable[[httpx.AsyncClient, int], Awaitable[httpx.Response]]


def outpatient(number: int) -> Resource:
    """A later contact of the same person, which makes no case."""
    amb = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"}
    return stay(f"amb{number}", **{"class": amb}, period={"start": f"2024-04-0{number}T08:00:00+02:00"})


async def by_put(client: httpx.AsyncClient, _number: int) -> httpx.Response:
    return await update(client, BARE)


async def by_message(client: httpx.AsyncClient, number: int) -> httpx.Response:
    sent = f"2024-04-0{number}T08:00:00+02:00"
    return await say(client, message(f"again{number}", BARE, focus="Patient/p1", sent=sent))


async def by_message_without_a_time(client: httpx.AsyncClient, number: int) -> httpx.Response:
    return await say(client, message(f"again{number}", BARE, focus="Patient/p1", sent=None))


async def read_along(client: httpx.AsyncClient, number: int) -> httpx.Response:
    sent = f"2024-04-0{number}T08:00:00+02:00"
    return await say(client, message(f"again{number}", outpatient(number), BARE, sent=sent))


async def read_along_without_a_time(client: httpx.AsyncClient, number: int) -> httpx.Response:
    return await say(client, message(f"again{number}", outpatient(number), BARE, sent=None))


async def by_transaction(client: httpx.AsyncClient, number: int) -> httpx.Response:
    return await transact(client, put(outpatient(number)), put(BARE))


async def by_batch(client: httpx.AsyncClient, number: int) -> httpx.Response:
    return await transact(client, put(outpatient(number)), put(BARE), kind="batch")


async def by_pointing(client: httpx.AsyncClient, number: int) -> httpx.Response:
    return await update(client, outpatient(number))


async def with_a_later_time(client: httpx.AsyncClient, number: int) -> httpx.Response:
    return await update(client, {**BARE, **meta(None, f"2024-04-0{number}T08:00:00+02:00")})


WAYS: list[Again] = [
    by_put,
    by_message,
    by_message_without_a_time,
    read_along,
    read_along_without_a_time,
    by_transaction,
    by_batch,
    by_pointing,
    with_a_later_time,
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@pytest.mark.parametrize("first", ["put", "message"])
async def test_the_same_person_again_and_again(
    client: httpx.AsyncClient, dsn: str, way: Again, first: str
) -> None:
    if first == "put":
        await update(client, BARE)
        await update(client, STAY)
    else:
        await say(client, message("first", STAY, BARE))
    before, told = await pictures(client), await events(dsn)
    for number in (1, 2, 3):
        answer = await way(client, number)
        assert answer.status_code in {200, 201}, answer.text
    await reread(client)
    assert await events(dsn) == told
    after = await pictures(client)
    if first == "message" and "without_a_time" not in way.__name__:
        assert after == before, "one version, and the sources are those that the snapshot rests on"
    # else the version that says so first is an older one now, which is no news to anybody
    assert [without(one, "sources") for one in after.values()] == [
        without(one, "sources") for one in before.values()
    ]


async def test_back_to_what_it_was_is_a_version_of_its_own(client: httpx.AsyncClient, dsn: str) -> None:
    """A, B, A by PUT: the second A replaces B."""
    await update(client, {**STAY, "status": "in-progress", "period": {"start": STAY["period"]["start"]}})
    tags = []
    for kommun in ("2380", "2309", "2380"):
        answer = await update(client, without(person(kommun=kommun), "meta"))
        tags.append(answer.headers["etag"])
        assert (await cases(client))["s0"] == ("admitted", kommun)
    assert len(set(tags)) == 3
    assert await rows(dsn, "select count(*) from fact where resource = 'Patient/p1'") == [(3,)]
    told = [municipality for municipality, _ in await events(dsn)]
    assert told[-2:] == ["2309", "2380"], "the other has its closing event"


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 1, 2), (2, 3, 1)])
async def test_back_to_what_it_was_by_messages_in_any_order(
    client: httpx.AsyncClient, order: tuple[int, ...]
) -> None:
    """The Bundle's timestamp stands in for a version: never the arrival."""
    await update(client, STAY)
    kommuns = {1: "2380", 2: "2309", 3: "2380"}
    for number in order:
        one = without(person(kommun=kommuns[number]), "meta")
        sent = f"2024-04-0{number}T08:00:00+02:00"
        await say(client, message(f"{number}", one, focus="Patient/p1", sent=sent))
    assert (await cases(client))["s0"] == ("discharged", "2380")


async def test_a_message_without_any_version_that_says_something_else(client: httpx.AsyncClient) -> None:
    """Neither meta nor timestamp: nothing says which of two contents is newer, and arrival does not."""
    await say(client, message("1", STAY, BARE, sent=None))
    other = without(person(kommun="2309"), "meta")
    answer = await say(client, message("2", other, focus="Patient/p1", sent=None))
    assert answer.status_code == 409
    assert (await cases(client))["s0"] == ("discharged", "2380")


@pytest.mark.parametrize("way", ["put", "message"])
async def test_a_ward_that_is_brought_again(client: httpx.AsyncClient, dsn: str, way: str) -> None:
    ward = {"resourceType": "Location", "id": "w1", "name": "Avdelningen"}
    at_ward = stay(location=[{"location": {"reference": "Location/w1"}}])
    await say(client, message("1", at_ward, person(), ward))
    told = await events(dsn)
    for number in (2, 3):
        if way == "put":
            await update(client, ward)
        else:
            sent = f"2024-04-0{number}T08:00:00+02:00"
            await say(client, message(f"{number}", outpatient(number), BARE, ward, sent=sent))
        await reread(client)
    assert await events(dsn) == told


POINTERS = [
    # what is sent first, what of it changes, because
    (stay(), {"subject": {"reference": "Patient/p2"}}, "another person"),
    (stay(), {"location": [{"location": {"reference": "Location/w2"}}]}, "another ward"),
    (ready(), {"encounter": {"reference": "Encounter/s2"}}, "another stay"),
    (person(), {"link": [{"type": "replaced-by", "other": {"reference": "Patient/p2"}}]}, "another record"),
    (
        {"resourceType": "Location", "id": "w1", "managingOrganization": {"reference": "Organization/o1"}},
        {"managingOrganization": {"reference": "Organization/o2"}},
        "another organisation",
    ),
]


@pytest.mark.parametrize("version", ["stamped", "its own"])
@pytest.mark.parametrize(("first", "change", "because"), POINTERS)
async def test_to_point_elsewhere_is_to_say_something_else(
    client: httpx.AsyncClient, first: Resource, change: Resource, because: str, version: str
) -> None:
    """resource#Meta: whom and what a resource is about is content as anything else is."""
    for name in ("s1", "s2"):
        await update(client, stay(name))
    for name, number in (("p1", NUMBER), ("p2", ANOTHER_NUMBER)):
        await update(client, person(name, number))
    told = meta(None, None) if version == "stamped" else meta("5", "2024-03-09T10:00:00+01:00")
    one = {**without(first, "meta"), **told}
    before = await update(client, one)
    after = await update(client, {**one, **change})
    if version == "its own":
        assert after.status_code == 409, because
        return
    assert after.status_code == 200
    assert after.headers["etag"] != before.headers["etag"], because
    [(element, value)] = change.items()
    assert after.json()[element] == value


STYLES = [
    # subject of another person, because
    (logical(ANOTHER_NUMBER, PNR, "Patient"), "by the number"),
    ({"reference": f"Patient?{condition(ANOTHER_NUMBER)}"}, "by a condition"),
    ({"reference": f"{BASE}/Patient/p2"}, "by a URL"),
]


@pytest.mark.parametrize(("subject", "because"), STYLES)
async def test_another_person_in_another_style_is_no_repeat(
    client: httpx.AsyncClient, subject: Resource, because: str
) -> None:
    """An update without a version of its own that names another person, in another style, is never lost."""
    await update(client, person())
    await update(client, person("p2", ANOTHER_NUMBER, "2309"))
    bare = without(stay(), "meta")
    before = await update(client, bare)
    assert (await cases(client))["s1"] == ("admitted", "2380")
    after = await update(client, {**bare, "subject": subject})
    assert after.headers["etag"] != before.headers["etag"], because
    assert (await cases(client))["s1"] == ("admitted", "2309"), because


NAMES = [
    # versions of the ward (version, name) in the order in which they come, the name that stands, because
    ([("1", "A"), ("2", "B"), ("3", "A")], "A", "back to what it was"),
    ([("1", "A"), ("3", "A"), ("2", "B")], "A", "the same, and the one between comes late"),
    ([("3", "A"), ("2", "B"), ("1", "A")], "A", "the other way round"),
    ([("1", "A"), ("2", "B")], "B", "a new name"),
    ([("2", "B"), ("1", "A")], "B", "a new name, and the old one late"),
]


@pytest.mark.parametrize(("versions", "name", "because"), NAMES)
async def test_the_newest_name_of_a_ward_stands(
    client: httpx.AsyncClient, versions: list[tuple[str, str]], name: str, because: str
) -> None:
    await update(client, person())
    await update(client, stay(location=[{"location": {"reference": "Location/w1"}}]))
    for version, named in versions:
        ward = {"resourceType": "Location", "id": "w1", "name": named, "meta": {"versionId": version}}
        await update(client, ward)
    await reread(client)
    assert (await pictures(client))["s1"]["unit"]["name"] == name, because


async def test_what_a_subscriber_may_not_see_is_no_event_of_its(dsn: str) -> None:
    """LUS 2:2: under `statutory` four fields are sent; a change of others leaves no gap in its revisions."""
    more = {"subscribers": {"2380": Subscriber(name="Östersund", payload="statutory")}}
    async with service(dsn, **more) as client:
        await say(client, message("1", stay(), person()))
        told = await events(dsn)
        unseen = stay(
            **meta("2", "2024-03-05T10:00:00+01:00"),
            location=[{"location": {"display": "En annan avdelning"}}],
        )
        await say(client, message("2", unseen))
        assert await events(dsn) == told
        assert (await pictures(client))["s1"]["unit"]["name"] == "En annan avdelning", (
            "it is known all the same"
        )
        await say(client, message("3", ready()))
        await say(client, message("4", finished(**meta("3", "2024-03-12T11:05:00+01:00"))))
        revisions = [revision for municipality, revision in await events(dsn) if municipality == "2380"]
        assert revisions == list(range(1, len(revisions) + 1))
        assert len(revisions) > len(told)


async def test_sources_are_those_that_the_snapshot_rests_on(client: httpx.AsyncClient) -> None:
    """A newer version of the person that says the same is no other source of an older case."""
    await say(client, message("1", STAY, person()))
    before = (await pictures(client))["s0"]
    newer = person(**meta("2", "2024-05-01T10:00:00+02:00"))
    await say(client, message("2", stay("s2", period={"start": "2024-05-01T09:00:00+02:00"}), newer))
    after = (await pictures(client))["s0"]
    assert (after["sources"], after["revision"]) == (before["sources"], before["revision"])


async def test_no_copy_is_a_change(client: httpx.AsyncClient, dsn: str) -> None:
    """The order of elements in JSON, and a `meta` that says a version alone, are no content."""
    await update(client, BARE)
    await update(client, STAY)
    told = await events(dsn)
    turned = json.loads(json.dumps({name: BARE[name] for name in reversed(BARE)}))
    for one in (turned, changed(BARE, meta={"versionId": "7"})):
        assert (await update(client, one)).status_code == 200
    assert await events(dsn) == told
