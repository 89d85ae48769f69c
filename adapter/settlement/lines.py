"""The JSON of lines and of exclusions, written once for all stays that are alike.

Owns the text. Does not own its shape: `render.line_json` is asked for a line with marks where the days stand,
and the marks are filled in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Generic, NamedTuple, TypeVar

import numpy as np

from adapter.settlement.columns import Column, distinct
from adapter.settlement.measure import Reason
from adapter.settlement.priced import Priced
from adapter.settlement.render import dumps, line_json
from adapter.settlement.statement import Line

_HEAD = b'{"stay":""'
T = TypeVar("T")


class Why(NamedTuple):
    """Why a stay is in no mean or on no bill: the reason that counts, and all as JSON after its id."""

    counted_by: str
    json: bytes

    @classmethod
    def of(cls, *reasons: Reason) -> "Why":
        """Tell the reasons, the first of which counts."""
        return cls(reasons[0].value, b',"reasons":' + dumps(reasons) + b"}")


OPEN = Why.of(Reason.OPEN)


class Listed(Generic[T]):
    """Stays by group: the id of each, and the number of what is to be said of it."""

    def __init__(self, names: list[str], texts: Sequence[T], numbers: list[int], starts: list[int]) -> None:
        self._names, self._texts, self._numbers, self._starts = names, texts, numbers, starts

    def of(self, group: int | None) -> list[tuple[str, T]]:
        """Give ids and texts of a group, by id."""
        if group is None:
            return []
        span, texts = slice(self._starts[group], self._starts[group + 1]), self._texts
        ids = sorted(zip(self._names[span], self._numbers[span], strict=True))
        return [(name, texts[number]) for name, number in ids]


def _listed(priced: Priced, rows: Column, texts: Sequence[T], numbers: Column) -> Listed[T]:
    """List stays by their rows in the ledger."""
    names, at = priced.ledger.stays.names, priced.ledger.at[rows].tolist()
    starts = np.searchsorted(rows, priced.ledger.starts).tolist()
    return Listed([names[one] for one in at], texts, numbers.tolist(), starts)


def billed(priced: Priced, modes: Column) -> Listed[bytes]:
    """List the stays that have a line, with its JSON after the id; `modes` as in `Priced.of_lines`."""
    places = priced.of_lines(modes)
    rows, alike = priced.rows[places], priced.alike[places].astype(np.int64)
    days, day = distinct(priced.ledger.ends[rows].astype(np.int64))
    keys, number = distinct(alike * max(1, len(days)) + day)
    templates: dict[int, _Template] = {}
    texts = []
    for which, end in (divmod(key, len(days)) for key in keys.tolist()):
        line = priced.line(which)
        if which not in templates and line is not None:
            templates[which] = _Template(line)
        texts.append(templates[which].on(int(days[end])))
    return _listed(priced, rows, texts, number)


def left_out(priced: Priced) -> Listed[Why]:
    """List the stays that are in no mean or on no bill, with every reason."""
    rows = np.flatnonzero(~priced.clean)
    reasons = [(kind.out,) if kind.out else kind.released for kind in priced.kinds]
    why = [Why.of(*some) if some else OPEN for some in reasons]  # where there is none, none is listed
    return _listed(priced, rows, why, priced.ledger.kind[rows])


class _Day(date):
    """A day whose text is a mark."""

    text: str

    @classmethod
    def marked(cls, text: str) -> "_Day":
        """Make a mark."""
        made = cls(1, 1, 1)
        made.text = text
        return made

    def isoformat(self) -> str:
        """Give the mark."""
        return self.text

    __str__ = isoformat


_MARKS = {name: _Day.marked(f"<{name}>") for name in ("zero", "end", "first", "last")}


class _Template:
    """The JSON of a line after its id, with the days left open."""

    def __init__(self, line: Line) -> None:
        if line.zero is None or line.end is None or line.span is None:
            raise TypeError("the line of no stay")
        self.days: Mapping[str, timedelta] = {
            "zero": line.zero - line.end,
            "end": timedelta(),
            "first": line.span[0] - line.end,
            "last": line.span[1] - line.end,
        }
        charges = [replace(one) for one in line.charges]
        charges[0] = replace(charges[0], first_day=_MARKS["first"])
        charges[-1] = replace(charges[-1], last_day=_MARKS["last"])
        marked = replace(line, zero=_MARKS["zero"], end=_MARKS["end"], charges=tuple(charges))
        told = line_json(marked)
        told["reasons"] = [*marked.reasons[:-1], line.reasons[-1]]  # the last is not of these days
        told["clauses"] = line_json(line)["clauses"]
        text = dumps(told)[len(_HEAD) :].decode().replace("%", "%%")
        for name in self.days:
            text = text.replace(f"<{name}>", f"%({name})s")
        self.text = text

    def on(self, end: int) -> bytes:
        """Give the text for a stay that ended on a day."""
        last = date.fromordinal(end)
        return (self.text % {name: (last + days).isoformat() for name, days in self.days.items()}).encode()
