"""From messages to statements: a year settled, a discharge changed three months back, and the difference."""

import asyncio
from dataclasses import replace
from decimal import Decimal

import asyncpg
import orjson
import pytest

from adapter.agreements.load import Book
from adapter.agreements.rates import RateEntry, Rates, RateSeries
from adapter.losus.days import Month
from adapter.settling.issuing import TooEarlyError
from adapter.settling.run import settle_due
from tests.service import service
from tests.settling.hospital import (
    JH,
    VGR,
    at,
    book,
    confirmed,
    corrected,
    database,
    ledger,
    messages,
    rows,
    settled,
    tell,
)

SPRING = ("2019-01", "2019-02", "2019-03", "2019-04")


async def issued(dsn: str, month: str, on: str, **more: object) -> list[tuple[str, str, str, list[tuple]]]:
    """Care form, status, SEK to invoice and the corrections of what is issued to Östersund."""
    done = await settled(dsn, month, on, issue=True, municipalities=("2380",), **more)
    assert not done.refused
    return [
        (
            one.statement.statement.care_form,
            one.statement.statement.status.value,
            f"{one.statement.due:f}",
            [
                (str(a.post.month), a.kind, int(a.payable_days), f"{a.amount:f}")
                for a in one.statement.adjustments
            ],
        )
        for one in done.told
        if one.statement.statement.care_form == "somatic"
    ]


async def test_a_discharge_changed_three_months_back_is_credited(dsn: str) -> None:
    async with service(dsn) as client:
        for number, month in enumerate((*SPRING, "2019-05", "2019-06", "2019-07")):
            await tell(client, *messages(number, month, 20))
        ends = ("2019-02-01", "2019-03-01", "2019-04-01", "2019-05-01", "2019-06-01", "2019-07-01")
        told = [await issued(dsn, str(Month.parse(day[:7]).plus(-1)), day) for day in ends]
        assert [one[0][1:3] for one in told] == [
            ("analysis", "0"),
            ("analysis", "0"),
            ("analysis", "0"),
            ("liable", "46800"),  # days 4 to 9 after the 11th, of 7 800
            ("liable", "46800"),
            ("liable", "46800"),
        ]
        await tell(client, corrected(3, "2019-04", 18, 3))  # of April: home on the 18th, not the 20th
    assert await issued(dsn, "2019-07", "2019-08-01") == [
        ("somatic", "liable", "31200", [("2019-04", "credit", -2, "-15600")])
    ]


async def test_a_correction_that_closes_the_gate_takes_back_what_it_had_opened(dsn: str) -> None:
    async with service(dsn) as client:
        for number, month in enumerate(SPRING):
            await tell(client, *messages(number, month, 20))
        for month in SPRING:
            told = await issued(dsn, month, str(Month.parse(month).end))
        assert told[0][2] == "46800"
        await tell(client, corrected(0, "2019-01", 14, 3))  # three days: not over three
    assert await issued(dsn, "2019-05", "2019-06-01") == [
        ("somatic", "liable", "-46800", [("2019-04", "credit", -6, "-46800")])
    ]


async def test_issuing_twice_adds_no_row_and_changes_no_byte(dsn: str) -> None:
    async with service(dsn) as client:
        await tell(client, *messages(1, "2019-03", 20))
    first = await settled(dsn, "2019-03", "2019-04-01", issue=True)
    before = await rows(dsn, "select number, id, said, bundle from statement order by number")
    events = await rows(
        dsn, "select id, ce_id, payload from event where type like '%settlement%' order by id"
    )
    again = await settled(dsn, "2019-03", "2019-04-20", issue=True)
    assert [one.statement for one in again.told] == [one.statement for one in first.told]
    assert not any(one.fresh for one in again.told)
    assert before == await rows(dsn, "select number, id, said, bundle from statement order by number")
    assert events == await rows(
        dsn, "select id, ce_id, payload from event where type like '%settlement%' order by id"
    )
    assert (len(before), len(events)) == (4, 6), "two municipalities, two care forms and a follow-up"


async def test_what_was_issued_cannot_be_changed(dsn: str) -> None:
    async with service(dsn) as client:
        await tell(client, *messages(1, "2019-03", 20))
    await settled(dsn, "2019-03", "2019-04-01", issue=True)
    for statement in (
        "update statement set due = 0",
        "delete from statement",
        "update statement_resource set type = 'x'",
        "delete from statement_resource",
        "truncate statement cascade",
    ):
        with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="never changed"):
            await rows(dsn, statement)


async def test_the_statement_and_its_event_are_one(dsn: str) -> None:
    async with service(dsn) as client:
        await tell(client, *messages(1, "2019-03", 20))
    await settled(dsn, "2019-03", "2019-04-01", issue=True)
    pairs = await rows(
        dsn,
        """select statement.id, event.case_id, bundle = payload, type, event.municipality,
                  outbox.event is not null
           from statement left join event on event.case_id = statement.id
           left join outbox on outbox.event = event.id where statement.municipality = '2380'""",
    )
    assert len(pairs) == 2
    for name, key, *told in pairs:
        assert name == key
        assert told == [True, "se.losus.settlement.issued.v1", "2380", True]


async def test_the_bundle_names_the_messages_it_rests_on(dsn: str) -> None:
    async with service(dsn) as client:
        for number, month in enumerate(SPRING):
            await tell(client, *messages(number, month, 20))
    for month in SPRING:
        await settled(dsn, month, str(Month.parse(month).end), issue=True)
    [(bundle,)] = await rows(
        dsn, "select bundle from statement where month = '2019-04' and municipality = '2380' and due > 0"
    )
    told = [entry["resource"] for entry in orjson.loads(bundle)["entry"]]
    said = {
        entity["what"]["identifier"]["value"]
        for one in told
        if one["resourceType"] == "Provenance" and "ChargeItem/" in one["target"][0]["reference"]
        for entity in one["entity"]
    }
    assert "losus-r4 Encounter/stay-1-3 2" in said, "the version that says when the person went home"
    assert [one["totalNet"]["value"] for one in told if one["resourceType"] == "Invoice"] == [46800.0]


EARLY = [
    # settled on, early, is issued, because
    ("2019-03-31", "the year closes", False, "the month is not over: no reason helps"),
    ("2019-04-01", None, True, "Bilaga 9 names no correction day: from the first of the month after"),
]


@pytest.mark.parametrize(("on", "early", "is_issued", "because"), EARLY)
async def test_when_a_month_may_be_issued(
    dsn: str, on: str, early: str | None, is_issued: bool, because: str
) -> None:
    async with service(dsn) as client:
        await tell(client, *messages(1, "2019-03", 20))
    if is_issued:
        assert (await settled(dsn, "2019-03", on, issue=True, early=early)).told, because
    else:
        with pytest.raises(TooEarlyError, match="not over"):
            await settled(dsn, "2019-03", on, issue=True, early=early)
        assert await rows(dsn, "select * from statement") == [], because


CORRECTION_DAY = [
    # on, early, what is issued and why early, because
    ("2019-04-12", None, None, "corrections through the 12th are still taken"),
    ("2019-04-12", "the year closes", "the year closes", "a reason lets it out, and is kept"),
    ("2019-04-13", None, "", "the 12th is over: frozen"),
    ("2019-04-13", "the year closes", "", "on time there is nothing to excuse"),
]


@pytest.mark.parametrize(("on", "early", "kept", "because"), CORRECTION_DAY)
async def test_the_correction_day_of_vastra_gotaland(
    dsn: str, on: str, early: str | None, kept: str | None, because: str
) -> None:
    async with service(dsn) as client:
        await tell(client, *messages(1, "2019-03", 20, "1480"))
    made = ledger(dsn, region=VGR)
    if kept is None:
        with pytest.raises(TooEarlyError, match="before 2019-04-13"):
            await settled(dsn, "2019-03", on, issue=True, early=early, municipalities=("1480",), ledger=made)
    else:
        await settled(dsn, "2019-03", on, issue=True, early=early, municipalities=("1480",), ledger=made)
    reasons = await rows(
        dsn, "select distinct coalesce(early, '') from statement where municipality = '1480'"
    )
    assert reasons == ([] if kept is None else [(kept,)]), because


async def test_a_run_that_is_refused_has_issued_nothing(dsn: str) -> None:
    """Malmö comes first and may be issued; Göteborg takes corrections through the 12th: neither is."""
    async with service(dsn) as client:
        await tell(client, *messages(1, "2019-03", 20, "1280"), *messages(2, "2019-03", 20, "1480"))
    with pytest.raises(TooEarlyError):
        await settled(dsn, "2019-03", "2019-04-12", issue=True, ledger=ledger(dsn, region=VGR))
    assert await rows(dsn, "select * from statement") == []
    assert await rows(dsn, "select * from event where type like '%settlement%'") == []


async def test_a_municipality_that_nothing_is_known_of_gets_no_statement(dsn: str) -> None:
    async with service(dsn) as client:
        await tell(client, *messages(1, "2019-03", 20))
    done = await settled(dsn, "2019-03", "2019-04-02", issue=True, municipalities=("1280",))
    assert done.told == []


async def test_a_draft_stores_nothing(dsn: str) -> None:
    async with service(dsn) as client:
        await tell(client, *messages(1, "2019-03", 20))
    done = await settled(dsn, "2019-03", "2019-03-20")
    assert [one.issued for one in done.told] == [False] * 4
    assert await rows(dsn, "select * from statement") == []


async def test_an_agreement_that_is_asked_for_alone(dsn: str) -> None:
    async with service(dsn) as client:
        await tell(client, *messages(1, "2019-03", 20), *messages(2, "2019-03", 20, "1280"))
    done = await settled(dsn, "2019-03", "2019-04-01", agreement="lus-2017-612")
    assert {
        (one.statement.statement.municipality, one.statement.statement.agreement) for one in done.told
    } == {("1280", "lus-2017-612")}, "Malmö has no agreement on file: the statute; Östersund has one"


async def test_persons_whose_municipality_is_not_known_are_listed_and_not_settled(dsn: str) -> None:
    way = messages(1, "2019-03", 20)
    patient = way[0]["entry"][2]["resource"]
    label = {"system": "http://hl7.se/fhir/ig/base/CodeSystem/SecurityLabel", "code": "skyddadFolkbokforing"}
    patient["meta"] = {**patient["meta"], "security": [label]}
    async with service(dsn) as client:
        await tell(client, *way, *messages(2, "2019-03", 20))
    done = await settled(dsn, "2019-03", "2019-04-01")
    assert sum(one.statement.statement.mean.stays for one in done.told) == 1
    assert [(one.reason, str(one.month)) for one in done.by_hand] == [("protected-registration", "2019-03")]
    other = await settled(dsn, "2019-02", "2019-04-01")
    assert other.by_hand == [], "it ended in March, and is no concern of February"


VAGUE = [
    # Encounter.period.end, what is settled of March, the cases listed for March, for April, because
    ("2019-03-20T11:00:00+01:00", 1, [], [], "known"),
    ("2019-03-20", 1, [], [], "to the day: days are all that is counted"),
    ("2019-03", 0, ["ended_at: known to the month only"], [], "R4 datatypes#dateTime: no day is guessed"),
    ("2019", 0, ["ended_at: known to the year only"], ["ended_at: known to the year only"], "nor a month"),
]


@pytest.mark.parametrize(("end", "stays", "march", "april", "because"), VAGUE)
async def test_a_stay_whose_end_is_not_known_to_the_day(
    dsn: str, end: str, stays: int, march: list[str], april: list[str], because: str
) -> None:
    way = messages(1, "2019-03", 20)
    way[11]["entry"][1]["resource"]["period"]["end"] = end
    async with service(dsn) as client:
        await tell(client, *way)
        [case] = (await client.get("/cases")).json()["cases"]
        assert case["state"] == "discharged"
    done = await settled(dsn, "2019-03", "2020-01-02")
    assert sum(one.statement.statement.mean.stays for one in done.told) == stays, because
    assert [one.reason for one in done.by_hand] == march, because
    assert [one.reason for one in (await settled(dsn, "2019-04", "2020-01-02")).by_hand] == april, because


async def test_an_end_to_the_day_counts_as_one_by_the_clock_does(dsn: str) -> None:
    ends = {"2380": "2019-03-20T11:00:00+01:00", "2309": "2019-03-20"}
    async with service(dsn) as client:
        for number, (municipality, end) in enumerate(ends.items()):
            way = messages(number, "2019-03", 20, municipality)
            way[11]["entry"][1]["resource"]["period"]["end"] = end
            await tell(client, *way)
    done = await settled(dsn, "2019-03", "2019-04-02")
    means = {
        one.statement.statement.municipality: one.statement.statement.mean
        for one in done.told
        if one.statement.statement.mean.stays
    }
    assert means.keys() == ends.keys()
    assert means["2380"].days == means["2309"].days > 0


def with_rate(year: int, amount: int) -> Book:
    """What is agreed, with the amount of a year that was missing."""
    series = {
        name: RateSeries(
            title=one.title,
            amounts=(
                *(entry for entry in one.amounts if entry.year != year),
                RateEntry(year=year, amount=Decimal(amount), verified=True),
            ),
        )
        for name, one in book().rates.series.items()
    }
    return replace(book(), rates=Rates(documents=book().rates.documents, series=series))


async def test_a_month_without_a_rate_waits_and_holds_up_no_other(dsn: str) -> None:
    """Settlement 5: listed `no-rate` with the stays concerned; later months go on; issued once known."""
    async with service(dsn) as client:
        for number, month in enumerate(("2021-01", "2021-02", "2021-03", "2021-04")):
            await tell(client, *messages(number, month, 20))
    unknown = [("2380", "2021-04", ["unknown rate 2021"])]
    shown = await settled(dsn, "2021-04", "2021-05-01", municipalities=("2380",))
    somatic = next(one.statement for one in shown.told if one.statement.statement.care_form == "somatic")
    assert somatic.statement.no_rate is not None
    assert (somatic.statement.no_rate.years, len(somatic.statement.no_rate.stays)) == ((2021,), 1)
    assert somatic.statement.payable_days == 6
    done = await settled(dsn, "2021-04", "2021-05-01", issue=True)
    for run in (shown, done):
        refused = [(code, str(month), [p.rule for p in fault.problems]) for code, month, fault in run.refused]
        assert refused == unknown
    there = "select care_form, month from statement where municipality = '2380' order by month, care_form"
    assert await rows(dsn, there) == [("psychiatric", "2021-04")]
    later = await settled(dsn, "2021-05", "2021-06-01", issue=True, municipalities=("2380",))
    assert not later.refused, "no day of May is to be paid"
    known = ledger(dsn, agreed=with_rate(2021, 8700))
    async with database(dsn) as opened:
        await settle_due(opened, known, Month(2021, 4), at("2021-06-02"))
    somatic_of = "from statement where municipality = '2380' and care_form = 'somatic'"
    assert await rows(dsn, f"select month, due {somatic_of} order by month") == [
        ("2021-04", 6 * 8700),
        ("2021-05", 0),
    ]


async def test_a_municipality_that_is_none_is_for_people(dsn: str) -> None:
    """Issue 12, row 10: nobody is billed for a stay of a municipality that there is not."""
    async with service(dsn) as client:
        await tell(client, *messages(1, "2019-03", 20, "9999"), *messages(2, "2019-03", 20))
    done = await settled(dsn, "2019-03", "2019-04-01", issue=True)
    assert [(one.municipality, one.reason) for one in done.by_hand] == [
        ("9999", "municipality: no municipality of municipalities.yaml")
    ]
    assert "9999" not in {row[0] for row in await rows(dsn, "select municipality from statement")}


async def test_the_scheduled_run_issues_what_is_due_and_then_nothing(dsn: str) -> None:
    async with service(dsn) as client:
        await tell(client, *messages(1, "2019-02", 20), *messages(2, "2019-03", 20))
    await confirmed(dsn)
    months = "select distinct month from statement order by month"
    async with database(dsn) as opened:
        for on, fresh, there in (
            ("2019-04-01", 8, ["2019-02", "2019-03"]),
            ("2019-04-30", 0, ["2019-02", "2019-03"]),
            ("2019-05-01", 4, ["2019-02", "2019-03", "2019-04"]),
        ):
            done = await settle_due(opened, ledger(dsn), Month(2019, 2), at(on))
            assert len(done.told) == fresh
            assert await rows(dsn, months) == [(month,) for month in there], f"{on}: what is over, once"


async def test_two_scheduled_runs_at_once_issue_once(dsn: str) -> None:
    async with service(dsn) as client:
        await tell(client, *messages(1, "2019-03", 20))
    await confirmed(dsn)
    async with database(dsn) as one, database(dsn) as two:
        done = await asyncio.gather(
            *(settle_due(each, ledger(dsn), Month(2019, 3), at("2019-04-02")) for each in (one, two))
        )
    assert sorted(len(one.told) for one in done) == [0, 4]
    assert await rows(dsn, "select count(*) from statement") == [(4,)]
    assert JH in {row[0] for row in await rows(dsn, "select agreement from statement")}
