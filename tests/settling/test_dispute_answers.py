"""The region answers a dispute over HTTP, and the municipality is told; a mean's excess is disputed whole."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest

from adapter.errors import ForbiddenError, NotFoundError
from adapter.fhir.model import FhirVersion, validate
from adapter.losus.days import Month
from adapter.settings import Source, Subscriber
from adapter.settling.disputing import Asker, is_dispute, take_dispute, take_disputes
from tests.service import service
from tests.settling.hospital import VGR, at, database, ledger, messages, rows, settled, tell
from tests.settling.test_disputes import ask, task, told
from tests.settling.test_settle_on_store import losus

SOURCES = {
    "losus-r4": Source(mapping="losus-r4"),
    "goteborg": Source(mapping="losus-r4", municipality="1480"),
}
SUBSCRIBERS = {"1480": Subscriber(name="Göteborg"), "2380": Subscriber(name="Östersund")}


@pytest.fixture
async def client(dsn: str) -> AsyncIterator[httpx.AsyncClient]:
    """Göteborg: two stays of 5 and 6 days in March, a mean of 11/2 over 3: five days are paid, 39 000 SEK."""
    async with service(dsn, sources=SOURCES, subscribers=SUBSCRIBERS) as open_client:
        for number, end in ((1, 16), (2, 17)):
            await tell(open_client, *messages(number, "2019-03", end, "1480"))
        await month(dsn, "2019-03")
        yield open_client


async def month(dsn: str, text: str) -> list[tuple[str, str, list[tuple[str, str]], tuple[str, ...]]]:
    """Issue a month of Göteborg: of somatic care what is due, what is adjusted, what was held off."""
    on = f"{Month.parse(text).end}"[:8] + "14"
    done = await settled(dsn, text, on, issue=True, municipalities=("1480",), ledger=ledger(dsn, region=VGR))
    return [
        (
            one.statement.statement.care_form,
            f"{one.statement.due:f}",
            [(a.post.basis.value, f"{a.amount:f}") for a in one.statement.adjustments],
            one.held,
        )
        for one in done.told
        if one.statement.statement.care_form == "somatic"
    ]


async def items(client: httpx.AsyncClient, period: str, code: str) -> list[str]:
    found = (await client.get(f"/fhir/ChargeItem?municipality=1480&period={period}")).json()
    told = [entry["resource"] for entry in found["entry"]]
    return [one["id"] for one in told if one["code"]["coding"][0]["code"] == code]


def answered(name: str, status: str, **more: Any) -> bytes:
    body = {**task("x"), "id": name, "status": status, "statusReason": {"text": "Räknat rätt."}, **more}
    return orjson.dumps(body)


async def test_the_one_line_of_an_excess_is_held_off_until_it_is_answered(
    client: httpx.AsyncClient, dsn: str
) -> None:
    [line] = await items(client, "2019-03", "excess-over-mean")
    asked = await ask(client, "goteborg", task(line))
    assert (asked.status_code, asked.json()["status"]) == (201, "requested")
    assert await month(dsn, "2019-04") == [("somatic", "-39000", [("excess-over-mean", "-39000")], ())]
    listed = orjson.loads(losus(dsn, "--format", "json", command="disputes").stdout)
    assert (listed["line"], listed["stay"], listed["care_form"]) == ("excess-over-mean", None, "somatic")
    assert listed["agreement"] == "vastra-gotaland-2018"
    given = await client.put(
        f"/fhir/Task/{asked.json()['id']}", content=answered(asked.json()["id"], "rejected")
    )
    assert (given.status_code, given.json()["status"]) == (200, "rejected")
    assert await month(dsn, "2019-05") == [("somatic", "39000", [("excess-over-mean", "39000")], ())]


async def test_the_correction_of_an_excess_is_the_line_of_the_month_that_it_corrects(
    client: httpx.AsyncClient, dsn: str
) -> None:
    await tell(client, *messages(3, "2019-03", 18, "1480"))
    # (5 + 6 + 7) / 3 = 6: nine days over three, instead of five
    assert await month(dsn, "2019-04") == [("somatic", "31200", [("excess-over-mean", "31200")], ())]
    [line] = await items(client, "2019-04", "adjustment-debit")
    asked = await ask(client, "goteborg", task(line))
    assert asked.status_code == 201
    assert await rows(dsn, "select stay, month, agreement, care_form from dispute") == [
        (None, "2019-03", "vastra-gotaland-2018", "somatic")
    ]
    assert await month(dsn, "2019-05") == [("somatic", "-70200", [("excess-over-mean", "-70200")], ())]


async def test_a_stay_in_the_mean_has_no_line(client: httpx.AsyncClient) -> None:
    for line in await items(client, "2019-03", "in-mean"):
        asked = await ask(client, "goteborg", task(line))
        assert (asked.status_code, asked.json()["issue"][0]["code"]) == (422, "business-rule")


async def test_the_municipality_is_told_of_the_answer(client: httpx.AsyncClient, dsn: str) -> None:
    [line] = await items(client, "2019-03", "excess-over-mean")
    name = (await ask(client, "goteborg", task(line, description="Vi räknar fyra dygn."))).json()["id"]
    assert await told(dsn) == []
    for _ in "ab":  # the second time nothing happens
        given = await client.put(f"/fhir/Task/{name}", content=answered(name, "completed"))
        assert given.headers["etag"] == 'W/"2"'
    [(code, kind, sent)] = await told(dsn)
    assert (code, kind) == ("1480", "se.losus.settlement.issued.v1")
    assert sent == given.json() == (await client.get(f"/fhir/Task/{name}")).json()
    assert validate(sent, FhirVersion.R4) == []
    assert (sent["id"], sent["status"], sent["statusReason"]["text"]) == (name, "completed", "Räknat rätt.")
    assert (sent["description"], sent["focus"]) == (
        "Vi räknar fyra dygn.",
        {"reference": f"ChargeItem/{line}"},
    )
    assert sent["identifier"][0]["value"] == "question-1", "what the municipality calls it"


SEARCHES = [
    # parameters, whether the one question is found, because
    ({}, True, "R4 search: nothing is asked for"),
    ({"status": "requested"}, True, "its status"),
    ({"status": "completed,rejected"}, False, "others"),
    ({"_id": "{id}"}, True, "its id"),
    ({"_id": "x"}, False, "another"),
    ({"identifier": "question-1"}, True, "as the municipality calls it"),
    ({"municipality": "1480"}, True, "whose it is"),
    ({"municipality": "2380"}, False, "another's"),
    ({"_lastUpdated": "ge2019"}, True, "asked since"),
    ({"_lastUpdated": "lt2019"}, False, "not before"),
    ({"_sort": "-_lastUpdated", "_count": "5"}, True, "in an order"),
    ({"_sort": "_id", "_after": "1"}, False, "behind it"),
]


async def test_a_question_is_searched_and_read(client: httpx.AsyncClient) -> None:
    [line] = await items(client, "2019-03", "excess-over-mean")
    asked = (await ask(client, "goteborg", task(line))).json()
    for given, is_found, because in SEARCHES:
        query = {name: value.format(id=asked["id"]) for name, value in given.items()}
        found = (await client.get("/fhir/Task", params=query)).json()
        assert [one["resource"] for one in found.get("entry", ())] == [asked] * is_found, because
        assert (await client.post("/fhir/Task/_search", data=query)).json() == found, because
    counted = (await client.get("/fhir/Task?_summary=count")).json()
    assert (counted["total"], "entry" in counted) == (1, False)
    xml = await client.get(f"/fhir/Task/{asked['id']}", headers={"accept": "application/fhir+xml"})
    assert (xml.status_code, xml.headers["content-type"]) == (200, "application/fhir+xml")


READS = [
    # If-None-Match, status, because (RFC 9110, 13.1.2; R4 http#cread)
    ('W/"1"', 304, "known already"),
    ('"0", W/"1"', 304, "one of a list"),
    ("*", 304, "anything is known already"),
    ('W/"2"', 200, "another version"),
    ('"1', 400, "no tag"),
]


async def test_a_question_that_is_known_is_not_told_again(client: httpx.AsyncClient) -> None:
    [line] = await items(client, "2019-03", "excess-over-mean")
    name = (await ask(client, "goteborg", task(line))).json()["id"]
    for header, status, because in READS:
        for method in ("GET", "HEAD"):
            given = await client.request(method, f"/fhir/Task/{name}", headers={"if-none-match": header})
            assert given.status_code == status, because
            assert status == 400 or given.headers["etag"] == 'W/"1"'
            assert status != 304 or given.content == b""


REFUSED = [
    # name in the address, body, headers, status, code, because
    ("nobody", {"id": "nobody"}, {}, 404, "not-found", "no such dispute"),
    (None, {"id": "other"}, {}, 422, "value", "RESTful API, update: the id is that of the address"),
    (None, {"status": "requested"}, {}, 422, "code-invalid", "no answer"),
    (None, {"status": "cancelled"}, {}, 422, "code-invalid", "only who asks takes a question back"),
    (None, {"code": {"text": "191212121212"}}, {}, 422, "code-invalid", "no dispute"),
    (None, {}, {"if-match": 'W/"2"'}, 412, "conflict", "nobody answered yet"),
    (None, {}, {"if-match": '"2", "3"'}, 412, "conflict", "RFC 9110, 13.1.1: none of a list"),
    (None, {}, {"if-match": '"2'}, 400, "value", "RFC 9110, 8.8.3: no tag"),
]


async def test_refusals(client: httpx.AsyncClient, dsn: str) -> None:
    [line] = await items(client, "2019-03", "excess-over-mean")
    name = (await ask(client, "goteborg", task(line))).json()["id"]
    for address, changed, headers, status, code, because in REFUSED:
        body = orjson.dumps({**orjson.loads(answered(name, "completed")), **changed})
        given = await client.put(f"/fhir/Task/{address or name}", content=body, headers=headers)
        assert (given.status_code, given.json()["issue"][0]["code"]) == (status, code), because
        assert "191212121212" not in given.text
    assert (await client.get("/fhir/Task/nobody")).status_code == 404
    strict = {"prefer": "handling=strict"}
    assert (await client.get("/fhir/Task?patient=191212121212", headers=strict)).status_code == 400
    assert await rows(dsn, "select * from dispute_answer") == []
    first = await client.put(
        f"/fhir/Task/{name}", content=answered(name, "completed"), headers={"if-match": 'W/"1"'}
    )
    assert first.status_code == 200
    other = await client.put(f"/fhir/Task/{name}", content=answered(name, "rejected"))
    assert (other.status_code, other.json()["issue"][0]["code"]) == (409, "conflict"), "answered otherwise"
    assert len(await told(dsn)) == 1


async def test_a_task_without_an_id_is_known_by_its_identifier(client: httpx.AsyncClient, dsn: str) -> None:
    """As a create (`POST /fhir/{source}/Task`) may have it; a door hands the Task over as it came."""
    [line] = await items(client, "2019-03", "excess-over-mean")
    asker = Asker("goteborg", "1480", FhirVersion.R4)
    sent = {**task(line), "id": None, "identifier": [{"system": "urn:goteborg", "value": "7"}]}
    sent = {name: value for name, value in sent.items() if value is not None}
    assert is_dispute(sent)
    async with database(dsn) as opened, opened.transaction() as connection:
        taken = [await take_dispute(connection, asker, sent, at("2019-05-02")) for _ in "ab"]
        with pytest.raises(NotFoundError):
            await take_dispute(connection, asker, task("other"), at("2019-05-02"))
        with pytest.raises(ForbiddenError):
            await take_dispute(connection, Asker("losus-r4", None, FhirVersion.R4), sent, at("2019-05-02"))
    assert [one.is_new for one in taken] == [True, False]
    assert taken[0].task == taken[1].task
    assert await rows(dsn, "select count(*) from dispute") == [(1,)], "the transaction outlived the refusals"


async def test_the_questions_of_one_message_are_kept_all_or_none(client: httpx.AsyncClient, dsn: str) -> None:
    [line] = await items(client, "2019-03", "excess-over-mean")
    asker = Asker("goteborg", "1480", FhirVersion.R4)
    fine, wrong = task(line), task("other", id="question-2")
    async with database(dsn) as opened, opened.transaction() as connection:
        with pytest.raises(NotFoundError):
            await take_disputes(connection, asker, [fine, wrong], at("2019-05-02"))
        assert await connection.fetchval("select count(*) from dispute") == 0
        assert len(await take_disputes(connection, asker, [fine], at("2019-05-02"))) == 1
    assert await rows(dsn, "select count(*) from dispute") == [(1,)]


TASKS = [
    # Task, is it a dispute, because
    (task("x"), True, "the code says so"),
    (task("x", status="draft"), True, "a wrong one is one too, and is told what is wrong"),
    (task("x", code={"coding": [{"system": "other", "code": "dispute"}]}), False, "another code system"),
    (task("x", code={"text": "dispute"}), False, "no coding"),
    (task("x", code=None), False, "no code"),
    (task("x", code={"coding": "dispute"}), False, "no list, as the model will say"),
    (task("x", resourceType="Basic"), False, "no Task"),
]


@pytest.mark.parametrize(("sent", "want", "because"), TASKS)
def test_what_is_a_dispute(sent: dict[str, Any], want: bool, because: str) -> None:
    assert is_dispute(sent) is want, because
