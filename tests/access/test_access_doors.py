"""The doors of the running service: who comes in where, what each sees there, what the audit says of it."""

import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import orjson
import pytest
from fastapi import APIRouter, FastAPI, Response

from adapter.access.entrance import Entrance
from adapter.errors import SetupError
from adapter.sandbox.database import Database as Server
from adapter.settings import Subscriber
from adapter.store.audit import Entry, head, read, verify
from adapter.store.database import connect
from adapter.web import access
from tests.access.issuer import NOW, NOW_S, claims, rsa, token
from tests.access.people import HASH, HOOK, INGRESS, PROOF, SUBJECT, api_key, bearer, person, sources, staff
from tests.service import GLN, renewed, service, settings, way_home
from tests.settling.hospital import JH, messages, rows, settled, tell

SPRING = ("2019-01", "2019-02", "2019-03", "2019-04")
SUBSCRIBERS = {
    "2380": Subscriber(name="Östersund", organizations=(GLN,)),
    "2309": Subscriber(name="Krokom", payload="statutory"),
}


@pytest.fixture(scope="module")
async def dsn(database: Server) -> AsyncIterator[str]:
    """A spring of stays in Östersund and one in Krokom, settled; what these tests do only adds to it."""
    name = f"test_{uuid.uuid4().hex}"
    connection = await asyncpg.connect(database.dsn)
    await connection.execute(f"CREATE DATABASE {name} STRATEGY file_copy")
    await connection.close()
    made = database.dsn.rpartition("/")[0] + f"/{name}"
    async with service(made) as client:
        for number, month in enumerate(SPRING):
            await tell(client, *messages(number, month, 20))
        await tell(client, *messages(9, "2019-04", 20, "2309"))
        for month in SPRING:
            await settled(made, month, "2019-05-02", issue=True)
    yield made
    connection = await asyncpg.connect(database.dsn)
    await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await connection.close()


@asynccontextmanager
async def guarded(dsn: str, folder: Path, **more: Any) -> AsyncIterator[httpx.AsyncClient]:
    given = {"sources": sources(folder), "staff": staff(folder), "ingress": INGRESS, **more}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(access, "Entrance", partial(Entrance, now=lambda: NOW))
        async with service(dsn, open_doors=False, subscribers=SUBSCRIBERS, **given) as client:
            yield client


@pytest.fixture(scope="module")
async def client(dsn: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[httpx.AsyncClient]:
    """The service with its doors closed, at the tests' own time of day."""
    async with guarded(dsn, tmp_path_factory.mktemp("secrets")) as closed:
        yield closed


NOBODY: dict[str, str] = {}
OPERATOR, CONTROLLER, AUDITOR = (
    lambda role=role: bearer(person(role)) for role in ("region-operator", "controller", "auditor")
)
CALLERS = {
    "nobody": lambda: NOBODY,
    "hospital": lambda: api_key("hospital"),
    "other": lambda: api_key("other"),
    "narrow": lambda: api_key("narrow"),
    "ostersund": lambda: api_key("ostersund"),
    "krokom": lambda: api_key("krokom"),
    "operator": OPERATOR,
    "controller": CONTROLLER,
    "auditor": AUDITOR,
    "theirs": lambda: bearer(person("municipality-controller", municipality="2380")),
    "krokoms": lambda: bearer(person("municipality-controller", municipality="2309")),
}
BILL = f"/settlements/{JH}/2380/2019-04"
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
    ("GET /fhir/Task/nothing", set(), {"controller", "auditor"} | OWN | LOST),
]


async def names(dsn: str) -> dict[str, str]:
    """The case and the resources of Östersund's April that the doors are tried with."""
    [(case,)] = await rows(dsn, "select id from cases where municipality = '2380' order by id limit 1")
    [(invoice,)] = await rows(
        dsn,
        """select statement_resource.id from statement_resource join statement on statement.id = statement
           where type = 'Invoice' and municipality = '2380' limit 1""",
    )
    [(organization,)] = await rows(
        dsn, "select id from statement_resource where type = 'Organization' order by number limit 1"
    )
    return {"case": case, "invoice": invoice, "organization": organization}


@pytest.mark.parametrize(("door", "let_in", "not_found"), DOORS)
async def test_who_reads_where(
    client: httpx.AsyncClient, dsn: str, door: str, let_in: set[str], not_found: set[str]
) -> None:
    path = door.removeprefix("GET ").format(**await names(dsn))
    expected = {
        name: 401 if name == "nobody" else 200 if name in let_in else 404 if name in not_found else 403
        for name in CALLERS
    }
    given = {name: (await client.get(path, headers=made())).status_code for name, made in CALLERS.items()}
    assert given == expected


OPEN = ["/healthz", "/metrics", "/asyncapi.json", "/schemas"]


@pytest.mark.parametrize("path", OPEN)
async def test_what_is_open_to_all(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 200


async def send_as(client: httpx.AsyncClient, source: str, headers: Mapping[str, str]) -> httpx.Response:
    message = renewed(way_home()[0], uuid.uuid4().hex)
    path = f"/fhir/{source}/$process-message"
    return await client.post(path, content=orjson.dumps(message), headers=headers)


def tls(header: str, proof: str = PROOF) -> dict[str, str]:
    return {"x-forwarded-client-cert": header, "x-losus-ingress": proof}


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


MUNICIPAL = [
    # caller, query, municipalities that are seen, because
    ("ostersund", "", {"2380"}, "its own, without asking"),
    ("ostersund", "?municipality=2380", {"2380"}, "its own, asked for"),
    ("ostersund", "?municipality=2309", set(), "another's: nothing"),
    ("ostersund", "?municipality=", set(), "no municipality's"),
    ("theirs", "", {"2380"}, "a controller of the municipality"),
    ("theirs", "?municipality=2309", set(), "another's: nothing"),
    ("krokoms", "", {"2309"}, "the other way round"),
    ("auditor", "", {"2380", "2309"}, "the region sees all"),
    ("auditor", "?municipality=2309", {"2309"}, "and filters as it likes"),
]


@pytest.mark.parametrize(("caller", "query", "seen", "because"), MUNICIPAL)
async def test_a_municipality_sees_its_own_cases(
    client: httpx.AsyncClient, caller: str, query: str, seen: set[str], because: str
) -> None:
    given = await client.get(f"/cases{query}", headers=CALLERS[caller]())
    assert {case["municipality"] for case in given.json()["cases"]} == seen, because


@pytest.mark.parametrize(("caller", "query", "seen", "because"), MUNICIPAL)
@pytest.mark.parametrize("kind", ["Invoice", "MeasureReport", "ChargeItem"])
async def test_a_municipality_sees_its_own_bills(
    client: httpx.AsyncClient, dsn: str, kind: str, caller: str, query: str, seen: set[str], because: str
) -> None:
    owner = dict(await rows(dsn, f"select id, municipality from issued_resource where type = '{kind}'"))  # noqa: S608
    given = (await client.get(f"/fhir/{kind}{query}", headers=CALLERS[caller]())).json()
    shown = [entry["resource"]["id"] for entry in given.get("entry", ())]
    allowed = seen & set(owner.values())
    assert {owner[name] for name in shown} == allowed, because
    assert given["total"] == sum(1 for code in owner.values() if code in allowed), "nor is it counted"


async def test_anothers_is_as_if_it_were_not_there(client: httpx.AsyncClient, dsn: str) -> None:
    named = await names(dsn)
    pairs = [
        (f"/cases/{named['case']}", "/cases/nothing"),
        (f"/cases/{named['case']}/timeline", "/cases/nothing/timeline"),
        (BILL, BILL.replace("2380", "2361")),
        (f"/fhir/Invoice/{named['invoice']}", "/fhir/Invoice/nothing"),
    ]
    for there, nowhere in pairs:
        one, another = [await client.get(path, headers=api_key("krokom")) for path in (there, nowhere)]
        assert (one.status_code, one.content, one.headers) == (404, another.content, another.headers), there


async def test_a_municipality_reads_what_it_is_sent(client: httpx.AsyncClient, dsn: str) -> None:
    """Krokom is sent the four fields of LUS 2:2 and the state: it reads no more than that either."""
    [(case,)] = await rows(dsn, "select id from cases where municipality = '2309'")
    whole = (await client.get(f"/cases/{case}", headers=AUDITOR())).json()
    sent = (await client.get(f"/cases/{case}", headers=api_key("krokom"))).json()
    assert (whole["payload"], sent["payload"]) == ("full", "statutory")
    assert sent["statutory"] == whole["statutory"]
    assert whole["sources"]
    assert not sent["sources"]
    [listed] = (await client.get("/cases", headers=api_key("krokom"))).json()["cases"]
    assert listed == sent
    timeline = f"/cases/{case}/timeline"
    assert (await client.get(timeline, headers=api_key("krokom"))).status_code == 403
    assert (await client.get(timeline, headers=AUDITOR())).status_code == 200


async def audited(dsn: str, after: int) -> list[Entry]:
    store = await connect(dsn)
    try:
        async with store.transaction() as connection:
            assert await verify(connection) is None
            return [one.entry async for one in read(connection) if one.number > after]
    finally:
        await store.close()


async def last(dsn: str) -> int:
    store = await connect(dsn)
    try:
        async with store.transaction() as connection:
            return (await head(connection)).number
    finally:
        await store.close()


async def test_each_reading_is_audited(client: httpx.AsyncClient, dsn: str) -> None:
    """PDL 4:3, HSLF-FS 2016:40 4:9: who, what, whose, when, and what allowed it."""
    named = await names(dsn)
    case, invoice = named["case"], named["invoice"]
    before = await last(dsn)
    listed = (await client.get("/cases?municipality=2380", headers=OPERATOR())).json()["cases"]
    await client.get(f"/cases/{case}", headers=AUDITOR())
    await client.get(f"/cases/{case}/timeline", headers=api_key("ostersund"))
    await client.get(f"/cases/{case}", headers=api_key("krokom"))
    await client.get("/cases/19121212-1212", headers=AUDITOR())
    await client.get(f"/fhir/Invoice/{invoice}", headers=CONTROLLER())
    told = [
        (one.kind, one.who, one.action, one.what, one.outcome, one.why, one.municipality)
        for one in await audited(dsn, before)
        if one.kind != "attempt"
    ]
    cases = tuple(f"case/{one['case_id']}" for one in listed)
    assert len(cases) >= len(SPRING)
    assert told == [
        ("staff", "region-operator", "search", cases, "ok", "region-operator", "2380"),
        ("staff", "auditor", "read", (f"case/{case}",), "ok", "auditor", "2380"),
        ("source", "ostersund", "read", (f"case/{case}",), "ok", "own municipality", "2380"),
        ("source", "krokom", "read", (f"case/{case}",), "not-found", "own municipality", "2309"),
        ("staff", "auditor", "read", ("case/unknown",), "not-found", "auditor", None),
        ("staff", "controller", "read", (f"Invoice/{invoice}",), "ok", "controller", None),
    ]


async def test_no_audit_no_answer(client: httpx.AsyncClient, dsn: str) -> None:
    """What cannot be written down is not given, though it could be read."""
    path = f"/cases/{(await names(dsn))['case']}"
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("alter table audit rename to away")
        given = await client.get(path, headers=AUDITOR())
        assert (given.status_code, given.json()["resourceType"]) == (500, "OperationOutcome")
    finally:
        await connection.execute("alter table away rename to audit")
        await connection.close()
    assert (await client.get(path, headers=AUDITOR())).status_code == 200


async def test_failed_attempts_are_audited_together(dsn: str, tmp_path: Path) -> None:
    """One entry for many of a kind, written when the service ends at the latest."""
    before = await last(dsn)
    here = {"x-forwarded-for": "192.0.2.9", "x-losus-ingress": PROOF}
    async with guarded(dsn, tmp_path) as closed:
        for _ in range(7):
            await send_as(closed, "hospital", here | bearer(token(claims(exp=NOW_S - 60))))
        for _ in range(3):
            await send_as(closed, "other", here | api_key("hospital"))
        await send_as(closed, "19121212-1212", here)
    entries = [one for one in await audited(dsn, before) if one.address == "192.0.2.9"]
    counts: dict[tuple[str, str, str, tuple[str, ...]], int] = {}
    for one in entries:
        kind = (one.kind, one.who, one.why, one.what)
        counts[kind] = counts.get(kind, 0) + one.count
    door = ("door//fhir/{source}/$process-message",)
    assert counts == {
        ("attempt", "hospital", "expired", door): 7,
        ("attempt", "hospital", "other-source", door): 3,
        ("attempt", "unknown", "missing", door): 1,
    }
    assert len(entries) <= 6, "gathered, not one by one"


async def test_guessing_is_answered_by_429(client: httpx.AsyncClient) -> None:
    here = {"x-forwarded-for": "192.0.2.10", "x-losus-ingress": PROOF}
    statuses = []
    for number in range(25):
        given = await send_as(client, "hospital", here | {"x-api-key": f"losus.guess.{number}"})
        statuses.append(given.status_code)
    assert statuses == [401] * 20 + [429] * 5
    assert 0 < int(given.headers["retry-after"]) <= 60
    assert given.json()["issue"][0]["code"] == "throttled"


async def test_the_sandbox_is_open(dsn: str) -> None:
    async with service(dsn) as client:
        before = await last(dsn)
        assert (await client.get("/cases?limit=1")).status_code == 200
        [one] = await audited(dsn, before)
        assert (one.kind, one.why) == ("anybody", "open doors")


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
