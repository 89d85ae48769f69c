"""Whether the life cycle of one agreement file fits together: decisions, prolongations, ends, renegotiations.

Owns the findings about the dates of one file. Does not own what several files come to together (`check`).
"""

from collections.abc import Iterator
from datetime import date

from adapter.agreements.agreement import AgreementFile, Party, cited_values
from adapter.agreements.finding import Finding, fault, note
from adapter.agreements.groups import Cited
from adapter.agreements.life import Decision, EndedEarly, OwnProlongation, Renegotiation, ends_of
from adapter.marks import Place


def check_life(file: AgreementFile, today: date) -> Iterator[Finding]:
    """Give the findings, the agreement's own before those of its parties."""
    yield from _yet_to_come(file, today)
    yield from _ended_early(file, None, ("life", "ended_early"))
    if file.agreement.life.ended_early and file.agreement.life.ends_early is None:
        words = "the agreement has no clause that it may end early (`ends_early`)"
        yield note("ended-early", file, ("life", "ended_early"), words)
    for place, renegotiation in _renegotiations(file):
        yield from _renegotiation(file, place, renegotiation, today)
    for index, party in enumerate(_parties(file)):
        place = ("parties", "municipalities", index)
        yield from _adoption(file, place, party)
        yield from _prolongations(file, place, party)
        yield from _ended_early(file, party, (*place, "ended_early"))
    yield from _undecided(file)


def _parties(file: AgreementFile) -> tuple[Party, ...]:
    parties = file.agreement.parties.municipalities
    return () if parties == "all" else parties


def _yet_to_come(file: AgreementFile, today: date) -> Iterator[Finding]:
    """Find what is written as done on a day that is yet to come."""
    for place, cited in cited_values(file.agreement):
        day = _done_on(cited)
        if day and day > today:
            yield fault("yet-to-come", file, place, f"{day} is yet to come")


def _done_on(cited: Cited) -> date | None:
    """Give the day on which a body proposed, recommended or decided."""
    if isinstance(cited, Decision):
        return cited.on
    if isinstance(cited, EndedEarly):
        return cited.decided
    return cited.decided.on if isinstance(cited, OwnProlongation) else None


def _adoption(file: AgreementFile, place: Place, party: Party) -> Iterator[Finding]:
    """Hold `adopted` against the decisions: a proposal, a recommendation or a committee binds nobody."""
    binding = [one for one in party.decided if one.binds]
    steps = [*party.proposed, *party.recommended, *(one for one in party.decided if not one.binds)]
    if party.adopted is None:
        if binding:
            words = f"{party.name}: {binding[0].by} decided on {binding[0].on}, and `adopted` is null"
            yield fault("adopted", file, (*place, "adopted"), words)
        return
    if binding and party.adopted < min(one.on for one in binding):
        first = min(binding, key=lambda one: one.on)
        words = f"{party.name}: {party.adopted} is before {first.by} decided on {first.on}"
        yield fault("adopted", file, (*place, "adopted"), words)
    elif not binding and (step := next((one for one in steps if one.on == party.adopted), None)):
        words = f"{party.name}: on {step.on} {step.by} decided nothing that binds: «{step.what}»"
        yield fault("adopted", file, (*place, "adopted"), words)
    elif not binding and steps and not (party.assumption or file.agreement.parties.assumption):
        words = f"{party.name}: neither a decision that binds nor an assumption says that it was adopted"
        yield fault("adopted", file, (*place, "adopted"), words)


def _prolongations(file: AgreementFile, place: Place, party: Party) -> Iterator[Finding]:
    life = file.agreement.life
    known = {one.through for one in life.prolonged}
    seen: set[date] = set()
    for index, own in enumerate(party.prolonged):
        here = (*place, "prolonged", index)
        if own.through not in known:
            words = f"{party.name}: `life.prolonged` has no prolongation through {own.through}"
            yield fault("prolonged", file, (*here, "through"), words)
        if own.through in seen:
            yield fault("prolonged", file, here, f"{party.name}: {own.through} is listed twice")
        seen.add(own.through)
    for prolonged, own_decision, binds in ends_of(life, party.prolonged):
        if own_decision and prolonged.each_decides and not binds:
            decided = f"decided on {own_decision.decided.on}, after the agreement had ended"
            index = party.prolonged.index(own_decision)
            words = f"{party.name}: {decided}; an agreement that has ended is not prolonged"
            yield fault("prolonged", file, (*place, "prolonged", index, "decided"), words)


def _undecided(file: AgreementFile) -> Iterator[Finding]:
    """Note who has not decided a prolongation that each party decides."""
    for index, prolonged in enumerate(file.agreement.life.prolonged):
        if prolonged.each_decides:
            adopted = [party for party in _parties(file) if party.adopted]
            missing = [
                party.code
                for party in adopted
                if prolonged.through not in {own.through for own in party.prolonged}
            ]
            if missing:
                words = f"no decision on the prolongation through {prolonged.through}: {', '.join(missing)}"
                yield note("prolonged", file, ("life", "prolonged", index), words)


def _ended_early(file: AgreementFile, party: Party | None, place: Place) -> Iterator[Finding]:
    early = party.ended_early if party else file.agreement.life.ended_early
    if early is None:
        return
    name = f"{party.name}: " if party else ""
    valid = file.agreement.life.valid
    if early.on < valid.from_:
        yield fault("ended-early", file, (*place, "on"), f"{name}{early.on} is before it began {valid.from_}")
    if early.decided > early.on:
        words = f"{name}decided on {early.decided}, after its last day {early.on}"
        yield fault("ended-early", file, (*place, "decided"), words)
    last = _last(file, party)
    if last and early.on >= last:
        words = f"{name}{early.on} is not before its stated last day {last}"
        yield fault("ended-early", file, (*place, "on"), words)


def _last(file: AgreementFile, party: Party | None) -> date | None:
    """Give the stated last day, for one party or for those that are bound longest."""
    life = file.agreement.life
    own = party.prolonged if party else [one for each in _parties(file) for one in each.prolonged]
    ends = [life.valid.through, *(one.through for one, _, binds in ends_of(life, own) if binds)]
    known = [end for end in ends if end]
    return max(known, default=None)


def _renegotiations(file: AgreementFile) -> Iterator[tuple[Place, Renegotiation]]:
    found = file.agreement.life.renegotiate
    if isinstance(found, Renegotiation):
        yield ("life", "renegotiate"), found
        return
    for index, renegotiation in enumerate(found):
        yield ("life", "renegotiate", index), renegotiation


def _renegotiation(
    file: AgreementFile, place: Place, renegotiation: Renegotiation, today: date
) -> Iterator[Finding]:
    if renegotiation.by < file.agreement.life.valid.from_:
        words = f"{renegotiation.by} is before the agreement began"
        yield fault("renegotiate", file, (*place, "by"), words)
    if renegotiation.from_ and renegotiation.from_ < renegotiation.by:
        words = f"{renegotiation.from_} is before the outcome was due, {renegotiation.by}"
        yield fault("renegotiate", file, (*place, "from"), words)
    if renegotiation.outcome is None and renegotiation.by < today:
        words = (
            f"to be renegotiated by {renegotiation.by}, and no `outcome` is written: {renegotiation.about}"
        )
        yield note("renegotiate", file, place, words)
