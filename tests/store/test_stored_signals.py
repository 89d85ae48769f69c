"""Signals as they are stored: what is written is read again, and so is what an earlier release wrote."""

from datetime import UTC, datetime

import orjson
import pytest

from adapter.losus.signal import Signal, Stretch
from adapter.losus.terms import SignalKind
from adapter.store.intake import _read_signals, _signals

AT = datetime(2024, 3, 4, 13, 25, tzinfo=UTC)
LIVED = Stretch(None, {"municipality": "2309", "protected": False}, frozenset({"municipality"}))
LIVES = Stretch(AT, {"municipality": "2380"}, frozenset())

SIGNALS = [
    (Signal(SignalKind.READY, AT), "nothing but a time"),
    (Signal(SignalKind.READY, AT, {"reason": "x"}, repeats=True), "fields, and an occurrence of its own"),
    (Signal(SignalKind.PATIENT, AT, {"municipality": "2380"}, stretches=(LIVED, LIVES)), "what holds when"),
]


@pytest.mark.parametrize(("signal", "because"), SIGNALS)
def test_what_is_written_is_read(signal: Signal, because: str) -> None:
    assert list(_read_signals(_signals((signal,)))) == [signal], because


def test_what_has_no_stretches_is_written_as_ever() -> None:
    stored = [["patient", "2024-03-04T13:25:00+00:00", {"municipality": "2380"}, False]]
    signal = Signal(SignalKind.PATIENT, AT, {"municipality": "2380"})
    assert orjson.loads(_signals((signal,))) == stored
    assert list(_read_signals(orjson.dumps(stored))) == [signal], "the rows of an earlier release"
