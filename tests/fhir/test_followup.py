"""The monthly follow-up: each figure with both sides of its edge, and the report held against FHIR."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

import pytest

from adapter.fhir.decimals import dumps
from adapter.fhir.followup import follow_up_bundle, follow_up_measure, follow_up_report
from adapter.fhir.model import FhirVersion, validate
from adapter.losus.days import Month
from adapter.losus.deadlines import DeadlineName
from adapter.settlement.following import Followed, Limit, Share, follow_up, follow_ups
from tests.fhir import summary_cases as cases
from tests.fhir.test_summary_validator import assert_sound
from tests.fhir.validator.validator import FhirValidator
from tests.settlement.making import at

MAY = Month(2019, 5)
NOW = at("2019-06-01 06:00")
NOTICE, SIP, HOURS = DeadlineName.ADMISSION_NOTICE, DeadlineName.SIP_CALL, DeadlineName.DISCHARGE_HOURS

A = Followed(
    "a", "2380", "tolvan", at("2019-05-02 10:00"), at("2019-05-10 15:00"), home=True, days=2, limits=()
)


def stay(**changed: object) -> Followed:
    return replace(A, **changed)


def back(admitted: str, **changed: object) -> Followed:
    """Another stay of the same person."""
    return stay(stay="b", admitted_at=at(admitted), ended_at=None, days=None, **changed)


def gone(ended_at: datetime, **changed: object) -> Followed:
    return stay(admitted_at=at("2019-03-20 10:00"), ended_at=ended_at, **changed)


def limit(name: DeadlineName, due: str, met: str | None) -> tuple[Limit, ...]:
    return (Limit(name, at(due), None if met is None else at(met)),)


#: Met at the last minute, late by a minute, never.
MET, LATE = (
    limit(NOTICE, "2019-05-03 10:00", "2019-05-03 10:00"),
    limit(NOTICE, "2019-05-03 10:00", "2019-05-03 10:01"),
)
NEVER = limit(HOURS, "2019-05-10 17:00", None)
LAST_DAY = limit(SIP, "2019-05-31 23:59", None)
APRIL = at("2019-04-05 15:00")

COUNTS = [
    # stays, what is counted, of it, because
    ([A], "ended", 1, "it ended in May"),
    ([stay(ended_at=at("2019-05-31 23:59"))], "ended", 1, "the last minute of May by the Swedish clock"),
    ([stay(ended_at=at("2019-06-01 00:00"))], "ended", 0, "June"),
    ([stay(ended_at=None)], "ended", 0, "still in"),
    ([stay(municipality="2309")], "ended", 0, "another municipality's"),
    ([stay(days=0), stay(days=1)], "day_zero", Share(1, 2), "one went home on day zero"),
    ([stay(days=None)], "day_zero", Share(0, 0), "in no mean: not utskrivningsklar"),
    ([stay(limits=MET), stay(limits=LATE)], NOTICE, Share(1, 2), "one of two in 24 h"),
    ([stay(limits=MET, ended_at=None)], NOTICE, Share(1, 1), "due in May, though still in"),
    ([stay(limits=MET, ended_at=at("2019-06-02 09:00"))], NOTICE, Share(1, 1), "due in May, home in June"),
    (
        [stay(limits=limit(NOTICE, "2019-04-30 23:59", None))],
        NOTICE,
        Share(0, 0),
        "due in April, home in May",
    ),
    ([stay(limits=limit(SIP, "2019-06-01 23:59", None))], SIP, Share(0, 0), "it may still be kept: June's"),
    ([stay(limits=LAST_DAY)], SIP, Share(0, 1), "due on the last day: missed when the month is over"),
    ([A], SIP, Share(0, 0), "where no SIP is to be called nothing is judged"),
    ([stay(limits=NEVER)], HOURS, Share(0, 1), "outside the hours"),
    ([stay(limits=MET, municipality="2309")], NOTICE, Share(0, 0), "another municipality's"),
    ([gone(APRIL), back("2019-05-05 08:00")], "returned", Share(1, 1), "thirty days after"),
    ([gone(APRIL), back("2019-05-06 08:00")], "returned", Share(0, 1), "thirty-one days after"),
    (
        [gone(APRIL), back("2019-04-05 15:00")],
        "returned",
        Share(0, 1),
        "the minute of leaving: a move",
    ),
    ([gone(APRIL), back("2019-04-05 15:01")], "returned", Share(1, 1), "the same day, later"),
    ([gone(at("2019-05-01 23:59"))], "returned", Share(0, 1), "thirty days to the 31st of May"),
    ([gone(at("2019-05-02 00:00"))], "returned", Share(0, 0), "to the 1st of June: June's"),
    ([gone(at("2019-03-31 12:00"))], "returned", Share(0, 0), "to the 30th of April: April's"),
    ([gone(APRIL), back("2019-05-05 08:00", person="x")], "returned", Share(0, 1), "another person"),
    (
        [gone(APRIL), back("2019-05-05 08:00", municipality="2309")],
        "returned",
        Share(1, 1),
        "wherever",
    ),
    (
        [gone(APRIL, home=False), back("2019-05-05 08:00")],
        "returned",
        Share(0, 0),
        "moved: not home",
    ),
    ([gone(APRIL, person=None)], "returned", Share(0, 0), "nobody knows who it was"),
]


@pytest.mark.parametrize(("stays", "what", "count", "because"), COUNTS)
def test_what_is_counted(stays: list[Followed], what: str, count: object, because: str) -> None:
    told = follow_up(stays, "2380", MAY, NOW)
    found = told.limits[what] if isinstance(what, DeadlineName) else getattr(told, what)
    assert found == count, because
    assert follow_up(reversed(stays), "2380", MAY, NOW) == told, "in any order"
    assert follow_up(stays, "2380", MAY, at("2019-08-01 06:00")) == told, "later nothing more is to come"
    months = [(town, Month(2019, number)) for town in ("2309", "2380") for number in (4, 5, 6)]
    assert told in list(follow_ups(iter(stays), months, NOW)), "beside others"


def test_a_month_that_is_not_over_counts_what_is_decided() -> None:
    stays = [stay(limits=LAST_DAY), stay(limits=MET), gone(at("2019-05-01 12:00"))]
    told = follow_up(stays, "2380", MAY, at("2019-05-31 12:00"))
    assert (told.limits[SIP], told.limits[NOTICE], told.returned) == (Share(0, 0), Share(1, 1), Share(0, 0))


def test_the_mean_and_its_trend() -> None:
    stays = [
        stay(days=days, ended_at=at(f"2019-{month}-10 15:00"))
        for month, days in (("05", 4), ("05", 3), ("05", 3), ("04", 2), ("02", 9))
    ]
    means = follow_up(stays, "2380", MAY, NOW).means
    assert [one.value for one in means] == [Fraction(10, 3), Fraction(2), None]


def full() -> list[Followed]:
    every = tuple(limit(name, "2019-05-03 10:00", "2019-05-03 09:00")[0] for name in DeadlineName)
    late = tuple(limit(name, "2019-05-03 10:00", None)[0] for name in DeadlineName)
    april = at("2019-04-10 15:00")
    return [
        stay(limits=every, days=0),
        stay(limits=late),
        stay(days=5, ended_at=april),
        back("2019-05-05 10:00"),
    ]


@pytest.mark.parametrize("version", FhirVersion)
@pytest.mark.parametrize("stays", [[], full()], ids=["nobody", "everything"])
def test_fhir_resources_agrees(stays: list[Followed], version: FhirVersion) -> None:
    assert (
        validate(follow_up_bundle(follow_up(stays, "2380", MAY, NOW), cases.edition(version)), version) == []
    )


@pytest.mark.parametrize("version", [FhirVersion.R4, FhirVersion.R5])
@pytest.mark.parametrize("stays", [[], full()], ids=["nobody", "everything"])
def test_hl7s_validator_agrees(
    fhir_validator: FhirValidator, stays: list[Followed], version: FhirVersion
) -> None:
    told = follow_up(stays, "2380", MAY, NOW)
    assert_sound(fhir_validator, version, follow_up_bundle(told, cases.edition(version)))


def test_what_the_report_says() -> None:
    report = follow_up_report(follow_up(full(), "2380", MAY, NOW), cases.edition())
    said = {
        group["code"]["coding"][0]["code"]: (
            [one["count"] for one in group["population"]],
            group.get("measureScore", {}).get("value"),
        )
        for group in report["group"]
    }
    assert said["mean-days"] == ([2, 2], 1)
    assert said["mean-days-1"] == ([1, 1], 5)
    assert said["mean-days-2"] == ([0, 0], None)
    assert said["day-zero-share"] == ([2, 2, 1], Decimal("0.5"))
    assert said["admission-notice-share"] == ([2, 2, 1], Decimal("0.5"))
    assert said["sip-call-missed"] == ([1], None)
    assert said["return-share"] == ([1, 1, 1], 1)
    assert report["subject"]["identifier"]["value"] == "2380"
    assert b"tolvan" not in dumps(report), "no person, by whatever name"


def test_the_same_counts_are_the_same_report() -> None:
    told = follow_up(full(), "2380", MAY, NOW)
    assert follow_up_report(told, cases.edition()) == follow_up_report(told, cases.edition())
    other = follow_up(full()[:1], "2380", MAY, NOW)
    assert follow_up_report(other, cases.edition())["id"] != follow_up_report(told, cases.edition())["id"]
    assert follow_up_measure(FhirVersion.R4) == follow_up_measure(FhirVersion.R4)
