"""Which agreement holds for a municipality on a day, and why.

Owns the life of agreements together: adoption, prolongation, early end by a successor, and that the
statute holds where nothing is agreed (LUS 5:4 «Om det inte finns någon överenskommelse»). Does not own
whether the files fit together (`check`) nor what the terms do.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from adapter.agreements.agreement import Agreement, Party
from adapter.agreements.groups import Cited
from adapter.agreements.life import Renegotiation, ends_of
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


def in_force(
    agreements: Agreements, day: date, municipality: str, care_form: CareForm, region: str | None = None
) -> InForce:
    """Give what settles a stay that ends on `day`; SetupError where two agreements or no statute hold.

    `region`: länskod of the region that treats; None: the one that the municipality lies in. An agreement
    holds only between a region and municipalities that are both parties (settlement rules 3).
    """
    region = region or municipality[:2]
    found: list[tuple[Agreement, Span]] = []
    passed: list[str] = []
    for agreement in sorted(agreements.values(), key=lambda one: one.id):
        if agreement.kind is not Kind.AGREEMENT or agreement.status.value is Status.DRAFT:
            continue
        span = span_of(agreements, agreement, municipality)
        if span is None:
            continue
        if agreement.region is None or agreement.region.county != region:
            passed.append(f"{agreement.id} {_whose(agreement)}, not with region {region}, which treats")
        elif not span.holds(day):
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
    why_start = f"valid from {valid.from_}, {_adoption(agreement, party)}"
    end, why_end = _early_end(agreement, party, _stated_end(agreement, party))
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


def life_assumptions(agreement: Agreement, municipality: str) -> frozenset[str]:
    """Give the assumptions that rest behind a municipality's being bound: status, adoption, prolongation.

    A prolongation that the party itself has decided on rests on none.
    """
    party = party_of(agreement, municipality)
    cited: list[Cited] = [agreement.status, agreement.parties]
    if party and any(one.binds for one in party.decided):
        cited.remove(agreement.parties)
    for prolonged, decision, _ in ends_of(agreement.life, party.prolonged if party else ()):
        cited.append(decision or prolonged)
    early = [agreement.life.ended_early, party.ended_early if party else None]
    cited += [one for one in (party, *early) if one]
    return frozenset(one.assumption for one in cited if one.assumption)


def open_renegotiations(agreement: Agreement, day: date) -> tuple[Renegotiation, ...]:
    """Give the renegotiations whose outcome the terms of that day should rest on, and that have none."""
    return tuple(one for one in agreement.life.renegotiations if one.open_on(day))


def care_forms(agreement: Agreement) -> tuple[CareForm, ...]:
    """Give the care forms that the agreement covers; none where it settles nothing."""
    return agreement.scope.care_forms[0].value if agreement.scope else ()


def _adoption(agreement: Agreement, party: Party) -> str:
    """Say by whose decision the party is bound, or by which assumption."""
    adopted = f"adopted by {party.name} ({party.code}) {party.adopted}"
    decision = next((one for one in party.decided if one.binds), None)
    if decision:
        return f"{adopted}, decided by {decision.by} on {decision.on}"
    assumption = party.assumption or (None if party.source else agreement.parties.assumption)
    return f"{adopted} (assumption {assumption})" if assumption else adopted


def _stated_end(agreement: Agreement, party: Party | None = None) -> tuple[date | None, str]:
    """Give the day after the last one that the prolongations come to, for one party or for all."""
    life = agreement.life
    end, why = life.valid.through, f"valid through {life.valid.through}"
    for prolonged, decision, binds in ends_of(life, party.prolonged if party else ()):
        if not binds and party:
            why += f", and {party.name} has not decided in time to prolong it through {prolonged.through}"
        if binds and (end is None or prolonged.through > end):
            decided = f", decided by {decision.decided.by} on {decision.decided.on}" if decision else ""
            end, why = (
                prolonged.through,
                f"prolonged through {prolonged.through} ({_cite(agreement, prolonged)}{decided})",
            )
    return (end + _DAY, why) if end else (None, "")


def _cite(agreement: Agreement, cited: Cited) -> str:
    if cited.source is None:
        return "an assumption"
    return f"{agreement.documents[cited.source.document].title} {cited.source.section}"


def _early_end(
    agreement: Agreement, party: Party, stated: tuple[date | None, str]
) -> tuple[date | None, str]:
    """Give the earliest end that was decided, for all or for this party; else the stated one."""
    end, why = stated
    for early in (agreement.life.ended_early, party.ended_early):
        if early and (end is None or early.on + _DAY < end):
            end = early.on + _DAY
            decided = f"decided by {early.by} on {early.decided} ({_cite(agreement, early)})"
            why = f"ended early, {early.on} the last day, {decided}"
    return end, why


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


def _whose(agreement: Agreement) -> str:
    region = agreement.region
    return "names no region" if region is None else f"is made with {region.name} ({region.county})"


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
