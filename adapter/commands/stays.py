"""The opening of a file of stays: its rows, its faults, and the months that it is settled for.

Owns what is told of bad rows and of files that cannot be read. Does not own what a row is
(`adapter.settlement.stay`).
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import typer

from adapter.commands import beside
from adapter.commands.output import err
from adapter.losus.days import Month, months
from adapter.settlement.columns import Columns
from adapter.settlement.ledger import months_of
from adapter.settlement.plain import columns_of_rows
from adapter.settlement.stay import BadRow, Municipalities, Stay, read_csv, read_ndjson


class BadRowsError(Exception):
    """Rows have faults, all of which are listed."""

    def __init__(self, rows: Sequence[BadRow]) -> None:
        super().__init__(f"{len(rows)} faults")
        self.rows = rows


@contextmanager
def opened(path: Path, known: Municipalities, *, skip_bad: bool) -> Iterator[Iterable[Stay]]:
    """Give the stays of a file as they are read; BadRowsError at its end, where rows are bad.

    `known`: the municipalities that there are; a row of another is bad.
    With `skip_bad` they are told of on standard error instead.
    """
    with _readable():
        if path.suffix.lower() == ".csv":
            with path.open(encoding="utf-8-sig", newline="") as text:
                yield _good(read_csv(text, known), skip_bad=skip_bad)
        else:
            with path.open("rb") as lines:
                yield _good(read_ndjson(lines, known), skip_bad=skip_bad)


def read_stays(
    path: Path, first: str | None, last: str | None, known: Municipalities, *, skip_bad: bool
) -> tuple[Sequence[Month], Columns]:
    """Read a file once; give the months from `--from` to `--to`, both included, and the stays.

    A month that is not said is looked up in the stays; there are none where none is said and none has
    ended. BadRowsError as in `opened`.
    """
    _in_order(_month("--from", first), _month("--to", last))
    with _readable():
        found, bad = _columns(path, known)
    _tell(bad, skip_bad=skip_bad)
    stays = Columns.joined(found)
    return months_between(stays, first, last), stays


def months_between(stays: Columns, first: str | None, last: str | None) -> Sequence[Month]:
    """Give the months from `first` to `last`, both included; a missing one is looked up in the stays."""
    start, end = _month("--from", first), _month("--to", last)
    if start is None or end is None:
        seen = months_of(stays)
        start, end = start or min(seen, default=None), end or max(seen, default=None)
    _in_order(start, end)
    return () if start is None or end is None else tuple(months(start, end.plus(1)))


def _columns(path: Path, known: Municipalities) -> tuple[list[Columns], list[BadRow]]:
    if path.suffix.lower() != ".csv":
        return beside.read_file(path, known)
    bad: list[BadRow] = []
    with path.open(encoding="utf-8-sig", newline="") as text, beside.without_collector():
        return list(columns_of_rows(read_csv(text, known), bad)), bad


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except OSError as fault:
        raise typer.BadParameter(f"cannot be read: {fault.strerror}", param_hint="--stays") from None
    except UnicodeDecodeError:
        raise typer.BadParameter("is not UTF-8 text", param_hint="--stays") from None


def _good(rows: Iterable[Stay | BadRow], *, skip_bad: bool) -> Iterator[Stay]:
    bad: list[BadRow] = []
    for row in rows:
        if isinstance(row, Stay):
            yield row
        else:
            bad.append(row)
    _tell(bad, skip_bad=skip_bad)


def _tell(bad: Sequence[BadRow], *, skip_bad: bool) -> None:
    if bad and not skip_bad:
        raise BadRowsError(bad)
    for row in bad:
        err.print(f"losus: skipped {row}")


def _month(option: str, text: str | None) -> Month | None:
    try:
        return None if text is None else Month.parse(text)
    except ValueError as fault:
        raise typer.BadParameter(str(fault), param_hint=option) from None


def _in_order(start: Month | None, end: Month | None) -> None:
    if start and end and end < start:
        raise typer.BadParameter("is before --from", param_hint="--to")
