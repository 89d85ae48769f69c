"""What a statement says as FHIR: a table of paths and values for each kind of statement, in R4 and R5.

Paths are FHIRPath (fhirpathpy, HL7's semantics) over the text that would be sent, read again.
"""

from decimal import Decimal
from typing import Any

import fhirpathpy
import pytest

from adapter.fhir.decimals import dumps, loads
from adapter.fhir.elements import Resource
from adapter.fhir.measure_report import report_id
from adapter.fhir.model import FhirVersion
from adapter.fhir.sheet import statement_id
from adapter.fhir.summary import bundle
from adapter.losus.days import Month
from adapter.settlement.example import FIRST
from tests.fhir import summary_cases as cases

R4, R5 = FhirVersion.R4, FhirVersion.R5
BOTH = (R4, R5)


def told(name: str, version: FhirVersion) -> Resource:
    edition = cases.edition(version, sources={"billed": ("ehr Encounter/1 2", "ehr Task/7 1")})
    statement = cases.bilaga_9()[4] if name == "liable" else cases.STATEMENTS[name]()
    return loads(dumps(bundle([statement], edition)))


def find(resource: Resource, path: str) -> list[Any]:
    for short, long in SHORT.items():
        path = path.replace(short, long)
    found: list[Any] = fhirpathpy.evaluate(resource, path, {"resource": resource})
    return found


#: Short for what every path begins with or passes through.
SHORT = {
    "$Item.": "entry.resource.where(resourceType = 'ChargeItem').",
    "$Report.": "entry.resource.where(resourceType = 'MeasureReport').first().",
    "$Again.": "entry.resource.where(resourceType = 'MeasureReport').skip(1).",
    "$Rule.": "entry.resource.where(resourceType = 'Measure').",
    "$Invoice.": "entry.resource.where(resourceType = 'Invoice').",
    "$Price.": "entry.resource.where(resourceType = 'ChargeItemDefinition').",
    "$Group.": "entry.resource.where(resourceType = 'Group').",
    "$Org.": "entry.resource.where(resourceType = 'Organization').",
    "$From.": "entry.resource.where(resourceType = 'Provenance').",
    "%status": "extension.where(url.endsWith('settlement-gate-status')).valueCodeableConcept.coding.code",
    "%outcome": "extension.where(url.endsWith('settlement-outcome')).extension",
    "%why": "extension.where(url.endsWith('settlement-status-reason')).valueCodeableConcept.coding.code",
    "%flag": "extension.where(url.endsWith('settlement-flag')).valueCodeableConcept.coding.code",
}
D = Decimal

# statement, versions, path, expected, because
FIELDS: list[tuple[str, tuple[FhirVersion, ...], str, list[Any], str]] = [
    # ── a liable month: Bilaga 9, month 5 ────────────────────────────────────────────────────────
    ("liable", BOTH, "type", ["collection"], "FHIR: no processing obligations beyond persistence"),
    ("liable", BOTH, "timestamp", ["2019-06-03T09:30:00+02:00"], "made_at, by the Swedish clock"),
    ("liable", BOTH, "$Report.type", ["summary"], "no patients in a report on a municipality"),
    ("liable", BOTH, "$Report.status", ["pending"], "not issued: the figures may change"),
    ("liable", BOTH, "$Report.period.start", ["2018-07-01"], "settlement 3: month of the end date"),
    ("liable", BOTH, "$Report.period.end", ["2018-07-31"], "FHIR Period: the last day is in it"),
    ("liable", BOTH, "$Report.%status", ["liable"], "settlement 7, month 5"),
    ("liable", BOTH, "$Report.group.code.coding.code", ["mean-days", "day-zero-share"], "issue 4, point 4"),
    ("liable", BOTH, "$Report.group[0].population.count", [30, 0, 30], "settlement 7: thirty stays"),
    ("liable", BOTH, "$Report.group[1].population.count", [30, 30, 0], "nobody went home on day zero"),
    ("liable", (R4,), "$Report.group[0].measureScore.value", [4], "settlement 7, month 5: mean 4"),
    ("liable", (R5,), "$Report.group[0].measureScoreQuantity.value", [4], "R5: measureScore[x]"),
    ("liable", (R4,), "$Report.group[0].measureScore.code", ["d"], "days, UCUM"),
    (
        "liable",
        BOTH,
        "$Report.%outcome.where(url = 'amount').valueMoney.value",
        [D("284000.00")],
        "7: 284 000",
    ),
    ("liable", BOTH, "$Report.%outcome.where(url = 'due').valueMoney.value", [D("284000.00")], "7: 284 000"),
    ("liable", BOTH, "$Report.%outcome.where(url = 'payable-days').valueQuantity.value", [40], "10×1 + 10×3"),
    ("liable", (R4,), "$Report.subject.identifier.value", ["2380"], "R4: no Organization may be subject"),
    (
        "liable",
        BOTH,
        "$Rule.group[0].extension.where(url.endsWith('threshold')).valueQuantity.comparator",
        [">"],
        "Bilaga 9: «överskrider»",
    ),
    (
        "liable",
        BOTH,
        "$Rule.group[0].extension.where(url.endsWith('threshold')).valueQuantity.value",
        [3],
        "Bilaga 9: «tre kalenderdagar»",
    ),
    (
        "liable",
        (R4,),
        "$Rule.group.extension.valueCodeableConcept.coding.code",
        ["continuous-variable", "proportion"],
        "R4: scoring of a group by extension",
    ),
    (
        "liable",
        (R5,),
        "$Rule.group.scoring.coding.code",
        ["continuous-variable", "proportion"],
        "R5: group.scoring",
    ),
    (
        "liable",
        BOTH,
        "$Rule.relatedArtifact.where(display.startsWith('cutoff:')).citation",
        ["Meddelande om utskrivningsklar ska skickas före kl. 12:00 om den dagen ska räknas som dag 0."],
        "issue 4.2: the deciding words",
    ),
    ("liable", BOTH, "$Invoice.status", ["draft"], "a mere statement is not issued"),
    ("liable", BOTH, "$Invoice.totalNet.value", [D("284000.00")], "settlement 7: 284 000"),
    ("liable", BOTH, "$Invoice.totalNet.currency", ["SEK"], "settlement 5"),
    ("liable", BOTH, "$Invoice.type.coding.code", ["provisional"], "7 100 of 2018 is a proposal"),
    ("over-new-year", BOTH, "$Invoice.type.coding.code", ["monthly"], "7 800 and 8 200 are verified"),
    ("no-rate", BOTH, "$Invoice.status", [], "settlement 5: no rate, no bill"),
    ("no-rate", BOTH, "$Report.%outcome.where(url = 'payable-days').valueQuantity.value", [3], "days 3 to 5"),
    ("no-rate", BOTH, "$Report.%outcome.where(url = 'amount')", [], "never a neighbour's amount"),
    (
        "no-rate",
        BOTH,
        "$Report.extension.where(url.endsWith('no-rate')).valueInteger",
        [2021],
        "settlement 5",
    ),
    ("no-rate", BOTH, "$Item.status", ["planned"], "the stay concerned, and not the short one"),
    (
        "no-rate",
        BOTH,
        "$Item.extension.where(url.endsWith('status-reason')).valueCodeableConcept.coding.code",
        ["no-rate"],
        "settlement 5: with the stays concerned",
    ),
    (
        "long-stay-alone",
        BOTH,
        "$Report.extension.where(url.endsWith('part')).extension.where(url = 'of').valueCode",
        ["mean", "long-stays"],
        "settlement 5: both, told apart",
    ),
    (
        "long-stay-alone",
        BOTH,
        "$Report.extension.where(url.endsWith('part')).extension.where(url = 'amount').valueMoney.value",
        [D("0.00"), D("54600.00")],
        "0 by the mean, seven days at 7 800 by the long stay",
    ),
    ("draft-agreement", BOTH, "$Invoice.status", ["draft"], "issue 12.10: a draft says so"),
    ("draft-agreement", BOTH, "$Invoice.meta.tag.code", ["draft-agreement"], "issue 12.10: on each resource"),
    ("draft-agreement", BOTH, "$Report.meta.tag.code", ["draft-agreement"], "issue 12.10: on each resource"),
    ("draft-agreement", BOTH, "$Item.meta.tag.code", ["draft-agreement"], "issue 12.10: on each resource"),
    ("draft-agreement", BOTH, "$Rule.status", ["draft"], "the rule is not decided"),
    ("draft-agreement", BOTH, "$Price.status", ["draft"], "nor is what it costs"),
    ("liable", BOTH, "$Report.meta.tag", [], "an agreement in force bears no mark"),
    (
        "by-day",
        BOTH,
        "$Item.note.text.where(startsWith('payable'))",
        ["payable from day 30 through 2018-12-31, then from day 3, end day not counted"] * 2,
        "settlement 5: by: day",
    ),
    ("by-day", BOTH, "$Item.quantity.value", [1, 14], "day 30 of 2018, and the days of 2019"),
    (
        "by-day",
        BOTH,
        "$Report.extension.extension.where(valueCode = 'varje-dag-for-sig').url",
        ["id"],
        "printed on the statement that rests on it",
    ),
    (
        "liable",
        (R4,),
        "$Invoice.extension.where(url.endsWith('settlement-period')).valuePeriod.start",
        ["2018-07-01"],
        "peers 3.5: R4's Invoice has no period",
    ),
    ("liable", (R5,), "$Invoice.periodPeriod.end", ["2018-07-31"], "R5 has one"),
    ("liable", (R4,), "$Invoice.date", ["2019-06-03T09:30:00+02:00"], "R4: date"),
    ("liable", (R5,), "$Invoice.creation", ["2019-06-03T09:30:00+02:00"], "R5: creation, date is deprecated"),
    ("liable", BOTH, "$Invoice.lineItem.count()", [20], "ten stays of 4 days, ten of 6"),
    (
        "liable",
        BOTH,
        "$Invoice.lineItem[10].priceComponent.type",
        ["informational", "base"],
        "the day's price informs, the product is charged",
    ),
    (
        "liable",
        BOTH,
        "$Invoice.lineItem.where(priceComponent.factor = 3).count()",
        [10],
        "6 days: 4, 5 and 6 pay",
    ),
    (
        "liable",
        BOTH,
        "$Invoice.lineItem.where(priceComponent.factor = 1).count()",
        [10],
        "4 days: the fourth pays",
    ),
    (
        "liable",
        BOTH,
        "$Org.identifier.where(system = 'urn:oid:1.2.752.129.2.2.1.17').value",
        ["2380"],
        "domain 5: kommunkod",
    ),
    (
        "liable",
        BOTH,
        "$Org.identifier.where(system = 'urn:oid:1.2.752.129.2.2.1.18').value",
        ["23"],
        "domain 5: länskod",
    ),
    ("liable", BOTH, "$Org.name", ["Östersund", "Region Jämtland Härjedalen"], "payer, then the region"),
    ("liable", BOTH, "$Item.status.distinct()", ["billable"], "a draft"),
    (
        "liable",
        (R4,),
        "$Item.where(context.identifier.value = 'bilaga9-2018-07-21').quantity.value",
        [3],
        "6 days: three of them payable",
    ),
    (
        "liable",
        (R4,),
        "$Item.where(context.identifier.value = 'bilaga9-2018-07-21').occurrencePeriod.start",
        ["2018-07-19"],
        "day zero is the 15th: its 4th day",
    ),
    (
        "liable",
        (R4,),
        "$Item.where(context.identifier.value = 'bilaga9-2018-07-21').occurrencePeriod.end",
        ["2018-07-21"],
        "end day counted, and in the period",
    ),
    (
        "liable",
        (R5,),
        "$Item.where(encounter.identifier.value = 'bilaga9-2018-07-21').totalPriceComponent.amount.value",
        [D("21300.00")],
        "3 × 7 100",
    ),
    ("liable", (R5,), "$Item.unitPriceComponent.amount.value.distinct()", [D("7100.00")], "rate of 2018"),
    (
        "liable",
        BOTH,
        "$Item.subject.extension.valueCode.distinct()",
        ["masked"],
        "domain 6.2: no patient is named",
    ),
    ("liable", BOTH, "$Item.subject.identifier", [], "domain 6.2: no patient is named"),
    ("liable", BOTH, "$Price.propertyGroup.priceComponent.amount.value", [D("7100.00")], "rate of 2018"),
    ("liable", (R4,), "$Price.effectivePeriod.end", ["2018-12-31"], "issue 4.4: the definition of the year"),
    ("liable", (R5,), "$Price.applicability.effectivePeriod.end", ["2018-12-31"], "R5: by applicability"),
    ("liable", BOTH, "$Price.status", ["draft"], "a proposal"),
    ("over-new-year", BOTH, "$Price.status", ["active", "active"], "verified"),
    (
        "liable",
        BOTH,
        "$From.entity.what.identifier.value.startsWith('jamtland-harjedalen-losus-2018@')",
        [True],
        "the version is the digest of the file",
    ),
    # ── by the statute: who is not charged, and why ──────────────────────────────────────────────
    (
        "excluded",
        BOTH,
        "$Report.group[0].population.count",
        [6, 1, 5],
        "not-ready is in no mean; open in no month",
    ),
    (
        "excluded",
        BOTH,
        "$Item.where(status = 'billable').%flag",
        ["late-admission-notice"],
        "LUS 2:3, late: flag",
    ),
    (
        "excluded",
        BOTH,
        "$Item.where(status = 'not-billable').%why",
        ["no-admission-notice", "no-sip-call", "no-admission-notice", "open-care-unavailable", "not-ready"],
        "LUS 5:3, 5:5; every reason, in order",
    ),
    ("excluded", BOTH, "$Item.where(status = 'planned').%why", ["open"], "planned: not yet complete"),
    ("excluded", BOTH, "$Invoice.lineItem.count()", [2], "who is not charged is on no invoice"),
    (
        "excluded",
        BOTH,
        (
            "entry.where(fullUrl = %resource.entry.resource.where(resourceType = 'Invoice').issuer.reference"
            " and fullUrl = %resource.entry.resource.where(resourceType = 'MeasureReport').reporter.reference"
            ").resource.name"
        ),
        ["Region Jämtland Härjedalen"],
        "settlement 3: the treating region, under the statute too",
    ),
    (
        "excluded",
        BOTH,
        "$Rule.group[0].extension.where(url.endsWith('threshold'))",
        [],
        "gate none: no threshold",
    ),
    (
        "excluded",
        BOTH,
        "$From.where(target.count() = 1 and entity.count() = 2).entity.what.identifier.value",
        ["ehr Encounter/1 2", "ehr Task/7 1"],
        "issue 4.3: the messages that the line rests on",
    ),
    # ── Västra Götaland: the excess of the mean, long stays by themselves ────────────────────────
    (
        "excess",
        BOTH,
        "$Item.code.coding.code",
        ["long-stay", "excess-over-mean", *["in-mean"] * 5],
        "settlement 5, and the five stays of the mean by which it is worked out anew",
    ),
    (
        "excess",
        BOTH,
        "$Item.quantity.value",
        [9, 5, 0, 4, 4, 5, 7],
        "12 days: the 4th to the 12th; (4 − 3) × 5; 20 days by 5 stays are 4",
    ),
    (
        "excess",
        BOTH,
        "$Item.status",
        ["billable"] * 2 + ["not-billable"] * 5,
        "charged through the mean alone",
    ),
    (
        "excess",
        BOTH,
        "$Invoice.lineItem.priceComponent.where(type = 'base').amount.value",
        [D("70200.00"), D("39000.00")],
        "9 × 7 800; 5 × 7 800",
    ),
    ("excess", BOTH, "$Invoice.totalNet.value", [D("109200.00")], "both together"),
    ("excess", BOTH, "$Report.group[0].population.count", [6, 1, 5], "the long stay is out of the mean"),
    (
        "excess",
        BOTH,
        "$Item.where(code.coding.code = 'excess-over-mean').subject.reference.substring(0, 9)",
        ["urn:uuid:"],
        "an excess concerns the group",
    ),
    (
        "excess",
        BOTH,
        "$Item.where(code.coding.code = 'excess-over-mean').occurrencePeriod.start",
        ["2019-05-01"],
        "an excess is the month's",
    ),
    ("excess", BOTH, "$Group.quantity", [5], "the stays in the mean"),
    ("excess", (R4,), "$Group.actual", [True], "R4"),
    ("excess", (R5,), "$Group.membership", ["enumerated"], "R5"),
    ("excess-of-half-a-day", BOTH, "$Item.quantity.value", [D("2.5"), 3, 3, 4], "(10/3 − 5/2) × 3"),
    (
        "excess-of-half-a-day",
        BOTH,
        "$Invoice.lineItem.priceComponent.factor",
        [D("2.5")],
        "days that are no whole",
    ),
    ("excess-of-half-a-day", BOTH, "$Invoice.totalNet.value", [D("19500.00")], "2.5 × 7 800"),
    (
        "excess-of-half-a-day",
        (R4,),
        "$Report.group[0].measureScore.value",
        [D("3.333333")],
        "10/3 to six digits",
    ),
    (
        "excess-of-half-a-day",
        BOTH,
        "$Report.group[0].extension.valueRatio.numerator.value",
        [10],
        "exact: 10/3",
    ),
    (
        "excess-of-half-a-day",
        BOTH,
        "$Report.group[0].extension.valueRatio.denominator.value",
        [3],
        "exact: 10/3",
    ),
    # ── invoices of nothing, and none at all ─────────────────────────────────────────────────────
    ("zero-invoice", BOTH, "$Invoice.totalNet.value", [D("0.00")], "VGR's report: «Noll-faktura»"),
    ("zero-invoice", BOTH, "$Invoice.lineItem", [], "nothing is charged"),
    ("empty", BOTH, "$Invoice.id", [], "Bilaga 9 asks for no invoice of nothing"),
    ("empty", (R4,), "$Report.group.measureScore", [], "no stays, no mean"),
    ("empty", (R5,), "$Report.group.measureScoreQuantity", [], "no stays, no mean"),
    ("empty", BOTH, "$Report.group[0].population.count", [0, 0, 0], "none is a count"),
    ("empty", BOTH, "$Report.%status", ["follow-up"], "settlement 4"),
    # ── suspended: what would have been ──────────────────────────────────────────────────────────
    ("suspended", BOTH, "$Invoice.id", [], "settlement 6: nothing is invoiced"),
    ("suspended", BOTH, "$Report.%outcome.where(url = 'suspended').valueBoolean", [True], "marked"),
    (
        "suspended",
        BOTH,
        "$Report.%outcome.where(url = 'amount').valueMoney.value",
        [D("24600.00")],
        "would have been: (3 − 2) × 3 × 8 200",
    ),
    (
        "suspended",
        BOTH,
        "$Report.%outcome.where(url = 'due').valueMoney.value",
        [D("0.00")],
        "nothing is due",
    ),
    ("suspended", BOTH, "$Item.status", ["not-billable"] * 4, "nothing is billable"),
    ("suspended", BOTH, "$Item.%why", ["suspended"], "and it says why"),
    # ── amounts that are not confirmed; two years ────────────────────────────────────────────────
    ("provisional", BOTH, "$Invoice.type.coding.code", ["provisional"], "2023: verified false"),
    (
        "provisional",
        BOTH,
        "$Report.%outcome.where(url = 'provisional').valueBoolean",
        [True],
        "2023: verified false",
    ),
    ("provisional", BOTH, "$Price.status", ["draft"], "2023: verified false"),
    ("over-new-year", BOTH, "$Item.quantity.value", [2, 3], "two days of 2019, three of 2020"),
    ("over-new-year", BOTH, "$Item.occurrencePeriod.end", ["2019-12-31", "2020-01-03"], "split at the year"),
    (
        "over-new-year",
        BOTH,
        "$Price.propertyGroup.priceComponent.amount.value",
        [D("7800.00"), D("8200.00")],
        "settlement 5: the rate of that day's year",
    ),
    ("over-new-year", BOTH, "$Invoice.totalNet.value", [D("40200.00")], "2 × 7 800 + 3 × 8 200"),
    (
        "pooled",
        BOTH,
        "$Report.extension[0].valueCodeableConcept.coding",
        [],
        "two care forms have no one code",
    ),
    (
        "pooled",
        BOTH,
        "$Report.extension[0].valueCodeableConcept.text",
        ["Somatisk och psykiatrisk vård tillsammans"],
        "so it is said in words",
    ),
    # ── issued, with corrections ─────────────────────────────────────────────────────────────────
    ("corrected", BOTH, "$Report.status", ["complete"], "issued"),
    ("corrected", BOTH, "$Invoice.status", ["issued"], "issued"),
    ("corrected", BOTH, "$Invoice.totalNet.value", [D("-7100.00")], "7 100 more, 14 200 less"),
    (
        "corrected",
        BOTH,
        "$Invoice.lineItem.priceComponent.amount.value",
        [D("7100.00"), D("-14200.00")],
        "settlement 8: debit and credit",
    ),
    ("corrected", BOTH, "$Item.code.coding.code", ["adjustment-debit", "adjustment-credit"], "settlement 8"),
    ("corrected", BOTH, "$Item.quantity.value", [1, -2], "days added and taken back"),
    ("corrected", BOTH, "$Item.status.distinct()", ["billed"], "issued"),
    (
        "corrected",
        BOTH,
        "$Item.occurrencePeriod.start.distinct()",
        ["2018-07-01"],
        "the month that is corrected",
    ),
    (
        "corrected",
        (R4,),
        "$Item.context.identifier.value",
        ["bilaga9-2018-07-11", "bilaga9-2018-07-21"],
        "each names the stay",
    ),
    (
        "corrected",
        (R4,),
        "$Item.priceOverride.value",
        [D("7100.00"), D("-14200.00")],
        "no price of a year fits",
    ),
    ("corrected", (R5,), "$Item.totalPriceComponent.amount.value", [D("7100.00"), D("-14200.00")], "R5"),
    (
        "corrected",
        BOTH,
        "$From.entity.where(role = 'revision').what.type",
        ["Invoice", "MeasureReport"],
        "the statement that it corrects, once, and the measure that is issued again",
    ),
    ("corrected", BOTH, "$Again.status", ["complete"], "settlement 8: a measure that was issued"),
    ("corrected", BOTH, "$Again.period.start", ["2018-07-01"], "of July, on the statement of August"),
    ("corrected", BOTH, "$Again.group[0].population.count", [30, 0, 30], "as it is counted now"),
    (
        "corrected",
        BOTH,
        "$Again.extension.where(url.endsWith('settlement-measure-version')).valuePositiveInt",
        [2],
        "settlement 8: issued again",
    ),
    (
        "corrected",
        BOTH,
        "$Again.extension.where(url.endsWith('settlement-replaces')).valueReference.identifier.value",
        [report_id(statement_id(cases.bilaga_9()[4]), 1)],
        "the one that was issued with July",
    ),
    (
        "adjusted",
        BOTH,
        (
            "$Item.first().extension.where(url.endsWith('adjustment-reason'))"
            ".extension.where(url = 'kind').valueCodeableConcept.coding.code.distinct()"
        ),
        ["fact", "municipality", "gate", "dispute", "rate", "agreement"],
        "settlement 8: every reason, in a fixed order",
    ),
    (
        "adjusted",
        BOTH,
        "$Item.supportingInformation.type",
        ["Invoice", "ChargeItem", "Invoice", "ChargeItem"],
        "the statement and the line that it corrects",
    ),
    ("no-data", BOTH, "$Report.%status", ["no-data"], "no message of the month: never below"),
    ("no-data", BOTH, "$Report.group.population.count", [], "nothing is known: no zero"),
    (
        "no-data",
        BOTH,
        "$Report.group.population.count.extension.valueCode.distinct()",
        ["unknown"],
        "data-absent-reason",
    ),
    (
        "corrected",
        BOTH,
        "$Report.%outcome.where(url = 'amount').valueMoney.value",
        [D("0.00")],
        "the month itself",
    ),
    (
        "corrected",
        BOTH,
        "$Report.%outcome.where(url = 'due').valueMoney.value",
        [D("-7100.00")],
        "with corrections",
    ),
]
ROWS = [(*row[:1], version, *row[2:]) for row in FIELDS for version in row[1]]


@pytest.fixture(scope="module")
def bundles() -> dict[tuple[str, FhirVersion], Resource]:
    return {
        (name, version): told(name, version) for name in ("liable", *cases.STATEMENTS) for version in BOTH
    }


@pytest.mark.parametrize(("name", "version", "path", "expected", "because"), ROWS)
def test_field(
    bundles: dict[tuple[str, FhirVersion], Resource],
    name: str,
    version: FhirVersion,
    path: str,
    expected: list[Any],
    because: str,
) -> None:
    found = find(bundles[name, version], path)
    assert found == expected, because
    assert [str(one) for one in found] == [str(one) for one in expected], f"scale: {because}"


# month of Bilaga 9, mean, gate status, payable days, SEK (settlement 7; from the eleventh, January 2019,
# at that year's 7 800)
BILAGA_9 = [
    (1, "2", "follow-up", 0, "0.00"),
    (2, "3.333333", "analysis", 0, "0.00"),
    (3, "4", "analysis", 0, "0.00"),
    (4, "4", "analysis", 0, "0.00"),
    (5, "4", "liable", 40, "284000.00"),
    (6, "0", "liable", 0, "0.00"),
    (7, "0", "liable", 0, "0.00"),
    (8, "0", "liable", 0, "0.00"),
    (9, "0", "follow-up", 0, "0.00"),
    (10, "4", "liable-retroactive", 30, "213000.00"),
    (11, "4", "liable-retroactive", 30, "234000.00"),
    (12, "4", "liable-retroactive", 30, "234000.00"),
    (13, "3", "liable", 0, "0.00"),
]


@pytest.mark.parametrize(("number", "mean", "status", "days", "amount"), BILAGA_9)
def test_bilaga_9(number: int, mean: str, status: str, days: int, amount: str) -> None:
    month: Month = FIRST.plus(number - 1)
    statement = cases.bilaga_9()[number - 1]
    assert statement.month == month
    made = loads(dumps(bundle([statement], cases.edition())))
    assert [str(one) for one in find(made, "$Report.group[0].measureScore.value")] == [mean]
    assert find(made, "$Report.%status") == [status]
    assert find(made, "$Report.%outcome.where(url = 'payable-days').valueQuantity.value") == [days]
    assert [str(one) for one in find(made, "$Report.%outcome.where(url = 'due').valueMoney.value")] == [
        amount
    ]
    assert [str(one) for one in find(made, "$Invoice.totalNet.value")] == ([amount] if days else [])
    lines = find(made, "$Invoice.lineItem.priceComponent.where(type = 'base').amount.value")
    assert sum(lines, Decimal()) == Decimal(amount)


#: What a resource says to people; statement, type, words, because.
WORDS = [
    ("draft-agreement", "MeasureReport", "UTKAST: avtalet är inte beslutat.", "issue 12.10"),
    ("draft-agreement", "Invoice", "DRAFT: the agreement is not decided.", "issue 12.10: every page"),
    ("draft-agreement", "ChargeItem", "DRAFT: the agreement is not decided.", "issue 12.10: every resource"),
    (
        "long-stay-alone",
        "MeasureReport",
        "nothing is paid for the 0 stays in the mean. 0.00 SEK",
        "issue 12.11",
    ),
    ("long-stay-alone", "MeasureReport", "1 stays of over 7 days are out of the mean", "issue 12.11"),
    ("long-stay-alone", "MeasureReport", "54600.00 SEK", "issue 12.11: what the amount is due to"),
    ("no-rate", "MeasureReport", "The amount of 2021 is not known: 1 stays wait for it.", "settlement 5"),
]


@pytest.mark.parametrize(("name", "kind", "words", "because"), WORDS)
def test_what_people_read(name: str, kind: str, words: str, because: str) -> None:
    made = bundle([cases.STATEMENTS[name]()], cases.edition())
    of_kind = [one["resource"] for one in made["entry"] if one["resource"]["resourceType"] == kind]
    assert of_kind, because
    for resource in of_kind:
        assert words in resource["text"]["div"], because
