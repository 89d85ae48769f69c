"""Settlement rules 2: notice day, day zero, length, payable days."""

from adapter.settlement import measure as measuring
from adapter.settlement.length import payable_days
from adapter.settlement.stay import Stay
from tests.settlement.making import BAL, JH, LUS, STHLM, VGR, Case, at, day, episode, rules, stay


def measured(name: str, one: Stay) -> measuring.Measured:
    assert one.ended_at is not None
    end = one.ended_at.astimezone(at("2018-01-01 00:00").tzinfo).date()
    return measuring.measure(one, end, rules(name).on(end, one.care_form))


def zero_of(name: str, one: Stay) -> str:
    found = measured(name, one)
    return str(found.out or found.zero)


def length_of(name: str, one: Stay) -> int:
    return measured(name, one).days


def payable(name: str, one: Stay) -> list[str]:
    found = measured(name, one)
    assert found.zero is not None
    return [str(x)[5:] for x in payable_days(found.zero, found.end, found.terms)]


def _zero(agreement: str, ready: str, want: str, because: str, home: str | None = "") -> Case:
    one = stay([episode(ready, home)], "2018-12-20 15:00")
    return Case(f"day zero {agreement} {ready} home {home}", lambda: zero_of(agreement, one), want, because)


def _length(agreement: str, ready: str, end: str, want: int, because: str) -> Case:
    return Case(
        f"length {agreement} {ready} to {end}", lambda: length_of(agreement, stay(ready, end)), want, because
    )


def _pays(agreement: str, ready: str, end: str, want: str, because: str, **more: object) -> Case:
    return Case(
        f"payable {agreement} {ready} to {end} {more}",
        lambda: payable(agreement, stay(ready, end, **more)),
        want.split(),
        because,
    )


CUTOFF = [
    _zero(LUS, "2018-05-14 11:59:59", "2018-05-14", "LUS 5:4: before 12.00, the same day"),
    _zero(LUS, "2018-05-14 12:00:00", "2018-05-14", "LUS 5:4 «efter klockan 12.00»: sharp is not after"),
    _zero(LUS, "2018-05-14 12:00:00.000001", "2018-05-15", "LUS 5:4: after 12.00"),
    _zero(LUS, "2018-05-14 23:59:59", "2018-05-15", "LUS 5:4: after 12.00, still one day"),
    _zero(JH, "2018-05-14 11:59:59.999999", "2018-05-14", "Bilaga 9, fotnot 4 «före kl. 12:00»"),
    _zero(JH, "2018-05-14 12:00:00", "2018-05-15", "Bilaga 9, fotnot 4: 12:00 sharp is not before"),
    _zero(STHLM, "2018-05-14 11:59", "2018-05-14", "«före klockan 12.00 denna dag»"),
    _zero(STHLM, "2018-05-14 12:00", "2018-05-15", "«före klockan 12.00 denna dag»"),
    _zero(VGR, "2018-05-14 12:00", "2018-05-14", "assumed as in the law"),
    _zero(VGR, "2018-05-14 12:01", "2018-05-15", "assumed as in the law"),
    _zero(BAL, "2018-05-14 23:59:59", "2018-05-14", "BAL 11 §: no hour matters"),
    _zero(LUS, "2018-12-31 12:01", "2019-01-01", "over the turn of the year"),
    Case(
        "summer noon in UTC",
        lambda: zero_of(JH, stay([episode("2018-07-02 12:30", "2018-07-02 08:00")], "2018-07-20 15:00")),
        "2018-07-03",
        "12:30 summer time is 10:30 UTC: local wall time decides",
    ),
    Case(
        "winter noon in UTC",
        lambda: zero_of(JH, stay([episode("2018-12-03 12:30", "2018-12-03 08:00")], "2018-12-20 15:00")),
        "2018-12-04",
        "12:30 winter time is 11:30 UTC: local wall time decides",
    ),
    _zero(
        JH, "2018-03-25 11:59", "2018-03-25", "noon on the day that summer time begins", "2018-03-25 01:30"
    ),
    _zero(
        JH, "2018-03-25 12:00", "2018-03-26", "noon on the day that summer time begins", "2018-03-25 01:30"
    ),
    _zero(JH, "2018-10-28 11:59", "2018-10-28", "noon on the day that summer time ends", "2018-10-28 01:30"),
    _zero(JH, "2018-10-28 12:00", "2018-10-29", "noon on the day that summer time ends", "2018-10-28 01:30"),
]

CLOCK = [
    _zero(JH, "2018-05-14 10:00", "2018-05-14", "both on one day", "2018-05-14 23:59"),
    _zero(
        JH, "2018-05-14 10:00", "2018-05-15", "hemgångsklar the day after, at any hour", "2018-05-15 23:59"
    ),
    _zero(
        JH,
        "2018-05-14 10:00",
        "2018-05-14",
        "hemgångsklar before the notice: the notice decides",
        "2018-05-10 09:00",
    ),
    _zero(
        JH, "2018-05-14 13:00", "2018-05-15", "notice after 12, hemgångsklar the same day", "2018-05-14 15:00"
    ),
    _zero(JH, "2018-05-14 10:00", "not-home-ready", "Bilaga 9 «inte är hemgångsklara omfattas inte»", None),
    _zero(LUS, "2018-05-14 10:00", "2018-05-14", "the law does not know hemgångsklar", None),
    _zero(LUS, "2018-05-14 10:00", "2018-05-14", "the law does not know hemgångsklar", "2018-05-20 10:00"),
    Case(
        "home-ready by UTC",
        lambda: zero_of(JH, stay([episode("2018-07-02 10:00", "2018-07-04 01:30")], "2018-07-20 15:00")),
        "2018-07-04",
        "01:30 summer time is the day before in UTC",
    ),
]

_FIRST, _SECOND = episode("2018-05-14 10:00", withdrawn="2018-05-15 09:00"), episode("2018-05-17 10:00")
_TAKEN_BACK = episode("2018-05-17 10:00", withdrawn="2018-05-18 10:00")
EPISODES = [
    Case(
        "withdrawn and again",
        lambda: zero_of(LUS, stay([_FIRST, _SECOND], "2018-05-25 15:00")),
        "2018-05-17",
        "on_withdrawal: restart",
    ),
    Case(
        "again, then withdrawn",
        lambda: zero_of(LUS, stay([episode("2018-05-14 10:00"), _TAKEN_BACK], "2018-05-25 15:00")),
        "2018-05-14",
        "the last that is not withdrawn",
    ),
    Case(
        "the last of two that stand",
        lambda: zero_of(LUS, stay([episode("2018-05-14 10:00"), _SECOND], "2018-05-25 15:00")),
        "2018-05-17",
        "the last that is not withdrawn",
    ),
    Case(
        "all withdrawn",
        lambda: zero_of(LUS, stay([_FIRST, _TAKEN_BACK], "2018-05-25 15:00")),
        "not-ready",
        "no effective episode: no day count",
    ),
    Case(
        "never ready",
        lambda: zero_of(LUS, stay([], "2018-05-25 15:00")),
        "not-ready",
        "no effective episode: no day count",
    ),
    Case(
        "home-ready of the effective episode",
        lambda: zero_of(
            JH,
            stay(
                [episode("2018-05-14 10:00", "2018-05-20 10:00", "2018-05-15 09:00"), _SECOND],
                "2018-05-25 15:00",
            ),
        ),
        "2018-05-17",
        "what the withdrawn one reached is gone",
    ),
]

LENGTH = [
    _length(LUS, "2018-05-14 10:00", "2018-05-14 23:00", 0, "home on day zero"),
    _length(LUS, "2018-05-14 12:30", "2018-05-14 15:00", 0, "home before day zero: never below 0"),
    _length(LUS, "2018-05-14 10:00", "2018-05-15 00:00", 1, "midnight is the next day"),
    _length(LUS, "2018-05-14 10:00", "2018-05-18 07:00", 4, "dates are counted, not hours"),
    _length(LUS, "2018-03-24 10:00", "2018-03-27 00:30", 3, "over the change to summer time"),
    _length(LUS, "2018-10-27 10:00", "2018-10-30 00:30", 3, "over the change to winter time"),
    _length(
        BAL,
        "2017-06-19 10:00",
        "2017-06-26 10:00",
        4,
        "BAL 11 §: Saturday, Sunday and midsommarafton not counted",
    ),
    _length(BAL, "2017-06-19 10:00", "2017-06-25 10:00", 3, "Tuesday, Wednesday, Thursday"),
    _length(
        BAL,
        "2017-12-22 10:00",
        "2018-01-02 10:00",
        4,
        "BAL 11 §: julafton, nyårsafton and helgdagar not counted",
    ),
]

PAYABLE = [
    _pays(LUS, "2018-05-14 10:00", "2018-05-16 10:00", "", "LUS 5:4: enters on Thursday"),
    _pays(LUS, "2018-05-14 10:00", "2018-05-17 10:00", "", "LUS: day 3 is the day of discharge, not counted"),
    _pays(LUS, "2018-05-14 10:00", "2018-05-18 10:00", "05-17", "LUS 5:4: «tre dagar efter»: from Thursday"),
    _pays(LUS, "2018-05-14 12:01", "2018-05-18 10:00", "", "LUS 5:4: «fyra dagar efter»: from Friday"),
    _pays(LUS, "2018-05-14 12:01", "2018-05-19 10:00", "05-18", "LUS 5:4: «fyra dagar efter»: from Friday"),
    _pays(JH, "2018-05-14 10:00", "2018-05-17 10:00", "", "Bilaga 9: three days cost nothing"),
    _pays(JH, "2018-05-14 10:00", "2018-05-18 10:00", "05-18", "Bilaga 9: four days pay one"),
    _pays(JH, "2018-05-14 10:00", "2018-05-20 10:00", "05-18 05-19 05-20", "Bilaga 9: «fr.o.m. dag fyra»"),
    _pays(
        JH, "2018-05-14 10:00", "2018-06-12 10:00", "", "psychiatric 2018: 29 days", care_form="psychiatric"
    ),
    _pays(
        JH,
        "2018-05-14 10:00",
        "2018-06-13 10:00",
        "06-13",
        "psychiatric 2018: «fr o m dag 30»",
        care_form="psychiatric",
    ),
    _pays(
        JH,
        "2018-12-10 10:00",
        "2018-12-31 10:00",
        "",
        "psychiatric on the last day of 2018: 21 days of 30",
        care_form="psychiatric",
    ),
    _pays(
        JH,
        "2018-12-28 10:00",
        "2019-01-01 10:00",
        "01-01",
        "psychiatric from 2019: as somatic, by the day of the end",
        care_form="psychiatric",
    ),
    _pays(
        LUS,
        "2018-05-14 10:00",
        "2018-06-13 10:00",
        "",
        "SFS 2017:1130: psychiatric 2018, day 30 is the day of discharge",
        care_form="psychiatric",
    ),
    _pays(
        LUS,
        "2018-05-14 10:00",
        "2018-06-14 10:00",
        "06-13",
        "SFS 2017:1130: psychiatric 2018, from day 30",
        care_form="psychiatric",
    ),
    _pays(
        LUS,
        "2019-05-13 10:00",
        "2019-05-17 10:00",
        "05-16",
        "from 2019 the law has one rule for all care",
        care_form="psychiatric",
    ),
    _pays(
        BAL,
        "2017-10-02 10:00",
        "2017-10-09 10:00",
        "",
        "BAL: Monday to Monday, day 5 is the day of discharge",
    ),
    _pays(
        BAL,
        "2017-10-02 10:00",
        "2017-10-10 10:00",
        "10-09",
        "BAL 11 §: five weekdays, the weekend between not counted",
    ),
    _pays(BAL, "2017-10-02 10:00", "2017-10-12 10:00", "10-09 10-10 10-11", "BAL 11 §"),
    _pays(
        VGR,
        "2020-02-03 10:00",
        "2020-02-10 10:00",
        "",
        "first quarter of 2020: day 7 is the day of discharge",
        care_form="psychiatric",
    ),
    _pays(
        VGR,
        "2020-02-03 10:00",
        "2020-02-11 10:00",
        "02-10",
        "first quarter of 2020: «7 kalenderdagar efter»",
        care_form="psychiatric",
    ),
    _pays(
        VGR,
        "2020-04-01 10:00",
        "2020-04-05 10:00",
        "04-05",
        "from 2020-04-01 as somatic care",
        care_form="psychiatric",
    ),
    Case(
        "the end of a stay is local",
        lambda: payable(JH, stay("2018-07-02 10:00", "2018-07-06 00:30")),
        ["07-06"],
        "00:30 summer time is the day before in UTC",
    ),
    Case(
        "many payable days",
        lambda: len(payable(JH, stay("2018-05-14 10:00", "2018-08-22 10:00"))),
        97,
        "100 days: d − 3",
    ),
]

assert day("2018-05-14").weekday() == 0, "the tables count from a Monday"
COUNTING = [*CUTOFF, *CLOCK, *EPISODES, *LENGTH, *PAYABLE]
