"""`losus audit sample`: readings drawn at random, for a person to check (HSLF-FS 2016:40 4:9; PDL 4:3).

Owns the drawing and what is printed. That it was drawn, by whom and with which seed, is an entry of the audit
itself (`acts`), so that the check is documented, and the same seed draws the same sample again.
"""

import random
from collections.abc import AsyncIterator

from adapter.losus.instants import instant_text
from adapter.store.audit import Kept

COLUMNS = ("row", "when", "who", "did", "what", "allowed by", "municipality")

#: What a person looked at, or tried to: of callers, not of what works by itself.
_LOOKED_AT = frozenset({"read", "search"})


async def draw(entries: AsyncIterator[Kept], count: int, chance: random.Random) -> list[Kept]:
    """So many of the readings, each as likely as any other, in their order; all where there are fewer.

    One pass, and no more held than is drawn (Algorithm R of Vitter, 1985).
    """
    drawn: list[Kept] = []
    seen = 0
    async for one in entries:
        if one.entry.action.partition(":")[0] not in _LOOKED_AT:
            continue
        if seen < count:
            drawn.append(one)
        elif (place := chance.randrange(seen + 1)) < count:
            drawn[place] = one
        seen += 1
    return sorted(drawn, key=lambda one: one.number)


def row_of(one: Kept) -> tuple[str, ...]:
    """A reading as a row for people, as `COLUMNS` names it."""
    entry = one.entry
    town = entry.municipality or ""
    at = instant_text(entry.at)
    return (str(one.number), at, entry.who, entry.action, ", ".join(entry.what), entry.why, town)
