"""Parameters of a search: what each asks for, what is refused, what is passed over. R4 search."""

from datetime import UTC, datetime
from typing import Any

import pytest

from adapter.errors import MalformedError
from adapter.fhir.search import (
    COUNT,
    MOST,
    SEARCHED,
    Dated,
    Search,
    Token,
    fits,
    holds,
    read_search,
    sort_keys,
)


def read(kind: str, *given: tuple[str, str], strict: bool = False) -> Search:
    return read_search(kind, given, strict=strict)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


DATES = [
    # value, prefix, start and end in UTC, because
    ("2019", "eq", "2018-12-31T23:00", "2019-12-31T23:00", "a year by Swedish clocks"),
    ("2019-03", "eq", "2019-02-28T23:00", "2019-03-31T22:00", "a month in which summer time begins"),
    ("2019-12", "eq", "2019-11-30T23:00", "2019-12-31T23:00", "the last of a year"),
    ("ge2019-03-31", "ge", "2019-03-30T23:00", "2019-03-31T22:00", "a day of 23 hours"),
    ("lt2019-10-27", "lt", "2019-10-26T22:00", "2019-10-27T23:00", "a day of 25 hours"),
    ("sa2019-05-02T11:00", "sa", "2019-05-02T09:00", "2019-05-02T09:01", "a minute, without a zone"),
    ("eb2019-05-02T11:00Z", "eb", "2019-05-02T11:00", "2019-05-02T11:01", "a minute of UTC"),
    ("ne2019-05-02T11:00:00+02:00", "ne", "2019-05-02T09:00", "2019-05-02T09:00:01", "a second"),
    ("le2019-05-02T11:00:00 02:00", "le", "2019-05-02T09:00", "2019-05-02T09:00:01", "a + become a space"),
    ("gt2019-05-02T11:00:00.500Z", "gt", "2019-05-02T11:00:00.500", "2019-05-02T11:00:00.501", "a fraction"),
    (
        "eq1000",
        "eq",
        "0999-12-31T22:47:48",
        "1000-12-31T22:47:48",
        "before there were zones: Stockholm's sun",
    ),
    ("2999-12-31", "eq", "2999-12-30T23:00", "2999-12-31T23:00", "the last day that is searched"),
]


@pytest.mark.parametrize(("value", "prefix", "start", "end", "because"), DATES)
def test_dates(value: str, prefix: str, start: str, end: str, because: str) -> None:
    [(name, [one])] = read("Invoice", ("date", value)).dates
    assert (name, one.prefix) == ("date", prefix), because
    if not value.startswith("eq1000"):  # the data of the zone differ there
        assert (one.start, one.end) == (utc(start), utc(end)), because


NO_DATES = [
    "ap2019", "xx2019", "19", "2019-13", "2019-02-30", "2019-05-02T", "2019-05-02T25:00", "2019-05-02T11",
    "2019-05-02T11:00+25:00", "9999", "0001", "today", "2019-1", "GE2019", "ge", "2019-05-02T11:00:00,5",
]  # fmt: skip


@pytest.mark.parametrize("value", NO_DATES)
def test_what_is_no_date(value: str) -> None:
    with pytest.raises(MalformedError) as caught:
        read("Invoice", ("date", value))
    [problem] = caught.value.problems
    assert problem.code == "value"
    assert value == "ge" or value not in problem.rule


HOLDS = [
    # prefix, what fits of the ranges below, because (R4 search#prefix)
    ("eq", {"same", "inside"}, "the parameter's range holds the resource's"),
    ("ne", {"before", "after", "over", "early", "late"}, "it does not"),
    ("gt", {"after", "over", "late"}, "the resource's range goes beyond it"),
    ("lt", {"before", "over", "early"}, "or begins before it"),
    ("ge", {"same", "inside", "after", "over", "late"}, "gt or eq"),
    ("le", {"same", "inside", "before", "over", "early"}, "lt or eq"),
    ("sa", {"after"}, "the resource's range begins after it"),
    ("eb", {"before"}, "or ends before it"),
]
RANGES = {
    # the parameter is from day 10 to day 20
    "same": (10, 20), "inside": (12, 15), "before": (1, 10), "after": (20, 25),
    "over": (5, 25), "early": (5, 15), "late": (15, 25),
}  # fmt: skip


@pytest.mark.parametrize(("prefix", "fitting", "because"), HOLDS)
def test_prefixes(prefix: Any, fitting: set[str], because: str) -> None:
    def day(number: int) -> datetime:
        return datetime(2024, 3, number, tzinfo=UTC)

    one = Dated(prefix, day(10), day(20))
    found = {name for name, (start, end) in RANGES.items() if holds(one, day(start), day(end))}
    assert found == fitting, because


TOKENS = [
    # value, tokens, because (R4 search#token, #escaping)
    ("a", [Token(None, "a")], "of any system"),
    ("urn:x|a", [Token("urn:x", "a")], "of that system"),
    ("|a", [Token("", "a")], "of none"),
    ("urn:x|", [Token("urn:x", None)], "any of that system"),
    ("a,urn:x|b", [Token(None, "a"), Token("urn:x", "b")], "a comma is or"),
    (r"a\,b", [Token(None, "a,b")], "but for one that is escaped"),
    (r"urn:x|a\|b", [Token("urn:x", "a|b")], "and so the bar"),
]


@pytest.mark.parametrize(("value", "tokens", "because"), TOKENS)
def test_tokens(value: str, tokens: list[Token], because: str) -> None:
    assert read("Invoice", ("identifier", value)).tokens == (("identifier", tuple(tokens)),), because


ANSWERS = [
    # parameters, field, value, because
    ((), "count", COUNT, "a page where nothing is asked for"),
    ((("_count", "7"),), "count", 7, "R4 search#count"),
    ((("_count", "99999"),), "count", MOST, "never more than asked, and fewer at will"),
    ((("_count", "0"),), "count", 0, "R4 search#count: as _summary=count"),
    ((("_summary", "count"),), "count", 0, "R4 search#summary"),
    ((("_summary", "count"), ("_count", "7")), "count", 0, "with both"),
    ((("_summary", "true"),), "count", COUNT, "accepted"),
    ((("_after", "5"),), "after", 5, "where a page begins"),
    ((("_sort", "date"),), "sort", "date", "R4 search#sort"),
    ((("_sort", "-date"),), "sort", "date", "downwards"),
    ((("_sort", "-date"),), "descending", True, "downwards"),
    ((("_sort", "x"),), "sort", None, "no key"),
    ((("_sort", "date,_id"),), "sort", "date", "the first of several"),
    ((("date", ""),), "dates", (), "an empty date asks for nothing"),
    ((("agreement", ""),), "texts", {"agreement": ""}, "an empty text asks for what has none"),
    ((("agreement", r"a\,b"),), "texts", {"agreement": "a,b"}, "R4 search#escaping"),
    ((("agreement", "a"), ("agreement", "a")), "texts", {"agreement": "a"}, "twice the same"),
    ((("_format", "json"), ("date", "2019")), "used", (("_format", "json"), ("date", "2019")), "in order"),
]


@pytest.mark.parametrize(("given", "field", "value", "because"), ANSWERS)
def test_what_is_understood(given: tuple[tuple[str, str], ...], field: str, value: Any, because: str) -> None:
    assert getattr(read("Invoice", *given), field) == value, because


REFUSED = [
    # parameters, code, because
    ((("date:missing", "true"),), "not-supported", "R4 search#modifiers: refused, never ignored"),
    ((("_sort:desc", "date"),), "not-supported", "DSTU1's way"),
    ((("agreement", "a"), ("agreement", "b")), "not-supported", "never both"),
    ((("_count", "-1"),), "value", "no number of resources"),
    ((("_count", "1.5"),), "value", "nor that"),
    ((("_count", "٣"),), "value", "digits of ASCII"),
    ((("_after", "9" * 19),), "value", "beyond a bigint"),
    ((("_id", "a," * 500),), "too-costly", "more values than a search has"),
    ((("date", "2019"),) * 501, "too-costly", "however they are said"),
]


@pytest.mark.parametrize(("given", "code", "because"), REFUSED)
def test_what_is_refused(given: tuple[tuple[str, str], ...], code: str, because: str) -> None:
    with pytest.raises(MalformedError) as caught:
        read("Invoice", *given)
    assert caught.value.problems[0].code == code, because


PASSED_OVER = [
    # parameter, value, what is named, because (R4 search#errors)
    ("subject", "x", "subject", "an element that is not searched"),
    ("subject:identifier", "x", "subject", "its modifier changes nothing"),
    ("_has:Task:focus:status", "x", "_has", "reverse chaining"),
    ("_include", "Invoice:recipient", "_include", "nothing is included"),
    ("191212121212", "x", "(no name of FHIR's)", "what is no name may be anything"),
    ("a b", "x", "(no name of FHIR's)", "the same"),
    ("_sort", "x", "_sort", "no key"),
    ("_summary", "x", "_summary", "no summary"),
]


@pytest.mark.parametrize(("name", "value", "told", "because"), PASSED_OVER)
def test_what_is_ignored(name: str, value: str, told: str, because: str) -> None:
    found = read("Invoice", (name, value))
    [problem] = found.ignored
    assert (problem.code, told in problem.rule, found.used) == ("not-supported", True, ()), because
    with pytest.raises(MalformedError):
        read("Invoice", (name, value), strict=True)


def test_every_type_is_sorted_by_its_id_and_dates() -> None:
    assert {kind: sort_keys(kind) for kind in SEARCHED} == {
        "MeasureReport": ("_id", "_lastUpdated", "period", "date"),
        "Invoice": ("_id", "_lastUpdated", "period", "date"),
        "ChargeItem": ("_id", "_lastUpdated", "period", "occurrence"),
        "Task": ("_id", "_lastUpdated"),
    }


TASK = {
    "id": "t",
    "status": "requested",
    "identifier": [{"system": "urn:x", "value": "1"}, {"value": "2"}],
}
FITS = [
    # parameters, whether it fits, because; updated 2024-03-04T12:00Z
    ((), True, "nothing is asked for"),
    ((("_id", "t"),), True, "its id"),
    ((("_id", "u"),), False, "another"),
    ((("status", "completed,requested"),), True, "one of two"),
    ((("status", "completed"),), False, "another"),
    ((("status", "http://hl7.org/fhir/task-status|requested"),), False, "a code has no system here"),
    ((("identifier", "1"),), True, "of any system"),
    ((("identifier", "urn:x|1"),), True, "of that"),
    ((("identifier", "|1"),), False, "it has one"),
    ((("identifier", "|2"),), True, "it has none"),
    ((("identifier", "urn:x|"),), True, "any of that system"),
    ((("identifier", "urn:y|"),), False, "of another"),
    ((("_lastUpdated", "2024-03-04"),), True, "within the day"),
    ((("_lastUpdated", "gt2024-03-04"),), False, "not after it"),
    ((("_lastUpdated", "gt2024-03-04"), ("_id", "t")), False, "all of them"),
    ((("_lastUpdated", "gt2024-03-04,lt2025"),), True, "any of a list"),
]


@pytest.mark.parametrize(("given", "is_found", "because"), FITS)
def test_what_fits(given: tuple[tuple[str, str], ...], is_found: bool, because: str) -> None:
    assert fits(read("Task", *given), TASK, utc("2024-03-04T12:00")) is is_found, because
