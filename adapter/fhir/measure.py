"""The rule of a month as a Measure, and what it came to as a MeasureReport.

Owns the two figures (mean of days after day zero, share home on day zero), threshold, gate status and the
amount beside them. Does not own what is charged (`charge`, `invoice`) nor what the public may see
(`statistics`).

Scoring is said group by group, for the mean is a `continuous-variable` and the share a `proportion`: R5
has `group.scoring`, R4 an extension of this project. `measureScore` is the mean that was held against the
threshold; beside it stands the exact one as days by stays (Ratio), for 10/3 is no decimal.
"""

from fractions import Fraction
from typing import Any

from adapter.agreements.terms import Clause, Terms
from adapter.fhir.decimals import day_count, money, rounded
from adapter.fhir.elements import (
    Resource,
    both,
    canonical,
    extension,
    instant,
    month_period,
    municipality,
    narrative,
    parts,
    region,
)
from adapter.fhir.model import FhirVersion
from adapter.fhir.sheet import Sheet
from adapter.fhir.vocabulary import (
    CANONICAL,
    CARE_FORMS,
    GATE_STATUS,
    GROUP,
    KOMMUNKOD,
    STATEMENT_IDENTIFIER,
    care_form,
)
from adapter.settlement.gate import MonthMean
from adapter.settlement.measure import Reason
from adapter.settlement.statement import Assumed, Statement

_POPULATION = "http://terminology.hl7.org/CodeSystem/measure-population"
_SCORING = "http://terminology.hl7.org/CodeSystem/measure-scoring"

#: Of each group: how it is scored, and its populations with what is in them.
GROUPS: dict[str, tuple[str, dict[str, tuple[str, str]]]] = {
    "mean-days": (
        "continuous-variable",
        {
            "initial-population": (
                "vårdtillfällen som avslutats under månaden",
                "stays that ended in the month",
            ),
            "measure-population-exclusion": (
                "de som avtalet undantar från genomsnittet",
                "those that the agreement leaves out of the mean",
            ),
            "measure-population": ("de som ingår i genomsnittet", "those in the mean"),
        },
    ),
    "day-zero-share": (
        "proportion",
        {
            "initial-population": ("de som ingår i genomsnittet", "stays in the mean"),
            "denominator": ("de som ingår i genomsnittet", "stays in the mean"),
            "numerator": ("de som gick hem dag noll", "those that went home on day zero"),
        },
    ),
}

#: Reasons for which a stay that ended is in no mean; one that is still open is in no month at all.
_OUT = (Reason.COMPULSORY, Reason.NOT_READY, Reason.NOT_HOME_READY)

#: The terms that make up the rule, each cited on the Measure.
_RULE = (
    "gate",
    "threshold",
    "compare",
    "measure_from",
    "start_after",
    "start_in",
    "stop_after",
    "retroactive",
    "empty_month",
    "attribution",
    "round_mean",
    "clock",
    "cutoff",
    "unit",
    "on_withdrawal",
    "compulsory",
    "long_stays",
    "billing",
    "first_payable_day",
    "count_end_day",
    "requires",
)


def measure(statement: Statement, version: FhirVersion) -> Resource:
    """Give the rule that the month was measured by: agreement, care form and the terms of its first day.

    Its canonical version is a digest of what it says: a change of terms is another version.
    """
    form, terms = statement.care_form, statement.mean.terms
    swedish, english = CARE_FORMS[form]
    name = "".join(word.capitalize() for word in f"{statement.agreement}-{form}".split("-"))
    rule = _rule_in_words(terms)
    made: Resource = {
        "resourceType": "Measure",
        "text": narrative(f"{statement.title}. {rule[0]}", f"{statement.title}. {rule[1]}"),
        "url": f"{CANONICAL}/Measure/{statement.agreement}-{form}",
        "identifier": [{"value": f"{statement.agreement}/{form}"}],
        "name": name,
        "title": f"{statement.title}: {both(swedish, english.lower())}",
        "status": "active",
        "experimental": False,
        "description": both(*rule),
        "relatedArtifact": _artifacts(terms.cite(*_RULE), statement.assumptions),
        "group": [_rule_group(code, terms, version) for code in GROUPS],
    }
    if version is FhirVersion.R5:
        made["basis"] = "Encounter"
    if not made["relatedArtifact"]:
        del made["relatedArtifact"]
    return canonical(made)


def report(sheet: Sheet, measure_canonical: str) -> Resource:
    """Give what the month came to: counts, mean, share, gate status, and the amount it leads to."""
    statement, edition = sheet.statement, sheet.edition
    paid = region(statement.agreement, edition)
    made: Resource = {
        "resourceType": "MeasureReport",
        "id": sheet.name("MeasureReport"),
        "text": narrative(*_in_words(sheet)),
        "extension": [
            extension("settlement-care-form", valueCodeableConcept=care_form(statement.care_form)),
            extension(
                "settlement-gate-status", valueCodeableConcept=GATE_STATUS.concept(statement.status.value)
            ),
            _outcome(sheet),
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
    }
    if paid is not None:
        made["reporter"] = edition.reference("Organization", paid["id"])
    return made


def subject(sheet: Sheet) -> dict[str, Any]:
    """Name the municipality that the report is on.

    R4 allows no Organization here, so there it is the municipality as a place, by its kommunkod alone.
    """
    code = sheet.statement.municipality
    if sheet.edition.r5:
        return sheet.edition.reference("Organization", municipality(code, sheet.edition)["id"])
    return {"type": "Location", "identifier": {"system": KOMMUNKOD, "value": code}}


def groups(statement: Statement, version: FhirVersion) -> list[dict[str, Any]]:
    """Give the two figures; a month without stays has counts and no score."""
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
            **_extended(_threshold(mean.terms) + _exact_mean(mean) if code == "mean-days" else []),
            "code": GROUP.concept(code),
            "population": [
                {"code": _population(name), "count": count} for name, count in counts[code].items()
            ],
            **({scored: score} if (score := scores[code]) else {}),
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
    """Give the share of stays home on day zero, of 1; None in a month without stays."""
    if not mean.stays:
        return None
    share = rounded(Fraction(mean.day_zero, mean.stays))
    return {"value": share, "system": "http://unitsofmeasure.org", "code": "1"}


def _exact_mean(mean: MonthMean) -> list[dict[str, Any]]:
    if not mean.stays:
        return []
    ratio = {"numerator": day_count(mean.days), "denominator": {"value": mean.stays}}
    return [extension("settlement-exact-mean", valueRatio=ratio)]


def _threshold(terms: Terms) -> list[dict[str, Any]]:
    if terms.threshold is None:
        return []
    quantity = {"comparator": terms.compare.value, **day_count(terms.threshold)}
    return [extension("settlement-threshold", valueQuantity=_comparator_second(quantity))]


def _comparator_second(quantity: dict[str, Any]) -> dict[str, Any]:
    """Order the elements as FHIR has them: value first."""
    return {"value": quantity["value"], **{k: v for k, v in quantity.items() if k != "value"}}


def _extended(extensions: list[dict[str, Any]]) -> dict[str, Any]:
    return {"extension": extensions} if extensions else {}


def _population(code: str) -> dict[str, Any]:
    return {"coding": [{"system": _POPULATION, "code": code}]}


def _rule_group(code: str, terms: Terms, version: FhirVersion) -> dict[str, Any]:
    scoring, populations = GROUPS[code]
    scored = {"coding": [{"system": _SCORING, "code": scoring}]}
    r5 = version is FhirVersion.R5
    extensions = _threshold(terms) if code == "mean-days" else []
    if not r5:
        extensions = [*extensions, extension("settlement-group-scoring", valueCodeableConcept=scored)]
    swedish, english = GROUP.concepts[code][1], GROUP.concepts[code][0]
    return {
        **_extended(extensions),
        "code": GROUP.concept(code),
        "description": both(swedish, english),
        **({"scoring": scored} if r5 else {}),
        "population": [
            {
                "code": _population(name),
                "description": both(*words),
                "criteria": {"language": "text/plain", "expression": words[1]},
            }
            for name, words in populations.items()
        ],
    }


def _artifacts(clauses: tuple[Clause, ...], assumptions: tuple[Assumed, ...]) -> list[dict[str, Any]]:
    """Cite each clause with its deciding words, and justify each term that is assumed."""
    assumed = {one.id: one for one in assumptions}
    found: list[dict[str, Any]] = []
    for clause in clauses:
        if clause.document:
            display = f"{clause.term}: {clause.document}, {clause.section}"
            found.append({"type": "citation", "display": display, "citation": clause.words})
        if clause.assumption is not None and (one := assumed.get(clause.assumption)):
            display = f"{clause.term}: antagande / assumption {one.id}"
            found.append(
                {"type": "justification", "display": display, "citation": f"{one.what} {one.because}"}
            )
    return found


def _outcome(sheet: Sheet) -> dict[str, Any]:
    """Give days, amount and what is due of it; `amount` is what would have been where nothing is due."""
    statement = sheet.statement
    return parts(
        "settlement-outcome",
        payable_days=("Quantity", day_count(statement.payable_days)),
        amount=("Money", money(statement.amount)),
        due=("Money", money(sheet.due)),
        suspended=("Boolean", statement.suspended),
        provisional=("Boolean", statement.provisional),
    )


def _assumption(one: Assumed) -> dict[str, Any]:
    return parts(
        "settlement-assumption",
        id=("Code", one.id),
        what=("String", one.what),
        because=("String", one.because),
    )


def _rule_in_words(terms: Terms) -> tuple[str, str]:
    if terms.threshold is None:
        return (
            "Betalningsansvar varje månad, utan gräns för genomsnittet.",
            "Liable in every month, whatever the mean.",
        )
    limit = f"{terms.compare} {day_count(terms.threshold)['value']}"
    return (
        f"Genomsnittligt antal dygn efter dag noll hålls mot gränsen {limit} dygn.",
        f"The mean of days after day zero is held against the threshold {limit} days.",
    )


def _in_words(sheet: Sheet) -> tuple[str, str]:
    statement, mean = sheet.statement, sheet.statement.mean
    score = mean_score(mean)
    average = ("–", "–") if score is None else (str(score["value"]),) * 2
    english, swedish = GATE_STATUS.concepts[statement.status.value]
    headline = sheet.headline
    would = ("Skulle ha blivit", "Would have been") if statement.suspended else ("Belopp", "Amount")
    sums = [f"{word} {money(statement.amount)['value']} SEK" for word in would]
    return (
        f"{headline[0]}: {mean.stays} vårdtillfällen, genomsnitt {average[0]} dygn. {swedish}. {sums[0]}.",
        f"{headline[1]}: {mean.stays} stays, mean {average[1]} days. {english}. {sums[1]}.",
    )
