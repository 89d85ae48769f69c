"""A municipality's consumer: keeps the newest picture of each case in SQLite, works once on each change.

    pip install aiokafka
    python consumer.py --kafka HOST:PORT --municipality 2380 --store cases.sqlite

Over TLS, `--authority` is the PEM file of who signed the brokers' certificates; who you are is shown by
`--user` and `--password-file` (SASL/SCRAM-SHA-512), or by `--certificate` and `--key` (PEM).

Begins with the snapshot on `losus.2380.cases`, then follows `losus.2380.events` from where the snapshot
began. How far it has come stands in the same database as its cases and is stored in the same transaction,
so that nothing is lost or done twice when it is killed; Kafka is told afterwards, for those who watch lag.
"""

import argparse
import asyncio
import contextlib
import json
import signal
import sqlite3
import ssl
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import OffsetOutOfRangeError

KNOWN_TYPES = {"se.losus.case.changed.v1", "se.losus.case.deadline.v1"}

TABLES = """
create table if not exists cases (
  case_id  text primary key,
  revision integer not null,            -- the newest that was worked on
  picture  text,                        -- JSON; null: no longer ours, the revision alone is remembered
  handled  integer not null
);
create table if not exists missed (case_id text, revision integer, primary key (case_id, revision));
create table if not exists positions (partition integer primary key, next integer not null);
"""


class AddedError(Exception):
    """The topic has partitions that are not followed: cases may have changed theirs."""


class Store:
    """What is known, and how far it was read: one database, so that both are stored at once."""

    def __init__(self, path: str) -> None:
        self.database = sqlite3.connect(path)
        self.database.execute("pragma journal_mode = wal")  # others may read while we write
        self.database.executescript(TABLES)

    def positions(self) -> dict[int, int]:
        """The next offset of each partition of `.events`; empty before the first snapshot is whole."""
        return dict(self.database.execute("select partition, next from positions"))

    def take(self, case_id: str, picture: dict) -> None:
        """Take in one picture: once for each revision, the newest wins, a gap is written down."""
        row = self.database.execute("select revision from cases where case_id = ?", (case_id,)).fetchone()
        known, revision = (row[0] if row else None), picture["revision"]
        if known is not None and revision <= known:
            return  # a repeat, or older than what we have
        if known is not None:
            for missing in range(known + 1, revision):
                # The picture is whole, so we go on. Who needs every step asks the region for
                # `losus republish MUNICIPALITY --case ID`, or begins anew with an empty store.
                self.database.execute("insert or ignore into missed values (?, ?)", (case_id, missing))
        self.work(case_id, picture)
        kept = None if picture["moved"] else json.dumps(picture)
        self.database.execute(
            """insert into cases values (?, ?, ?, 1) on conflict (case_id) do update
               set revision = excluded.revision, picture = excluded.picture, handled = handled + 1""",
            (case_id, revision, kept),
        )

    def work(self, case_id: str, picture: dict) -> None:
        """What your system does at a change: within the transaction, so once for each revision."""

    def forget_all_but(self, present: set[str]) -> None:
        """After a snapshot: what is not in it is no longer ours."""
        known = {case_id for (case_id,) in self.database.execute("select case_id from cases")}
        gone = [(case_id,) for case_id in known - present]
        self.database.executemany("update cases set picture = null where case_id = ?", gone)


async def bootstrap(store: Store, kafka: dict[str, Any], municipality: str) -> None:
    """Take in the snapshot, and set out from where it began."""
    events, cases = f"losus.{municipality}.events", f"losus.{municipality}.cases"
    reader = AIOKafkaConsumer(
        events,
        cases,
        **kafka,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    await reader.start()
    try:
        # First where `.events` ends, then where `.cases` ends: what comes in between is in both.
        here = [place for place in reader.assignment() if place.topic == events]
        reader.pause(*here)
        begin = await reader.end_offsets(here)
        ends = await reader.end_offsets([place for place in reader.assignment() if place.topic == cases])
        newest: dict[str, bytes | None] = {}
        while [one for one, end in ends.items() if await reader.position(one) < end]:
            for records in (await reader.getmany(timeout_ms=500)).values():
                newest.update({record.key.decode(): record.value for record in records})
    finally:
        await reader.stop()
    present = {case_id for case_id, value in newest.items() if value is not None}
    with store.database:
        for case_id in present:
            store.take(case_id, json.loads(newest[case_id]))
        store.forget_all_but(present)
        rows = [(place.partition, offset) for place, offset in begin.items()]
        store.database.executemany("insert or replace into positions values (?, ?)", rows)


async def follow(store: Store, kafka: dict[str, Any], municipality: str) -> None:
    """Follow `.events` from the stored positions.

    OffsetOutOfRangeError where they are too old, AddedError where the topic has more partitions by now.
    """
    topic = f"losus.{municipality}.events"
    consumer = AIOKafkaConsumer(
        **kafka,
        group_id=f"losus.{municipality}.cases",  # groups that may be yours begin so
        isolation_level="read_committed",
        auto_offset_reset="none",  # never skip silently
        enable_auto_commit=False,
    )
    await consumer.start()
    try:
        positions = {TopicPartition(topic, number): offset for number, offset in store.positions().items()}
        consumer.assign(list(positions))  # one consumer for all partitions; several would share them out
        for place, offset in positions.items():
            consumer.seek(place, offset)
        while True:
            if (consumer.partitions_for_topic(topic) or set()) - {place.partition for place in positions}:
                raise AddedError
            for place, records in (await consumer.getmany(timeout_ms=500)).items():
                with store.database:  # the pictures and the position, or neither
                    for record in records:
                        take(store, record)
                    after = records[-1].offset + 1
                    store.database.execute(
                        "insert or replace into positions values (?, ?)", (place.partition, after)
                    )
                await consumer.commit({place: after})  # afterwards, and only for those who watch
    finally:
        await consumer.stop()


def take(store: Store, record: ConsumerRecord) -> None:
    """One record of `.events`; types that we do not know are passed over."""
    headers = dict(record.headers)
    if headers.get("ce_type", b"").decode() in KNOWN_TYPES and record.value is not None:
        store.take(record.key.decode(), json.loads(record.value))


async def run(store: Store, kafka: dict[str, Any], municipality: str) -> None:
    """Begin where we stopped; with the snapshot where there is nothing yet, or what we have is no use."""
    while True:
        if not store.positions():
            await bootstrap(store, kafka, municipality)
        try:
            await follow(store, kafka, municipality)
        except (OffsetOutOfRangeError, AddedError):
            with store.database:
                store.database.execute("delete from positions")


def connection(given: argparse.Namespace) -> dict[str, Any]:
    """What each client is told: where the brokers are, whom to believe, and who we are."""
    told: dict[str, Any] = {"bootstrap_servers": given.kafka}
    if given.authority:
        tls = ssl.create_default_context(cafile=given.authority)  # host names are checked too
        if given.certificate:
            tls.load_cert_chain(given.certificate, given.key)
        told |= {"security_protocol": "SSL", "ssl_context": tls}
    if given.user:
        told |= {
            "security_protocol": "SASL_SSL",
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_plain_username": given.user,
            "sasl_plain_password": Path(given.password_file).read_text().rstrip("\n"),
        }
    return told


async def main() -> None:
    parser = argparse.ArgumentParser(description="keeps the newest picture of each case in SQLite")
    parser.add_argument("--kafka", required=True)
    parser.add_argument("--municipality", default="2380")
    parser.add_argument("--store", default="cases.sqlite")
    for name in ("--authority", "--certificate", "--key", "--user", "--password-file"):
        parser.add_argument(name)
    given = parser.parse_args()
    if given.user and not (given.authority and given.password_file):
        parser.error("--user goes with --password-file and --authority: no password without TLS")
    running = asyncio.ensure_future(run(Store(given.store), connection(given), given.municipality))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, running.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await running


if __name__ == "__main__":
    asyncio.run(main())
