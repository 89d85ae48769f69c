"""SMART's fhirclient (https://github.com/smart-on-fhir/client-py): its models check what is answered."""

from collections.abc import Iterator

import pytest
from fhirclient.client import FHIRClient
from fhirclient.models.bundle import Bundle
from fhirclient.models.encounter import Encounter
from fhirclient.models.fhirdatetime import FHIRDateTime
from fhirclient.models.patient import Patient
from fhirclient.server import FHIRServer
from requests import HTTPError

from tests.clients.adapter_server import AdapterServer
from tests.clients.stories import END, admission, encounter, id_in, patient


@pytest.fixture
def server(adapter: AdapterServer) -> Iterator[FHIRServer]:
    smart = FHIRClient(settings={"app_id": "ehr", "api_base": adapter.base})
    yield smart.server
    smart.server.session.close()


def test_it_is_ready_by_the_capability_statement(server: FHIRServer) -> None:
    assert server.prepare()
    assert server.capabilityStatement.fhirVersion == "4.0.1"


def test_create_then_update(adapter: AdapterServer, server: FHIRServer, key: str) -> None:
    person = Patient(Patient(patient(key)).create(server))
    stay = Encounter(Encounter(encounter(key, person.relativePath())).create(server))
    assert adapter.cases(key) == [("admitted", 1, "2380")]
    first = (stay.id, stay.meta.versionId)
    stay.status, stay.period.end = "finished", FHIRDateTime(END)
    stay = Encounter(stay.update(server))
    assert adapter.cases(key) == [("discharged", 2, "2380")], "an update, and no second create"
    assert stay.id == first[0]
    assert stay.meta.versionId != first[1]
    again = Encounter(stay.update(server))
    assert again.meta.versionId == stay.meta.versionId, "what has not changed is no new version"
    assert adapter.cases(key) == [("discharged", 2, "2380")]


def test_a_create_that_is_sent_again(server: FHIRServer, key: str) -> None:
    """Whoever lost the answer takes id and version from the next."""
    person, again = (Patient(Patient(patient(key)).create(server)) for _ in range(2))
    assert (again.id, again.meta.versionId) == (person.id, person.meta.versionId)


def test_a_transaction(adapter: AdapterServer, server: FHIRServer, key: str) -> None:
    """The library posts it to the base with a slash at its end."""
    answer = Bundle(Bundle(admission(key)).create(server))
    assert [entry.response.status for entry in answer.entry] == ["201 Created", "201 Created"]
    person, stay = (id_in(entry.response.location) for entry in answer.entry)
    assert adapter.cases(key) == [("admitted", 1, "2380")]
    ended = Encounter({**encounter(key, f"Patient/{person}"), "id": stay})
    ended.status, ended.period.end = "finished", FHIRDateTime(END)
    ended.update(server)
    assert adapter.cases(key) == [("discharged", 2, "2380")]


def test_a_refusal_names_the_element(server: FHIRServer, key: str) -> None:
    with pytest.raises(HTTPError) as refused:
        Encounter(encounter(key, "Patient/nobody", status="utskriven")).create(server)
    [issue] = refused.value.response.json()["issue"]
    assert issue["expression"] == ["Encounter.status"]
