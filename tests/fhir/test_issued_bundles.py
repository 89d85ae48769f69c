"""Statements as they were issued from the store, held against FHIR by HL7's own validator.

With the messages that each stay rests on, a correction of an earlier month, and the server's addresses.
"""

import pytest

from adapter.fhir.decimals import loads
from adapter.fhir.model import FhirVersion, validate
from adapter.losus.days import Month
from tests.fhir.test_summary_validator import assert_sound
from tests.fhir.validator.validator import FhirValidator
from tests.service import service
from tests.settling.hospital import corrected, ledger, messages, rows, settled, tell

SPRING = ("2019-01", "2019-02", "2019-03", "2019-04")


@pytest.mark.parametrize("version", [FhirVersion.R4, FhirVersion.R5])
async def test_every_bundle_of_a_spring_with_a_correction(
    dsn: str, fhir_validator: FhirValidator, version: FhirVersion
) -> None:
    async with service(dsn) as client:
        for number, month in enumerate(SPRING):
            await tell(client, *messages(number, month, 20))
        given = ledger(dsn, version)
        for month in SPRING:
            await settled(dsn, month, str(Month.parse(month).end), issue=True, ledger=given)
        await tell(client, corrected(3, "2019-04", 18, 3))
    await settled(dsn, "2019-05", "2019-06-01", issue=True, ledger=given)
    bundles = [loads(row[0]) for row in await rows(dsn, "select bundle from statement order by number")]
    kinds = [entry["resource"]["resourceType"] for one in bundles for entry in one["entry"]]
    assert (len(bundles), kinds.count("Invoice")) == (20, 2), "April's claim, and May's correction of it"
    for one in bundles:
        assert validate(one, version) == []
        assert_sound(fhir_validator, version, one)
