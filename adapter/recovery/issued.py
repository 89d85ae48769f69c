"""What was issued and lost: statements, follow-ups and answers to disputes, known again by their Bundles.

Owns what is read of a published Bundle. Follow-ups, answers and
amounts are kept again as they were published, and so are the entries of joint follow-ups. A
statement cannot be: its Bundle does not say all that later months correct. So it is written down as told,
nothing is issued in its place, and it is kept again when settling the month anew comes to the same Bundle,
byte for byte (`adapter.settling.issuing`).
"""

from dataclasses import dataclass, replace
from datetime import datetime

import orjson

from adapter.fhir.decimals import dumps, loads
from adapter.fhir.elements import Resource
from adapter.fhir.joint_read import read_entries, read_head
from adapter.fhir.numbers import published_numbers
from adapter.fhir.vocabulary import KOMMUNKOD, LANSKOD, STATEMENT_IDENTIFIER
from adapter.losus.days import Month, local_day
from adapter.outbound.announced import announcement_of
from adapter.outbound.events import FOLLOW_UP_RECORDED, RATE_ANNOUNCED
from adapter.recovery.told import as_recorded
from adapter.store import disputes, joint, putting_back
from adapter.store.database import Connection
from adapter.store.followups import FollowUpRow, add_follow_up, followed_up
from adapter.store.invoices import KnownDocument, keep_numbers
from adapter.store.putting_back import Staged
from adapter.store.rates import add_announcement
from adapter.store.recovery import ToldStatement


@dataclass(frozen=True, slots=True)
class IssuedAgain:
    """What became of something that was issued. `id` is that of its event.

    `outcome`: `blocked` (a statement that is not issued anew), `there` (it is kept here already), `other`
    (another one was issued here for the same payer and month), `kept` (kept again), `unasked` (the question
    is lost), `unknown` (not a Bundle of this version).
    """

    id: str
    kind: str
    municipality: str
    month: str
    outcome: str


async def keep_again(connection: Connection, one: Staged, now: datetime) -> IssuedAgain:
    """Keep again what a Bundle tells, in the caller's transaction, and put its event back."""
    if one.type == RATE_ANNOUNCED:
        return await _announcement(connection, one)
    if one.type == FOLLOW_UP_RECORDED:
        return await _joint_follow_up(connection, one)
    resources = [entry["resource"] for entry in orjson.loads(one.payload).get("entry", ())]
    by_kind: dict[str, Resource] = {}
    for resource in resources:
        by_kind.setdefault(resource["resourceType"], resource)
    if (task := by_kind.get("Task")) is not None:
        done = await _answer(connection, one, task)
    elif (report := by_kind.get("MeasureReport")) is None:
        done = IssuedAgain(one.case_id, "other", one.lane, "", "unknown")
    elif any(each.get("system") == STATEMENT_IDENTIFIER for each in report.get("identifier", ())):
        done = await _statement(connection, one, report, resources, now)
    else:
        done = await _follow_up(connection, one, report, resources)
    if done.outcome in {"blocked", "kept", "unknown"}:
        await putting_back.put_back(connection, [(one, as_recorded(one))])
    return done


async def _statement(
    connection: Connection,
    one: Staged,
    report: Resource,
    resources: list[Resource],
    now: datetime,
) -> IssuedAgain:
    rule = next(each for each in resources if each["resourceType"] == "Measure")
    agreement, _, care_form = rule["identifier"][0]["value"].partition("/")
    municipality, month = _municipality(resources), report["period"]["start"][:7]
    done = IssuedAgain(one.case_id, "statement", municipality, month, "blocked")
    region = _region(resources)
    here = await putting_back.statement_here(connection, agreement, municipality, care_form, month, region)
    if here is None:
        told = ToldStatement(
            one.case_id, agreement, municipality, care_form, month, one.at, one.payload, region
        )
        await putting_back.add_told_statement(connection, told)
        await _keep_numbers(connection, one, resources)
        return done
    if here["event"] is not None:  # issued anew after the restore, and not published yet: nor will it be
        await putting_back.supersede(connection, {here["event"]: one.ce_id}, now)
    return replace(done, outcome="there" if here["id"] == one.case_id else "other")


async def _keep_numbers(connection: Connection, one: Staged, resources: list[Resource]) -> None:
    """Let nobody else have the numbers of a statement that was published and lost."""
    dated = local_day(one.at)
    numbers = published_numbers(resources)
    known = [KnownDocument(each.number, each.kind, one.case_id, dated) for each in numbers]
    await keep_numbers(connection, known)


async def _follow_up(
    connection: Connection, one: Staged, report: Resource, resources: list[Resource]
) -> IssuedAgain:
    municipality = report["subject"]["identifier"]["value"]
    month = Month.parse(report["period"]["start"][:7])
    done = IssuedAgain(one.case_id, "follow-up", municipality, str(month), "kept")
    if await followed_up(connection, [month]) & {(municipality, month)}:
        return replace(done, outcome="other")
    told = tuple((each["resourceType"], each["id"], orjson.dumps(each)) for each in resources)
    await add_follow_up(connection, FollowUpRow(municipality, month, one.at, one.payload, told))
    return done


async def _joint_follow_up(connection: Connection, one: Staged) -> IssuedAgain:
    """Keep a version again, and of its entries those that are lost; what was entered here since stands."""
    resources = [entry["resource"] for entry in loads(one.payload)["entry"]]
    head, entries = read_head(resources[0]), read_entries(resources[0])
    done = IssuedAgain(one.case_id, "joint follow-up", head.municipality, str(head.month), "kept")
    known = {entry.number for entry in await joint.entries_of(connection, [head.id])}
    if (await joint.versions_of(connection, [head.id])).get(head.id, 0) >= one.revision:
        return replace(done, outcome="other")
    await joint.add_head(connection, head)
    for entry in entries:
        if entry.number not in known:
            await joint.add_entry(connection, entry)
    published = tuple(
        (each["resourceType"], each["id"], dumps(each))
        for each in resources
        if each["resourceType"] in {"MeasureReport", "Task"}
    )
    row = joint.VersionRow(head.id, one.revision, one.at, one.payload, published)
    await joint.add_version(connection, row)
    await putting_back.put_back(connection, [(one, as_recorded(one))])
    return done


async def _announcement(connection: Connection, one: Staged) -> IssuedAgain:
    row = announcement_of(one.payload)
    added = await add_announcement(connection, row)
    if added:
        await putting_back.put_back(connection, [(one, as_recorded(one))])
    outcome = "kept" if added else "other"
    return IssuedAgain(one.case_id, "rate", row.municipality, str(row.year), outcome)


async def _answer(connection: Connection, one: Staged, task: Resource) -> IssuedAgain:
    done = IssuedAgain(one.case_id, "answer", one.lane, "", "kept")
    question = await disputes.find_dispute(connection, one.case_id, lock=True)
    if question is None:
        return replace(done, outcome="unasked")
    why = task.get("statusReason") or {}
    reason = (why.get("concept") or why).get("text")
    upheld = task["status"] == "completed"
    if not await disputes.add_answer(connection, one.case_id, upheld=upheld, reason=reason, now=one.at):
        return replace(done, outcome="other")
    return done


def _region(resources: list[Resource]) -> str:
    """Give the länskod of the region that a statement makes creditor; `''` where it names none."""
    return next(
        (
            str(each["value"])
            for resource in resources
            if resource["resourceType"] == "Organization"
            for each in resource["identifier"]
            if each.get("system") == LANSKOD
        ),
        "",
    )


def _municipality(resources: list[Resource]) -> str:
    return next(
        str(each["value"])
        for resource in resources
        if resource["resourceType"] == "Organization"
        for each in resource["identifier"]
        if each.get("system") == KOMMUNKOD
    )
