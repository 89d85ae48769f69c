"""Any order, any repeat, any delay of the same messages ends in the same case, through the whole way."""

import itertools
import json
import random
from pathlib import Path
from typing import Any

import pytest

from tests.service import medcom, send, service, stay, way_home


async def case(client: Any, source: str, key: str) -> dict[str, Any]:
    """The case of a key, without what is its own: id and revision."""
    answer = await client.get("/cases", params={"source": source, "key": key})
    [found] = answer.json()["cases"]
    return {name: value for name, value in found.items() if name not in ("case_id", "revision", "changed")}


def plain(found: dict[str, Any], number: int) -> str:
    """The case as text, with the number of its stay taken out of every name."""
    return json.dumps(found, sort_keys=True).replace(f'-{number}"', '"')


async def test_a_way_home_in_any_order_ends_in_the_same_case(dsn: str) -> None:
    chance = random.Random(20170612)  # noqa: S311 - a seed, not a secret
    async with service(dsn) as client:
        ends = set()
        for number in range(8):
            messages = [stay(message, number, index) for index, message in enumerate(way_home())]
            if number:
                messages += chance.choices(messages, k=5)
                chance.shuffle(messages)
            for message in messages:
                assert (await send(client, message)).status_code == 200
            ends.add(plain(await case(client, "losus-r4", f"stay-1-{number}"), number))
    assert len(ends) == 1
    assert '"state": "discharged"' in ends.pop()


#: MedCom's patient flows: state, and whether the citizen is on leave.
FLOWS = {
    "A": ("admitted", False),
    "C": ("admitted", False),
    "E": ("admitted", False),
    "F": ("admitted", True),
    "H": ("discharged", False),
    "J": ("deceased", False),
    "K": ("deceased", False),
    "N": ("voided", None),
    "O": ("admitted", False),
}


@pytest.mark.parametrize("flow", FLOWS)
async def test_medcoms_flows_end_as_medcom_means_in_every_order(dsn: str, shared: Path, flow: str) -> None:
    messages = medcom(shared)[flow]
    encounter = next(
        e["resource"] for e in messages[0]["entry"] if e["resource"]["resourceType"] == "Encounter"
    )
    episode = encounter["episodeOfCare"][0]["identifier"]["value"]
    for number, order in enumerate(itertools.permutations(messages)):
        async with service(dsn) as client:
            for message in order:
                text = json.dumps(message).replace(episode, f"{episode}-{number}")
                for name in ("header-", "bundle-"):
                    text = text.replace(name, f"{name}{number}-")
                answer = await send(client, text.encode(), "medcom-hospitalnotification")
                assert answer.status_code == 200
            found = await case(client, "medcom-hospitalnotification", f"{episode}-{number}")
        state, on_leave = FLOWS[flow]
        assert (found["state"], found["municipality"]) == (state, None if state == "voided" else "2380")
        if on_leave is not None:
            assert found["on_leave"] is on_leave
