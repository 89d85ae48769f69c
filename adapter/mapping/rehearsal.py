"""A mapping tried out: documents in, signals, cases and the trace out; nothing stored.

Owns what `losus try` and the examples of a mapping file see; does not own the mapping (`engine`)
nor the fold.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from adapter.fhir.message import read_entries, read_message
from adapter.fhir.model import FhirVersion
from adapter.losus.case import Case, fold
from adapter.losus.instants import instant_text
from adapter.losus.process import ProcessTerms
from adapter.losus.signal import Fact
from adapter.mapping.engine import Mapping, Message, Reading, Step
from adapter.mapping.fields import instant

_SOURCE = "try"


@dataclass(slots=True)
class Rehearsal:
    """What the documents gave: readings in order of the documents, and the trace of every rule."""

    readings: list[Reading] = field(default_factory=list)
    trace: list[Step] = field(default_factory=list)

    def facts(self) -> dict[str, list[Fact]]:
        """The facts by case key; a shared resource's are with every case that is about it."""
        own: dict[str, list[Fact]] = {}
        about: dict[str, set[str]] = {}
        for reading in self.readings:
            if reading.key is not None:
                own.setdefault(reading.key, []).append(reading.fact)
                about.setdefault(reading.key, set()).update(reading.about)
        for reading in self.readings:
            if reading.key is None:
                for key, resources in about.items():
                    if reading.fact.resource in resources or len(about) == 1:
                        own[key].append(reading.fact)
        return own

    def cases(self, terms: ProcessTerms, now: datetime) -> dict[str, Case]:
        """The cases by key, folded by `terms` at `now`; the key stands where the pseudonym would."""
        return {key: fold(key, facts, terms=terms, route={}, now=now) for key, facts in self.facts().items()}


def rehearse(mapping: Mapping, documents: Iterable[dict[str, Any]], now: datetime) -> Rehearsal:
    """Read documents (message or other Bundles, or single resources) through `mapping`.

    Raises InputError where one is no FHIR of the mapping's version, or a rule cannot be carried out.
    """
    rehearsal = Rehearsal()
    version = FhirVersion(mapping.file.fhir)
    for document in documents:
        is_message = document.get("resourceType") == "Bundle" and document.get("type") == "message"
        message = read_message(document, version) if is_message else None
        entries, references = (
            (message.entries, message.references) if message else read_entries(document, version)
        )
        sent = document.get("timestamp") if document.get("resourceType") == "Bundle" else None
        bundle = document if document.get("resourceType") == "Bundle" else None
        around = Message(
            bundle, references.resolve, instant(sent).isoformat() if sent else "", instant_text(now)
        )
        for entry in entries:
            reading = mapping.read(_SOURCE, entry.resource, entry.path, around, rehearsal.trace)
            if reading is not None:
                rehearsal.readings.append(reading)
    return rehearsal
