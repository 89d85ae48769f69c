"""SMART Backend Services end to end: over sockets, against a server that fetches our JWKS and verifies."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from adapter.client.connect import client_of
from adapter.client.faults import GoneError, RefusedError
from adapter.client.keys import signing_key
from adapter.client.outside import Outside
from adapter.fhir.model import FhirVersion
from adapter.servers import PrivateKey, Server
from adapter.settings import Settings, Source
from adapter.web.keys import router
from tests.client.hospital import Hospital
from tests.client.keys import ec_pem, rsa_pem
from tests.client.listening import listening

TASK = {"resourceType": "Task", "id": "1", "status": "ready", "intent": "order"}


class Place:
    """The hospital, our service that shows the keys, and the settings of its source."""

    def __init__(self, hospital: Hospital, keys: tuple[Path, ...]) -> None:
        self.hospital = hospital
        self.login = PrivateKey(client_id="losus", keys=keys)
        self.server = Server(base_url=f"{hospital.base}/fhir", login=self.login)


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, ...]:
    return ec_pem(tmp_path), rsa_pem(tmp_path)


@pytest.fixture
def place(keys: tuple[Path, ...]) -> Iterator[Place]:
    ours = FastAPI()
    ours.include_router(router)
    with listening(ours) as our_address:
        hospital = Hospital(f"{our_address}/.well-known/jwks.json")
        with listening(hospital.app) as hospital.base:
            made = Place(hospital, keys)
            ours.state.settings = Settings(
                database="postgresql://nowhere",
                secret="a secret of the tests alone",
                sources={"hospital": Source(mapping="m", server=made.server)},
            )
            yield made


def signing_with(place: Place, *keys: Path) -> Server:
    return place.server.model_copy(update={"login": PrivateKey(client_id="losus", keys=keys)})


@pytest.mark.parametrize("first", [0, 1], ids=["ES384", "RS384"])
async def test_the_assertion_is_taken_and_the_token_opens_the_door(
    place: Place, keys: tuple[Path, ...], first: int
) -> None:
    async with client_of("hospital", signing_with(place, keys[first]), FhirVersion.R4) as client:
        made = await client.put(TASK)
        assert (made.status, made.version) == (201, "1")
        answer = await client.read("Task/1")
        assert (answer.resource, answer.version) == (TASK, "1")
        assert answer.server_time is not None
        assert (len(place.hospital.tokens), place.hospital.refusals) == (1, [])


async def test_keys_are_rotated_without_a_gap(place: Place, keys: tuple[Path, ...]) -> None:
    """Both keys are shown; the first signs. When they change places, the other signs, and is known."""
    for order in (keys, keys[::-1]):
        async with client_of("hospital", signing_with(place, *order), FhirVersion.R4) as client:
            with pytest.raises(GoneError):
                await client.read("Task/none")
    assert place.hospital.refusals == []


async def test_a_key_that_is_not_shown_is_not_taken(place: Place, tmp_path: Path) -> None:
    stranger = ec_pem(tmp_path, "stranger")
    async with client_of("hospital", signing_with(place, stranger), FhirVersion.R4) as client:
        with pytest.raises(RefusedError, match="invalid_client") as refused:
            await client.read("Task/1")
        assert len(place.hospital.refusals) == 1  # permanent: asked once
        assert signing_key(stranger).kid not in str(refused.value)


async def test_another_audience_is_not_taken_and_not_tried_again(place: Place) -> None:
    place.hospital.audience = "https://elsewhere.example/token"
    async with client_of("hospital", place.server, FhirVersion.R4) as client:
        with pytest.raises(RefusedError, match="invalid_client"):
            await client.read("Task/1")
        assert place.hospital.refusals == ["aud"]


async def test_an_assertion_is_never_shown_twice(place: Place) -> None:
    same = Outside(unique=lambda: "always the same")
    async with client_of("hospital", place.server, FhirVersion.R4, same) as client:
        await client.put(TASK)
        place.hospital.forget_tokens()
        with pytest.raises(RefusedError, match="invalid_client"):
            await client.read("Task/1")
    assert place.hospital.refusals == ["jti"]  # so the hospital would see it; and with ids of its own:
    place.hospital.refusals.clear()
    async with client_of("hospital", place.server, FhirVersion.R4) as client:
        for _ in range(3):
            place.hospital.forget_tokens()
            assert (await client.read("Task/1")).resource == TASK
    assert place.hospital.refusals == []


async def test_a_token_that_the_server_forgot_is_renewed(place: Place) -> None:
    async with client_of("hospital", place.server, FhirVersion.R4) as client:
        await client.put(TASK)
        place.hospital.forget_tokens()
        assert (await client.read("Task/1")).resource == TASK
        assert len(place.hospital.tokens) == 1


async def test_a_token_is_renewed_before_it_expires(place: Place) -> None:
    now = 0.0
    async with client_of("hospital", place.server, FhirVersion.R4, Outside(monotonic=lambda: now)) as client:
        await client.put(TASK)
        for now, tokens in ((269.0, 1), (271.0, 2)):  # noqa: B007 - read by the client's clock
            await client.read("Task/1")
            assert len(place.hospital.tokens) == tokens


async def test_pages_versions_and_conditions_over_sockets(place: Place) -> None:
    async with client_of("hospital", place.server, FhirVersion.R4) as client:
        for number in range(5):
            await client.put({**TASK, "id": f"t{number}"})
        pages = [page async for page in client.search("Task", {"_count": "2"})]
        assert [[one["id"] for one in page.resources] for page in pages] == [
            ["t0", "t1"],
            ["t2", "t3"],
            ["t4"],
        ]
        assert [page.next is None for page in pages] == [False, False, True]
        assert (await client.put({**TASK, "id": "t0"}, expected="1")).version == "2"
        with pytest.raises(RefusedError) as conflict:
            await client.put({**TASK, "id": "t0"}, expected="1")
        assert conflict.value.answered == 412
        assert (await client.post(TASK, once="status=ready")).status == 200
        made = await client.post({"resourceType": "Subscription"})
        assert made.status == 201
        assert made.location
        assert (await client.read(made.location)).resource["resourceType"] == "Subscription"
        with pytest.raises(GoneError):
            await client.read("Task/none")
