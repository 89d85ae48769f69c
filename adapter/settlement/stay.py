"""A stay, the part of a case that settlement reads, and its row in a stays file.

Owns the fields, their types and the faults of a row; each fault has line, field and rule, and never the
value. Does not own opening files (`adapter.commands`) nor what a stay costs.
"""

import csv
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, NamedTuple

import orjson

from adapter.agreements.terms import CareForm
from adapter.losus.moments import END_YEAR, FIRST_YEAR


class Episode(NamedTuple):
    """One *utskrivningsklar*: when its notice was sent, taken back, and when *hemgångsklar* was reached.

    None: not taken back; not (yet) hemgångsklar.
    """

    sent_at: datetime
    withdrawn_at: datetime | None
    home_ready_at: datetime | None


class Residence(NamedTuple):
    """Whose the person was from an instant on: registered in `municipality`, or placed by another."""

    since: datetime
    municipality: str
    placing_municipality: str | None

    @property
    def liable(self) -> str:
        """The municipality that is liable for a stay that ends then."""
        return self.placing_municipality or self.municipality


class Stay(NamedTuple):
    """A stay in closed care; instants are aware, None means that it has not happened.

    `placing_municipality` overrides `municipality` (LUS 5:2). `open_care_available` None is «not
    clarified», which releases like False (LUS 5:5). `ended_at` None: still in. `need_assessed_at`: when the
    need was judged, from which the hours of the notice may run (LUS 2:3). `region`: länskod of the treating
    region; None: not said. `protected`: the person's identity is. `entered`: people entered the municipality.
    `municipalities`: whose the person was in the course of the stay, oldest first; may be empty.
    """

    stay: str
    municipality: str
    placing_municipality: str | None
    care_form: CareForm
    compulsory: bool
    admitted_at: datetime
    notice_sent_at: datetime | None
    ready: tuple[Episode, ...]
    sip_required: bool
    sip_called_at: datetime | None
    open_care_available: bool | None
    opposed: bool
    ended_at: datetime | None
    need_assessed_at: datetime | None = None
    region: str | None = None
    protected: bool = False
    entered: bool = False
    municipalities: tuple[Residence, ...] = ()

    @property
    def moved(self) -> bool:
        """Whether more than one municipality would be liable, by the time in the stay."""
        return len({one.liable for one in self.municipalities}) > 1

    @property
    def liable(self) -> str:
        """The municipality that is liable: the one that placed the person, or that of folkbokföring."""
        return self.placing_municipality or self.municipality


@dataclass(frozen=True, slots=True)
class BadRow:
    """One fault of one row; `line` counts from 1, `field` is empty where the whole row is meant."""

    line: int
    field: str
    rule: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.field + ': ' if self.field else ''}{self.rule}"


#: The kommunkoder that there are; None: whatever has the form of one.
Municipalities = Collection[str] | None


def read_ndjson(lines: Iterable[bytes], known: Municipalities = None) -> Iterator[Stay | BadRow]:
    """Read one JSON object a line, as they come; empty lines are passed over."""
    seen: set[str] = set()
    for number, line in enumerate(lines, 1):
        yield from read_line(number, line, seen, known)


def read_line(
    number: int, line: bytes, seen: set[str], known: Municipalities = None
) -> Iterator[Stay | BadRow]:
    """Read one line: its stay, or every fault of it; `seen` holds the ids of the lines before."""
    if line.isspace():
        return
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError:
        yield BadRow(number, "", "no JSON")
        return
    if type(row) is not dict:
        yield BadRow(number, "", "no JSON object")
    else:
        yield from _checked(number, row, seen, known)


def read_csv(lines: Iterable[str], known: Municipalities = None) -> Iterator[Stay | BadRow]:
    """Read CSV with the field names as header; an empty cell is null, `ready` is a JSON list."""
    rows = csv.reader(lines, strict=True)
    seen: set[str] = set()
    try:
        header = next(rows, [])
        missing = [name for name in _READERS if name not in header and name not in _NULLABLE]
        yield from (BadRow(1, name, "the column is missing") for name in missing)
        if missing:
            return
        for cells in rows:
            if len(cells) == len(header):
                row = dict(zip(header, map(_cell, header, cells), strict=True))
                yield from _checked(rows.line_num, row, seen, known)
            elif cells:
                yield BadRow(rows.line_num, "", f"{len(cells)} cells under {len(header)} columns")
    except csv.Error:
        yield BadRow(rows.line_num, "", "no CSV")


def stay_of(row: Mapping[str, Any], known: Municipalities = None) -> Stay:
    """Make a stay of a row; ValueError where it has a fault (`faults_of` lists them)."""
    stay = _made(row)
    for _, rule in _faults_between(stay, known):
        raise ValueError(rule)
    return stay


def _made(row: Mapping[str, Any]) -> Stay:
    """Make a stay of a row, each field by itself."""
    if not row.keys() <= _READERS.keys():
        raise ValueError("unknown field")
    get = row.get
    stay = Stay(
        _text(row["stay"]),
        read_municipality(row["municipality"]),
        None if (placing := get("placing_municipality")) is None else read_municipality(placing),
        _care_form(row["care_form"]),
        _flag(row["compulsory"]),
        read_instant(row["admitted_at"]),
        None if (notice := get("notice_sent_at")) is None else read_instant(notice),
        _episodes(row["ready"]),
        _flag(row["sip_required"]),
        None if (called := get("sip_called_at")) is None else read_instant(called),
        None if (open_care := get("open_care_available")) is None else _flag(open_care),
        _flag(row["opposed"]),
        None if (ended := get("ended_at")) is None else read_instant(ended),
        None if (assessed := get("need_assessed_at")) is None else read_instant(assessed),
        None if (region := get("region")) is None else read_county(region),
        (protected := get("protected")) is not None and _flag(protected),
        (entered := get("entered")) is not None and _flag(entered),
        () if (where := get("municipalities")) is None else _residences(where),
    )
    return _until_its_end(stay) if stay.municipalities else stay


def _faults_between(stay: Stay, known: Municipalities) -> Iterator[tuple[str, str]]:
    """Give the faults of fields that are sound each by itself: unknown municipalities, times out of order.

    An episode that was withdrawn counts nothing, whenever it was.
    """
    yield from _faults_of_municipalities(stay, known)
    end = stay.ended_at
    if end is not None and end < stay.admitted_at:
        yield "ended_at", _BACKWARDS
        return
    for episode in stay.ready:
        if episode.withdrawn_at is not None:
            continue
        if episode.sent_at < stay.admitted_at:
            yield "ready", "an episode is sent before admitted_at"
        if end is not None and episode.sent_at > end:
            yield "ready", "an episode is sent after ended_at"
        if end is not None and episode.home_ready_at is not None and episode.home_ready_at > end:
            yield "ready", "an episode is home-ready after ended_at"


def _faults_of_municipalities(stay: Stay, known: Municipalities) -> Iterator[tuple[str, str]]:
    if known is not None:
        named = [("municipality", stay.municipality), ("placing_municipality", stay.placing_municipality)]
        named += [("municipalities", code) for code in _codes(stay.municipalities)]
        for name, code in named:
            if code is not None and code not in known:
                yield name, UNKNOWN_MUNICIPALITY
    if stay.municipalities and stay.municipalities[-1].liable != stay.liable:
        yield "municipalities", _ANOTHER


def faults_of(row: Mapping[str, Any], known: Municipalities = None) -> list[tuple[str, str]]:
    """List every fault of a row, as field and rule; empty where there is none."""
    faults = [(name, "no such field") for name in sorted(row.keys() - _READERS.keys())]
    for name, read in _READERS.items():
        if row.get(name) is None and name in _NULLABLE:
            continue
        if name not in row:
            faults.append((name, "missing"))
            continue
        try:
            read(row[name])
        except ValueError as fault:
            faults.append((name, str(fault)))
    return faults or list(dict.fromkeys(_faults_between(_made(row), known)))


def _checked(
    number: int, row: dict[str, Any], seen: set[str], known: Municipalities
) -> Iterator[Stay | BadRow]:
    try:
        stay = stay_of(row, known)
    except (ValueError, KeyError):
        yield from (BadRow(number, field, rule) for field, rule in faults_of(row, known))
        return
    if stay.stay in seen:
        yield BadRow(number, "stay", "the id stands on an earlier line too")
        return
    seen.add(stay.stay)
    yield stay


_BACKWARDS = "before admitted_at"
UNKNOWN_MUNICIPALITY = "no municipality of municipalities.yaml"
_ANOTHER = "another municipality at the end than municipality and placing_municipality say"
_MUNICIPALITY = re.compile(r"[0-9]{4}", re.ASCII)
_COUNTY = re.compile(r"[0-9]{2}", re.ASCII)
_CARE_FORMS: Mapping[Any, CareForm] = {form.value: form for form in CareForm}
_RESIDENCE = frozenset(("from", "municipality", "placing_municipality"))
_EPISODE = frozenset(("sent_at", "withdrawn_at", "home_ready_at"))


def _text(value: object) -> str:
    if type(value) is not str or not value:
        raise ValueError("no text")
    return value


def read_municipality(value: object) -> str:
    """Read a kommunkod; ValueError where it is none."""
    if type(value) is not str or not _MUNICIPALITY.fullmatch(value):
        raise ValueError("no kommunkod of four digits")
    return value


def read_county(value: object) -> str:
    """Read a länskod; ValueError where it is none."""
    if type(value) is not str or not _COUNTY.fullmatch(value):
        raise ValueError("no länskod of two digits")
    return value


def _care_form(value: object) -> CareForm:
    form = _CARE_FORMS.get(value) if type(value) is str else None
    if form is None:
        raise ValueError("neither somatic nor psychiatric")
    return form


def _flag(value: object) -> bool:
    if type(value) is not bool:
        raise ValueError("neither true nor false")
    return value


def read_instant(value: object) -> datetime:
    """Read an RFC 3339 instant; ValueError where it is none, or no time that care is given in."""
    if (
        type(value) is str
        and len(value) > 19
        and value[4] == value[7] == "-"
        and value[13] == value[16] == ":"
    ):
        try:
            instant = datetime.fromisoformat(value)
        except ValueError:
            pass
        else:
            if instant.tzinfo is not None and FIRST_YEAR <= instant.year < END_YEAR:
                return instant
    raise ValueError("no RFC 3339 instant with its offset")


def _codes(residences: Iterable[Residence]) -> Iterator[str]:
    for one in residences:
        yield from (code for code in (one.municipality, one.placing_municipality) if code is not None)


def _residences(value: object) -> tuple[Residence, ...]:
    if type(value) is not list or not value:
        raise ValueError("no list of municipalities")
    found = tuple([_residence(item) for item in value])
    for before, after in pairwise(found):
        if after.since <= before.since:
            raise ValueError("municipalities are not oldest first")
    return found


def _residence(value: object) -> Residence:
    if (
        type(value) is not dict
        or not value.keys() <= _RESIDENCE
        or not {"from", "municipality"} <= value.keys()
    ):
        raise ValueError("a municipality has from and municipality, and may have placing_municipality")
    placing = value.get("placing_municipality")
    return Residence(
        read_instant(value["from"]),
        read_municipality(value["municipality"]),
        None if placing is None else read_municipality(placing),
    )


def _until_its_end(stay: Stay) -> Stay:
    """Leave out moves after the end, which change nothing; a fault of all that is left is told apart."""
    ended_at = stay.ended_at
    during = tuple(one for one in stay.municipalities if ended_at is None or one.since <= ended_at)
    return stay._replace(municipalities=during or stay.municipalities[:1])


def _episodes(value: object) -> tuple[Episode, ...]:
    if type(value) is not list:
        raise ValueError("no list of episodes")
    episodes = tuple([_episode(item) for item in value])
    for before, after in pairwise(episodes):
        if after.sent_at < before.sent_at:
            raise ValueError("episodes are not oldest first")
    return episodes


def _episode(value: object) -> Episode:
    if type(value) is not dict or not value.keys() <= _EPISODE or "sent_at" not in value:
        raise ValueError("an episode has sent_at, and may have withdrawn_at and home_ready_at")
    episode = Episode(
        read_instant(value["sent_at"]),
        None if (withdrawn := value.get("withdrawn_at")) is None else read_instant(withdrawn),
        None if (home_ready := value.get("home_ready_at")) is None else read_instant(home_ready),
    )
    if episode.withdrawn_at is not None and episode.withdrawn_at < episode.sent_at:
        raise ValueError("an episode is withdrawn before it was sent")
    return episode


#: How each field is read; what may be null or absent is in `_NULLABLE`.
_READERS: Mapping[str, Callable[[object], object]] = {
    "stay": _text,
    "municipality": read_municipality,
    "placing_municipality": read_municipality,
    "care_form": _care_form,
    "compulsory": _flag,
    "admitted_at": read_instant,
    "notice_sent_at": read_instant,
    "ready": _episodes,
    "sip_required": _flag,
    "sip_called_at": read_instant,
    "open_care_available": _flag,
    "opposed": _flag,
    "ended_at": read_instant,
    "need_assessed_at": read_instant,
    "region": read_county,
    "protected": _flag,
    "entered": _flag,
    "municipalities": _residences,
}
_NULLABLE = frozenset(
    (
        "placing_municipality",
        "notice_sent_at",
        "sip_called_at",
        "open_care_available",
        "ended_at",
        "need_assessed_at",
        "region",
        "protected",
        "entered",
        "municipalities",
    )
)
_FLAGS = frozenset(name for name, read in _READERS.items() if read is _flag)


def _cell(name: str, text: str) -> object:
    """Turn a CSV cell into the JSON value that it stands for; what it cannot be is left as text."""
    if not text:
        return None
    if name in _FLAGS:
        return {"true": True, "false": False}.get(text.lower(), text)
    if name in {"ready", "municipalities"}:
        try:
            return json.loads(text)
        except json.JSONDecodeError:
            return text
    return text


def row_of(stay: Stay) -> dict[str, Any]:
    """Give the JSON row of a stay, instants as they were given: what `stay_of` reads."""
    row = stay._asdict()
    row["care_form"] = stay.care_form.value
    row["ready"] = [
        {name: None if at is None else at.isoformat() for name, at in episode._asdict().items()}
        for episode in stay.ready
    ]
    row["municipalities"] = [
        {
            "from": one.since.isoformat(),
            "municipality": one.municipality,
            "placing_municipality": one.placing_municipality,
        }
        for one in stay.municipalities
    ] or None
    for name in ("admitted_at", "notice_sent_at", "sip_called_at", "ended_at", "need_assessed_at"):
        row[name] = None if row[name] is None else row[name].isoformat()
    return row
