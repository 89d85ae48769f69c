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
    (
        "MeasureReport",
        {},
        28,
        "four months, two municipalities: two care forms, follow-up; 4 joint ones",
    ),
    (
        "MeasureReport",
        {"municipality": "2380"},
        16,
        "of one, whose four means are over: each has a joint one",
    ),
    ("MeasureReport", {"municipality": "2380", "period": "2019-04"}, 4, "of one month"),
    ("MeasureReport", {"municipality": "2380", "period": "2019"}, 16, "of a year"),
    ("MeasureReport", {"municipality": "2380", "period": "ge2019-03"}, 8, "from March on"),
    ("MeasureReport", {"municipality": "2380", "period": "gt2019-03"}, 4, "after March"),
    ("MeasureReport", {"municipality": "2380", "period": "le2019-03"}, 12, "through March"),
    ("MeasureReport", {"municipality": "2380", "period": "lt2019-03"}, 8, "before March"),
    ("MeasureReport", {"municipality": "2380", "period": "lt2019"}, 0, "before the year"),
    ("MeasureReport", {"agreement": "stockholm-2020"}, 0, "nobody of Stockholm"),
    ("MeasureReport", {"agreement": JH, "municipality": "2309"}, 8, "Krokom: nobody in hospital is said too"),
    (
        "MeasureReport",
        {"measure": FOLLOW_UP},
        12,
        "the follow-up of each municipality, and the joint ones",
    ),
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


FINER = [
    # type, parameters, how many, because; all was issued on 2 May 2019, 11:00 by Swedish clocks
    ("Invoice", {"date": "2019-05-02"}, 1, "R4 search#date: the day holds the second"),
    ("Invoice", {"date": "eq2019-05"}, 1, "and so does the month"),
    ("Invoice", {"date": "2019-05-02T11:00:00+02:00"}, 1, "that second"),
    ("Invoice", {"date": "2019-05-02T11:00:00 02:00"}, 1, "a + that was not encoded"),
    ("Invoice", {"date": "2019-05-02T09:00:00Z"}, 1, "by another clock"),
    ("Invoice", {"date": "2019-05-02T11:00"}, 1, "that minute, by Swedish clocks"),
    ("Invoice", {"date": "2019-05-02T11:01"}, 0, "the next minute"),
    ("Invoice", {"date": "ne2019-05-02"}, 0, "ne"),
    ("Invoice", {"date": "ne2019-05-01"}, 1, "ne"),
    ("Invoice", {"date": "gt2019-05-02"}, 0, "not after the whole day"),
    ("Invoice", {"date": "gt2019-05-01"}, 1, "after the day before"),
    ("Invoice", {"date": "lt2019-05-02"}, 0, "not before the day"),
    ("Invoice", {"date": "lt2019-05-03"}, 1, "before the day after"),
    ("Invoice", {"date": "ge2019-05-02"}, 1, "in it"),
    ("Invoice", {"date": "le2019-05-02"}, 1, "in it"),
    ("Invoice", {"date": "sa2019-05-01"}, 1, "begins after it"),
    ("Invoice", {"date": "sa2019-05-02"}, 0, "within it"),
    ("Invoice", {"date": "eb2019-05-03"}, 1, "ends before it"),
    ("Invoice", {"date": "eb2019-05-02"}, 0, "within it"),
    ("Invoice", {"date": ["ge2019-05-01", "lt2019-05-02"]}, 0, "R4 search#combining: twice is and"),
    ("Invoice", {"date": "2018,2019"}, 1, "a comma is or"),
    ("Invoice", {"date": ""}, 1, "an empty value asks for nothing"),
    ("Invoice", {"_lastUpdated": "2019-05-02"}, 1, "when it was issued"),
    ("Invoice", {"_lastUpdated": "gt2019-05-02"}, 0, "nothing was issued later"),
    ("MeasureReport", {"_lastUpdated": "ge2019-05-02", "municipality": "2380"}, 16, "follow-ups too"),
    ("MeasureReport", {"date": "2019-05-02", "municipality": "2380"}, 16, "MeasureReport.date"),
    ("MeasureReport", {"period": "2019-04-15", "municipality": "2380"}, 0, "no month lies in a day"),
    ("MeasureReport", {"period": "ge2019-04-15", "municipality": "2380"}, 4, "April goes beyond it"),
    ("MeasureReport", {"period": ["ge2019-02", "le2019-03"], "municipality": "2380"}, 8, "a span"),
    ("ChargeItem", {"occurrence": "2019-04"}, 1, "payable days of April"),
    ("ChargeItem", {"occurrence": "2019-03"}, 0, "and not of March"),
    ("ChargeItem", {"occurrence": "sa2019-03"}, 1, "they begin after March"),
    ("Invoice", {"_id": "nothing"}, 0, "no such"),
    ("Invoice", {"_id": "{Invoice},nothing"}, 1, "one of two"),
    ("Invoice", {"identifier": "{value}"}, 1, "R4 search#token: of any system"),
    ("Invoice", {"identifier": "{system}|{value}"}, 1, "of that system"),
    ("Invoice", {"identifier": "{system}|"}, 1, "any of that system"),
    ("Invoice", {"identifier": "|{value}"}, 0, "of no system"),
    ("Invoice", {"identifier": "urn:x|{value}"}, 0, "of another"),
    ("Invoice", {"identifier": "urn:x|1,{system}|{value}"}, 1, "one of two"),
    ("Invoice", {"_count": "5000"}, 1, "R4 search#count: fewer may be given"),
]


async def test_finer_searches_by_address_and_by_form(client: httpx.AsyncClient) -> None:
    """R4 http#search: POST [type]/_search with a form is the same search."""
    one = (await client.get("/fhir/Invoice")).json()["entry"][0]["resource"]
    words = {"Invoice": one["id"], **one["identifier"][0]}
    for kind, asked, count, because in FINER:
        given = {
            name: [text.format(**words) for text in ([value] if isinstance(value, str) else value)]
            for name, value in asked.items()
        }
        found = (await client.get(f"/fhir/{kind}", params=given)).json()
        assert found.get("total") == count, (because, found)
        assert [entry["search"]["mode"] for entry in found.get("entry", ())] == ["match"] * count, because
        posted = await client.post(f"/fhir/{kind}/_search", data=given)
        assert (posted.status_code, posted.json()) == (200, found), because


async def test_a_form_and_an_address_count_together(client: httpx.AsyncClient) -> None:
    address = "/fhir/MeasureReport/_search?municipality=2380"
    found = (await client.post(address, data={"period": "2019-04"})).json()
    assert found["total"] == 4
    assert found["link"][0]["url"].endswith("/fhir/MeasureReport?municipality=2380&period=2019-04")
    json_ = await client.post(address, json={"period": "2019-04"})
    assert (json_.status_code, json_.json()["issue"][0]["code"]) == (415, "not-supported")
    nul = await client.post(address, data={"agreement": "a\0"})
    assert (nul.status_code, nul.json()["issue"][0]["code"]) == (400, "value")
    latin = await client.post(
        address, content=b"agreement=%ff", headers={"content-type": "application/x-www-form-urlencoded"}
    )
    assert latin.status_code == 400


async def test_counts_alone(client: httpx.AsyncClient) -> None:
    """R4 search#summary, `count`; search#count: 0 is the same."""
    for query in ("_summary=count", "_count=0"):
        found = (await client.get(f"/fhir/MeasureReport?municipality=2380&{query}")).json()
        assert (found["total"], "entry" in found) == (16, False), query
        assert [link["relation"] for link in found["link"]] == ["self"]


ORDERS = [
    # _sort, element that is in order, whether downwards, because
    ("period", "period", False, "by the month"),
    ("-period", "period", True, "the newest first"),
    ("_id", "id", False, "by id"),
    ("-_id", "id", True, "and downwards"),
    ("-_lastUpdated", "date", True, "the last that was issued first"),
    ("date", "date", False, "by MeasureReport.date"),
]


async def test_orders(client: httpx.AsyncClient) -> None:
    """R4 search#sort, over pages; each resource once."""
    for sort, element, is_downwards, because in ORDERS:
        url, seen = f"/fhir/MeasureReport?_count=5&_sort={sort}", []
        while url:
            page = (await client.get(url)).json()
            assert page["total"] == 28
            seen += [entry["resource"] for entry in page["entry"]]
            links = {link["relation"]: link["url"] for link in page["link"]}
            url = links.get("next", "").removeprefix("https://losus.example.se")
        assert len({one["id"] for one in seen}) == len(seen) == 28, because
        keys = [str(one[element]["start"] if element == "period" else one[element]) for one in seen]
        assert keys == sorted(keys, reverse=is_downwards), because


FORMS = [
    # Accept, _format, content type, because
    ("application/fhir+xml", None, "application/fhir+xml", "R4 http#mime-type"),
    (
        "application/fhir+xml;q=1.0, application/fhir+json;q=1.0, application/xml+fhir;q=0.9",
        None,
        "application/fhir+xml",
        "HAPI's client asks so of its own accord",
    ),
    ("*/*", "json", "application/fhir+json", "fhirpy asks so"),
    ("application/fhir+xml", "json", "application/fhir+json", "_format goes before Accept"),
    ("application/json", None, "application/json", "the generic type"),
]


async def test_the_format_that_is_asked_for(client: httpx.AsyncClient) -> None:
    one = (await client.get("/fhir/Invoice")).json()["entry"][0]["resource"]
    for accept, format_, kind, because in FORMS:
        for address in ("/fhir/Invoice", f"/fhir/Invoice/{one['id']}"):
            params = {"_format": format_} if format_ else {}
            given = await client.get(address, headers={"accept": accept}, params=params)
            assert (given.status_code, given.headers["content-type"]) == (200, kind), because
            assert "46800.00" in given.text, "decimals keep their scale"
    for address in ("/fhir/Invoice", f"/fhir/Invoice/{one['id']}", "/fhir/Task"):
        assert (await client.get(address, headers={"accept": "text/html"})).status_code == 406


async def test_pages_hold_each_resource_once(client: httpx.AsyncClient) -> None:
    url, seen = "/fhir/MeasureReport?municipality=2380&_count=3", []
    sizes = []
    while url:
        page = (await client.get(url)).json()
        sizes.append(len(page["entry"]))
        assert page["total"] == 16
        seen += [entry["resource"]["id"] for entry in page["entry"]]
        links = {link["relation"]: link["url"] for link in page["link"]}
        url = links.get("next", "").removeprefix("https://losus.example.se")
    assert sizes == [3, 3, 3, 3, 3, 1]
    assert len(set(seen)) == 16


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
    ("/fhir/Invoice?period=4711-13", 400, "value", "no month"),
    ("/fhir/Invoice?date=ap2019", 400, "value", "a prefix that is not understood"),
    ("/fhir/Invoice?date=191212121212", 400, "value", "no date"),
    ("/fhir/Invoice?date:missing=true", 400, "not-supported", "R4 search#modifiers: refused, never ignored"),
    ("/fhir/Invoice?identifier:of-type=a%7Cb%7C191212121212", 400, "not-supported", "the same"),
    ("/fhir/Invoice?_count=kommun", 400, "value", "no number"),
    ("/fhir/Invoice?agreement=a&agreement=191212121212", 400, "not-supported", "never both"),
    ("/fhir/Invoice/191212121212", 404, "not-found", "no such invoice"),
    (
        "/fhir/Patient/191212121212",
        404,
        "not-supported",
        "R4 http#read: there are no patients to be read here",
    ),
    ("/statistics/191212121212/2019-04", 404, "not-found", "no such agreement"),
    (f"/statistics/{JH}/191212121212", 400, "value", "no month"),
]


STRICT = [
    # address, status where nothing is said, and with Prefer: handling=strict, because
    ("/fhir/Invoice?patient=191212121212", 200, 400, "no person is searched for here"),
    ("/fhir/Invoice?measure=191212121212", 200, 400, "an invoice has no measure"),
    ("/fhir/Invoice?191212121212=x", 200, 400, "a name that may be anything"),
    ("/fhir/Invoice?_sort=totalNet", 200, 400, "a key that is not sorted by"),
    ("/fhir/Invoice?_sort=date,-_id", 200, 400, "a second key"),
    ("/fhir/Invoice?_summary=191212121212", 200, 400, "no summary"),
    ("/fhir/Invoice?_include=Invoice:recipient", 200, 400, "nothing is included"),
    ("/fhir/Invoice?_total=accurate&_elements=id&_pretty=true&_format=json", 200, 200, "accepted"),
]


async def test_what_is_not_known_is_named_or_refused(client: httpx.AsyncClient) -> None:
    """R4 search#errors: unknown parameters are ignored and told, unless Prefer: handling=strict."""
    for address, lenient, strict, because in STRICT:
        given = await client.get(address)
        refused = await client.get(address, headers={"prefer": "handling=strict"})
        assert (given.status_code, refused.status_code) == (lenient, strict), because
        assert "191212121212" not in given.text + refused.text, because
        modes = [entry["search"]["mode"] for entry in given.json()["entry"]]
        assert modes == ["match", *(["outcome"] if strict == 400 else [])], because
        assert given.json()["total"] == 1, "an outcome is not counted"
        assert "patient" not in given.json()["link"][0]["url"], "R4 search#conformance: self is what counted"
        if strict == 400:
            told = given.json()["entry"][-1]["resource"]
            assert [(one["severity"], one["code"]) for one in told["issue"]] == [("warning", "not-supported")]
        else:
            assert refused.headers["preference-applied"] == "handling=strict"


async def test_refusals_say_no_value(client: httpx.AsyncClient) -> None:
    for path, status, code, because in REFUSED:
        given = await client.get(path)
        told = orjson.loads(given.content)
        assert (given.status_code, told["resourceType"]) == (status, "OperationOutcome"), because
        assert told["issue"][0]["code"] == code, because
        assert "191212121212" not in given.text
        assert "4711" not in given.text
