"""Streams of the region's open care beside those of municipalities: names, and which of them has a case.

Owns what tells the two kinds of stream apart, and how `cases.revisions` records who has a case. Does not own
the events (`events`) nor the topics (`topics`). Pure.

A stream is named by its subscriber: a kommunkod, or `region.<unit>` for a unit of open care (contract 4). A
case has at most one stream of either kind at a time. `revisions` holds the last revision by stream; of each
kind the key that stands last has the case. `NOBODY` stands for no unit, with a value: `LEFT`, or `STALE`
where the unit before it is known to have had the case, but not what it was sent last.
"""

from collections.abc import Mapping

OPEN_CARE = "region."
NOBODY = OPEN_CARE
LEFT, STALE = 0, 1


def is_open_care(stream: str) -> bool:
    """Whether a stream is that of a unit of the region's open care."""
    return stream.startswith(OPEN_CARE)


def municipality_of(revisions: Mapping[str, int]) -> str | None:
    """Return the municipality that has the case ("" for the unrouted); None before its first event."""
    return next((key for key in reversed([*revisions]) if not is_open_care(key)), None)


def unit_of(revisions: Mapping[str, int]) -> tuple[str | None, bool]:
    """Return the unit's stream that has the case, None where none has, and whether it is stale."""
    units = [key for key in revisions if is_open_care(key)]
    if not units or (units[-1] == NOBODY and revisions[NOBODY] == LEFT):
        return None, False
    if units[-1] == NOBODY:
        return (units[-2] if len(units) > 1 else None), True
    return units[-1], False


def with_unit(revisions: Mapping[str, int], unit: str, revision: int) -> dict[str, int]:
    """Return the revisions once that unit (or `NOBODY`) has the case."""
    others = {key: value for key, value in revisions.items() if key not in (unit, NOBODY)}
    return {**others, unit: revision}
