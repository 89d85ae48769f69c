"""Rows of a stays file that are plainly good, read without making a `Stay` of each.

Owns the quick way through a file. Rows of which one is not plainly good in every field are read a few at a
time, and at last by the reader (`stay`), which alone tells faults; so a fault costs time and never its line.
Does not own the columns (`columns`) nor counting (`ledger`).
"""

from collections.abc import Iterable, Iterator
from io import BytesIO
from itertools import islice

import msgspec

from adapter.settlement.columns import Columns
from adapter.settlement.gathering import Codes, Gathering, Row
from adapter.settlement.stay import BadRow, Municipalities, Stay, read_line, row_of

#: Rows that are in hand at once: few enough to stay in the processor's cache.
_IN_HAND = 128
#: Rows that are tried again together where one of many may not be good.
_AGAIN = 256
_DECODER = msgspec.json.Decoder(Row)


class PlainReader:
    """Reads one JSON object a line; `lines` counts them, `bad` keeps the faults, as `read_ndjson` tells them.

    `seen` holds the ids of the lines before, `known` the municipalities that there are.
    """

    def __init__(self, seen: set[str] | None = None, lines: int = 0, known: Municipalities = None) -> None:
        self.seen: set[str] = set() if seen is None else seen
        self.lines = lines
        self.bad: list[BadRow] = []
        self._known = known
        self._codes = Codes(known)

    def read(self, texts: Iterable[bytes]) -> Iterator[Columns]:
        """Read on, in the order of the lines; a text is a good many of them, each whole."""
        for text in texts:
            if columns := self._at_once(text):
                yield columns
                continue
            lines = BytesIO(text)
            while few := list(islice(lines, _AGAIN)):
                yield from [columns] if (columns := self._at_once(b"".join(few))) else self._one_by_one(few)

    def _at_once(self, text: bytes) -> Columns | None:
        """Read lines that are all good; None where one may not be."""
        gathering, lines = Gathering(self._codes), BytesIO(text)
        try:
            while some := list(islice(lines, _IN_HAND)):
                gathering.add(map(_DECODER.decode, some))
            columns = gathering.columns()
        except (msgspec.DecodeError, ValueError):
            return None
        names = set(columns.names)
        if len(names) < len(columns.names) or not self.seen.isdisjoint(names):
            return None
        self.seen |= names
        self.lines += len(columns.names)
        return columns

    def _one_by_one(self, lines: Iterable[bytes]) -> Iterator[Columns]:
        """Read lines of which one may not be good."""
        rows: list[Stay | BadRow] = []
        for line in lines:
            self.lines += 1
            rows += read_line(self.lines, line, self.seen, self._known)
        return columns_of_rows(rows, self.bad)


def columns_of_rows(rows: Iterable[Stay | BadRow], bad: list[BadRow]) -> Iterator[Columns]:
    """Take what the reader gave, in its order; faults are added to `bad`."""
    codes, good = Codes(), _good(rows, bad)
    while some := list(islice(good, _IN_HAND)):
        gathering = Gathering(codes, checked=True)
        gathering.add([msgspec.convert(row_of(stay), Row) for stay in some])
        yield gathering.columns()


def _good(rows: Iterable[Stay | BadRow], bad: list[BadRow]) -> Iterator[Stay]:
    for row in rows:
        if isinstance(row, Stay):
            yield row
        else:
            bad.append(row)
