"""What anybody may see of a month: MeasureReports without patients or amounts, small counts withheld.

Owns how it is told, and that what is withheld stands as *masked*, so that nobody takes it for zero. Does not
own what is withheld (`settlement.withholding`). A gate's status goes with the mean that it follows from. No
amount is public: the days of the few who are billed could be counted back from it.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from adapter.fhir.elements import Edition, Resource, extension, instant, narrative, region, uuid_of
from adapter.fhir.measure import measure
from adapter.fhir.measure_report import groups, left_out, report
from adapter.fhir.sheet import Sheet
from adapter.fhir.vocabulary import CANONICAL, CARE_FORMS, GATE_STATUS, KOMMUNKOD, care_form
from adapter.settlement.difference import Issued
from adapter.settlement.statement import Statement
from adapter.settlement.withholding import Counts, Withheld, withhold

_ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
_MASKED = {"extension": [{"url": _ABSENT, "valueCode": "masked"}]}
_EXACT_MEAN = f"{CANONICAL}/StructureDefinition/settlement-exact-mean"


def statistics_bundle(told: Sequence[Statement | Issued], edition: Edition, *, fewest: int) -> Resource:
    """Give the public Bundle of a month: all statements of one agreement, and their sum for each care form.

    Of each care form and municipality there is one statement. `fewest`: a smaller count is withheld.
    """
    sheets = [Sheet.of(one, edition) for one in told]
    first = sheets[0].statement
    entries: dict[str, Resource] = {}
    for form in dict.fromkeys(one.statement.care_form for one in sheets):
        mine = [one for one in sheets if one.statement.care_form == form]
        hidden, summed = withhold([counts_of(one.statement) for one in mine], fewest)
        reports = [statistics(one, off) for one, off in zip(mine, hidden, strict=True)]
        for resource in (_sum([one.statement for one in mine], edition, summed), *reports):
            entries.setdefault(resource["id"], resource)
        for one in mine:
            rule = measure(one.statement, edition.version)
            entries.setdefault(rule["id"], rule)
    return {
        "resourceType": "Bundle",
        "id": uuid_of("Statistics", first.agreement, str(first.month)),
        "type": "collection",
        "timestamp": instant(edition.made_at),
        "entry": [{"fullUrl": f"urn:uuid:{name}", "resource": one} for name, one in entries.items()],
    }


def counts_of(statement: Statement) -> Counts:
    """Count the persons behind the figures of a statement."""
    mean = statement.mean
    return Counts(left_out(statement), mean.day_zero, mean.stays - mean.day_zero)


def statistics(sheet: Sheet, off: Withheld) -> Resource:
    """Give the public MeasureReport of a municipality; what `off` withholds of it is marked *masked*.

    It stands alone: municipality and region are named by their codes. Its id is that of agreement,
    municipality, care form and month, and leads to no statement.
    """
    statement, edition = sheet.statement, sheet.edition
    rule = measure(statement, edition.version)
    made = report(sheet, f"{rule['url']}|{rule['version']}")
    del made["identifier"], made["meta"]  # it keeps no profile: amounts and small counts are left out
    code = {"system": KOMMUNKOD, "value": statement.municipality}
    paid = region(statement.region, edition)["identifier"][0]
    return {
        **made,
        "id": _id(statement, statement.municipality),
        "subject": {"type": _place(edition), "identifier": code},
        "reporter": {"type": "Organization", "identifier": paid},
        "text": narrative(*(f"{headline}." for headline in sheet.headline)),
        "extension": _extensions(statement, off, has_status=True),
        "group": _groups(statement, edition, off),
    }


def _sum(statements: Sequence[Statement], edition: Edition, off: Withheld) -> Resource:
    """Give the MeasureReport of all municipalities together, under the rule of the first."""
    first = statements[0]
    mean = replace(
        first.mean,
        stays=sum(one.mean.stays for one in statements),
        days=sum(one.mean.days for one in statements),
        day_zero=sum(one.mean.day_zero for one in statements),
        no_data=all(one.mean.no_data for one in statements),
    )
    excluded = tuple(each for one in statements for each in one.excluded)
    longer = sum(one.long_stays for one in statements)
    together = replace(first, mean=mean, excluded=excluded, long_stays=longer, lines=())
    rule = measure(first, edition.version)
    told = report(Sheet.of(together, edition), f"{rule['url']}|{rule['version']}")
    swedish, english = CARE_FORMS[first.care_form]
    made = {name: told[name] for name in ("resourceType", "status", "type", "measure", "date", "period")} | {
        "id": _id(first, "all"),
        "text": narrative(
            f"{first.title}: {len(statements)} kommuner tillsammans, {swedish.lower()}, {first.month}.",
            f"{first.title}: {len(statements)} municipalities together, {english.lower()}, {first.month}.",
        ),
        "status": "complete",
        "extension": _extensions(first, off, has_status=False),
        "group": _groups(together, edition, off),
    }
    county = region(first.region, edition)["identifier"][0]
    made["subject"] = {"type": _place(edition), "identifier": county}
    made["reporter"] = {"type": "Organization", "identifier": county}
    return made


def _id(statement: Statement, whose: str) -> str:
    return uuid_of("Statistics", statement.agreement, whose, statement.care_form, str(statement.month))


def _place(edition: Edition) -> str:
    """R4 allows no Organization as the subject: there it is a place, by its code alone."""
    return "Organization" if edition.r5 else "Location"


def _extensions(statement: Statement, off: Withheld, *, has_status: bool) -> list[dict[str, Any]]:
    made = [extension("settlement-care-form", valueCodeableConcept=care_form(statement.care_form))]
    if has_status and not off.mean:
        status = GATE_STATUS.concept(statement.status.value)
        made.append(extension("settlement-gate-status", valueCodeableConcept=status))
    return made


def _groups(statement: Statement, edition: Edition, off: Withheld) -> list[dict[str, Any]]:
    masks = {
        "mean-days": {
            "initial-population": off.all,
            "measure-population-exclusion": off.out,
            "measure-population": off.stays,
        },
        "day-zero-share": {"initial-population": off.stays, "denominator": off.stays, "numerator": off.zero},
    }
    scores = {"mean-days": off.mean, "day-zero-share": off.zero}
    return [
        _withheld(group, masks[code], masks_score=scores[code])
        for group in groups(statement, edition.version)
        if (code := group["code"]["coding"][0]["code"])
    ]


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
