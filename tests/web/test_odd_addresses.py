"""An address that says what the database cannot hold is answered 4xx: it is the caller's fault, not ours."""

from tests.service import service

_HUGE = str(2**63)
_LARGEST = str(2**63 - 1)


_ADDRESSES = [
    # address, status, because
    (f"/fhir/ChargeItem?_after={_LARGEST}", 200, "the last number that a bigint holds: nothing comes after"),
    (f"/fhir/ChargeItem?_after={_HUGE}", 400, "no number of a resource is as large"),
    (f"/fhir/Invoice?_after=-{_HUGE}", 400, "nor below nought"),
    ("/fhir/Invoice?_count=1001", 200, "R4 search#count: a server gives fewer than asked, and refuses none"),
    ("/fhir/Invoice?_count=x", 400, "no number"),
    (f"/fhir/Invoice?_count={'9' * 5_000}", 400, "no number that anybody means"),
    ("/fhir/Invoice?date=9999-12-31", 400, "a year beyond what is searched"),
    ("/fhir/Invoice?date=2024-02-30", 400, "no such day"),
    ("/fhir/Invoice?date=lt1000", 200, "the first year that is searched"),
    ("/fhir/Invoice?date=ge2999-12-31T23:59:59.999-14:00", 200, "the last"),
    ("/fhir/Invoice?_lastUpdated=sa1000-01-01T00:00:00Z&_sort=-_lastUpdated", 200, "an instant long ago"),
    ("/fhir/Invoice?identifier=%00", 400, "nor in a token"),
    ("/fhir/Invoice?_id=%ff,%7C", 200, "tokens of nothing"),
    ("/fhir/Invoice?municipality=2380%00", 400, "PostgreSQL holds no NUL in a text"),
    ("/fhir/MeasureReport?measure=%00", 400, "nor in a canonical"),
    ("/fhir/Invoice/a%00b", 400, "nor in an id"),
    ("/fhir/Invoice?agreement=%ff", 200, "bytes that are no UTF-8 are replaced, and match nothing"),
    ("/cases?after=%00", 400, "nor in a cursor"),
    ("/cases?source=a&key=%00", 400, "nor in a key"),
    ("/cases?state=%00", 400, "nor in a state"),
    (f"/cases?limit={_HUGE}", 400, "a page has a limit"),
    ("/cases/%00", 400, "nor in a case's id"),
    ("/cases/%00/timeline", 400, "nor in a case's id"),
    ("/settlements/a%00/2380/2024-01", 400, "nor in an agreement's id"),
    ("/settlements/a/2380%00/2024-01", 400, "nor in a kommunkod"),
    ("/settlements/a/2380/9998-12", 404, "a month that is far away, and one all the same"),
    ("/settlements/a/2380/9999-12", 400, "a month without an end"),
    ("/settlements/a/2380/0000-01", 400, "no month of a year nought"),
    ("/statistics/%00/2024-01", 400, "nor in an agreement's id"),
]


async def test_what_no_database_holds(dsn: str) -> None:
    async with service(dsn) as client:
        answers = [await client.get(address) for address, _, _ in _ADDRESSES]
    found = [
        (address, answer.status_code, why)
        for answer, (address, _, why) in zip(answers, _ADDRESSES, strict=True)
    ]
    assert found == _ADDRESSES
    assert all(answer.json()["resourceType"] == "OperationOutcome" for answer in answers if answer.is_error)
