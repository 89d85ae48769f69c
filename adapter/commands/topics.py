"""`losus topics`: the topics as the settings want them, who may read them, and cases whose time is over.

Owns what is printed and the exit codes; does not own the comparison (`outbound.topic_plan`).
"""

import asyncio
from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer
import yaml

from adapter.commands.checked import checked_settings
from adapter.commands.output import err, out, print_json
from adapter.outbound.access_lists import Access, access_lists, administrator_lists, strimzi
from adapter.outbound.expiry import START, expire
from adapter.outbound.topic_plan import Difference, TopicPlan, plan_topics
from adapter.outbound.topics import TopicTerms
from adapter.settings import Settings
from adapter.store.database import connect
from adapter.store.migrate import migrate

topics_app = typer.Typer(help="The topics on the broker.", no_args_is_help=True)


class Form(StrEnum):
    """How it is printed."""

    TEXT = "text"
    JSON = "json"
    STRIMZI = "strimzi"


@topics_app.command("apply")
def apply_command(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what differs, and change nothing; 1 where something does.")
    ] = False,
    more_partitions: Annotated[
        bool, typer.Option("--more-partitions", help="Add partitions too: see what is said of them first.")
    ] = False,
    form: Annotated[Form, typer.Option("--format", help="text, json or strimzi")] = Form.TEXT,
    cluster: Annotated[str, typer.Option(help="Of Strimzi resources: the name of the cluster.")] = "kafka",
    api: Annotated[str, typer.Option("--strimzi-api", help="v1 or v1beta2")] = "v1",
    authentication: Annotated[str, typer.Option(help="Of Strimzi users: tls or scram-sha-512.")] = "tls",
) -> None:
    """Make the topics that the settings want, set those that differ, and print who is to be allowed what.

    As Strimzi resources they are printed alone: there the operator makes them.
    """
    settings = checked_settings(raw=False)
    terms = terms_of(settings)
    if form is Form.STRIMZI:
        found = strimzi(
            settings.subscribers,
            terms,
            cluster=cluster,
            api=api,
            authentication=authentication,
            source_topics=_source_topics(settings),
            federations=_members(settings),
        )
        print(yaml.safe_dump_all(found, sort_keys=False, allow_unicode=True), end="")  # noqa: T201 - data
        return
    plan = asyncio.run(_apply(settings, terms, dry_run=dry_run, grow=more_partitions))
    if form is Form.JSON:
        print_json(
            {
                "applied": not dry_run,
                "differences": [asdict(one) for one in plan.differences],
                "access": [one.as_json() for one in _access(settings)],
            }
        )
    else:
        _tell(plan, settings, dry_run=dry_run)
    left = [one for one in plan.differences if one.action == "leave" and one.setting != "topic"]
    if left or (dry_run and any(one.action != "leave" for one in plan.differences)):
        raise typer.Exit(1)


@topics_app.command("expire")
def expire_command() -> None:
    """Take cases that ended long ago off `.cases` (`kafka.cases_days`); the relay does so by itself too."""
    count = asyncio.run(_expire(checked_settings(raw=False)))
    err.print(f"{count} cases; the relay publishes their tombstones")


def terms_of(settings: Settings) -> TopicTerms:
    """How the settings want topics to be."""
    kafka = settings.kafka
    return TopicTerms(kafka.partitions, kafka.replication, kafka.min_insync, kafka.retention_days)


async def _apply(settings: Settings, terms: TopicTerms, *, dry_run: bool, grow: bool) -> TopicPlan:
    plan = await plan_topics(settings.kafka.cluster, settings.subscribers, terms, grow=grow)
    if not dry_run:
        await plan.apply(settings.kafka.cluster)
    return plan


def _tell(plan: TopicPlan, settings: Settings, *, dry_run: bool) -> None:
    for one in plan.differences:
        out.print(_line(one, dry_run=dry_run))
    if not plan.differences:
        out.print("all topics are as they are to be")
    out.print("\nTo be allowed, each after kafka-acls --bootstrap-server HOST:PORT:")
    for access in _access(settings):
        print(access.command())  # noqa: T201 - to be copied: a line is never broken


def _access(settings: Settings) -> list[Access]:
    allowed = access_lists(
        settings.subscribers, source_topics=_source_topics(settings), federations=_members(settings)
    )
    return [*allowed, *administrator_lists()]


def _members(settings: Settings) -> dict[str, tuple[str, ...]]:
    return {name: one.members for name, one in settings.federations.items()}


def _source_topics(settings: Settings) -> list[str]:
    return sorted({one.topic for one in settings.sources.values() if one.topic is not None})


def _line(one: Difference, *, dry_run: bool) -> str:
    if one.action == "leave":
        return f"left      {one.topic}  {one.setting} {one.now}, not {one.wanted}: {one.why}"
    word = {"make": "make", "set": "set", "add": "add"}[one.action]
    done = f"to {word}" if dry_run else {"make": "made", "set": "set", "add": "added"}[one.action]
    if one.action == "make":
        return f"{done:<9} {one.topic}"
    return f"{done:<9} {one.topic}  {one.setting} {one.now} → {one.wanted}"


async def _expire(settings: Settings) -> int:
    dsn = settings.database.get_secret_value()
    await migrate(dsn)
    database = await connect(dsn, size=1)
    count, place = 0, START
    try:
        while True:
            async with database.transaction() as connection:
                found, after = await expire(connection, datetime.now(UTC), settings.kafka.cases_days, place)
            count += found
            if after is None:
                return count
            place = after
    finally:
        await database.close()
