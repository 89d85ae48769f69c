"""The OpenAPI document held against the service by schemathesis: each route answers as it says."""

import threading
import time
from collections.abc import AsyncIterator, Iterator

import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_schema_conformance,
    status_code_conformance,
)

from adapter.api import create_app
from adapter.sandbox.database import Database
from adapter.sandbox.processes import LOOPBACK, free_ports
from adapter.web.guard import Guard
from tests import service
from tests.databases import copy_of
from tests.examples import examples

_CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
_UP_WITHIN_S = 120.0


@pytest.fixture(scope="module")
async def own_dsn(database: Database, template: str) -> AsyncIterator[str]:
    async with copy_of(database, template) as made:
        yield made


@pytest.fixture(scope="module")
def api(own_dsn: str) -> Iterator[schemathesis.BaseSchema]:
    """The document of a service that runs in a thread of its own."""
    [port] = free_ports(1)
    app = Guard(create_app(service.settings(own_dsn)))
    server = uvicorn.Server(uvicorn.Config(app, host=LOOPBACK, port=port, log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    deadline = time.monotonic() + _UP_WITHIN_S
    while not server.started and thread.is_alive() and time.monotonic() < deadline:
        time.sleep(0.05)
    yield schemathesis.openapi.from_url(f"http://{LOOPBACK}:{port}/openapi.json")
    server.should_exit = True
    thread.join()


_TRY = settings(
    max_examples=examples(8), deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


def test_every_route_answers_as_it_says(api: schemathesis.BaseSchema) -> None:
    tried = 0
    for found in api.get_all_operations():
        operation = found.ok()
        if operation.path == "/readyz":  # no broker here: it says so, slowly
            continue

        @_TRY
        @given(case=operation.as_strategy())
        def answers(case: schemathesis.Case) -> None:
            case.call_and_validate(checks=_CHECKS)

        answers()
        tried += 1
    assert tried > 30
