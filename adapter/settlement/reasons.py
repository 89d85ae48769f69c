"""Why an issued line is adjusted: the values of a reason, and its JSON.

Owns the kinds of settlement rules 8: `fact`, `municipality`, `gate`, `dispute`, `rate`; and `agreement`, for
what none of the five explains: terms that were changed, or another agreement in force. Does not own which
reason an adjustment has (`causes`) nor its words (`adapter.fhir.reason_words`).

A reason is shown to the municipality. So it holds times and codes of the stay alone, and never another
municipality: a municipality sees that it is liable, or no longer, and from when (contract 4).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Literal, NamedTuple, assert_never

from adapter.agreements.terms import Clause
from adapter.losus.days import Month
from adapter.settlement.gate import GateStatus
from adapter.settlement.holding import DisputeStatus
from adapter.settlement.render import clause_json


class FactChange(NamedTuple):
    """A field of a stay that changed: its value before and after, None where there was or is none.

    `field` is that of a stays file, an episode's as `ready.1.sent_at`; `stay` where the whole stay is new
    (`before` None) or no longer there (`after` None: voided, or not to be settled by rule).
    """

    stay: str
    field: str
    before: str | None
    after: str | None


class MeanChange(NamedTuple):
    """The mean of a month, exact (`10/3`): `before` None where the month was not settled yet.

    `no-data` in a month without any message, empty text in one without stays in the mean.
    """

    month: Month
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class FactReason:
    """Facts of the stay changed. `changes` is empty where it was not recorded what the line rested on."""

    changes: tuple[FactChange, ...]
    clauses: tuple[Clause, ...] = ()
    kind: Literal["fact"] = "fact"


@dataclass(frozen=True, slots=True)
class MunicipalityReason:
    """The municipality became liable for the stay, or no longer is.

    `how`: `moved` where the person moved during the stay, `corrected` where the municipality that was known
    was wrong. `since`: the first day of the new municipality; None where it is not known.
    """

    stay: str
    liable: bool
    how: Literal["moved", "corrected"]
    since: date | None
    clauses: tuple[Clause, ...] = ()
    kind: Literal["municipality"] = "municipality"


@dataclass(frozen=True, slots=True)
class GateReason:
    """The status of the month changed with the means of months: those that decided it, in order."""

    before: GateStatus
    after: GateStatus
    means: tuple[MeanChange, ...]
    clauses: tuple[Clause, ...] = ()
    kind: Literal["gate"] = "gate"


@dataclass(frozen=True, slots=True)
class DisputeReason:
    """The municipality disputes the line, took that back, or was answered: `words` are the region's."""

    dispute: str
    status: DisputeStatus
    words: str | None
    clauses: tuple[Clause, ...] = ()
    kind: Literal["dispute"] = "dispute"


@dataclass(frozen=True, slots=True)
class RateReason:
    """The amount per day of a year changed; SEK."""

    year: int
    before: Decimal
    after: Decimal
    clauses: tuple[Clause, ...] = ()
    kind: Literal["rate"] = "rate"


class TermChange(NamedTuple):
    """A term of the agreement that was changed: its value before and after, as text."""

    term: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class AgreementReason:
    """Another agreement settles the stay, or `terms` of the same one were changed.

    Where neither is so (`before` is `after`, and no terms), a later release counts otherwise by the same
    terms.
    """

    before: str
    after: str
    terms: tuple[TermChange, ...] = ()
    clauses: tuple[Clause, ...] = ()
    kind: Literal["agreement"] = "agreement"


AdjustmentReason = FactReason | MunicipalityReason | GateReason | DisputeReason | RateReason | AgreementReason

#: The order in which the reasons of one adjustment stand.
ORDER = ("fact", "municipality", "gate", "dispute", "rate", "agreement")

#: What the line rested on was not recorded: it was issued by an earlier release.
NOT_RECORDED = FactReason(())


def clauses_of(reasons: Iterable[AdjustmentReason]) -> tuple[Clause, ...]:
    """Give the clauses of reasons, each once, in order."""
    return tuple(dict.fromkeys(clause for reason in reasons for clause in reason.clauses))


class Part(NamedTuple):
    """One thing that changed, of whatever kind: what, and its value before and after.

    `stay` is set where the reason is of a stay; `note` holds the words of a decision, `since` a day.
    """

    what: str
    before: str | None
    after: str | None
    stay: str | None = None
    since: date | None = None
    note: str | None = None


def parts_of(reason: AdjustmentReason) -> tuple[Part, ...]:
    """Give a reason in parts of one shape, for tables and FHIR."""
    match reason:
        case FactReason():
            found = tuple(Part(one.field, one.before, one.after, one.stay) for one in reason.changes)
            return found or (Part("not-recorded", None, None),)
        case MunicipalityReason():
            was, is_now = ("not-liable", "liable") if reason.liable else ("liable", "not-liable")
            return (Part(reason.how, was, is_now, reason.stay, reason.since),)
        case GateReason():
            status = Part("status", reason.before.value, reason.after.value)
            return (status, *(Part(str(one.month), one.before, one.after) for one in reason.means))
        case DisputeReason():
            return (Part(reason.dispute, None, reason.status, note=reason.words),)
        case RateReason():
            return (Part(str(reason.year), f"{reason.before:f}", f"{reason.after:f}"),)
        case AgreementReason():
            terms = tuple(Part(*one) for one in reason.terms)
            return terms or (Part("agreement", reason.before, reason.after),)
        case _:  # pragma: no cover
            assert_never(reason)


def reason_json(reason: AdjustmentReason) -> dict[str, Any]:
    """Give the JSON of a reason: its kind, its parts and its clauses."""
    return {
        "reason": reason.kind,
        "changes": [
            {
                "what": part.what,
                "before": part.before,
                "after": part.after,
                **({} if part.stay is None else {"stay": part.stay}),
                **({} if part.since is None else {"since": part.since.isoformat()}),
                **({} if part.note is None else {"words": part.note}),
            }
            for part in parts_of(reason)
        ],
        "clauses": [clause_json(clause) for clause in reason.clauses],
    }
