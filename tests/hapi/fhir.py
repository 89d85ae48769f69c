"""What the tests of HAPI say to it over and over: a client, small resources, and the walk over pages."""

from typing import Any

import httpx

from tests.hapi.server import HapiServer

_IMP = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"}


def client(server: HapiServer) -> httpx.Client:
    """A client whose relative paths start at the FHIR base."""
    headers = {"Content-Type": "application/fhir+json"}
    return httpx.Client(base_url=f"{server.base_url}/", headers=headers, timeout=60)


def encounter(name: str, status: str = "in-progress") -> dict[str, Any]:
    """An Encounter of R4 or R4B."""
    return {"resourceType": "Encounter", "id": name, "status": status, "class": _IMP}


def encounter_r5(name: str, status: str = "in-progress") -> dict[str, Any]:
    return {"resourceType": "Encounter", "id": name, "status": status}


def ids(bundle: dict[str, Any]) -> list[str]:
    return [entry["resource"]["id"] for entry in bundle.get("entry", ())]


def link(bundle: dict[str, Any], relation: str) -> str | None:
    return next((one["url"] for one in bundle["link"] if one["relation"] == relation), None)


def pages(fhir: httpx.Client, query: str) -> list[dict[str, Any]]:
    """All pages of a search, by its `next` links."""
    found = [fhir.get(query).json()]
    while following := link(found[-1], "next"):
        found.append(fhir.get(following).json())
    return found
