"""What anybody may see of a month: its MeasureReport without patients, small counts withheld.

Owns what is withheld. A count from 1 up to `fewest` − 1 may show a person to somebody who knows the
place, and so may the rest that it leaves of a whole, a mean that is made by a few, and the status that
follows from such a mean. Zero shows nobody. No amount is public: the days of the few who are billed could
be counted back from it.
"""

from dataclasses import dataclass
from typing import Any

from adapter.fhir.elements import Edition, Resource, extension, narrative, region, uuid_of
from adapter.fhir.measure import measure
from adapter.fhir.measure_report import groups, left_out, report
from adapter.fhir.sheet import Sheet
from adapter.fhir.vocabulary import CANONICAL, GATE_STATUS, KOMMUNKOD, care_form
from adapter.settlement.difference import Issued
from adapter.settlement.statement import Statement

_ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
_MASKED = {"extension": [{"url": _ABSENT, "valueCode": "masked"}]}
_EXACT_MEAN = f"{CANONICAL}/StructureDefinition/settlement-exact-mean"


def statistics(told: Statement | Issued, edition: Edition, *, fewest: int) -> Resource:
    """Give the public MeasureReport of a month; what counts under `fewest` would show is marked *masked*.

    It stands alone: municipality and region are named by their codes. Its id is that of agreement,
    municipality, care form and month, and leads to no statement.
    """
    sheet = Sheet.of(told, edition)
    statement = sheet.statement
    rule = measure(statement, edition.version)
    made = report(sheet, f"{rule['url']}|{rule['version']}")
    few = _Few.of(statement, fewest)
    extensions = [extension("settlement-care-form", valueCodeableConcept=care_form(statement.care_form))]
    if not few.mean:
        status = GATE_STATUS.concept(statement.status.value)
        extensions.append(extension("settlement-gate-status", valueCodeableConcept=status))
    del made["identifier"]
    code = {"system": KOMMUNKOD, "value": statement.municipality}
    made["subject"] = {"type": "Organization" if edition.r5 else "Location", "identifier": code}
    if (paid := region(statement.agreement, edition)) is not None:
        made["reporter"] = {"type": "Organization", "identifier": paid["identifier"][0]}
    return {
        **made,
        "id": uuid_of(
            "Statistics",
            statement.agreement,
            statement.municipality,
            statement.care_form,
            str(statement.month),
        ),
        "text": narrative(*(f"{headline}." for headline in sheet.headline)),
        "extension": extensions,
        "group": [
            _withheld(group, few.counts(code), masks_score=few.score(code))
            for group in groups(statement, edition.version)
            if (code := group["code"]["coding"][0]["code"])
        ],
    }


@dataclass(frozen=True, slots=True)
class _Few:
    """Whether there are a few, and not none: in the mean, left out of it, home on day zero, home later."""

    stays: bool
    out: bool
    zero: bool
    later: bool

    @classmethod
    def of(cls, statement: Statement, fewest: int) -> "_Few":
        mean = statement.mean
        counts = (mean.stays, left_out(statement), mean.day_zero, mean.stays - mean.day_zero)
        return cls(*(0 < count < fewest for count in counts))

    @property
    def mean(self) -> bool:
        """Whether the mean is that of a few, or made by a few: those home on day zero add nothing to it."""
        return self.stays or self.later

    def score(self, group: str) -> bool:
        return self.mean if group == "mean-days" else self.mean or self.zero

    def counts(self, group: str) -> dict[str, bool]:
        """Say of each population whether its count is withheld; a whole goes with any of its parts."""
        if group == "mean-days":
            return {
                "initial-population": self.stays or self.out,
                "measure-population-exclusion": self.out,
                "measure-population": self.stays,
            }
        return {
            "initial-population": self.stays,
            "denominator": self.stays,
            "numerator": self.mean or self.zero,
        }


def _withheld(group: dict[str, Any], masks: dict[str, bool], *, masks_score: bool) -> dict[str, Any]:
    made = {
        **group,
        "population": [
            {"code": one["code"], "_count": _MASKED} if masks[one["code"]["coding"][0]["code"]] else one
            for one in group["population"]
        ],
    }
    score = next((name for name in made if name.startswith("measureScore")), None)
    if masks_score and score is not None:
        made[score] = _MASKED
        made["extension"] = [one for one in made.get("extension", ()) if one["url"] != _EXACT_MEAN]
        if not made["extension"]:
            del made["extension"]
    return made
