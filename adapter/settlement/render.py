"""A statement as JSON values and as rows: the shape of contract 6.

Owns the names of the fields. Fractions are text (`"10/3"`), amounts exact decimals, whole numbers where
they are whole. Does not own writing it anywhere (`adapter.commands`).
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import orjson

from adapter.agreements.federation import Recipient
from adapter.agreements.rates import Rate
from adapter.agreements.terms import Clause
from adapter.settlement.gate import MonthMean
from adapter.settlement.parts import Part, parts_of
from adapter.settlement.statement import Charge, Counted, Line, NoRate, Statement

#: Digits after the point of `mean_decimal`, which is for the eye; the exact mean stands beside it.
_MEAN_DIGITS = Decimal("0.000001")

CSV_COLUMNS = (
    "municipality",
    "care_form",
    "month",
    "agreement",
    "stays",
    "mean",
    "mean_decimal",
    "threshold",
    "status",
    "payable_days",
    "amount",
    "due",
    "excluded",
    "suspended",
    "provisional",
    "no_rate",
    "draft",
    "long_stays",
    "long_stay_days",
    "long_stay_amount",
    "explained",
    "region",
)


def statement_json(statement: Statement) -> dict[str, Any]:
    """Give the JSON object of a statement; decimals are exact, and dumped so by `dumps`.

    Of a month of which nothing is known (`no-data`) no count is given.
    """
    mean = statement.mean
    return {
        "agreement": statement.agreement,
        "agreement_version": statement.version,
        "because": statement.because,
        "region": statement.region,
        "municipality": statement.municipality,
        **_recipient(statement.recipient),
        "care_form": statement.care_form,
        "month": str(statement.month),
        "stays": None if mean.no_data else mean.stays,
        "days": None if mean.no_data else mean.days,
        "day_zero": None if mean.no_data else mean.day_zero,
        "mean": None if mean.mean is None else str(mean.mean),
        "mean_decimal": mean_decimal(mean),
        "mean_compared": None if mean.compared is None else str(mean.compared),
        "threshold": None if mean.terms.threshold is None else str(mean.terms.threshold),
        "status": statement.status.value,
        "payable_days": plain(statement.payable_days),
        "amount": None if statement.no_rate else statement.amount,
        "due": None if statement.no_rate else statement.due,
        "no_rate": no_rate_json(statement.no_rate),
        "suspended": statement.suspended,
        "draft": statement.draft,
        "provisional": statement.provisional,
        "rates": rates_json(statement.rates),
        "long_stays": statement.long_stays,
        "protected": statement.protected,
        "municipality_entered": statement.entered,
        "parts": [part_json(part) for part in parts_of(statement)],
        "excluded": statement.excluded_by(),
        "excluded_stays": [{"stay": one.stay, "reasons": list(one.reasons)} for one in statement.excluded],
        "lines": [line_json(line) for line in statement.lines],
        "clauses": [clause_json(clause) for clause in statement.clauses],
        "assumptions": [
            {"id": one.id, "what": one.what, "because": one.because} for one in statement.assumptions
        ],
    }


def statement_row(statement: Statement) -> dict[str, str]:
    """Give the row of a statement under `CSV_COLUMNS`, all text; an empty cell is null."""
    given = statement_json(statement)
    given["excluded"] = " ".join(f"{reason}:{count}" for reason, count in given["excluded"].items())
    parts = parts_of(statement)
    long = parts[1] if parts else None
    given["long_stay_days"] = None if long is None else plain(long.payable_days)
    given["long_stay_amount"] = None if long is None else long.amount
    given["explained"] = " ".join(part.words[1] for part in parts)
    given["no_rate"] = " ".join(map(str, statement.no_rate.years)) if statement.no_rate else None
    return {name: _cell(given[name]) for name in CSV_COLUMNS}


def _recipient(recipient: Recipient | None) -> dict[str, Any]:
    """Give the federation that is addressed; nothing where the municipality itself is."""
    if recipient is None:
        return {}
    number = recipient.party.organisation_number
    return {
        "recipient": {
            "federation": recipient.id,
            "name": recipient.name,
            "organisation_number": number,
            "verified": recipient.verified,
        }
    }


def mean_decimal(mean: MonthMean) -> Decimal | None:
    """Give the mean with at most six digits, half up, for people; None in a month without stays."""
    if mean.mean is None:
        return None
    scaled = mean.mean / Fraction(_MEAN_DIGITS)
    rounded = Decimal((2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)) * _MEAN_DIGITS
    return rounded.normalize() + 0


def plain(value: Fraction) -> int | str:
    """Give a whole number as such and another one as text, `"7/2"`."""
    return value.numerator if value.denominator == 1 else str(value)


def dumps(value: object) -> bytes:
    """Write JSON, decimals digit by digit and never as floats."""
    return orjson.dumps(value, default=_decimal)


def _decimal(value: object) -> orjson.Fragment:
    if isinstance(value, Decimal):
        return orjson.Fragment(format(value, "f"))
    raise TypeError(type(value).__name__)


def part_json(part: Part) -> dict[str, Any]:
    """Give what the amount of a month is due to: its mean, or its long stays."""
    return {
        "of": part.of.value,
        "stays": part.stays,
        "payable_days": plain(part.payable_days),
        "amount": part.amount,
        "because": part.words[1],
    }


def no_rate_json(no_rate: NoRate | None) -> dict[str, Any] | None:
    """Give the years without a rate and the stays concerned; None where every rate is known."""
    if no_rate is None:
        return None
    return {"years": list(no_rate.years), "stays": list(no_rate.stays)}


def rates_json(rates: Iterable[Rate]) -> list[dict[str, Any]]:
    """Give the rates that a statement uses."""
    return [
        {"year": rate.year, "amount": rate.amount, "verified": rate.verified, "source": rate.source}
        for rate in rates
    ]


def line_json(line: Line) -> dict[str, Any]:
    """Give the JSON object of a line; its stay stands first."""
    span = line.span
    return {
        "stay": line.stay,
        "days": line.days,
        "payable_days": plain(line.payable_days),
        "amount": line.amount,
        "basis": line.basis.value,
        "day_zero": None if line.zero is None else line.zero.isoformat(),
        "ended": None if line.end is None else line.end.isoformat(),
        "first_payable": None if span is None else span[0].isoformat(),
        "last_payable": None if span is None else span[1].isoformat(),
        "charges": [_charge(charge) for charge in line.charges],
        "flags": list(line.flags),
        "reasons": list(line.reasons),
        "clauses": [clause.term for clause in line.clauses],
        **({"counted": [_counted(one) for one in line.counted]} if line.counted else {}),
    }


def _counted(one: Counted) -> dict[str, Any]:
    return {
        "stay": one.stay,
        "day_zero": one.zero.isoformat(),
        "ended": one.end.isoformat(),
        "days": one.days,
    }


def _charge(charge: Charge) -> dict[str, Any]:
    return {
        "year": charge.rate.year,
        "days": plain(charge.days),
        "unit_price": charge.rate.amount,
        "amount": charge.amount,
    }


def clause_json(clause: Clause) -> dict[str, str | None]:
    """Give the JSON object of a clause."""
    return {
        "term": clause.term,
        "document": clause.document or None,
        "section": clause.section or None,
        "words": clause.words or None,
        "assumption": clause.assumption,
    }


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def json_lines(statements: Iterable[Statement]) -> Iterator[bytes]:
    """Give one JSON object a line."""
    return (dumps(statement_json(statement)) + b"\n" for statement in statements)
