"""What the tables of this folder send (invented persons, a ward or two), and what they look at afterwards."""

import copy
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import asyncpg
import httpx

from adapter.inbound.library import Library
from adapter.inbound.rereader import reread_due
from tests.service import app_behind

Resource = dict[str, Any]

SOURCE = "/fhir/losus-r4"
BASE = "https://ehr.example/fhir"
PNR = "http://electronichealth.se/identifier/personnummer"
PNR_OID = "urn:oid:1.2.752.129.2.1.3.1"
NUMBER, ANOTHER_NUMBER, CHILDS_NUMBER = "194501019824", "193805179813", "202403059823"
VISITS = "https://ehr.example/visits"
STEP = "https://losus-adapter.se/fhir/CodeSystem/losus-step"
KOMMUN = "urn:oid:1.2.752.129.2.2.1.17"
ADMITTED_AT = "2024-03-04T14:20:00+01:00"


def meta(version: str | None = "1", changed: str | None = "2024-03-04T14:25:00+01:00") -> Resource:
    """The `meta` of a version; None of both: no meta."""
    told = {name: value for name, value in (("versionId", version), ("lastUpdated", changed)) if value}
    return {"meta": told} if told else {}


def person(name: str = "p1", number: str = NUMBER, kommun: str = "2380", **more: Any) -> Resource:
    """A person of a municipality."""
    return {
        "resourceType": "Patient",
        "id": name,
        **meta(),
        "identifier": [{"system": PNR, "value": number}],
        "name": [{"use": "official", "family": "Provsson", "given": ["Prova"]}],
        "address": [
            {
                "use": "home",
                "line": ["Gatan 1"],
                "city": "Orten",
                "extension": [
                    {
                        "url": "https://losus-adapter.se/fhir/StructureDefinition/kommunkod",
                        "valueCoding": {"system": KOMMUN, "code": kommun},
                    }
                ],
            }
        ],
        **more,
    }


def stay(name: str = "s1", **more: Any) -> Resource:
    """A stay of `p1` that goes on."""
    return {
        "resourceType": "Encounter",
        "id": name,
        **meta(),
        "status": "in-progress",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
        "serviceType": {
            "coding": [{"system": "https://losus-adapter.se/fhir/CodeSystem/care-form", "code": "somatic"}]
        },
        "subject": {"reference": "Patient/p1"},
        "period": {"start": ADMITTED_AT},
        **more,
    }


def finished(name: str = "s1", **more: Any) -> Resource:
    """The stay in its second version: it has ended."""
    told = {
        **meta("2", "2024-03-12T11:05:00+01:00"),
        "status": "finished",
        "period": {"start": ADMITTED_AT, "end": "2024-03-12T11:00:00+01:00"},
    }
    return stay(name, **{**told, **more})


def ready(name: str = "t1", **more: Any) -> Resource:
    """The Task that says utskrivningsklar, of stay `s1`."""
    return {
        "resourceType": "Task",
        "id": name,
        **meta("1", "2024-03-07T10:45:00+01:00"),
        "status": "completed",
        "intent": "order",
        "code": {"coding": [{"system": STEP, "code": "utskrivningsklar"}]},
        "encounter": {"reference": "Encounter/s1"},
        "executionPeriod": {"start": "2024-03-07T10:40:00+01:00"},
        **more,
    }


def plan(name: str = "c1", **more: Any) -> Resource:
    """The CarePlan that says that a SIP was held, of stay `s1`."""
    return {
        "resourceType": "CarePlan",
        "id": name,
        **meta("1", "2024-03-08T10:05:00+01:00"),
        "status": "active",
        "intent": "plan",
        "category": [
            {"coding": [{"system": "https://fhir.inera.se/CodeSystem/typeofcareplan-cs", "code": "SIP"}]}
        ],
        "subject": {"reference": "Patient/p1"},
        "encounter": {"reference": "Encounter/s1"},
        "period": {"start": "2024-03-08T10:00:00+01:00"},
        **more,
    }


def team(name: str = "g1", **more: Any) -> Resource:
    """The CareTeam that names the fast vårdkontakt, of stay `s1`."""
    return {
        "resourceType": "CareTeam",
        "id": name,
        **meta("1", "2024-03-06T10:05:00+01:00"),
        "status": "active",
        "subject": {"reference": "Patient/p1"},
        "encounter": {"reference": "Encounter/s1"},
        "participant": [
            {
                "period": {"start": "2024-03-06T10:00:00+01:00"},
                "role": [
                    {
                        "coding": [
                            {
                                "system": "https://terminologitjansten.inera.se/inera-kodverksforvaltning/"
                                "kodverk/kv_typ_av_fast_kontakt",
                                "code": "1",
                            }
                        ]
                    }
                ],
                "member": {"display": "Kontakten"},
            }
        ],
        **more,
    }


def logical(value: str, system: str = VISITS, kind: str | None = None) -> Resource:
    """A reference by identifier."""
    return {**({"type": kind} if kind else {}), "identifier": {"system": system, "value": value}}


def without(resource: Mapping[str, Any], *names: str) -> Resource:
    """The resource without some of its elements."""
    return {name: value for name, value in resource.items() if name not in names}


def numbered(*values: str) -> Resource:
    """The business identifiers of a stay."""
    return {"identifier": [{"system": VISITS, "value": value} for value in values]}


def entry(resource: Resource, full: str | None = "", request: Mapping[str, str] | None = None) -> Resource:
    """An entry of a Bundle: `full` is its fullUrl, "" for the one that the base gives, None for none."""
    named = f"{BASE}/{resource['resourceType']}/{resource.get('id')}" if full == "" else full
    told: Resource = {"fullUrl": named} if named else {}
    return {**told, "resource": resource, **({"request": dict(request)} if request else {})}


def message(
    name: str, *resources: Resource, sent: str | None = "2024-03-04T14:26:00+01:00", focus: str | None = None
) -> Resource:
    """A message under ids of its own; a resource may be given as an entry."""
    header = {
        "resourceType": "MessageHeader",
        "id": f"header-{name}",
        "eventCoding": {
            "system": "https://losus-adapter.se/fhir/CodeSystem/losus-event",
            "code": "losus-step",
        },
        "source": {"name": "Provsjukhuset", "endpoint": BASE},
        **({"focus": [{"reference": focus}]} if focus else {}),
    }
    every = [one if "resource" in one else entry(one) for one in (header, *resources)]
    stamp = {"timestamp": sent} if sent else {}
    return {"resourceType": "Bundle", "id": f"bundle-{name}", "type": "message", **stamp, "entry": every}


def put(resource: Resource, full: str | None = "", **request: str) -> Resource:
    """The entry of an update."""
    told = {"method": "PUT", "url": f"{resource['resourceType']}/{resource.get('id')}", **request}
    return entry(resource, full, told)


def post(resource: Resource, full: str | None = None, **request: str) -> Resource:
    """The entry of a create."""
    return entry(resource, full, {"method": "POST", "url": resource["resourceType"], **request})


def bundle(*entries: Resource, kind: str = "transaction") -> Resource:
    """A transaction or batch."""
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def condition(number: str = NUMBER, system: str = PNR) -> str:
    """A condition on the identifier."""
    return f"identifier={system}|{number}"


async def say(client: httpx.AsyncClient, sent: Resource, source: str = SOURCE) -> httpx.Response:
    """Send a message."""
    return await client.post(f"{source}/$process-message", content=json.dumps(sent))


async def update(client: httpx.AsyncClient, resource: Resource, **headers: str) -> httpx.Response:
    """Put a resource under its id."""
    path = f"{SOURCE}/{resource['resourceType']}/{resource['id']}"
    return await client.put(path, content=json.dumps(resource), headers=_headers(headers))


async def create(client: httpx.AsyncClient, resource: Resource, **headers: str) -> httpx.Response:
    """Post a resource to its type."""
    path = f"{SOURCE}/{resource['resourceType']}"
    return await client.post(path, content=json.dumps(resource), headers=_headers(headers))


async def transact(
    client: httpx.AsyncClient, *entries: Resource, kind: str = "transaction"
) -> httpx.Response:
    """Send a transaction or batch."""
    return await client.post(SOURCE, content=json.dumps(bundle(*entries, kind=kind)))


def _headers(given: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in given.items()}


def code_of(answer: httpx.Response) -> str:
    """The response code of a message."""
    return str(answer.json()["entry"][0]["resource"]["response"]["code"])


def issues(answer: httpx.Response) -> list[tuple[str, str, str | None]]:
    """Severity, code and place of every issue of an answer, a response message's details too."""
    body = answer.json()
    told = body if body["resourceType"] == "OperationOutcome" else body["entry"][-1]["resource"]
    return [
        (one["severity"], one["code"], (one.get("expression") or [None])[0]) for one in told.get("issue", ())
    ]


async def reread(client: httpx.AsyncClient) -> None:
    """Let what waits for something that has come be read again now."""
    app = app_behind(client)
    for _ in range(20):
        if not await reread_due(app.state.world, app.state.database, Library(), datetime.now(UTC)):
            return
    raise AssertionError("what is read again is never done")


async def cases(client: httpx.AsyncClient, **query: str) -> dict[str, tuple[str, str | None]]:
    """State and municipality of every case, by its key."""
    async with app_behind(client).state.database.transaction() as connection:
        keys = {row["id"]: row["key"] for row in await connection.fetch("select id, key from cases")}
    shown = (await client.get("/cases", params=query)).json()["cases"]
    return {keys[one["case_id"]]: (one["state"], one["municipality"]) for one in shown}


async def pictures(client: httpx.AsyncClient) -> dict[str, Resource]:
    """Every case as it is shown, by its key."""
    async with app_behind(client).state.database.transaction() as connection:
        keys = {row["id"]: row["key"] for row in await connection.fetch("select id, key from cases")}
    shown = (await client.get("/cases")).json()["cases"]
    return {keys[one["case_id"]]: one for one in shown}


async def rows(dsn: str, query: str) -> list[tuple[Any, ...]]:
    """What a query finds."""
    connection = await asyncpg.connect(dsn)
    try:
        return [tuple(row) for row in await connection.fetch(query)]
    finally:
        await connection.close()


async def held(dsn: str) -> list[str]:
    """Why each message is held, oldest first."""
    return [cause for (cause,) in await rows(dsn, "select cause from held order by message")]


async def events(dsn: str) -> list[tuple[str | None, int]]:
    """Municipality and revision of all that is published of cases, in order."""
    found = await rows(
        dsn, "select municipality, revision from event where type like 'se.losus.case.%' order by id"
    )
    return [(municipality, revision) for municipality, revision in found]


def changed(resource: Resource, **more: Any) -> Resource:
    """A deep copy with other elements."""
    return {**copy.deepcopy(resource), **more}


def entries_of(answer: httpx.Response) -> Iterable[Resource]:
    """The responses to the entries of a transaction or batch."""
    return [one["response"] for one in answer.json()["entry"]]
