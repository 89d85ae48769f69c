"""What was entered in error; whom an identifier of two persons means; versions and deaths out of range."""

from typing import Any

import httpx
import pytest

from tests.specification.sending import (
    ANOTHER_NUMBER,
    Resource,
    cases,
    issues,
    logical,
    meta,
    person,
    ready,
    stay,
    update,
)

LATER = meta("2", "2024-03-09T10:00:00+01:00")
WRONG = stay(status="entered-in-error", **LATER)


ERRORS = [
    # what is said of the stay, in any order; the state; because
    ([stay(), WRONG], "voided", "a stay entered in error"),
    ([WRONG, ready()], "voided", "its steps fall with it, though no version of before is known"),
    ([stay(), WRONG, ready()], "voided", "its steps fall with it"),
    ([stay(), ready(), stay(status="cancelled", **LATER)], "voided", "as those of a cancelled one do"),
    ([stay(), ready(), WRONG, stay(**meta("3", "2024-03-10T10:00:00+01:00"))], "ready", "said anew"),
    ([stay(), ready(), ready(status="entered-in-error", **LATER)], "admitted", "a step alone in error"),
    (
        [stay(), WRONG, stay("ward", partOf={"reference": "Encounter/s1"})],
        "voided",
        "a ward's part is no stay without it",
    ),
]


@pytest.mark.parametrize("is_backwards", [False, True])
@pytest.mark.parametrize(("said", "state", "because"), ERRORS)
async def test_a_stay_in_error_is_void_whatever_its_steps_say(
    client: httpx.AsyncClient, said: list[Resource], state: str, because: str, is_backwards: bool
) -> None:
    """R4 encounter-status: «entered-in-error: This instance should not have been part of this patient's
    medical record.»"""
    await update(client, person())
    for one in reversed(said) if is_backwards else said:
        assert (await update(client, one)).status_code in {200, 201, 422}  # a part waits for its whole
    assert {found for found, _ in (await cases(client)).values()} == {state}, because


MRN = {"system": "urn:mrn", "value": "7"}


def of_mrn(name: str, **more: Any) -> Resource:
    one = person(name, **more)
    return {**one, "identifier": [*one["identifier"], MRN]}


PERSONS = [
    # the other record, whether the stay is told, because
    (of_mrn("p2"), True, "another record of the same person"),
    (of_mrn("p2", number=ANOTHER_NUMBER, kommun="2309"), False, "another person: neither is told"),
]


@pytest.mark.parametrize("subject", [logical("7", "urn:mrn"), {"reference": "Patient?identifier=urn:mrn|7"}])
@pytest.mark.parametrize(("other", "is_told", "because"), PERSONS)
async def test_an_identifier_of_two_persons_means_neither(
    client: httpx.AsyncClient, other: Resource, is_told: bool, because: str, subject: Resource
) -> None:
    """references#logical; a wrong municipality is never told."""
    await update(client, of_mrn("p1"))
    await update(client, other)
    answer = await update(client, stay(subject=subject))
    if is_told:
        assert answer.status_code == 201
        assert await cases(client) == {"s1": ("admitted", "2380")}, because
    else:
        assert (answer.status_code, issues(answer)[0][1:]) == (422, ("not-found", "Encounter.subject"))
        assert await cases(client) == {}, because


NUMBERS = ["9" * 20, "202403041425000000001", "9" * 64, str(2**63), str(2**64)]


@pytest.mark.parametrize("number", NUMBERS)
async def test_a_version_may_have_as_many_digits_as_an_id(client: httpx.AsyncClient, number: str) -> None:
    """datatypes#id: up to 64 characters."""
    await update(client, person())
    last = stay(status="finished", period={**stay()["period"], "end": "2024-03-09T10:00:00+01:00"})
    answer = await update(client, {**last, **meta(number, "2024-03-04T14:30:00+01:00")})
    assert (answer.status_code, answer.headers["etag"]) == (201, f'W/"{number}"')
    before = str(int(number) - 1)
    assert (await update(client, {**stay(), **meta(before, "2024-03-04T14:30:00+01:00")})).status_code == 200
    assert await cases(client) == {"s1": ("discharged", "2380")}


async def test_a_death_out_of_range_is_refused_with_the_person(client: httpx.AsyncClient) -> None:
    """It would be read with every later stay of the person."""
    await update(client, person())
    answer = await update(client, {**person(deceasedDateTime="9999-12-31"), **LATER})
    assert (answer.status_code, issues(answer)) == (422, [("error", "value", "Patient.deceased")])
    assert (await update(client, stay())).status_code == 201


async def test_parts_of_parts_may_be_many(client: httpx.AsyncClient) -> None:
    """A chain that comes one by one is one case, as it is in one message."""
    await update(client, person())
    await update(client, stay())
    for number in range(1, 9):
        above = f"Encounter/s{number}"
        answer = await update(client, stay(f"s{number + 1}", partOf={"reference": above}))
        assert answer.status_code == 201, number
    assert await cases(client) == {"s1": ("admitted", "2380")}
