"""`/asyncapi.json`, `/asyncapi.yaml`, `/schemas`: what subscribers are promised, as it is installed here."""

import jsonschema
import yaml

from tests.outbound.published import FORMATS
from tests.service import send, service, way_home


async def test_the_document_is_of_this_installation(dsn: str) -> None:
    async with service(dsn) as client:
        told = await client.get("/asyncapi.json")
        as_yaml = await client.get("/asyncapi.yaml")
    assert (told.status_code, as_yaml.status_code) == (200, 200)
    assert told.headers["content-type"] == "application/vnd.aai.asyncapi+json;version=3.0.0"
    document = told.json()
    assert document["channels"]["events"]["parameters"]["kommunkod"]["enum"] == ["2309", "2380"]
    assert document["servers"]["kafka"]["host"] == "127.0.0.1:1"
    assert yaml.safe_load(as_yaml.content) == document


async def test_every_schema_is_served_where_the_list_says(dsn: str) -> None:
    async with service(dsn) as client:
        listed = (await client.get("/schemas")).json()
        for name, address in listed.items():
            answer = await client.get(address)
            assert answer.headers["content-type"] == "application/schema+json"
            assert answer.json()["$id"].endswith(name)
            jsonschema.Draft202012Validator.check_schema(answer.json())
        unknown = await client.get("/schemas/case.v0.json")
    assert len(listed) == 10
    assert (unknown.status_code, unknown.json()["resourceType"]) == (404, "OperationOutcome")


async def test_a_case_is_as_its_schema_says_in_full_and_in_brief(dsn: str) -> None:
    """`GET /cases/{id}` is the picture of the newest event, for who sees it all."""
    async with service(dsn) as client:
        for message in way_home():
            assert (await send(client, message)).status_code == 200
        listed = (await client.get("/cases")).json()["cases"]
        one = (await client.get(f"/cases/{listed[0]['case_id']}")).json()
        shape = (await client.get("/schemas/case.v1.json")).json()
    check = jsonschema.Draft202012Validator(shape, format_checker=FORMATS)
    assert len(listed) == 1
    for case in (*listed, one):
        check.validate(case)
    assert not check.is_valid({name: value for name, value in one.items() if name != "unit"})
