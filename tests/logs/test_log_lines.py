"""What real processes write: every line as the logbook says, and no value of a message in any."""

import asyncio
import io
import json
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import structlog
from jsonschema import Draft202012Validator
from starlette.applications import Starlette

from adapter import logs
from adapter.errors import Problem, SetupError
from adapter.logbook import EVENTS, schema
from adapter.logs import configure_log, kind_of
from adapter.sandbox.processes import LOOPBACK, free_ports
from adapter.trace import at, new_trace
from adapter.web.guard import Guard
from tests import cli
from tests.doors.mutation import CANARY, _at, _places
from tests.servers import eventually
from tests.service import renewed, settings, way_home

#: Of the messages sent: names, numbers, what was planted; and of the settings: the key of the pseudonyms.
NEVER = (CANARY, "19121212", "Tolvan", "Greta", "Testsson", "sixteen letters!")


@cache
def validator(event: str) -> Draft202012Validator:
    """Lines of one event: the parts of the other events, which its name rules out, are left away."""
    whole = schema()
    own = [part for part in whole["oneOf"] if part["properties"]["event"]["const"] == event]
    return Draft202012Validator({**whole, "oneOf": own or whole["oneOf"]})


@contextmanager
def process(dsn: str, log: Path, *arguments: str) -> Iterator[cli.Process]:
    """A process of the adapter, its standard error in a file; ended orderly."""
    given = settings(dsn)
    environment = os.environ | {
        "LOSUS_DATABASE": dsn,
        "LOSUS_SECRET": "sixteen letters!",
        "LOSUS_OPEN_DOORS": "true",
        "LOSUS_LOG_LEVEL": "debug",
        "LOSUS_KAFKA": '{"bootstrap": "127.0.0.1:1"}',
        "LOSUS_SOURCES": '{"losus-r4": {"mapping": "losus-r4", "flood": 1}}',
        "LOSUS_SUBSCRIBERS": orjson.dumps({c: s.model_dump() for c, s in given.subscribers.items()}).decode(),
    }
    with cli.start(*arguments, env=environment, stderr=log) as running:
        try:
            yield running
            running.terminate()
            assert running.wait(60) in {0, -signal.SIGTERM}
        finally:
            running.kill()


def lines_of(written: str) -> list[dict[str, Any]]:
    """The lines of a log, each held against the schema, the whole against what may never stand there."""
    for never in NEVER:
        assert never not in written
    lines = [json.loads(line) for line in written.splitlines()]
    for line in lines:
        assert [one.message for one in validator(line["event"]).iter_errors(line)] == [], line
    return lines


def planted() -> Iterator[dict[str, Any]]:
    """The first message, with a value that is nobody's business at each of its places in turn."""
    message = way_home()[0]
    for number, path in enumerate(_places(message)):
        if isinstance(_at(message, path), str) and path[0] == "entry":
            changed = renewed(message, f"planted-{number}")
            _at(changed, path[:-1])[path[-1]] = CANARY
            yield changed


def knock(base: str) -> dict[str, str]:
    """Good messages, bad ones, and whatever else might be written down; traces by what was sent."""
    said = "/fhir/losus-r4/$process-message"
    with httpx.Client(base_url=base, timeout=60) as client:
        good = [client.post(said, json=one) for one in way_home()]
        assert {one.status_code for one in good} == {200}
        bad = [client.post(said, json=one) for one in planted()]
        assert {200, 400, 409, 422} >= {one.status_code for one in bad} >= {422}
        for answer in (
            client.post(said, content=f'{{"{CANARY}"'),
            client.post(said, content=f"<Bundle>{CANARY}", headers={"content-type": "application/fhir+xml"}),
            client.post(f"/fhir/{CANARY}/$process-message", json=way_home()[0]),
            client.put(f"/fhir/losus-r4/Encounter/{CANARY}", json={"resourceType": CANARY}),
            client.post("/fhir/losus-r4/$subscription-hook", content=CANARY),
            client.get(f"/cases/{CANARY}/timeline", headers={"traceparent": CANARY, "x-request-id": CANARY}),
            client.get(f"/{CANARY}?{CANARY}"),
        ):
            assert answer.status_code >= 400
        return {
            "message.taken": good[0].headers["x-request-id"],
            "message.held": next(one for one in bad if is_kept(one)).headers["x-request-id"],
        }


def is_kept(answer: httpx.Response) -> bool:
    """Whether it is a response message: what could not be told apart as one has no more than an outcome."""
    return answer.status_code == 422 and answer.json()["resourceType"] == "Bundle"


async def test_every_line_of_a_service_and_a_relay(dsn: str, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    served, relayed = tmp_path / "serve.log", tmp_path / "relay.log"
    with process(dsn, served, "serve", "--port", str(port)):
        base = f"http://{LOOPBACK}:{port}"

        def answers() -> bool:
            try:
                return httpx.get(f"{base}/healthz", timeout=5).status_code == 200
            except httpx.TransportError:
                return False

        assert await asyncio.to_thread(eventually, answers, 120)
        with process(dsn, relayed, "relay"):
            traces = await asyncio.to_thread(knock, base)
            assert await asyncio.to_thread(eventually, lambda: b"share_waits" in relayed.read_bytes(), 60)
    told = lines_of(served.read_text())
    assert {line["process"] for line in told} == {"serve"}
    assert {"message.taken", "message.held", "message.refused"} <= {line["event"] for line in told}
    for event, trace in traces.items():
        assert trace in {line["trace_id"] for line in told if line["event"] == event}
    told = lines_of(relayed.read_text())
    assert {line["process"] for line in told} == {"relay"}
    assert {"relay.started", "relay.share_waits", "relay.stopped"} <= {line["event"] for line in told}


LIBRARIES = [
    # logger, words, what is put in, error, text of the line, error of the line, because
    ("aiokafka", "no node for %s", (CANARY,), None, "no node for %s", "", "its words are constants"),
    ("aiokafka.x", "a\nb", (), None, None, "", "what has several lines is none of them"),
    ("asyncio", f"Task failed: {CANARY}", (), ValueError(CANARY), None, "ValueError", "made of anything"),
    ("uvicorn.error", f"Traceback …\n{CANARY}", (), None, None, "", "a traceback holds values"),
    ("uvicorn.error", OSError(98, CANARY), (), None, None, "OSError(EADDRINUSE)", "an error by its kind"),
]


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What `configure_log` writes in this process, put back as it was in the end."""
    before = (logging.root.handlers[:], logging.root.level, sys.excepthook)
    known = structlog.get_config()
    stream = io.StringIO()
    monkeypatch.setattr(logs._StandardError, "write", lambda _, text: stream.write(text))
    configure_log("test", "debug")
    yield stream
    structlog.reset_defaults()
    structlog.configure(**known)
    logging.root.handlers[:], sys.excepthook = before[0], before[2]
    logging.root.setLevel(before[1])


@pytest.mark.parametrize(
    ("logger", "words", "put_in", "error", "text", "kind", "because"),
    LIBRARIES,
    ids=[r[-1] for r in LIBRARIES],
)
def test_a_librarys_words_are_written_without_what_is_put_in(
    written: io.StringIO, logger: str, words: Any, put_in: Any, error: Any, text: Any, kind: str, because: str
) -> None:
    logging.getLogger(logger).error(words, *put_in, exc_info=error)
    [line] = lines_of(written.getvalue())
    assert (line["logger"], line["text"], line["error"]) == (logger, text, kind), because
    assert line["at"].startswith("tests/logs/test_log_lines.py:")


def test_what_ends_a_process_is_told_by_kind_and_place(written: io.StringIO) -> None:
    trace, error = new_trace(), ValueError(CANARY)
    with at(trace):
        sys.excepthook(type(error), error, error.__traceback__)
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    [line] = lines_of(written.getvalue())
    assert (line["event"], line["error"]) == ("process.failed", "ValueError")
    assert (line["at"], line["trace_id"]) == ("unknown:0", trace.trace_id)


@pytest.mark.parametrize(
    ("fault", "rules"),
    [(ValueError(CANARY), []), (SetupError(Problem("value", "a rule of ours", CANARY)), ["a rule of ours"])],
)
async def test_a_service_that_cannot_start_says_why(
    written: io.StringIO, fault: Exception, rules: list[str]
) -> None:
    @asynccontextmanager
    async def life(_: Starlette) -> AsyncIterator[None]:
        if fault:
            raise fault
        yield

    async def starting(*_: object) -> dict[str, str]:
        return {"type": "lifespan.startup"}

    scope = {"type": "lifespan", "app": None, "state": {}}
    with pytest.raises(type(fault)):
        await Guard(Starlette(lifespan=life))(scope, starting, starting)  # type: ignore[arg-type]
    [line] = lines_of(written.getvalue())
    assert (line["event"], line["error"], line["rules"]) == ("service.failed", type(fault).__name__, rules)
    assert line["at"].startswith("tests/logs/test_log_lines.py:")


@pytest.mark.parametrize(
    ("level", "told"),
    [
        ("debug", {"debug", "info", "warning", "error"}),
        ("info", {"info", "warning", "error"}),
        ("warning", {"warning", "error"}),
        ("error", {"error"}),
    ],
)
def test_a_level_leaves_out_what_is_below(written: io.StringIO, level: Any, told: set[str]) -> None:
    configure_log("test", level)
    logger = structlog.get_logger()
    fields = {"source": "losus-r4", "door": "message"}
    logger.debug("message.taken", message=1, **fields)
    logger.info("message.refused", error="InputError", **fields)
    logger.warning("message.held", message=1, rules=[], **fields)
    logger.error("delivery.refused", rules=[], **fields)
    assert {line["level"] for line in lines_of(written.getvalue())} == told


def test_an_error_of_the_system_is_told_with_its_symbol() -> None:
    told = [kind_of(one) for one in (OSError(98, CANARY), ConnectionRefusedError(CANARY), KeyError(CANARY))]
    assert told == ["OSError(EADDRINUSE)", "ConnectionRefusedError", "KeyError"]


def test_every_level_is_used() -> None:
    assert {event.level for event in EVENTS.values()} == {None, "debug", "info", "warning", "error"}
