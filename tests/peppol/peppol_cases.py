"""Issued statements of every kind with their documents, and a region that lacks no number.

The numbers are of no one: their check digits are counted in `tests/agreements/test_identifiers.py`.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from adapter.agreements.invoicing import Invoicing
from adapter.losus.days import local_day
from adapter.peppol.statement import Creditor
from adapter.settlement.claim import documents_of, numbered
from adapter.settlement.difference import Issued
from adapter.settlement.stay import Stay
from tests.settlement.making import LUS, VGR, at, stay
from tests.settlement.test_corrections import issued

REGION = Creditor("Region Exempel", "222111-2226")
ISSUED_AT = datetime(2019, 7, 1, 8, tzinfo=UTC)
#: 2 2 2 1 1 1 3 3 3: weights 2 1 2 1 2 1 2 1 2 give 4 2 4 1 2 1 6 3 6 = 29, so the tenth digit is 1.
BUYER: dict[str, Any] = {
    "organisation_number": "2221113331",
    "gln": "7350000123456",
    "peppol": "0088:7350000123456",
    "buyer_reference": "Ref 4711",
}
INVOICING = Invoicing.model_validate(
    {
        "payment_days": 30,
        "vat_number": "SE222111222601",
        "bankgiro": "123-4566",
        "parties": {"2380": BUYER, "1480": BUYER},
    }
)

#: By the statute in 2019, 7 800 SEK a day: of seven days 4 are payable, of four 1.
MAY = stay("2019-05-13 10:00", "2019-05-20 15:00", "stay-a")
JUNE = stay("2019-06-03 10:00", "2019-06-07 15:00", "stay-c")


def _until(one: Stay, when: str) -> Stay:
    return one._replace(ended_at=at(when))


def run(*months: tuple[str, list[Stay]], name: str = LUS) -> list[Issued]:
    """Issue months one after the other, the documents numbered from 1."""
    history: list[Issued] = []
    for month, stays in months:
        history = issued(stays, name, months[0][0], month, month, history)
    done: list[Issued] = []
    count = 0
    for one in history:
        on = replace(one, issued_at=ISSUED_AT)
        made = documents_of(on, done, INVOICING, local_day(ISSUED_AT))
        numbers = [f"23-2019-{count + n:06d}" for n in range(1, len(made) + 1)]
        count += len(made)
        done.append(replace(on, documents=numbered(made, numbers)))
    return done


def credited() -> Issued:
    """June: an invoice of 7 800, and a credit note of 31 200 for May's."""
    return run(("2019-05", [MAY]), ("2019-06", [_until(MAY, "2019-05-14 10:00"), JUNE]))[-1]


def debited() -> Issued:
    """June with two days more of May: one invoice of 23 400."""
    return run(("2019-05", [MAY]), ("2019-06", [_until(MAY, "2019-05-22 10:00"), JUNE]))[-1]


def excess() -> Issued:
    """Västra Götaland: (mean − 3) × stays, and a long stay by itself."""
    ends = ("2019-05-10", "2019-05-10", "2019-05-11", "2019-05-18")
    stays = [
        stay("2019-05-06 10:00", f"{end} 15:00", f"vg-{n}")._replace(municipality="1480")
        for n, end in enumerate(ends)
    ]
    return run(("2019-05", stays), name=VGR)[-1]


def zero() -> Issued:
    """Västra Götaland wants an invoice where nothing is owed."""
    one = stay("2019-05-06 10:00", "2019-05-07 15:00", "vg-zero")._replace(municipality="1480")
    return run(("2019-05", [one]), name=VGR)[-1]


CASES: Mapping[str, Any] = MappingProxyType(
    {"credited": credited, "debited": debited, "excess": excess, "zero": zero}
)
