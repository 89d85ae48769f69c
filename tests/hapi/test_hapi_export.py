"""Bulk Data export as HAPI FHIR does it: kick-off, status, manifest, files (Bulk Data IG 2.0, `$export`)."""

import datetime as dt
import json

import pytest

from tests.hapi.fhir import client, encounter
from tests.servers import eventually

ASYNC = {"Prefer": "respond-async", "Accept": "application/fhir+json"}
NDJSON = {"Accept": "application/fhir+ndjson"}


@pytest.fixture
def fhir(hapi):
    with client(hapi) as one:
        yield one


def exported(fhir, query):
    """Kick off, and give the manifest."""
    started = fhir.get(f"$export?{query}", headers=ASYNC)
    assert started.status_code == 202
    status = started.headers["Content-Location"]
    assert eventually(lambda: fhir.get(status).status_code == 200, within_s=120)
    return fhir.get(status).json()


def lines(fhir, file):
    return [json.loads(line) for line in fhir.get(file["url"], headers=NDJSON).text.splitlines()]


def test_files_hold_one_resource_a_line(hapi, fhir):
    hapi.put({"resourceType": "Patient", "id": "p1"})
    for n in range(3):
        hapi.put(encounter(f"e{n}"))
    manifest = exported(fhir, "_type=Encounter,Patient")
    files = {file["type"]: lines(fhir, file) for file in manifest["output"]}
    assert {kind: sorted(one["id"] for one in held) for kind, held in files.items()} == {
        "Encounter": ["e0", "e1", "e2"],
        "Patient": ["p1"],
    }
    assert manifest["error"] == []
    assert dt.datetime.fromisoformat(manifest["transactionTime"]).tzinfo is not None


def test_since_leaves_out_what_was_there_before(hapi, fhir):
    before = hapi.put(encounter("old"))["meta"]["lastUpdated"]
    just_after = dt.datetime.fromisoformat(before) + dt.timedelta(milliseconds=1)
    hapi.put(encounter("new"))
    since = just_after.isoformat(timespec="milliseconds").replace("+", "%2B")
    (file,) = exported(fhir, f"_type=Encounter&_since={since}")["output"]
    assert [one["id"] for one in lines(fhir, file)] == ["new"]


def test_while_it_works_it_says_when_to_ask_again(hapi, fhir):
    hapi.put(encounter("e1"))
    started = fhir.get("$export?_type=Encounter", headers=ASYNC)
    asked = fhir.get(started.headers["Content-Location"])
    if asked.status_code == 202:  # it may be done already
        assert asked.headers["Retry-After"] == "120", "longer than the work takes: who obeys is served late"
        assert asked.headers["X-Progress"]


def test_without_prefer_there_is_no_export(fhir):
    assert fhir.get("$export?_type=Encounter").status_code == 400


def test_a_file_asked_for_as_fhir_is_a_binary(hapi, fhir):
    """Only `Accept: application/fhir+ndjson` brings the lines themselves."""
    hapi.put(encounter("e1"))
    (file,) = exported(fhir, "_type=Encounter")["output"]
    wrapped = fhir.get(file["url"], headers={"Accept": "application/fhir+json"}).json()
    assert wrapped["resourceType"] == "Binary"
