"""A mapping tried out: documents in, signals, cases and the trace out; nothing stored.

Owns what `losus try` and the examples of a mapping file see; does not own the mapping (`engine`)
nor the fold.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import pairwise
from typing import Any

from adapter.errors import ResourceError
from adapter.fhir.message import Entry, References, read_entries, read_message
from adapter.fhir.model import FhirVersion, validate
from adapter.losus.case import Case, fold
from adapter.losus.instants import instant_text
from adapter.losus.process import ProcessTerms
from adapter.losus.signal import Fact
from adapter.mapping.engine import Mapping, Message, Reading, Step
from adapter.mapping.version import refuse_stamps, sent_at

_SOURCE = "try"


@dataclass(slots=True)
class Rehearsal:
    """What the documents gave so far: readings in order of the documents, and the trace of every rule.

    `ends`: how many readings and steps there were after each document. `fhir`: the version that the documents
    are in, where it may be another than the mapping's. `known`: the resources of the documents so far, which
    later ones may refer to.
    """

    mapping: Mapping
    now: datetime
    fhir: str | None = None
    readings: list[Reading] = field(default_factory=list)
    trace: list[Step] = field(default_factory=list)
    ends: list[tuple[int, int]] = field(default_factory=list)
    known: tuple[Entry, ...] = ()

    def add(self, document: dict[str, Any]) -> None:
        """Read one document: a message or other Bundle, or a single resource.

        InputError where it is no FHIR of its version, or a rule cannot be carried out.
        """
        fhir = self.fhir or self.mapping.file.fhir
        entries, references = _read(document, FhirVersion(fhir))
        bundle = document if document.get("resourceType") == "Bundle" else None
        before = References(self.known)

        def resolve(reference: str) -> dict[str, Any] | None:
            return references.resolve(reference) or before.resolve(reference)

        around = Message(bundle, resolve, sent_at(document), instant_text(self.now))
        refuse_stamps(
            (entry.resource, entry.path)
            for entry in entries
            if self.mapping.ranks_by_meta(entry.resource["resourceType"])
        )
        self.known = (*self.known, *entries)
        for entry in entries:
            reading = self.mapping.read(_SOURCE, entry.resource, entry.path, around, self.trace, fhir)
            if reading is not None:
                self.readings.append(reading)
        self.ends.append((len(self.readings), len(self.trace)))

    def traces(self) -> Iterator[list[Step]]:
        """Give the trace of each document, in their order."""
        starts = [0, *(steps for _, steps in self.ends)]
        return (self.trace[start:end] for start, end in pairwise(starts))

    def unasked(self) -> Iterator[Step]:
        """Give a step for every rule that no document had a resource for."""
        types = {reading.type for reading in self.readings}
        for rule in self.mapping.file.rules:
            if rule.on not in types:
                yield Step("-", rule.id, False, rule.signal.value, why_not=f"no {rule.on} in what was read")

    def facts(self, documents: int | None = None) -> dict[str, list[Fact]]:
        """The facts by case key, of the first `documents` (None: of all).

        What belongs to no case of its own goes to every case that is about it.
        """
        readings = self.readings if documents is None else self.readings[: self.ends[documents - 1][0]]
        own: dict[str, list[Fact]] = {}
        about: dict[str, set[str]] = {}
        for reading in readings:
            if reading.key is not None:
                own.setdefault(reading.key, []).append(reading.fact)
                about.setdefault(reading.key, set()).update((*reading.about, reading.fact.resource))
        for reading in readings:
            if reading.key is None:
                for key, resources in about.items():
                    if reading.fact.resource in resources:
                        own[key].append(reading.fact)
        return own

    def cases(self, terms: ProcessTerms, now: datetime, documents: int | None = None) -> dict[str, Case]:
        """The cases by key, folded by `terms` at `now`; the key stands where the pseudonym would."""
        found = self.facts(documents)
        return {key: fold(key, facts, terms=terms, route={}, now=now) for key, facts in found.items()}


def rehearse(
    mapping: Mapping, documents: Iterable[dict[str, Any]], now: datetime, fhir: str | None = None
) -> Rehearsal:
    """Read documents (message or other Bundles, or single resources) through `mapping`.

    Raises InputError where one is no FHIR of the mapping's version (or of `fhir`, where given), or a
    rule cannot be carried out.
    """
    rehearsal = Rehearsal(mapping, now, fhir)
    for document in documents:
        rehearsal.add(document)
    return rehearsal


def _read(document: dict[str, Any], version: FhirVersion) -> tuple[tuple[Entry, ...], References]:
    if document.get("resourceType") != "Bundle":
        return read_entries(document, version)
    if document.get("type") == "message":
        message = read_message(document, version)
        return message.entries, message.references
    return _read_bundle(document, version)


def _read_bundle(bundle: dict[str, Any], version: FhirVersion) -> tuple[tuple[Entry, ...], References]:
    """Read a Bundle whose entries may be without a resource: a deletion, or a notice of ids only."""
    entries = bundle.get("entry", ())
    there = [index for index, entry in enumerate(entries) if "resource" in entry]
    if len(there) == len(entries):
        return read_entries(bundle, version)
    if problems := validate(bundle, version):
        raise ResourceError(*problems)
    found, references = read_entries({**bundle, "entry": [entries[index] for index in there]}, version)
    paths = (f"Bundle.entry[{index}].resource" for index in there)
    return tuple(replace(entry, path=path) for entry, path in zip(found, paths, strict=True)), references
