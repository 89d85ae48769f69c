"""Reads topics with clients that are none of ours: Kafka's own console consumer, and kcat (librdkafka)."""

import json
import os
import subprocess
from dataclasses import dataclass
from typing import Any

from tests.kafka.libraries import jvm
from tests.servers import java, program

_NEXT_FIELD, _NEXT_HEADER, _NEXT_RECORD, _NONE = "\x1f", "\x1d", "\x1e", "\x1a"  # in no text of ours


@dataclass(frozen=True, slots=True)
class Seen:
    """A record as a foreign client shows it. `value` and `key` None: none (a tombstone, no key)."""

    partition: int
    offset: int
    key: str | None
    value: str | None
    headers: tuple[tuple[str, str], ...]


def console_consumer(
    bootstrap: str,
    topic: str,
    count: int,
    *,
    isolation: str = "read_committed",
    idle_s: float = 10,
) -> list[Seen]:
    """Read up to `count` records from the beginning; fewer where none comes for `idle_s`."""
    shown = ("print.partition", "print.offset", "print.headers", "print.key", "print.value")
    marks = {
        "key.separator": _NEXT_FIELD,
        "headers.separator": _NEXT_HEADER,
        "line.separator": _NEXT_RECORD,
        "null.literal": _NONE,
    }
    formats = [f"{name}=true" for name in shown] + [f"{name}={mark}" for name, mark in marks.items()]
    options = [word for text in formats for word in ("--formatter-property", text)]
    what = ("--topic", topic, "--from-beginning", "--max-messages", str(count))
    how = ("--isolation-level", isolation, "--timeout-ms", str(int(idle_s * 1000)))
    argv = [java(), *jvm("128m")]
    argv += ["org.apache.kafka.tools.consumer.ConsoleConsumer", "--bootstrap-server", bootstrap]
    argv += [*what, *how, *options]
    env = os.environ | {"LC_ALL": "C.UTF-8"}
    done = subprocess.run(argv, capture_output=True, text=True, check=True, env=env, timeout=120)
    return [_from_console(line) for line in done.stdout.split(_NEXT_RECORD) if line]


def _from_console(line: str) -> Seen:
    partition, offset, headers, key, value = line.split(_NEXT_FIELD)
    pairs = [] if headers == "NO_HEADERS" else [h.partition(":") for h in headers.split(_NEXT_HEADER)]
    return Seen(
        partition=int(partition.removeprefix("Partition:")),
        offset=int(offset.removeprefix("Offset:")),
        key=None if key == _NONE else key,
        value=None if value == _NONE else value,
        headers=tuple((name, text) for name, _, text in pairs),
    )


def kcat(bootstrap: str, topic: str, *, isolation: str = "read_committed") -> list[Seen]:
    """Read the topic from its beginning to its end of now with kcat."""
    argv = [program("kcat"), "-C", "-q", "-e", "-J", "-b", bootstrap, "-t", topic, "-o", "beginning"]
    argv += ["-X", f"isolation.level={isolation}"]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60)
    return [_from_kcat(json.loads(line)) for line in done.stdout.splitlines()]


def _from_kcat(seen: dict[str, Any]) -> Seen:
    headers = seen.get("headers", [])
    return Seen(
        partition=seen["partition"],
        offset=seen["offset"],
        key=seen["key"],
        value=seen["payload"],
        headers=tuple(zip(headers[::2], headers[1::2], strict=True)),
    )
