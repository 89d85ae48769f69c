"""A statement on its way out: the topic of the municipality, as a FHIR Bundle under the statement's id."""

from adapter.outbound.topics import UNROUTED, cases_topic, settlements_topic
from tests.conftest import Kafka as Broker
from tests.outbound.test_relay import drained, relay
from tests.service import service
from tests.settling.hospital import messages, rows, settled, tell
from tests.topic import records


async def test_a_statement_goes_to_its_municipality_alone(dsn: str, empty_broker: Broker) -> None:
    async with service(dsn) as client:
        await tell(client, *messages(1, "2019-03", 20), *messages(2, "2019-03", 20, "1280"))
    await settled(dsn, "2019-03", "2019-04-01", issue=True)
    names = dict(
        await rows(
            dsn,
            """select id, municipality from statement union
               select follow_up_resource.id, municipality from follow_up_resource
               join follow_up on follow_up.number = follow_up and type = 'MeasureReport'""",
        )
    )
    with relay(dsn, empty_broker.bootstrap):
        await drained(dsn)
    every = await records(empty_broker.bootstrap, settlements_topic("2380"))
    seen = [one for one in every if one.headers["ce_type"] != "se.losus.followup.v1"]
    assert {record.key for record in seen} == {name for name, code in names.items() if code == "2380"}
    for record in seen:
        assert record.value
        assert record.value["resourceType"] == "Bundle"
        assert record.headers["content-type"] == "application/fhir+json"
        assert record.headers["ce_type"] == "se.losus.settlement.issued.v1"
        assert record.headers["ce_subject"] == record.key, "the statement, never a person"
    unrouted = {one.key for one in await records(empty_broker.bootstrap, UNROUTED) if one.key in names}
    assert {names[key] for key in unrouted} == {"1280"}, "Malmö does not subscribe: the region alone"
    pictures = await records(empty_broker.bootstrap, cases_topic("2380"))
    assert not {one.key for one in pictures} & set(names), "a statement is no case"


async def test_a_record_larger_than_a_brokers_default_passes(dsn: str, empty_apache: Broker) -> None:
    """A month of a large city: two megabytes, of which no broker takes a record unless told to."""
    async with service(dsn) as client:
        await tell(client, *messages(1, "2019-03", 20))
    await settled(dsn, "2019-03", "2019-04-01", issue=True, municipalities=("2380",))
    await rows(dsn, "alter table event disable trigger event_stays")
    await rows(
        dsn,
        """update event set payload = convert_to(
             '{"resourceType": "Bundle", "type": "collection", "entry": [{"fullUrl": "urn:x",
               "resource": {"resourceType": "Basic", "id": "' || repeat('x', 2000000) || '"}}]}', 'UTF8')
           where type like '%settlement%'""",
    )
    with relay(dsn, empty_apache.bootstrap):
        await drained(dsn)
    every = await records(empty_apache.bootstrap, settlements_topic("2380"))
    seen = [one for one in every if one.headers["ce_type"] != "se.losus.followup.v1"]
    sizes = [len(one.value["entry"][0]["resource"]["id"]) for one in seen if one.value]
    assert sizes == [2_000_000] * 3
