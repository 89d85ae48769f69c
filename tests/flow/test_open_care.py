"""The region's open care as a receiver of its own: the whole way, from a Patient's vårdcentral to its topics."""

import json

# ruff: noqa: E501 - a row of a table stands on one line where it can be read so
from typing import Any

import asyncpg
import pytest
from pydantic import ValidationError

from adapter.outbound.topics import cases_topic, events_topic
from adapter.settings import Settings, Subscriber
from tests.conftest import Kafka
from tests.flow.test_facts_of_a_person import lives, patient, put, stay
from tests.outbound.test_relay import drained, relay
from tests.service import service, settings
from tests.topic import records

HSA = "urn:oid:1.2.752.129.2.1.4.1"
ZATA, FROSO = "region.zata", "region.froso"
SUBSCRIBERS = {
    "2380": Subscriber(name="Östersund"),
    ZATA: Subscriber(name="Zätagränd", kind="open-care", organizations=(f"{HSA}|SE2321000131-E0001",)),
    FROSO: Subscriber(
        name="Frösön", kind="open-care", organizations=(f"{HSA}|SE2321000131-E0002",), payload="statutory"
    ),
}
HOME = lives("2380")


def listed(number: str) -> dict[str, Any]:
    """The Patient's vårdcentral, by HSA-id."""
    unit = {"type": "Organization", "identifier": {"system": HSA, "value": f"SE2321000131-{number}"}}
    return {"generalPractitioner": [unit]}


async def streams(dsn: str) -> list[tuple[str | None, int, bool]]:
    """Every event: stream, revision, whether it is the last word there."""
    connection = await asyncpg.connect(dsn)
    rows = await connection.fetch("select municipality, revision, closing from event order by id")
    await connection.close()
    return [tuple(row.values()) for row in rows]


IN, OUT = (
    stay(end=None),
    {
        **stay(end="2024-01-08T10:00:00+01:00"),
        "meta": {"versionId": "2", "lastUpdated": "2024-01-08T10:00:00+01:00"},
    },
)
FIRST = [("2380", 1, False), (ZATA, 1, False)]
TEAM = {
    "resourceType": "CareTeam",
    "id": "t",
    "meta": {"versionId": "1", "lastUpdated": "2024-01-05T08:00:00+01:00"},
    "status": "active",
    "subject": {"reference": "Patient/p"},
    "encounter": {"reference": "Encounter/e"},
    "participant": [
        {
            "role": [
                {
                    "coding": [
                        {
                            "system": "https://terminologitjansten.inera.se/inera-kodverksforvaltning/kodverk/kv_typ_av_fast_kontakt",
                            "code": "1",
                        }
                    ]
                }
            ],
            "onBehalfOf": {"identifier": {"system": HSA, "value": "SE2321000131-E0001"}},
            "period": {"start": "2024-01-05T08:00:00+01:00"},
        }
    ],
}
WAYS = [
    # resources in the order in which they come, events (stream, revision, last word), because
    ([patient(1, "2024-01-01", HOME), IN], [("2380", 1, False)], "no vårdcentral is stated"),
    ([patient(1, "2024-01-01", HOME, **listed("E0009")), IN], [("2380", 1, False)], "one that does not subscribe"),
    ([patient(1, "2024-01-01", HOME, **listed("E0001")), IN], FIRST, "contract 4: the cases whose vårdcentral it is"),
    ([patient(1, "2024-01-01", HOME, **listed("e0001")), IN], FIRST, "an HSA-id is the same in small letters"),
    (
        [patient(1, "2024-01-01", HOME, **listed("E0001")), IN, OUT],
        [*FIRST, ("2380", 2, False), (ZATA, 2, False)],
        "every change, to both",
    ),
    (
        [patient(1, "2024-01-01", HOME, **listed("E0001")), IN, patient(2, "2024-01-05", HOME, **listed("E0002"))],
        [*FIRST, (ZATA, 2, True), (FROSO, 1, False)],
        "another vårdcentral within the stay: the last word to the old one",
    ),
    (
        [patient(1, "2024-01-01", HOME, **listed("E0001")), IN, OUT, patient(2, "2024-06-01", HOME, **listed("E0002"))],
        [*FIRST, ("2380", 2, False), (ZATA, 2, False)],
        "settlement 1a: listed elsewhere after the end changes nothing",
    ),
    (
        [patient(1, "2024-01-01", lives("1280"), **listed("E0001")), IN],
        [(None, 1, False), (ZATA, 1, False)],
        "open care of the region, though the municipality does not subscribe",
    ),
    (
        [patient(1, "2024-01-01", HOME), IN, TEAM],
        [("2380", 1, False), ("2380", 2, False), (ZATA, 1, False)],
        "LUS 2:5: the unit of the fast vårdkontakt, where nobody is listed",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("resources", "events", "because"), WAYS)
async def test_whose_case_it_is(
    dsn: str, resources: list[dict[str, Any]], events: list[tuple[str | None, int, bool]], because: str
) -> None:
    async with service(dsn, subscribers=SUBSCRIBERS) as client:
        await put(client, *resources)
    assert await streams(dsn) == events, because


async def test_a_protected_person_is_nowhere_in_what_a_unit_gets(dsn: str) -> None:
    person = patient(1, "2024-01-01", HOME, **listed("E0001"))
    person["meta"]["security"] = [{"code": "sekretessmarkering"}]
    async with service(dsn, subscribers=SUBSCRIBERS) as client:
        await put(client, person, IN)
    connection = await asyncpg.connect(dsn)
    payload = await connection.fetchval("select payload from event where municipality = $1", ZATA)
    await connection.close()
    assert all(word not in payload.decode() for word in ("Tolvan", "191212121212", "2380", "E0001"))
    assert json.loads(payload)["manual_handling"] == "protected-identity"


async def test_it_is_published_on_the_units_own_topics(dsn: str, kafka: Kafka) -> None:
    async with service(dsn, subscribers=SUBSCRIBERS) as client:
        await put(client, patient(1, "2024-01-01", HOME, **listed("E0001")), IN)
        await put(client, patient(2, "2024-01-05", HOME, **listed("E0002")), OUT)
    with relay(dsn, kafka.bootstrap, SUBSCRIBERS):
        await drained(dsn)
    old = await records(kafka.bootstrap, events_topic(ZATA))
    assert [(one.value["revision"], one.value["moved"]) for one in old] == [(1, False), (2, True)]
    assert (await records(kafka.bootstrap, cases_topic(ZATA)))[-1].value is None
    new = await records(kafka.bootstrap, events_topic(FROSO))
    assert [(one.value["revision"], one.value["state"], one.value["payload"]) for one in new] == [
        (1, "admitted", "statutory"),
        (2, "discharged", "statutory"),
    ]


WRONG = [
    ({"region.zata": {"name": "Z", "organizations": ["a|b"]}}, "a unit without its kind"),
    ({"2380": {"name": "Ö", "kind": "open-care", "organizations": ["a|b"]}}, "a municipality is none"),
    ({"region.zata": {"name": "Z", "kind": "open-care"}}, "nothing would ever name it"),
    (
        {"region.Zata": {"name": "Z", "kind": "open-care", "organizations": ["a|b"]}},
        "no name of a topic's user",
    ),
    ({"region.": {"name": "Z", "kind": "open-care", "organizations": ["a|b"]}}, "stands for nobody"),
    (
        {"zata": {"name": "Z", "kind": "open-care", "organizations": ["a|b"]}},
        "contract 4: losus.region.<unit>",
    ),
]


@pytest.mark.parametrize(("subscribers", "because"), WRONG)
def test_what_no_subscriber_is(subscribers: dict[str, Any], because: str) -> None:
    with pytest.raises(ValidationError, match="subscribers"):
        settings("postgresql://none", subscribers=subscribers)
    assert because


def test_units_owe_nothing_and_route_nobody() -> None:
    given: Settings = settings("postgresql://none", subscribers=SUBSCRIBERS)
    assert set(given.municipalities) == {"2380"}
    assert set(given.open_care) == {ZATA, FROSO}
