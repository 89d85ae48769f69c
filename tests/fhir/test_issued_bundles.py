"""What was issued from the store, held against FHIR by HL7's own validator.

Statements with the messages that each stay rests on, a correction of an earlier month, and the server's
addresses; drafts of them; follow-ups; public statistics; answered disputes.
"""

import pytest

from adapter.fhir.decimals import loads
from adapter.fhir.dispute import STEP, answer_bundle, told_task
from adapter.fhir.model import FhirVersion, validate
from adapter.fhir.sheet import Draft
from adapter.fhir.summary import bundle
from adapter.fhir.vocabulary import STAY_IDENTIFIER
from adapter.losus.days import Month
from adapter.settlement.holding import Dispute
from tests.fhir.test_summary_validator import assert_sound
from tests.fhir.validator.validator import FhirValidator
from tests.service import service
from tests.settling.hospital import at, corrected, ledger, messages, rows, settled, tell

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
    draft = await settled(dsn, "2019-06", "2019-07-01", ledger=given, municipalities=("2380",))
    drafts = bundle([Draft(one.statement) for one in draft.told], given.edition(at("2019-07-01")))
    bundles = [loads(row[0]) for row in await rows(dsn, "select bundle from statement order by number")]
    kinds = [entry["resource"]["resourceType"] for one in bundles for entry in one["entry"]]
    assert (len(bundles), kinds.count("Invoice")) == (20, 2), "April's claim, and May's correction of it"
    beside = await rows(dsn, "select bundle from follow_up union all select bundle from statistic")
    assert len(beside) == 10 + 5, "two municipalities of five months; five months of one agreement"
    for one in (*bundles, drafts, *(loads(row[0]) for row in beside)):
        assert validate(one, version) == []
        assert_sound(fhir_validator, version, one)


@pytest.mark.parametrize("version", [FhirVersion.R4, FhirVersion.R5])
@pytest.mark.parametrize("focus", ["a line", "a stay"])
@pytest.mark.parametrize("upheld", [True, False])
def test_an_answered_dispute(
    fhir_validator: FhirValidator, version: FhirVersion, focus: str, upheld: bool
) -> None:
    """The Task that comes in may hold what it will: what goes out is made anew."""
    asked = {
        "resourceType": "Task",
        "id": "question-1",
        "status": "requested",
        "intent": "order",
        "code": {"coding": [{"system": STEP, "code": "dispute"}]},
        "extension": [{"url": "https://example.org/nobody-knows", "valueString": "x"}],
        "description": "Vi räknar fyra dygn.",
        "note": [{"text": "Se vår egen journal.", "authorString": "Handläggaren"}],
        "focus": {"reference": "ChargeItem/0b5f0e0c-5c0c-4a57-9f0c-5b8f2d7c1a11"}
        if focus == "a line"
        else {"identifier": {"system": STAY_IDENTIFIER, "value": "a"}},
    }
    one = Dispute(
        "0b5f0e0c-5c0c-4a57-9f0c-5b8f2d7c1a12", "2380", "a", Month(2019, 4), upheld, reason="Räknat rätt."
    )
    told = told_task(asked, one, version, at("2019-05-02"))
    sent = answer_bundle(told, "https://losus.example.se/fhir", at("2019-05-02"))
    assert validate(sent, version) == []
    assert_sound(fhir_validator, version, sent)
