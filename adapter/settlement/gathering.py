"""Rows of JSON gathered into columns, field by field: the way of a file that is good.

Owns the quick way from rows to columns. Rows that are not all plainly good are refused together; `plain` then
asks the reader (`stay`), who alone tells faults. Rows come few at a time, so that they are let go of while
they are still in the processor's cache; what is kept of them is short.
"""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Literal, NamedTuple

import msgspec
import numpy as np
from msgspec.structs import astuple

from adapter.settlement.columns import FORMS, MISSING, NO_CALL_NEEDED, Columns
from adapter.settlement.instant import Bools, Ints, instants
from adapter.settlement.stay import (
    UNKNOWN_MUNICIPALITY,
    Municipalities,
    Stay,
    read_county,
    read_municipality,
)

_FORMS: Mapping[str, int] = {form.value: number for number, form in enumerate(FORMS)}
#: Not clarified releases like false (LUS 5:5).
_AVAILABLE: Mapping[bool | None, bool] = {True: True, False: False, None: False}


class EpisodeRow(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """An episode as it is written; its fields are those of `Episode`."""

    sent_at: str
    withdrawn_at: str | None = None
    home_ready_at: str | None = None


class ResidenceRow(msgspec.Struct, forbid_unknown_fields=True, gc=False, rename={"since": "from"}):
    """Whose the person was from an instant on, as it is written; its fields are those of `Residence`."""

    since: str
    municipality: str
    placing_municipality: str | None = None


class Row(msgspec.Struct, forbid_unknown_fields=True, gc=False, kw_only=True):
    """A row as it is written, in the shape that a good one has; its fields are those of `Stay`."""

    stay: str
    municipality: str
    placing_municipality: str | None = None
    care_form: Literal["somatic", "psychiatric"]
    compulsory: bool
    admitted_at: str
    notice_sent_at: str | None = None
    ready: list[EpisodeRow]
    sip_required: bool
    sip_called_at: str | None = None
    open_care_available: bool | None = None
    opposed: bool
    ended_at: str | None = None
    need_assessed_at: str | None = None
    region: str | None = None
    protected: bool | None = None
    entered: bool | None = None
    municipalities: list[ResidenceRow] | None = None


class Codes(dict[str | None, int]):
    """Kommunkoder that are known to be such, as numbers; None, for no placement, is -1."""

    def __init__(self, known: Municipalities = None) -> None:
        super().__init__({None: -1})
        self._known = known

    def __missing__(self, code: str) -> int:
        """Check one that is new; ValueError."""
        read = read_municipality(code)
        if self._known is not None and read not in self._known:
            raise ValueError(UNKNOWN_MUNICIPALITY)
        self[code] = int(read)
        return self[code]


class Counties(dict[str | None, int]):
    """Länskoder that are known to be such, as numbers; None, for none that is said, is 0."""

    def __init__(self) -> None:
        super().__init__({None: 0})

    def __missing__(self, code: str) -> int:
        """Check one that is new; ValueError."""
        self[code] = int(read_county(code))
        return self[code]


_COUNTIES = Counties()


class _Moments(NamedTuple):
    """Instants of a column; 0 where none is given."""

    given: Bools
    utc: Ints
    day: Ints
    clock: Ints


class _Texts:
    """The texts of a column of instants."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.lengths = bytearray()
        self.given = bytearray()

    def add(self, texts: Sequence[str | None]) -> None:
        said = [text for text in texts if text is not None]
        if len(said) == len(texts):
            self.given += b"\x01" * len(texts)
        else:
            self.given += bytes([text is not None for text in texts])
        self.parts.append("".join(said))
        self.lengths += bytes(map(len, said))

    def read(self) -> _Moments:
        given = np.frombuffer(self.given, np.bool_)
        lengths = np.frombuffer(self.lengths, np.uint8)
        read = instants("".join(self.parts), lengths)
        if given.all():
            return _Moments(given, *read)
        columns = [np.zeros(len(given), np.int64) for _ in read]
        for column, numbers in zip(columns, read, strict=True):
            column[given] = numbers
        return _Moments(given, *columns)


class Gathering:
    """Takes rows, a few at a time; ValueError where one may not be good, of `add` or not before `columns`.

    `checked`: the reader has found them good.
    """

    def __init__(self, codes: Codes, *, checked: bool = False) -> None:
        self.codes, self.checked = codes, checked
        self.names: list[str] = []
        self.municipality, self.placing, self.episodes = array("h"), array("h"), array("l")
        self.form, self.region = bytearray(), bytearray()
        self.protected, self.entered, self.moved = bytearray(), bytearray(), bytearray()
        self.compulsory, self.required, self.available, self.opposed = (bytearray() for _ in range(4))
        self.admitted, self.notice, self.called, self.ended, self.need = (_Texts() for _ in range(5))
        self.sent, self.withdrawn, self.home = (_Texts() for _ in range(3))

    def add(self, rows: Iterable[Row]) -> None:
        """Take rows, at least one."""
        row = dict(zip(Stay._fields, zip(*map(astuple, rows), strict=True), strict=True))
        self.names += row["stay"]
        self.municipality.extend(map(self.codes.__getitem__, row["municipality"]))
        self.placing.extend(map(self.codes.__getitem__, row["placing_municipality"]))
        self.form += bytes(map(_FORMS.__getitem__, row["care_form"]))
        self.compulsory += bytes(row["compulsory"])
        self.required += bytes(row["sip_required"])
        self.available += bytes(map(_AVAILABLE.__getitem__, row["open_care_available"]))
        self.opposed += bytes(row["opposed"])
        self.region += bytes(map(_COUNTIES.__getitem__, row["region"]))
        self.protected += bytes(map(bool, row["protected"]))
        self.entered += bytes(map(bool, row["entered"]))
        self.moved += bytes(map(self._has_moved, row["municipalities"]))
        self.admitted.add(row["admitted_at"])
        self.notice.add(row["notice_sent_at"])
        self.called.add(row["sip_called_at"])
        self.ended.add(row["ended_at"])
        self.need.add(row["need_assessed_at"])
        self.episodes.extend(map(len, row["ready"]))
        if episodes := list(map(astuple, chain.from_iterable(row["ready"]))):
            sent, withdrawn, home = zip(*episodes, strict=True)
            self.sent.add(sent)
            self.withdrawn.add(withdrawn)
            self.home.add(home)

    def _has_moved(self, residences: list[ResidenceRow] | None) -> bool:
        """Whether more than one municipality was liable; ValueError where no reader has looked at them."""
        if residences is None:
            return False
        if not self.checked:
            raise ValueError("municipalities")
        return len({one.placing_municipality or one.municipality for one in residences}) > 1

    def columns(self) -> Columns:
        """Give all that was taken."""
        municipality, placing = (
            np.frombuffer(self.municipality, np.int16),
            np.frombuffer(self.placing, np.int16),
        )
        admitted, ended, notice = self.admitted.read(), self.ended.read(), self.notice.read()
        need = self.need.read()
        if "" in self.names or (ended.given & (ended.utc < admitted.utc)).any():
            raise ValueError("no text, or ends before it begins")
        sent, clock, home = self._effective(admitted, ended)
        return Columns(
            names=self.names,
            liable=np.where(placing < 0, municipality, placing),
            form=np.frombuffer(self.form, np.int8),
            compulsory=np.frombuffer(self.compulsory, np.bool_),
            admitted=admitted.day.astype(np.int32),
            end=ended.day.astype(np.int32),
            sent=sent.astype(np.int32),
            clock=clock,
            home=home.astype(np.int32),
            notice=np.where(notice.given, notice.utc - admitted.utc, MISSING),
            notice_of_need=np.where(
                notice.given,
                notice.utc - np.where(need.given, np.maximum(admitted.utc, need.utc), admitted.utc),
                MISSING,
            ),
            call=self._call(sent),
            available=np.frombuffer(self.available, np.bool_),
            opposed=np.frombuffer(self.opposed, np.bool_),
            region=np.frombuffer(self.region, np.int8),
            protected=np.frombuffer(self.protected, np.bool_),
            entered=np.frombuffer(self.entered, np.bool_),
            moved=np.frombuffer(self.moved, np.bool_),
        )

    def _effective(self, admitted: _Moments, ended: _Moments) -> tuple[Ints, Ints, Ints]:
        """Give day and clock of the last episode of each stay that stands, and its day of *hemgångsklar*."""
        sent, withdrawn, home = self.sent.read(), self.withdrawn.read(), self.home.read()
        of_stay = np.repeat(np.arange(len(self.names)), self.episodes)
        if (withdrawn.given & (withdrawn.utc < sent.utc)).any():
            raise ValueError("withdrawn before it was sent")
        if ((np.diff(sent.utc) < 0) & (np.diff(of_stay) == 0)).any():
            raise ValueError("not oldest first")
        standing = np.flatnonzero(~withdrawn.given)
        stay = of_stay[standing]
        late = (sent.utc[standing] > ended.utc[stay]) | (
            home.given[standing] & (home.utc[standing] > ended.utc[stay])
        )
        if ((sent.utc[standing] < admitted.utc[stay]) | (ended.given[stay] & late)).any():
            raise ValueError("sent before the admission, or after the end")
        last = standing[np.diff(of_stay[standing], append=-1) != 0]
        found = [np.zeros(len(self.names), np.int64) for _ in range(3)]
        for column, numbers in zip(found, (sent.day, sent.clock, home.day), strict=True):
            column[of_stay[last]] = numbers[last]
        return found[0], found[1], found[2]

    def _call(self, sent: Ints) -> Ints:
        called = self.called.read()
        required = np.frombuffer(self.required, np.bool_)
        waited = np.where(called.given, called.day - sent, MISSING)
        return np.where(required & (sent != 0), waited, NO_CALL_NEEDED)
