"""What is computed and shown, and never invoiced: an agreement whose billing is suspended."""

from dataclasses import replace

import orjson

from adapter.agreements.agreement import Agreement
from adapter.agreements.load import Book
from adapter.agreements.terms import Status
from tests.service import service
from tests.settlement.making import STHLM
from tests.settling.hospital import book, ledger, messages, rows, settled, tell

SOLNA = "0184"
STOCKHOLM = {"county": "01", "organisation_number": "002000-0006"}


def resumed() -> Book:
    """The same book, in which Stockholm's billing is taken up again."""
    rules = book().rules[STHLM]
    agreement: Agreement = rules.agreement
    status = agreement.status.model_copy(update={"value": Status.ACTIVE})
    active = replace(rules, agreement=agreement.model_copy(update={"status": status}))
    return replace(book(), rules={**book().rules, STHLM: active})


async def test_a_suspended_agreement_shows_what_would_have_been(dsn: str) -> None:
    async with service(dsn) as client:
        await tell(client, *messages(1, "2020-05", 20, SOLNA))
    treated = ledger(dsn, region=STOCKHOLM)
    done = await settled(dsn, "2020-05", "2020-06-01", issue=True, municipalities=(SOLNA,), ledger=treated)
    told = {one.statement.statement.care_form: one.statement for one in done.told}
    assert told["somatic"].statement.agreement == STHLM
    assert told["somatic"].statement.suspended
    assert f"{told['somatic'].statement.amount:f}" == "57400", "(9 - 2) days over the threshold, of 8 200"
    assert told["somatic"].due == 0
    [(bundle,)] = await rows(dsn, "select bundle from statement where care_form = 'somatic'")
    kinds = {entry["resource"]["resourceType"] for entry in orjson.loads(bundle)["entry"]}
    assert "Invoice" not in kinds
    assert {"MeasureReport", "ChargeItem"} <= kinds


async def test_taking_the_billing_up_again_bills_no_month_that_was_shown(dsn: str) -> None:
    async with service(dsn) as client:
        await tell(client, *messages(1, "2020-05", 20, SOLNA), *messages(2, "2020-06", 20, SOLNA))
    treated = ledger(dsn, region=STOCKHOLM)
    await settled(dsn, "2020-05", "2020-06-01", issue=True, municipalities=(SOLNA,), ledger=treated)
    again = ledger(dsn, agreed=resumed(), region=STOCKHOLM)
    done = await settled(dsn, "2020-06", "2020-07-01", issue=True, municipalities=(SOLNA,), ledger=again)
    somatic = next(one.statement for one in done.told if one.statement.statement.care_form == "somatic")
    assert (f"{somatic.due:f}", somatic.adjustments) == ("57400", ()), "June alone"
