"""Two regions, one with a relay and one without, and a hospital's server."""

from collections.abc import AsyncIterator, Iterator

import pytest
from fastapi import FastAPI, HTTPException

from adapter.sandbox.broker import Broker
from adapter.sandbox.database import Database
from tests.client.listening import listening
from tests.doctor.region import Region, region


@pytest.fixture(scope="package")
async def well(database: Database, broker: Broker) -> AsyncIterator[Region]:
    async with region(database, broker, relay=True) as made:
        yield made


@pytest.fixture(scope="package")
async def unpublished(database: Database, broker: Broker) -> AsyncIterator[Region]:
    async with region(database, broker, relay=False) as made:
        yield made


@pytest.fixture(scope="package")
def ehr() -> Iterator[str]:
    """A hospital's server that says that it speaks R4."""
    served = FastAPI()
    served.get("/fhir/metadata")(lambda: {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1"})
    served.get("/fhir/Subscription/{name}")(_subscription)
    with listening(served) as address:
        yield f"{address}/fhir"


def _subscription(name: str) -> dict[str, str]:
    status = {"alive": "active", "broken": "error"}.get(name)
    if status is None:
        raise HTTPException(404)
    return {"resourceType": "Subscription", "id": name, "status": status}
