"""One statement as it is to be told: with its id, its time, and whether it is issued.

Owns what is the same for all resources of a statement. Does not own the resources (`measure_report`,
`invoice`, `charge`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property

from adapter.fhir.elements import Edition, uuid_of
from adapter.fhir.vocabulary import CARE_FORMS
from adapter.settlement.difference import Adjustment, Issued
from adapter.settlement.remeasured import Remeasured
from adapter.settlement.render import dumps, statement_json
from adapter.settlement.statement import Statement


def statement_id(statement: Statement) -> str:
    """Give the id of a statement by what it says: a UUID, the same for the same facts.

    To be given to `settlement.difference.issue` as `name`.
    """
    return uuid_of("Statement", dumps(statement_json(statement)).decode())


@dataclass(frozen=True, slots=True)
class Draft:
    """What would be issued, with the corrections of earlier statements that it would carry."""

    of: Issued


#: What can be told as FHIR: a draft without corrections, one with them, or what was issued.
Tellable = Statement | Draft | Issued


@dataclass(frozen=True)
class Sheet:
    """A statement, `issued` or a draft; `at` is the time of issue, or when the draft was made."""

    statement: Statement
    id: str
    at: datetime
    issued: bool
    adjustments: Sequence[Adjustment]
    edition: Edition
    measures: Sequence[Remeasured] = ()

    @classmethod
    def of(cls, told: Tellable, edition: Edition) -> "Sheet":
        """Take an issued statement with its adjustments, or one that is not issued as a draft of today's."""
        if isinstance(told, Draft):
            one = told.of
            return cls(
                one.statement,
                one.id,
                edition.made_at,
                issued=False,
                adjustments=one.adjustments,
                edition=edition,
                measures=one.measures,
            )
        if isinstance(told, Issued):
            return cls(
                told.statement,
                told.id,
                told.issued_at,
                issued=True,
                adjustments=told.adjustments,
                edition=edition,
                measures=told.measures,
            )
        return cls(told, statement_id(told), edition.made_at, issued=False, adjustments=(), edition=edition)

    def again(self, one: Remeasured) -> "Sheet":
        """Give the sheet of an earlier month's measure that is issued again with this statement."""
        return Sheet(
            one.statement, one.corrects, self.at, issued=self.issued, adjustments=(), edition=self.edition
        )

    def name(self, kind: str, *parts: str) -> str:
        """Give the id of one of the statement's resources."""
        return uuid_of(kind, self.id, *parts)

    @cached_property
    def due(self) -> Decimal:
        """SEK to be invoiced, adjustments included."""
        return self.statement.due + sum((one.amount for one in self.adjustments), Decimal())

    @property
    def invoiced(self) -> bool:
        """Whether there is an Invoice: where something is charged or corrected, or the agreement wants zeros.

        Never while the billing is suspended or a rate is missing.
        """
        statement = self.statement
        if statement.suspended or statement.no_rate:
            return False
        return bool(statement.lines or self.adjustments) or statement.mean.terms.zero_invoice

    @property
    def headline(self) -> tuple[str, str]:
        """Name municipality, care form and month, in Swedish and in English."""
        statement = self.statement
        municipality = self.edition.municipalities.get(statement.municipality, statement.municipality)
        swedish, english = CARE_FORMS[statement.care_form]
        return f"{municipality}, {swedish.lower()}, {statement.month}", (
            f"{municipality}, {english.lower()}, {statement.month}"
        )
