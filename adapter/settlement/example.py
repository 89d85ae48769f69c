"""The worked example of Bilaga 9: thirty stays a month, for thirteen months.

Owns the stays of settlement rules 7. The first four months are the agreement's own («10 patienter går hem
dag noll, 10 patienter blir kvar två dagar …»), the rest carry it on through stop and second start.
"""

from collections.abc import Iterator
from datetime import datetime, time, timedelta

from adapter.agreements.terms import CareForm
from adapter.losus.days import Month, at_local
from adapter.settlement.stay import Episode, Stay

MUNICIPALITY = "2380"
FIRST = Month(2018, 3)

#: Days after day zero, and how many stays have them, month by month.
MONTHS: tuple[tuple[tuple[int, int], ...], ...] = (
    ((10, 0), (10, 2), (10, 4)),
    ((10, 0), (10, 4), (10, 6)),
    ((10, 2), (10, 4), (10, 6)),
    ((10, 2), (10, 4), (10, 6)),
    ((10, 2), (10, 4), (10, 6)),
    ((30, 0),),
    ((30, 0),),
    ((30, 0),),
    ((30, 0),),
    ((30, 4),),
    ((30, 4),),
    ((30, 4),),
    ((30, 3),),
)


def worked_example(first: Month = FIRST, municipality: str = MUNICIPALITY) -> list[Stay]:
    """Give the stays, oldest month first, that begin with `first`."""
    return [
        stay
        for offset, groups in enumerate(MONTHS)
        for stay in _month(first.plus(offset), groups, municipality)
    ]


def _month(month: Month, groups: tuple[tuple[int, int], ...], municipality: str) -> Iterator[Stay]:
    number = 0
    for count, days in groups:
        for _ in range(count):
            number += 1
            yield _stay(f"bilaga9-{month}-{number:02d}", month, days, number, municipality)


def _stay(stay: str, month: Month, days: int, number: int, municipality: str) -> Stay:
    """Make a stay that ends in the month, all its payable days within it: they have the month's rate."""
    zero = month.first + timedelta(days=7 + number % 14)

    def at(day: int, hour: int, minute: int = 0) -> datetime:
        return at_local(zero + timedelta(days=day), time(hour, minute))

    return Stay(
        stay=stay,
        municipality=municipality,
        placing_municipality=None,
        care_form=CareForm.SOMATIC,
        compulsory=False,
        admitted_at=at(-5, 9),
        notice_sent_at=at(-5, 14),
        ready=(Episode(at(0, 9, 30), None, at(0, 11)),),
        sip_required=True,
        sip_called_at=at(0, 13),
        open_care_available=True,
        opposed=False,
        ended_at=at(days, 15),
    )
