"""Statements for the tests of `adapter.fhir`, each settled from stays by the files in `agreements/`.

Owns a statement of every kind: follow-up, liable, retroactive, empty, excluded stays, open stays, excess,
long stays, suspended, provisional, over a new year, pooled, issued with corrections.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache
from types import MappingProxyType

from adapter.agreements.load import Book, load_book
from adapter.agreements.terms import CareForm, StartIn, Status
from adapter.fhir.elements import Edition
from adapter.fhir.model import FhirVersion
from adapter.fhir.sheet import statement_id
from adapter.losus.days import Month, at_local, months
from adapter.settlement.difference import Issued, issue
from adapter.settlement.example import FIRST, worked_example
from adapter.settlement.gate import GateStatus
from adapter.settlement.heard import FileSpan
from adapter.settlement.reasons import (
    AgreementReason,
    DisputeReason,
    FactChange,
    FactReason,
    GateReason,
    MeanChange,
    MunicipalityReason,
    RateReason,
    TermChange,
)
from adapter.settlement.settle import settle
from adapter.settlement.statement import Statement
from adapter.settlement.stay import Episode, Stay

MADE_AT = datetime(2019, 6, 3, 7, 30, tzinfo=UTC)

JAMTLAND = "jamtland-harjedalen-losus-2018"
LAW = "lus-2017-612"
STOCKHOLM = "stockholm-2020"
VASTRA_GOTALAND = "vastra-gotaland-2018"


@cache
def book() -> Book:
    return load_book()


def edition(version: FhirVersion = FhirVersion.R4, **changed: object) -> Edition:
    given = Edition(
        made_at=MADE_AT, regions=book().regions, municipalities=book().municipalities, version=version
    )
    return replace(given, **changed)  # type: ignore[arg-type]


def stay(name: str, zero: date, days: int, municipality: str, **changed: object) -> Stay:
    """Make a stay that is ready and hemgångsklar in the morning of `zero` and ends so many days later."""

    def at(day: int, hour: int) -> datetime:
        return at_local(zero + timedelta(days=day), time(hour))

    made = Stay(
        stay=name,
        municipality=municipality,
        placing_municipality=None,
        care_form=CareForm.SOMATIC,
        compulsory=False,
        admitted_at=at(-3, 9),
        notice_sent_at=at(-3, 12),
        ready=(Episode(at(0, 9), None, at(0, 10)),),
        sip_required=True,
        sip_called_at=at(0, 13),
        open_care_available=True,
        opposed=False,
        ended_at=at(days, 15),
    )
    return made._replace(**changed)  # type: ignore[arg-type]


@cache
def bilaga_9() -> tuple[Statement, ...]:
    """The worked example: thirteen months, from 2018-03."""
    asked = tuple(months(FIRST, FIRST.plus(13)))
    return settle(worked_example(), book().get(JAMTLAND), book().rates, asked)


def _one(agreement: str, month: Month, *stays: Stay) -> Statement:
    (made,) = settle(stays, book().get(agreement), book().rates, (month,))
    return made


def excluded() -> Statement:
    """By the statute, one stay for every reason; the last month asked for lists the open one too."""
    zero, town = date(2019, 5, 6), "2380"
    unnoticed = {"notice_sent_at": None}
    stays = (
        stay("billed", zero, 5, town),
        stay("not-ready", zero, 5, town, ready=()),
        stay("no-notice", zero, 5, town, **unnoticed),
        stay("no-sip", zero, 5, town, sip_called_at=None),
        stay("not-clarified", zero, 5, town, open_care_available=None, **unnoticed),
        stay("late-notice", zero, 5, town, notice_sent_at=at_local(date(2019, 5, 5), time(9))),
        stay("open", zero, 5, town, ended_at=None),
    )
    return _one(LAW, Month(2019, 5), *stays)


def excess() -> Statement:
    """Västra Götaland: (mean − 3) × stays, a long stay by itself, half days in the product."""
    zero, town = date(2019, 5, 6), "1480"
    days = (0, 4, 4, 5, 7)
    stays = [stay(f"vg-{number}", zero, length, town) for number, length in enumerate(days)]
    return _one(VASTRA_GOTALAND, Month(2019, 5), *stays, stay("vg-long", zero, 12, town))


def excess_of_half_a_day() -> Statement:
    """A threshold of 2.5 days makes days that are no whole number."""
    rules = book().get(VASTRA_GOTALAND).changed(threshold=Fraction(5, 2))
    stays = [stay(f"half-{n}", date(2019, 5, 6), days, "1480") for n, days in enumerate((3, 3, 4))]
    (made,) = settle(stays, rules, book().rates, (Month(2019, 5),))
    return made


def zero_invoice() -> Statement:
    """Västra Götaland wants an invoice where nothing is owed."""
    return _one(VASTRA_GOTALAND, Month(2019, 5), stay("vg-zero", date(2019, 5, 6), 1, "1480"))


def suspended() -> Statement:
    """Stockholm: computed and shown, not invoiced."""
    zero = date(2020, 3, 2)
    return _one(STOCKHOLM, Month(2020, 3), *(stay(f"sthlm-{days}", zero, days, "0180") for days in (1, 3, 5)))


def long_stay_alone() -> Statement:
    """A month of follow-up that pays for a long stay all the same: two parts that explain themselves."""
    return _one(VASTRA_GOTALAND, Month(2019, 5), stay("vg-long", date(2019, 5, 6), 10, "1480"))


def no_rate() -> Statement:
    """2021 has no amount: days and stays, no Invoice."""
    zero = date(2021, 2, 1)
    return _one(LAW, Month(2021, 2), stay("nr-1", zero, 6, "2380"), stay("nr-2", zero, 1, "2380"))


def draft_agreement() -> Statement:
    """An agreement that is not decided, named: every resource says so."""
    given = book().get(JAMTLAND)
    status = given.agreement.status.model_copy(update={"value": Status.DRAFT})
    rules = replace(given, agreement=given.agreement.model_copy(update={"status": status}))
    rules = rules.changed(start_in=StartIn.SAME_MONTH)
    (made,) = settle([stay("dr-1", date(2019, 5, 6), 6, "2380")], rules, book().rates, (Month(2019, 5),))
    return made


def by_day() -> Statement:
    """Psychiatric, over New Year 2018/19: each day by the first payable day in force on it."""
    one = stay("psy-1", date(2018, 12, 1), 45, "2380", care_form=CareForm.PSYCHIATRIC)
    return _one(LAW, Month(2019, 1), one)


def provisional() -> Statement:
    """The amount of 2023 is not confirmed."""
    return _one(LAW, Month(2023, 2), stay("prov-1", date(2023, 2, 6), 6, "2380"))


def over_new_year() -> Statement:
    """Payable days of two years, each at its year's rate."""
    return _one(LAW, Month(2020, 1), stay("ny-1", date(2019, 12, 27), 8, "2380"))


def empty() -> Statement:
    """A month without stays."""
    asked = (Month(2018, 5),)
    (made,) = settle((), book().get(JAMTLAND), book().rates, asked, also=(("2361", "somatic"),))
    return made


def pooled() -> Statement:
    """Both care forms in one mean."""
    zero, town = date(2018, 5, 7), "2380"
    rules = book().get(JAMTLAND).changed(pool_care_forms=True)
    stays = (
        stay("pool-1", zero, 2, town),
        stay("pool-2", zero, 3, town, care_form=CareForm.PSYCHIATRIC),
    )
    (made,) = settle(stays, rules, book().rates, (Month(2018, 5),))
    return made


def region_month(agreement: str, days: Mapping[str, Sequence[int]]) -> tuple[Statement, ...]:
    """May 2018, settled by one agreement: of each municipality the days of its stays."""
    zero = date(2018, 5, 1)
    stays = [
        stay(f"{town}-{n}", zero, length, town)
        for town, lengths in days.items()
        for n, length in enumerate(lengths)
    ]
    also = [(town, "somatic") for town in days]
    return settle(stays, book().get(agreement), book().rates, (Month(2018, 5),), also=also)


@cache
def corrected() -> Issued:
    """2018-08, issued after two stays of 2018-07 turned out otherwise: one shorter by 2 days, one longer."""
    stays = worked_example()
    rules, rates = book().get(JAMTLAND), book().rates
    july, august = Month(2018, 7), Month(2018, 8)
    before = settle(stays, rules, rates, tuple(months(FIRST, august)))
    history = tuple(Issued(statement_id(one), MADE_AT, one, ()) for one in before)
    changed = [_moved(one, {"bilaga9-2018-07-21": -2, "bilaga9-2018-07-11": 1}) for one in stays]
    owed = settle(changed, rules, rates, tuple(months(FIRST, august.plus(1))))
    (made,) = issue(owed, history, august, statement_id, MADE_AT)
    assert {one.post.month for one in made.adjustments} == {july}
    return made


@cache
def adjusted() -> Issued:
    """The same, each line corrected for every kind of reason."""
    made = corrected()
    clauses = book().get(JAMTLAND).on(date(2018, 7, 1), CareForm.SOMATIC).cite("threshold", "rate")
    reasons = (
        FactReason(
            (
                FactChange("s", "ended_at", "2018-07-10T13:00:00Z", "2018-07-12T13:00:00Z"),
                FactChange("s", "ready.1.home_ready_at", None, "2018-07-02T08:00:00Z"),
            ),
            clauses,
        ),
        MunicipalityReason("s", liable=True, how="moved", since=date(2018, 7, 4)),
        GateReason(
            GateStatus.ANALYSIS,
            GateStatus.LIABLE_RETROACTIVE,
            (MeanChange(Month(2018, 8), None, "10/3"), MeanChange(Month(2018, 6), "no-data", "")),
            clauses,
        ),
        DisputeReason("d-1", "rejected", "Räknat rätt."),
        RateReason(2018, Decimal(7000), Decimal(7100), clauses),
        AgreementReason(JAMTLAND, LAW),
        AgreementReason(LAW, LAW, (TermChange("first_payable_day", "4", "3"),)),
    )
    return replace(made, adjustments=tuple(replace(one, reasons=reasons) for one in made.adjustments))


def no_data() -> Statement:
    """A month without any message: nothing is known of it."""
    also, nothing = (("2361", "somatic"),), FileSpan(None, None)
    (made,) = settle((), book().get(JAMTLAND), book().rates, (Month(2018, 5),), also=also, heard=nothing)
    return made


def _moved(one: Stay, days: Mapping[str, int]) -> Stay:
    if one.stay not in days or one.ended_at is None:
        return one
    return one._replace(ended_at=one.ended_at + timedelta(days=days[one.stay]))


#: Every kind of statement by name; those of Bilaga 9 stand apart (`bilaga_9`).
STATEMENTS: Mapping[str, Callable[[], Statement | Issued]] = MappingProxyType(
    {
        "excluded": excluded,
        "excess": excess,
        "excess-of-half-a-day": excess_of_half_a_day,
        "zero-invoice": zero_invoice,
        "suspended": suspended,
        "provisional": provisional,
        "long-stay-alone": long_stay_alone,
        "no-rate": no_rate,
        "draft-agreement": draft_agreement,
        "by-day": by_day,
        "over-new-year": over_new_year,
        "empty": empty,
        "pooled": pooled,
        "corrected": corrected,
        "adjusted": adjusted,
        "no-data": no_data,
    }
)
