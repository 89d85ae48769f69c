"""The monthly follow-up as FHIR: a MeasureReport of its own, and the Measure that says what is counted.

Owns the figures' groups and their words. Does not own the counts (`settlement.following`) nor the report
that a statement rests on (`measure_report`). Whole counts and no person; but where they are few they are
the region's and the municipality's own, and not for the public (`statistics`).

A share counts those that were judged (denominator) and those that were kept (numerator); deviations
(missed limits) are counted by kind in groups of their own. A limit belongs to the month in which it was due,
a return to that in which the thirty days ended: when the month is over, all of it is decided.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from adapter.fhir.decimals import day_count, dumps, rounded
from adapter.fhir.elements import (
    Edition,
    Resource,
    both,
    canonical,
    extension,
    instant,
    month_period,
    narrative,
    region,
    uuid_of,
)
from adapter.fhir.measure import UNKNOWN, basis, extended, population
from adapter.fhir.model import FhirVersion
from adapter.fhir.vocabulary import CANONICAL, FOLLOW_UP, KOMMUNKOD
from adapter.losus.days import Month
from adapter.losus.deadlines import DeadlineName
from adapter.settlement.following import TREND_MONTHS, FollowUp, Mean, Share

_SCORING = "http://terminology.hl7.org/CodeSystem/measure-scoring"

#: Populations of each scoring, with what is in them in Swedish and English.
_POPULATIONS: dict[str, dict[str, tuple[str, str]]] = {
    "continuous-variable": {
        "initial-population": ("vårdtillfällen som ingår", "stays that are in it"),
        "measure-population": ("vårdtillfällen som ingår", "stays that are in it"),
    },
    "proportion": {
        "initial-population": ("de vars tid gick ut i månaden", "those whose time ended in the month"),
        "denominator": ("de vars tid gick ut i månaden", "those whose time ended in the month"),
        "numerator": ("de som uppfyllde måttet", "those that met the measure"),
    },
    "cohort": {"initial-population": ("antal avvikelser", "number of deviations")},
}

_MEANS = ("mean-days", "mean-days-1", "mean-days-2")

_NONE = Share(0, 0)
#: Counts nothing: the measure has the same figures as every report.
_NOTHING = FollowUp(
    "",
    Month(2018, 1),
    0,
    tuple(Mean(Month(2018, 1), 0, 0) for _ in range(TREND_MONTHS)),
    _NONE,
    dict.fromkeys(DeadlineName, _NONE),
    _NONE,
)


@dataclass(frozen=True, slots=True)
class _Figure:
    """One group: its code, how it is scored, what each population counts, and the score (None: none).

    `no_data`: nothing is known of the month; counts and score are absent, with the reason `unknown`.
    """

    code: str
    scoring: str
    counts: tuple[int, ...]
    score: dict[str, Any] | None
    no_data: bool = False


def follow_up_bundle(told: FollowUp, edition: Edition) -> Resource:
    """Give report and measure in a Bundle, to be read with nothing else at hand."""
    rule = follow_up_measure(edition.version)
    report = follow_up_report(told, edition)
    return {
        "resourceType": "Bundle",
        "id": uuid_of("Bundle", report["id"]),
        "type": "collection",
        "timestamp": instant(edition.made_at),
        "entry": [{"fullUrl": edition.full_url(one), "resource": one} for one in (report, rule)],
    }


def follow_up_report(told: FollowUp, edition: Edition) -> Resource:
    """Give the MeasureReport of a municipality and month; its id is by what it counts."""
    rule = follow_up_measure(edition.version)
    figures = [_group(figure, edition.version) for figure in _figures(told)]
    code = {"system": KOMMUNKOD, "value": told.municipality}
    name = edition.municipalities.get(told.municipality, told.municipality)
    reporter = region(edition.regions.home or told.municipality[:2], edition)
    mean = told.means[0].value
    average = "–" if mean is None else rounded(mean)
    return {
        "resourceType": "MeasureReport",
        "id": uuid_of("FollowUp", told.municipality, str(told.month), dumps({"group": figures}).decode()),
        "text": narrative(
            f"Månadsuppföljning {name} {told.month}: {told.ended} vårdtillfällen, genomsnitt {average} dygn.",
            f"Monthly follow-up {name} {told.month}: {told.ended} stays, mean {average} days.",
        ),
        "status": "complete",
        "type": "summary",
        "measure": f"{rule['url']}|{rule['version']}",
        "subject": {"type": "Organization" if edition.r5 else "Location", "identifier": code},
        "date": instant(edition.made_at),
        "period": month_period(told.month),
        "reporter": {"type": "Organization", "identifier": reporter["identifier"][0]},
        "group": figures,
    }


def follow_up_measure(version: FhirVersion) -> Resource:
    """Give what is counted and how it is scored, figure by figure."""
    words = (
        "Uppföljning efter varje månad (Bilaga 9): genomsnitt och trend, andelar och avvikelser.",
        "Follow-up after each month (Bilaga 9): mean and trend, shares and deviations.",
    )
    made: Resource = {
        "resourceType": "Measure",
        "text": narrative(*words),
        "url": f"{CANONICAL}/Measure/manadsuppfoljning",
        "identifier": [{"value": "manadsuppfoljning"}],
        "name": "Manadsuppfoljning",
        "title": both("Månadsuppföljning", "Monthly follow-up"),
        "status": "active",
        "experimental": False,
        "description": both(*words),
        "group": [_rule(figure, version) for figure in _figures(_NOTHING)],
    }
    return canonical(made | basis(version))


def _figures(told: FollowUp) -> Iterator[_Figure]:
    for code, mean in zip(_MEANS, told.means, strict=True):
        yield _mean(code, mean)
    yield _share("day-zero-share", told.day_zero)
    for name in DeadlineName:
        yield _share(f"{name.value}-share", told.limits[name])
    for name in DeadlineName:
        yield _Figure(f"{name.value}-missed", "cohort", (told.missed(name),), None)
    yield _share("return-share", told.returned)


def _mean(code: str, mean: Mean) -> _Figure:
    score = None if mean.value is None else day_count(rounded(mean.value))
    return _Figure(code, "continuous-variable", (mean.stays, mean.stays), score, mean.no_data)


def _share(code: str, share: Share) -> _Figure:
    score = None if share.value is None else {"value": rounded(share.value)}
    return _Figure(code, "proportion", (share.of, share.of, share.kept), score)


def _group(figure: _Figure, version: FhirVersion) -> dict[str, Any]:
    scored = "measureScoreQuantity" if version is FhirVersion.R5 else "measureScore"
    names = _POPULATIONS[figure.scoring]
    return {
        "code": FOLLOW_UP.concept(figure.code),
        "population": [
            {"code": population(name), **({"_count": UNKNOWN} if figure.no_data else {"count": count})}
            for name, count in zip(names, figure.counts, strict=True)
        ],
        **({scored: UNKNOWN} if figure.no_data else {}),
        **({} if figure.score is None else {scored: figure.score}),
    }


def _rule(figure: _Figure, version: FhirVersion) -> dict[str, Any]:
    scored = {"coding": [{"system": _SCORING, "code": figure.scoring}]}
    r5 = version is FhirVersion.R5
    english, swedish = FOLLOW_UP.concepts[figure.code]
    return {
        **extended([] if r5 else [extension("settlement-group-scoring", valueCodeableConcept=scored)]),
        "code": FOLLOW_UP.concept(figure.code),
        "description": both(swedish, english),
        **({"scoring": scored} if r5 else {}),
        "population": [
            {
                "code": population(name),
                "description": both(*words),
                # R4 demands one; no expression language says what `losus.deadlines` judges
                **({} if r5 else {"criteria": {"language": "text/plain", "expression": words[1]}}),
            }
            for name, words in _POPULATIONS[figure.scoring].items()
        ],
    }
