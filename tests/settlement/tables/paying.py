"""Settlement rules 3 to 5: who is in the mean, the gate, the bill."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from adapter.agreements.rules import Rules
from adapter.agreements.terms import (
    CareForm,
    Clock,
    Compare,
    Compulsory,
    Condition,
    EmptyMonth,
    GateKind,
    Late,
    Retroactive,
    StartIn,
)
from adapter.settlement.example import worked_example
from adapter.settlement.parts import parts_of
from adapter.settlement.stay import Residence, Stay, row_of, stay_of
from tests.settlement.making import (
    BAL,
    JH,
    LUS,
    STHLM,
    VGR,
    Case,
    amounts,
    at,
    days_of,
    episode,
    in_force,
    month_of,
    one_price,
    rules,
    settled,
    stay,
)

# --- 7: the worked example -----------------------------------------------------------------------

#: month, mean, status, payable days, SEK: document 003, at 7 100 SEK
WORKED = [
    ("2018-03", "2", "follow-up", 0, "0"),
    ("2018-04", "10/3", "analysis", 0, "0"),
    ("2018-05", "4", "analysis", 0, "0"),
    ("2018-06", "4", "analysis", 0, "0"),
    ("2018-07", "4", "liable", 40, "284000"),
    ("2018-08", "0", "liable", 0, "0"),
    ("2018-09", "0", "liable", 0, "0"),
    ("2018-10", "0", "liable", 0, "0"),
    ("2018-11", "0", "follow-up", 0, "0"),
    ("2018-12", "4", "liable-retroactive", 30, "213000"),
    ("2019-01", "4", "liable-retroactive", 30, "213000"),
    ("2019-02", "4", "liable-retroactive", 30, "213000"),
    ("2019-03", "3", "liable", 0, "0"),
]


def worked(rates: object = None) -> list[tuple[str, str, str, int, str]]:
    made = settled(worked_example(), JH, "2018-03", "2019-03", rates or one_price())  # type: ignore[arg-type]
    return [
        (str(x.month), str(x.mean.mean), x.status.value, int(x.payable_days), f"{x.amount:f}") for x in made
    ]


def _worked_row(place: int) -> Case:
    row = WORKED[place]
    return Case(f"worked example, month {place + 1}", lambda: worked()[place], row, "settlement 7, Bilaga 9")


WORKED_EXAMPLE = [_worked_row(place) for place in range(len(WORKED))]

# --- 3: who is in the mean, who pays -------------------------------------------------------------

LONG_ENOUGH = ("2019-05-13 10:00", "2019-05-20 15:00")


def outcome(agreement: str | Rules, **more: object) -> str:
    """The bill of one stay of seven days: SEK, in how many means it is, and why it is excluded."""
    found = month_of([stay(*LONG_ENOUGH)._replace(**more)], agreement, "2019-05")
    return f"{found.amount:f} {found.mean.stays} {' '.join(found.excluded_by())}".strip()


def _who(agreement: str | Rules, want: str, because: str, **more: object) -> Case:
    name = agreement if isinstance(agreement, str) else f"{agreement.id} changed"
    return Case(f"who {name} {more}", lambda: outcome(agreement, **more), want, because)


LATE_JH = rules(
    JH,
    late=Late.RELEASES,
    requires=(Condition.ADMISSION_NOTICE, Condition.SIP_CALL),
    gate=rules(LUS).on(at("2019-05-01 00:00").date(), "somatic").gate,
)  # type: ignore[arg-type]
LATE_LUS = rules(LUS, late=Late.RELEASES)
NO_COMPULSORY = rules(LUS, compulsory=Compulsory.EXCLUDED)
WHO = [
    _who(LUS, "31200 1", "LUS: days 3 to 6 of seven at 7 800"),
    _who(LUS, "0 1 no-admission-notice", "LUS 5:3 first paragraph 1", notice_sent_at=None),
    _who(LUS, "0 1 no-sip-call", "LUS 5:3 second paragraph", sip_called_at=None),
    _who(
        LUS, "31200 1", "LUS 5:3: no SIP is due, no call is missing", sip_called_at=None, sip_required=False
    ),
    _who(LUS, "0 1 open-care-unavailable", "LUS 5:5: not available", open_care_available=False),
    _who(
        LUS,
        "0 1 open-care-unavailable",
        "LUS 5:5: «inte är klarlagt» releases as well",
        open_care_available=None,
    ),
    _who(LUS, "31200 1", "the law does not release for it", opposed=True),
    _who(LUS, "31200 1", "LUS 3:1: ÖPT's notice counts as a notice", compulsory=True),
    _who(
        NO_COMPULSORY, "0 0 compulsory", "where the agreement excludes it: no mean, no bill", compulsory=True
    ),
    _who(NO_COMPULSORY, "31200 1", "the same agreement, another stay"),
    _who(LUS, "0 0 not-ready", "no effective episode", ready=()),
    _who(
        rules(LUS, clock=Clock.HOME_READY),
        "0 0 not-home-ready",
        "Bilaga 9 «omfattas inte»",
        ready=(episode("2019-05-13 10:00", None),),
    ),
    _who(STHLM, "0 0 not-ready", "excluded from an excess too", ready=()),
    _who(
        rules(LUS, requires=(Condition.NOT_OPPOSED,)), "31200 1", "no notice asked for", notice_sent_at=None
    ),
    _who(rules(LUS, requires=(Condition.NOT_OPPOSED,)), "0 1 opposed", "«inte ha motsatt sig»", opposed=True),
    _who(LUS, "31200 1", "24 hours sharp is in time", notice_sent_at=at("2019-05-14 00:00")),
    _who(LUS, "31200 1", "late, and only flagged", notice_sent_at=at("2019-05-14 00:00:01")),
    _who(LATE_LUS, "31200 1", "24 hours sharp is in time", notice_sent_at=at("2019-05-14 00:00")),
    _who(LATE_LUS, "0 1 late-admission-notice", "late: releases", notice_sent_at=at("2019-05-14 00:00:01")),
    _who(LATE_LUS, "31200 1", "LUS 4:3: the third day after", sip_called_at=at("2019-05-16 23:59")),
    _who(LATE_LUS, "0 1 late-sip-call", "late: releases; LUS 4:3", sip_called_at=at("2019-05-17 00:00")),
    _who(
        LATE_LUS,
        "31200 1",
        "no SIP is due, none is late",
        sip_called_at=at("2019-05-25 00:00"),
        sip_required=False,
    ),
]


def flags(terms: Rules | str = LUS, **more: object) -> list[str]:
    found = month_of([stay(*LONG_ENOUGH, **more)], terms, "2019-05")
    return [flag.value for line in found.lines for flag in line.flags]


FLAGS = [
    Case("in time", flags, [], "nothing to flag"),
    Case(
        "late notice",
        lambda: flags(notice_sent_at=at("2019-05-14 00:00:01")),
        ["late-admission-notice"],
        "LUS 2:3, 24 hours elapsed",
    ),
    Case(
        "need judged later",
        lambda: flags(notice_sent_at=at("2019-05-15 10:00"), need_assessed_at=at("2019-05-14 10:00")),
        [],
        "LUS 2:3, 24 hours after that judgement",
    ),
    Case(
        "need judged later, notice late",
        lambda: flags(notice_sent_at=at("2019-05-15 10:00:01"), need_assessed_at=at("2019-05-14 10:00")),
        ["late-admission-notice"],
        "LUS 2:3",
    ),
    Case(
        "need judged later, by agreement",
        lambda: flags(
            rules(LUS, admission_notice_from="admission"),
            notice_sent_at=at("2019-05-14 00:00:01"),
            need_assessed_at=at("2019-05-13 20:00"),
        ),
        ["late-admission-notice"],
        "Bilaga 9, from admission",
    ),
    Case(
        "need judged before admission",
        lambda: flags(notice_sent_at=at("2019-05-14 00:00"), need_assessed_at=at("2019-05-10 10:00")),
        [],
        "LUS 2:3, from the admission",
    ),
    Case(
        "notice over the change of clocks",
        lambda: [
            f.value
            for line in month_of(
                [
                    stay(
                        "2019-03-31 10:00",
                        "2019-04-06 10:00",
                        admitted_at=at("2019-03-30 12:00"),
                        notice_sent_at=at("2019-03-31 13:00"),
                    )
                ],
                LUS,
                "2019-04",
            ).lines
            for f in line.flags
        ],
        [],
        "12:00 to 13:00 next day is 24 hours that night",
    ),
    Case(
        "late call",
        lambda: flags(sip_called_at=at("2019-05-17 00:00")),
        ["late-sip-call"],
        "LUS 4:3, local dates",
    ),
    Case(
        "both late",
        lambda: flags(sip_called_at=at("2019-05-17 00:00"), notice_sent_at=at("2019-05-15 00:00")),
        ["late-admission-notice", "late-sip-call"],
        "both",
    ),
]


def _months(
    *stays: Stay, first: str = "2019-05", last: str = "2019-06", agreement: str = LUS
) -> list[tuple[str, str, int]]:
    return [(x.municipality, str(x.month), x.mean.stays) for x in settled(stays, agreement, first, last)]


ATTRIBUTION = [
    Case(
        "the last minute of a month",
        lambda: _months(stay("2019-05-13 10:00", "2019-05-31 23:59")),
        [("2380", "2019-05", 1), ("2380", "2019-06", 0)],
        "attribution: end-month, local date",
    ),
    Case(
        "midnight",
        lambda: _months(stay("2019-05-13 10:00", "2019-06-01 00:00")),
        [("2380", "2019-05", 0), ("2380", "2019-06", 1)],
        "attribution: end-month, local date (22:00 UTC the day before)",
    ),
    Case(
        "placed elsewhere",
        lambda: _months(
            stay("2019-05-13 10:00", "2019-05-14 10:00", placing_municipality="2321"), last="2019-05"
        ),
        [("2321", "2019-05", 1)],
        "LUS 5:2 second paragraph",
    ),
    Case(
        "still in",
        lambda: [
            (x.mean.stays, x.excluded_by())
            for x in settled([stay("2019-05-13 10:00", None)], LUS, "2019-05", "2019-06")
        ],
        [(0, {}), (0, {"open": 1})],
        "listed as open, in no mean",
    ),
    Case(
        "admitted later",
        lambda: [
            x.excluded_by()
            for x in settled([stay("2019-07-13 10:00", None), *days_of(1, 0)], LUS, "2019-05", "2019-06")
        ],
        [{}, {}],
        "not known yet",
    ),
    Case("ended later", lambda: _months(stay("2019-05-13 10:00", "2019-07-01 10:00")), [], "not known yet"),
    Case(
        "care forms apart",
        lambda: [
            (x.care_form, str(x.mean.mean))
            for x in settled(
                [*days_of(1, 2), stay("2019-05-13 10:00", "2019-05-17 10:00", care_form="psychiatric")],
                JH,
                "2019-05",
            )
        ],
        [("psychiatric", "4"), ("somatic", "2")],
        "somatic and psychiatric apart",
    ),
    Case(
        "care forms pooled",
        lambda: [
            (x.care_form, str(x.mean.mean))
            for x in settled(
                [*days_of(1, 2), stay("2019-05-13 10:00", "2019-05-17 10:00", care_form="psychiatric")],
                rules(JH, pool_care_forms=True),
                "2019-05",
            )
        ],
        [("pooled", "3")],
        "pool_care_forms: true",
    ),
]


def mean(agreement: str | Rules, *stays: Stay) -> tuple[str, str, str]:
    found = month_of(stays, agreement, "2020-05")
    return str(found.mean.mean), str(found.mean.compared), found.status.value


THIRD = [*days_of(2, 3, "2020-05"), *days_of(1, 4, "2020-05", "x")]
ROUNDED = rules(STHLM, threshold=Fraction("3.33"), round_mean=2)
MEAN = [
    Case(
        "day zero counts in the mean",
        lambda: mean(STHLM, *days_of(1, 0, "2020-05"), *days_of(1, 5, "2020-05", "x")),
        ("5/2", "5/2", "liable"),
        "«inklusive de patienter som skrivs ut dag noll»",
    ),
    Case(
        "exactly the threshold",
        lambda: mean(STHLM, *days_of(3, 2, "2020-05")),
        ("2", "2", "follow-up"),
        "compare >: 2.0 is not over",
    ),
    Case(
        "just over",
        lambda: mean(STHLM, *days_of(19, 2, "2020-05"), *days_of(1, 3, "2020-05", "x")),
        ("41/20", "41/20", "liable"),
        "compare >",
    ),
    Case(
        "at least the threshold",
        lambda: mean(rules(STHLM, compare=Compare.AT_LEAST), *days_of(3, 2, "2020-05")),
        ("2", "2", "liable"),
        "compare >=",
    ),
    Case(
        "unrounded is over",
        lambda: mean(rules(STHLM, threshold=Fraction("3.33")), *THIRD),
        ("10/3", "10/3", "liable"),
        "10/3 is over 3.33",
    ),
    Case(
        "rounded is not over",
        lambda: mean(ROUNDED, *THIRD),
        ("10/3", "333/100", "follow-up"),
        "round_mean: 2, before the comparison",
    ),
    Case(
        "half is rounded up",
        lambda: mean(rules(STHLM, round_mean=0), *days_of(1, 2, "2020-05"), *days_of(1, 3, "2020-05", "x")),
        ("5/2", "3", "liable"),
        "half up, also from an even digit",
    ),
    Case(
        "no stay",
        lambda: [str(x.mean.mean) for x in settled(days_of(1, 3, "2020-05"), STHLM, "2020-05", "2020-06")],
        ["3", "None"],
        "no mean of nothing",
    ),
]

# --- 4: the gate ---------------------------------------------------------------------------------

_SHORT = {"follow-up": "f", "analysis": "a", "liable": "L", "liable-retroactive": "R"}


def gate(agreement: str | Rules, means: str, first: str = "2018-03") -> str:
    """Statuses of months whose stays all last as many days as the letter says; `-` is a month of none."""
    start = at(f"{first}-01 00:00")
    stays: list[Stay] = []
    for offset, letter in enumerate(means):
        index = start.year * 12 + start.month - 1 + offset
        month = f"{index // 12}-{index % 12 + 1:02d}"
        stays += days_of(1, int(letter), month) if letter != "-" else []
    index = start.year * 12 + start.month - 2 + len(means)
    made = settled(
        stays or days_of(1, 0, "2030-01"),
        agreement,
        first,
        f"{index // 12}-{index % 12 + 1:02d}",
        one_price(),
    )
    return "".join(_SHORT[x.status.value] for x in made)


def _gate(means: str, want: str, because: str, agreement: str | Rules = JH, first: str = "2018-03") -> Case:
    name = agreement if isinstance(agreement, str) else f"{agreement.id} changed"
    return Case(f"gate {name} {first} {means}", lambda: gate(agreement, means, first), want, because)


NEUTRAL = rules(JH, empty_month=EmptyMonth.NEUTRAL)
NOT_BACK = rules(JH, retroactive=Retroactive.NONE)
GATE = [
    _gate("44", "aa", "two in a row do not open it"),
    _gate("444", "aaa", "opens with the next month: «från och med månad fyra»"),
    _gate("4444", "aaaL", "month four is liable"),
    _gate("4434444", "aafaaaL", "three in a row: month three breaks the run"),
    _gate("4440", "aaaL", "liable also where month four is not over"),
    _gate("444000", "aaaLLL", "the months of the run that ends it are still paid"),
    _gate("4440000", "aaaLLLf", "ends after three in a row that are not over"),
    _gate("44400400", "aaaLLLLL", "a month over starts the count anew"),
    _gate("444004000" + "0", "aaaLLLLLLf", "… and three in a row end it"),
    _gate("4443330", "aaaLLLf", "Bilaga 9 «tre eller färre»: 3 is not over"),
    _gate("4440004", "aaaLLLa", "over again: analysis, not liable at once"),
    _gate("444000444", "aaaLLLRRR", "the second opening reaches back over its three months"),
    _gate("4440004444", "aaaLLLRRRL", "… and goes on"),
    _gate("44400004404444", "aaaLLLfaafRRRL", "only the run that opened it"),
    _gate("444000444000444", "aaaLLLRRRLLLRRR", "every later activation"),
    _gate("444000444", "aaaLLLaaa", "retroactive: none", NOT_BACK),
    _gate("4-444", "afaaa", "empty_month: below breaks the run"),
    _gate("4-444", "afaaL", "empty_month: neutral neither counts nor breaks", NEUTRAL),
    _gate("444-0-00", "aaaLLLff", "below counts towards the end"),
    _gate("444-0-00", "aaaLLLLL", "neutral does not", NEUTRAL),
    _gate("444-0-000", "aaaLLLLLf", "neutral does not", NEUTRAL),
    _gate("44444", "ffaaa", "measured from 2018-03-01: two months before are not measured", first="2018-01"),
    _gate("444444", "ffaaaL", "measured from 2018-03-01", first="2018-01"),
    _gate("34343", "fLfLf", "same-month has no memory", rules(STHLM, threshold=Fraction(3)), "2020-01"),
    _gate("3-4", "ffL", "same-month: no stay, nothing over", VGR, "2019-01"),
    _gate("4", "f", "measured from 2018-10-01", VGR, "2018-09"),
    _gate("4", "L", "measured from 2018-10-01", VGR, "2018-10"),
    _gate("0-9", "LLL", "gate: none", LUS),
    _gate(
        "4444",
        "aaLL",
        "start_after 2",
        rules(JH, start_after=2, retroactive=Retroactive.NONE),
    ),
    _gate("44400", "aaaLf", "stop_after 1", rules(JH, stop_after=1)),
    _gate("444", "LLL", "start in the same month", rules(JH, start_in=StartIn.SAME_MONTH)),
]

GATE_FORMS = [
    Case(
        "psychiatric 2018",
        lambda: [
            x.status.value
            for x in settled(
                [stay("2018-04-01 10:00", "2018-05-01 10:00", care_form="psychiatric")], JH, "2018-05"
            )
        ],
        ["follow-up"],
        "«trettio kalenderdagar»: 30 is not over 30",
    ),
    Case(
        "psychiatric 2018, over",
        lambda: [
            x.status.value
            for x in settled(
                [stay("2018-04-01 10:00", "2018-05-02 10:00", care_form="psychiatric")], JH, "2018-05"
            )
        ],
        ["analysis"],
        "31 is over 30",
    ),
    Case(
        "psychiatric December 2018",
        lambda: [
            x.status.value
            for x in settled(
                [stay("2018-12-01 10:00", "2018-12-31 10:00", care_form="psychiatric")], JH, "2018-12"
            )
        ],
        ["follow-up"],
        "«fram till 20181231»",
    ),
    Case(
        "psychiatric January 2019",
        lambda: [
            x.status.value
            for x in settled(
                [stay("2018-12-28 10:00", "2019-01-01 10:00", care_form="psychiatric")], JH, "2019-01"
            )
        ],
        ["analysis"],
        "«därefter … tre dagar»",
    ),
    Case(
        "psychiatric in Stockholm",
        lambda: [
            x.status.value
            for x in settled(
                [
                    stay(
                        "2020-05-01 10:00",
                        f"2020-05-{6 + i:02d} 10:00",
                        f"{i}",
                        municipality=f"01{80 + i}",
                        care_form="psychiatric",
                    )
                    for i in range(2)
                ],
                STHLM,
                "2020-05",
            )
        ],
        ["follow-up", "liable"],
        "5.0 for psychiatric care",
    ),
]

# --- 5: the bill ---------------------------------------------------------------------------------


def bill(agreement: str | Rules, month: str, *stays: Stay) -> tuple[str, str]:
    found = month_of(stays, agreement, month)
    return str(found.payable_days), f"{found.amount:f}"


def refusal(agreement: str, month: str, *stays: Stay) -> str:
    """What keeps the month from a bill: the years without a rate, and the stays concerned."""
    found = month_of(stays, agreement, month).no_rate
    return (
        "settled" if found is None else f"no-rate {' '.join(map(str, found.years))}: {' '.join(found.stays)}"
    )


def by_day(agreement: str, ready: str, end: str, **more: Any) -> tuple[str, str, bool]:
    """Days and SEK of a psychiatric stay billed by itself, and whether the assumption is printed."""
    given = stay(f"{ready} 10:00", f"{end} 10:00", care_form=CareForm.PSYCHIATRIC, **more)
    chosen = rules(agreement, gate=GateKind.NONE, long_stays_over=None)
    found = month_of([given], chosen, end[:7], one_price("1"))
    printed = any(one.id == "varje-dag-for-sig" for one in found.assumptions)
    return str(found.payable_days), " ".join(line.reasons[-1] for line in found.lines), printed


_LAW = "end day not counted"
_BILAGA = "end day counted"
_CHANGED = "payable from day 30 through 2018-12-31, then from day"
#: Settlement 5: `first_payable_day` with `by: day`. Agreement, ready, end; days, words, printed; because.
_BY_DAY = [
    (LUS, "2018-11-01", "2018-12-02", "1", f"payable from day 30, {_LAW}", False, "all in 2018"),
    (LUS, "2018-12-01", "2018-12-31", "0", "", False, "day 30 is the end day, which is not counted"),
    (LUS, "2018-12-01", "2019-01-01", "1", f"{_CHANGED} 3, {_LAW}", True, "day 30 is 2018-12-31"),
    (LUS, "2018-12-02", "2019-01-01", "0", "", True, "day 29 on 2018-12-31"),
    (LUS, "2018-12-02", "2019-01-02", "1", f"{_CHANGED} 3, {_LAW}", True, "day 30, from 3 by then"),
    (LUS, "2018-12-30", "2019-01-03", "1", f"{_CHANGED} 3, {_LAW}", True, "day 3 on 2019-01-02"),
    (LUS, "2018-12-30", "2019-01-02", "0", "", True, "day 2 on 2019-01-01"),
    (LUS, "2018-12-31", "2019-01-05", "2", f"payable from day 3, {_LAW}", False, "every day is of 2019"),
    (LUS, "2018-12-20", "2019-01-15", "14", f"{_CHANGED} 3, {_LAW}", True, "days 12 to 25"),
    (JH, "2018-12-20", "2019-01-15", "15", f"{_CHANGED} 4, {_BILAGA}", True, "15 days of 2019"),
    (JH, "2018-12-01", "2019-01-02", "3", f"{_CHANGED} 4, {_BILAGA}", True, "30, and two of 2019"),
    (JH, "2018-12-29", "2019-01-02", "1", f"{_CHANGED} 4, {_BILAGA}", True, "day 4 on 2019-01-02"),
    (JH, "2018-12-29", "2019-01-01", "0", "", True, "day 3 on 2019-01-01"),
]  # fmt: skip
BY_DAY = [
    Case(
        f"by day: {agreement} {ready} {end}",
        lambda agreement=agreement, ready=ready, end=end: by_day(agreement, ready, end),
        (days, words, printed),
        because,
    )
    for agreement, ready, end, days, words, printed, because in _BY_DAY
]


def two_parts(status: str, *stays: Stay, **changes: Any) -> list[tuple[str, int, str, str]]:
    found = month_of(stays, rules(VGR, **changes), "2019-05", one_price("13000"))
    assert found.status.value == status
    parts = parts_of(found)
    assert not parts or sum(part.amount for part in parts) == found.amount
    assert not parts or sum(part.payable_days for part in parts) == found.payable_days
    return [(part.of.value, part.stays, str(part.payable_days), f"{part.amount:f}") for part in parts]


#: Settlement 5: `payable_days` and `amount` of the month hold both; each part says what it is due to.
PARTS = [
    Case(
        "a long stay in a month of follow-up",
        lambda: two_parts("follow-up", stay("2019-05-01 10:00", "2019-05-11 10:00", "long")),
        [("mean", 0, "0", "0"), ("long-stays", 1, "7", "91000")],
        "long stays are billed whatever the gate; the mean has no stay",
    ),
    Case(
        "a long stay beside an excess",
        lambda: two_parts("liable", *days_of(2, 5), stay("2019-05-01 10:00", "2019-05-09 10:00", "long")),
        [("mean", 2, "4", "52000"), ("long-stays", 1, "5", "65000")],
        "(5 − 3) × 2, and days 4 to 8",
    ),
    Case(
        "seven days are not over seven",
        lambda: two_parts("liable", *days_of(1, 7)),
        [("mean", 1, "4", "52000"), ("long-stays", 0, "0", "0")],
        "the long part says that there is none",
    ),
    Case(
        "no stay can be long",
        lambda: two_parts("liable", *days_of(1, 7), long_stays_over=None),
        [],
        "one part needs no explanation",
    ),
]


_NEW_YEAR = stay("2018-12-27 10:00", "2019-01-03 10:00")
BILL = [
    Case(
        "rate of each day's year",
        lambda: bill(LUS, "2019-01", _NEW_YEAR),
        ("4", "29800"),
        "30, 31 December at 7 100; 1, 2 January at 7 800",
    ),
    Case(
        "the charges of that line",
        lambda: [
            (c.rate.year, int(c.days), str(c.first_day), str(c.last_day))
            for line in month_of([_NEW_YEAR], LUS, "2019-01").lines
            for c in line.charges
        ],
        [(2018, 2, "2018-12-30", "2018-12-31"), (2019, 2, "2019-01-01", "2019-01-02")],
        "each year by itself",
    ),
    Case(
        "amounts per care form",
        lambda: bill(BAL, "2016-10", stay("2016-10-03 10:00", "2016-10-11 10:00")),
        ("1", "4816"),
        "SFS 1991:1278, somatic 2016",
    ),
    Case(
        "amounts per care form, psychiatric",
        lambda: bill(BAL, "2016-10", stay("2016-09-05 10:00", "2016-10-18 10:00", care_form="psychiatric")),
        ("1", "4085"),
        "SFS 1991:1278, psychiatric 2016, from weekday 30",
    ),
    Case(
        "2021 has no rate",
        lambda: refusal(LUS, "2021-05", stay("2021-05-03 10:00", "2021-05-07 10:00")),
        "no-rate 2021: s",
        "never a neighbour's amount",
    ),
    Case(
        "2021 without a payable day",
        lambda: refusal(LUS, "2021-05", stay("2021-05-03 10:00", "2021-05-06 10:00")),
        "settled",
        "no day to be billed, no rate needed",
    ),
    Case(
        "one day in 2021",
        lambda: refusal(LUS, "2021-01", stay("2020-12-29 10:00", "2021-01-02 10:00")),
        "no-rate 2021: s",
        "a day in a year without a rate",
    ),
    Case(
        "no day in 2021",
        lambda: refusal(LUS, "2021-01", stay("2020-12-29 10:00", "2021-01-01 10:00")),
        "settled",
        "2020-12-31 alone would be day 2",
    ),
    Case(
        "2024 has no rate",
        lambda: refusal(LUS, "2024-05", stay("2024-05-06 10:00", "2024-05-10 10:00")),
        "no-rate 2024: s",
        "an inference is no source",
    ),
    Case(
        "a year that nobody lists",
        lambda: refusal(LUS, "2031-05", stay("2031-05-05 10:00", "2031-05-09 10:00")),
        "no-rate 2031: s",
        "never a neighbour's amount",
    ),
    Case(
        "BAL 2017",
        lambda: refusal(BAL, "2017-10", stay("2017-10-02 10:00", "2017-10-10 10:00")),
        "no-rate 2017: s",
        "the amounts of 2017 were not found",
    ),
    Case(
        "excess without a rate",
        lambda: refusal(STHLM, "2021-05", *days_of(1, 4, "2021-05")),
        "no-rate 2021: 2021-05/4/0",
        "the rate of the month's year",
    ),
    Case(
        "nothing over, no rate",
        lambda: refusal(STHLM, "2021-05", *days_of(1, 2, "2021-05")),
        "settled",
        "no excess, no rate needed",
    ),
    Case(
        "2023 is provisional",
        lambda: [
            (x.provisional, f"{x.amount:f}")
            for x in settled([stay("2023-05-01 10:00", "2023-05-05 10:00")], LUS, "2023-05")
        ],
        [(True, "10500")],
        "verified: false",
    ),
    Case(
        "2022 is not",
        lambda: [
            (x.provisional, f"{x.amount:f}")
            for x in settled([stay("2022-05-02 10:00", "2022-05-06 10:00")], LUS, "2022-05")
        ],
        [(False, "9300")],
        "verified: true",
    ),
    Case(
        "excess",
        lambda: bill(STHLM, "2020-05", *days_of(2, 3, "2020-05"), *days_of(1, 4, "2020-05", "x")),
        ("4", "32800"),
        "(10/3 − 2) × 3 × 8 200",
    ),
    Case(
        "excess of half a day",
        lambda: bill(rules(STHLM, threshold=Fraction("2.5")), "2020-05", *days_of(3, 3, "2020-05")),
        ("3/2", "12300"),
        "(3 − 2.5) × 3 × 8 200",
    ),
    Case(
        "excess, rounded first",
        lambda: bill(
            rules(STHLM, round_mean=2), "2020-05", *days_of(4, 2, "2020-05"), *days_of(2, 3, "2020-05", "x")
        ),
        ("99/50", "16236"),
        "6 × 2.33 = 13.98 and not 14: (2.33 − 2) × 6 × 8 200",
    ),
    Case(
        "never below 0",
        lambda: bill(STHLM, "2020-05", *days_of(5, 1, "2020-05")),
        ("0", "0"),
        "the mean is under the threshold",
    ),
    Case(
        "released stays stay in the mean",
        lambda: bill(
            STHLM,
            "2020-05",
            *days_of(1, 1, "2020-05"),
            stay("2020-05-01 10:00", "2020-05-08 10:00", opposed=True),
        ),
        ("4", "32800"),
        "the bill is of the mean",
    ),
    Case(
        "seven days are in the mean",
        lambda: [
            (x.mean.stays, x.long_stays, x.status.value, f"{x.amount:f}")
            for x in settled([*days_of(9, 0), *days_of(1, 7, prefix="x")], VGR, "2019-05")
        ],
        [(10, 0, "follow-up", "0")],
        "over 7: 7 itself is not",
    ),
    Case(
        "eight days are billed by themselves",
        lambda: [
            (x.mean.stays, x.long_stays, x.status.value, f"{x.amount:f}")
            for x in settled([*days_of(9, 0), *days_of(1, 8, prefix="x")], VGR, "2019-05")
        ],
        [(9, 1, "follow-up", "39000")],
        "whatever the gate: days 4 to 8 at 7 800",
    ),
    Case(
        "long stays and an excess",
        lambda: [
            (x.mean.stays, str(x.payable_days), f"{x.amount:f}")
            for x in settled([*days_of(2, 4), *days_of(1, 8, prefix="x")], VGR, "2019-05")
        ],
        [(2, "7", "54600")],
        "(4 − 3) × 2 and five days",
    ),
    Case(
        "psychiatric, first quarter of 2020",
        lambda: bill(VGR, "2020-02", stay("2020-02-03 10:00", "2020-02-12 10:00", care_form="psychiatric")),
        ("2", "16400"),
        "individberäkning from day 7",
    ),
    Case(
        "long stays that are not ready",
        lambda: [
            (x.mean.stays, x.long_stays, x.excluded_by())
            for x in settled([stay([], "2019-05-30 10:00")], VGR, "2019-05")
        ],
        [(0, 0, {"not-ready": 1})],
        "excluded from mean and bill",
    ),
    Case(
        "suspended",
        lambda: [
            (x.suspended, f"{x.amount:f}", f"{x.due:f}")
            for x in settled(days_of(1, 3, "2020-05"), STHLM, "2020-05")
        ],
        [(True, "8200", "0")],
        "shown as would have been, nothing is due",
    ),
    Case(
        "the span of a line",
        lambda: [
            line.span and [str(x) for x in line.span]
            for line in month_of([stay(*LONG_ENOUGH)], LUS, "2019-05").lines
        ],
        [["2019-05-16", "2019-05-19"]],
        "first and last payable day",
    ),
]

# --- what is in force ----------------------------------------------------------------------------


def residences(where: Sequence[tuple[str, str]]) -> tuple[Residence, ...]:
    return tuple(Residence(at(since), code, None) for since, code in where)


def _law(want: list[tuple[str, str]], because: str, *stays: Stay, first: str, last: str = "") -> Case:
    return Case(
        f"in force {first} {[(s.liable, s.stay) for s in stays]}",
        lambda: [(x.agreement, str(x.month)) for x in in_force(stays, first, last)],
        want,
        because,
    )


IN_FORCE = [
    _law(
        [(JH, "2025-06")],
        "document 002 § 31: «till och med 30 juni 2025»",
        stay("2025-06-28 10:00", "2025-06-30 23:59"),
        first="2025-06",
    ),
    _law(
        [(LUS, "2025-07")],
        "nothing is agreed any more: LUS 5:4",
        stay("2025-06-28 10:00", "2025-07-01 00:00"),
        first="2025-07",
    ),
    _law(
        [(JH, "2018-01")],
        "valid from 2018-01-01",
        stay("2018-01-02 10:00", "2018-01-03 10:00"),
        first="2018-01",
    ),
    _law(
        [(BAL, "2017-12")],
        "BAL until 2017-12-31, by the day of the end",
        stay("2017-12-27 10:00", "2017-12-31 10:00"),
        first="2017-12",
    ),
    _law(
        [(LUS, "2019-05")],
        "1280 is outside the parties",
        stay(*LONG_ENOUGH, municipality="1280"),
        first="2019-05",
    ),
    _law(
        [(JH, "2019-05")],
        "placed by 2321, which is a party",
        stay(*LONG_ENOUGH, municipality="1280", placing_municipality="2321"),
        first="2019-05",
    ),
    _law(
        [(LUS, "2019-12"), (STHLM, "2020-01")],
        "Stockholm's holds from 2020-01-01",
        stay("2020-01-02 10:00", "2020-01-03 10:00", municipality="0188"),
        first="2019-12",
        last="2020-01",
    ),
    _law(
        [(LUS, "2018-09"), (VGR, "2018-09")],
        "the agreement begins within the month: each stay by the day of its end",
        stay("2018-09-20 10:00", "2018-09-24 10:00", "a", municipality="1480"),
        stay("2018-09-20 10:00", "2018-09-25 10:00", "b", municipality="1480"),
        first="2018-09",
    ),
    _law(
        [(LUS, "2025-07")],
        "an agreement that has ended tells of no month",
        stay("2019-05-13 10:00", "2019-05-20 10:00"),
        first="2025-07",
    ),
    _law(
        [(LUS, "2019-05")],
        "settlement 3: Stockholm's agreement does not bind Jämtland's hospitals: it must bind both",
        stay(*LONG_ENOUGH, municipality="0188", region="23"),
        first="2019-05",
    ),
    _law(
        [(LUS, "2020-05")],
        "nor where it is in force between its own",
        stay("2020-05-13 10:00", "2020-05-20 10:00", municipality="0188", region="23"),
        first="2020-05",
    ),
    _law(
        [(LUS, "2019-05")],
        "1280 is outside the parties of the agreement that the treating region has made",
        stay(*LONG_ENOUGH, municipality="1280", region="23"),
        first="2019-05",
    ),
    _law(
        [(JH, "2019-05")],
        "treating region and liable municipality are both parties",
        stay(*LONG_ENOUGH, region="23"),
        first="2019-05",
    ),
    _law(
        [(JH, "2019-05"), (LUS, "2019-05")],
        "one municipality, two treating regions: a statement by each",
        stay(*LONG_ENOUGH, "a", region="23"),
        stay(*LONG_ENOUGH, "b", region="22"),
        first="2019-05",
    ),
    Case(
        "two treating regions under the statute are two creditors",
        lambda: [
            (x.agreement, x.region, f"{x.amount:f}")
            for x in in_force(
                [
                    stay(*LONG_ENOUGH, "a", municipality="1280", region="23"),
                    stay(*LONG_ENOUGH, "b", municipality="1280", region="22"),
                    stay("2019-05-13 10:00", "2019-05-17 10:00", "c", municipality="1280", region="22"),
                ],
                "2019-05",
            )
        ],
        [(LUS, "22", "39000"), (LUS, "23", "31200")],
        "settlement 3: creditor is the treating region, under the statute too",
    ),
    Case(
        "whose a stay is where the person moved",
        lambda: [
            (x.municipality, f"{x.amount:f}", [a.id for a in x.assumptions if a.id == "kommunen-vid-slutet"])
            for where in (
                [("2019-01-01 00:00", "2380")],
                [("2019-01-01 00:00", "2309"), ("2019-05-15 00:00", "2380")],
                [("2019-01-01 00:00", "2380"), ("2019-05-20 15:00:01", "2309")],
            )
            for x in settled(
                [stay_of(row_of(stay(*LONG_ENOUGH, municipalities=residences(where))))],
                LUS,
                "2019-05",
            )
        ],
        [
            ("2380", "31200", []),
            ("2380", "31200", ["kommunen-vid-slutet"]),
            ("2380", "31200", []),
        ],
        "settlement 1a, municipality_at end: an assumption, printed where a stay had two",
    ),
    Case(
        "who treats",
        lambda: [
            (x.region, [one.id for one in x.assumptions if one.id == "treating-region"])
            for home in ("23", None)
            for region in ("22", None)
            for x in in_force([stay(*LONG_ENOUGH, municipality="1280", region=region)], "2019-05", home=home)
        ],
        [("22", []), ("23", []), ("22", []), ("12", ["treating-region"])],
        "the stay's, else the installation's, else the municipality's: an assumption, printed",
    ),
    Case(
        "an agreement that is named is paid to its own region",
        lambda: [
            (x.agreement, x.region)
            for name in (JH, LUS)
            for x in settled(
                [stay(*LONG_ENOUGH, "a"), stay(*LONG_ENOUGH, "b", municipality="1280", region="22")],
                name,
                "2019-05",
            )
        ],
        [(JH, "23"), (JH, "23"), (LUS, "22"), (LUS, "23")],
        "contract 6: its terms are applied to every stay; the statute names no region",
    ),
    Case(
        "the statute bills one that is no party",
        lambda: amounts(in_force([stay(*LONG_ENOUGH, municipality="1280")], "2019-05")),
        ["31200"],
        "LUS, individual days",
    ),
    Case(
        "and says so",
        lambda: (
            "statute lus-2017-612 applies"
            in in_force([stay(*LONG_ENOUGH, municipality="1280")], "2019-05")[0].because
        ),
        True,
        "the statement says so",
    ),
]


def every(tables: Sequence[Sequence[Case]]) -> list[Case]:
    return [case for table in tables for case in table]


PAYING = every(
    [WORKED_EXAMPLE, WHO, FLAGS, ATTRIBUTION, MEAN, GATE, GATE_FORMS, BY_DAY, PARTS, BILL, IN_FORCE]
)
