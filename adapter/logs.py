"""How the log is written: one JSON object a line on standard error, whoever speaks.

Owns the form; does not own what may be said (`logbook`). A library's words may hold anything, what it puts in
and the text of an exception too: only kind and place are written, and of a few libraries the words without
what is put in. So it is with what ends a process.
"""

import errno
import logging
import sys
import threading
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any

import orjson
import structlog

from adapter.settings import LogLevel
from adapter.trace import here

#: Libraries whose words are constants, what they tell of being put in apart from them.
_CONSTANT = ("aiokafka", "opentelemetry")
_LONGEST = 300


def configure_log(process: str, level: LogLevel = "info", *, lasting: bool = False) -> None:
    """Write the log of this process from now on; of libraries only their errors.

    `lasting`: of a process that works until it is stopped. Its loggers are made once, its threads' faults and
    warnings told of too.
    """
    form = _Form(process)
    stream: Any = _StandardError()
    libraries = logging.StreamHandler(stream)
    libraries.setFormatter(_Libraries(form))
    logging.basicConfig(handlers=[libraries], level=logging.ERROR, force=True)
    structlog.configure(
        processors=[form],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=lasting,
    )
    sys.excepthook = _ended
    if lasting:
        logging.captureWarnings(True)
        logging.getLogger("py.warnings").setLevel(logging.WARNING)
        threading.excepthook = lambda fault: _ended(fault.exc_type, fault.exc_value, fault.exc_traceback)


def kind_of(error: BaseException) -> str:
    """The kind of an error, never its text; of the operating system's its symbol too: OSError(EADDRINUSE)."""
    name = type(error).__name__
    number = error.errno if isinstance(error, OSError) else None
    symbol = errno.errorcode.get(number) if number is not None else None
    return f"{name}({symbol})" if symbol else name


def place_of(error: BaseException) -> str:
    """Where an error was raised: the end of the file's path, and the line."""
    frames = traceback.extract_tb(error.__traceback__)
    return _place(frames[-1].filename, frames[-1].lineno or 0) if frames else "unknown:0"


def _place(filename: str, line: int) -> str:
    return f"{'/'.join(Path(filename).parts[-3:])}:{line}".lstrip("/")


class _StandardError:
    """Standard error as it is when something is written."""

    def write(self, text: str) -> None:
        """Write it."""
        sys.stderr.write(text)

    def flush(self) -> None:
        """Let it be seen."""
        sys.stderr.flush()


class _Form:
    """A line: what every one has first, then what the event tells."""

    def __init__(self, process: str) -> None:
        self._same = {"service": "losus", "process": process, "version": version("losus-adapter")}

    def __call__(self, _logger: object, method: str, said: structlog.typing.EventDict) -> str:
        """As structlog calls it, last."""
        return self.line(method, said.pop("event"), said)

    def line(self, level: str, event: str, fields: Mapping[str, Any]) -> str:
        """Write it; what JSON has no word for is told by its kind."""
        now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        told = {"timestamp": now, "level": level, "event": event, **self._same}
        trace = here()
        if trace is not None:
            told |= {"trace_id": trace.trace_id, "span_id": trace.span_id}
        return orjson.dumps({**told, **fields}, default=lambda value: type(value).__name__).decode()


class _Libraries(logging.Formatter):
    """A library's record as a line."""

    def __init__(self, form: _Form) -> None:
        super().__init__()
        self._form = form

    def format(self, record: logging.LogRecord) -> str:
        """Write it: never its arguments, nor the text of an exception."""
        error = record.exc_info[1] if record.exc_info else record.msg
        fields = {
            "logger": record.name,
            "at": _place(record.pathname, record.lineno),
            "error": kind_of(error) if isinstance(error, BaseException) else "",
            "text": _words(record),
        }
        return self._form.line(_level(record.levelno), "library.logged", fields)


def _words(record: logging.LogRecord) -> str | None:
    text = record.msg
    is_plain = isinstance(text, str) and "\n" not in text and len(text) <= _LONGEST
    return text if is_plain and record.name.split(".")[0] in _CONSTANT else None


def _level(number: int) -> LogLevel:
    if number >= logging.ERROR:
        return "error"
    return "warning" if number >= logging.WARNING else "info" if number >= logging.INFO else "debug"


def _ended(
    kind: type[BaseException], error: BaseException | None, _where: TracebackType | None = None
) -> None:
    """What ends a process or a thread, told without its text; `Ctrl-C` is nothing to tell of."""
    if issubclass(kind, KeyboardInterrupt):
        return
    fault = error if error is not None else kind()
    structlog.get_logger().error("process.failed", error=kind_of(fault), at=place_of(fault))
