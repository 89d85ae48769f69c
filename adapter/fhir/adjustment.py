"""A correction of an issued statement as JSON and as a row: what it corrects, and why.

Owns the names of the fields, and the FHIR ids of the lines that are corrected: they follow from the statement
and the line, so that no database is needed to give them. Does not own the reasons (`settlement.reasons`),
their words (`reason_words`) nor the ChargeItem (`charge`).
"""

from collections.abc import Iterator
from typing import Any

from adapter.fhir.elements import uuid_of
from adapter.fhir.reason_words import in_words
from adapter.settlement.difference import Adjustment, LineName
from adapter.settlement.reasons import reason_json
from adapter.settlement.render import clause_json, dumps, plain

#: The columns of a CSV of adjustments; an empty cell is null.
ADJUSTMENT_COLUMNS = (
    "statement",
    "municipality",
    "care_form",
    "month",
    "agreement",
    "stay",
    "basis",
    "kind",
    "payable_days",
    "amount",
    "amount_before",
    "amount_after",
    "corrects",
    "charge_items",
    "reasons",
    "changes",
    "clauses",
)


def charge_item_id(adjustment: Adjustment, line: LineName) -> str:
    """Give the id of the ChargeItem that a corrected line is, as `charge` names it."""
    post = adjustment.post
    names = (post.stay or "", post.basis.value)
    if line.year is None:
        return uuid_of("ChargeItem", line.statement, "adjustment", adjustment.corrects, *names)
    return uuid_of("ChargeItem", line.statement, "charge", *names, str(line.year))


def invoice_id(statement: str) -> str:
    """Give the id of the Invoice of a statement."""
    return uuid_of("Invoice", statement)


def adjustment_json(adjustment: Adjustment) -> dict[str, object]:
    """Give the JSON values of an adjustment line."""
    post = adjustment.post
    return {
        "corrects": adjustment.corrects,
        "agreement": post.agreement,
        "month": str(post.month),
        "stay": post.stay,
        "basis": post.basis.value,
        "kind": adjustment.kind,
        "payable_days": plain(adjustment.payable_days),
        "amount": adjustment.amount,
        "amount_before": adjustment.amount_posted,
        "amount_after": adjustment.amount_owed,
        "lines": list(_lines(adjustment)),
        "reasons": [reason_json(one) for one in adjustment.reasons],
        "words": {
            language: [in_words(one, language) for one in adjustment.reasons] for language in ("sv", "en")
        },
        "clauses": [clause_json(one) for one in adjustment.clauses],
    }


def _lines(adjustment: Adjustment) -> Iterator[dict[str, Any]]:
    for line in adjustment.lines:
        yield {
            "statement": line.statement,
            "invoice": invoice_id(line.statement),
            "charge_item": charge_item_id(adjustment, line),
            "year": line.year,
        }


def adjustment_row(statement: str, adjustment: Adjustment) -> dict[str, str]:
    """Give the row of an adjustment on a statement (its id) under `ADJUSTMENT_COLUMNS`, all text."""
    post = adjustment.post
    reasons = adjustment.reasons
    return {
        "statement": statement,
        "municipality": post.municipality,
        "care_form": post.care_form,
        "month": str(post.month),
        "agreement": post.agreement,
        "stay": post.stay or "",
        "basis": post.basis.value,
        "kind": adjustment.kind,
        "payable_days": str(adjustment.payable_days),
        "amount": f"{adjustment.amount:f}",
        "amount_before": f"{adjustment.amount_posted:f}",
        "amount_after": f"{adjustment.amount_owed:f}",
        "corrects": adjustment.corrects,
        "charge_items": " ".join(charge_item_id(adjustment, line) for line in adjustment.lines),
        "reasons": " ".join(dict.fromkeys(one.kind for one in reasons)),
        "changes": dumps([reason_json(one)["changes"] for one in reasons]).decode(),
        "clauses": "; ".join(f"{clause.term}: {clause}" for clause in adjustment.clauses),
    }
