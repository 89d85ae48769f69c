"""Settlement over HTTP: a month as it was issued, its resources searched and read."""

from collections.abc import AsyncIterator

import httpx
import orjson
import pytest

from adapter.fhir import decimals
from adapter.web.settlements import _wants_json
from tests.service import service
from tests.settling.hospital import JH, messages, rows, settled, tell

SPRING = ("2019-01", "2019-02", "2019-03", "2019-04")


@pytest.fixture
async def client(dsn: str) -> AsyncIterator[httpx.AsyncClient]:
    """The service with a spring of statements: April is liable, and its somatic care costs 46 800 SEK."""
    async with service(dsn, base_url="https://losus.example.se") as open_client:
        for number, month in enumerate(SPRING):
            await tell(open_client, *messages(number, month, 20))
        for month in SPRING:
            await settled(dsn, month, "2019-05-02", issue=True)
        yield open_client


async def test_a_month_as_it_was_issued(client: httpx.AsyncClient, dsn: str) -> None:
    path = f"/settlements/{JH}/2380/2019-04"
    [(stored,)] = await rows(
        dsn,
        """select bundle from statement
           where municipality = '2380' and month = '2019-04' and care_form = 'somatic'""",
    )
    given = await client.get(path, params={"care_form": "somatic"})
    assert (given.content, given.headers["content-type"]) == (stored, "application/fhir+json")
    both = (await client.get(path)).json()
    kinds = [entry["resource"]["resourceType"] for entry in both["entry"]]
    assert (both["type"], kinds.count("MeasureReport"), kinds.count("Organization")) == ("collection", 2, 2)
    plain = await client.get(path, headers={"accept": "application/json"})
    somatic = next(one for one in plain.json()["statements"] if one["care_form"] == "somatic")
    assert (somatic["month"], somatic["status"], somatic["to_invoice"]) == ("2019-04", "liable", 46800)
    assert plain.headers["content-type"] == "application/json"


ACCEPT = [
    # accept, content type, because
    ("", "application/fhir+json", "FHIR is the door's own"),
    ("*/*", "application/fhir+json", "anything will do"),
    ("application/json", "application/json", "asked for by name"),
    ("application/fhir+json, application/json", "application/fhir+json", "FHIR first"),
    ("application/json;q=0.9, application/fhir+json", "application/json", "plain JSON first"),
]


@pytest.mark.parametrize(("accept", "kind", "because"), ACCEPT)
def test_which_of_the_two_is_meant(accept: str, kind: str, because: str) -> None:
    assert _wants_json(accept) is (kind == "application/json"), because


FOLLOW_UP = "https://losus-adapter.se/fhir/Measure/manadsuppfoljning"
RULE = f"https://losus-adapter.se/fhir/Measure/{JH}-somatic"
SEARCHES = [
    # type, parameters, how many, because
    ("MeasureReport", {}, 24, "four months, two municipalities: two care forms and the follow-up"),
    ("MeasureReport", {"municipality": "2380"}, 12, "of one"),
    ("MeasureReport", {"municipality": "2380", "period": "2019-04"}, 3, "of one month"),
    ("MeasureReport", {"municipality": "2380", "period": "2019"}, 12, "of a year"),
    ("MeasureReport", {"municipality": "2380", "period": "ge2019-03"}, 6, "from March on"),
    ("MeasureReport", {"municipality": "2380", "period": "gt2019-03"}, 3, "after March"),
    ("MeasureReport", {"municipality": "2380", "period": "le2019-03"}, 9, "through March"),
    ("MeasureReport", {"municipality": "2380", "period": "lt2019-03"}, 6, "before March"),
    ("MeasureReport", {"municipality": "2380", "period": "lt2019"}, 0, "before the year"),
    ("MeasureReport", {"agreement": "stockholm-2020"}, 0, "nobody of Stockholm"),
    ("MeasureReport", {"agreement": JH, "municipality": "2309"}, 8, "Krokom: nobody in hospital is said too"),
    ("MeasureReport", {"measure": FOLLOW_UP}, 8, "the monthly follow-up of each municipality"),
    ("MeasureReport", {"measure": f"{FOLLOW_UP}|0"}, 0, "in a version that there is not"),
    ("MeasureReport", {"measure": RULE, "period": "2019-04"}, 2, "by the rule of the agreement"),
    ("Invoice", {"municipality": "2380"}, 1, "April alone is liable"),
    ("ChargeItem", {"municipality": "2380"}, 1, "a stay of six payable days"),
]


async def test_searches(client: httpx.AsyncClient) -> None:
    for kind, asked, count, because in SEARCHES:
        found = (await client.get(f"/fhir/{kind}", params=asked)).json()
        assert (found["resourceType"], found["type"], found["total"]) == ("Bundle", "searchset", count), (
            because
        )
        assert [entry["resource"]["resourceType"] for entry in found.get("entry", ())] == [kind] * count, (
            because
        )


async def test_pages_hold_each_resource_once(client: httpx.AsyncClient) -> None:
    url, seen = "/fhir/MeasureReport?municipality=2380&_count=3", []
    sizes = []
    while url:
        page = (await client.get(url)).json()
        sizes.append(len(page["entry"]))
        assert page["total"] == 12
        seen += [entry["resource"]["id"] for entry in page["entry"]]
        links = {link["relation"]: link["url"] for link in page["link"]}
        url = links.get("next", "").removeprefix("https://losus.example.se")
    assert sizes == [3, 3, 3, 3]
    assert len(set(seen)) == 12


async def test_what_a_bundle_names_can_be_read(client: httpx.AsyncClient) -> None:
    told = decimals.loads((await client.get(f"/settlements/{JH}/2380/2019-04?care_form=somatic")).content)
    for entry in told["entry"]:
        path = entry["fullUrl"].removeprefix("https://losus.example.se")
        given = await client.get(path)
        assert given.status_code == 200, path
        assert decimals.loads(given.content) == entry["resource"]
    text = (await client.get("/fhir/Invoice?municipality=2380")).text
    assert '"value":46800.00' in text, "decimals keep their scale on the way out"


REFUSED = [
    # path, status, code, because
    (f"/settlements/{JH}/2380/2019-05", 404, "not-found", "not issued"),
    (f"/settlements/{JH}/2380/maj", 400, "value", "no month"),
    ("/settlements/x/2380/2019-04", 404, "not-found", "no such agreement"),
    ("/fhir/Invoice?patient=191212121212", 400, "not-supported", "no person is searched for here"),
    ("/fhir/Invoice?period=4711-13", 400, "value", "no month"),
    ("/fhir/Invoice?_count=191212121212", 400, "value", "no page of that size"),
    ("/fhir/Invoice/191212121212", 404, "not-found", "no such invoice"),
    ("/fhir/Patient/191212121212", 405, "not-supported", "there are no patients to be read here"),
    ("/fhir/Invoice?measure=191212121212", 400, "not-supported", "an invoice has no measure"),
    ("/statistics/191212121212/2019-04", 404, "not-found", "no such agreement"),
    (f"/statistics/{JH}/191212121212", 400, "value", "no month"),
]


async def test_refusals_say_no_value(client: httpx.AsyncClient) -> None:
    for path, status, code, because in REFUSED:
        given = await client.get(path)
        told = orjson.loads(given.content)
        assert (given.status_code, told["resourceType"]) == (status, "OperationOutcome"), because
        assert told["issue"][0]["code"] == code, because
        assert "191212121212" not in given.text
        assert "4711" not in given.text
