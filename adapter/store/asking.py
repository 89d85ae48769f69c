"""Who asks for what is done: an operator at a command, for the audit and for what is delivered at its wish.

Owns the shape, and where it is known within a command. Does not own how a person is known (`commands.acts`).
"""

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Asking:
    """`entry` is the number of the audit's entry that says it; `kind`, `who` and `why` are as there."""

    entry: int
    kind: str
    who: str
    why: str


#: Set while a command works; None: nobody asked, the adapter does it of its own.
ASKING: ContextVar[Asking | None] = ContextVar("ASKING", default=None)
