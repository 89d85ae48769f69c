"""Whether the files of `agreements/` fit together and are fit to be billed by.

Owns the findings: overlaps, gaps, unknown parties and agreements, uncited and unchecked values, values
not checked for over a year, and agreements that are to be in step and are not. Does not own the life cycle
of one file (`check_life`), its shape (`agreement`) nor reading it (`load`).
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise

from adapter.agreements.agreement import Agreement, AgreementFile, cited_values
from adapter.agreements.check_copied import check_copied
from adapter.agreements.check_life import check_life
from adapter.agreements.federation import Federations, check_federations
from adapter.agreements.finding import Finding, fault
from adapter.agreements.in_force import Span, span_of
from adapter.agreements.rates import Rates
from adapter.agreements.regions import Regions
from adapter.agreements.rules import measured_otherwise
from adapter.agreements.terms import Kind, Status
from adapter.marks import Place

#: A value older than this is to be held against its text again.
RECHECK_AFTER = timedelta(days=365)
#: The steps of the place of a party: `parties`, `municipalities`, its number.
_PARTY = 3


def check(
    files: Sequence[AgreementFile],
    rates: Rates,
    municipalities: Mapping[str, str],
    today: date,
    federations: Federations = Federations(),  # noqa: B008 - a frozen value
    regions: Regions = Regions(),  # noqa: B008 - a frozen value
) -> tuple[Finding, ...]:
    """Give all findings, in the order of files and rules."""
    names = {county: region.name for county, region in regions.by_county.items()}
    agreements = {file.agreement.id: file.agreement for file in files}
    findings: list[Finding] = []
    for file in files:
        findings += _citations(file, today)
        findings += _parties(file, municipalities)
        findings += _names(file, agreements)
        findings += _steps(file, agreements)
        findings += check_life(file, today)
        findings += _measured(file)
    findings += check_copied(files, municipalities, names)
    findings += _rates(rates, today)
    findings += _over_time(files, agreements, today)
    findings += check_federations(federations, today, RECHECK_AFTER)
    return tuple(findings)


def _citations(file: AgreementFile, today: date) -> Iterator[Finding]:
    for place, cited in cited_values(file.agreement):
        if _inherits(place):
            continue
        if cited.source is None and cited.assumption is None:
            yield fault("uncited", file, place, "neither `source` nor `assumption`")
        if cited.checked is None:
            yield fault("unchecked", file, place, "no `checked` date")
        elif cited.checked > today:
            yield fault("unchecked", file, place, f"checked {cited.checked}, which is yet to come")
        elif today - cited.checked > RECHECK_AFTER:
            yield fault("stale", file, place, f"last checked {cited.checked}, over a year ago")


def _inherits(place: Place) -> bool:
    """Tell a municipality of the list, which has the list's source where it has none of its own."""
    return place[:2] == ("parties", "municipalities") and len(place) == _PARTY


def _parties(file: AgreementFile, municipalities: Mapping[str, str]) -> Iterator[Finding]:
    parties = file.agreement.parties.municipalities
    seen: set[str] = set()
    for index, party in enumerate(() if parties == "all" else parties):
        place: Place = ("parties", "municipalities", index)
        region = file.agreement.region
        if party.code not in municipalities:
            yield fault("unknown-party", file, place, f"{party.code} is no municipality")
        elif municipalities[party.code] != party.name:
            yield fault("unknown-party", file, place, f"{party.code} is {municipalities[party.code]}")
        elif region is None or party.code[:2] != region.county:
            yield fault("unknown-party", file, place, f"{party.name} lies in another county than the region")
        if party.code in seen:
            yield fault("unknown-party", file, place, f"{party.name} is listed twice")
        seen.add(party.code)


def _names(file: AgreementFile, agreements: Mapping[str, Agreement]) -> Iterator[Finding]:
    life = file.agreement.life
    if life.superseded_by and life.superseded_by not in agreements:
        yield fault(
            "unknown-agreement", file, ("life", "superseded_by"), f"no agreement {life.superseded_by}"
        )
    for index, other in enumerate(life.in_step_with):
        if other not in agreements:
            yield fault("unknown-agreement", file, ("life", "in_step_with", index), f"no agreement {other}")


def _steps(file: AgreementFile, agreements: Mapping[str, Agreement]) -> Iterator[Finding]:
    """Hold the ends of agreements that are to be in step against each other, for each common party."""
    one = file.agreement
    for index, name in enumerate(one.life.in_step_with):
        place: Place = ("life", "in_step_with", index)
        other = agreements.get(name)
        if other is None:
            continue
        if one.id not in other.life.in_step_with:
            yield fault("out-of-step", file, place, f"{name} does not name this one in turn")
        for code in sorted(_codes(one) & _codes(other)):
            mine, theirs = span_of(agreements, one, code), span_of(agreements, other, code)
            if mine and theirs and mine.end != theirs.end:
                ends = f"this one {_end(mine)}, {name} {_end(theirs)}"
                yield fault("out-of-step", file, place, f"for {code} the ends differ: {ends}")


def _measured(file: AgreementFile) -> Iterator[Finding]:
    for given, derived in measured_otherwise(file):
        words = f"{given}; the start of the IT support gives {derived}, which is used: leave one of them out"
        yield fault("measure-from", file, ("gate", "measure_from"), words)


def _end(span: Span) -> str:
    return f"ends before {span.end}" if span.end else "has no end"


def _codes(agreement: Agreement) -> set[str]:
    parties = agreement.parties.municipalities
    return set() if parties == "all" else {party.code for party in parties}


def _rates(rates: Rates, today: date) -> Iterator[Finding]:
    for name, entry in rates.entries():
        where = f"{rates.file_of((name, entry.year, entry.care_form))} series.{name}.{entry.year}"
        if entry.amount is not None and entry.source is None:
            yield Finding("fault", "uncited", where, "an amount without `source`")
        if entry.verified and entry.proposed:
            words = "`verified: true`, and the words of its source only propose the amount"
            yield Finding("fault", "proposal", where, words)
        if entry.checked is None:
            yield Finding("fault", "unchecked", where, "no `checked` date")
        elif today - entry.checked > RECHECK_AFTER:
            yield Finding("fault", "stale", where, f"last checked {entry.checked}, over a year ago")


def _over_time(
    files: Sequence[AgreementFile], agreements: Mapping[str, Agreement], today: date
) -> Iterator[Finding]:
    """Find overlaps and gaps, once for each set of municipalities that has the same ones."""
    active = [
        f
        for f in files
        if f.agreement.kind is Kind.AGREEMENT and f.agreement.status.value is not Status.DRAFT
    ]
    found: dict[tuple[str, str, str, str], list[str]] = {}
    for code in sorted({code for file in active for code in _codes(file.agreement)}):
        spans = [
            (span, file)
            for file in active
            if (span := span_of(agreements, file.agreement, code)) and span.start
        ]
        spans.sort(key=lambda pair: (pair[0].start or date.min, pair[1].name))
        for key in _edges_of(spans, today):
            found.setdefault(key, []).append(code)
    for (severity, rule, where, words), codes in found.items():
        yield Finding("note" if severity == "note" else "fault", rule, where, f"{words} ({', '.join(codes)})")


def _edges_of(
    spans: Sequence[tuple[Span, AgreementFile]], today: date
) -> Iterator[tuple[str, str, str, str]]:
    for (first, file), (second, later) in pairwise(spans):
        where = file.where(("life", "valid"))
        if first.end is None or (second.start and second.start < first.end):
            yield (
                "fault",
                "overlap",
                where,
                f"{later.agreement.id} begins {second.start}, before this one ends",
            )
        elif second.start and first.end < second.start:
            words = f"nothing is agreed from {first.end} until {later.agreement.id} begins {second.start}"
            yield "fault", "gap", where, words
    if spans:
        last, file = spans[-1]
        if last.end and last.end <= today:
            words = f"nothing is agreed from {last.end} on, the statute applies: {last.why_end}"
            yield "note", "gap", file.where(("life", "valid")), words
