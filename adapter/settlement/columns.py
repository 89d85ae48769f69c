"""Many stays at once, a column for each thing that settlement asks of them.

Owns the columns. Does not own reading them from rows (`gathering`) nor counting (`counting`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import chain
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from adapter.agreements.terms import CareForm

#: The care forms by their number in the column.
FORMS = tuple(CareForm)
#: There is no such message: neither in time nor late.
MISSING = int(np.iinfo(np.int64).max)
#: Nobody has to call to SIP: fewer days than any limit.
NO_CALL_NEEDED = -1_000_000

Column = npt.NDArray[Any]


#: What the columns after the names are made of.
_KINDS = ("i2", "i1", "?", "i4", "i4", "i4", "i8", "i4", "i8", "i8", "i8", "?", "?", "i1", "?", "?", "?")


@dataclass(frozen=True, slots=True)
class Columns:
    """Stays, each in the same place of every column; days as `date.toordinal`, 0 for none.

    `liable` is the kommunkod as a number, `region` the länskod of the one that treats, 0 if unsaid. `sent`,
    `clock` (microseconds of the local day) and `home` are of the effective *utskrivningsklar*. `notice` is
    microseconds from admission to its notice, `notice_of_need` those from the judgement of need where that is
    later, `call` days from *utskrivningsklar* to the call to SIP; all may be `MISSING`, the call also
    `NO_CALL_NEEDED`.
    """

    names: list[str]
    liable: Column
    form: Column
    compulsory: Column
    admitted: Column
    end: Column
    sent: Column
    clock: Column
    home: Column
    notice: Column
    notice_of_need: Column
    call: Column
    available: Column
    opposed: Column
    region: Column
    protected: Column
    entered: Column
    moved: Column

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Put parts one after the other."""
        if len(parts) == 1:
            return parts[0]
        if not parts:
            return cls([], *(np.zeros(0, kind) for kind in _KINDS))
        names = list(chain.from_iterable(part.names for part in parts))
        rest = [one.name for one in fields(cls)[1:]]
        return cls(names, *(np.concatenate([getattr(part, name) for part in parts]) for name in rest))

    def of_form(self, form: CareForm) -> Self:
        """Keep the stays of one care form."""
        at = np.flatnonzero(self.form == FORMS.index(form))
        names = [self.names[place] for place in at.tolist()]
        rest = [one.name for one in fields(self)[1:]]
        return type(self)(names, *(getattr(self, name)[at] for name in rest))


def distinct(keys: Column) -> tuple[Column, Column]:
    """Give the different keys in order, and of each key its place among them; by a table if it can."""
    first = int(keys.min(initial=0))
    width = int(keys.max(initial=0)) - first + 1
    if width > max(8 * len(keys), _SMALL):
        found, which = np.unique(keys, return_inverse=True)
        return found, which
    there = np.zeros(width, np.bool_)
    there[keys - first] = True
    return np.flatnonzero(there) + first, (np.cumsum(there) - 1)[keys - first]


def sorted_places(keys: Column) -> Column:
    """Give the places of keys, which are 0 or more, in their order; numpy counts where keys are short."""
    return np.argsort(keys.astype(np.uint16) if keys.max(initial=0) <= _SHORT else keys, kind="stable")


_SMALL = 1_000_000
_SHORT = int(np.iinfo(np.uint16).max)
