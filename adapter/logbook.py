"""The logbook: every event that may stand in the log, and what its fields mean.

Owns names, meanings and kinds, and the JSON Schema of a line that is made of them (`losus schemas`); does not
own how a line is written (`logs`) nor when. A test holds every call of a log in `adapter` against this table.
The kinds are so narrow that no value of a message fits where it should not be: names of settings, numbers of
our own, kinds of errors, words of our own rules; and nowhere ten digits that could be a personnummer.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Shape = Mapping[str, Any]
Level = Literal["debug", "info", "warning", "error"]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
NAME = "log-line.v1"
_ID = "https://losus-adapter.se/schemas/" + NAME

_NO_PERSON = "(?!.*[0-9]{6}[-+ ]?[0-9]{4})"


def _text(pattern: str) -> Shape:
    return {"type": "string", "pattern": pattern}


_WORDS = _text(f"^{_NO_PERSON}[^\\n]{{0,500}}$")
_WORD = _text("^[A-Za-z][A-Za-z0-9_.-]{0,79}$")
_KIND = _text(f"^{_NO_PERSON}[A-Za-z0-9_.:()'* -]{{0,200}}$")
_LANE = _text("^([0-9]{4}|unrouted|dead-letter)$")
_HEX = "^[0-9a-f]{%d}$"
_COUNT: Shape = {"type": "integer", "minimum": 0}
_SECONDS: Shape = {"type": "number", "minimum": 0}
_BOOLEAN: Shape = {"type": "boolean"}


def _list(of: Shape) -> Shape:
    return {"type": "array", "items": of}


@dataclass(frozen=True, slots=True)
class Field:
    """What a field means, wherever it stands, and the JSON Schema of its value."""

    words: str
    shape: Shape


@dataclass(frozen=True, slots=True)
class Event:
    """When a line of this name is written, at which level (None: any), with which fields: always all."""

    level: Level | None
    words: str
    fields: tuple[str, ...] = ()


#: What every line has, but for the two of a trace, which a line has whose work belongs to one.
ENVELOPE: Mapping[str, Field] = {
    "timestamp": Field("when, UTC", {"type": "string", "format": "date-time", "pattern": "Z$"}),
    "level": Field("how grave", {"enum": ["debug", "info", "warning", "error"]}),
    "event": Field("what happened: a name of the table", _WORD),
    "service": Field("whose log this is", {"const": "losus"}),
    "process": Field("the command: serve, relay, watch, poll, settle …", _WORD),
    "version": Field("of the adapter", _text("^[0-9A-Za-z.+-]{1,40}$")),
    "trace_id": Field("the way of one message; X-Request-Id of its answer", _text(_HEX % 32)),
    "span_id": Field("the step on that way", _text(_HEX % 16)),
}
TRACED = ("trace_id", "span_id")

FIELDS: Mapping[str, Field] = {
    "answered": Field("HTTP status of the answer; null: none came", {"type": ["integer", "null"]}),
    "at": Field("place in the program", _text("^[^\\n:]{1,200}:[0-9]+$")),
    "attempt": Field("which attempt it was, from 1", _COUNT),
    "call": Field("interaction with a source's own server: read, search …", _WORD),
    "can_ask": Field("whether what is missing can be asked for", _BOOLEAN),
    "door": Field("how it came in; of a refusal the route, with no value in it", _text("^[^\\n ?]{1,120}$")),
    "entries": Field("how many entries of the audit", _COUNT),
    "error": Field("kind of the fault, by its class or in words of ours", _KIND),
    "errors": Field("kinds of the faults", _list(_KIND)),
    "events": Field("how many events", _COUNT),
    "failing": Field("how many of how many could not be used", _WORDS),
    "failures": Field("attempts in a row that failed", _COUNT),
    "figures": Field("which figures", _WORD),
    "had_been_published": Field("whether Kafka has it", _BOOLEAN),
    "hash": Field("hash of the last entry of the audit", _text(_HEX % 64)),
    "held": Field("how many were kept and cannot be used yet", _COUNT),
    "lane": Field("kommunkod, unrouted or dead-letter", _LANE),
    "logger": Field("which library", _text("^[A-Za-z0-9_.-]{1,120}$")),
    "member": Field("a relay's own number", _COUNT),
    "message": Field("number of the message, as `losus replay --message` takes it", _COUNT),
    "migration": Field("name of the migration", _text("^[0-9]{4}_[a-z0-9_]+$")),
    "number": Field("number in the order of its kind", _COUNT),
    "numbers": Field("numbers of events", _list(_COUNT)),
    "partition": Field("of a topic", _COUNT),
    "partitions": Field("how many of a topic", _COUNT),
    "pause_s": Field("seconds until the next attempt", _SECONDS),
    "problem": Field("which rule was broken, in words of ours", _WORDS),
    "reason": Field("why, in one word", _WORD),
    "relays": Field("how many relays there are", _COUNT),
    "retry_in_s": Field("seconds until the next attempt", _SECONDS),
    "rules": Field("which rules were broken, in words of ours", _list(_WORDS)),
    "share": Field("a share of the outbox", _COUNT),
    "shares": Field("shares of the outbox", _list(_COUNT)),
    "slot": Field("where one claim at a time is published", _text("^[a-z0-9-]{1,40}$")),
    "slots": Field("slots of claims of which Kafka knows more", _list(_text("^[a-z0-9-]{1,40}$"))),
    "source": Field("name of the source in the settings; unknown: none of them", _WORD),
    "taken": Field("how many were taken", _COUNT),
    "text": Field(
        "the library's words, without what it puts in; null: they may hold anything",
        {**_WORDS, "type": ["string", "null"]},
    ),
    "topics": Field("names of topics", _list(_text("^[A-Za-z0-9._-]{1,249}$"))),
    "usable": Field("whether it can be used now", _BOOLEAN),
    "was_alive": Field("whether the server still held it for active", _BOOLEAN),
    "why": Field("what was said of it, in words of ours", _list(_WORDS)),
}

EVENTS: Mapping[str, Event] = {
    # every process
    "library.logged": Event(None, "A library had something to say.", ("logger", "at", "error", "text")),
    "process.failed": Event("error", "A process ended by a fault.", ("error", "at")),
    "service.failed": Event("error", "The service could not start.", ("error", "at", "rules")),
    # what comes in
    "request.failed": Event("error", "A request failed by a fault of ours.", ("error", "at")),
    "message.taken": Event("debug", "A message was stored.", ("source", "door", "message")),
    "message.held": Event(
        "warning", "A message was kept and cannot be used yet.", ("source", "door", "message", "rules")
    ),
    "message.refused": Event("info", "A message was refused.", ("source", "door", "error")),
    "message.unstored": Event("error", "A message could not be stored.", ("source", "error")),
    "message.faulty": Event(
        "error", "A fault of ours stands in a message's way; it is kept.", ("source", "error")
    ),
    "message.reread": Event("info", "A message was read anew.", ("message", "source", "usable")),
    "delivery.refused": Event(
        "error", "What nobody waits for was refused, and is not kept.", ("source", "door", "rules")
    ),
    "group.refused": Event("warning", "Deliveries could not be stored together; one by one now.", ("error",)),
    "source.stopped": Event(
        "error", "Too much of a source cannot be used: it was stopped.", ("source", "failing")
    ),
    "flood.interrupted": Event("warning", "The flood guard failed, and goes on.", ("error",)),
    "hook.gap": Event("warning", "Notifications are missing.", ("source", "events", "can_ask")),
    "hook.no_events": Event("info", "What is missing could not be asked for by number.", ("source", "error")),
    "poll.looked": Event("info", "A source's server was asked to the end.", ("source", "taken", "held")),
    "poll.interrupted": Event("warning", "A look was cut off; the next begins there.", ("source", "error")),
    "listener.started": Event("info", "A source's topic is read.", ("source", "partitions")),
    "listener.interrupted": Event("warning", "The reading was cut off, and goes on.", ("source", "error")),
    "subscriber.asked": Event("info", "A Subscription was made.", ("source",)),
    "subscriber.renewed": Event("info", "A Subscription was renewed.", ("source", "was_alive")),
    "subscriber.interrupted": Event("warning", "Subscriptions could not be seen to.", ("source", "error")),
    "rereader.interrupted": Event("warning", "Reading anew failed, and goes on.", ("error",)),
    "watcher.interrupted": Event("warning", "Judging of limits failed, and goes on.", ("error",)),
    "surveyor.interrupted": Event("warning", "Figures could not be read.", ("figures", "error")),
    # a source's own server
    "client.again": Event(
        "info", "A call is tried again.", ("source", "call", "answered", "attempt", "pause_s")
    ),
    "client.failed": Event("warning", "A call failed.", ("source", "call", "answered", "problem")),
    "client.setup": Event("error", "A call cannot be made as it is set up.", ("source", "problem")),
    "client.circuit.open": Event("warning", "A server is not asked for a while.", ("source",)),
    # callers
    "access.refused": Event("warning", "Somebody was not let in.", ("source", "door", "reason")),
    "access.audit_failed": Event("error", "The audit could not be written yet.", ("error",)),
    "access.jwks_failed": Event("warning", "An issuer's keys could not be fetched.", ("error",)),
    "audit.head": Event(
        "info", "The audit has grown: keep the hash elsewhere.", ("number", "hash", "entries")
    ),
    # the database
    "database.waiting": Event("warning", "Migrating waits for the database.", ("attempt",)),
    "database.busy": Event(
        "warning", "A migration waits for others' transactions.", ("migration", "attempt")
    ),
    # the relay
    "event.published": Event("debug", "Kafka has an event.", ("lane", "number")),
    "relay.started": Event("info", "A relay works.", ("member",)),
    "relay.stopped": Event("info", "A relay has ended, with nothing under way.", ("member",)),
    "relay.shares_taken": Event("info", "A relay took shares over.", ("shares", "relays")),
    "relay.share_left": Event("info", "A relay left a share to others.", ("share",)),
    "relay.interrupted": Event("warning", "A relay begins anew.", ("errors", "why", "retry_in_s")),
    "relay.topics_missing": Event("warning", "Topics could not be made.", ("topics", "why")),
    "relay.mended": Event(
        "info", "A claim that was left open is decided.", ("slot", "events", "had_been_published")
    ),
    "relay.database_is_older": Event(
        "error", "Kafka has what the database does not know: losus recover.", ("slots",)
    ),
    "relay.progress_lost": Event("error", "The topic of progress was made anew.", ("partition",)),
    "relay.share_waits": Event("warning", "A share waits for the broker.", ("share", "error", "retry_in_s")),
    "relay.lane_set_apart": Event("warning", "A lane goes into quarantine.", ("lane", "reason", "error")),
    "relay.lane_waits": Event(
        "warning", "A lane in quarantine failed again.", ("lane", "reason", "error", "failures", "retry_in_s")
    ),
    "relay.lane_returned": Event("info", "A lane leaves quarantine.", ("lane",)),
    "relay.parked": Event("error", "The broker refuses records for good: cases wait.", ("lane", "numbers")),
}


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a line."""
    return {
        "$schema": DIALECT,
        "$id": _ID,
        "title": "LogLine",
        "description": "One line of the log of any process of the adapter. None holds a value of a message.",
        "type": "object",
        "required": [name for name in ENVELOPE if name not in TRACED],
        "properties": {name: _described(one) for name, one in ENVELOPE.items()},
        "dependentRequired": {"trace_id": ["span_id"], "span_id": ["trace_id"]},
        "oneOf": [_line(name, event) for name, event in EVENTS.items()],
        "unevaluatedProperties": False,
    }


def _line(name: str, event: Event) -> dict[str, Any]:
    said: dict[str, Any] = {"event": {"const": name}}
    if event.level is not None:
        said["level"] = {"const": event.level}
    said |= {field: _described(FIELDS[field]) for field in event.fields}
    return {"title": name, "description": event.words, "required": list(event.fields), "properties": said}


def _described(field: Field) -> dict[str, Any]:
    return {**field.shape, "description": field.words}
