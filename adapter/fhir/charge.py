"""What is charged, stay by stay: ChargeItems, and the ChargeItemDefinitions that price them.

Owns one ChargeItem for each stay and year that is charged, one for each stay that is not (with its
reason, or its length in the mean that is charged), one for each correction. Does not own the sum (`invoice`).

The patient is not named. `ChargeItem.subject` is demanded by R4; it is given as *masked*, and the stay
stands in `context` (R5 `encounter`) by its pseudonym, the key of the municipality's own topic `.cases`,
where it finds the person. So a claim can be checked by whom it concerns, and travels through accounting
systems without saying who was in hospital. An excess of a mean concerns no one person: its subject is
the group of all stays in the mean.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from adapter.fhir.adjustment import charge_item_id
from adapter.fhir.decimals import day_count, money
from adapter.fhir.elements import (
    Edition,
    Resource,
    both,
    canonical,
    extension,
    instant,
    month_period,
    narrative,
    parts,
    period,
    profile,
    region,
)
from adapter.fhir.model import FhirVersion
from adapter.fhir.reason_words import Language, in_words, reasons_text
from adapter.fhir.sheet import Sheet
from adapter.fhir.vocabulary import (
    ADJUSTMENT_REASON,
    BASIS,
    CANONICAL,
    CHARGE_IDENTIFIER,
    PRICE,
    REASON,
    STATEMENT_IDENTIFIER,
    STAY_IDENTIFIER,
)
from adapter.settlement.difference import Adjustment
from adapter.settlement.measure import Reason
from adapter.settlement.reasons import AdjustmentReason, parts_of
from adapter.settlement.statement import Charge, Counted, Excluded, Line, Statement

_MASKED = {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked"}


@dataclass(frozen=True, slots=True)
class Charged:
    """A ChargeItem, and what goes with it.

    `stay`: whose it is; None for the excess of a mean. `price`: its parts as the invoice's line has them;
    None where there is no line. `definition`: what prices it; None where nothing does.
    """

    item: Resource
    stay: str | None
    price: list[dict[str, Any]] | None
    definition: Resource | None


def charged(sheet: Sheet) -> Iterator[Charged]:
    """Give the lines of the statement, its corrections of earlier ones, and the stays not charged.

    Those in the mean of an excess stand with their lengths, so that the mean can be worked out anew.
    """
    for line in sheet.statement.lines:
        for charge in line.charges:
            yield _of_charge(sheet, line, charge)
    for adjustment in sheet.adjustments:
        yield _of_adjustment(sheet, adjustment)
    for line in sheet.statement.lines:
        for one in line.counted:
            yield Charged(_of_counted(sheet, one), one.stay, None, None)
    for excluded in sheet.statement.excluded:
        yield Charged(_of_excluded(sheet, excluded), excluded.stay, None, None)
    for stay in sheet.statement.no_rate.stays if sheet.statement.no_rate else ():
        yield Charged(_of_waiting(sheet, stay), stay, None, None)


def group_of_mean(sheet: Sheet) -> Resource:
    """Give the stays in the mean as a Group without members: whom an excess concerns."""
    swedish, english = sheet.headline
    kind = {"membership": "enumerated"} if sheet.edition.r5 else {"actual": True}
    return {
        "resourceType": "Group",
        "id": sheet.name("Group"),
        "text": narrative(f"De som ingår i genomsnittet: {swedish}", f"Those in the mean: {english}"),
        "type": "person",
        **kind,
        "name": f"De som ingår i genomsnittet: {swedish}",
        "quantity": sheet.statement.mean.stays,
    }


def definition_of(statement: Statement, line: Line, charge: Charge, version: FhirVersion) -> Resource:
    """Give the price of a day in the year of a charge: amount, its source, and the clauses of the line.

    A `draft` where the amount is not confirmed.
    """
    rate, basis = charge.rate, line.basis.value
    clauses = "; ".join(f"{clause.term}: {clause}" for clause in line.clauses)
    english, swedish = BASIS.concepts[basis]
    year = {"start": f"{rate.year}-01-01", "end": f"{rate.year}-12-31"}
    price = {"type": "base", "code": PRICE.concept("day-rate"), "amount": money(rate.amount)}
    made: Resource = {
        "resourceType": "ChargeItemDefinition",
        "text": narrative(
            f"{swedish}: {money(rate.amount)['value']} SEK per dygn {rate.year}",
            f"{english}: {money(rate.amount)['value']} SEK a day in {rate.year}",
        ),
        "url": f"{CANONICAL}/ChargeItemDefinition/{statement.agreement}-{basis}-{rate.year}",
        "title": f"{statement.title}: {both(swedish, english.lower())}, {rate.year}",
        "status": "active" if rate.verified and not statement.draft else "draft",
        "experimental": False,
        "description": f"{rate.source}. {clauses}",
        "code": BASIS.concept(basis),
        "propertyGroup": [{"priceComponent": [price]}],
    }
    if version is FhirVersion.R5:
        name = "".join(word.capitalize() for word in f"{statement.agreement}-{basis}".split("-"))
        made |= {"name": f"{name}{rate.year}", "applicability": [{"effectivePeriod": year}]}
    else:
        made["effectivePeriod"] = year
    return canonical(made)


def _of_charge(sheet: Sheet, line: Line, charge: Charge) -> Charged:
    definition = definition_of(sheet.statement, line, charge, sheet.edition.version)
    unit, total = money(charge.rate.amount), money(charge.amount)
    quantity = day_count(charge.days)
    stay = line.stay
    flags = [extension("settlement-flag", valueCodeableConcept=_reason(one)) for one in line.flags]
    item = {
        **_head(sheet, "charge", stay or "", line.basis.value, str(charge.rate.year)),
        **_status(sheet, [*flags, *_prices(sheet, unit, total)], suspended=sheet.statement.suspended),
        "definitionCanonical": [f"{definition['url']}|{definition['version']}"],
        "code": BASIS.concept(line.basis.value),
        **(_stay(stay, sheet.edition) if stay else _everyone(sheet)),
        "occurrencePeriod": _span(charge, sheet),
        **_performing(sheet),
        "quantity": quantity,
        **_entered(sheet),
        "note": [{"text": text} for text in line.reasons],
    }
    if sheet.edition.r5:
        item["unitPriceComponent"] = _price("base", "day-rate", unit)
        item["totalPriceComponent"] = _price("base", "days", total)
    words = f"{quantity['value']} × {unit['value']} = {total['value']} SEK"
    item["text"] = narrative(*(f"{BASIS.concepts[line.basis.value][i]}: {words}" for i in (1, 0)))
    price = [_price("informational", "day-rate", unit), _price("base", "days", total, quantity["value"])]
    return Charged(item, stay, price, definition)


def _of_adjustment(sheet: Sheet, one: Adjustment) -> Charged:
    """Correct an earlier statement: days and SEK added, or those taken back, on a credit note.

    In a statement that was issued before there were credit notes what is taken back stands negative.
    `supportingInformation` names the statement, then each line of it that is corrected.
    """
    taken_back = one.amount < 0 and not sheet.is_legacy
    post, amount = one.post, money(-one.amount if taken_back else one.amount)
    code = f"adjustment-{one.kind}"
    names = (one.corrects, post.stay or "", post.basis.value)
    corrected = {"type": "Invoice", "identifier": {"system": STATEMENT_IDENTIFIER, "value": one.corrects}}
    lines = [sheet.edition.earlier("ChargeItem", charge_item_id(one, line)) for line in one.lines]
    before, after = (money(value)["value"] for value in (one.amount_posted, one.amount_owed))
    reasons = [each for reason in one.reasons for each in _adjustment_reasons(reason)]
    item = {
        **_head(sheet, "adjustment", *names),
        **_status(sheet, reasons, suspended=sheet.statement.suspended and sheet.is_unbilled),
        "code": BASIS.concept(code),
        **(_stay(post.stay, sheet.edition) if post.stay else _masked("Group")),
        "occurrencePeriod": month_period(post.month),
        **_performing(sheet),
        "quantity": day_count(-one.payable_days if taken_back else one.payable_days),
        **_entered(sheet),
    }
    why = reasons_text(one.reasons)
    if sheet.edition.r5:
        item["totalPriceComponent"] = _price("base", "adjustment", amount)
        item["overrideReason"] = {"text": why}
    else:
        item |= {"priceOverride": amount, "overrideReason": why}
    item["supportingInformation"] = [corrected, *lines]
    item["note"] = [{"text": why}]
    words = f"{post.month}: {before} → {after} SEK"
    english, swedish = BASIS.concepts[code]
    item["text"] = narrative(
        f"{swedish}, {words}. {_why(one, 'sv')}.", f"{english}, {words}. {_why(one, 'en')}."
    )
    return Charged(item, post.stay, [_price("base", "adjustment", amount)], None)


def _why(one: Adjustment, language: Language) -> str:
    return "; ".join(in_words(reason, language) for reason in one.reasons) or "–"


def _adjustment_reasons(reason: AdjustmentReason) -> Iterator[dict[str, Any]]:
    """Give a reason as extensions, one for each thing that changed, with the clauses by which it matters."""
    kind = ADJUSTMENT_REASON.concept(reason.kind)
    clauses = [{"url": "clause", "valueString": f"{one.term}: {one}"} for one in reason.clauses]
    for part in parts_of(reason):
        texts = (("what", part.what), ("before", part.before), ("after", part.after), ("words", part.note))
        inner = [{"url": "kind", "valueCodeableConcept": kind}]
        inner += [{"url": url, "valueString": text} for url, text in texts if text]
        if part.since is not None:
            inner.append({"url": "since", "valueDate": part.since.isoformat()})
        yield extension("settlement-adjustment-reason", extension=[*inner, *clauses])


def _of_counted(sheet: Sheet, one: Counted) -> Resource:
    """Give the length of a stay that is in the mean and is charged through its excess alone."""
    quantity = day_count(one.days)
    words = [f"{BASIS.concepts['in-mean'][i]}: {one.zero} – {one.end}, {quantity['value']} d" for i in (1, 0)]
    return {
        **_head(sheet, "in-mean", one.stay),
        "status": "not-billable",
        "code": BASIS.concept("in-mean"),
        **_stay(one.stay, sheet.edition),
        "occurrencePeriod": period(one.zero, max(one.zero, one.end)),
        **_performing(sheet),
        "quantity": quantity,
        **_entered(sheet),
        "text": narrative(*words),
    }


def _of_excluded(sheet: Sheet, excluded: Excluded) -> Resource:
    """Give a stay that is in no mean or on no bill: no days, the reasons in the order of the statement."""
    still_open = excluded.reasons[0] is Reason.OPEN
    reasons = [_reason(reason) for reason in excluded.reasons]
    words = [", ".join(REASON.concepts[reason.value][i] for reason in excluded.reasons) for i in (1, 0)]
    return {
        **_head(sheet, "excluded", excluded.stay),
        "extension": [extension("settlement-status-reason", valueCodeableConcept=one) for one in reasons],
        "status": "planned" if still_open else "not-billable",
        "code": BASIS.concept("no-charge"),
        **_stay(excluded.stay, sheet.edition),
        **_performing(sheet),
        **_entered(sheet),
        "text": narrative(*words),
    }


def _of_waiting(sheet: Sheet, stay: str) -> Resource:
    """Give a stay with days in a year whose amount is not known: to be charged once it is."""
    reason = REASON.concept("no-rate")
    return {
        **_head(sheet, "no-rate", stay),
        "extension": [extension("settlement-status-reason", valueCodeableConcept=reason)],
        "status": "planned",
        "code": BASIS.concept("no-charge"),
        **_stay(stay, sheet.edition),
        **_performing(sheet),
        **_entered(sheet),
        "text": narrative(*(REASON.concepts["no-rate"][i] for i in (1, 0))),
    }


def _head(sheet: Sheet, *names: str) -> Resource:
    name = sheet.name("ChargeItem", *names)
    identifier = {"system": CHARGE_IDENTIFIER, "value": name}
    meta = profile("settlement-charge-item")
    return {"resourceType": "ChargeItem", "id": name, "meta": meta, "identifier": [identifier]}


def _performing(sheet: Sheet) -> dict[str, Any]:
    """Name the region that gave the care."""
    paid = region(sheet.statement.region, sheet.edition)
    return {"performingOrganization": sheet.edition.reference("Organization", paid["id"])}


def _entered(sheet: Sheet) -> dict[str, str]:
    return {"enteredDate": instant(sheet.at)}


def _prices(sheet: Sheet, unit: dict[str, Any], total: dict[str, Any]) -> list[dict[str, Any]]:
    """Give what a day costs and what all do; R5 has elements of its own for it."""
    if sheet.edition.r5:
        return []
    return [parts("settlement-price", unit_price=("Money", unit), total=("Money", total))]


def _status(sheet: Sheet, extensions: list[dict[str, Any]], *, suspended: bool) -> dict[str, Any]:
    """Say whether it is billed: `billable` in a draft, and while billing is suspended not at all."""
    if suspended:
        because = extension("settlement-status-reason", valueCodeableConcept=REASON.concept("suspended"))
        return {"extension": [because, *extensions], "status": "not-billable"}
    status = {"status": "billed" if sheet.issued else "billable"}
    return {"extension": extensions, **status} if extensions else status


def _stay(stay: str, edition: Edition) -> dict[str, Any]:
    context = {"type": "Encounter", "identifier": {"system": STAY_IDENTIFIER, "value": stay}}
    return {**_masked("Patient"), ("encounter" if edition.r5 else "context"): context}


def _masked(kind: str) -> dict[str, Any]:
    display = _WHOM[kind]
    return {"subject": {"extension": [_MASKED], "type": kind, "display": display}}


_WHOM = {
    "Patient": both("Personen i vårdtillfället", "The person of the stay"),
    "Group": both("De som ingick i genomsnittet", "Those in the mean"),
}


def _everyone(sheet: Sheet) -> dict[str, Any]:
    return {"subject": sheet.edition.reference("Group", sheet.name("Group"))}


def _span(charge: Charge, sheet: Sheet) -> dict[str, str]:
    """Give the first and the last payable day, both paid for; of an excess the month."""
    first, last = charge.first_day, charge.last_day
    if first is None or last is None:
        return month_period(sheet.statement.month)
    return period(first, last)


def _reason(reason: Reason) -> dict[str, Any]:
    return REASON.concept(reason.value)


def _price(
    kind: str, code: str, amount: dict[str, Any], factor: Decimal | int | None = None
) -> dict[str, Any]:
    """Give a part of a price; `factor` is «the factor that has been applied on the base price»."""
    factored = {} if factor is None else {"factor": factor}
    return {"type": kind, "code": PRICE.concept(code), **factored, "amount": amount}
