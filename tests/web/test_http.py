"""HTTP as RFC 9110 and R4's RESTful API have it: methods, preconditions, addresses, formats."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from adapter.settings import Source
from tests.service import send, service, settings, way_home

Resource = dict[str, Any]
BASE = "https://losus.example/region"
SOURCE = "/fhir/losus-r4"
ORGANIZATION = {"resourceType": "Organization", "id": "o", "name": "a"}


@pytest.fixture
async def client(dsn: str) -> AsyncIterator[httpx.AsyncClient]:
    sources = {"losus-r4": Source(mapping="losus-r4"), "hl7-r5": Source(mapping="hl7-r5", fhir="R5")}
    async with service(dsn, sources=sources, base_url=f"{BASE}/") as one:
        yield one


ALLOWED = [
    # address, methods that it has (None: there is no such address), because
    ("/fhir/metadata", "GET, HEAD, OPTIONS", "R4 http#capabilities"),
    (f"{SOURCE}/metadata", "GET, HEAD, OPTIONS", "the same at a source's base"),
    ("/fhir/Invoice", "GET, HEAD, OPTIONS", "a search; no source is called so"),
    ("/fhir/Invoice/_search", "GET, HEAD, OPTIONS, POST", "a search by form; GET reads what has that id"),
    ("/fhir/Invoice/1", "GET, HEAD, OPTIONS", "a read"),
    ("/fhir/Task/1", "GET, HEAD, OPTIONS, PUT", "a read, and the region's answer"),
    (SOURCE, "OPTIONS, POST", "a transaction or a batch"),
    (f"{SOURCE}/Encounter", "OPTIONS, POST, PUT", "a create, a conditional update"),
    (f"{SOURCE}/Encounter/1", "OPTIONS, PUT", "an update; nothing is read back"),
    (f"{SOURCE}/$process-message", "OPTIONS, POST", "an operation"),
    (f"{SOURCE}/$subscription-hook", "OPTIONS, POST", "an operation"),
    (f"{SOURCE}/$subscription-hook/Observation/1", "OPTIONS, PUT", "a rest-hook may put any resource"),
    ("/fhir/nobody/$process-message", "OPTIONS, POST", "whether there is a source is not told"),
    ("/cases", "GET, HEAD, OPTIONS", "for people"),
    ("/healthz", "GET, HEAD, OPTIONS", "a probe"),
    ("/openapi.json", "GET, HEAD, OPTIONS", "FastAPI's own"),
    (f"{SOURCE}/Observation", None, "R4 http#create: 404, a type that is not supported"),
    (f"{SOURCE}/Observation/1", None, "R4 http#update: the same"),
    (f"{SOURCE}/$everything", None, "no such operation"),
    ("/fhir/Patient/1", None, "no patients are read here"),
    ("/nothing/at/all", None, "nothing"),
]


async def test_methods(client: httpx.AsyncClient) -> None:
    """RFC 9110, 15.5.6: 405 tells in Allow what there is; 9.3.7: OPTIONS does too; 9.1: else it is a 404."""
    for address, allowed, because in ALLOWED:
        for method in ("DELETE", "PATCH"):
            answer = await client.request(method, address)
            assert answer.status_code == (404 if allowed is None else 405), (address, because)
            assert answer.headers.get("allow") == allowed, (address, because)
            assert answer.json()["issue"][0]["code"] == "not-supported", address
        asked = await client.options(address)
        assert asked.status_code == (404 if allowed is None else 204), (address, because)
        assert asked.headers.get("allow") == allowed, (address, because)
        assert allowed is None or asked.content == b""


async def test_an_address_without_get_has_no_head(client: httpx.AsyncClient) -> None:
    for method in ("GET", "HEAD"):
        answer = await client.request(method, f"{SOURCE}/Encounter/1")
        assert (answer.status_code, answer.headers["allow"]) == (405, "OPTIONS, PUT"), method


HEADS = [
    "/fhir/metadata",
    f"{SOURCE}/metadata",
    "/fhir/Invoice?_count=3",
    "/fhir/Invoice/nothing",
    "/fhir/Task",
    "/cases",
    "/healthz",
    "/openapi.json",
    "/nothing",
]


async def test_head_is_get_without_content(client: httpx.AsyncClient) -> None:
    """RFC 9110, 9.3.2: the same status and headers as for GET, and no content; 8.6: Content-Length too."""
    for address in HEADS:
        for coding in ("identity", "gzip"):
            headers = {"accept-encoding": coding}
            one, other = [
                await client.request(method, address, headers=headers) for method in ("GET", "HEAD")
            ]
            of_both = [
                {name: value for name, value in answer.headers.items() if name != "x-request-id"}
                for answer in (one, other)
            ]
            assert (other.status_code, of_both[1]) == (one.status_code, of_both[0]), address
            assert other.content == b"", address


SLASHED = [
    # method, address without its slash, because
    ("GET", "/fhir/metadata", "a base URL with a slash at its end"),
    ("GET", "/fhir/Invoice", "a search"),
    ("POST", SOURCE, "a transaction"),
    ("POST", f"{SOURCE}/$process-message", "an operation"),
    ("PUT", f"{SOURCE}/Organization/o", "an update"),
    ("GET", "/cases", "for people"),
]


@pytest.mark.parametrize(("method", "address", "because"), SLASHED)
async def test_a_slash_at_the_end_is_passed_over(
    client: httpx.AsyncClient, method: str, address: str, because: str
) -> None:
    """Never a redirect: a client may turn POST into GET (RFC 9110, 15.4.2-3), and drops Authorization."""
    body = {"resourceType": "Bundle", "type": "batch"} if address == SOURCE else ORGANIZATION
    for more in ("/", "//"):
        answer = await client.request(method, address + more, json=body if method != "GET" else None)
        assert not answer.is_redirect, because
        assert answer.status_code in ({400, 422} if "$" in address else {200, 201}), (because, answer.text)


def newer(version: str) -> Resource:
    return {**ORGANIZATION, "meta": {"versionId": version, "lastUpdated": f"2024-03-04T1{version}:00:00Z"}}


UPDATES = [
    # known, headers, status, expression, because
    (None, {"if-match": "*"}, 412, "Organization.meta.versionId", "RFC 9110, 13.1.1: nothing is there"),
    ("1", {"if-match": "*"}, 200, None, "13.1.1: something is there"),
    ("1", {"if-match": 'W/"7", W/"1"'}, 200, None, "13.1.1: one of a list"),
    ("1", {"if-match": '"7","1"'}, 200, None, "strong tags: FHIR's versions are exact"),
    ("1", {"if-match": 'W/"7", "8"'}, 412, "Organization.meta.versionId", "none of a list"),
    ("1", {"if-match": "1"}, 200, None, "without quotes, as some clients send it"),
    ("1", {"if-match": '"1'}, 400, "Organization.meta.versionId", "8.8.3: no tag"),
    (None, {"if-none-match": "*"}, 201, None, "13.1.2: nothing is there"),
    ("1", {"if-none-match": "*"}, 412, "Organization", "13.1.2: something is there"),
    ("2", {"if-none-match": "*"}, 412, "Organization", "13.1.2: though it is the same, it is not to be done"),
    ("1", {"if-none-match": 'W/"1"'}, 412, "Organization", "13.1.2: that version"),
    ("1", {"if-none-match": 'W/"7"'}, 200, None, "13.1.2: another"),
    ("1", {"if-match": 'W/"1"', "if-none-match": 'W/"7"'}, 200, None, "13.2.2: both hold"),
    ("2", {"if-match": 'W/"1"'}, 412, "Organization.meta.versionId", "13.1.1: another is the newest"),
]


@pytest.mark.parametrize(("known", "headers", "status", "place", "because"), UPDATES)
@pytest.mark.parametrize("door", ["put", "transaction", "batch"])
async def test_preconditions_of_an_update(
    client: httpx.AsyncClient,
    door: str,
    known: str | None,
    headers: dict[str, str],
    status: int,
    place: str | None,
    because: str,
) -> None:
    if known:
        assert (await client.put(f"{SOURCE}/Organization/o", json=newer(known))).status_code == 201
    if door == "put":
        answer = await client.put(f"{SOURCE}/Organization/o", json=newer("2"), headers=headers)
        found, told = answer.status_code, answer.json() if answer.is_error else {}
    else:
        names = {"if-match": "ifMatch", "if-none-match": "ifNoneMatch"}
        demands = {names[name]: value for name, value in headers.items()}
        request = {"method": "PUT", "url": "Organization/o", **demands}
        entry = {"resource": newer("2"), "request": request}
        answer = await client.post(SOURCE, json={"resourceType": "Bundle", "type": door, "entry": [entry]})
        told = answer.json()
        response = (
            told["entry"][0]["response"] if not answer.is_error else {"status": str(answer.status_code)}
        )
        found, told = int(response["status"][:3]), response.get("outcome", told)
        place = place and f"Bundle.entry[0].request.{'ifMatch' if 'if-match' in headers else 'ifNoneMatch'}"
    assert found == status, (because, told)
    assert (told["issue"][0].get("expression") if status >= 400 else None) == (place and [place]), because


async def test_addresses_that_are_told_are_those_of_the_settings(client: httpx.AsyncClient) -> None:
    """RFC 9110, 10.2.2 (Location): never from Host, which anybody may say (17.1); one slash between."""
    host = {"host": "evil.example"}
    made = await client.put(f"{SOURCE}/Organization/o", json=ORGANIZATION, headers=host)
    assert made.headers["location"].startswith(f"{BASE}/fhir/losus-r4/Organization/o/_history/")
    told = (await client.get("/fhir/metadata", headers=host)).json()
    assert told["implementation"]["url"] == f"{BASE}/fhir"
    sent = (await client.post(f"{SOURCE}/$process-message", json=way_home()[0], headers=host)).json()
    assert sent["entry"][0]["resource"]["source"]["endpoint"] == BASE
    found = (await client.get("/fhir/Invoice?municipality=2380", headers=host)).json()
    assert found["link"][0]["url"] == f"{BASE}/fhir/Invoice?municipality=2380"


ADDRESSES = [
    # base_url in the settings, what is told of a service on port 9000, because
    (None, "http://127.0.0.1:9000", "nobody named an address: it is where the service listens"),
    ("https://losus.example/", "https://losus.example", "the address that was named, without its slash"),
    ("http://127.0.0.1:8000", "http://127.0.0.1:8000", "though it is the one that is meant by default"),
]


@pytest.mark.parametrize(("named", "told", "because"), ADDRESSES)
def test_the_address_of_a_service(named: str | None, told: str, because: str) -> None:
    given = settings("postgresql://x/y", **({"base_url": named} if named else {}))
    assert given.listening_on(9000).base_url == told, because


DSTU2 = [
    # content type, accept, content type of the answer, because
    ("application/json+fhir", "application/json+fhir", "application/json+fhir", "DSTU2's name for JSON"),
    ("application/xml+fhir", "application/xml+fhir", "application/xml+fhir", "and for XML"),
    (
        "application/json+fhir; charset=UTF-8",
        "application/fhir+json",
        "application/fhir+json",
        "with a charset",
    ),
]


@pytest.mark.parametrize(("sent", "accept", "answered", "because"), DSTU2)
async def test_the_media_types_of_dstu2(
    client: httpx.AsyncClient, sent: str, accept: str, answered: str, because: str
) -> None:
    body = json.dumps(ORGANIZATION)
    if "xml" in sent:
        body = '<Organization xmlns="http://hl7.org/fhir"><id value="o"/><name value="a"/></Organization>'
    headers = {"content-type": sent, "accept": accept, "prefer": "return=representation"}
    answer = await client.put(f"{SOURCE}/Organization/o", content=body, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (201, answered), because


async def test_what_clients_add_to_every_address_is_no_condition(client: httpx.AsyncClient) -> None:
    """fhirpy adds `_format=json` to writes too; R4 http#mime-type."""
    made = {**ORGANIZATION, "identifier": [{"system": "urn:x", "value": "1"}]}
    del made["id"]
    for query in ("identifier=urn:x%7C1&_format=json", "_pretty=true&identifier=urn%3Ax%7C1"):
        answer = await client.put(f"{SOURCE}/Organization?{query}", json=made)
        assert answer.status_code in {200, 201}, answer.text
    assert (await client.put(f"{SOURCE}/Organization?name=a&_format=json", json=made)).status_code == 422


async def test_a_body_with_a_byte_order_mark(client: httpx.AsyncClient) -> None:
    """RFC 8259, 8.1: a parser may ignore it."""
    body = b"\xef\xbb\xbf" + json.dumps(way_home()[0]).encode()
    assert (await send(client, body)).status_code == 200


IDENTIFIERS = [
    # Bundle.identifier, response.identifier, because
    ({"system": "urn:x", "value": "b-1"}, {"system": "urn:x", "value": "b-1"}, "R5: the Bundle's identifier"),
    (None, {"value": "b"}, "its id where there is none"),
    ({"system": "urn:x"}, {"value": "b"}, "or none that names anything"),
]


@pytest.mark.parametrize(("given", "told", "because"), IDENTIFIERS)
async def test_how_a_response_of_r5_names_the_message(
    client: httpx.AsyncClient, given: Resource | None, told: Resource, because: str
) -> None:
    header = {
        "resourceType": "MessageHeader",
        "id": "h",
        "eventCoding": {"system": "urn:x", "code": "y"},
        "source": {"endpointUrl": "https://ehr.example"},
    }
    bundle = {"resourceType": "Bundle", "id": "b", "type": "message", "timestamp": "2024-03-04T14:00:00Z"}
    if given:
        bundle["identifier"] = given  # type: ignore[assignment]
    body = {**bundle, "entry": [{"fullUrl": "urn:uuid:h", "resource": header}]}
    answer = await client.post("/fhir/hl7-r5/$process-message", json=body)
    response = answer.json()["entry"][0]["resource"]["response"]
    assert (answer.status_code, response["identifier"]) == (200, told), (because, answer.text)


HOOKS = [
    # body, status, because
    (b"", 422, "empty: it says that something has changed, and nobody can be asked what"),
    (b" \n", 422, "as good as empty"),
]


@pytest.mark.parametrize(("body", "status", "because"), HOOKS)
async def test_a_notification_that_only_a_server_could_explain(
    client: httpx.AsyncClient, body: bytes, status: int, because: str
) -> None:
    """RFC 9110, 15.5.6: 405 is about methods; 15.5.21: understood, and cannot be processed."""
    answer = await client.post(f"{SOURCE}/$subscription-hook", content=body)
    issue = answer.json()["issue"][0]
    assert (answer.status_code, issue["code"]) == (status, "not-supported"), because
    assert "server" in issue["diagnostics"]


ENCOUNTER = {"resourceType": "Encounter", "id": "e", "status": "planned", "class": {"code": "IMP"}}
PLACES = [
    # what is wrong with the Encounter, place in it, because
    ({"location": [None]}, "location[0]", "null in a list (R4 json)"),
    ({"period": {}}, "period", "an object without anything (R4 json)"),
    ({"status": "utskrivningsklar"}, "status", "no code of the value set"),
]


@pytest.mark.parametrize(("change", "place", "because"), PLACES)
async def test_a_fault_is_told_by_its_place_in_what_was_sent(
    client: httpx.AsyncClient, change: Resource, place: str, because: str
) -> None:
    wrong = {**ENCOUNTER, **change}
    alone = await client.put(f"{SOURCE}/Encounter/e", json=wrong)
    assert alone.json()["issue"][0]["expression"] == [f"Encounter.{place}"], because
    entries = [
        {"resource": one, "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"}}
        for one in (ORGANIZATION, wrong)
    ]
    for kind in ("transaction", "batch"):
        answer = await client.post(SOURCE, json={"resourceType": "Bundle", "type": kind, "entry": entries})
        told = answer.json()
        outcome = told if answer.is_error else told["entry"][1]["response"]["outcome"]
        assert outcome["issue"][0]["expression"] == [f"Bundle.entry[1].resource.{place}"], (kind, because)


SHAPES = [
    # body of a POST to the source's base, because
    ({"resourceType": "Bundle", "type": ["transaction"]}, "a type that is no text"),
    ({"resourceType": "Bundle", "type": {"a": 1}}, "nor an object"),
    *(
        ({"resourceType": "Bundle", "type": kind, **more}, because)
        for kind in ("transaction", "batch")
        for more, because in (
            ({"entry": 5}, "entries that are no list"),
            ({"entry": {"a": 1}}, "an object for a list"),
            ({"entry": "x"}, "a text for a list"),
            ({"entry": None}, "null for a list"),
            ({"entry": [None]}, "null for an entry"),
            ({"entry": [{"request": None, "resource": ORGANIZATION}]}, "null for a request"),
            ({"entry": [{"request": {"method": [], "url": "Organization/o"}}]}, "a list for a method"),
            ({"entry": [{"request": {"method": "PUT", "url": {}}}]}, "an object for an address"),
            (
                {"entry": [{"request": {"method": "PUT", "url": "Organization/o", "ifMatch": 1},
                            "resource": ORGANIZATION}]},
                "a number for a tag",
            ) if kind == "transaction" else ({"entry": [7]}, "a number for an entry"),
        )
    ),
]  # fmt: skip


@pytest.mark.parametrize(("body", "because"), SHAPES)
async def test_a_wrong_shape_is_no_fault_of_ours(
    client: httpx.AsyncClient, body: Resource, because: str
) -> None:
    answer = await client.post(SOURCE, json=body)
    told = answer.json()
    if answer.status_code == 200:
        told = told["entry"][0]["response"]["outcome"]
    else:
        assert 400 <= answer.status_code < 500, because
    assert told["issue"][0]["expression"][0].startswith("Bundle."), (because, told)
