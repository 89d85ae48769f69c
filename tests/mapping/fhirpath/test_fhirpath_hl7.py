"""HL7's FHIRPath suite, every row of it: what we answer, what the library answers, and where they part.

The three tables at the top are exact: a row that no longer belongs in one fails.
"""

import sys
from collections import Counter

import pytest

from tests.mapping.fhirpath.hl7_suite import FAULT, Row, accepted, as_expected, ask_library, ask_ours, rows

ROWS = rows()
RUNNABLE = [row for row in ROWS if row.resource is not None]
needs_suite = pytest.mark.skipif(not ROWS, reason="needs the shared data: HL7's FHIRPath suite")

# Rows that the compiler leaves to the library, which has no answer to them either.
REFUSED = {
    "testQuantity9": "no product of units is known: a discharge message multiplies no lengths",
    "testQuantity10": "same",
    "testQuantity11": "same",
    "testConformsTo1": "no function of this project: profiles are checked by the room `fhir`",
    "testConformsTo2": "same",
} | {
    row.name: "no such function in the library either: lowBoundary, highBoundary, comparable, precision"
    for row in RUNNABLE
    if row.name.startswith(("LowBoundary", "HighBoundary", "Comparable", "Precision"))
}

# Rows whose input among the shared data is not the one the suite was written for.
OTHER_INPUT = {
    "testFHIRPathIsFunction8": "observation-example.json has no extension patient-age",
    "testFHIRPathIsFunction9": "same",
    "testFHIRPathIsFunction10": "same",
}

# Rows on which fhirpathpy 2.2.4 contradicts the suite, with ours as the suite wants it.
LIBRARY_IS_WRONG = {
    name: reason
    for reason, names in {
        "it counts resourceType as a child": "testDollarOrderNotAllowed",
        "it has no type Date": "testLiteralDateYear testLiteralDateMonth testLiteralDateDay",
        "it cannot read @2015T and drops the rest": "testLiteralDateTimeYear testLiteralDateTimeMonth "
        "testLiteralDateTimeDay",
        "a missing offset or time leaves equality open": "testDateNotEqualTimezoneOffsetBefore "
        "testDateNotEqualTimezoneOffsetAfter testDateNotEqualUTC testEquality23 testNEquality17",
        "it compares now() and today() as strings": "testDateTimeGreaterThanDate2",
        "it takes several items where one is required": "testNotInvalid testSingle2 testIif10",
        "it reads 1.0 as an integer": "testDecimalLiteralIsDecimal testDecimalLiteralToString testToString4",
        "a month of the calendar is no mean month": "testStringQuantityMonthLiteralToQuantity "
        "testStringQuantityYearLiteralToQuantity",
        "its booleans are Python's": "testBooleanLiteralToString",
        "it does not order quantities": "testQuantity7 testQuantity8 testLessThan22 testLessOrEqual22 "
        "testGreatorOrEqual22 testGreaterThan22",
        "it does not take {} as an argument": "testIndexOf5 testReplace6",
        "it takes '' as empty": "testStartsWith10",
        "it puts the substitute between all letters": "testReplaceMatches2",
        "it has no such function": "testMatchesFullWithinUrl1 testMatchesFullWithinUrl3 "
        "testMatchesFullWithinUrl4 testMatchesFullWithinUrl1a testMatchesFullWithinUrl2 testEscapeHtml "
        "testEscapeJson testUnescapeHtml testUnescapeJson testSort1 testSort2 testSort3 testSort4 testSort5 "
        "testSort6 testSort7 testSort8 testSort9 testSort10",
        "equivalence has no order": "testEquivalent21 testEquivalent23 testNotEquivalent21",
        "it loses the offset": "testPlusDate3 testPlusDate4 testPlusDate5 testPlusDate6 testPlusDate7 "
        "testPlusDate8 testPlusDate18 testPlusDate19 testPlusDate20 testPlusDate21 testPlusDate22",
        "it does not take 'month' in quotes": "testMinus5",
        "it requires the precision": "testRound1",
        "it takes no absolute value of a quantity": "testAbs3",
        "`is` binds tighter than `|` and `>`": "testPrecedence3 testPrecedence4",
        "a single item that is no boolean counts as true": "from-zulip-1",
        "`as` and `ofType` do not take kinds of a primitive": "testFHIRPathAsFunction11 "
        "testFHIRPathAsFunction16",
        "it does not know which types there are": "testFHIRPathAsFunction23 testFHIRPathAsFunction24",
    }.items()
    for name in names.split()
}
# Names that the suite gives to two rows, of which one only is in the table above.
TWICE = {"testEquivalent23": "(1 | 2 | 3) ~ (1 | 2 | 3)"}


def parts_from_library(row: Row) -> bool:
    return row.name in LIBRARY_IS_WRONG and TWICE.get(row.name) != row.text


@needs_suite
@pytest.mark.parametrize("row", RUNNABLE, ids=str)
def test_the_compiler_takes_every_row_but_those_named(row):
    assert accepted(row) == (row.name not in REFUSED)


@needs_suite
@pytest.mark.parametrize("row", RUNNABLE, ids=str)
def test_the_answer_is_the_suites(row):
    known = row.name in REFUSED or row.name in OTHER_INPUT
    assert as_expected(row, ask_ours(row)) != known


@needs_suite
@pytest.mark.parametrize("row", [row for row in RUNNABLE if row.name not in REFUSED], ids=str)
def test_compiled_and_library_agree_but_where_the_library_is_wrong(row):
    ours, theirs = ask_ours(row), ask_library(row)
    if row.invalid in {"syntax", "semantic"}:
        assert ours == FAULT  # the library has no static checks, and stops reading at what it cannot parse
    elif parts_from_library(row):
        assert ours != theirs
        assert not as_expected(row, theirs)
    else:
        assert ours == theirs


@needs_suite
def test_rows_that_must_fail_are_run_and_fail():
    must_fail = [row for row in RUNNABLE if row.invalid is not None]
    assert len(must_fail) > 30
    assert [row.name for row in must_fail if ask_ours(row) != FAULT] == []


@needs_suite
def test_tables_name_rows_that_exist():
    names = {row.name for row in RUNNABLE}
    assert set(REFUSED) | set(OTHER_INPUT) | set(LIBRARY_IS_WRONG) <= names


@needs_suite
def test_summary(capsys):
    count: Counter[str] = Counter(rows=len(ROWS), runnable=len(RUNNABLE))
    for row in RUNNABLE:
        if accepted(row):
            ours = ask_ours(row)
            count["accepted"] += 1
            count["as the suite expects"] += as_expected(row, ours)
            count["agreeing with the library"] += ours == ask_library(row)
    with capsys.disabled():
        sys.stdout.write(
            f"\nHL7's suite: {', '.join(f'{number} {what}' for what, number in count.items())}\n"
        )
    assert count["accepted"] / count["runnable"] > 0.85
    assert count["as the suite expects"] / count["accepted"] > 0.99
    assert count["agreeing with the library"] / count["accepted"] > 0.8
