"""fhirpy (https://github.com/beda-software/fhir-py), used as its README shows.

It takes the id of what it has written from the answer's body alone: without one its next `save` is another
create.
"""

import asyncio

import pytest
from fhirpy import AsyncFHIRClient, SyncFHIRClient
from fhirpy.base.exceptions import MultipleResourcesFound, OperationOutcome

from tests.clients.adapter_server import AdapterServer
from tests.clients.stories import END, PATIENTS, STAYS, admission, encounter, finished, id_in, notice, patient


@pytest.fixture
def client(adapter: AdapterServer) -> SyncFHIRClient:
    return SyncFHIRClient(adapter.base)


@pytest.fixture
def async_client(adapter: AdapterServer) -> AsyncFHIRClient:
    return AsyncFHIRClient(adapter.base)


def resource(client, content):
    """The library's object of a resource."""
    return client.resource(
        content["resourceType"], **{k: v for k, v in content.items() if k != "resourceType"}
    )


def test_save_create_then_save_update(adapter: AdapterServer, client: SyncFHIRClient, key: str) -> None:
    person = resource(client, patient(key))
    person.save()
    stay = resource(client, encounter(key, person.to_reference().reference))
    stay.save()
    assert adapter.cases(key) == [("admitted", 1, "2380")]
    first = (stay.id, stay["meta"]["versionId"])
    stay["status"], stay["period"]["end"] = "finished", END
    stay.save()
    assert adapter.cases(key) == [("discharged", 2, "2380")], "an update, and no second create"
    assert stay.id == first[0]
    assert stay["meta"]["versionId"] != first[1]
    assert stay["period"]["end"] == END
    version = stay["meta"]["versionId"]
    stay.save()
    assert adapter.cases(key) == [("discharged", 2, "2380")], "what has not changed is no new version"
    assert stay["meta"]["versionId"] == version


async def test_the_same_asynchronously(
    adapter: AdapterServer, async_client: AsyncFHIRClient, key: str
) -> None:
    person = await resource(async_client, patient(key)).save()
    stay = resource(async_client, encounter(key, person.to_reference().reference))
    await stay.create()
    task = resource(async_client, notice(f"Patient/{person.id}", f"Encounter/{stay.id}"))
    await asyncio.gather(task.save(), person.save(), stay.save())
    assert await asyncio.to_thread(adapter.cases, key) == [("notified", 2, "2380")]
    stay["status"], stay["period"]["end"] = "finished", END
    await stay.update()
    assert await asyncio.to_thread(adapter.cases, key) == [("discharged", 4, "2380")], "and a limit passed"


def test_get_or_create(adapter: AdapterServer, client: SyncFHIRClient, key: str) -> None:
    """The library writes the condition into the address of the POST, and no If-None-Exist."""
    people = client.resources("Patient").search(identifier=f"{PATIENTS}|{key}")
    stays = client.resources("Encounter").search(identifier=f"{STAYS}|{key}")
    person, is_new = people.get_or_create(resource(client, patient(key)))
    assert is_new
    stay, is_new = stays.get_or_create(resource(client, encounter(key, f"Patient/{person.id}")))
    assert is_new
    again, is_new = people.get_or_create(resource(client, patient(key, gender="female")))
    assert (again.id, again.get("gender"), is_new) == (person.id, None, False), "nothing is written then"
    other = finished(encounter(key, f"Patient/{person.id}"))
    again, is_new = stays.get_or_create(resource(client, other))
    assert (again.id, again["status"], is_new) == (stay.id, "in-progress", False)
    assert adapter.cases(key) == [("admitted", 1, "2380")], "one stay, one case"


def test_conditional_update(adapter: AdapterServer, client: SyncFHIRClient, key: str) -> None:
    person = resource(client, patient(key)).save()
    stays = client.resources("Encounter").search(identifier=f"{STAYS}|{key}")
    stay, is_new = stays.update(resource(client, encounter(key, f"Patient/{person.id}")))
    assert is_new
    again, is_new = stays.update(resource(client, finished(encounter(key, f"Patient/{person.id}"))))
    assert (again.id, is_new) == (stay.id, False)
    assert adapter.cases(key) == [("discharged", 2, "2380")]


def test_a_transaction(adapter: AdapterServer, client: SyncFHIRClient, key: str) -> None:
    answer = client.execute("", data=admission(key))
    person, stay = (id_in(entry.response.location) for entry in answer.entry)
    assert adapter.cases(key) == [("admitted", 1, "2380")], "urn:uuid leads to the person"
    resource(client, {**finished(encounter(key, f"Patient/{person}")), "id": stay}).update()
    assert adapter.cases(key) == [("discharged", 2, "2380")]


def test_a_refusal_is_the_librarys_operation_outcome(client: SyncFHIRClient, key: str) -> None:
    with pytest.raises(OperationOutcome) as refused:
        resource(client, encounter(key, "Patient/nobody", status="utskriven")).save()
    assert "Encounter.status" in str(refused.value)


def test_a_lost_update_is_refused(adapter: AdapterServer, key: str) -> None:
    """If-Match goes through `extra_headers`; the library takes any 412 for several resources found."""
    client = SyncFHIRClient(adapter.base)
    stay = resource(client, encounter(key, "Patient/nobody"))
    stay.save()
    guarded = SyncFHIRClient(adapter.base, extra_headers={"If-Match": f'W/"{stay["meta"]["versionId"]}"'})
    other = {**finished(encounter(key, "Patient/nobody")), "id": stay.id}
    resource(guarded, other).save()
    with pytest.raises(MultipleResourcesFound):
        resource(guarded, {**other, "status": "onleave"}).save()
