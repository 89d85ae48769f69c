"""What HAPI FHIR's server does that the doors are tried against."""

import httpx


def test_search_gives_pages_by_last_updated(hapi):
    for n in range(3):
        hapi.put({"resourceType": "Patient", "id": f"p{n}"})
    page = httpx.get(f"{hapi.base_url}/Patient?_count=2&_sort=_lastUpdated").json()
    assert [entry["resource"]["id"] for entry in page["entry"]] == ["p0", "p1"]
