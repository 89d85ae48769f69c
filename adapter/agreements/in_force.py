"""Which agreement holds for a municipality on a day, and why.

Owns the life of agreements together: adoption, prolongation, early end by a successor, and that the
statute holds where nothing is agreed (LUS 5:4 «Om det inte finns någon överenskommelse»). Does not own
whether the files fit together (`check`) nor what the terms do.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from adapter.agreements.agreement import Agreement, Party
from adapter.agreements.terms import CareForm, Kind, Status
from adapter.errors import Problem, SetupError

_DAY = timedelta(days=1)
Agreements = Mapping[str, Agreement]


@dataclass(frozen=True, slots=True)
class Span:
    """The days on which a municipality is bound: `start` up to, but not with, `end` (None: no end).

    `start` None means never; `why_start` and `why_end` tell in words what made them so.
    """

    start: date | None
    end: date | None
    why_start: str
    why_end: str

    def holds(self, day: date) -> bool:
        """Whether the municipality is bound on that day."""
        return self.start is not None and self.start <= day and (self.end is None or day < self.end)


@dataclass(frozen=True, slots=True)
class InForce:
    """What holds: an agreement or a statute, the reason in words, and what was passed over and why."""

    agreement: Agreement
    because: str
    passed_over: tuple[str, ...]


def in_force(agreements: Agreements, day: date, municipality: str, care_form: CareForm) -> InForce:
    """Give what settles a stay that ends on `day`; SetupError where two agreements or no statute hold."""
    found: list[tuple[Agreement, Span]] = []
    passed: list[str] = []
    for agreement in sorted(agreements.values(), key=lambda one: one.id):
        if agreement.kind is not Kind.AGREEMENT or agreement.status.value is Status.DRAFT:
            continue
        span = span_of(agreements, agreement, municipality)
        if span is None:
            continue
        if not span.holds(day):
            passed.append(_why_not(agreement, span, day))
        elif care_form not in care_forms(agreement):
            passed.append(f"{agreement.id} does not cover {care_form} care")
        else:
            found.append((agreement, span))
    if len(found) > 1:
        ids = ", ".join(agreement.id for agreement, _ in found)
        raise SetupError(Problem("conflict", f"two agreements bind {municipality} on {day}: {ids}"))
    if found:
        agreement, span = found[0]
        end = f"; {span.why_end}" if span.why_end else ""
        return InForce(agreement, f"{agreement.id} is in force: {span.why_start}{end}.", tuple(passed))
    return _statute(agreements, day, municipality, passed)


def span_of(agreements: Agreements, agreement: Agreement, municipality: str) -> Span | None:
    """Give the days on which the agreement binds the municipality; None where it is no party."""
    party = party_of(agreement, municipality)
    if party is None:
        return None
    valid = agreement.life.valid
    if party.adopted is None:
        return Span(None, None, f"{party.name} has not adopted it", "")
    start = max(valid.from_, party.adopted)
    why_start = f"valid from {valid.from_}, adopted by {party.name} ({party.code}) {party.adopted}"
    end, why_end = _stated_end(agreement)
    successor = _successor_start(agreements, agreement, municipality)
    if successor and (end is None or successor[0] < end):
        end, why_end = successor
    return Span(start, end, why_start, why_end)


def party_of(agreement: Agreement, municipality: str) -> Party | None:
    """Give the party with that kommunkod, or None."""
    parties = agreement.parties.municipalities
    if parties == "all":
        return None
    return next((party for party in parties if party.code == municipality), None)


def care_forms(agreement: Agreement) -> tuple[CareForm, ...]:
    """Give the care forms that the agreement covers; none where it settles nothing."""
    return agreement.scope.care_forms[0].value if agreement.scope else ()


def _stated_end(agreement: Agreement) -> tuple[date | None, str]:
    life = agreement.life
    end, why = life.valid.through, f"valid through {life.valid.through}"
    for prolonged in life.prolonged:
        if end is None or prolonged.through > end:
            document = (
                agreement.documents[prolonged.source.document].title if prolonged.source else "an assumption"
            )
            section = f" {prolonged.source.section}" if prolonged.source else ""
            end, why = prolonged.through, f"prolonged through {prolonged.through} ({document}{section})"
    return (end + _DAY, why) if end else (None, "")


def _successor_start(
    agreements: Agreements, agreement: Agreement, municipality: str
) -> tuple[date, str] | None:
    """Give the successor's first day for the municipality, where the agreement lets itself be superseded."""
    life = agreement.life
    if life.ends_early is None or life.superseded_by is None or life.superseded_by not in agreements:
        return None
    successor = agreements[life.superseded_by]
    party = party_of(successor, municipality)
    if party is None or party.adopted is None or successor.status.value is Status.DRAFT:
        return None
    start = max(successor.life.valid.from_, party.adopted)
    return start, f"ended early by {successor.id}, in force for {party.name} from {start}"


def _why_not(agreement: Agreement, span: Span, day: date) -> str:
    if span.start is None:
        return f"{agreement.id}: {span.why_start}"
    if day < span.start:
        return f"{agreement.id} begins {span.start} ({span.why_start})"
    return f"{agreement.id} ended: {span.why_end}"


def _statute(agreements: Agreements, day: date, municipality: str, passed: Iterable[str]) -> InForce:
    for agreement in agreements.values():
        if agreement.kind is not Kind.STATUTE:
            continue
        end, _ = _stated_end(agreement)
        if agreement.life.valid.from_ <= day and (end is None or day < end):
            reasons = tuple(passed)
            told = "; ".join(reasons) or f"no agreement has municipality {municipality} as a party"
            return InForce(agreement, f"The statute {agreement.id} applies: {told}.", reasons)
    raise SetupError(Problem("not-found", f"neither an agreement nor a statute holds on {day}"))
