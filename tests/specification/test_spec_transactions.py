"""The rules of transactions and batches, row by row.

Source: FHIR R4 http#trules, http#batch, http#ccreate, http#cond-update, bundle#references.
"""

import json

import httpx
import pytest

from tests.specification.sending import (
    ANOTHER_NUMBER,
    BASE,
    NUMBER,
    PNR,
    SOURCE,
    Resource,
    bundle,
    cases,
    changed,
    condition,
    entries_of,
    events,
    held,
    issues,
    meta,
    person,
    post,
    put,
    ready,
    reread,
    rows,
    stay,
    transact,
    update,
    without,
)

ONE, TWO = "urn:uuid:3f1c0d1e-0000-4000-8000-000000000001", "urn:uuid:3f1c0d1e-0000-4000-8000-000000000002"
OID = "urn:oid:1.2.752.129.1.99"
NEW = without(person(), "id")
ASKED = f"Patient?{condition()}"


def at(answer: httpx.Response, index: int) -> str:
    """Type and id in the Location of an entry of the answer."""
    location = str(list(entries_of(answer))[index]["location"])
    return location.partition("/_history/")[0].removeprefix("http://127.0.0.1:8000/fhir/losus-r4/")


async def count(dsn: str, kind: str) -> int:
    [(found,)] = await rows(dsn, f"select count(*) from resource where name like '{kind}/%'")  # noqa: S608
    return int(found)


OVERLAPS = [
    # entries, status, because
    ([put(person()), put(person())], 422, "two updates of one identity"),
    ([put(person()), put(person(birthDate="1945-01-01"))], 422, "the same, with another content"),
    ([put(person("p0")), put(person("p0"), url=ASKED)], 422, "«including resolved identities»: both are p0"),
    ([put(person("p9")), put(NEW, None, url=ASKED)], 422, "a condition that finds what another entry brings"),
    ([put(NEW, None, url=ASKED), put(person("p9"))], 422, "whatever the order of the entries"),
    ([post(NEW), put(NEW, None, url=ASKED)], 422, "a create, and the update of what it creates"),
    ([post(NEW, ifNoneExist=condition()), put(NEW, None, url=ASKED)], 422, "the same, both on a condition"),
    ([put(NEW, None, url=ASKED), put(NEW, None, url=ASKED)], 422, "two conditional updates of one"),
    ([post(NEW), post(NEW)], 200, "two creates are two identities"),
    ([put(person("p1")), put(person("p2", ANOTHER_NUMBER))], 200, "two identities"),
    ([put(person("s1")), put(stay("s1"))], 200, "one id under two types is two identities"),
]


@pytest.mark.parametrize(("entries", "status", "because"), OVERLAPS)
async def test_overlapping_identities(
    client: httpx.AsyncClient, dsn: str, entries: list[Resource], status: int, because: str
) -> None:
    """http#trules: «If any resource identities (including resolved identities …) overlap …, SHALL fail»."""
    answer = await transact(client, *entries)
    assert answer.status_code == status, (because, answer.text)
    if status != 200:
        assert issues(answer)[0][2] == "Bundle.entry[1].resource"
        assert await rows(dsn, "select count(*) from message") == [(0,)], "nothing is done of it"


async def test_a_known_one_that_is_put_and_found_in_one_transaction(client: httpx.AsyncClient) -> None:
    await update(client, person())
    answer = await transact(client, put(person()), put(NEW, None, url=ASKED))
    assert answer.status_code == 422


async def test_two_conditional_creates_with_one_condition(client: httpx.AsyncClient, dsn: str) -> None:
    """http#ccreate within one transaction: the second finds what the first creates."""
    for first, second in ((ONE, TWO), (f"{BASE}/Patient/a", f"{BASE}/Patient/b")):
        number = NUMBER if first == ONE else ANOTHER_NUMBER
        new = without(person(number=number), "id")
        answer = await transact(
            client,
            post(new, first, ifNoneExist=condition(number)),
            post({**new, "birthDate": "1945-01-01"}, second, ifNoneExist=condition(number)),
            post({**without(stay(), "id"), "subject": {"reference": first}}),
            post({**without(stay(), "id"), "subject": {"reference": second}}),
            post({**without(stay(), "id"), "subject": {"reference": ASKED.replace(NUMBER, number)}}),
        )
        assert answer.status_code == 200, answer.text
        assert [one["status"] for one in entries_of(answer)] == [
            "201 Created",
            "200 OK",
            *3 * ["201 Created"],
        ]
        assert at(answer, 0) == at(answer, 1)
        first_tag, second_tag = [one["etag"] for one in entries_of(answer)][:2]
        assert first_tag == second_tag
    assert await count(dsn, "Patient") == 2
    assert set((await cases(client)).values()) == {("admitted", "2380")}
    stored = await rows(dsn, "select body from resource where name like 'Patient/%'")
    assert not any(b"1945-01-01" in body for (body,) in stored), "the second does not overwrite"


async def test_a_matched_conditional_create_overwrites_nothing(client: httpx.AsyncClient, dsn: str) -> None:
    """http#ccreate: «One Match: The server ignores the post»; its references lead to what is stored."""
    await update(client, person())
    moved = changed(NEW, address=person(kommun="2309")["address"])
    answer = await transact(
        client,
        post(moved, ONE, ifNoneExist=condition()),
        post({**without(stay(), "id"), "subject": {"reference": ONE}}),
    )
    assert [one["status"] for one in entries_of(answer)] == ["200 OK", "201 Created"]
    assert at(answer, 0) == "Patient/p1"
    assert list((await cases(client)).values()) == [("admitted", "2380")]
    shown = (await client.get("/cases")).json()["cases"]
    assert await count(dsn, "Patient") == 1
    assert len(shown) == 1


CONDITIONAL_REFERENCES = [
    # known before, entries before the stay, reference, status, code, because
    ([], [put(person())], ASKED, 200, None, "what the same transaction puts"),
    ([], [post(NEW)], ASKED, 200, None, "what the same transaction creates"),
    ([], [post(NEW, ifNoneExist=condition())], ASKED, 200, None, "what it creates on a condition"),
    ([person()], [], ASKED, 200, None, "what is known"),
    (
        [person()],
        [put(person(birthDate="1945-01-01", **meta("2")))],
        ASKED,
        200,
        None,
        "what is known and put",
    ),
    ([person()], [post(NEW, ifNoneExist=condition())], ASKED, 200, None, "what is known and matched"),
    ([], [], ASKED, 422, "not-found", "nothing"),
    ([person()], [], ASKED.replace(NUMBER, ANOTHER_NUMBER), 422, "not-found", "nothing of this number"),
    ([person("a"), person("b")], [], ASKED, 412, "multiple-matches", "several that are known"),
    ([], [put(person("a")), put(person("b"))], ASKED, 412, "multiple-matches", "several that it brings"),
    ([person("a", kommun="2309")], [post(NEW)], ASKED, 200, None, "what it creates, before what is known"),
]


@pytest.mark.parametrize("is_last", [True, False])
@pytest.mark.parametrize(
    ("known", "before", "reference", "status", "code", "because"), CONDITIONAL_REFERENCES
)
async def test_conditional_references_come_last(
    client: httpx.AsyncClient,
    dsn: str,
    known: list[Resource],
    before: list[Resource],
    reference: str,
    status: int,
    code: str | None,
    because: str,
    is_last: bool,
) -> None:
    """http#trules: «…5. Process any conditional references»; none or several: the transaction fails."""
    for one in known:
        await update(client, one)
    pointing = post({**without(stay(), "id"), "subject": {"reference": reference}})
    every = [*before, pointing] if is_last else [pointing, *before]
    answer = await transact(client, *every)
    assert answer.status_code == status, (because, answer.text)
    if status == 200:
        assert list((await cases(client)).values()) == [("admitted", "2380")], because
    else:
        place = len(before) if is_last else 0
        assert issues(answer)[0][1:] == (code, f"Bundle.entry[{place}].resource.subject.reference")
        assert await cases(client) == {}
        assert await rows(dsn, "select count(*) from message") == [(len(known),)]


LINKS = [
    # fullUrl of the person, reference to it, fullUrl of the stay, because
    (ONE, ONE, None, "urn:uuid"),
    (OID, OID, None, "urn:oid"),
    (f"{BASE}/Patient/x", f"{BASE}/Patient/x", None, "an absolute URL"),
    (f"{BASE}/Patient/x", f"{BASE}/Patient/x/_history/7", None, "a version of it"),
    (f"{BASE}/Patient/x", "Patient/x", f"{BASE}/Encounter/y", "relative to the base of the fullUrl"),
    (f"{BASE}/Patient/x", "Patient/x/_history/7", f"{BASE}/Encounter/y", "the same, of a version"),
]


@pytest.mark.parametrize("order", ["person first", "stay first"])
@pytest.mark.parametrize(("full", "reference", "of_stay", "because"), LINKS)
async def test_links_between_the_entries(
    client: httpx.AsyncClient, full: str, reference: str, of_stay: str | None, because: str, order: str
) -> None:
    """http#trules: «the server SHALL … update any references to that resource in the bundle»."""
    tagged = {"extension": [{"url": "https://ehr.example/about", "valueUri": reference}]}
    entries = [
        post(NEW, full),
        post({**without(stay(), "id"), **tagged, "subject": {"reference": reference}}, of_stay),
    ]
    headers = {"prefer": "return=representation"}
    sent = bundle(*(entries if order == "person first" else entries[::-1]))
    answer = await client.post(SOURCE, content=json.dumps(sent), headers=headers)
    assert answer.status_code == 200, (because, answer.text)
    assert list((await cases(client)).values()) == [("admitted", "2380")], because
    told = answer.json()["entry"]
    [of_person] = [one["resource"] for one in told if one["resource"]["resourceType"] == "Patient"]
    [encounter] = [one["resource"] for one in told if one["resource"]["resourceType"] == "Encounter"]
    named = f"Patient/{of_person['id']}"
    assert encounter["subject"]["reference"] == named, "http#ops: the representation is what is stored"
    assert encounter["extension"][0]["valueUri"] == named


async def test_a_relative_reference_of_another_base_is_no_entry(client: httpx.AsyncClient) -> None:
    """bundle#references: relative to the base of the fullUrl of who refers, and to no other."""
    await update(client, person("x", kommun="2309"))
    answer = await transact(
        client,
        post(NEW, "https://another.example/fhir/Patient/x"),
        post({**without(stay(), "id"), "subject": {"reference": "Patient/x"}}, f"{BASE}/Encounter/y"),
    )
    assert answer.status_code == 200, answer.text
    assert list((await cases(client)).values()) == [("admitted", "2309")]


async def test_entries_are_answered_in_their_order(client: httpx.AsyncClient) -> None:
    """http#trules: what is processed by the order of the verbs is answered by that of the entries."""
    answer = await transact(
        client, put(stay("s1")), post(without(stay(), "id")), put(person()), post(without(ready(), "id"))
    )
    assert answer.status_code == 200, answer.text
    told = [at(answer, index).partition("/")[0] for index in range(4)]
    assert told == ["Encounter", "Encounter", "Patient", "Task"]
    assert (await cases(client))["s1"] == ("ready", "2380")


REFUSED = [
    # request, place, because
    ({"method": "DELETE", "url": "Patient/p1"}, "request.method", "not offered"),
    ({"method": "GET", "url": "Patient/p1"}, "request.method", "not offered"),
    ({"method": "PATCH", "url": "Patient/p1"}, "request.method", "not offered"),
    ({"method": "HEAD", "url": "Patient/p1"}, "request.method", "not offered"),
    ({"method": "PUT", "url": "Observation/p1"}, "request.url", "a type that is not taken"),
    ({"method": "POST", "url": "Encounter"}, "request.url", "the resource is of another type"),
    (
        {"method": "POST", "url": "Patient", "ifNoneExist": "name=x"},
        "request.ifNoneExist",
        "one condition alone",
    ),
    ({"method": "PUT", "url": "Patient?name=x"}, "request.url", "one condition alone"),
]


@pytest.mark.parametrize(("request_", "place", "because"), REFUSED)
async def test_what_is_refused_names_its_entry(
    client: httpx.AsyncClient, dsn: str, request_: Resource, place: str, because: str
) -> None:
    bad = {"fullUrl": f"{BASE}/Patient/p1", "resource": person(), "request": request_}
    answer = await transact(client, put(stay()), bad)
    assert answer.status_code == 422, because
    assert f"Bundle.entry[1].{place}" in {where for _, _, where in issues(answer)}, because
    assert await rows(dsn, "select count(*) from message") == [(0,)], "a transaction is whole"
    batch = await transact(client, put(stay()), bad, put(person("p2")), kind="batch")
    told = [one["status"][:3] for one in entries_of(batch)]
    assert told == ["201", "422", "201"], "http#batch: each entry by itself"


CONDITIONAL_UPDATES = [
    # known, id of the body, status, id that is known then, because
    ([], None, 201, None, "no match, no id: the server creates it"),
    ([], "x", 201, "x", "no match, an id that is not known: update as create"),
    ([person("x", ANOTHER_NUMBER)], "x", 409, None, "no match, an id that is another's: conflict"),
    ([person("p1")], None, 200, "p1", "one match, no id"),
    ([person("p1")], "p1", 200, "p1", "one match, its id"),
    ([person("p1")], "x", 400, None, "one match, another id: the client's fault"),
    ([person("p1"), person("p2")], None, 412, None, "several: not selective enough"),
]


@pytest.mark.parametrize("way", ["single", "batch", "transaction"])
@pytest.mark.parametrize(("known", "name", "status", "wanted", "because"), CONDITIONAL_UPDATES)
async def test_a_conditional_update(
    client: httpx.AsyncClient,
    way: str,
    known: list[Resource],
    name: str | None,
    status: int,
    wanted: str | None,
    because: str,
) -> None:
    """http#cond-update, its table of matches and ids."""
    for one in known:
        await update(client, one)
    body = {**NEW, **meta("2", "2024-03-05T10:00:00+01:00"), **({"id": name} if name else {})}
    if way == "single":
        answer = await client.put(f"{SOURCE}/{ASKED}", content=json.dumps(body))
        told, located = answer.status_code, answer.headers.get("location", "")
    else:
        answer = await client.post(SOURCE, json=bundle(put(body, None, url=ASKED), kind=way))
        [one] = entries_of(answer) if answer.status_code == 200 else [{"status": str(answer.status_code)}]
        told, located = int(one["status"][:3]), one.get("location", "")
    assert told == status, (because, answer.text)
    if wanted is not None:
        assert located.partition("/_history/")[0].endswith(f"/Patient/{wanted}")


async def test_entries_of_a_batch_know_nothing_of_each_other(client: httpx.AsyncClient, dsn: str) -> None:
    """http#batch: «there SHALL be no interdependencies between the different entries»."""
    answer = await transact(
        client,
        post(NEW, ONE),
        post({**without(stay(), "id"), "subject": {"reference": ONE}}),
        put(person("p9", ANOTHER_NUMBER)),
        put(person("p9", ANOTHER_NUMBER)),
        kind="batch",
    )
    told = [one["status"][:3] for one in entries_of(answer)]
    assert told[0] == "201"
    assert told[1] == "422", "urn:uuid means an entry of the same transaction"
    assert sorted(told[2:]) == ["200", "201"], "one of them was first"
    assert await events(dsn) == []


async def test_a_batch_of_conditional_creates_makes_one(client: httpx.AsyncClient, dsn: str) -> None:
    """http#ccreate: entries that are carried out at once still find each other."""
    answer = await transact(
        client,
        *(post({**NEW, "birthDate": f"1945-01-0{day}"}, ifNoneExist=condition()) for day in (1, 2, 3)),
        kind="batch",
    )
    assert sorted(one["status"] for one in entries_of(answer)) == ["200 OK", "200 OK", "201 Created"]
    assert len({at(answer, index) for index in range(3)}) == 1
    assert len({one["etag"] for one in entries_of(answer)}) == 1
    assert await rows(dsn, "select count(*) from fact") == [(1,)]


async def test_a_transaction_again_is_the_same_transaction(client: httpx.AsyncClient) -> None:
    of_stay = {"reference": TWO}
    sent = [
        post(NEW, ONE),
        post({**without(stay(), "id"), "subject": {"reference": ONE}}, TWO),
        put(ready(encounter=of_stay)),
    ]
    first, again = await transact(client, *sent), await transact(client, *sent)
    assert [one["status"] for one in entries_of(first)] == 3 * ["201 Created"]
    assert [one["status"] for one in entries_of(again)] == 3 * ["200 OK"]
    for name in ("location", "etag", "lastModified"):
        assert [one[name] for one in entries_of(first)] == [one[name] for one in entries_of(again)]
    assert len(await cases(client)) == 1


async def test_a_logical_reference_in_a_transaction(client: httpx.AsyncClient, dsn: str) -> None:
    """http#trules speaks of conditional references alone: one by identifier may come true later."""
    known = {"identifier": {"system": PNR, "value": NUMBER}}
    answer = await transact(client, post({**without(stay(), "id"), "subject": known}))
    assert answer.status_code == 422
    assert await held(dsn) == ["unresolved"]
    await update(client, person())
    await reread(client)
    assert await held(dsn) == []
    assert list((await cases(client)).values()) == [("admitted", "2380")]
