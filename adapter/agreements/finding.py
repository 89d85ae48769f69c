"""One thing that `losus agreements check` finds."""

from dataclasses import dataclass
from typing import Literal

from adapter.agreements.agreement import AgreementFile
from adapter.marks import Place


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found. A `fault` must be mended; a `note` is to be known."""

    severity: Literal["fault", "note"]
    rule: str
    where: str
    words: str


def fault(rule: str, file: AgreementFile, place: Place, words: str) -> Finding:
    """Give a fault at a place of a file."""
    return Finding("fault", rule, file.where(place), words)


def note(rule: str, file: AgreementFile, place: Place, words: str) -> Finding:
    """Give a note on a place of a file."""
    return Finding("note", rule, file.where(place), words)
