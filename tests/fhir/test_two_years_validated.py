"""What two years of a small region emit, held against FHIR R4 by HL7's own validator.

Every statement that invoices or credits something, and those of a first month; the months'
follow-ups and public statistics that say the most. All the others are held against fhir.resources alone.
"""

from typing import Any

from adapter.fhir.decimals import loads
from adapter.fhir.model import FhirVersion, validate
from tests.fhir.test_summary_validator import assert_sound
from tests.fhir.validator.validator import FhirValidator
from tests.settling.hospital import rows
from tests.settling.test_two_years import ISSUED, issue_two_years

STATEMENTS = "select bundle from statement order by number"
BESIDE = """(select bundle from follow_up order by length(bundle) desc limit 3) union all
            (select bundle from statistic order by length(bundle) desc limit 2)"""


def types(bundle: dict[str, Any]) -> set[str]:
    return {entry["resource"]["resourceType"] for entry in bundle["entry"]}


async def test_the_validator_finds_no_error(dsn: str, fhir_validator: FhirValidator) -> None:
    await issue_two_years(dsn, lambda *_: None)
    statements = [loads(row[0]) for row in await rows(dsn, STATEMENTS)]
    assert [one for one in statements if validate(one, FhirVersion.R4)] == []
    charged = [one for one in statements if "Invoice" in types(one)]
    assert len(charged) == len([row for row in ISSUED.values() if row[1] or row[2]])
    beside = [loads(row[0]) for row in await rows(dsn, BESIDE)]
    for one in (*statements[:3], *charged, *beside):
        assert validate(one, FhirVersion.R4) == []
        assert_sound(fhir_validator, FhirVersion.R4, one)
