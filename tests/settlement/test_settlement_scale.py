"""The quick way and the readable rule are one: same statements byte for byte, same faults, same sweeps."""

import multiprocessing
import os
import threading
from collections.abc import Sequence
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapter.agreements.rates import Rates
from adapter.agreements.rules import Rules
from adapter.agreements.terms import CareForm
from adapter.commands import beside
from adapter.errors import UnavailableError
from adapter.losus.days import LOCAL, Month, local, local_day
from adapter.settlement.bulk import Bulk, bulk, bulk_in_force
from adapter.settlement.columns import FORMS, MISSING, NO_CALL_NEEDED, Columns
from adapter.settlement.compare import compare, sweep
from adapter.settlement.instant import instant_of, instants
from adapter.settlement.ledger import Lasting, by_law, by_name
from adapter.settlement.length import effective_episode
from adapter.settlement.plain import PlainReader
from adapter.settlement.render import json_lines, statement_row
from adapter.settlement.settle import settle, settle_in_force
from adapter.settlement.statement import UnknownRateError
from adapter.settlement.stay import BadRow, Stay, read_instant, read_ndjson, row_of
from adapter.settlement.weigh import compare_ledgers, sweep_ledger
from tests.examples import examples
from tests.settlement.making import (
    BAL,
    JH,
    LUS,
    STHLM,
    VGR,
    book,
    by_day,
    lacking,
    one_price,
    rules,
    span,
    stay,
)
from tests.settlement.test_settlement_properties import some_stays

calm = settings(deadline=None, max_examples=examples(80), suppress_health_check=[HealthCheck.too_slow])
ASKED = span("2019-01", "2019-12")
RATES = one_price()
ZONES = (UTC, LOCAL, timezone(timedelta(hours=5, minutes=30)), timezone(timedelta(hours=-3)))
AGREEMENTS = (JH, LUS, STHLM, VGR, BAL, "pooled", "late releases", "long stays, each", "by day")
#: All years known; one that is not; one that is not for one care form.
SOME_RATES = st.sampled_from(
    (RATES, RATES, lacking(2019), lacking(2018), lacking(2019, CareForm.PSYCHIATRIC))
)


def named(name: str) -> Rules:
    if name == "pooled":
        return rules(JH, pool_care_forms=True, start_after=1)
    if name == "late releases":
        return rules(LUS, late="releases", admission_notice_hours=12, sip_call_days=1)
    if name == "by day":
        return by_day()
    return rules(JH, long_stays_over=5, start_after=1) if name == "long stays, each" else rules(name)


def written(stays: Sequence[Stay], zone: Any) -> list[bytes]:
    """Rows as another system may write them: in another zone, without what is null."""
    found = []
    for number, one in enumerate(stays):
        row = row_of(one)
        for name in ("admitted_at", "notice_sent_at", "sip_called_at", "ended_at", "need_assessed_at"):
            if row[name] is not None:
                row[name] = datetime.fromisoformat(row[name]).astimezone(zone).isoformat()
        if number % 3 == 0:
            row = {name: value for name, value in row.items() if value is not None}
        found.append(orjson.dumps(row) + b"\n")
    return found


def read(lines: Sequence[bytes]) -> Columns:
    reader = PlainReader()
    found = Columns.joined(list(reader.read([b"".join(lines)])))
    assert not reader.bad
    return found


def rows_of(columns: Columns) -> list[tuple[Any, ...]]:
    return list(zip(*(list(getattr(columns, one.name)) for one in fields(Columns)), strict=True))


def _need(one: Stay) -> datetime:
    """Return what the hours of the notice run from by LUS 2:3."""
    admitted_at, assessed_at = one.admitted_at.astimezone(UTC), one.need_assessed_at
    return admitted_at if assessed_at is None else max(admitted_at, assessed_at.astimezone(UTC))


def row_by_rule(one: Stay) -> tuple[Any, ...]:
    """What `Columns` says of a stay, each thing looked up by itself."""
    microsecond = timedelta(microseconds=1)
    episode = effective_episode(one)
    sent = None if episode is None else local(episode.sent_at)
    home = None if episode is None else episode.home_ready_at
    call: int = NO_CALL_NEEDED
    if one.sip_required and sent is not None:
        called = one.sip_called_at
        call = MISSING if called is None else (local_day(called) - sent.date()).days
    notice = None if one.notice_sent_at is None else one.notice_sent_at.astimezone(UTC)
    return (
        one.stay,
        int(one.liable),
        FORMS.index(one.care_form),
        one.compulsory,
        local_day(one.admitted_at).toordinal(),
        0 if one.ended_at is None else local_day(one.ended_at).toordinal(),
        0 if sent is None else sent.toordinal(),
        0
        if sent is None
        else timedelta(
            hours=sent.hour, minutes=sent.minute, seconds=sent.second, microseconds=sent.microsecond
        )
        // microsecond,
        0 if home is None else local_day(home).toordinal(),
        MISSING if notice is None else (notice - one.admitted_at.astimezone(UTC)) // microsecond,
        MISSING if notice is None else (notice - _need(one)) // microsecond,
        call,
        one.open_care_available is True,
        one.opposed,
        int(one.region or 0),
        one.protected,
        one.entered,
        one.moved,
    )


def quick(lines: Sequence[bytes], chosen: Rules, asked: Sequence[Month], rates: Rates = RATES) -> Bulk:
    end = max(asked).end if asked else date.min
    return bulk(by_name(read(lines), chosen, end), chosen, rates, asked)


@calm
@given(some_stays(), st.sampled_from(ZONES), st.sampled_from(AGREEMENTS), SOME_RATES)
def test_the_quick_way_gives_the_statements_of_the_rule(stays, zone, name, rates):
    lines, chosen = written(stays, zone), named(name)
    reference = settle(stays, chosen, rates, ASKED)
    assert b"".join(quick(lines, chosen, ASKED, rates).json_lines()) == b"".join(json_lines(reference))
    assert tuple(quick(lines, chosen, ASKED, rates).statements()) == reference
    rows = [statement_row(one) for one in quick(lines, chosen, ASKED, rates).summed()]
    assert rows == [statement_row(one) for one in reference]


@calm
@given(some_stays(), st.sampled_from(ZONES), st.booleans(), SOME_RATES, st.sampled_from((None, "23", "01")))
def test_also_by_what_is_in_force(stays, zone, early, rates, home):
    """`early`: an agreement that is superseded within a month, so that a month has two."""
    every = book().rules
    if early:
        one = every[JH].agreement
        valid = one.life.valid.model_copy(update={"through": datetime(2019, 5, 14, tzinfo=UTC).date()})
        life = one.life.model_copy(update={"valid": valid, "prolonged": ()})
        changed = Rules(one.model_copy(update={"life": life}), every[JH].digest, every[JH].periods)
        every = {**every, JH: changed}
    law = Lasting(every, home)
    made = bulk_in_force(by_law(read(written(stays, zone)), law, ASKED[-1].end), law, rates, ASKED)
    reference = settle_in_force(stays, every, rates, ASKED, home=home)
    assert b"".join(made.json_lines()) == b"".join(json_lines(reference))
    assert tuple(made.statements()) == reference


@calm
@given(some_stays(), st.sampled_from(AGREEMENTS), st.sampled_from(AGREEMENTS), SOME_RATES)
def test_two_agreements_on_the_ledger(stays, a, b, rates):
    chosen = named(a), named(b)
    ledgers = [by_name(read(written(stays, UTC)), one, ASKED[-1].end) for one in chosen]
    assert compare_ledgers(ledgers, chosen, rates, ASKED) == compare(stays, *chosen, rates, ASKED)


GRID = {
    "threshold": [Decimal("1.5"), Decimal(3)],
    "first_payable_day": [Decimal(2), Decimal(4)],
    "start_after": [Decimal(1), Decimal(2)],
    "long_stays": [Decimal(3), Decimal(7)],
}


@settings(parent=calm, max_examples=examples(25))
@given(some_stays(), st.sampled_from((JH, STHLM, VGR, "pooled", "by day")), SOME_RATES)
def test_a_sweep_on_the_ledger(stays, name, rates):
    chosen = named(name)
    ledger = by_name(read(written(stays, UTC)), chosen, ASKED[-1].end)
    found = list(sweep_ledger(ledger, chosen, rates, ASKED, GRID))
    assert found == list(sweep(stays, chosen, rates, ASKED, GRID))


def alone(text: str) -> tuple[int, ...]:
    found = instants(text, np.array([len(text)], np.uint8))
    return tuple(int(column[0]) for column in found)


TEXTS = (
    "2019-03-31T01:59:59+01:00",
    "2019-03-31T03:00:00+02:00",
    "2019-03-31T00:59:59Z",
    "2019-03-31T01:00:00Z",
    "2019-10-27T02:30:00+02:00",
    "2019-10-27T02:30:00+01:00",
    "2019-05-14T23:30:00+00:00",
    "2019-03-31T06:29:59+05:30",
    "2019-03-31T06:30:00+05:30",
    "2019-05-14T03:10:00+05:30",
    "2019-05-14T12:00:00.000+02:00",
    "2019-05-14T12:00:00.000001+02:00",
    "2019-05-14 12:00:00+02:00",
    "1915-07-01T12:00:00+01:00",
)


@pytest.mark.parametrize("text", TEXTS)
def test_an_instant_from_its_hour_is_the_instant(text):
    at = read_instant(text)
    here = local(at)
    microsecond = timedelta(microseconds=1)
    midnight = here.replace(hour=0, minute=0, second=0, microsecond=0)
    clock = here.replace(tzinfo=None) - midnight.replace(tzinfo=None)
    want = (
        (at - datetime(1970, 1, 1, tzinfo=UTC)) // microsecond,
        here.date().toordinal(),
        clock // microsecond,
    )
    assert (alone(text), alone(text), instant_of(at)) == (want, want, want), "first, and from its day"


@calm
@given(st.datetimes(datetime(1900, 1, 2), datetime(2199, 1, 1)), st.integers(-14 * 60, 14 * 60))  # noqa: DTZ001
def test_any_instant_is_read_alike(clock, offset):
    at = clock.replace(tzinfo=timezone(timedelta(minutes=offset)))
    for text in (at.isoformat(), at.replace(microsecond=0).isoformat()):
        assert alone(text) == alone(text) == instant_of(read_instant(text))


# --- faults ---------------------------------------------------------------------------------------

#: What a hand or a system may put in place of a value.
ODD = (
    None, "", "x", 0, 1, 1.0, True, [], {}, [{}], ["x"], [None], "0180", 2380, "２３８０", "somatic",
    "2019-05-14", "2019-05-14T10:00:00", "2019-05-14T10:00:00Z", "2019-05-14T10:60:00+02:00",
    "2019-05-14T24:00:00Z", "2019-13-14T10:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z",
    [{"sent_at": "2019-05-14T10:00:00Z", "withdrawn_at": "2019-05-13T10:00:00Z"}],
    [{"sent_at": "2019-05-14T10:00:00Z", "who": "x"}],
    [{"sent_at": "2019-05-14T10:00:00Z", "home_ready_at": 1}],
    [{"sent_at": "2019-05-14T10:00:00Z"}, {"sent_at": "2019-05-13T10:00:00Z"}],
    [{"sent_at": "2019-05-14T10:00:00Z"}, {"sent_at": "2019-05-20T13:00:01Z"}],
    [{"sent_at": "2019-05-14T10:00:00Z", "home_ready_at": "2019-05-20T13:00:00Z"}],
    [{"sent_at": "2019-05-14T10:00:00Z", "home_ready_at": "2019-05-20T13:00:01Z"}],
    [{"sent_at": "2019-05-13T21:59:59Z"}], [{"sent_at": "2019-05-13T22:00:00Z"}],
    [{"sent_at": "2019-05-13T21:59:59Z", "withdrawn_at": "2019-05-14T10:00:00Z"}], "9999", "2380",
)  # fmt: skip
FIELDS = (*Stay._fields, "more")


@settings(parent=calm, max_examples=examples(300))
@given(
    st.lists(
        st.tuples(st.sampled_from(FIELDS), st.integers(0, len(ODD) - 1), st.integers(0, 3), st.booleans()),
        max_size=12,
    ),
    st.sampled_from((b"", b"\n", b"{\n", b"[]\n", b'"x"\n', b"7\n", b"null\n")),
)
def test_every_fault_is_told_as_by_the_reader(changes, odd_line):
    good = row_of(stay("2019-05-14 10:00", "2019-05-20 15:00"))
    lines = []
    for field, odd, name, gone in changes:
        row = {**good, "stay": f"s{name}", field: ODD[odd]}
        if gone:
            row.pop(field)
        lines += [orjson.dumps(row) + b"\n", *([odd_line] if odd_line else [])]
    reader = PlainReader(known=book().municipalities)
    found = Columns.joined(list(reader.read([b"".join(lines)])))
    reference = list(read_ndjson(lines, book().municipalities))
    assert reader.bad == [row for row in reference if isinstance(row, BadRow)]
    assert rows_of(found) == [row_by_rule(row) for row in reference if isinstance(row, Stay)]


def test_a_year_that_stands_for_never_is_no_instant():
    with pytest.raises(ValueError, match="no RFC 3339 instant"):
        read_instant("9999-12-31T23:59:59Z")


# --- edges ----------------------------------------------------------------------------------------


def test_no_month_asked_for_settles_nothing():
    law = Lasting(book().rules)
    none = Columns.joined([])
    assert list(quick([], rules(JH), ()).json_lines()) == []
    assert list(bulk_in_force(by_law(none, law, date.min), law, RATES, ()).json_lines()) == []
    (variant,) = sweep_ledger(
        by_name(none, rules(JH), date.min), rules(JH), RATES, (), {"threshold": [Decimal(2)]}
    )
    assert (variant.amount, variant.by_municipality) == (0, {})


def test_a_rate_that_is_missing_leaves_its_months_out():
    """Settlement 5: listed `no-rate` with the stays concerned; other months go on."""
    stays = [
        stay("2020-05-03 10:00", "2020-05-10 15:00", "known"),
        stay("2021-05-02 10:00", "2021-05-09 15:00", "waits"),
        stay("2021-05-02 10:00", "2021-05-03 15:00", "short"),
    ]
    asked = span("2020-05", "2021-05")
    ledger = by_name(read(written(stays, UTC)), rules(LUS), asked[-1].end)
    made = bulk(ledger, rules(LUS), book().rates, asked)
    assert [(payer[:2], str(month), one.years, one.stays) for payer, month, one in made.no_rates()] == [
        (("2380", "somatic"), "2021-05", (2021,), ("waits",))
    ]
    by_month = {str(one.month): one for one in made.summed()}
    assert by_month["2020-05"].amount == 4 * 8200
    with pytest.raises(UnknownRateError, match="unknown rate 2021"):
        _ = by_month["2021-05"].amount
    (variant,) = sweep_ledger(ledger, rules(LUS), book().rates, asked, {"first_payable_day": [Decimal(2)]})
    assert (variant.amount, variant.no_rate) == (5 * 8200, 1)


# --- beside ---------------------------------------------------------------------------------------


def many(count: int) -> list[bytes]:
    return written([stay("2019-05-14 10:00", "2019-05-20 15:00", f"s{i}") for i in range(count)], LOCAL)


#: What stands on which line, and what is told of it; the file is read in four parts of 1 250 lines.
BROKEN = (
    ({}, "nothing"),
    ({4: b"{\n", 1300: b"[]\n", 4999: b"\n"}, "a fault in the first part, in the second, at the end"),
    ({1252: "s1251"}, "an id twice within a part"),
    ({4000: "s7"}, "an id of another part"),
    ({4000: "s7", 4001: "s7", 2600: "s2599", 2601: b"{\n"}, "all of it"),
)


@pytest.mark.parametrize(("broken", "because"), BROKEN)
def test_several_processes_give_the_same_rows_and_faults(tmp_path, monkeypatch, broken, because):
    monkeypatch.setattr(beside, "process_count", lambda _: 4)
    path, lines = tmp_path / "stays.ndjson", many(5000)
    for place, odd in broken.items():
        lines[place] = (
            odd if isinstance(odd, bytes) else lines[place].replace(b's%d"' % place, odd.encode() + b'"')
        )
    path.write_bytes(b"".join(lines))
    assert len(beside.parts_of(path, 4)) == 4
    found, bad = beside.read_file(path)
    reference = list(read_ndjson(lines))
    assert bad == [row for row in reference if isinstance(row, BadRow)], because
    assert rows_of(Columns.joined(found)) == [
        row_by_rule(row) for row in reference if isinstance(row, Stay)
    ], because


@pytest.mark.parametrize(
    "text", [b"", b"\n", b"{}", b"{}\n{}", b"{}\n" * 7, b"x" * 99, b"x" * 99 + b"\n{}\n"]
)
@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_the_parts_of_a_file_are_its_lines(tmp_path, monkeypatch, text, count):
    monkeypatch.setattr(beside, "_AT_ONCE", 5)
    path = tmp_path / "stays.ndjson"
    path.write_bytes(text)
    texts = [text for part in beside.parts_of(path, count) for text in beside._texts(path, part)]
    assert b"".join(texts) == text
    assert all(text.endswith(b"\n") for text in texts[:-1])


def test_a_process_that_dies_is_told_of(tmp_path):
    here, there = multiprocessing.Pipe(duplex=False)
    there.close()
    with pytest.raises(UnavailableError):
        list(beside._received(PlainReader(), here, tmp_path, (0, None)))


def test_small_files_and_pipes_are_read_in_one_process(tmp_path):
    path = tmp_path / "stays.ndjson"
    path.write_bytes(b"\n")
    assert beside.process_count(path) == 1
    os.mkfifo(tmp_path / "pipe")
    assert beside.process_count(tmp_path / "pipe") == 1


def test_a_pipe_is_read(tmp_path):
    pipe, text = tmp_path / "pipe", b"".join(many(100))
    os.mkfifo(pipe)
    writing = threading.Thread(target=pipe.write_bytes, args=(text,))
    writing.start()
    found, bad = beside.read_file(pipe)
    writing.join()
    assert (sum(len(part.names) for part in found), bad) == (100, [])
