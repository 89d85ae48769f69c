"""What a month came to as a MeasureReport: counts, mean, share, gate status, and the amount beside them.

Owns the figures of one municipality, care form and month. Does not own the rule (`measure`), what is
charged (`charge`, `invoice`) nor what the public may see (`statistics`).

`measureScore` is the mean that was held against the threshold; beside it stands the exact one as days by
stays (Ratio), for 10/3 is no decimal.
"""

from fractions import Fraction
from typing import Any

from adapter.fhir.decimals import day_count, money, rounded
from adapter.fhir.elements import (
    Resource,
    both,
    extension,
    instant,
    month_period,
    municipality,
    narrative,
    parts,
    profile,
    region,
    uuid_of,
)
from adapter.fhir.measure import GROUPS, UNKNOWN, extended, population, threshold
from adapter.fhir.model import FhirVersion
from adapter.fhir.sheet import Sheet
from adapter.fhir.vocabulary import GATE_STATUS, GROUP, KOMMUNKOD, STATEMENT_IDENTIFIER, care_form
from adapter.settlement.gate import MonthMean
from adapter.settlement.measure import Reason
from adapter.settlement.parts import Part, parts_of
from adapter.settlement.remeasured import Remeasured
from adapter.settlement.statement import Assumed, Statement

#: Reasons for which a stay that ended is in no mean; one that is still open is in no month at all.
_OUT = (Reason.COMPULSORY, Reason.NOT_READY, Reason.NOT_HOME_READY)


def report(sheet: Sheet, measure_canonical: str) -> Resource:
    """Give what the month came to: counts, mean, share, gate status, and the amount it leads to."""
    statement, edition = sheet.statement, sheet.edition
    return {
        "resourceType": "MeasureReport",
        "id": sheet.name("MeasureReport"),
        "meta": profile("settlement-measure-report"),
        "text": narrative(*_in_words(sheet)),
        "extension": [
            extension("settlement-care-form", valueCodeableConcept=care_form(statement.care_form)),
            extension(
                "settlement-gate-status", valueCodeableConcept=GATE_STATUS.concept(statement.status.value)
            ),
            _outcome(sheet),
            *(_part(part) for part in parts_of(statement)),
            *(extension("settlement-no-rate", valueInteger=year) for year in _years(statement)),
            *(_assumption(one) for one in statement.assumptions),
        ],
        "identifier": [{"system": STATEMENT_IDENTIFIER, "value": sheet.id}],
        "status": "complete" if sheet.issued else "pending",
        "type": "summary",
        "measure": measure_canonical,
        "subject": subject(sheet),
        "date": instant(sheet.at),
        "period": month_period(statement.month),
        "group": groups(statement, edition.version),
        "reporter": edition.reference("Organization", region(statement.region, edition)["id"]),
    }


def report_again(sheet: Sheet, measure_canonical: str, again: Remeasured) -> Resource:
    """Give the report of a month that was issued, as it is issued again: a resource of its own.

    The one that was issued keeps its status; this one names it (`settlement-replaces`), and has the
    identifier of the month's statement as that has. `sheet` is that of the month as it is settled now.
    """
    made = report(sheet, measure_canonical)
    replaced = sheet.edition.earlier("MeasureReport", report_id(again.corrects, again.number - 1))
    version = {"valuePositiveInt": again.number}
    return {
        **made,
        "id": report_id(again.corrects, again.number),
        "extension": [
            *made["extension"],
            extension("settlement-replaces", valueReference=replaced),
            extension("settlement-measure-version", **version),
        ],
    }


def report_id(statement: str, number: int) -> str:
    """Give the id of the MeasureReport of a statement, in the version of that number."""
    return uuid_of("MeasureReport", statement, *(() if number == 1 else (str(number),)))


def subject(sheet: Sheet) -> dict[str, Any]:
    """Name the municipality that the report is on.

    R4 allows no Organization here, so there it is the municipality as a place, by its kommunkod alone.
    """
    code = sheet.statement.municipality
    if sheet.edition.r5:
        return sheet.edition.reference("Organization", municipality(code, sheet.edition)["id"])
    return {"type": "Location", "identifier": {"system": KOMMUNKOD, "value": code}}


def groups(statement: Statement, version: FhirVersion) -> list[dict[str, Any]]:
    """Give the two figures; a month without stays has counts and no score, one without data neither."""
    mean, out = statement.mean, left_out(statement)
    counts = {
        "mean-days": {
            "initial-population": mean.stays + out,
            "measure-population-exclusion": out,
            "measure-population": mean.stays,
        },
        "day-zero-share": {
            "initial-population": mean.stays,
            "denominator": mean.stays,
            "numerator": mean.day_zero,
        },
    }
    scored = "measureScoreQuantity" if version is FhirVersion.R5 else "measureScore"
    scores = {"mean-days": mean_score(mean), "day-zero-share": share_score(mean)}
    return [
        {
            **extended(threshold(mean.terms) + _exact_mean(mean) if code == "mean-days" else []),
            "code": GROUP.concept(code),
            "population": [
                {"code": population(name), **({"_count": UNKNOWN} if mean.no_data else {"count": count})}
                for name, count in counts[code].items()
            ],
            **({scored: UNKNOWN} if mean.no_data else {scored: score} if (score := scores[code]) else {}),
        }
        for code in GROUPS
    ]


def left_out(statement: Statement) -> int:
    """Count the stays that ended in the month and are not in its mean: excluded ones and long ones."""
    return statement.long_stays + sum(one.reasons[0] in _OUT for one in statement.excluded)


def mean_score(mean: MonthMean) -> dict[str, Any] | None:
    """Give the mean as it is held against the threshold, to six digits; None in a month without stays."""
    return None if mean.compared is None else day_count(rounded(mean.compared))


def share_score(mean: MonthMean) -> dict[str, Any] | None:
    """Give the share of stays home on day zero, from 0 to 1 and without unit; None without stays."""
    return {"value": rounded(Fraction(mean.day_zero, mean.stays))} if mean.stays else None


def _exact_mean(mean: MonthMean) -> list[dict[str, Any]]:
    if not mean.stays:
        return []
    ratio = {"numerator": day_count(mean.days), "denominator": {"value": mean.stays}}
    return [extension("settlement-exact-mean", valueRatio=ratio)]


def _outcome(sheet: Sheet) -> dict[str, Any]:
    """Give days, amount and what is due of it; `amount` is what would have been where nothing is due.

    Neither where a rate is missing.
    """
    statement = sheet.statement
    sums: dict[str, tuple[str, object]] = {}
    if statement.no_rate is None:
        sums = {"amount": ("Money", money(statement.amount)), "due": ("Money", money(sheet.due))}
    return parts(
        "settlement-outcome",
        payable_days=("Quantity", day_count(statement.payable_days)),
        **sums,
        suspended=("Boolean", statement.suspended),
        provisional=("Boolean", statement.provisional),
    )


def _part(part: Part) -> dict[str, Any]:
    return parts(
        "settlement-part",
        of=("Code", part.of.value),
        stays=("Integer", part.stays),
        payable_days=("Quantity", day_count(part.payable_days)),
        amount=("Money", money(part.amount)),
        because=("String", both(*part.words)),
    )


def _years(statement: Statement) -> tuple[int, ...]:
    return statement.no_rate.years if statement.no_rate else ()


def _assumption(one: Assumed) -> dict[str, Any]:
    return parts(
        "settlement-assumption",
        id=("Code", one.id),
        what=("String", one.what),
        because=("String", one.because),
    )


def _in_words(sheet: Sheet) -> tuple[str, str]:
    statement, mean = sheet.statement, sheet.statement.mean
    score = mean_score(mean)
    average = ("–", "–") if score is None else (str(score["value"]),) * 2
    stays = "–" if mean.no_data else str(mean.stays)
    english, swedish = GATE_STATUS.concepts[statement.status.value]
    headline = sheet.headline
    sums = _sums_in_words(statement)
    if statement.protected or statement.entered:
        counts = statement.protected, statement.entered
        sums = (
            f"{sums[0]} {counts[0]} med skyddad identitet, {counts[1]} med inmatad kommun.",
            f"{sums[1]} {counts[0]} with protected identity, {counts[1]} with an entered municipality.",
        )
    return (
        f"{headline[0]}: {stays} vårdtillfällen, genomsnitt {average[0]} dygn. {swedish}. {sums[0]}",
        f"{headline[1]}: {stays} stays, mean {average[1]} days. {english}. {sums[1]}",
    )


def _sums_in_words(statement: Statement) -> tuple[str, str]:
    """Say what the month costs and what that is due to, or which year's amount is missing."""
    if statement.no_rate is not None:
        years, stays = ", ".join(map(str, statement.no_rate.years)), len(statement.no_rate.stays)
        return (
            f"Beloppet för {years} är inte känt: {stays} vårdtillfällen väntar på det.",
            f"The amount of {years} is not known: {stays} stays wait for it.",
        )
    would = ("Skulle ha blivit", "Would have been") if statement.suspended else ("Belopp", "Amount")
    swedish, english = (f"{word} {money(statement.amount)['value']} SEK." for word in would)
    for part in parts_of(statement):
        due = f"{money(part.amount)['value']} SEK"
        swedish, english = f"{swedish} {part.words[0]} {due}.", f"{english} {part.words[1]} {due}."
    return swedish, english
