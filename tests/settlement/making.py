"""Short ways to say a stay, an agreement and a month; local Swedish time throughout."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from adapter.agreements.load import Book, default_folder, load_book, read_agreement
from adapter.agreements.rates import RateEntry, Rates, RateSeries
from adapter.agreements.rules import Rules, rules_of
from adapter.agreements.terms import CareForm
from adapter.losus.days import LOCAL, Month, months
from adapter.settlement import settle as settling
from adapter.settlement.statement import Statement
from adapter.settlement.stay import Episode, Stay

JH = "jamtland-harjedalen-losus-2018"
LUS = "lus-2017-612"
BAL = "bal-1990-1404"
STHLM = "stockholm-2020"
VGR = "vastra-gotaland-2018"


@dataclass(frozen=True)
class Case:
    """One row of a table: what is asked, how, the exact answer, and the clause that makes it so."""

    what: str
    got: Callable[[], Any]
    want: Any
    because: str

    def holds(self) -> bool:
        try:
            return bool(self.got() == self.want)
        except Exception:  # noqa: BLE001 - a planted bug may also crash
            return False


@cache
def book() -> Book:
    return load_book()


def rules(name: str, **changes: Any) -> Rules:
    found = book().get(name)
    return found.changed(**changes) if changes else found


def at(text: str) -> datetime:
    """`2018-05-14 10:00` on a Swedish clock."""
    return datetime.fromisoformat(text).replace(tzinfo=LOCAL)


def day(text: str) -> date:
    return date.fromisoformat(text)


def span(first: str, last: str) -> tuple[Month, ...]:
    """Both included."""
    return tuple(months(Month.parse(first), Month.parse(last).plus(1)))


def episode(sent: str, home: str | None = "", withdrawn: str | None = None) -> Episode:
    """Hemgångsklar as it is sent, unless `home` says another time, or None for never."""
    home_at = None if home is None else at(home or sent)
    return Episode(at(sent), at(withdrawn) if withdrawn else None, home_at)


def stay(ready: str | Sequence[Episode], end: str | None, name: str = "s", **more: Any) -> Stay:
    """A stay that nothing keeps from being billed, but for what `more` says."""
    episodes = (episode(ready),) if isinstance(ready, str) else tuple(ready)
    first = episodes[0].sent_at if episodes else at("2018-01-02 10:00")
    given: dict[str, Any] = {
        "stay": name,
        "municipality": "2380",
        "placing_municipality": None,
        "care_form": CareForm.SOMATIC,
        "compulsory": False,
        "admitted_at": first.replace(hour=0, minute=0, second=0),
        "notice_sent_at": first.replace(hour=1),
        "ready": episodes,
        "sip_required": True,
        "sip_called_at": first,
        "open_care_available": True,
        "opposed": False,
        "ended_at": None if end is None else at(end),
    }
    made = Stay(**{**given, **more})
    return made._replace(care_form=CareForm(made.care_form))


def days_of(count: int, days: int, month: str = "2019-05", prefix: str = "") -> list[Stay]:
    """`count` stays of the month that each lasted `days` after day zero, all within the month."""
    return [
        stay(f"{month}-01 10:00", f"{month}-{1 + days:02d} 15:00", f"{prefix}{month}/{days}/{i}")
        for i in range(count)
    ]


def one_price(amount: str = "7100") -> Rates:
    """The same amount for every year: what an example reckons with."""
    listed = book().rates
    years = [RateEntry(year=year, amount=Decimal(amount), verified=True) for year in range(2010, 2031)]
    series = {name: RateSeries(title=name, amounts=tuple(years)) for name in listed.series}
    return Rates(documents=listed.documents, series=series)


def lacking(year: int, form: CareForm | None = None) -> Rates:
    """The same amount for every year but one, which has none: for all care forms, or for one."""
    known = one_price()
    series = {
        name: RateSeries(
            title=name,
            amounts=(
                *(entry for entry in one.amounts if form or entry.year != year),
                RateEntry(year=year, care_form=form, amount=None, because="not decided"),
            ),
        )
        for name, one in known.series.items()
    }
    return Rates(documents=known.documents, series=series)


@cache
def by_day() -> Rules:
    """Jämtland with a first payable day that changes thrice in 2019, each day having its own."""
    path = default_folder() / f"{JH}.yaml"
    text = path.read_text()
    start = text.index("    - value: 30", text.index("  first_payable_day:"))
    end = text.index("  count_end_day:")
    changes = "".join(
        f"    - {{value: {value}, from: {first}, through: {last}, by: day, assumption: varje-dag-for-sig}}\n"
        for value, first, last in ((6, "2019-03-10", "2019-06-19"), (1, "2019-06-20", "2019-09-30"))
    )
    with TemporaryDirectory() as folder:
        draft = Path(folder) / f"{JH}.yaml"
        draft.write_text(text[:start] + changes + text[end:])
        return rules_of(read_agreement(draft))


def settled(
    stays: Iterable[Stay], name: str | Rules, first: str, last: str = "", rates: Rates | None = None
) -> tuple[Statement, ...]:
    chosen = rules(name) if isinstance(name, str) else name
    return settling.settle(stays, chosen, rates or book().rates, span(first, last or first))


def month_of(stays: Iterable[Stay], name: str | Rules, month: str, rates: Rates | None = None) -> Statement:
    """The only statement of that month."""
    (found,) = settled(stays, name, month, rates=rates)
    return found


def in_force(
    stays: Iterable[Stay], first: str, last: str = "", home: str | None = None
) -> tuple[Statement, ...]:
    asked = span(first, last or first)
    return settling.settle_in_force(stays, book().rules, book().rates, asked, home=home)


def amounts(statements: Iterable[Statement]) -> list[str]:
    return [f"{one.amount:f}" for one in statements]
