"""A load of HTTP requests from a process of its own: python -m tests.bench.load URL CONNECTIONS FILE.

FILE holds the bodies, each after its length on a line. Every connection sends the next body when it
has its answer. Prints the seconds from the first request to the last answer; any answer but 200 ends
the run.
"""

import asyncio
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit


def bodies(path: Path) -> Iterator[bytes]:
    """The bodies of a file that `write` made."""
    with path.open("rb") as file:
        while length := file.readline():
            yield file.read(int(length))


def write(path: Path, every: Iterator[bytes]) -> None:
    """Write bodies as `bodies` reads them."""
    with path.open("wb") as file:
        for body in every:
            file.write(b"%d\n" % len(body) + body)


async def _connection(host: str, port: int, requests: Iterator[bytes]) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    for request in requests:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit(head.decode())
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
    writer.close()
    await writer.wait_closed()


async def _run(url: str, connections: int, path: Path) -> float:
    target = urlsplit(url)
    assert target.hostname
    assert target.port
    head = f"POST {target.path} HTTP/1.1\r\nhost: {target.netloc}\r\ncontent-type: application/fhir+json\r\n"
    requests = [head.encode() + b"content-length: %d\r\n\r\n" % len(body) + body for body in bodies(path)]
    waiting = iter(requests)
    started = time.perf_counter()
    await asyncio.gather(*(_connection(target.hostname, target.port, waiting) for _ in range(connections)))
    return time.perf_counter() - started


if __name__ == "__main__":
    print(asyncio.run(_run(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))))
