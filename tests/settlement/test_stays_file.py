"""Rows of a stays file: what is read, and every fault with line and field, never a value."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import orjson
import pytest

from adapter.settlement.example import worked_example
from adapter.settlement.plain import PlainReader
from adapter.settlement.stay import BadRow, Stay, read_csv, read_ndjson, row_of
from tests.settlement.making import episode, stay

BILAGA_9 = Path(__file__).parents[1] / "data" / "bilaga9.ndjson"
GOOD = row_of(stay([episode("2018-05-14 10:00", "2018-05-14 11:00")], "2018-05-18 15:00"))


def lines(*rows: object) -> list[bytes]:
    return [row if isinstance(row, bytes) else orjson.dumps(row) + b"\n" for row in rows]


def with_(**changes: Any) -> dict[str, Any]:
    return {**GOOD, **changes}


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in GOOD.items() if key != name}


@pytest.mark.parametrize(
    ("row", "field", "rule", "because"),
    [
        (b"{", "", "no JSON", "broken JSON"),
        (b"[1]\n", "", "no JSON object", "a list"),
        (b"null\n", "", "no JSON object", "null"),
        (with_(comment="x"), "comment", "no such field", "a slip of the pen must not pass for null"),
        (without("stay"), "stay", "missing", "the id"),
        (without("municipality"), "municipality", "missing", "no default for a municipality"),
        (without("opposed"), "opposed", "missing", "a bool is never null"),
        (without("ready"), "ready", "missing", "an empty list is said so"),
        (with_(stay=""), "stay", "no text", "an empty id"),
        (with_(stay=7), "stay", "no text", "a number"),
        (with_(municipality="238"), "municipality", "no kommunkod of four digits", "three digits"),
        (with_(municipality="23800"), "municipality", "no kommunkod of four digits", "five digits"),
        (with_(municipality="２３８０"), "municipality", "no kommunkod of four digits", "wide digits"),
        (with_(municipality=2380), "municipality", "no kommunkod of four digits", "a number loses its zero"),
        (
            with_(placing_municipality=""),
            "placing_municipality",
            "no kommunkod of four digits",
            "empty is not null",
        ),
        (
            with_(care_form="geriatric"),
            "care_form",
            "neither somatic nor psychiatric",
            "an unknown care form",
        ),
        (with_(care_form=None), "care_form", "neither somatic nor psychiatric", "null"),
        (with_(care_form=["somatic"]), "care_form", "neither somatic nor psychiatric", "a list"),
        (with_(compulsory=0), "compulsory", "neither true nor false", "0 is not false"),
        (with_(open_care_available="true"), "open_care_available", "neither true nor false", "text"),
        (with_(admitted_at="2018-05-14"), "admitted_at", "no RFC 3339 instant with its offset", "a date"),
        (
            with_(admitted_at="2018-05-14T10:00:00"),
            "admitted_at",
            "no RFC 3339 instant with its offset",
            "no offset",
        ),
        (
            with_(admitted_at="2018-05-14T10:00+02:00"),
            "admitted_at",
            "no RFC 3339 instant with its offset",
            "no seconds",
        ),
        (
            with_(admitted_at="2018-02-30T10:00:00Z"),
            "admitted_at",
            "no RFC 3339 instant with its offset",
            "no such day",
        ),
        (
            with_(admitted_at="20180514T100000+0200"),
            "admitted_at",
            "no RFC 3339 instant with its offset",
            "basic form",
        ),
        (
            with_(admitted_at="2018-05-14T10:00:00.000"),
            "admitted_at",
            "no RFC 3339 instant with its offset",
            "no offset",
        ),
        (with_(admitted_at=None), "admitted_at", "no RFC 3339 instant with its offset", "null"),
        (with_(ended_at="soon"), "ended_at", "no RFC 3339 instant with its offset", "text"),
        (with_(ended_at="2018-05-01T10:00:00Z"), "ended_at", "before admitted_at", "ended before it began"),
        (with_(ready={}), "ready", "no list of episodes", "an object"),
        (
            with_(ready=[{}]),
            "ready",
            "an episode has sent_at, and may have withdrawn_at and home_ready_at",
            "no sent_at",
        ),
        (
            with_(ready=[{**GOOD["ready"][0], "x": 1}]),
            "ready",
            "an episode has sent_at, and may have withdrawn_at and home_ready_at",
            "a field too many",
        ),
        (
            with_(ready=[{**GOOD["ready"][0], "withdrawn_at": "2018-05-01T10:00:00Z"}]),
            "ready",
            "an episode is withdrawn before it was sent",
            "withdrawn before it was sent",
        ),
        (
            with_(ready=[GOOD["ready"][0], {"sent_at": "2018-05-10T10:00:00Z"}]),
            "ready",
            "episodes are not oldest first",
            "newest first",
        ),
    ],
)
def test_a_fault_of_a_row(row, field, rule, because):
    assert list(read_ndjson(lines(GOOD | {"stay": "other"}, row)))[1:] == [BadRow(2, field, rule)], because


def test_all_faults_of_all_rows_at_once():
    found = list(read_ndjson(lines(with_(municipality="x", opposed=3), b"\n", without("stay"), GOOD)))
    faults = [(row.line, row.field) for row in found if isinstance(row, BadRow)]
    assert faults == [(1, "municipality"), (1, "opposed"), (3, "stay")]
    assert len(found) == 4


def test_no_fault_tells_a_value():
    rows = (with_(municipality="secret"), with_(admitted_at="secret"), with_(ready="secret"), b"secret\n")
    assert "secret" not in " ".join(map(str, read_ndjson(lines(*rows))))


def test_an_id_that_comes_twice():
    assert list(read_ndjson(lines(GOOD, with_(opposed=True))))[1:] == [
        BadRow(2, "stay", "the id stands on an earlier line too")
    ]


@pytest.mark.parametrize(
    "name", ["placing_municipality", "notice_sent_at", "sip_called_at", "open_care_available", "ended_at"]
)
def test_what_may_be_null_may_be_absent(name):
    (absent,), (null,) = (list(read_ndjson(lines(row))) for row in (without(name), with_(**{name: None})))
    assert isinstance(absent, Stay)
    assert absent == null
    assert getattr(absent, name) is None


def test_instants_of_any_offset_are_the_same():
    utc, swedish = "2018-05-18T13:00:00Z", "2018-05-18T15:00:00+02:00"
    assert list(read_ndjson(lines(with_(ended_at=utc)))) == list(read_ndjson(lines(with_(ended_at=swedish))))


def as_csv(rows: list[dict[str, Any]], header: list[str] | None = None) -> list[str]:
    text = io.StringIO()
    writer = csv.DictWriter(text, header or list(GOOD), extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        cells = {
            k: json.dumps(v) if k == "ready" else str(v).lower() if isinstance(v, bool) else v
            for k, v in row.items()
        }
        writer.writerow(cells)
    return text.getvalue().splitlines(keepends=True)


def test_a_cell_that_is_no_json():
    text = "".join(as_csv([GOOD])).replace('"[{', '"{{').splitlines(keepends=True)
    assert [str(row) for row in read_csv(text)] == ["line 2: ready: no list of episodes"]


def test_csv_is_read_as_the_same_stays():
    stays = worked_example()[:40]
    assert list(read_csv(as_csv([row_of(one) for one in stays]))) == stays


@pytest.mark.parametrize(
    ("text", "faults", "because"),
    [
        (
            as_csv([GOOD], [n for n in GOOD if n != "opposed"]),
            ["line 1: opposed: the column is missing"],
            "a column that money hangs on",
        ),
        (
            [],
            [
                f"line 1: {n}: the column is missing"
                for n in GOOD
                if n
                not in (
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
            ],
            "an empty file",
        ),
        ([*as_csv([GOOD]), "a,b\n"], [f"line 3: 2 cells under {len(GOOD)} columns"], "a row that is cut off"),
        (as_csv([with_(ready="[")]), ["line 2: ready: no list of episodes"], "no JSON in the cell"),
        (as_csv([with_(opposed="ja")]), ["line 2: opposed: neither true nor false"], "another word"),
        ([*as_csv([GOOD]), '"a\n'], ["line 3: no CSV"], "a quotation mark that is never closed"),
        (as_csv([GOOD, GOOD]), ["line 3: stay: the id stands on an earlier line too"], "twice"),
        ([*as_csv([GOOD]), "\n"], [], "an empty line"),
    ],
)
def test_faults_of_csv(text, faults, because):
    assert [str(row) for row in read_csv(text) if isinstance(row, BadRow)] == faults, because


def test_the_worked_example_is_the_file():
    with BILAGA_9.open("rb") as file:
        assert list(read_ndjson(file)) == worked_example()
    assert len(worked_example()) == 13 * 30


# --- fields against each other (issue 12, row 10) -------------------------------------------------------

KNOWN = ("2380", "2321")
NONE = "no municipality of municipalities.yaml"
AFTER, BEFORE = "an episode is sent after ended_at", "an episode is sent before admitted_at"
LATE = "an episode is home-ready after ended_at"
FIRST = {"admitted_at": "2018-05-10T10:00:00Z", "ended_at": "2018-05-20T10:00:00Z"}
BETWEEN = [
    # the row beside `FIRST`, its faults (field and rule), because
    ({"municipality": "9999"}, [("municipality", NONE)], "no municipality"),
    ({"placing_municipality": "9999"}, [("placing_municipality", NONE)], "LUS 5:2: the one that placed"),
    ({"municipality": "2321", "placing_municipality": "2380"}, [], "both are"),
    ({"ready": [{"sent_at": "2018-05-20T10:00:01Z"}]}, [("ready", AFTER)], "not 0 days in silence"),
    ({"ready": [{"sent_at": "2018-05-20T10:00:00Z"}]}, [], "at the end sharp"),
    ({"ready": [{"sent_at": "2018-05-20T12:00:00+02:00"}]}, [], "the same instant in another zone"),
    ({"ready": [{"sent_at": "2018-05-10T09:59:59Z"}]}, [("ready", BEFORE)], "ready before the admission"),
    ({"ready": [{"sent_at": "2018-05-10T10:00:00Z"}]}, [], "as the person is admitted"),
    ({"ready": [{"sent_at": "2018-05-12T10:00:00Z", "home_ready_at": "2018-05-20T10:00:01Z"}]},
     [("ready", LATE)], "hemgångsklar after the end"),
    ({"ready": [{"sent_at": "2018-05-12T10:00:00Z", "home_ready_at": "2018-05-20T10:00:00Z"}]}, [], "sharp"),
    ({"ready": [{"sent_at": "2018-05-12T10:00:00Z"}, {"sent_at": "2018-05-21T10:00:00Z"}]},
     [("ready", AFTER)], "the last one counts"),
    ({"ready": [{"sent_at": "2018-05-09T10:00:00Z", "withdrawn_at": "2018-05-21T10:00:00Z"}]}, [],
     "one that was withdrawn counts nothing"),
    ({"ready": [{"sent_at": "2018-05-21T10:00:00Z"}], "ended_at": None}, [], "still in"),
    ({"ready": [{"sent_at": "2018-05-21T10:00:00Z"}], "municipality": "9999"},
     [("municipality", NONE), ("ready", AFTER)], "every fault"),
]  # fmt: skip


@pytest.mark.parametrize(("changed", "faults", "because"), BETWEEN)
def test_fields_against_each_other(changed, faults, because):
    row = {**GOOD, **FIRST, "ready": [{"sent_at": "2018-05-12T10:00:00Z"}], **changed}
    found = list(read_ndjson(lines(row), KNOWN))
    assert [(one.field, one.rule) for one in found if isinstance(one, BadRow)] == faults, because
    reader = PlainReader(known=KNOWN)
    read = list(reader.read([lines(row)[0] + b"\n"]))
    assert ([(one.field, one.rule) for one in reader.bad], len(read)) == (faults, 0 if faults else 1), because


def test_whatever_has_the_form_of_a_municipality_where_none_are_known():
    assert [type(one) for one in read_ndjson(lines({**GOOD, "municipality": "9999"}))] == [Stay]
