"""The quick way and the readable rule are one: same statements byte for byte, same faults, same sweeps."""

import multiprocessing
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapter.agreements.rules import Rules
from adapter.commands import beside
from adapter.errors import UnavailableError
from adapter.losus.days import LOCAL, Month, local
from adapter.settlement.account import Law
from adapter.settlement.bulk import Bulk, bulk, bulk_in_force
from adapter.settlement.compare import compare, sweep
from adapter.settlement.instant import instant, instant_of
from adapter.settlement.ledger import Ledger, by_law, by_name
from adapter.settlement.plain import plain_of, read_plain
from adapter.settlement.render import json_lines
from adapter.settlement.settle import UnknownRateError, settle, settle_in_force
from adapter.settlement.stay import BadRow, Stay, read_instant, read_ndjson, row_of
from adapter.settlement.weigh import compare_ledgers, sweep_ledger
from tests.settlement.making import BAL, JH, LUS, STHLM, VGR, book, one_price, rules, span, stay
from tests.settlement.test_settlement_properties import some_stays

calm = settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.too_slow])
ASKED = span("2019-01", "2019-12")
RATES = one_price()
ZONES = (UTC, LOCAL, timezone(timedelta(hours=5, minutes=30)), timezone(timedelta(hours=-3)))
AGREEMENTS = (JH, LUS, STHLM, VGR, BAL, "pooled", "late releases", "long stays, each")


def named(name: str) -> Rules:
    if name == "pooled":
        return rules(JH, pool_care_forms=True, start_after=1)
    if name == "late releases":
        return rules(LUS, late="releases", admission_notice_hours=12, sip_call_days=1)
    return rules(JH, long_stays_over=5, start_after=1) if name == "long stays, each" else rules(name)


def written(stays: Sequence[Stay], zone: Any) -> list[bytes]:
    """Rows as another system may write them: in another zone, without what is null."""
    found = []
    for number, one in enumerate(stays):
        row = row_of(one)
        for name in ("admitted_at", "notice_sent_at", "sip_called_at", "ended_at"):
            if row[name] is not None:
                row[name] = datetime.fromisoformat(row[name]).astimezone(zone).isoformat()
        if number % 3 == 0:
            row = {name: value for name, value in row.items() if value is not None}
        found.append(orjson.dumps(row) + b"\n")
    return found


def filled(ledger: Ledger, lines: Sequence[bytes]) -> Ledger:
    bad: list[BadRow] = []
    for plain in read_plain(lines, bad):
        ledger.take(plain)
    assert not bad
    return ledger


def quick(lines: Sequence[bytes], chosen: Rules, asked: Sequence[Month]) -> Bulk:
    end = max(asked).end if asked else None
    return bulk(filled(by_name(chosen, end), lines), chosen, RATES, asked)


@calm
@given(some_stays(), st.sampled_from(ZONES), st.sampled_from(AGREEMENTS))
def test_the_quick_way_gives_the_statements_of_the_rule(stays, zone, name):
    lines, chosen = written(stays, zone), named(name)
    reference = settle(stays, chosen, RATES, ASKED)
    assert b"".join(quick(lines, chosen, ASKED).json_lines()) == b"".join(json_lines(reference))
    assert tuple(quick(lines, chosen, ASKED).statements()) == reference


@calm
@given(some_stays(), st.sampled_from(ZONES), st.booleans())
def test_also_by_what_is_in_force(stays, zone, early):
    """`early`: an agreement that is superseded within a month, so that a month has two."""
    every = book().rules
    if early:
        one = every[JH].agreement
        valid = one.life.valid.model_copy(update={"through": datetime(2019, 5, 14, tzinfo=UTC).date()})
        life = one.life.model_copy(update={"valid": valid, "prolonged": ()})
        changed = Rules(one.model_copy(update={"life": life}), every[JH].digest, every[JH].periods)
        every = {**every, JH: changed}
    law = Law(every)
    made = bulk_in_force(filled(by_law(law, ASKED[-1].end), written(stays, zone)), law, RATES, ASKED)
    reference = settle_in_force(stays, every, RATES, ASKED)
    assert b"".join(made.json_lines()) == b"".join(json_lines(reference))
    assert tuple(made.statements()) == reference


@calm
@given(some_stays(), st.sampled_from(AGREEMENTS), st.sampled_from(AGREEMENTS))
def test_two_agreements_on_the_ledger(stays, a, b):
    chosen = named(a), named(b)
    ledgers = [filled(by_name(one, ASKED[-1].end), written(stays, UTC)) for one in chosen]
    assert compare_ledgers(ledgers, chosen, RATES, ASKED) == compare(stays, *chosen, RATES, ASKED)


GRID = {
    "threshold": [Decimal("1.5"), Decimal(3)],
    "first_payable_day": [Decimal(2), Decimal(4)],
    "start_after": [Decimal(1), Decimal(2)],
    "long_stays": [Decimal(3), Decimal(7)],
}


@settings(parent=calm, max_examples=25)
@given(some_stays(), st.sampled_from((JH, STHLM, VGR, "pooled")))
def test_a_sweep_on_the_ledger(stays, name):
    ledger = filled(by_name(named(name), ASKED[-1].end), written(stays, UTC))
    found = list(sweep_ledger(ledger, named(name), RATES, ASKED, GRID))
    assert found == list(sweep(stays, named(name), RATES, ASKED, GRID))


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
    assert (instant(text), instant(text), instant_of(at)) == (want, want, want), "first, and from its hour"


@calm
@given(st.datetimes(datetime(1900, 1, 2), datetime(2199, 1, 1)), st.integers(-14 * 60, 14 * 60))  # noqa: DTZ001
def test_any_instant_is_read_alike(clock, offset):
    at = clock.replace(tzinfo=timezone(timedelta(minutes=offset)))
    for text in (at.isoformat(), at.replace(microsecond=0).isoformat()):
        assert instant(text) == instant(text) == instant_of(read_instant(text))


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
)  # fmt: skip
FIELDS = (*Stay._fields, "more")


@settings(parent=calm, max_examples=300)
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
        lines += [orjson.dumps(row) + b"\n", odd_line]
    bad: list[BadRow] = []
    plains = list(read_plain(lines, bad))
    reference = list(read_ndjson(lines))
    assert bad == [row for row in reference if isinstance(row, BadRow)]
    assert plains == [plain_of(row) for row in reference if isinstance(row, Stay)]


def test_a_year_that_stands_for_never_is_no_instant():
    with pytest.raises(ValueError, match="no RFC 3339 instant"):
        read_instant("9999-12-31T23:59:59Z")


# --- edges ----------------------------------------------------------------------------------------


def test_no_month_asked_for_settles_nothing():
    law = Law(book().rules)
    assert list(quick([], rules(JH), ()).json_lines()) == []
    assert list(bulk_in_force(by_law(law), law, RATES, ()).json_lines()) == []


def test_a_rate_that_is_missing_refuses_all():
    lines = written([stay("2021-05-02 10:00", "2021-05-09 15:00")], UTC)
    asked = span("2021-05", "2021-05")
    ledger = filled(by_name(rules(LUS)), lines)
    with pytest.raises(UnknownRateError, match="unknown rate 2021"):
        bulk(ledger, rules(LUS), book().rates, asked)
    grid = {"first_payable_day": [Decimal(2)]}
    with pytest.raises(UnknownRateError, match="unknown rate 2021"):
        list(sweep_ledger(ledger, rules(LUS), book().rates, asked, grid))


# --- beside ---------------------------------------------------------------------------------------


def test_a_second_process_gives_the_same_rows_and_faults(tmp_path, monkeypatch):
    monkeypatch.setattr(beside, "WORTH_IT", 0)
    path = tmp_path / "stays.ndjson"
    lines = written([stay("2019-05-14 10:00", "2019-05-20 15:00", f"s{i}") for i in range(5000)], LOCAL)
    lines[3000] = b"{\n"
    lines += lines[:1]
    path.write_bytes(b"".join(lines))
    assert beside.is_worth_it(path)
    found: list[BadRow] = []
    with beside.read_beside(path, found) as rows:
        plains = list(rows)
    bad: list[BadRow] = []
    assert plains == list(read_plain(lines, bad))
    assert (
        found
        == bad
        == [BadRow(3001, "", "no JSON"), BadRow(5001, "stay", "the id stands on an earlier line too")]
    )


def test_a_second_process_that_dies_is_told_of():
    here, there = multiprocessing.Pipe(duplex=False)
    there.close()
    with pytest.raises(UnavailableError):
        list(beside._received(here, []))


def test_small_files_are_read_in_one_process(tmp_path):
    path = tmp_path / "stays.ndjson"
    path.write_bytes(b"\n")
    assert not beside.is_worth_it(path)
