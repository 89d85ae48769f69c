"""Contacts within a stay (`partOf`): one stay, one case, one bill; a newborn's is a stay of its own.

Source: FHIR R4 and R5 Encounter.partOf («Another Encounter of which this encounter is a part of
(administratively or in time)»); issue 11, row 10.
"""

import json
from collections.abc import AsyncIterator
from itertools import permutations
from typing import Any

import httpx
import pytest

from adapter.settings import Source
from tests.service import service
from tests.specification.sending import (
    BASE,
    CHILDS_NUMBER,
    NUMBER,
    PNR,
    PNR_OID,
    Resource,
    bundle,
    cases,
    changed,
    code_of,
    events,
    finished,
    held,
    logical,
    message,
    meta,
    numbered,
    person,
    pictures,
    post,
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

WHOLE = stay("whole", **numbered("V-1"))


def ward(name: str) -> Resource:
    """Where a department's contact is."""
    return {"serviceProvider": {"identifier": {"system": "urn:x", "value": name}, "display": name}}


def part(name: str = "part", of: Resource | None = None, **more: Any) -> Resource:
    """A department's contact within the stay."""
    told = {
        "partOf": of or {"reference": "Encounter/whole"},
        "period": {"start": "2024-03-06T13:00:00+01:00"},
        **ward("Medicin"),
    }
    return stay(name, **{**told, **more})


async def one_case(client: httpx.AsyncClient, dsn: str, state: str = "admitted") -> Resource:
    """The one case that there is, of the whole."""
    await reread(client)
    assert await held(dsn) == []
    assert await cases(client) == {"whole": (state, "2380")}
    shown = (await pictures(client))["whole"]
    assert shown["times"]["admitted"] == "2024-03-04T13:20:00Z"
    return shown


STYLES = [
    # partOf, because
    ({"reference": "Encounter/whole"}, "relative"),
    ({"reference": f"{BASE}/Encounter/whole"}, "absolute"),
    ({"reference": "Encounter/whole/_history/1"}, "versioned"),
    (logical("V-1"), "logical"),
    (logical("V-1", kind="Encounter"), "logical, typed"),
    ({"reference": "Encounter?identifier=https://ehr.example/visits|V-1"}, "conditional"),
]
ORDERS = ["one message", "whole first", "part first"]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(("of", "because"), STYLES)
async def test_a_department_is_part_of_the_stay(
    client: httpx.AsyncClient, dsn: str, of: Resource, because: str, order: str
) -> None:
    if order == "one message":
        sent = [message("1", part(of=of), WHOLE, person())]
    else:
        sent = [message("1", WHOLE, person()), message("2", part(of=of))]
    for one in sent[::-1] if order == "part first" else sent:
        await say(client, one)
    shown = await one_case(client, dsn)
    assert shown["times"]["transferred"] == "2024-03-06T12:00:00Z", because
    assert shown["unit"]["name"] == "Medicin"


async def test_a_part_that_waits_is_not_answered_as_if_it_were_published(
    client: httpx.AsyncClient, dsn: str
) -> None:
    answer = await say(client, message("1", part(), person()))
    assert code_of(answer) == "fatal-error"
    assert await held(dsn) == ["unresolved"]
    assert (await cases(client), await events(dsn)) == ({}, [])


LEVELS = [
    WHOLE,
    part("dept"),
    part(
        "room",
        {"reference": "Encounter/dept"},
        period={"start": "2024-03-07T09:00:00+01:00"},
        **ward("Sal 4"),
    ),
]


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_three_levels(client: httpx.AsyncClient, dsn: str, order: tuple[int, ...]) -> None:
    await update(client, person())
    for index in order:
        await update(client, LEVELS[index])
    shown = await one_case(client, dsn)
    assert shown["unit"]["name"] == "Sal 4"


async def test_a_part_that_ends_ends_no_stay(client: httpx.AsyncClient, dsn: str) -> None:
    await say(client, message("1", WHOLE, part(), person()))
    ended = part(
        **meta("2", "2024-03-09T10:00:00+01:00"),
        status="finished",
        period={"start": "2024-03-06T13:00:00+01:00", "end": "2024-03-09T09:00:00+01:00"},
    )
    await say(client, message("2", ended))
    await one_case(client, dsn)
    await say(client, message("3", finished("whole")))
    await one_case(client, dsn, "discharged")


@pytest.mark.parametrize("order", ["part first", "task first", "whole last"])
async def test_a_task_of_a_part_is_of_the_stay(client: httpx.AsyncClient, dsn: str, order: str) -> None:
    task = ready(encounter={"reference": "Encounter/part"})
    every = {
        "part first": [WHOLE, part(), task],
        "task first": [task, WHOLE, part()],
        "whole last": [part(), task, WHOLE],
    }[order]
    await update(client, person())
    for one in every:
        await update(client, one)
    await reread(client)
    shown = await pictures(client)
    assert (shown["whole"]["state"], shown["whole"]["municipality"]) == ("ready", "2380")
    if order == "task first":  # by its literal reference it was a case of its own: it went up in the stay's
        assert shown.pop("part")["merged_into"] == shown["whole"]["case_id"]
        assert {municipality for municipality, _ in await events(dsn)} == {None, "2380"}
    assert shown.keys() == {"whole"}


PERSONS = [
    # subject of the whole, of the part, contained persons, is one case, because
    ({"reference": "Patient/p1"}, {"reference": f"{BASE}/Patient/p1"}, True, "one record by two styles"),
    ({"reference": "Patient/p1"}, logical(NUMBER, PNR), True, "one record by its number"),
    ({"reference": "Patient/p1"}, logical(NUMBER, PNR_OID, "Patient"), True, "under its other system"),
    (
        {"reference": "Patient/p1"},
        {"reference": "Patient/p1b"},
        True,
        "two records of one number: one person",
    ),
    ({"reference": "Patient/p1"}, {"reference": "Patient/p2"}, False, "a newborn within its mother's stay"),
    ({"reference": "#x"}, {"reference": "#x"}, True, "contained in both: one number, one person"),
    ({"reference": "Patient/p1"}, {"reference": "#x"}, True, "contained in one: one number, one person"),
    ({"reference": "Patient/p1"}, {"reference": "#y"}, False, "a contained newborn"),
    ({"reference": "#x"}, {"reference": "#y"}, False, "two contained persons"),
]
INSIDE = {
    "#x": without(person("x"), "meta"),
    "#y": without(person("y", CHILDS_NUMBER), "meta"),
}


@pytest.mark.parametrize("order", ["one message", "whole first", "part first"])
@pytest.mark.parametrize(("mothers", "theirs", "is_one", "because"), PERSONS)
async def test_whose_stay_a_part_is(
    client: httpx.AsyncClient,
    dsn: str,
    mothers: Resource,
    theirs: Resource,
    is_one: bool,
    because: str,
    order: str,
) -> None:
    def of(whom: Resource) -> Resource:
        inside = INSIDE.get(whom.get("reference", ""))
        return {"subject": whom, **({"contained": [inside]} if inside else {})}

    people = (person(), person("p1b"), person("p2", CHILDS_NUMBER))
    whole, child = {**WHOLE, **of(mothers)}, part("part", **of(theirs))
    if order == "one message":
        sent = [message("1", child, whole, *people)]
    else:
        sent = [message("1", whole, *people), message("2", child, *people)]
    for one in sent[::-1] if order == "part first" else sent:
        await say(client, one)
    await reread(client)
    assert await held(dsn) == []
    wanted = {"whole": ("admitted", "2380")}
    assert await cases(client) == (wanted if is_one else {**wanted, "part": ("admitted", "2380")}), because


OUTER = {"class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"}}


@pytest.mark.parametrize("order", ["outer first", "inner first"])
async def test_an_outpatient_contact_is_no_stay(client: httpx.AsyncClient, dsn: str, order: str) -> None:
    """A stay within an outpatient contact stands for itself (LUS 1:3)."""
    await update(client, person())
    every = [stay("whole", **OUTER), part()]
    for one in every if order == "outer first" else every[::-1]:
        await update(client, one)
    await reread(client)
    assert await held(dsn) == []
    assert await cases(client) == {"part": ("admitted", "2380")}


CIRCLES = [
    # what is sent, because
    ([part("a", {"reference": "Encounter/a"})], "part of itself"),
    ([part("a", {"reference": "Encounter/b"}), part("b", {"reference": "Encounter/a"})], "of each other"),
]


@pytest.mark.parametrize(("every", "because"), CIRCLES)
async def test_a_circle_is_a_fault(
    client: httpx.AsyncClient, dsn: str, every: list[Resource], because: str
) -> None:
    answer = await say(client, message("1", *every, person()))
    assert (answer.status_code, code_of(answer)) == (422, "fatal-error"), because
    assert await held(dsn) == ["untranslated"]
    assert await cases(client) == {}


async def test_a_circle_over_two_messages_is_held_and_can_be_mended(
    client: httpx.AsyncClient, dsn: str
) -> None:
    for name, other in (("a", "b"), ("b", "a")):
        await say(client, message(name, part(name, {"reference": f"Encounter/{other}"}), person()))
    await reread(client)
    assert len(await held(dsn)) == 2
    assert await cases(client) == {}
    mended = without(part("a", **meta("2", "2024-03-08T10:00:00+01:00")), "partOf")
    assert code_of(await say(client, message("3", mended))) == "ok"
    await reread(client)
    assert await cases(client) == {"a": ("admitted", "2380")}


async def test_a_part_in_error_leaves_the_stay(client: httpx.AsyncClient, dsn: str) -> None:
    await say(client, message("1", WHOLE, part(), person()))
    error = part(**meta("2", "2024-03-07T10:00:00+01:00"), status="entered-in-error")
    await say(client, message("2", error))
    shown = await one_case(client, dsn)
    assert "transferred" not in shown["times"]


async def test_a_stay_in_error_with_its_parts(client: httpx.AsyncClient, dsn: str) -> None:
    await say(client, message("1", WHOLE, part(), person()))
    error = {**meta("2", "2024-03-07T10:00:00+01:00"), "status": "entered-in-error"}
    await say(client, message("2", stay("whole", **error), part(**error)))
    await reread(client)
    assert (await cases(client))["whole"][0] == "voided"
    assert await held(dsn) == []


async def test_whole_and_part_in_one_transaction(client: httpx.AsyncClient, dsn: str) -> None:
    whole, within = (
        "urn:uuid:3f1c0d1e-0000-4000-8000-000000000001",
        "urn:uuid:3f1c0d1e-0000-4000-8000-000000000002",
    )
    answer = await transact(
        client,
        post(without(part(of={"reference": whole}), "id"), within),
        post(without(WHOLE, "id"), whole),
        put(person()),
        post(without(ready(encounter={"reference": within}), "id")),
    )
    assert answer.status_code == 200, answer.text
    assert list((await cases(client)).values()) == [("ready", "2380")]
    assert await rows(dsn, "select count(*) from cases") == [(1,)]


async def test_a_published_stay_that_turns_out_to_be_part_of_another(
    client: httpx.AsyncClient, dsn: str
) -> None:
    """Contract 4: «A case absorbed by another … ends as voided with merged_into», without a gap."""
    alone = without(part(), "partOf")
    await say(client, message("1", WHOLE, alone, person()))
    assert await cases(client) == {"whole": ("admitted", "2380"), "part": ("admitted", "2380")}
    await say(client, message("2", part(**meta("2", "2024-03-07T10:00:00+01:00"))))
    shown = await pictures(client)
    assert shown["part"]["state"] == "voided"
    assert shown["part"]["merged_into"] == shown["whole"]["case_id"]
    assert shown["whole"]["times"]["transferred"] == "2024-03-06T12:00:00Z"
    told = await rows(dsn, "select case_id, revision from event where type like '%changed%' order by id")
    for case in {case for case, _ in told}:
        revisions = [revision for other, revision in told if other == case]
        assert revisions == list(range(1, len(revisions) + 1))


async def test_the_stay_of_a_part_is_not_counted_twice(client: httpx.AsyncClient, dsn: str) -> None:
    """The days of a stay are those of the whole: its parts bring none of their own."""
    parts = [
        part(
            f"part{day}",
            status="finished",
            period={"start": f"2024-03-0{day}T10:00:00+01:00", "end": f"2024-03-0{day + 1}T10:00:00+01:00"},
        )
        for day in (4, 5, 6)
    ]
    ended = finished("whole")
    await say(client, message("1", ended, *parts, person()))
    shown = await one_case(client, dsn, "discharged")
    assert shown["ended"]["at"] == "2024-03-12T10:00:00Z"


@pytest.fixture
async def r5(dsn: str) -> AsyncIterator[httpx.AsyncClient]:
    async with service(dsn, sources={"r5": Source(mapping="hl7-r5", fhir="R5")}) as one:
        yield one


def fifth(resource: Resource) -> Resource:
    """An Encounter as R5 says it."""
    copy = changed(resource)
    if resource["resourceType"] == "Encounter":
        copy["class"] = [{"coding": [copy.pop("class")]}]
        copy["actualPeriod"] = copy.pop("period")
        copy["serviceType"] = [{"concept": copy.pop("serviceType")}]
    return copy


@pytest.mark.parametrize("order", ["whole first", "part first", "one Bundle"])
async def test_in_r5(r5: httpx.AsyncClient, dsn: str, order: str) -> None:
    every = [fifth(WHOLE), fifth(part())]

    async def send(*some: Resource) -> None:
        answer = await r5.post("/fhir/r5", content=json.dumps(bundle(*(put(one) for one in some))))
        assert answer.status_code in {200, 422}, answer.text

    await send(person())
    if order == "one Bundle":
        await send(*every)
    else:
        for one in every if order == "whole first" else every[::-1]:
            await send(one)
    shown = await one_case(r5, dsn)
    assert shown["unit"]["name"] == "Medicin"
