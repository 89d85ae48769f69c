"""The CapabilityStatement is true to what is there: what it tells is done, and nothing else is."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from adapter.fhir.capability import capability_statement
from adapter.fhir.model import FhirVersion, validate
from adapter.settings import Source
from tests.service import service

SOURCE = "losus-r4"
OTHERS = ("Observation", "Condition", "Subscription", "Bundle", "AuditEvent", "Account")
CODES = ("create", "update", "read", "search-type", "delete", "patch", "vread", "history-instance")
NOT_OFFERED = {404, 405}


@pytest.fixture
async def client(dsn: str) -> AsyncIterator[httpx.AsyncClient]:
    kommun = Source(mapping="losus-r4", municipality="2380")
    async with service(dsn, sources={SOURCE: Source(mapping="losus-r4"), "kommun": kommun}) as one:
        yield one


async def statement(client: httpx.AsyncClient) -> dict[str, Any]:
    answer = await client.get("/fhir/metadata")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/fhir+json")
    told: dict[str, Any] = answer.json()
    return told


async def is_offered(client: httpx.AsyncClient, kind: str, code: str) -> bool:
    """Whether an interaction is there: it is refused for what is sent, if at all, and not as unknown."""
    body = {"resourceType": kind, "id": "x"}
    asked = {
        "create": ("POST", f"/fhir/{SOURCE}/{kind}", body),
        "update": ("PUT", f"/fhir/{SOURCE}/{kind}/x", body),
        "patch": ("PATCH", f"/fhir/{SOURCE}/{kind}/x", [{"op": "test"}]),
        "delete": ("DELETE", f"/fhir/{SOURCE}/{kind}/x", None),
        "search-type": ("GET", f"/fhir/{kind}", None),
        "read": ("GET", f"/fhir/{kind}/x", None),
        "vread": ("GET", f"/fhir/{kind}/x/_history/1", None),
        "history-instance": ("GET", f"/fhir/{kind}/x/_history", None),
    }
    method, address, content = asked[code]
    answer = await client.request(method, address, json=content)
    if code == "read":
        return answer.status_code != 405 and "no such interaction" not in answer.text
    return answer.status_code not in NOT_OFFERED


async def test_what_it_tells_is_done_and_nothing_else(client: httpx.AsyncClient) -> None:
    [rest] = (await statement(client))["rest"]
    told = {one["type"]: {i["code"] for i in one["interaction"]} for one in rest["resource"]}
    assert len(told) == len(rest["resource"]), "each type once"
    for kind in [*told, *OTHERS]:
        for code in CODES:
            assert await is_offered(client, kind, code) == (code in told.get(kind, set())), (kind, code)


async def test_every_route_below_fhir_is_told(client: httpx.AsyncClient) -> None:
    """The other way round: nothing is served that the statement leaves out."""
    [rest] = (await statement(client))["rest"]
    told = {one["type"]: {i["code"] for i in one["interaction"]} for one in rest["resource"]}
    operations = {one["name"] for one in rest["operation"]}
    for path, methods in (await client.get("/openapi.json")).json()["paths"].items():
        steps = path.removeprefix("/fhir/").split("/")
        if not path.startswith("/fhir/") or steps[-1] == "metadata":
            continue
        if named := [step[1:] for step in steps if step.startswith("$")]:
            assert set(named) <= operations, path
        elif steps[0] != "{source}":
            code = "read" if steps[-1] == "{name}" and "get" in methods else "search-type"
            assert code in told[steps[0]], path


async def test_conditions_and_tags_it_tells(client: httpx.AsyncClient) -> None:
    [rest] = (await statement(client))["rest"]
    kinds = {one["type"]: one for one in rest["resource"]}
    organization = {"resourceType": "Organization", "identifier": [{"system": "urn:x", "value": "1"}]}
    once = {"if-none-exist": "identifier=urn:x|1"}
    assert kinds["Organization"]["conditionalCreate"]
    made = await client.post(f"/fhir/{SOURCE}/Organization", json=organization, headers=once)
    again = await client.post(f"/fhir/{SOURCE}/Organization", json=organization, headers=once)
    assert (made.status_code, again.status_code) == (201, 200)
    assert kinds["Organization"]["conditionalUpdate"]
    found = await client.put(f"/fhir/{SOURCE}/Organization?identifier=urn:x%7C1", json=organization)
    assert found.status_code == 200
    assert [kind for kind, one in kinds.items() if "conditionalRead" in one] == ["Task"]


async def test_the_operations_it_tells_are_there_and_no_others(client: httpx.AsyncClient) -> None:
    [rest] = (await statement(client))["rest"]
    for name in [*(one["name"] for one in rest["operation"]), "everything", "export"]:
        source = "kommun" if name == "dispute" else SOURCE
        answer = await client.post(f"/fhir/{source}/${name}", json={"resourceType": "Parameters"})
        told = name in {one["name"] for one in rest["operation"]}
        assert (answer.status_code not in NOT_OFFERED) == told, (name, answer.text)


@pytest.mark.parametrize("kind", ["transaction", "batch"])
async def test_the_interactions_of_the_whole_are_there(client: httpx.AsyncClient, kind: str) -> None:
    [rest] = (await statement(client))["rest"]
    assert kind in {one["code"] for one in rest["interaction"]}
    answer = await client.post(f"/fhir/{SOURCE}", json={"resourceType": "Bundle", "type": kind})
    assert (answer.status_code, answer.json()["type"]) == (200, f"{kind}-response")


VALUES = {"date": "2024-03", "token": "x", "string": "a", "reference": "m"}


async def test_search_parameters_it_tells_are_understood_and_no_others(client: httpx.AsyncClient) -> None:
    """R4 search#errors: what is understood is in the link `self`; what is not is named, or refused."""
    [rest] = (await statement(client))["rest"]
    searched = 0
    strict = {"prefer": "handling=strict"}
    for resource in rest["resource"]:
        if "search-type" not in {one["code"] for one in resource["interaction"]}:
            assert "searchParam" not in resource
            continue
        address = f"/fhir/{resource['type']}"
        told = {one["name"]: one["type"] for one in resource["searchParam"]}
        for name, form in told.items():
            query = {name: VALUES[form]}
            answer = await client.get(address, params=query, headers=strict)
            assert answer.status_code == 200, (address, name, answer.text)
            assert answer.json()["link"][0]["url"].endswith(f"{address}?{name}={VALUES[form]}")
        for name in {"subject", "name", "measure", "occurrence", "status", "period", "_content"} - set(told):
            refused = await client.get(address, params={name: "x"}, headers=strict)
            assert (refused.status_code, name in refused.text) == (400, True), (address, name)
            ignored = (await client.get(address, params={name: "x"})).json()
            assert [entry["search"]["mode"] for entry in ignored["entry"]] == ["outcome"]
        searched += 1
    assert searched == 4


FORMATS = [
    # Accept, content type, because
    (None, "application/fhir+json", "JSON where nothing is asked for"),
    ("application/fhir+xml", "application/fhir+xml", "XML"),
    ("application/fhir+json; fhirVersion=5.0", "application/fhir+json; fhirVersion=5.0", "R5"),
]


@pytest.mark.parametrize(("accept", "kind", "because"), FORMATS)
async def test_formats_it_tells(
    client: httpx.AsyncClient, accept: str | None, kind: str, because: str
) -> None:
    answer = await client.get("/fhir/metadata", headers={"accept": accept} if accept else {})
    assert (answer.status_code, answer.headers["content-type"]) == (200, kind), because


async def test_the_same_at_a_base_that_is_none(client: httpx.AsyncClient) -> None:
    """Whether there is a source is not told to whoever asks."""
    for name in (SOURCE, "hospital-of-nowhere"):
        assert (await client.get(f"/fhir/{name}/metadata")).json() == await statement(client)


@pytest.mark.parametrize("version", FhirVersion)
def test_it_is_sound_fhir(version: FhirVersion) -> None:
    told = capability_statement(version, "1", "https://losus.example", 60)
    assert validate(told, version) == []
