"""Merged patients: one person under two records, and what becomes of the cases, in any order."""

import itertools
import json
from datetime import date, datetime, time
from typing import Any

import pytest

from adapter.losus.days import at_local
from adapter.losus.merge import Stay, absorbed, survivor
from tests.service import renewed, send, service, stay, way_home

FIRST, OTHER = 0, 1


def admission(number: int, start: str, end: str | None = None) -> dict[str, Any]:
    """An admission of patient record `tolvan-<number>`."""
    message = stay(way_home()[0], number, 0)
    encounter = message["entry"][1]["resource"]
    encounter["period"] = {"start": start, **({"end": end} if end else {})}
    if end:
        encounter["status"] = "finished"
    return message


def replaced(number: int, by: int) -> dict[str, Any]:
    """Record `number`, newer, says that it was replaced by record `by`."""
    message = renewed(stay(way_home()[0], number, 1), f"replaced-{number}")
    patient = message["entry"][2]["resource"]
    patient["meta"] = {"versionId": "2", "lastUpdated": "2024-03-06T08:00:00+01:00"}
    patient["link"] = [{"type": "replaced-by", "other": {"reference": f"Patient/tolvan-{by}"}}]
    message["entry"] = [message["entry"][0], message["entry"][2]]
    message["entry"][0]["resource"]["focus"] = [{"reference": f"Patient/tolvan-{number}"}]
    return message


MARCH_4, MARCH_5, MARCH_6 = (f"2024-03-0{day}T10:00:00+01:00" for day in (4, 5, 6))

CASES = [
    # first stay, other stay, states by key, because
    ((MARCH_4,), (MARCH_5,), ("voided", "admitted"), "they overlap: one stay, registered twice"),
    ((MARCH_4, MARCH_5), (MARCH_6,), ("discharged", "admitted"), "they do not: two stays of one person"),
    ((MARCH_4, MARCH_5), (MARCH_5,), ("discharged", "admitted"), "one ends when the other begins"),
    (
        (MARCH_4, "2024-03-05"),
        (MARCH_5,),
        ("discharged", "admitted"),
        "one ends that day: nobody knows that it ended later, and a stay is not voided on a guess",
    ),
    ((MARCH_4, "2024-03-06"), (MARCH_5,), ("voided", "discharged"), "the day after: one stay, which ended"),
]


@pytest.mark.parametrize(("first", "other", "states", "because"), CASES)
async def test_overlapping_stays_of_one_person_become_one_in_any_order(
    dsn: str, first: tuple[str, ...], other: tuple[str, ...], states: tuple[str, str], because: str
) -> None:
    messages = [admission(FIRST, *first), admission(OTHER, *other), replaced(FIRST, by=OTHER)]
    for round_, order in enumerate(itertools.permutations(messages)):
        async with service(dsn, secret=f"another secret for each order {round_}") as client:
            for message in order:
                text = json.dumps(message)
                for name in ("tolvan-", "stay-1-", "header-", "bundle-"):
                    text = text.replace(name, f"{name}{round_}")
                answer = await send(client, text.encode())
                assert answer.status_code == 200, answer.text
            found = {}
            for number in (FIRST, OTHER):
                key = f"stay-1-{round_}{number}"
                listed = (await client.get("/cases", params={"key": key})).json()["cases"]
                found[number] = listed[0]
        assert (found[FIRST]["state"], found[OTHER]["state"]) == states, (because, round_)
        absorbed_by = found[OTHER]["case_id"] if states[0] == "voided" else None
        assert found[FIRST]["merged_into"] == absorbed_by


async def test_a_merge_taken_back_gives_both_cases_again(dsn: str) -> None:
    mended = replaced(FIRST, by=OTHER)
    mended = renewed(mended, "mended")
    mended["entry"][1]["resource"]["meta"] = {"versionId": "3", "lastUpdated": "2024-03-06T09:00:00+01:00"}
    del mended["entry"][1]["resource"]["link"]
    async with service(dsn) as client:
        for message in (
            admission(FIRST, MARCH_4),
            admission(OTHER, MARCH_5),
            replaced(FIRST, by=OTHER),
            mended,
        ):
            assert (await send(client, message)).status_code == 200
        listed = (await client.get("/cases")).json()["cases"]
    assert {(case["state"], case["merged_into"]) for case in listed} == {("admitted", None)}


def day(number: int) -> datetime:
    return at_local(date(2024, 3, number), time(10))


CIRCLES = [
    ("a", {}, "a", "nobody replaced it"),
    ("a", {"a": "b"}, "b", "one step"),
    ("a", {"a": "b", "b": "c"}, "c", "a chain leads to its end"),
    ("b", {"a": "b", "b": "a"}, "a", "a circle ends at its least name, wherever one enters"),
    ("a", {"a": "b", "b": "a"}, "a", "the same"),
]


@pytest.mark.parametrize(("record", "by", "end", "because"), CIRCLES)
def test_the_surviving_record(record: str, by: dict[str, str], end: str, because: str) -> None:
    assert survivor(record, by) == end, because


def test_of_several_the_surviving_record_takes_in_the_others() -> None:
    stays = [
        Stay("one", "ehr", "a", day(1), None),
        Stay("two", "ehr", "b", day(2), None),
        Stay("three", "ehr", "c", day(3), None),
        Stay("elsewhere", "other-ehr", "a", day(1), None),
    ]
    by = {"a": "c", "b": "c"}
    for order in itertools.permutations(stays):
        assert absorbed(order, by) == {"one": "three", "two": "three"}
