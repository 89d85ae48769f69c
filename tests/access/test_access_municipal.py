"""What a municipality reads over HTTP: its own, as it is sent it, and nothing that tells of another's."""

import httpx
import pytest

from tests.access.closed import BILL, names
from tests.access.people import (
    AUDITOR,
    CALLERS,
    api_key,
)
from tests.settling.hospital import rows

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
    client: httpx.AsyncClient, region: str, kind: str, caller: str, query: str, seen: set[str], because: str
) -> None:
    owner = dict(await rows(region, f"select id, municipality from every_resource where type = '{kind}'"))  # noqa: S608
    given = (await client.get(f"/fhir/{kind}{query}", headers=CALLERS[caller]())).json()
    shown = [entry["resource"]["id"] for entry in given.get("entry", ())]
    allowed = seen & set(owner.values())
    assert {owner[name] for name in shown} == allowed, because
    assert given["total"] == sum(1 for code in owner.values() if code in allowed), "nor is it counted"


@pytest.mark.parametrize(("caller", "query", "seen", "because"), MUNICIPAL)
async def test_a_search_by_form_shows_no_more(
    client: httpx.AsyncClient, caller: str, query: str, seen: set[str], because: str
) -> None:
    for address, form in (
        (f"/fhir/MeasureReport/_search{query}", {}),
        ("/fhir/MeasureReport/_search", dict([query[1:].split("=")]) if query else {}),
    ):
        given = await client.post(address, data=form, headers=CALLERS[caller]())
        by_get = await client.get(f"/fhir/MeasureReport{query}", headers=CALLERS[caller]())
        assert given.json() == by_get.json(), because
        assert bool(given.json()["total"]) == bool(seen), because


async def test_no_order_tells_of_anothers(client: httpx.AsyncClient, region: str) -> None:
    """A page cannot begin behind a resource of another: what comes after it would tell its date and id."""
    of_others = await rows(region, "select number from issued_resource where municipality = '2309'")
    for (number,) in of_others:
        query = f"/fhir/MeasureReport?_sort=-_id&_after={number}"
        assert "entry" not in (await client.get(query, headers=api_key("ostersund"))).json()


async def test_anothers_is_as_if_it_were_not_there(client: httpx.AsyncClient, region: str) -> None:
    named = await names(region)
    pairs = [
        (f"/cases/{named['case']}", "/cases/nothing"),
        (f"/cases/{named['case']}/timeline", "/cases/nothing/timeline"),
        (BILL, BILL.replace("2380", "2361")),
        (f"/fhir/Invoice/{named['invoice']}", "/fhir/Invoice/nothing"),
    ]
    for there, nowhere in pairs:
        one, another = [await client.get(path, headers=api_key("krokom")) for path in (there, nowhere)]
        for answer in (one, another):
            del answer.headers["x-request-id"]  # of the request, and of nothing else
        assert (one.status_code, one.content, one.headers) == (404, another.content, another.headers), there


async def test_a_municipality_reads_what_it_is_sent(client: httpx.AsyncClient, region: str) -> None:
    """Krokom is sent the four fields of LUS 2:2 and the state: it reads no more than that either."""
    [(case,)] = await rows(region, "select id from cases where municipality = '2309'")
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
