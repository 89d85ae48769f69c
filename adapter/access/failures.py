"""Failed attempts, gathered until they are written to the audit: one entry for many of a kind.

Owns the gathering, so that guessing fills neither table nor disk. Does not own the audit (`store.audit`).
"""

from dataclasses import dataclass
from datetime import datetime

from adapter.access.caller import Reason
from adapter.store.audit import Entry

#: How many kinds of failures are told apart between two writings; the rest is counted as one.
MOST_KINDS = 500
_SEVERAL = "several"


@dataclass(frozen=True, slots=True)
class Attempt:
    """What is told apart: whose address, who it was or said to be, at which door, why it was refused.

    `who` is a source or person that is known, or `unknown`; `door` the route's own words, no value in it.
    """

    address: str
    who: str
    door: str
    reason: Reason


class Failures:
    """Counts by attempt, and when each kind came first."""

    def __init__(self) -> None:
        self._counts: dict[Attempt, tuple[datetime, int]] = {}

    def note(self, attempt: Attempt, now: datetime) -> bool:
        """Count one; True where it is the first of its kind since the last taking."""
        if attempt not in self._counts and len(self._counts) >= MOST_KINDS:
            attempt = Attempt(_SEVERAL, _SEVERAL, _SEVERAL, attempt.reason)
        first, count = self._counts.get(attempt, (now, 0))
        self._counts[attempt] = (first, count + 1)
        return count == 0

    def take(self) -> list[Entry]:
        """All that was counted, as entries of the audit, the first of a kind first; begins anew."""
        counts, self._counts = self._counts, {}
        return [
            Entry(
                at=first,
                kind="attempt",
                who=one.who,
                action="login" if one.reason not in _KNOWN else "refused",
                what=(f"door/{one.door}",),
                outcome="refused",
                why=one.reason.value,
                address=one.address,
                count=count,
            )
            for one, (first, count) in counts.items()
        ]

    def put_back(self, entries: list[Entry]) -> None:
        """Keep what could not be written, for the next writing; no more than the bound allows."""
        for entry in entries:
            one = Attempt(entry.address, entry.who, entry.what[0].removeprefix("door/"), Reason(entry.why))
            if one in self._counts or len(self._counts) < MOST_KINDS:
                _, count = self._counts.get(one, (entry.at, 0))
                self._counts[one] = (entry.at, count + entry.count)


#: Refused although the caller was known.
_KNOWN = frozenset({Reason.OTHER_SOURCE, Reason.SCOPE, Reason.ROLE})
