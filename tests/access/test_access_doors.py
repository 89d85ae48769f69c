"""The doors of the running service: who comes in where, and what is told to whoever does not."""

from typing import Any

import httpx
import orjson
import pytest
from fastapi import APIRouter, FastAPI, Response

from adapter.errors import SetupError
from adapter.web import access
from tests.access.closed import BILL, names, send_as
from tests.access.issuer import NOW_S, claims, rsa, token
from tests.access.people import (
    AUDITOR,
    CALLERS,
    HASH,
    HOOK,
    NOBODY,
    PROOF,
    SUBJECT,
    api_key,
    bearer,
    person,
    tls,
)
from tests.service import settings
from tests.settling.hospital import JH

OWN, LOST = frozenset({"ostersund", "theirs"}), frozenset({"krokom", "krokoms"})
DOORS = [
    # door, who gets 200, who gets 404 (not told apart from what is not there); the others 403, nobody 401
    ("GET /cases", {"operator", "auditor"} | OWN | LOST, set()),
    ("GET /cases/{case}", {"operator", "auditor"} | OWN, LOST),
    ("GET /cases/{case}/timeline", {"operator", "auditor"} | OWN, LOST),
    ("GET /cases/nothing", set(), {"operator", "auditor"} | OWN | LOST),
    (f"GET {BILL}", {"controller", "auditor"} | OWN, LOST),
    ("GET /fhir/Invoice", {"controller", "auditor"} | OWN | LOST, set()),
    ("GET /fhir/MeasureReport", {"controller", "auditor"} | OWN | LOST, set()),
    ("GET /fhir/ChargeItem", {"controller", "auditor"} | OWN | LOST, set()),
    ("GET /fhir/Task", {"controller", "auditor"} | OWN | LOST, set()),
    ("GET /fhir/Invoice/{invoice}", {"controller", "auditor"} | OWN, LOST),
    ("GET /fhir/Organization/{organization}", {"controller", "auditor"} | OWN | LOST, set()),
    ("GET /follow-ups", {"controller", "auditor"} | OWN | LOST, set()),
    ("GET /follow-ups/{follow_up}", {"controller", "auditor"} | OWN, LOST),
    ("GET /fhir/Task/nothing", set(), {"controller", "auditor"} | OWN | LOST),
]


@pytest.mark.parametrize(("door", "let_in", "not_found"), DOORS)
async def test_who_reads_where(
    client: httpx.AsyncClient, region: str, door: str, let_in: set[str], not_found: set[str]
) -> None:
    path = door.removeprefix("GET ").format(**await names(region))
    expected = {
        name: 401 if name == "nobody" else 200 if name in let_in else 404 if name in not_found else 403
        for name in CALLERS
    }
    given = {name: (await client.get(path, headers=made())).status_code for name, made in CALLERS.items()}
    assert given == expected


SAME = [
    # method, address, because: who may GET it may do this, and nobody else (RFC 9110, 9.3.2; R4 http#search)
    ("POST", "/fhir/Invoice/_search", "a search by form"),
    ("POST", "/fhir/Task/_search", "a search by form"),
    ("HEAD", "/fhir/Invoice", "without its content"),
    ("GET", "/fhir/Invoice/", "a slash at its end"),
]


@pytest.mark.parametrize(("method", "address", "because"), SAME)
async def test_the_same_door_by_another_way(
    client: httpx.AsyncClient, method: str, address: str, because: str
) -> None:
    for name, made in CALLERS.items():
        plain = address.removesuffix("/_search").rstrip("/")
        wanted = (await client.get(plain, headers=made())).status_code
        given = await client.request(method, address, headers=made())
        assert given.status_code == wanted, (name, because)


async def test_what_an_address_can_do_is_told_to_anybody(client: httpx.AsyncClient) -> None:
    for address in ("/fhir/Invoice", "/cases", "/fhir/ostersund/Encounter", "/fhir/nobody/Encounter"):
        assert (await client.options(address)).status_code == 204


OPEN = ["/healthz", "/metrics", "/asyncapi.json", "/schemas"]


@pytest.mark.parametrize("path", OPEN)
async def test_what_is_open_to_all(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 200


WRITTEN = {"controller": 201, **dict.fromkeys(OWN, 201), **dict.fromkeys(LOST, 404), "nobody": 401}


async def test_who_writes_in_a_joint_follow_up(client: httpx.AsyncClient, region: str) -> None:
    """The region's controllers, and the municipality's own; an auditor and an operator change nothing."""
    address = f"/follow-ups/{(await names(region))['follow_up']}/entries"
    body = {"kind": "finding", "text": "Kallelserna är sena."}
    given = {
        name: (await client.post(address, json=body, headers=made())).status_code
        for name, made in CALLERS.items()
    }
    assert given == {name: WRITTEN.get(name, 403) for name in CALLERS}
    shown = (await client.get(f"{address.removesuffix('/entries')}", headers=CALLERS["auditor"]())).json()
    parties = [one["party"] for one in shown["findings"]]
    assert sorted(parties) == ["municipality", "municipality", "region"], "each for its own party"
    opening = {"agreement": JH, "municipality": "2380", "care_form": "somatic", "month": "2019-02"}
    for name in ("theirs", "ostersund", "auditor", "operator"):
        refused = await client.post("/follow-ups", json=opening, headers=CALLERS[name]())
        assert refused.status_code == 403, name
    theirs = (await client.get(address.removesuffix("/entries"), headers=CALLERS["theirs"]())).json()
    assert {one["author"] for one in theirs["entries"] if one["party"] != "municipality"} == {None}


SENT = [
    # source in the path, what is shown, status, because
    ("hospital", lambda: api_key("hospital"), 200, "as itself"),
    ("hospital", lambda: {"x-api-key": api_key("hospital")["authorization"][7:]}, 200, "the other header"),
    ("hospital", lambda: bearer(token()), 200, "a token with the scope"),
    ("hospital", lambda: tls(f"Hash={HASH}"), 200, "a certificate"),
    ("other", lambda: tls('Subject="CN=o"'), 200, "a certificate by its subject"),
    (
        "krokom",
        lambda: tls(f'Subject="{SUBJECT}"'),
        403,
        "says what is a hospital's to say",
    ),
    ("hospital", lambda: NOBODY, 401, "nothing shown"),
    ("hospital", lambda: bearer(token(key=rsa("rsa-2"))), 401, "signed by somebody else"),
    ("hospital", lambda: bearer(token(claims(exp=NOW_S - 31))), 401, "expired"),
    ("hospital", lambda: tls(f"Hash={HASH}", "guess"), 401, "spoofed: the proof is not the ingress's"),
    ("hospital", lambda: {"x-forwarded-client-cert": f"Hash={HASH}"}, 401, "spoofed: past the ingress"),
    ("hospital", lambda: bearer(token(claims(scope="system/Encounter.r"))), 403, "a token without the scope"),
    ("hospital", lambda: bearer(token(claims(scope=None))), 403, "a token without any scope"),
    ("narrow", lambda: api_key("narrow"), 403, "the settings do not grant it"),
    ("hospital", lambda: {"x-losus-hook": HOOK}, 403, "a notification's secret lets notifications in alone"),
    ("other", lambda: api_key("hospital"), 403, "as another"),
    ("nobody-knows", lambda: api_key("hospital"), 403, "as one that there is not: the same"),
    ("nobody-knows", lambda: NOBODY, 401, "whether there is one is not told"),
    ("hospital", AUDITOR, 403, "no person sends"),
    ("auditor", AUDITOR, 403, "nor by the name of a source"),
]


@pytest.mark.parametrize(("source", "shown", "status", "because"), SENT)
async def test_who_sends_as_whom(
    client: httpx.AsyncClient, source: str, shown: Any, status: int, because: str
) -> None:
    given = await send_as(client, source, shown())
    assert given.status_code == status, because
    if status == 401:
        assert given.headers["www-authenticate"] == 'Bearer realm="losus", ApiKey realm="losus"'
    if status != 200:
        assert given.json()["resourceType"] == "OperationOutcome"


BUNDLES = [
    # who, status, because
    (lambda: api_key("hospital"), 200, "its own door, and nothing that it may not do"),
    (lambda: api_key("other"), 403, "another's door"),
    (lambda: bearer(person("auditor", sub="hospital")), 403, "a person who is called as the source is"),
    (lambda: NOBODY, 401, "nobody"),
]


@pytest.mark.parametrize(("shown", "status", "because"), BUNDLES)
async def test_a_door_whose_scopes_stand_in_the_body(
    client: httpx.AsyncClient, shown: Any, status: int, because: str
) -> None:
    empty = {"resourceType": "Bundle", "type": "batch"}
    given = await client.post("/fhir/hospital", content=orjson.dumps(empty), headers=shown())
    assert given.status_code == status, because


def batch(kind: str) -> bytes:
    resource = {"resourceType": kind, "id": "a"}
    entry = {"resource": resource, "request": {"method": "PUT", "url": f"{kind}/a"}}
    return orjson.dumps({"resourceType": "Bundle", "type": "transaction", "entry": [entry]})


async def test_each_entry_needs_its_scope(client: httpx.AsyncClient) -> None:
    """`narrow` may create Encounters, and neither update one nor write anything else."""
    for kind in ("Encounter", "Task"):
        given = await client.post("/fhir/narrow", content=batch(kind), headers=api_key("narrow"))
        assert given.status_code == 403
        assert f'scope="system/{kind}.u"' in given.headers["www-authenticate"]
    given = await client.put("/fhir/narrow/Encounter/a", content=b"{}", headers=api_key("narrow"))
    assert given.status_code == 403


async def test_a_source_that_is_not_there_is_not_told_apart(client: httpx.AsyncClient) -> None:
    for headers in (NOBODY, api_key("hospital"), bearer("x.y.z")):
        known, unknown = [await send_as(client, name, headers) for name in ("other", "nobody-knows")]
        assert (known.status_code, known.content) == (unknown.status_code, unknown.content)
        for answer in (known, unknown):
            del answer.headers["x-request-id"]  # of the request, and of nothing else
        assert known.headers == unknown.headers


async def test_what_is_lacking_is_told(client: httpx.AsyncClient) -> None:
    """RFC 6750 3.1: so that who set the token up can mend it."""
    given = await send_as(client, "hospital", bearer(token(claims(scope=None))))
    assert given.headers["www-authenticate"] == (
        'Bearer realm="losus", error="insufficient_scope", scope="operation/process-message"'
    )


async def test_disputes_are_a_municipalitys(client: httpx.AsyncClient) -> None:
    async def ask(source: str, name: str) -> int:
        given = await client.post(f"/fhir/{source}/$dispute", content=b"{}", headers=CALLERS[name]())
        return given.status_code

    assert await ask("ostersund", "ostersund") == 422, "let in, and then it is no Task"
    assert await ask("ostersund", "krokom") == 403
    assert await ask("ostersund", "hospital") == 403
    assert await ask("hospital", "hospital") == 403, "a hospital has no statement to dispute"
    assert await ask("ostersund", "nobody") == 401


async def test_a_dispute_is_answered_by_the_regions_controller(client: httpx.AsyncClient) -> None:
    given = {
        name: (await client.put("/fhir/Task/x", content=b"{}", headers=made())).status_code
        for name, made in CALLERS.items()
    }
    assert given == {**dict.fromkeys(CALLERS, 403), "nobody": 401, "controller": 422}


async def test_guessing_is_answered_by_429(client: httpx.AsyncClient) -> None:
    here = {"x-forwarded-for": "192.0.2.10", "x-losus-ingress": PROOF}
    statuses = []
    for number in range(25):
        given = await send_as(client, "hospital", here | {"x-api-key": f"losus.guess.{number}"})
        statuses.append(given.status_code)
    assert statuses == [401] * 20 + [429] * 5
    assert 0 < int(given.headers["retry-after"]) <= 60
    assert given.json()["issue"][0]["code"] == "throttled"


def test_a_door_without_a_guard_is_found_at_the_start() -> None:
    router = APIRouter()

    @router.get("/forgotten/{name}")
    async def forgotten(name: str) -> Response:
        return Response(name)

    outer = APIRouter()
    outer.include_router(router)
    for given in (router, outer):
        with pytest.raises(SetupError) as caught:
            access.install(FastAPI(), settings("postgresql:///none"), [given])
        assert caught.value.problems[0].rule == "a door without a guard"
    assert access.unguarded(router) == ["/forgotten/{name}"]
