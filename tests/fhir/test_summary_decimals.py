"""Decimals keep their scale through text and back, and no number is a float (peers 4.1)."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.fhir.decimals import day_count, dumps, loads, money, rounded
from adapter.fhir.model import FhirVersion, model
from adapter.fhir.summary import bundle
from tests.fhir import summary_cases as cases

# given, text in JSON, because
MONEY = [
    (Decimal(284000), "284000.00", "settlement 7; SEK has two decimals"),
    (Decimal("8900.10"), "8900.10", "fhir.resources makes it 8900.1"),
    (Decimal("8900.1"), "8900.10", "at least two decimals"),
    (Decimal("0.125"), "0.125", "settlement 5: nothing is rounded but what the agreement rounds"),
    (Decimal("1E+3"), "1000.00", "FHIR decimals, but people write no exponents in money"),
    (Decimal(-7100), "-7100.00", "a credit"),
    (Decimal(0), "0.00", "an invoice of nothing"),
    (0, "0.00", "a whole number"),
]


@pytest.mark.parametrize(("amount", "text", "because"), MONEY)
def test_money(amount: Decimal | int, text: str, because: str) -> None:
    assert dumps(money(amount)) == f'{{"value":{text},"currency":"SEK"}}'.encode(), because


# days, text, because
DAYS = [
    (Fraction(3), "3", "whole days have no point"),
    (3, "3", "whole days have no point"),
    (Fraction(5, 2), "2.5", "exact"),
    (Fraction(-2), "-2", "taken back"),
    (Decimal("3.0"), "3", "a threshold of 3.0 days"),
    (Decimal("3.333333"), "3.333333", "a mean to six digits"),
]


@pytest.mark.parametrize(("days", "text", "because"), DAYS)
def test_days(days: Fraction | Decimal | int, text: str, because: str) -> None:
    assert f'"value":{text},'.encode() in dumps(day_count(days)), because


# fraction, decimal, because
ROUNDED = [
    (Fraction(10, 3), "3.333333", "down"),
    (Fraction(20, 3), "6.666667", "up"),
    (Fraction(1, 2_000_000), "0.000001", "half up"),
    (Fraction(1, 2_000_001), "0", "under half"),
    (Fraction(4), "4", "whole"),
]


@pytest.mark.parametrize(("value", "text", "because"), ROUNDED)
def test_rounded(value: Fraction, text: str, because: str) -> None:
    assert Decimal(text) == rounded(value), because


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4))
def test_scale_outlives_the_text(value: Decimal) -> None:
    read = loads(dumps({"value": value}))["value"]
    assert (read, str(read)) == (value, format(value, "f"))


@pytest.mark.parametrize("version", FhirVersion)
def test_a_bundle_read_again_is_the_same_text(version: FhirVersion) -> None:
    text = dumps(bundle(cases.bilaga_9(), cases.edition(version)))
    assert dumps(loads(text)) == text
    assert b'"value":284000.00' in text


def test_the_library_would_lose_the_scale() -> None:
    """Why `dumps` is there; when this fails the library has mended it."""
    invoice = next(
        one["resource"]
        for one in bundle(cases.bilaga_9()[4:5], cases.edition())["entry"]
        if one["resource"]["resourceType"] == "Invoice"
    )
    found = model("Invoice", FhirVersion.R4)
    assert found is not None
    assert '"value":284000.00' not in found.model_validate(invoice).model_dump_json()


@pytest.mark.parametrize("wrong", [{"value": 0.1}, {"entry": [{"value": 284000.0}]}, {"value": (1.5,)}])
def test_floats_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(TypeError, match="float"):
        dumps(wrong)


@pytest.mark.parametrize("wrong", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_is_refused(wrong: str) -> None:
    with pytest.raises((ValueError, TypeError)):
        dumps({"value": Decimal(wrong)})


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(TypeError):
        dumps({"value": object()})
