"""The definitions that settlement resources need beside FHIR's own: extensions, profiles, codes.

Owns what each extension may hold and where it may stand. Generated from the same tables as the resources, so
that the two cannot part, and published in `mappings/profiles/settlement-r4` and `settlement-r5`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from adapter.fhir.elements import Resource, both, narrative
from adapter.fhir.model import FhirVersion
from adapter.fhir.profiles import PROFILES, Profiled, base_of, differential
from adapter.fhir.vocabulary import (
    ADJUSTMENT_REASON,
    CANONICAL,
    CODE_SYSTEMS,
    GATE_STATUS,
    JOINT,
    REASON,
    CodeSystem,
)

_FHIR_VERSION = {FhirVersion.R4: "4.0.1", FhirVersion.R4B: "4.3.0", FhirVersion.R5: "5.0.0"}
_PUBLISHED = "2026-11-22"


@dataclass(frozen=True, slots=True)
class Part:
    """A value of an extension, or one of its parts: its FHIR type, the codes that it is from, how often."""

    type: str
    words: CodeSystem | None = None
    least: int = 1
    most: str = "1"


@dataclass(frozen=True, slots=True)
class Defined:
    """An extension: where it may stand, and its value, or its parts by name."""

    title: tuple[str, str]
    contexts: tuple[str, ...]
    value: Part | dict[str, Part]


EXTENSIONS: dict[str, Defined] = {
    "settlement-care-form": Defined(
        ("Vårdform som avräkningen gäller", "Care form that is settled"),
        ("MeasureReport", "Invoice"),
        Part("CodeableConcept"),
    ),
    "settlement-period": Defined(
        ("Månad som fakturan gäller (R5: Invoice.period)", "Month that is invoiced (R5: Invoice.period)"),
        ("Invoice",),
        Part("Period"),
    ),
    "settlement-due-date": Defined(
        ("Dag då fakturan senast betalas", "Day on which the invoice falls due"),
        ("Invoice",),
        Part("date"),
    ),
    "settlement-buyer-reference": Defined(
        ("Kommunens referens (Er referens)", "Reference that the municipality wants on its invoices"),
        ("Invoice",),
        Part("string"),
    ),
    "settlement-corrected-invoice": Defined(
        ("Faktura som kreditfakturan gäller", "Invoice that the credit note takes something back of"),
        ("Invoice",),
        Part("Reference"),
    ),
    "settlement-price": Defined(
        (
            "Pris per dygn och för alla (R5: unitPriceComponent, totalPriceComponent)",
            "Price of a day and of all (R5: unitPriceComponent, totalPriceComponent)",
        ),
        ("ChargeItem",),
        {"unit-price": Part("Money"), "total": Part("Money")},
    ),
    "settlement-gate-status": Defined(
        ("Vad månaden är för kommunen", "What the month is to the municipality"),
        ("MeasureReport",),
        Part("CodeableConcept", words=GATE_STATUS),
    ),
    "settlement-threshold": Defined(
        ("Gräns som genomsnittet hålls mot", "Threshold that the mean is held against"),
        ("Measure.group", "MeasureReport.group"),
        Part("Quantity"),
    ),
    "settlement-exact-mean": Defined(
        ("Genomsnittet exakt: dygn genom vårdtillfällen", "The exact mean: days by stays"),
        ("MeasureReport.group",),
        Part("Ratio"),
    ),
    "settlement-group-scoring": Defined(
        ("Hur gruppen räknas (R5: group.scoring)", "How the group is scored (R5: group.scoring)"),
        ("Measure.group",),
        Part("CodeableConcept"),
    ),
    "settlement-replaces": Defined(
        ("Rapport som ersätts av denna", "Report that this one replaces"),
        ("MeasureReport",),
        Part("Reference"),
    ),
    "settlement-measure-version": Defined(
        ("Vilken i ordningen av månadens rapporter", "Which one of the month's reports"),
        ("MeasureReport",),
        Part("positiveInt"),
    ),
    "settlement-outcome": Defined(
        ("Vad månaden kostar", "What the month costs"),
        ("MeasureReport",),
        {
            "payable-days": Part("Quantity"),
            "amount": Part("Money", least=0),
            "due": Part("Money", least=0),
            "suspended": Part("boolean"),
            "provisional": Part("boolean"),
        },
    ),
    "settlement-part": Defined(
        ("Vad beloppet beror på: genomsnittet eller långa vårdtillfällen", "What the amount is due to"),
        ("MeasureReport",),
        {
            "of": Part("code"),
            "stays": Part("integer"),
            "payable-days": Part("Quantity"),
            "amount": Part("Money"),
            "because": Part("string"),
        },
    ),
    "settlement-no-rate": Defined(
        ("År vars belopp per dygn saknas", "Year whose amount per day is missing"),
        ("MeasureReport",),
        Part("integer"),
    ),
    "settlement-assumption": Defined(
        ("Antagande som avräkningen vilar på", "Assumption that the statement rests on"),
        ("MeasureReport",),
        {"id": Part("code"), "what": Part("string"), "because": Part("string")},
    ),
    "settlement-status-reason": Defined(
        ("Varför ett vårdtillfälle inte debiteras", "Why a stay is not charged"),
        ("ChargeItem",),
        Part("CodeableConcept", words=REASON),
    ),
    "settlement-adjustment-reason": Defined(
        ("Varför raden rättas", "Why the line is adjusted"),
        ("ChargeItem",),
        {
            "kind": Part("CodeableConcept", words=ADJUSTMENT_REASON),
            "what": Part("string", least=0),
            "before": Part("string", least=0),
            "after": Part("string", least=0),
            "words": Part("string", least=0),
            "since": Part("date", least=0),
            "clause": Part("string", least=0, most="*"),
        },
    ),
    "settlement-flag": Defined(
        ("Anmärkning som inte befriar", "Remark that does not release"),
        ("ChargeItem",),
        Part("CodeableConcept", words=REASON),
    ),
    "joint-follow-up": Defined(
        ("Gemensam uppföljning: vad, varför och hur långt", "Joint follow-up: what, why and how far"),
        ("MeasureReport",),
        {
            "agreement": Part("code"),
            "care-form": Part("CodeableConcept"),
            "because": Part("CodeableConcept", words=JOINT),
            "state": Part("CodeableConcept", words=JOINT),
            "opened": Part("dateTime"),
            "judged": Part("dateTime", least=0),
            "over": Part("boolean"),
            "ended": Part("unsignedInt", least=0),
            "stays": Part("unsignedInt", least=0),
            "days": Part("unsignedInt", least=0),
            "threshold": Part("decimal", least=0),
            "missing": Part("code", least=0, most="*"),
        },
    ),
    "joint-follow-up-entry": Defined(
        ("Anteckning i en gemensam uppföljning", "Entry of a joint follow-up"),
        ("MeasureReport",),
        {
            "number": Part("positiveInt"),
            "kind": Part("CodeableConcept", words=JOINT),
            "at": Part("dateTime"),
            "party": Part("CodeableConcept", words=JOINT, least=0),
            "corrects": Part("positiveInt", least=0),
            "text": Part("string", least=0),
            "date": Part("date", least=0),
            "name": Part("code", least=0),
            "stay": Part("Identifier", least=0),
            "measure": Part("id", least=0),
            "result": Part("CodeableConcept", words=JOINT, least=0),
            "responsible-party": Part("CodeableConcept", words=JOINT, least=0),
            "responsible": Part("string", least=0),
        },
    ),
    "joint-follow-up-representative": Defined(
        ("Vem som företrädde en part", "Who represented a party"),
        ("MeasureReport",),
        {
            "entry": Part("positiveInt"),
            "party": Part("CodeableConcept", words=JOINT),
            "name": Part("string"),
            "role": Part("string", least=0),
        },
    ),
    "joint-follow-up-deviation": Defined(
        ("Missad tid, eller rapporterad avvikelse", "Missed limit, or reported deviation"),
        ("MeasureReport.evaluatedResource",),
        {
            "name": Part("code", least=0),
            "due": Part("dateTime", least=0),
            "met": Part("dateTime", least=0),
            "entry": Part("positiveInt", least=0),
        },
    ),
}


def definitions(version: FhirVersion) -> list[Resource]:
    """Give all definitions: extensions by name, profiles, then code systems and their value sets."""
    made = [structure(name, one, version) for name, one in EXTENSIONS.items()]
    made += [profile_of(name, one, version) for name, one in PROFILES.items()]
    for words in CODE_SYSTEMS:
        made += [code_system(words), value_set(words)]
    return made


def structure(name: str, defined: Defined, version: FhirVersion) -> Resource:
    """Give the StructureDefinition of an extension."""
    url = f"{CANONICAL}/StructureDefinition/{name}"
    return {
        **_published("StructureDefinition", name, url, defined.title),
        "fhirVersion": _FHIR_VERSION[version],
        "kind": "complex-type",
        "abstract": False,
        "context": [{"type": "element", "expression": context} for context in defined.contexts],
        "type": "Extension",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Extension",
        "derivation": "constraint",
        "differential": {"element": list(_elements(url, defined))},
    }


#: Resource types that FHIR itself labels experimental: a profile of one has to say so too.
_EXPERIMENTAL = frozenset({("Invoice", FhirVersion.R5)})


def profile_of(name: str, profiled: Profiled, version: FhirVersion) -> Resource:
    """Give the StructureDefinition of a profile."""
    url = f"{CANONICAL}/StructureDefinition/{name}"
    return {
        **_published("StructureDefinition", name, url, profiled.title),
        "experimental": (profiled.type, version) in _EXPERIMENTAL,
        "fhirVersion": _FHIR_VERSION[version],
        "kind": "resource",
        "abstract": False,
        "type": profiled.type,
        "baseDefinition": base_of(profiled),
        "derivation": "constraint",
        "differential": {"element": differential(name)},
    }


def code_system(words: CodeSystem) -> Resource:
    """Give the CodeSystem with English displays and Swedish designations."""
    return {
        **_published("CodeSystem", words.name, words.url, (words.title, words.description)),
        "caseSensitive": True,
        "valueSet": words.value_set,
        "content": "complete",
        "count": len(words.concepts),
        "concept": [
            {"code": code, "display": english, "designation": [{"language": "sv", "value": swedish}]}
            for code, (english, swedish) in words.concepts.items()
        ],
    }


def value_set(words: CodeSystem) -> Resource:
    """Give the ValueSet of all codes of a code system."""
    return {
        **_published("ValueSet", words.name, words.value_set, (words.title, words.description)),
        "immutable": False,
        "compose": {"include": [{"system": words.url}]},
    }


def _published(kind: str, name: str, url: str, title: tuple[str, str]) -> Resource:
    return {
        "resourceType": kind,
        "id": name,
        "text": narrative(*title),
        "url": url,
        "version": "1.0.0",
        "name": "".join(word.capitalize() for word in name.split("-")),
        "title": both(*title) if kind == "StructureDefinition" else title[0],
        "status": "active",
        "experimental": False,
        "date": _PUBLISHED,
        "publisher": "losus-adapter",
        "description": both(*title) if kind == "StructureDefinition" else title[1],
    }


def _elements(url: str, defined: Defined) -> Iterator[dict[str, Any]]:
    swedish, english = defined.title
    yield {"id": "Extension", "path": "Extension", "short": swedish, "definition": both(swedish, english)}
    if isinstance(defined.value, Part):
        yield {"id": "Extension.extension", "path": "Extension.extension", "max": "0"}
    else:
        for name, part in defined.value.items():
            yield from _slice(name, part)
    yield {"id": "Extension.url", "path": "Extension.url", "fixedUri": url}
    if isinstance(defined.value, Part):
        yield _value("Extension.value[x]", "Extension.value[x]", defined.value)
    else:
        yield {"id": "Extension.value[x]", "path": "Extension.value[x]", "max": "0"}


def _slice(name: str, part: Part) -> Iterator[dict[str, Any]]:
    named, path = f"Extension.extension:{name}", "Extension.extension"
    yield {"id": named, "path": path, "sliceName": name, "min": part.least, "max": part.most}
    yield {"id": f"{named}.extension", "path": f"{path}.extension", "max": "0"}
    yield {"id": f"{named}.url", "path": f"{path}.url", "fixedUri": name}
    yield _value(f"{named}.value[x]", f"{path}.value[x]", part)


def _value(name: str, path: str, part: Part) -> dict[str, Any]:
    made: dict[str, Any] = {"id": name, "path": path, "min": 1, "type": [{"code": part.type}]}
    if part.words is not None:
        made["binding"] = {"strength": "required", "valueSet": part.words.value_set}
    return made
