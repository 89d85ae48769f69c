"""Protection governs what is shown, not what is owed; who has no known municipality is listed for people."""

from typing import Any

import httpx
import orjson
import pytest

from adapter.settling.run import Settled
from adapter.store.entered import Entered, add_entered
from tests.service import service
from tests.settling.hospital import JH, database, messages, rows, settled, tell
from tests.settling.test_settle_on_store import losus

LABEL = "http://hl7.se/fhir/ig/base/CodeSystem/SecurityLabel"
SEKRETESS, HIDDEN = "sekretessmarkering", "skyddadFolkbokforing"


def marked(sent: list[dict[str, Any]], code: str) -> list[dict[str, Any]]:
    """The same messages, the person with a security label."""
    for message in sent:
        for entry in message["entry"]:
            if entry["resource"]["resourceType"] == "Patient":
                entry["resource"]["meta"]["security"] = [{"system": LABEL, "code": code}]
    return sent


def without_kommunkod(sent: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same messages, the person without an address."""
    for message in sent:
        for entry in message["entry"]:
            if entry["resource"]["resourceType"] == "Patient":
                entry["resource"].pop("address", None)
    return sent


async def protect_later(client: httpx.AsyncClient, number: int, code: str) -> None:
    """A newer version of the Patient, eleven months later."""
    patient = next(
        entry["resource"]
        for entry in messages(number, "2019-07", 20)[0]["entry"]
        if entry["resource"]["resourceType"] == "Patient"
    )
    meta = {"versionId": "99", "lastUpdated": "2020-06-20T08:00:00+02:00"}
    later = patient | {"meta": meta | {"security": [{"system": LABEL, "code": code}]}}
    path = f"/fhir/losus-r4/Patient/{later['id']}"
    answer = await client.put(path, content=orjson.dumps(later))
    assert answer.status_code in {200, 201}, answer.text


def somatic(done: Settled, municipality: str = "2380") -> list[tuple[int, int, int]]:
    """Stays in the mean, of which protected, and of which the municipality was entered."""
    found = (one.statement.statement for one in done.told)
    return [
        (one.mean.stays, one.protected, one.entered)
        for one in found
        if (one.municipality, one.care_form) == (municipality, "somatic")
    ]


# what is said of the person, stays in the mean (of which protected, entered), listed for people; because
PEOPLE = [
    (lambda sent: sent, [(2, 0, 0)], [], "nobody is protected"),
    (lambda sent: marked(sent, SEKRETESS), [(2, 1, 0)], [], "1a: counted and billed by pseudonym"),
    (lambda sent: marked(sent, HIDDEN), [(1, 0, 0)], ["protected-registration"], "may be a former one"),
    (without_kommunkod, [(1, 0, 0)], ["municipality"], "1a: without a known municipality: manual"),
]


@pytest.mark.parametrize(("said", "counted", "listed", "because"), PEOPLE)
async def test_who_is_counted(
    dsn: str, said: Any, counted: list[tuple[int, int, int]], listed: list[str], because: str
) -> None:
    async with service(dsn) as client:
        await tell(client, *messages(1, "2019-07", 20), *said(messages(2, "2019-07", 18)))
    done = await settled(dsn, "2019-07", "2019-08-02")
    assert (somatic(done), [one.reason for one in done.by_hand]) == (counted, listed), because


@pytest.mark.parametrize("code", [SEKRETESS, HIDDEN])
async def test_protection_that_is_set_later_credits_nothing(dsn: str, code: str) -> None:
    """Row 2: an issued bill stands, and the stay stays in the mean."""
    async with service(dsn) as client:
        for month in ("2019-05", "2019-06", "2019-07"):
            await tell(client, *messages(int(month[-2:]), month, 20))
        for month, on in (("2019-05", "2019-06-02"), ("2019-06", "2019-07-02"), ("2019-07", "2019-08-02")):
            await settled(dsn, month, on, issue=True)
        await protect_later(client, 7, code)
        done = await settled(dsn, "2020-06", "2020-07-02", issue=True)
    assert [one.statement.adjustments for one in done.told] == [()] * 4
    assert done.by_hand == []


async def test_a_protected_persons_statement_names_neither_person_nor_hospital(dsn: str) -> None:
    sent = marked([m for n in (5, 6, 7, 8) for m in messages(n, f"2019-0{n}", 20)], SEKRETESS)
    async with service(dsn) as client:
        await tell(client, *sent)
        for month, on in (("2019-05", "2019-06-02"), ("2019-06", "2019-07-02"), ("2019-07", "2019-08-02")):
            await settled(dsn, month, on, issue=True)
        await settled(dsn, "2019-08", "2019-09-02", issue=True)
    billed = await rows(dsn, "select due from statement where month = '2019-08' and due > 0")
    assert len(billed) == 1
    every = b"\n".join(bundle for (bundle,) in await rows(dsn, "select bundle from statement"))
    text = every.decode()
    planted = (
        "191212121212",
        "Tolvan",
        "Storgatan",
        "83130",
        "Medicinavdelning",
        "Anna Exempel",
        "losus-r4 ",
    )
    assert [word for word in planted if word in text] == []
    assert "1 med skyddad identitet" in text


async def test_a_municipality_that_people_enter(dsn: str) -> None:
    """Listed, entered under audit, settled, said on the statement; published as before; never changed."""
    async with service(dsn) as client:
        await tell(client, *marked(messages(1, "2019-07", 20), HIDDEN))
        events = await rows(dsn, "select count(*) from event")
        listed = losus(dsn, "--month", "2019-07", "--agreement", JH)
        assert "protected-registration (`losus cases municipality` enters it)" in listed.stderr
        [(case,)] = await rows(dsn, "select id from cases")
        words = ("municipality", case, "2309", "--because", "Skatteverket, phone")
        assert losus(dsn, "municipality", case, "9999", "--because", "x", command="cases").returncode == 2
        assert losus(dsn, "municipality", "0" * 32, "2309", "--because", "x", command="cases").returncode == 1
        entered = losus(dsn, *words, command="cases")
        assert (entered.returncode, entered.stderr) == (0, "")
        done = await settled(dsn, "2019-07", "2019-08-02", issue=True)
        assert somatic(done, "2309") == [(1, 1, 1)]
        assert done.by_hand == []
        async with database(dsn) as opened, opened.transaction() as connection:
            await add_entered(connection, case, Entered("2321", None, "anna", "a letter"))
        await settled(dsn, "2019-08", "2019-09-02", issue=True)
        assert somatic(await settled(dsn, "2019-07", "2019-09-03"), "2309") == [(1, 1, 1)], "as it was issued"
        assert await rows(dsn, "select count(*) from event where type like '%case%'") == events
    audited = await rows(
        dsn, "select action, what, why, municipality from audit where action like '%cases mun%'"
    )
    assert ("change: losus cases municipality", [f"case/{case}"], "Skatteverket, phone", "2309") in audited
    assert await rows(dsn, "select municipality from entered_municipality order by number") == [
        ("2309",),
        ("2321",),
    ]
    with pytest.raises(Exception, match="never changed"):
        await rows(dsn, "update entered_municipality set municipality = '2380'")


async def test_nothing_is_entered_where_messages_say_whose_it_is(dsn: str) -> None:
    async with service(dsn) as client:
        await tell(client, *messages(1, "2019-07", 20))
    [(case,)] = await rows(dsn, "select id from cases")
    refused = losus(dsn, "municipality", case, "2309", "--because", "x", command="cases")
    assert (refused.returncode, "known from its messages" in refused.stderr) == (1, True)
