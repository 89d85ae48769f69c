"""A municipality disputes a line: off the invoice until it is answered, listed, and never another's line."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest

from adapter.fhir.dispute import Disputed, line_of
from adapter.losus.days import Month
from adapter.settings import Source
from tests.service import service
from tests.settling.hospital import messages, rows, settled, tell
from tests.settling.test_settle_on_store import losus

SPRING = ("2019-01", "2019-02", "2019-03", "2019-04")
SOURCES = {
    "losus-r4": Source(mapping="losus-r4"),
    "ostersund": Source(mapping="losus-r4", municipality="2380"),
    "krokom": Source(mapping="losus-r4", municipality="2309"),
}


@pytest.fixture
async def client(dsn: str) -> AsyncIterator[httpx.AsyncClient]:
    """Östersund has to pay 46 800 SEK for one stay in April."""
    async with service(dsn, sources=SOURCES) as open_client:
        for number, month in enumerate(SPRING):
            await tell(open_client, *messages(number, month, 20))
        for month in SPRING:
            await settled(dsn, month, "2019-05-02", issue=True)
        yield open_client


async def line(client: httpx.AsyncClient) -> str:
    found = (await client.get("/fhir/ChargeItem?municipality=2380&period=2019-04")).json()
    return str(found["entry"][0]["resource"]["id"])


def task(focus: str, **changed: Any) -> dict[str, Any]:
    code = {"system": "https://losus-adapter.se/fhir/CodeSystem/losus-step", "code": "dispute"}
    return {
        "resourceType": "Task",
        "id": "question-1",
        "status": "requested",
        "intent": "order",
        "code": {"coding": [code]},
        "focus": {"reference": f"ChargeItem/{focus}"},
        **changed,
    }


async def ask(client: httpx.AsyncClient, source: str, body: dict[str, Any]) -> httpx.Response:
    return await client.post(f"/fhir/{source}/$dispute", content=orjson.dumps(body))


async def told(dsn: str) -> list[tuple[str | None, str, dict[str, Any]]]:
    """What waits for the topics of answered disputes: municipality, type of the event, the Task."""
    found = await rows(
        dsn,
        """select event.municipality, type, payload from event join outbox on outbox.event = event.id
           where case_id in (select id from dispute) order by event.id""",
    )
    bundles = [(code, kind, orjson.loads(payload)) for code, kind, payload in found]
    assert all(len(one["entry"]) == 1 and one["type"] == "collection" for *_, one in bundles)
    return [(code, kind, one["entry"][0]["resource"]) for code, kind, one in bundles]


async def next_month(dsn: str, month: str) -> list[tuple[str, str]]:
    """What the month's statement adjusts, as kind and SEK."""
    after = str(Month.parse(month).end)
    done = await settled(dsn, month, after, issue=True, municipalities=("2380",))
    return [(a.kind, f"{a.amount:f}") for one in done.told for a in one.statement.adjustments]


ANSWERS = [
    # the region's answer, what June's statement adjusts, because
    ("rejected", [("debit", "46800")], "the line is owed after all"),
    ("completed", [], "the region agrees: not owed, and the credit stands"),
    (None, [], "no answer yet: the credit stands"),
]


@pytest.mark.parametrize(("answer", "june", "because"), ANSWERS)
async def test_off_the_invoice_until_answered(
    client: httpx.AsyncClient, dsn: str, answer: str | None, june: list[tuple[str, str]], because: str
) -> None:
    asked = await ask(client, "ostersund", task(await line(client)))
    assert (asked.status_code, asked.json()["status"]) == (201, "requested")
    assert await next_month(dsn, "2019-05") == [("credit", "-46800")], "held off while the question is open"
    name = asked.json()["id"]
    if answer:
        answered = losus(dsn, "--answer", name, "--status", answer, command="disputes")
        assert answered.returncode == 0, answered.stderr
        same = losus(dsn, "--answer", name, "--status", answer, command="disputes")
        assert same.returncode == 0, "the same answer again changes nothing"
        other = "completed" if answer == "rejected" else "rejected"
        again = losus(dsn, "--answer", name, "--status", other, command="disputes")
        assert again.returncode == 1, "an answer is given once"
    assert await next_month(dsn, "2019-06") == june, because
    listed = (await client.get("/fhir/Task?municipality=2380")).json()
    assert [(one["resource"]["id"], one["resource"]["status"]) for one in listed["entry"]] == [
        (name, answer or "requested")
    ]


async def test_a_question_that_is_sent_again_is_the_same_and_one_taken_back_is_owed(
    client: httpx.AsyncClient, dsn: str
) -> None:
    question = task(await line(client))
    assert [(await ask(client, "ostersund", question)).status_code for _ in "ab"] == [201, 200]
    assert await rows(dsn, "select count(*) from dispute") == [(1,)]
    back = await ask(client, "ostersund", {**question, "status": "cancelled"})
    assert (back.status_code, back.json()["status"]) == (200, "cancelled")
    assert (await ask(client, "ostersund", question)).json()["status"] == "cancelled", (
        "it is not opened again"
    )
    other = await ask(client, "ostersund", {**question, "focus": {"reference": "ChargeItem/other"}})
    assert (other.status_code, other.json()["issue"][0]["code"]) == (409, "duplicate"), "one Task, one line"
    assert await next_month(dsn, "2019-05") == []
    assert await told(dsn) == [], "the municipality knows what it did itself"


async def test_a_stay_that_is_disputed_before_the_month_is_issued(
    client: httpx.AsyncClient, dsn: str
) -> None:
    """Before the freeze there is no ChargeItem yet: the municipality knows the stay by its own case."""
    await tell(client, *messages(4, "2019-05", 20))
    [(case_id,)] = await rows(dsn, "select id from cases where key = 'stay-1-4'")
    system = "https://losus-adapter.se/fhir/identifier/stay"
    question = {**task(""), "focus": {"identifier": {"system": system, "value": case_id}}}
    assert (await ask(client, "krokom", question)).status_code == 404, "none of Krokom's"
    asked = await ask(client, "ostersund", question)
    assert asked.status_code == 201
    for _ in "ab":
        done = await settled(dsn, "2019-05", "2019-06-01", issue=True, municipalities=("2380",))
        told = {one.statement.statement.care_form: one for one in done.told}
        assert (f"{told['somatic'].statement.due:f}", told["somatic"].held) == ("0", (case_id,))
        assert told["somatic"].statement.statement.mean.stays == 1, "it stays in the mean"
    name = asked.json()["id"]
    assert losus(dsn, "--answer", name, "--status", "rejected", command="disputes").returncode == 0
    assert await next_month(dsn, "2019-06") == [("debit", "46800")]


REFUSED = [
    # source, what is changed, status, code, because
    ("krokom", {}, 404, "not-found", "Östersund's line is none of Krokom's"),
    ("losus-r4", {}, 403, "forbidden", "a hospital has no statement"),
    ("nobody", {}, 404, "not-found", "no such source"),
    ("ostersund", {"code": {"text": "tvist"}}, 422, "code-invalid", "no code"),
    ("ostersund", {"status": "completed"}, 422, "code-invalid", "the region answers, not the municipality"),
    ("ostersund", {"focus": {"reference": "Invoice/1"}}, 422, "value", "an invoice is no line"),
    ("ostersund", {"focus": {"reference": "ChargeItem/191212121212"}}, 404, "not-found", "no such line"),
    ("ostersund", {"focus": {"identifier": {"value": "x"}}}, 422, "value", "an identifier of nothing known"),
    ("ostersund", {"resourceType": "Basic"}, 422, "invalid", "no Task"),
    ("ostersund", {"id": None}, 422, None, "no id"),
]


async def test_refusals(client: httpx.AsyncClient, dsn: str) -> None:
    item = await line(client)
    for source, changed, status, code, because in REFUSED:
        given = await ask(client, source, {**task(item), **changed})
        assert (given.status_code, given.json()["resourceType"]) == (status, "OperationOutcome"), because
        if code:
            assert given.json()["issue"][0]["code"] == code, because
        assert "191212121212" not in given.text
    assert await rows(dsn, "select * from dispute") == []


def item(code: str, **more: Any) -> dict[str, Any]:
    system = "https://losus-adapter.se/fhir/CodeSystem/settlement-basis"
    return {"code": {"coding": [{"system": system, "code": code}]}, **more}


MAY, APRIL = Month(2019, 5), {"occurrencePeriod": {"start": "2019-04-29", "end": "2019-05-02"}}
STAY = {"identifier": {"value": "a"}}
CORRECTS = {"supportingInformation": [{"identifier": {"value": "st-4"}}], **APRIL}
OF_APRIL = Disputed("a", Month(2019, 4), "st-4")
LINES = [
    # ChargeItem on May's statement, the line in question, because
    (item("individual-days", context=STAY, **APRIL), Disputed("a", MAY), "days from April, billed with May"),
    (item("individual-days", encounter=STAY, **APRIL), Disputed("a", MAY), "R5 has the stay in encounter"),
    (item("long-stay", context=STAY, **APRIL), Disputed("a", MAY), "billed by itself"),
    (item("adjustment-debit", context=STAY, **CORRECTS), OF_APRIL, "a correction of April"),
    (item("excess-over-mean", subject={}, **APRIL), Disputed(None, MAY), "the whole line of May"),
    (
        item("adjustment-credit", subject={}, **CORRECTS),
        Disputed(None, Month(2019, 4), "st-4"),
        "the whole line of April",
    ),
    (item("no-charge", context=STAY), None, "nothing is charged"),
    (item("in-mean", context=STAY), None, "charged through the excess of the mean alone"),
]


@pytest.mark.parametrize(("told", "want", "because"), LINES)
def test_the_line_that_a_charge_item_stands_for(told: dict[str, Any], want: object, because: str) -> None:
    assert line_of(told, MAY) == want, because
