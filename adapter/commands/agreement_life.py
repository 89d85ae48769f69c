"""The life cycle of an agreement as JSON and as lines of text, for `losus agreements list` and `show`.

Owns what is printed of it. Does not own which days an agreement binds whom (`adapter.agreements.in_force`).
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

from adapter.agreements.agreement import Agreement, Party
from adapter.agreements.groups import Cited, Frozen
from adapter.agreements.in_force import Agreements, span_of
from adapter.agreements.life import Decision, EndedEarly, Life, Renegotiation

_DAY = timedelta(days=1)
_STEPS = ("proposed", "recommended", "decided")


def life_json(agreements: Agreements, agreement: Agreement) -> dict[str, Any]:
    """Give the life cycle of an agreement with the days on which each party is bound."""
    life = agreement.life
    return {
        "agreement": agreement.id,
        "title": agreement.title,
        "kind": agreement.kind.value,
        "status": agreement.status.value.value,
        "valid": {"from": life.valid.from_.isoformat(), "through": _iso(life.valid.through)},
        **{name: list(map(_plain, getattr(life, name))) for name in _STEPS},
        "prolonged": list(map(_plain, life.prolonged)),
        "ended_early": _plain(life.ended_early) if life.ended_early else None,
        "renegotiate": list(map(_plain, life.renegotiations)),
        "superseded_by": life.superseded_by,
        "in_step_with": list(life.in_step_with),
        "parties": [_party_json(agreements, agreement, party) for party in parties_of(agreement)],
    }


def parties_of(agreement: Agreement) -> Sequence[Party]:
    """Give the parties by name; none where all municipalities are bound."""
    parties = agreement.parties.municipalities
    return () if parties == "all" else parties


def life_lines(agreements: Agreements, agreement: Agreement, *, parties: bool = True) -> Iterator[str]:
    """Give the life cycle in lines: decisions, days, and each party with what it decided itself."""
    life = agreement.life
    yield f"{agreement.id}: {agreement.title}"
    yield f"  {agreement.kind.value}, {agreement.status.value.value}"
    yield from _step_lines(life, "  ")
    yield f"  valid from {life.valid.from_} {_until(life)}"
    for one in life.prolonged:
        each = ", binding who decided so itself" if one.each_decides else ""
        yield f"  prolonged through {one.through}{each}{_on(agreement, one)}"
    if life.ended_early:
        yield f"  {_early(life.ended_early)}{_on(agreement, life.ended_early)}"
    for renegotiation in life.renegotiations:
        yield f"  {_renegotiation(renegotiation)}"
    if life.superseded_by:
        yield f"  superseded by {life.superseded_by}"
    for party in parties_of(agreement) if parties else ():
        yield from _party_lines(agreements, agreement, party)


def _step_lines(holder: Life | Party, indent: str) -> Iterator[str]:
    for name in _STEPS:
        decisions: Sequence[Decision] = getattr(holder, name)
        for one in decisions:
            binds = "" if getattr(one, "binds", True) else " (binds nobody)"
            yield f"{indent}{name} {one.on} by {one.by}{binds}: {one.what}"


def _party_lines(agreements: Agreements, agreement: Agreement, party: Party) -> Iterator[str]:
    span = span_of(agreements, agreement, party.code)
    if span is None or span.start is None:
        yield f"  {party.code} {party.name}: not bound, it has not adopted the agreement"
    else:
        through = f"through {span.end - _DAY}" if span.end else "until further notice"
        yield f"  {party.code} {party.name}: bound from {span.start} {through}{_on(agreement, party)}"
    yield from _step_lines(party, "    ")
    for own in party.prolonged:
        yield f"    prolonged through {own.through}: decided {own.decided.on} by {own.decided.by}"
    if party.ended_early:
        yield f"    {_early(party.ended_early)}"


def _until(life: Life) -> str:
    return f"through {life.valid.through}" if life.valid.through else "until further notice"


def _early(early: EndedEarly) -> str:
    return f"ended early, {early.on} the last day: decided {early.decided} by {early.by}"


def _renegotiation(one: Renegotiation) -> str:
    outcome = f"{one.outcome.on} by {one.outcome.by}: {one.outcome.what}" if one.outcome else "not known"
    return f"to be renegotiated by {one.by}, for {one.starts} and on ({one.about}); outcome: {outcome}"


def _on(agreement: Agreement, cited: Cited) -> str:
    """Name the assumption that a date rests on."""
    if cited.assumption is None:
        return ""
    return f" (assumption {cited.assumption}: {agreement.assumptions[cited.assumption].what})"


def _party_json(agreements: Agreements, agreement: Agreement, party: Party) -> dict[str, Any]:
    span = span_of(agreements, agreement, party.code)
    start, end = (span.start, span.end) if span else (None, None)
    return {
        "code": party.code,
        "name": party.name,
        "adopted": _iso(party.adopted),
        **{name: list(map(_plain, getattr(party, name))) for name in _STEPS},
        "prolonged": list(map(_plain, party.prolonged)),
        "ended_early": _plain(party.ended_early) if party.ended_early else None,
        "bound": {"from": _iso(start), "through": _iso(end - _DAY if start and end else None)},
    }


def _plain(value: Frozen) -> dict[str, Any]:
    return value.model_dump(mode="json", by_alias=True, exclude={"checked"})


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
