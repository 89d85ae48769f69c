"""What HAPI FHIR's server does that the doors are tried against: search, pages, versions, Bundles."""

import psutil
import pytest

from adapter.fhir.model import FhirVersion
from tests.hapi.fhir import client, encounter, encounter_r5, ids, link, pages

SINCE = "Encounter?_lastUpdated=ge2020-01-01T00:00:00Z&_sort=_lastUpdated"


@pytest.fixture
def fhir(hapi):
    with client(hapi) as one:
        yield one


@pytest.mark.parametrize(
    ("version", "told"),
    [(FhirVersion.R4, "4.0.1"), (FhirVersion.R4B, "4.3.0"), (FhirVersion.R5, "5.0.0")],
)
def test_speaks_the_version_asked_for(hapi_of, version, told):
    server = hapi_of(version)
    stored = server.put(encounter_r5("e1") if version is FhirVersion.R5 else encounter("e1"))
    with client(server) as fhir:
        assert fhir.get("metadata").json()["fhirVersion"] == told
        assert ids(fhir.get("Encounter?status=in-progress").json()) == [stored["id"]]


def test_stays_small(hapi):
    """In bytes; a developer's machine has a browser open too."""
    hapi.put(encounter("e1"))
    assert psutil.Process(hapi.pid).memory_info().rss < 1_500_000_000


def test_each_test_finds_it_empty(hapi, fhir):
    hapi.put(encounter("e1"))
    assert ids(fhir.get(SINCE).json()) == ["e1"]
    hapi.reset()
    assert ids(fhir.get(SINCE).json()) == []
    assert hapi.put(encounter("e1"))["meta"]["versionId"] == "1", "nor is it remembered that it was there"


class TestSearch:
    def test_pages_hold_all_once_and_in_order_of_time(self, hapi, fhir):
        for n in range(7):
            hapi.put(encounter(f"e{n}"))
        found = pages(fhir, f"{SINCE}&_count=3")
        assert [ids(page) for page in found] == [["e0", "e1", "e2"], ["e3", "e4", "e5"], ["e6"]]
        assert [page["total"] for page in found] == [7, 7, 7]

    def test_next_is_opaque_and_below_the_base(self, hapi, fhir):
        for n in range(2):
            hapi.put(encounter(f"e{n}"))
        following = link(fhir.get(f"{SINCE}&_count=1").json(), "next")
        assert following.startswith(f"{hapi.base_url}?")
        assert "_lastUpdated" not in following, "the query is not told in it: HAPI keeps it under a name"

    def test_pages_are_of_the_moment_of_the_first(self, hapi, fhir):
        for n in range(2):
            hapi.put(encounter(f"e{n}"))
        first = fhir.get(f"{SINCE}&_count=1").json()
        hapi.put(encounter("late"))
        assert ids(fhir.get(link(first, "next")).json()) == ["e1"]
        assert link(fhir.get(link(first, "next")).json(), "next") is None

    def test_no_page_is_longer_than_the_server_will(self, fhir):
        entries = [
            {"resource": encounter(f"e{n}"), "request": {"method": "PUT", "url": f"Encounter/e{n}"}}
            for n in range(51)
        ]
        fhir.post("", json={"resourceType": "Bundle", "type": "transaction", "entry": entries})
        assert [len(page["entry"]) for page in pages(fhir, f"{SINCE}&_count=1000")] == [50, 1]

    def test_a_search_that_is_gone_answers_410(self, hapi, fhir):
        for n in range(2):
            hapi.put(encounter(f"e{n}"))
        following = link(fhir.get(f"{SINCE}&_count=1").json(), "next")
        hapi.reset()
        answer = fhir.get(following)
        assert answer.status_code == 410
        assert answer.json()["resourceType"] == "OperationOutcome"

    def test_the_same_question_within_a_minute_gets_the_old_answer(self, hapi, fhir):
        hapi.put(encounter("e1"))
        first = fhir.get(SINCE)
        hapi.put(encounter("e2"))
        again, anew = fhir.get(SINCE), fhir.get(SINCE, headers={"Cache-Control": "no-cache"})
        assert "X-Cache" not in first.headers
        assert again.headers["X-Cache"].startswith("HIT")
        assert ids(again.json()) == ["e1"]
        assert ids(anew.json()) == ["e1", "e2"], "so who polls says no-cache"

    def test_what_was_deleted_is_in_the_history_alone(self, hapi, fhir):
        hapi.put(encounter("e1"))
        fhir.delete("Encounter/e1")
        assert ids(fhir.get(SINCE).json()) == []
        assert fhir.get("Encounter/e1").status_code == 410
        deleted, created = fhir.get("Encounter/_history").json()["entry"]
        assert deleted["request"]["method"] == "DELETE"
        assert "resource" not in deleted
        assert created["resource"]["meta"]["versionId"] == "1"


class TestVersions:
    def test_what_has_not_changed_is_not_sent_again(self, hapi, fhir):
        hapi.put(encounter("e1"))
        etag = fhir.get("Encounter/e1").headers["ETag"]
        assert etag == 'W/"1"'
        assert fhir.get("Encounter/e1", headers={"If-None-Match": etag}).status_code == 304
        hapi.put(encounter("e1", "finished"))
        assert fhir.get("Encounter/e1", headers={"If-None-Match": etag}).headers["ETag"] == 'W/"2"'

    @pytest.mark.parametrize(
        ("etag", "status", "because"),
        [
            ('W/"1"', 200, "it is the current version"),
            ('W/"2"', 409, "FHIR R4 3.1.0.5 asks for 412; HAPI's JPA server says conflict"),
        ],
    )
    def test_update_if_match(self, hapi, fhir, etag, status, because):
        hapi.put(encounter("e1"))
        changed = encounter("e1", "finished")
        answer = fhir.put("Encounter/e1", json=changed, headers={"If-Match": etag})
        assert answer.status_code == status, because

    @pytest.mark.parametrize(
        ("there", "status", "because"),
        [
            (0, 201, "none matches: it is created (FHIR R4 3.1.0.8.1)"),
            (1, 200, "one matches: nothing is created"),
            (2, 412, "several match: the client was not selective enough"),
        ],
    )
    def test_conditional_create(self, fhir, there, status, because):
        new = {**encounter("ignored"), "identifier": [{"system": "urn:example", "value": "7"}]}
        for _ in range(there):
            fhir.post("Encounter", json=new)
        condition = {"If-None-Exist": "identifier=urn:example|7"}
        assert fhir.post("Encounter", json=new, headers=condition).status_code == status, because
        held = fhir.get("Encounter?identifier=urn:example|7", headers={"Cache-Control": "no-cache"})
        assert len(ids(held.json())) == max(there, 1)


class TestBundles:
    PATIENT = "urn:uuid:0f6cbf2f-0000-4000-8000-000000000001"

    def post(self, fhir, kind, *resources):
        entries = [
            {"fullUrl": self.PATIENT if one["resourceType"] == "Patient" else None, "resource": one}
            for one in resources
        ]
        for entry in entries:
            entry["request"] = {"method": "POST", "url": entry["resource"]["resourceType"]}
        return fhir.post("", json={"resourceType": "Bundle", "type": kind, "entry": entries})

    def test_a_transaction_puts_ids_for_references(self, fhir):
        of_patient = {**encounter("ignored"), "subject": {"reference": self.PATIENT}}
        answer = self.post(fhir, "transaction", {"resourceType": "Patient"}, of_patient).json()
        assert answer["type"] == "transaction-response"
        patient, made = (entry["response"]["location"].split("/_history")[0] for entry in answer["entry"])
        assert fhir.get(made).json()["subject"]["reference"] == patient

    @pytest.mark.parametrize(
        ("kind", "status", "held", "because"),
        [
            ("transaction", 400, 0, "all or nothing (FHIR R4 3.1.0.11.2)"),
            ("batch", 200, 1, "each entry for itself, with an answer of its own"),
        ],
    )
    def test_one_entry_that_cannot_be_stored(self, fhir, kind, status, held, because):
        broken = {**encounter("ignored"), "subject": {"reference": "Patient/nobody"}}
        assert self.post(fhir, kind, encounter("ignored"), broken).status_code == status, because
        assert len(ids(fhir.get("Encounter").json())) == held
