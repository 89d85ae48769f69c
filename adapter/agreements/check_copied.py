"""Whether a file still says what another region's says: region, parties, documents and dates held together.

Owns the findings of a file that was copied and not changed everywhere. Does not own whether a party lies in
the region (`check`) nor the life cycle (`check_life`).
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from adapter.agreements.agreement import Agreement, AgreementFile, Document, cited_values
from adapter.agreements.finding import Finding, fault
from adapter.agreements.terms import Kind
from adapter.marks import Place

#: Words of a region's name that do not tell it from another's.
_COMMON = ("Region ", "sregionen", "regionen", " län")
#: First words of a region's name that are also those of others.
_NOT_ALONE = ("Västra",)


def check_copied(
    files: Sequence[AgreementFile], municipalities: Mapping[str, str], regions: Mapping[str, str]
) -> Iterator[Finding]:
    """Give what in a file belongs to another region, or to another file."""
    stems = {county: _stem(name) for county, name in regions.items()}
    for file in files:
        yield from _name(file)
        yield from _dates(file)
        if file.agreement.region is not None:
            yield from _region(file, regions)
            yield from _texts(file, municipalities, stems)
    yield from _shared(files)


def _stem(name: str) -> str:
    for common in _COMMON:
        name = name.replace(common, "")
    first, *rest = name.split()
    return first if first not in _NOT_ALONE else " ".join((first, *rest))


def _name(file: AgreementFile) -> Iterator[Finding]:
    if file.name.removesuffix(".yaml") != file.agreement.id:
        yield fault("file-name", file, ("id",), f"the id {file.agreement.id} is not the name of its file")


def _region(file: AgreementFile, regions: Mapping[str, str]) -> Iterator[Finding]:
    region = file.agreement.region
    known = regions.get(region.county) if region else None
    if region is None or not regions or region.name == known:
        return
    words = f"{region.county} is no region's länskod" if known is None else f"{region.county} is {known}"
    yield fault("another-region", file, ("region",), words)


def _texts(
    file: AgreementFile, municipalities: Mapping[str, str], stems: Mapping[str, str]
) -> Iterator[Finding]:
    """Find who issued a document, or a title, that is another region's or a municipality's of another."""
    agreement = file.agreement
    if agreement.region is None:
        return
    county = agreement.region.county
    texts: list[tuple[Place, str]] = [(("title",), agreement.title)]
    texts += [
        (("documents", name, "issued_by"), document.issued_by)
        for name, document in agreement.documents.items()
        if document.issued_by
    ]
    for place, text in texts:
        own = county in stems and _names(text, stems[county])
        foreign = [stem for code, stem in stems.items() if code != county and _names(text, stem)]
        foreign += [
            name
            for code, name in municipalities.items()
            if code[:2] != county and f"{name} kommun" in text.replace("s kommun", " kommun")
        ]
        if foreign and not own:
            yield fault("another-region", file, place, f"names {foreign[0]}, which is not of this region")


def _names(text: str, stem: str) -> bool:
    """Whether a text names a region by the distinctive part of its name, as a word of its own."""
    return any(word.startswith(stem) for word in _tails(text, stem))


def _tails(text: str, stem: str) -> Iterator[str]:
    at = text.find(stem)
    while at >= 0:
        if at == 0 or not text[at - 1].isalpha():
            yield text[at:]
        at = text.find(stem, at + 1)


def _dates(file: AgreementFile) -> Iterator[Finding]:
    """Find dates that cannot all be so: checked before the text was written, terms outside of the life."""
    agreement = file.agreement
    for place, cited in cited_values(agreement):
        document = agreement.documents.get(cited.source.document) if cited.source else None
        if document and document.dated and cited.checked and cited.checked < document.dated:
            yield fault("dates", file, place, f"checked {cited.checked}, before the text of {document.dated}")
    valid = agreement.life.valid
    if valid.through is not None and valid.through < valid.from_:
        yield fault("dates", file, ("life", "valid"), f"ends {valid.through}, before it begins {valid.from_}")
    if agreement.kind is Kind.STATUTE:
        return  # one that was repealed is compared with, by what held after it
    for place, first, last in _spans(agreement):
        if last is not None and last < valid.from_:
            yield fault("dates", file, place, f"holds through {last}, before the agreement is valid")
        if first is not None and valid.through is not None and first > _last_day(agreement):
            yield fault("dates", file, place, f"holds from {first}, when the agreement has ended")


def _spans(agreement: Agreement) -> Iterator[tuple[Place, date | None, date | None]]:
    for place, cited in cited_values(agreement):
        first, last = getattr(cited, "from_", None), getattr(cited, "through", None)
        if place[0] != "life" and (first or last):
            yield place, first, last


def _last_day(agreement: Agreement) -> date:
    life = agreement.life
    ends = [life.valid.through, *(prolonged.through for prolonged in life.prolonged)]
    return max(end for end in ends if end is not None)


def _shared(files: Sequence[AgreementFile]) -> Iterator[Finding]:
    """Find a regional document that agreements of two regions rest on, and dates that two have in common."""
    national = {
        _document_key(document)
        for file in files
        if file.agreement.kind is Kind.STATUTE
        for document in file.agreement.documents.values()
        if document.issued_by == "Riksdagen"
    }
    seen: dict[tuple[object, ...], AgreementFile] = {}
    lives: dict[tuple[object, ...], AgreementFile] = {}
    for file in (file for file in files if file.agreement.kind is not Kind.STATUTE):
        for name, document in file.agreement.documents.items():
            key = _document_key(document)
            other = seen.setdefault(key, file)
            if key not in national and _county(other) != _county(file):
                words = f"«{document.title}» is what {other.agreement.id} of another region rests on"
                yield fault("shared-document", file, ("documents", name), words)
        if (dates := _dates_of(file.agreement)) is not None:
            other = lives.setdefault(dates, file)
            if _county(other) != _county(file):
                words = f"begins, is adopted and measured on the same days as {other.agreement.id}"
                yield Finding("note", "same-dates", file.where(("life", "valid")), words)


def _document_key(document: Document) -> tuple[object, ...]:
    return document.title, document.issued_by, document.dated


def _county(file: AgreementFile) -> str | None:
    return file.agreement.region.county if file.agreement.region else None


def _dates_of(agreement: Agreement) -> tuple[object, ...] | None:
    """Give the days that an agreement begins, is adopted and measured on; None where it measures nothing."""
    gate, parties = agreement.gate, agreement.parties.municipalities
    measured = (gate.measure_from or gate.it_support_started) if gate else None
    if not measured or parties == "all":
        return None
    adopted = tuple(sorted({party.adopted for party in parties if party.adopted}))
    return agreement.life.valid.from_, adopted, tuple(term.value for term in measured)
