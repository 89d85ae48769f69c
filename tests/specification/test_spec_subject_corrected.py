"""A stay whose subject is corrected is about the person that its newest version names, and nobody else.

Source: FHIR R4 Encounter.subject («The patient or group present at the encounter»); contract 2 (the newest
version of a resource replaces what its older versions said).
"""

import httpx
import pytest

from tests.specification.sending import (
    ANOTHER_NUMBER,
    Resource,
    cases,
    message,
    meta,
    person,
    pictures,
    say,
    stay,
    update,
)

NEWER = meta("2", "2024-03-05T10:00:00+01:00")


@pytest.mark.parametrize("way", ["put", "message"])
@pytest.mark.parametrize("arrival", ["in order", "the correction first"])
@pytest.mark.parametrize(("wrong", "right"), [("p1", "p2"), ("p2", "p1")])
async def test_the_person_is_that_of_the_newest_version(
    client: httpx.AsyncClient, wrong: str, right: str, arrival: str, way: str
) -> None:
    of = {"p1": "2380", "p2": "2309"}
    await update(client, person("p1"))
    await update(client, person("p2", ANOTHER_NUMBER, "2309"))

    async def send(resource: Resource) -> None:
        if way == "put":
            await update(client, resource)
        else:
            await say(client, message(resource["meta"]["versionId"], resource))

    versions = [
        stay(subject={"reference": f"Patient/{wrong}"}),
        stay(subject={"reference": f"Patient/{right}"}, **NEWER),
    ]
    for one in versions if arrival == "in order" else versions[::-1]:
        await send(one)
    assert await cases(client) == {"s1": ("admitted", of[right])}
    shown = (await pictures(client))["s1"]
    whose = {"p1": "194501019824", "p2": ANOTHER_NUMBER}
    assert shown["statutory"]["identifier"]["value"] == whose[right]
    assert f"Patient/{wrong}" not in {one["resource"] for one in shown["sources"]}
