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
from adapter.losus.days import local_day
from adapter.settlement.claim import documents_of, legacy
from adapter.settlement.difference import Adjustment, Document, DocumentKind, Issued
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
    """A statement, `issued` or a draft; `at` is the time of issue, or when the draft was made.

    `claim` is the statement as it is issued or would be: with its adjustments and documents.
    """

    claim: Issued
    at: datetime
    issued: bool
    edition: Edition

    @classmethod
    def of(cls, told: Tellable, edition: Edition) -> "Sheet":
        """Take an issued statement with its adjustments, or one that is not issued as a draft of today's."""
        if isinstance(told, Issued):
            return cls(told, told.issued_at, issued=True, edition=edition)
        draft = told.of if isinstance(told, Draft) else Issued(statement_id(told), edition.made_at, told, ())
        return cls(draft, edition.made_at, issued=False, edition=edition)

    @property
    def statement(self) -> Statement:
        """The statement itself."""
        return self.claim.statement

    @property
    def id(self) -> str:
        """The statement's id."""
        return self.claim.id

    @property
    def adjustments(self) -> Sequence[Adjustment]:
        """The corrections of earlier statements."""
        return self.claim.adjustments

    @property
    def measures(self) -> Sequence[Remeasured]:
        """The measures of earlier months that are issued again with it."""
        return self.claim.measures

    @cached_property
    def documents(self) -> Sequence[Document]:
        """The invoice and the credit notes; of a draft those that it would have, without numbers."""
        if self.claim.documents is not None:
            return self.claim.documents
        if self.issued:
            return legacy(self.claim)
        return documents_of(self.claim, (), self.edition.invoicing, local_day(self.at))

    @property
    def is_legacy(self) -> bool:
        """Whether it was issued before documents had numbers: its credits stand negative on its invoice."""
        return any(one.kind is DocumentKind.LEGACY for one in self.documents)

    @property
    def is_unbilled(self) -> bool:
        """Whether nothing of it stands on any document."""
        return not self.documents

    def again(self, one: Remeasured) -> "Sheet":
        """Give the sheet of an earlier month's measure that is issued again with this statement."""
        earlier = Issued(one.corrects, self.at, one.statement, ())
        return Sheet(earlier, self.at, issued=self.issued, edition=self.edition)

    def name(self, kind: str, *parts: str) -> str:
        """Give the id of one of the statement's resources."""
        return uuid_of(kind, self.id, *parts)

    @cached_property
    def due(self) -> Decimal:
        """SEK to be invoiced, adjustments included."""
        return self.statement.due + sum((one.amount for one in self.adjustments), Decimal())

    @property
    def headline(self) -> tuple[str, str]:
        """Name municipality, care form and month, in Swedish and in English."""
        statement = self.statement
        municipality = self.edition.municipalities.get(statement.municipality, statement.municipality)
        swedish, english = CARE_FORMS[statement.care_form]
        return f"{municipality}, {swedish.lower()}, {statement.month}", (
            f"{municipality}, {english.lower()}, {statement.month}"
        )
