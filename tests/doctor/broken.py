"""What the tests of the doctor say of troubles: the words, the statements of SQL, the settings."""

from typing import Any

from adapter.doctor.findings import Verdict
from adapter.servers import Server
from adapter.settings import Source
from tests.doctor.region import Trouble

FAIL, WARN, SKIPPED = Verdict.FAIL, Verdict.WARN, Verdict.SKIPPED
NO_RATE: Trouble = ("agreements", "rates", "varddygn", WARN)
HELD = "insert into held (message, source, cause, problems, since) values (1, 'losus-r4', '{}', '[]', now())"
HEARD = "insert into message (source, received_at, body) values ('losus-r4', now() - interval '{}', '')"
POLLED = """
  insert into mark (name, value, changed_at)
  values ('poll losus-r4 Task', '', now() - interval '{}')"""
SUBSCRIBED = "insert into mark (name, value, changed_at) values ('subscription losus-r4 Task?', '{}', now())"
DISPUTED = (
    "insert into dispute (id, municipality, stay, month, asked_at) values ('a', '2380', 's', '2026-01', {})"
)


def sources(server: Server | None = None, **more: Any) -> dict[str, Any]:
    return {"sources": {"losus-r4": Source(mapping="losus-r4", server=server, **more)}}


def one(area: str, check: str, what: str = "", verdict: Verdict = FAIL) -> set[Trouble]:
    return {(area, check, what, verdict)}
