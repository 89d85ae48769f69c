"""The joint follow-up of a month as FHIR: a MeasureReport with all that was entered, a Task for each measure.

Owns how a follow-up is written and read again. Does not own what its entries come to (`settlement.joint`),
the figures (`followup`) nor publishing it.

| of the follow-up | in the Bundle |
| --- | --- |
| the month's figures, deviations by kind | `MeasureReport.group`, of the Measure of the monthly follow-up |
| the statement; stays whose limits were missed, or that a deviation is reported of | `evaluatedResource` |
| what, why, how far; entries and representatives | extensions of the MeasureReport |
| measures, decided here or carried over | Tasks, `focus` the MeasureReport; `owner` is who does it |

`status` is `pending` while something is missing. A stay is named by its pseudonym, nobody by name but the
parties' own representatives and who is responsible for a measure.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from adapter.fhir.elements import Edition, Resource, extension, instant, narrative, region, uuid_of
from adapter.fhir.followup import follow_up_measure, follow_up_report
from adapter.fhir.vocabulary import (
    CANONICAL,
    GATE_STATUS,
    JOINT,
    KOMMUNKOD,
    STATEMENT_IDENTIFIER,
    STAY_IDENTIFIER,
    care_form,
)
from adapter.losus.days import Month
from adapter.losus.deadlines import DeadlineName
from adapter.settlement.following import TREND_MONTHS, FollowUp, Mean, Share
from adapter.settlement.joint import Decided, Entry, JointFollowUp, Progress, State
from adapter.settlement.joint_entries import (
    Deviation,
    Finding,
    Judged,
    Measure,
    Meeting,
    Opened,
    Outcome,
    Party,
    Withdrawal,
)
from adapter.settlement.joint_judging import counts_of

#: The id of a measure, as a follow-up names it.
MEASURE_IDENTIFIER = f"{CANONICAL}/identifier/measure"
_ENTRY, _REPRESENTATIVE, _DEVIATION = (
    f"joint-follow-up-{name}" for name in ("entry", "representative", "deviation")
)


def follow_up_id(agreement: str, municipality: str, care_form_: str, month: Month) -> str:
    """Return the id of a joint follow-up, which is that of its MeasureReport."""
    return uuid_of("JointFollowUp", agreement, municipality, care_form_, str(month))


def joint_bundle(one: JointFollowUp, version: int, edition: Edition) -> Resource:
    """Return the Bundle of a version, to be read with nothing else: report, measures' Tasks, the Measure."""
    rule = follow_up_measure(edition.version)
    report = _report(one, version, edition)
    tasks = [_task(each, one, edition) for each in (*one.measures, *one.carried)]
    return {
        "resourceType": "Bundle",
        "id": uuid_of("Bundle", one.head.id, str(version)),
        "type": "collection",
        "timestamp": instant(edition.made_at),
        "entry": [{"fullUrl": edition.full_url(each), "resource": each} for each in (report, *tasks, rule)],
    }


def _report(one: JointFollowUp, version: int, edition: Edition) -> Resource:
    head, judged = one.head, one.judged
    counts = counts_of(head, judged) if judged is not None else _nothing(one)
    made = follow_up_report(counts, edition)
    swedish, english = _in_words(one)
    made |= {
        "id": head.id,
        "meta": {"versionId": str(version), "lastUpdated": instant(edition.made_at)},
        "text": narrative(swedish, english),
        "status": "pending" if one.state is State.OPEN else "complete",
    }
    if judged is None:
        del made["group"]
    made["reporter"] = {"type": "Organization", "identifier": _region(one, edition)}
    made["extension"] = [
        _head(one),
        *_status(judged),
        *(_entry(each) for each in one.entries),
        *(each for entry in one.entries for each in _representatives(entry)),
    ]
    evidence = list(_evidence(one))
    return made | ({"evaluatedResource": evidence} if evidence else {})


def _nothing(one: JointFollowUp) -> FollowUp:
    """Return counts of nothing: the month is not judged yet."""
    month, none = one.head.month, Share(0, 0)
    means = tuple(Mean(month.plus(-back), 0, 0) for back in range(TREND_MONTHS))
    return FollowUp(one.head.municipality, month, 0, means, none, dict.fromkeys(DeadlineName, none), none)


def _in_words(one: JointFollowUp) -> tuple[str, str]:
    head, (english, swedish) = one.head, JOINT.concepts[one.state.value]
    because, measures = JOINT.concepts[one.because.value], len(one.measures) + len(one.carried)
    what = f"{head.municipality} {head.month}"
    number = _number(one)
    return (
        f"Gemensam uppföljning {what}: {because[1]}. {swedish}. {number} avvikelser, {measures} åtgärder.",
        f"Joint follow-up {what}: {because[0]}. {english}. {number} deviations, {measures} measures.",
    )


def _number(one: JointFollowUp) -> int:
    return len(one.deviations) + (len(one.judged.missed) if one.judged is not None else 0)


def _head(one: JointFollowUp) -> dict[str, Any]:
    head = one.head
    inner: list[tuple[str, str, object]] = [
        ("agreement", "Code", head.agreement),
        ("care-form", "CodeableConcept", care_form(head.care_form)),
        ("because", "CodeableConcept", JOINT.concept(one.because.value)),
        ("state", "CodeableConcept", JOINT.concept(one.state.value)),
        ("opened", "DateTime", _exact(one.opened_at)),
        *([] if one.judged_at is None else [("judged", "DateTime", _exact(one.judged_at))]),
        ("over", "Boolean", one.is_over),
        *_mean(one.judged),
        *(("missing", "Code", name) for name in one.missing),
    ]
    return _parts("joint-follow-up", inner)


def _mean(judged: Judged | None) -> Iterator[tuple[str, str, object]]:
    """Yield what the mean of the statement was held against the threshold by."""
    if judged is not None:
        yield "ended", "UnsignedInt", judged.ended
        yield "stays", "UnsignedInt", judged.stays
        yield "days", "UnsignedInt", judged.days
        if judged.threshold is not None:
            yield "threshold", "Decimal", Decimal(judged.threshold)


def _status(judged: Judged | None) -> Iterator[dict[str, Any]]:
    if judged is not None and judged.status is not None:
        yield extension("settlement-gate-status", valueCodeableConcept=GATE_STATUS.concept(judged.status))


def _entry(entry: Entry) -> dict[str, Any]:
    content = entry.content
    inner: list[tuple[str, str, object]] = [
        ("number", "PositiveInt", entry.number),
        ("kind", "CodeableConcept", JOINT.concept(content.kind)),
        ("at", "DateTime", _exact(entry.at)),
    ]
    if entry.party is not None:
        inner.append(("party", "CodeableConcept", JOINT.concept(entry.party.value)))
    if entry.corrects is not None:
        inner.append(("corrects", "PositiveInt", entry.corrects))
    inner += [(name, kind, value) for name, kind, value in _content(content) if value is not None]
    return _parts(_ENTRY, inner)


def _content(content: object) -> Iterator[tuple[str, str, object]]:
    match content:
        case Opened():
            yield "result", "CodeableConcept", JOINT.concept(content.because.value)
        case Meeting():
            yield "date", "Date", content.held_on.isoformat()
        case Finding() | Withdrawal():
            yield "text", "String", content.text
        case Deviation():
            yield "text", "String", content.text
            yield "name", "Code", content.name
            yield "stay", "Identifier", None if content.stay is None else _stay(content.stay)
        case Measure():
            yield "text", "String", content.text
            yield "date", "Date", content.due.isoformat()
            yield "responsible-party", "CodeableConcept", JOINT.concept(content.party.value)
            yield "responsible", "String", content.responsible
        case Outcome():
            yield "text", "String", content.text
            yield "date", "Date", None if content.due is None else content.due.isoformat()
            yield "measure", "Id", content.measure
            yield "result", "CodeableConcept", JOINT.concept(content.result.value)
        case _:
            return


def _representatives(entry: Entry) -> Iterator[dict[str, Any]]:
    if not isinstance(entry.content, Meeting):
        return
    for one in entry.content.representatives:
        inner: list[tuple[str, str, object]] = [
            ("entry", "PositiveInt", entry.number),
            ("party", "CodeableConcept", JOINT.concept(one.party.value)),
            ("name", "String", one.name),
            *([] if one.role is None else [("role", "String", one.role)]),
        ]
        yield _parts(_REPRESENTATIVE, inner)


def _evidence(one: JointFollowUp) -> Iterator[dict[str, Any]]:
    """Yield what the control rests on: the statement, and each stay that a deviation is of."""
    judged = one.judged
    if judged is not None and judged.statement is not None:
        identifier = {"system": STATEMENT_IDENTIFIER, "value": judged.statement}
        yield {"type": "MeasureReport", "identifier": identifier}
    for missed in judged.missed if judged is not None else ():
        inner: list[tuple[str, str, object]] = [
            ("name", "Code", missed.name),
            ("due", "DateTime", _exact(missed.due)),
            *([] if missed.met_at is None else [("met", "DateTime", _exact(missed.met_at))]),
        ]
        yield {
            "extension": [_parts(_DEVIATION, inner)],
            "type": "Encounter",
            "identifier": _stay(missed.stay),
        }
    for entry in one.deviations:
        if isinstance(entry.content, Deviation) and entry.content.stay is not None:
            named: list[tuple[str, str, object]] = [
                *([] if entry.content.name is None else [("name", "Code", entry.content.name)]),
                ("entry", "PositiveInt", entry.number),
            ]
            stay = _stay(entry.content.stay)
            yield {"extension": [_parts(_DEVIATION, named)], "type": "Encounter", "identifier": stay}


def _task(one: Decided, of: JointFollowUp, edition: Edition) -> Resource:
    measure, last = one.measure, one.outcomes[-1] if one.outcomes else None
    status = {Progress.DONE: "completed", Progress.WITHDRAWN: "cancelled"}.get(
        one.progress, "accepted" if last is None else "in-progress"
    )
    english, swedish = JOINT.concepts["measure"]
    until = {"end": one.due.isoformat()}
    notes = [_note(each.text, each.entry) for each in one.outcomes if each.text is not None]
    return {
        "resourceType": "Task",
        "id": one.id,
        "meta": {"versionId": str(one.version)},
        "text": narrative(f"{swedish} {one.month}: {one.due}.", f"{english} {one.month}: {one.due}."),
        "identifier": [{"system": MEASURE_IDENTIFIER, "value": one.id}],
        "status": status,
        **({} if last is None else {"businessStatus": JOINT.concept(last.result.value)}),
        "intent": "plan",
        "code": JOINT.concept("measure"),
        "description": measure.text,
        "focus": edition.reference("MeasureReport", one.follow_up),
        "authoredOn": instant(one.entry.at),
        "lastModified": instant(last.entry.at if last is not None else one.entry.at),
        "owner": {**_organization(measure.party, of, edition), "display": measure.responsible},
        # R5 allows a restriction of fulfilments alone (tsk-1), and has a period of its own
        **({"requestedPeriod": until} if edition.r5 else {"restriction": {"period": until}}),
        **({"note": notes} if notes else {}),
    }


def _note(text: str, entry: Entry) -> dict[str, Any]:
    author = {} if entry.party is None else {"authorString": JOINT.concepts[entry.party.value][1]}
    return {**author, "time": instant(entry.at), "text": text}


def _organization(party: Party, of: JointFollowUp, edition: Edition) -> dict[str, Any]:
    if party is Party.MUNICIPALITY:
        return {"type": "Organization", "identifier": {"system": KOMMUNKOD, "value": of.head.municipality}}
    return {"type": "Organization", "identifier": _region(of, edition)}


def _region(of: JointFollowUp, edition: Edition) -> dict[str, str]:
    """Name the region: an agreement with a gate is one of the region that its municipalities lie in."""
    identifier: dict[str, str] = region(of.head.municipality[:2], edition)["identifier"][0]
    return identifier


def _stay(name: str) -> dict[str, str]:
    return {"system": STAY_IDENTIFIER, "value": name}


def _parts(name: str, inner: Iterable[tuple[str, str, object]]) -> dict[str, Any]:
    return extension(name, extension=[{"url": url, f"value{kind}": value} for url, kind, value in inner])


def _exact(at: datetime) -> str:
    """Return an instant with all its digits: what is read again is what was entered."""
    return at.isoformat()
