"""The rule of a month as a Measure: what is counted, how it is scored, and the clauses that say so.

Owns the two figures (mean of days after day zero, share home on day zero) and the threshold. Does not own
what they came to (`measure_report`).

Scoring is said group by group, for the mean is a `continuous-variable` and the share a `proportion`: R5
has `group.scoring`, R4 an extension of this project.
"""

from typing import Any

from adapter.agreements.terms import FIRST_PAYABLE_BY, Clause, Terms
from adapter.fhir.decimals import day_count
from adapter.fhir.elements import Resource, both, canonical, extension, narrative, profile
from adapter.fhir.model import FhirVersion
from adapter.fhir.vocabulary import CANONICAL, CARE_FORMS, GROUP
from adapter.settlement.statement import Assumed, Statement

_POPULATION = "http://terminology.hl7.org/CodeSystem/measure-population"
_RESOURCE_TYPES = "http://hl7.org/fhir/resource-types"
_FHIR_TYPES = "http://hl7.org/fhir/fhir-types"
#: HL7's Quality Measure Implementation Guide 1.0.0 (R4), «Population basis».
POPULATION_BASIS = "http://hl7.org/fhir/uv/cqm/StructureDefinition/cqm-populationBasis"
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
    FIRST_PAYABLE_BY,
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
        "status": "draft" if statement.draft else "active",
        "experimental": False,
        "description": both(*rule),
        "relatedArtifact": _artifacts(terms.cite(*_RULE), statement.assumptions),
        "group": [_rule_group(code, terms, version) for code in GROUPS],
    }
    made |= basis(version)
    made["meta"] = profile("settlement-measure")
    if not made["relatedArtifact"]:
        del made["relatedArtifact"]
    return canonical(made)


_ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
#: Of a month without any message: there are figures, and nobody knows them.
UNKNOWN = {"extension": [{"url": _ABSENT, "valueCode": "unknown"}]}


def basis(version: FhirVersion) -> Resource:
    """Say whom a report is on (the municipality), and that populations are counted in stays.

    R4 has no element for the population basis, and HL7's Quality Measure guide an extension. It allows no
    Organization as the subject of a report either: there the municipality is a place.
    """
    if version is FhirVersion.R5:
        subject = {"system": _FHIR_TYPES, "code": "Organization"}
        return {"subjectCodeableConcept": {"coding": [subject]}, "basis": "Encounter"}
    subject = {"system": _RESOURCE_TYPES, "code": "Location"}
    return {
        "extension": [{"url": POPULATION_BASIS, "valueCode": "Encounter"}],
        "subjectCodeableConcept": {"coding": [subject]},
    }


def threshold(terms: Terms) -> list[dict[str, Any]]:
    """Give the threshold with its comparator as an extension; none where the gate is `none`."""
    if terms.threshold is None:
        return []
    quantity = {"comparator": terms.compare.value, **day_count(terms.threshold)}
    return [extension("settlement-threshold", valueQuantity=quantity)]


def extended(extensions: list[dict[str, Any]]) -> dict[str, Any]:
    """Give the element `extension`, which may not stand empty."""
    return {"extension": extensions} if extensions else {}


def population(code: str) -> dict[str, Any]:
    """Give the CodeableConcept of a population."""
    return {"coding": [{"system": _POPULATION, "code": code}]}


def _rule_group(code: str, terms: Terms, version: FhirVersion) -> dict[str, Any]:
    scoring, populations = GROUPS[code]
    scored = {"coding": [{"system": _SCORING, "code": scoring}]}
    r5 = version is FhirVersion.R5
    extensions = threshold(terms) if code == "mean-days" else []
    if not r5:
        extensions = [*extensions, extension("settlement-group-scoring", valueCodeableConcept=scored)]
    swedish, english = GROUP.concepts[code][1], GROUP.concepts[code][0]
    return {
        **extended(extensions),
        "code": GROUP.concept(code),
        "description": both(swedish, english),
        **({"scoring": scored} if r5 else {}),
        "population": [
            {
                "code": population(name),
                "description": both(*words),
                # R4 demands one; there is no expression language for what settlement rules 2 and 3 say
                **({} if r5 else {"criteria": {"language": "text/plain", "expression": words[1]}}),
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
            words = {"citation": clause.words} if clause.words else {}
            found.append({"type": "citation", "display": display, **words})
        if clause.assumption is not None and (one := assumed.get(clause.assumption)):
            display = f"{clause.term}: antagande / assumption {one.id}"
            found.append(
                {"type": "justification", "display": display, "citation": f"{one.what} {one.because}"}
            )
    return found


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
