"""Limits of time that a new picture of a case has as missed and the one before had not, counted.

Owns the counting; does not own what a limit is (`losus.deadlines`). Counted when it is decided: a
transaction that the database takes back and that is done again counts twice.
"""

from adapter.losus.deadlines import DeadlineStatus
from adapter.losus.picture import CasePicture
from adapter.watch import DEADLINES_MISSED

#: Of a case that nothing says the municipality of.
UNKNOWN = "unknown"


def note_missed(before: bytes | None, picture: CasePicture, municipality: str | None) -> None:
    """Count the limits that are missed in `picture` and were not in `before` (JSON; None: there was none)."""
    missed = _missed(picture)
    if missed and before is not None:  # read only where it matters: hardly ever
        missed -= _missed(CasePicture.model_validate_json(before))
    for name in sorted(missed):
        DEADLINES_MISSED.labels(name, municipality or UNKNOWN).inc()


def _missed(picture: CasePicture) -> set[str]:
    return {one.name.value for one in picture.deadlines if one.status is DeadlineStatus.MISSED}
