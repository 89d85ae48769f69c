"""Statements as a FHIR Bundle: Measure, MeasureReport, Invoice, ChargeItems, Provenance.

Owns which resources tell a statement and in what order they stand. Does not own the resources
(`measure`, `measure_report`, `charge`, `invoice`, `provenance`), amounts (`adapter.settlement`) nor sending.

The Bundle is a `collection`: «a set of resources collected into a single package for ease of
distribution that imposes no processing obligations or behavioral rules beyond persistence» (FHIR,
Bundle.type). A `transaction` would tell the municipality's server what to store and under which
addresses, which is not the region's to say; a `message` would say once more what the CloudEvent around
it says already. Definitions (Measure, ChargeItemDefinition) stand in it beside what uses them by
canonical, so that a statement can be read ten years from now with nothing else at hand.

Everything but `Bundle.id`, `timestamp`, `date`, `creation` and `recorded` is a function of the
statement: settled twice from the same facts it is the same, byte for byte.
"""

from collections.abc import Iterable, Iterator

from adapter.fhir.charge import charged, group_of_mean
from adapter.fhir.draft import marked_as_draft
from adapter.fhir.elements import Edition, Resource, instant, municipality, recipient, region, uuid_of
from adapter.fhir.invoice import invoices
from adapter.fhir.measure import measure
from adapter.fhir.measure_report import report, report_again, report_id
from adapter.fhir.provenance import of_charges, of_measure, of_statement
from adapter.fhir.sheet import Sheet, Tellable
from adapter.settlement.remeasured import Remeasured


def bundle(statements: Iterable[Tellable], edition: Edition) -> Resource:
    """Give the Bundle of one statement, or of many; write it with `decimals.dumps`.

    A Statement is told as a draft, an Issued one as issued, with its corrections; a Draft with those that it
    would be issued with. What several statements share (organisations, rules, prices) stands once.
    """
    sheets = [Sheet.of(one, edition) for one in statements]
    entries: dict[str, Resource] = {}
    for sheet in sheets:
        for resource in _resources(sheet):
            entries.setdefault(edition.full_url(resource), resource)
    made_at = instant(edition.made_at)
    made: Resource = {
        "resourceType": "Bundle",
        "id": uuid_of("Bundle", edition.version, edition.base or "", made_at, *(one.id for one in sheets)),
        "type": "collection",
        "timestamp": made_at,
    }
    if entries:
        made["entry"] = [{"fullUrl": url, "resource": resource} for url, resource in entries.items()]
    return made


def _resources(sheet: Sheet) -> Iterator[Resource]:
    """Give the resources of a statement, marked where its agreement is not decided."""
    for resource in _unmarked(sheet):
        yield marked_as_draft(resource) if sheet.statement.draft else resource


def _unmarked(sheet: Sheet) -> Iterator[Resource]:
    """Give the resources of a statement: the figures, the claim, what it consists of, where it comes from."""
    statement, edition = sheet.statement, sheet.edition
    rule = measure(statement, edition.version)
    told = report(sheet, f"{rule['url']}|{rule['version']}")
    charges = list(charged(sheet))
    targets = [edition.reference("MeasureReport", told["id"])]
    yield told
    for claim in invoices(sheet, charges):
        targets.append(edition.reference("Invoice", claim["id"]))
        yield claim
    yield from (one.item for one in charges)
    if any(line.stay is None for line in statement.lines):
        yield group_of_mean(sheet)
    yield from (one.definition for one in charges if one.definition is not None)
    yield rule
    yield municipality(statement.municipality, edition)
    if statement.recipient is not None:
        yield recipient(statement, edition)
    yield region(statement.region, edition)
    yield of_statement(sheet, targets)
    yield from of_charges(sheet, charges)
    for again in sheet.measures:
        yield from _measured_again(sheet, again)


def _measured_again(sheet: Sheet, again: Remeasured) -> Iterator[Resource]:
    """Give the report of an earlier month as it is issued again, its rule, and which report it replaces."""
    edition, month = sheet.edition, sheet.again(again)
    rule = measure(again.statement, edition.version)
    told = report_again(month, f"{rule['url']}|{rule['version']}", again)
    replaced = edition.earlier("MeasureReport", report_id(again.corrects, again.number - 1))
    yield told
    yield rule
    yield region(again.statement.region, edition)
    yield of_measure(month, edition.reference("MeasureReport", told["id"]), replaced)
