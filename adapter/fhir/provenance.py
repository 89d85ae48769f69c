"""Where a statement comes from: agreement and version, the statements it corrects, the messages.

Owns Provenance of the statement as a whole and of each charge whose messages are known.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from adapter.fhir.charge import Charged
from adapter.fhir.elements import Resource, instant, narrative, region, uuid_of
from adapter.fhir.sheet import Sheet
from adapter.fhir.vocabulary import AGREEMENT_IDENTIFIER, SOURCE_IDENTIFIER, STATEMENT_IDENTIFIER

_PARTICIPANT = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"


def of_statement(sheet: Sheet, targets: list[dict[str, str]]) -> Resource:
    """Say which agreement, in which version, and which earlier statements the resources rest on."""
    statement = sheet.statement
    agreement = _agreement(sheet)
    corrected = [
        {"type": "Invoice", "identifier": {"system": STATEMENT_IDENTIFIER, "value": name}}
        for name in dict.fromkeys(one.corrects for one in sheet.adjustments)
    ]
    entities = [{"role": "source", "what": agreement}] + [
        {"role": "revision", "what": what} for what in corrected
    ]
    words = (f"Enligt {statement.title}.", statement.because)
    return {**_head(sheet, "statement"), "text": narrative(*words), **_made(sheet, targets, entities)}


def _agreement(sheet: Sheet) -> dict[str, Any]:
    """Name the agreement, in the version by which it was settled."""
    statement = sheet.statement
    value = f"{statement.agreement}@{statement.version}"
    return {
        "type": "Contract",
        "identifier": {"system": AGREEMENT_IDENTIFIER, "value": value},
        "display": statement.title,
    }


def of_charges(sheet: Sheet, charges: Iterable[Charged]) -> Iterator[Resource]:
    """Say for each charge of a stay which versions of which messages it rests on, where that is known."""
    for one in charges:
        said = sheet.edition.sources.get(one.stay, ()) if one.stay else ()
        if not said:
            continue
        entities = [
            {"role": "source", "what": {"identifier": {"system": SOURCE_IDENTIFIER, "value": source}}}
            for source in dict.fromkeys(said)
        ]
        target = sheet.edition.reference("ChargeItem", one.item["id"])
        words = (f"Vilar på {len(entities)} meddelanden.", f"Rests on {len(entities)} messages.")
        yield {
            **_head(sheet, one.item["id"]),
            "text": narrative(*words),
            **_made(sheet, [target], entities),
        }


def of_measure(sheet: Sheet, target: dict[str, str], replaced: dict[str, Any]) -> Resource:
    """Say which report of the month a report that is issued again replaces, and by which agreement."""
    swedish, english = sheet.headline
    words = (f"Mått på nytt: {swedish}.", f"Measure issued again: {english}.")
    entities = [{"role": "revision", "what": replaced}, {"role": "source", "what": _agreement(sheet)}]
    head = {"resourceType": "Provenance", "id": uuid_of("Provenance", "measure", str(target["reference"]))}
    return {**head, "text": narrative(*words), **_made(sheet, [target], entities)}


def _head(sheet: Sheet, *names: str) -> Resource:
    return {"resourceType": "Provenance", "id": sheet.name("Provenance", *names)}


def _made(sheet: Sheet, targets: list[dict[str, str]], entities: list[dict[str, Any]]) -> dict[str, Any]:
    author = sheet.edition.reference("Organization", region(sheet.statement.region, sheet.edition)["id"])
    agents = [_agent("assembler", {"display": "losus-adapter"}), _agent("author", author)]
    return {"target": targets, "recorded": instant(sheet.at), "agent": agents, "entity": entities}


def _agent(kind: str, who: dict[str, str]) -> dict[str, Any]:
    return {"type": {"coding": [{"system": _PARTICIPANT, "code": kind}]}, "who": who}
