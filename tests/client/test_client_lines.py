"""Files of any size, line by line: each line once, also where the connection breaks again and again."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import aclosing

import httpx
import pytest
import respx
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.client.faults import AwayError, GoneError, RefusedError
from adapter.errors import LosusError
from adapter.servers import Patience
from tests.client.outside import Stage
from tests.examples import examples

URL = "https://ehr.example/export/1.ndjson"


class Body(httpx.AsyncByteStream):
    """A body that comes in pieces of `size` bytes; it breaks after `until`, if that is set."""

    def __init__(self, content: bytes, size: int = 7, until: int | None = None) -> None:
        self._content, self._size, self._until = content, size, until

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._content[: self._until]), self._size):
            yield self._content[: self._until][start : start + self._size]
        if self._until is not None:
            raise httpx.ReadError("broken off")


def file(content: bytes, size: int = 7, until: int | None = None, **headers: str) -> httpx.Response:
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(200, headers=told, stream=Body(content, size, until))


async def read(*answers: httpx.Response, **server: object) -> tuple[list[bytes], LosusError | None]:
    """The lines that come, and the error that ends them, if one does."""
    got: list[bytes] = []
    with respx.mock:
        respx.get(URL).mock(side_effect=list(answers))
        async with Stage().client(**{"patience": Patience(attempts=len(answers)), **server}) as client:
            try:
                async for line in client.lines(URL):
                    got.append(line)  # noqa: PERF401 - what came before the error counts
            except LosusError as error:
                return got, error
    return got, None


FILES = [
    # content, lines, because
    (b"", [], "nothing was changed"),
    (b"a\nb\n", [b"a", b"b"], "each line ends"),
    (b"a\nb", [b"a", b"b"], "the last need not"),
    (b"a\r\nb\r\n", [b"a", b"b"], "either line end"),
    (b"\n\na\n  \nb\n", [b"a", b"b"], "empty lines are none"),
    ("å\u2028ä\n".encode() * 20, ["å\u2028ä".encode()] * 20, "U+2028 ends no line of JSON"),
    (b"x" * 500 + b"\ny\n", [b"x" * 500, b"y"], "longer than a piece"),
]


@pytest.mark.parametrize(("content", "lines", "because"), FILES)
@pytest.mark.parametrize("packed", [False, True])
async def test_the_lines_of_a_file(content: bytes, lines: list[bytes], packed: bool, because: str) -> None:
    answer = file(gzip.compress(content), content_encoding="gzip") if packed else file(content)
    assert await read(answer) == (lines, None), because


async def test_it_is_asked_for_as_ndjson_of_this_server() -> None:
    with respx.mock:
        route = respx.get(URL).mock(return_value=file(b"a\n"))
        async with Stage().client() as client:
            assert [line async for line in client.lines(URL)] == [b"a"]
            assert route.calls.last.request.headers["accept"] == "application/fhir+ndjson"
            with pytest.raises(RefusedError):
                client.lines("https://elsewhere.example/1.ndjson")


CONTENT = b"".join(b'{"line": %d}\n' % number for number in range(40))
LINES = CONTENT.split(b"\n")[:-1]


@settings(
    deadline=None, max_examples=examples(50)
)  # the machine may be busy; each example loads certificates
@given(
    breaks=st.lists(st.integers(0, len(CONTENT)), max_size=4),
    sizes=st.lists(st.integers(1, 100), min_size=5, max_size=5),
    packed=st.booleans(),
)
async def test_each_line_comes_once_however_often_it_breaks(
    breaks: list[int], sizes: list[int], packed: bool
) -> None:
    sent = gzip.compress(CONTENT, mtime=0) if packed else CONTENT
    told = {"content_encoding": "gzip"} if packed else {}
    untils = [min(one, len(sent)) for one in breaks] + [None]
    answers = [file(sent, size, until, **told) for until, size in zip(untils, sizes, strict=False)]
    assert await read(*answers) == (LINES, None)


ENDS: list[tuple[list[httpx.Response], type[LosusError], str]] = [
    (
        [file(CONTENT, until=100), file(CONTENT, until=200)],
        AwayError,
        "it broke each time",
    ),
    ([file(CONTENT, until=100), httpx.Response(404)], GoneError, "it is there no longer"),
    ([file(CONTENT, until=100), file(CONTENT.upper())], RefusedError, "what came before is another"),
    ([file(CONTENT, until=100), file(CONTENT[:50])], RefusedError, "it ends before what came before"),
    ([file(CONTENT[:-5] + b"x" * 2_000)], RefusedError, "a line without an end"),
    ([httpx.Response(500)], AwayError, "it never began"),
    ([file(gzip.compress(CONTENT)[:-9], content_encoding="gzip")], AwayError, "cut off"),
]


@pytest.mark.parametrize(("answers", "error", "because"), ENDS, ids=range(len(ENDS)))
async def test_a_file_that_does_not_come_whole_is_no_file_that_ends(
    answers: list[httpx.Response], error: type[LosusError], because: str
) -> None:
    got, ended = await read(*answers, max_bytes=1_000)
    assert type(ended) is error, because
    assert got == LINES[: len(got)]  # what came is right


async def test_a_reader_that_stops_stops_the_asking() -> None:
    asked = asyncio.all_tasks()
    with respx.mock:
        respx.get(URL).mock(return_value=file(CONTENT * 100))
        async with Stage().client() as client, aclosing(client.lines(URL)) as lines:
            async for _ in lines:
                break
        assert [task for task in asyncio.all_tasks() if task not in asked] == []


async def test_no_more_than_a_few_pieces_are_fetched_before_they_are_read() -> None:
    fetched = 0

    class Counted(Body):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            nonlocal fetched
            async for piece in super().__aiter__():
                fetched += 1
                yield piece

    with respx.mock:
        respx.get(URL).mock(return_value=httpx.Response(200, stream=Counted(b"123456\n" * 1_000)))
        async with Stage().client() as client, aclosing(client.lines(URL)) as lines:
            await anext(lines)
            for _ in range(100):
                await asyncio.sleep(0)  # let it fetch as much as it will
            assert fetched < 10
