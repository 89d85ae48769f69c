"""A region's own file of rates as text: an amount added to it, and the YAML of the whole.

Owns what an added amount must be. Does not own reading and writing files (`load`, `adapter.commands.rates`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import yaml

from adapter.agreements.agreement import Document
from adapter.agreements.groups import Source
from adapter.agreements.rates import RateEntry, Rates, RateSeries, proposes
from adapter.agreements.terms import CareForm
from adapter.errors import Problem, SetupError

_FIRST_YEAR, _LAST_YEAR = 1992, 2199  # the first of the repealed law, the last that the adapter reckons in
_MOST = Decimal(1_000_000)
_HEAD = """\
# A region's own amounts per day, laid over the shipped rates.yaml: each replaces that of its series and year.
# Written by `losus rates add`, which keeps no comments; checked by `losus agreements check`.
"""


@dataclass(frozen=True, slots=True)
class NewAmount:
    """An amount to be added: of which series, year and care form (None: all), and where it stands."""

    series: str
    year: int
    care_form: CareForm | None
    amount: Decimal
    verified: bool
    title: str
    section: str
    words: str
    address: str | None
    checked: date


def refuse_unsound(new: NewAmount, known: Iterable[str], today: date) -> None:
    """Refuse an amount that cannot be one; SetupError with every fault."""
    faults = [
        (new.series not in known, "not-found", f"no such series; there are: {', '.join(sorted(known))}"),
        (not _FIRST_YEAR <= new.year <= _LAST_YEAR, "value", f"a year from {_FIRST_YEAR} to {_LAST_YEAR}"),
        (not _is_amount(new.amount), "value", "an amount in SEK is over 0 and has at most two decimals"),
        (not new.title.strip(), "required", "the source of an amount: which text, from whom"),
        (new.checked > today, "value", "checked on a day that is yet to come"),
        (
            new.verified and proposes(new.title, new.section, new.words),
            "business-rule",
            "a proposal is not verified: add it with --unverified, and again once it is decided",
        ),
    ]
    problems = [
        Problem(code, rule, f"rate {new.series} {new.year}") for is_fault, code, rule in faults if is_fault
    ]
    if problems:
        raise SetupError(*problems)


def _is_amount(amount: Decimal) -> bool:
    return amount.is_finite() and 0 < amount < _MOST and amount * 100 == (amount * 100).to_integral_value()


def with_amount(own: Rates | None, new: NewAmount, series_title: str) -> Rates:
    """Give the region's own rates with an amount added, or changed where it is there already."""
    documents = dict(own.documents) if own else {}
    document = Document(title=new.title, address=new.address)
    name = next((name for name, known in documents.items() if known == document), None)
    if name is None:
        name = _free_name(new, documents)
        documents[name] = document
    series = dict(own.series) if own else {}
    before = series[new.series].amounts if new.series in series else ()
    left = [entry for entry in before if (entry.year, entry.care_form) != (new.year, new.care_form)]
    amounts = sorted([*left, _entry(new, name)], key=lambda entry: (entry.year, entry.care_form or ""))
    series[new.series] = RateSeries(title=series_title, amounts=tuple(amounts))
    used = {entry.source.document for one in series.values() for entry in one.amounts if entry.source}
    return Rates(
        documents={key: document for key, document in documents.items() if key in used}, series=series
    )


def _free_name(new: NewAmount, taken: Iterable[str]) -> str:
    base, number = f"own-{new.series}-{new.year}", 1
    name = base
    while name in taken:
        number += 1
        name = f"{base}-{number}"
    return name


def _entry(new: NewAmount, document: str) -> RateEntry:
    return RateEntry(
        year=new.year,
        care_form=new.care_form,
        amount=new.amount,
        verified=new.verified,
        source=Source(document=document, section=new.section, words=new.words or new.title),
        checked=new.checked,
    )


class _Dumper(yaml.SafeDumper):
    """Writes amounts as the plain numbers that `marks` reads exactly."""


def _number(dumper: yaml.SafeDumper, value: Decimal) -> yaml.ScalarNode:
    whole = value == value.to_integral_value()
    tag = "tag:yaml.org,2002:int" if whole else "tag:yaml.org,2002:float"
    return dumper.represent_scalar(tag, f"{value:.0f}" if whole else f"{value:f}")


def _code(dumper: yaml.SafeDumper, value: CareForm) -> yaml.ScalarNode:
    return dumper.represent_str(value.value)


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    """Quote what is not printable: PyYAML reads a plain or single-quoted U+0085 as another character."""
    style = None if value.isprintable() else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)
_Dumper.add_representer(Decimal, _number)
_Dumper.add_representer(CareForm, _code)


def rates_text(rates: Rates) -> str:
    """Give the YAML text of a file of rates; `load.read_rates` reads an equal value."""
    value: dict[str, Any] = {
        "documents": {name: _plain(document) for name, document in rates.documents.items()},
        "series": {
            name: {"title": series.title, "amounts": [_plain(entry) for entry in series.amounts]}
            for name, series in rates.series.items()
        },
    }
    return _HEAD + yaml.dump(value, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=110)


def _plain(value: Document | RateEntry) -> dict[str, Any]:
    """Give the fields of a part that the file names; a null amount is one of them."""
    plain = value.model_dump(exclude_none=True)
    if isinstance(value, RateEntry):
        plain["amount"] = value.amount
        order = ("year", "care_form", "amount", "verified", "because", "source", "assumption", "checked")
        plain = {name: plain[name] for name in order if name in plain}
    return plain
