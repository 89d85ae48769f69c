"""What every answer bears: privacy, and gzip where it is large and taken."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI, Response

from adapter.web.answers import PACKED_FROM, Answers, takes_gzip

TAKES = [
    # Accept-Encoding, whether gzip is taken, because
    ("gzip", True, "named"),
    ("GZIP", True, "without case"),
    ("x-gzip", True, "its old name (RFC 9110, 8.4.1.3)"),
    ("br, gzip;q=0.5", True, "named among others"),
    ("deflate, br", False, "not named"),
    ("*", True, "meant"),
    ("*;q=0", False, "refused with all others"),
    ("gzip;q=0", False, "refused"),
    ("gzip;q=0.0, *", False, "refused, though others are taken"),
    ("identity;q=0, gzip ; q = 0.001", True, "hardly, but taken"),
    ("", False, "nothing but the thing itself"),
    ("gzip;q=1.2.3", False, "a weight that is none"),
    ("notgzip", False, "another name"),
]


@pytest.mark.parametrize(("accept_encoding", "taken", "because"), TAKES)
def test_whether_gzip_is_taken(accept_encoding: str, taken: bool, because: str) -> None:
    assert takes_gzip(accept_encoding) is taken, because


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()

    @app.get("/{size}")
    async def get(size: int) -> Response:
        return Response(b"a" * size, media_type="application/fhir+json", headers={"vary": "Accept"})

    @app.get("/public/page")
    async def page() -> Response:
        return Response("x", headers={"cache-control": "public, max-age=60"})

    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(Answers(app)), base_url="http://adapter"
    ) as ours:
        yield ours


async def test_an_answer_is_kept_by_nobody_and_shown_as_no_page(client: httpx.AsyncClient) -> None:
    for path in ("/10", "/not/there"):
        headers = (await client.get(path)).headers
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert headers["referrer-policy"] == "no-referrer"


async def test_a_route_may_say_otherwise(client: httpx.AsyncClient) -> None:
    assert (await client.get("/public/page")).headers["cache-control"] == "public, max-age=60"


@pytest.mark.parametrize(
    ("size", "accept_encoding", "packed", "because"),
    [
        (PACKED_FROM, "gzip", True, "large enough"),
        (PACKED_FROM - 1, "gzip", False, "one byte less"),
        (PACKED_FROM, "gzip;q=0", False, "refused"),
        (PACKED_FROM, "identity", False, "not taken"),
        (PACKED_FROM, "br, *;q=0.1", True, "meant"),
    ],
)
async def test_packing(
    client: httpx.AsyncClient, size: int, accept_encoding: str, packed: bool, because: str
) -> None:
    answer = await client.get(f"/{size}", headers={"accept-encoding": accept_encoding})
    assert answer.content == b"a" * size
    assert (answer.headers.get("content-encoding") == "gzip") is packed, because
    assert (int(answer.headers["content-length"]) < size) is packed
    vary = set(answer.headers["vary"].split(", "))
    assert vary == ({"Accept", "Accept-Encoding"} if size >= PACKED_FROM else {"Accept"})


async def test_the_life_of_the_service_passes_through() -> None:
    """Startup and shutdown are no requests: they reach the application as they are."""
    seen: list[str] = []

    async def app(scope: object, _receive: object, _send: object) -> None:
        seen.append(scope["type"])  # type: ignore[index]

    async def nothing(*_: object) -> None:
        """Neither is called."""

    await Answers(app)({"type": "lifespan"}, nothing, nothing)  # type: ignore[arg-type]
    assert seen == ["lifespan"]
