"""True of a person from a time on: a later move moves no money, a correction does (settlement rules 1a)."""

import itertools
from decimal import Decimal
from typing import Any

import httpx
import orjson
import pytest

from adapter.settlement.reasons import MunicipalityReason
from adapter.settling.run import Settled
from tests.flow.test_facts_of_a_person import lives
from tests.service import send, service
from tests.settling.hospital import messages, settled, tell
from tests.settling.test_treating_region import billed

OLD, NEW = "0188", "1280"
COST = Decimal(6 * 7800)


def patient_of(number: int, *addresses: dict[str, Any], updated: str = "2020-06-15") -> dict[str, Any]:
    """A newer version of the person of a stay."""
    known = next(
        entry["resource"]
        for entry in messages(number, "2019-07", 20)[0]["entry"]
        if entry["resource"]["resourceType"] == "Patient"
    )
    meta = {"versionId": "99", "lastUpdated": f"{updated}T08:00:00+02:00"}
    return {**known, "meta": meta, "address": list(addresses)}


async def put(client: httpx.AsyncClient, resource: dict[str, Any]) -> None:
    path = f"/fhir/losus-r4/{resource['resourceType']}/{resource['id']}"
    answer = await client.put(path, content=orjson.dumps(resource))
    assert answer.status_code in {200, 201}, answer.text


def admitted_again(number: int) -> dict[str, Any]:
    """A new stay of the same person, a year later."""
    encounter = next(
        entry["resource"]
        for entry in messages(number, "2020-06", 20)[0]["entry"]
        if entry["resource"]["resourceType"] == "Encounter"
    )
    return {**encounter, "id": f"again-{number}"}


def adjusted(done: Settled) -> list[tuple[str, Decimal]]:
    return [
        (one.statement.statement.municipality, each.amount)
        for one in done.told
        for each in one.statement.adjustments
    ]


# what is heard a year later, what it moves; because
LATER = [
    ([patient_of(1, lives(NEW))], [], "row 1: a newer version, true from then on"),
    ([patient_of(1, lives(NEW)), admitted_again(1)], [], "row 1: admitted anew with another kommunkod"),
    ([admitted_again(1), patient_of(1, lives(NEW))], [], "in the other order"),
    (
        [patient_of(1, lives(OLD, end="2019-07-31"), lives(NEW, start="2019-08-01"))],
        [],
        "periods: a move after the end",
    ),
    (
        [patient_of(1, lives(OLD, end="2019-07-20"), lives(NEW, start="2019-07-21"))],
        [],
        "the day after the end: still after it",
    ),
    (
        [patient_of(1, lives(OLD, end="2019-07-19"), lives(NEW, start="2019-07-20"))],
        [(OLD, -COST), (NEW, COST)],
        "municipality_at end: the whole stay belongs to the municipality at its end",
    ),
    (
        [patient_of(1, lives(NEW, start="2018-01-01"))],
        [(OLD, -COST), (NEW, COST)],
        "a period that begins before the stay's end is a correction, settled as one on both statements",
    ),
]


@pytest.mark.parametrize(("heard", "moved", "because"), LATER)
async def test_what_is_heard_a_year_later(
    dsn: str, heard: list[dict[str, Any]], moved: list[tuple[str, Decimal]], because: str
) -> None:
    async with service(dsn) as client:
        await tell(client, *billed(1, "2019-07", 20, OLD), *billed(2, "2019-07", 20, NEW))
        await settled(dsn, "2019-07", "2019-08-02", issue=True)
        for resource in heard:
            await put(client, resource)
        done = await settled(dsn, "2020-07", "2020-08-02", issue=True)
        again = await settled(dsn, "2020-08", "2020-09-02", issue=True)
    assert sorted(adjusted(done)) == sorted(moved), because
    assert adjusted(again) == [], "and nothing more the month after"
    reasons = [r for one in done.told for each in one.statement.adjustments for r in each.reasons]
    assert all(isinstance(one, MunicipalityReason) for one in reasons)
    assert len(reasons) == len(moved)


ERROR = [
    # mapping, the stay's messages come in this order: the steps, then the stay in error, or before it
    ("losus-r4", order)
    for order in (("steps", "error"), ("error", "steps"), ("half", "error", "rest"))
]


def in_error(number: int, month: str) -> dict[str, Any]:
    """The Encounter of a stay, entered in error."""
    encounter = next(
        entry["resource"]
        for entry in messages(number, month, 20)[0]["entry"]
        if entry["resource"]["resourceType"] == "Encounter"
    )
    meta = {"versionId": "99", "lastUpdated": f"{month}-28T09:00:00+02:00"}
    return {**encounter, "status": "entered-in-error", "meta": meta}


@pytest.mark.parametrize(("mapping", "order"), ERROR)
async def test_a_stay_in_error_after_its_steps_is_voided_and_settled_nowhere(
    dsn: str, mapping: str, order: tuple[str, ...]
) -> None:
    """Row 9: with the stay falls what its Tasks said, in whatever order they come."""
    sent = billed(1, "2019-07", 20, OLD)
    parts = {"steps": sent, "half": sent[:7], "rest": sent[7:]}
    async with service(dsn) as client:
        for part in order:
            if part == "error":
                await put(client, in_error(1, "2019-07"))
                continue
            for message in parts[part]:
                answer = await send(client, message, mapping)
                assert answer.status_code == 200, answer.text
        cases = (await client.get("/cases")).json()["cases"]
        done = await settled(dsn, "2019-07", "2019-08-02")
    assert [case["state"] for case in cases] == ["voided"]
    assert [one for one in done.told if one.statement.statement.mean.stays] == []
    assert done.by_hand == []


async def test_a_stay_in_error_after_it_was_issued_is_credited(dsn: str) -> None:
    async with service(dsn) as client:
        await tell(client, *billed(1, "2019-07", 20, OLD))
        await settled(dsn, "2019-07", "2019-08-02", issue=True)
        await put(client, in_error(1, "2019-07"))
        [case] = (await client.get("/cases")).json()["cases"]
        done = await settled(dsn, "2019-08", "2019-09-02", issue=True)
    assert case["state"] == "voided"
    assert adjusted(done) == [(OLD, -COST)]


def test_orders_are_all_there() -> None:
    assert {order for _, order in ERROR} >= set(itertools.permutations(("steps", "error")))
