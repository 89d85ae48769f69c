"""The client against HAPI FHIR's JPA server, R4 and R5: what a server in use answers, not what we think."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from adapter.client.connect import client_of
from adapter.client.faults import AwayError, GoneError, OpenError, RefusedError
from adapter.client.outside import Outside
from adapter.client.references import Fetcher, references_in
from adapter.fhir.model import FhirVersion
from adapter.servers import Circuit, Patience, Server
from tests.hapi.server import HapiServer

ORGANIZATION = {"resourceType": "Organization", "id": "ward", "name": "Avdelning 12"}
ENCOUNTER = {
    "resourceType": "Encounter",
    "id": "stay",
    "status": "in-progress",
    "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
    "serviceProvider": {"reference": "Organization/ward"},
}
#: A loaded machine is slow, and HAPI more so.
PATIENT_SETTINGS = {"timeout_s": 60.0, "answer_s": 120.0, "references_s": 120.0}


def server_of(hapi: HapiServer, **more: object) -> Server:
    return Server(**{"base_url": hapi.base_url, **PATIENT_SETTINGS, **more})


@pytest.mark.parametrize("version", [FhirVersion.R4, FhirVersion.R5])
async def test_read_update_conflict_delete(
    hapi_of: Callable[[FhirVersion], HapiServer], version: FhirVersion
) -> None:
    hapi = await asyncio.to_thread(hapi_of, version)
    async with client_of("hapi", server_of(hapi), version) as client:
        made = await client.put(ORGANIZATION)
        assert (made.status, made.version) == (201, "1")
        changed = await client.put({**ORGANIZATION, "name": "Avdelning 13"}, expected="1")
        assert (changed.status, changed.version) == (200, "2")
        with pytest.raises(RefusedError) as conflict:
            await client.put(ORGANIZATION, expected="1")
        assert conflict.value.answered in {409, 412}
        now = await client.read("Organization/ward")
        assert (now.resource["name"], now.version) == ("Avdelning 13", "2")
        assert now.server_time is not None
        assert abs(now.server_time - datetime.now(UTC)) < timedelta(minutes=1)
        before = await client.read(f"{hapi.base_url}/Organization/ward/_history/1")
        assert before.resource["name"] == "Avdelning 12"
        await client.delete("Organization/ward")
        with pytest.raises(GoneError) as gone:
            await client.read("Organization/ward")
        assert gone.value.answered == 410
        with pytest.raises(GoneError) as missing:
            await client.read("Organization/never")
        assert missing.value.answered == 404


async def test_a_search_is_paged_by_hapi_s_own_links(hapi: HapiServer) -> None:
    async with client_of("hapi", server_of(hapi), FhirVersion.R4) as client:
        for number in range(7):
            await client.put({**ORGANIZATION, "id": f"o{number}"})
        since = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
        wanted = {"_lastUpdated": f"ge{since}", "_sort": "_lastUpdated", "_count": "3"}
        pages = [page async for page in client.search("Organization", wanted)]
        found = [[one["id"] for one in page.resources] for page in pages]
        assert found == [["o0", "o1", "o2"], ["o3", "o4", "o5"], ["o6"]]
        assert pages[-1].next is None
        assert pages[0].next
        rest = [one["id"] async for page in client.pages(pages[0].next) for one in page.resources]
        assert rest == ["o3", "o4", "o5", "o6"]  # a search goes on where it was left
        assert all(page.server_time for page in pages)


async def test_a_condition_makes_a_thing_only_once(hapi: HapiServer) -> None:
    named = {"resourceType": "Organization", "identifier": [{"system": "urn:x", "value": "1"}]}
    async with client_of("hapi", server_of(hapi), FhirVersion.R4) as client:
        first = await client.post(named, once="identifier=urn:x|1")
        second = await client.post(named, once="identifier=urn:x|1")
        assert (first.status, second.status) == (201, 200)
        assert first.location
        assert (await client.read(first.location)).resource["identifier"][0]["value"] == "1"
        with pytest.raises(RefusedError) as refused:
            await client.search("Organization", {"no-such-parameter": "1"}).__anext__()
        assert refused.value.answered == 400


async def test_references_are_followed_from_one_resource_to_the_next(hapi: HapiServer) -> None:
    server = server_of(hapi)
    async with client_of("hapi", server, FhirVersion.R4) as client:
        await client.put({**ORGANIZATION, "id": "hospital"})
        await client.put({**ORGANIZATION, "partOf": {"reference": "Organization/hospital"}})
        await client.put(ENCOUNTER)
        fetcher = Fetcher(client, server)
        wanted, spent, lost = [f"{hapi.base_url}/Encounter/stay", "Encounter/none"], 0, []
        chain: list[str] = []
        while wanted:
            found = await fetcher.find(wanted, spent=spent)
            assert found.later == {}
            spent += found.asked
            chain += found.resources
            lost += found.lost
            wanted = [one for resource in found.resources.values() for one in references_in(resource)]
        assert chain == [f"{hapi.base_url}/Encounter/stay", "Organization/ward", "Organization/hospital"]
        assert (lost, spent) == (["Encounter/none"], 4)


@pytest.mark.long
async def test_a_server_that_is_killed_and_comes_back(hapi: HapiServer) -> None:
    """Away: retryable, the circuit opens; back: the next trial closes it."""
    now = 0.0
    server = server_of(hapi, patience=Patience(attempts=3, first_s=0.001), circuit=Circuit(failures=3))
    async with client_of("hapi", server, FhirVersion.R4, Outside(monotonic=lambda: now)) as client:
        await client.put(ORGANIZATION)
        place = hapi.base_url
        hapi.kill()
        assert not hapi.is_running
        with pytest.raises(AwayError):
            await client.read("Organization/ward")
        with pytest.raises(OpenError):
            await client.read("Organization/ward")
        await asyncio.to_thread(hapi.restart)
        assert hapi.base_url == place
        with pytest.raises(OpenError):
            await client.read("Organization/ward")
        now = server.circuit.rest_s
        with pytest.raises(GoneError):  # it is back, and empty
            await client.read("Organization/ward")
        assert (await client.put(ORGANIZATION)).status == 201


async def test_an_export_is_read_line_by_line(hapi: HapiServer) -> None:
    async with client_of("hapi", server_of(hapi), FhirVersion.R4) as client:
        for number in range(30):
            await client.put({**ORGANIZATION, "id": f"o{number}"})
        begun = await client.operation("$export", {"_type": "Organization"}, prefer="respond-async")
        assert begun.status == 202
        assert begun.location
        async with asyncio.timeout(200):
            while (state := await client.get(begun.location)).status == 202:
                await asyncio.sleep(0.5)
        names = [
            json.loads(line)["id"]
            for file in state.document["output"]
            async for line in client.lines(file["url"])
        ]
        assert sorted(names) == sorted(f"o{number}" for number in range(30))
