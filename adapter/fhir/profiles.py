"""The profiles of the settlement resources: what each always says, beside what FHIR demands.

Owns which elements and extensions a resource of a statement has. Does not own the extensions themselves
(`definitions`). The same profile is made for R4 and for R5, under the same address.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from adapter.fhir.vocabulary import BASIS, CANONICAL, INVOICE_TYPE, CodeSystem

_BASE = "http://hl7.org/fhir/StructureDefinition"


@dataclass(frozen=True, slots=True)
class Profiled:
    """A profile: elements that must be there, extensions with how many, codes that an element is from."""

    title: tuple[str, str]
    type: str
    required: tuple[str, ...]
    extensions: dict[str, tuple[int, str]]
    codes: dict[str, CodeSystem] = field(default_factory=dict)


PROFILES: dict[str, Profiled] = {
    "settlement-measure": Profiled(
        ("Regeln som en månad mäts efter", "The rule that a month is measured by"),
        "Measure",
        ("url", "version", "name", "title", "subject[x]", "description", "group"),
        {},
    ),
    "settlement-measure-report": Profiled(
        ("Vad en månad kom till", "What a month came to"),
        "MeasureReport",
        ("identifier", "subject", "date", "reporter", "group"),
        {
            "settlement-care-form": (1, "1"),
            "settlement-gate-status": (1, "1"),
            "settlement-outcome": (0, "1"),
            "settlement-assumption": (0, "*"),
        },
    ),
    "settlement-invoice": Profiled(
        ("Faktura eller kreditfaktura", "Invoice or credit note"),
        "Invoice",
        ("identifier", "type", "recipient", "issuer", "totalNet"),
        {
            "settlement-care-form": (1, "1"),
            "settlement-due-date": (0, "1"),
            "settlement-buyer-reference": (0, "1"),
            "settlement-corrected-invoice": (0, "*"),
        },
        {"type": INVOICE_TYPE},
    ),
    "settlement-charge-item": Profiled(
        ("Det som debiteras, eller inte, för ett vårdtillfälle", "What is charged, or not, of a stay"),
        "ChargeItem",
        ("identifier", "code", "subject", "performingOrganization", "enteredDate"),
        {"settlement-status-reason": (0, "*"), "settlement-flag": (0, "*")},
        {"code": BASIS},
    ),
}


def differential(name: str) -> list[dict[str, Any]]:
    """Give the elements of a profile; they stand in the order in which FHIR has them."""
    return list(_elements(PROFILES[name]))


def base_of(profiled: Profiled) -> str:
    """Give the address of what a profile is of."""
    return f"{_BASE}/{profiled.type}"


def _elements(profiled: Profiled) -> Iterator[dict[str, Any]]:
    kind = profiled.type
    yield {"id": kind, "path": kind}
    if profiled.extensions:
        yield {
            "id": f"{kind}.extension",
            "path": f"{kind}.extension",
            "slicing": {"discriminator": [{"type": "value", "path": "url"}], "rules": "open"},
            "min": sum(least for least, _ in profiled.extensions.values()),
        }
    for name, (least, most) in profiled.extensions.items():
        yield {
            "id": f"{kind}.extension:{name}",
            "path": f"{kind}.extension",
            "sliceName": name,
            "min": least,
            "max": most,
            "type": [{"code": "Extension", "profile": [f"{CANONICAL}/StructureDefinition/{name}"]}],
        }
    for element in profiled.required:
        path = f"{kind}.{element}"
        yield {"id": path, "path": path, "min": 1, **_binding(profiled, element)}


def _binding(profiled: Profiled, element: str) -> dict[str, Any]:
    words = profiled.codes.get(element)
    if words is None:
        return {}
    return {"binding": {"strength": "required", "valueSet": words.value_set}}
