"""A server that takes its time: silence, drops that never end, and calls that are given up."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import pytest

from adapter.client.connect import client_of
from adapter.client.faults import AwayError
from adapter.errors import LosusError
from adapter.fhir.model import FhirVersion
from adapter.servers import Circuit, Patience, Server
from tests.client.outside import Stage

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nContent-Length: 100000\r\n\r\n"
PATIENT = b'{"resourceType": "Patient", "id": "1"}'
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nContent-Length: 38\r\n\r\n" + PATIENT


class Slow:
    """A server that answers as `how` says: `silent`, `drops`, `breaks`, `garbage`, `answers`."""

    def __init__(self, how: str) -> None:
        self.how = how
        self.asked = 0
        self.base = ""

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            self.asked += 1
            if self.how == "silent":
                await reader.read()
            elif self.how == "drops":
                writer.write(HEAD)
                while not reader.at_eof():
                    writer.write(b" ")
                    await writer.drain()
                    await asyncio.sleep(0.01)
            else:
                writer.write({"breaks": HEAD + b"{", "garbage": b"no HTTP\r\n\r\n"}.get(self.how, WHOLE))
                await writer.drain()
        writer.close()


@contextlib.asynccontextmanager
async def slow(how: str) -> AsyncIterator[Slow]:
    handler = Slow(how)
    server = await asyncio.start_server(handler, "127.0.0.1", 0)
    handler.base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/fhir"
    try:
        yield handler
    finally:
        server.close()
        await server.wait_closed()


CASES = [
    # how it answers, timeout_s, answer_s, FHIR issue code, because
    ("silent", 1.0, 60.0, "timeout", "nothing comes for timeout_s"),
    ("drops", 60.0, 1.0, "timeout", "each drop comes in time; the whole has to as well, in answer_s"),
    ("breaks", 60.0, 60.0, "transient", "the connection ends before the answer does"),
    ("garbage", 60.0, 60.0, "transient", "no HTTP"),
]


@pytest.mark.parametrize(("how", "timeout_s", "answer_s", "code", "because"), CASES)
async def test_no_answer_in_time_or_whole(
    how: str, timeout_s: float, answer_s: float, code: str, because: str
) -> None:
    stage, begun = Stage(), time.monotonic()
    async with slow(how) as place:
        server = Server(
            base_url=place.base, timeout_s=timeout_s, answer_s=answer_s, patience=Patience(attempts=2)
        )
        async with client_of("hospital", server, FhirVersion.R4, stage.outside) as client:
            with pytest.raises(AwayError) as away:
                await client.read("Patient/1")
    assert away.value.problems[0].code == code, because
    assert (place.asked, len(stage.pauses)) == (2, 1), because
    assert time.monotonic() - begun < 50  # far below the limit that is not the one meant


async def test_a_call_that_is_given_up_leaves_the_trial_to_the_next() -> None:
    """Half-open, one request may try; one that is cancelled tells nothing."""
    stage = Stage()
    async with slow("breaks") as place:
        server = Server(
            base_url=place.base, patience=Patience(attempts=1), circuit=Circuit(failures=1, rest_s=10)
        )
        async with client_of("hospital", server, FhirVersion.R4, stage.outside) as client:
            with pytest.raises(AwayError):
                await client.read("Patient/1")
            stage.at_s, place.how = 10.0, "silent"
            trial = asyncio.create_task(client.read("Patient/1"))
            while place.asked < 2:
                await asyncio.sleep(0.01)
            with pytest.raises(LosusError):
                await client.read("Patient/1")  # one trial at a time
            trial.cancel()
            with pytest.raises(asyncio.CancelledError):
                await trial
            place.how = "answers"
            assert (await client.read("Patient/1")).resource["id"] == "1"
    assert place.asked == 3
