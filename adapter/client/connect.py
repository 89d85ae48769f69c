"""The client of a source's server, put together from its settings.

Owns wiring alone.
"""

import logging

from adapter.client.asker import Asker
from adapter.client.auth import Authorization, BasicAuthorization, BearerAuthorization
from adapter.client.breaker import Breaker
from adapter.client.calls import FhirClient, media_type
from adapter.client.exchange import Line, connections
from adapter.client.outside import Outside
from adapter.client.urls import Base
from adapter.fhir.model import FhirVersion
from adapter.servers import Basic, Server


def client_of(
    source: str, server: Server, version: FhirVersion, outside: Outside | None = None
) -> FhirClient:
    """The client of the server of `source`; SetupError where certificate, key or authority cannot be used.

    Opens no connection before the first call; `aclose` it in the end. `outside` is the real world unless a
    test has one of its own.
    """
    outside = outside or Outside()
    for library in ("httpx", "httpcore"):  # they log addresses with their queries, and headers
        logging.getLogger(library).setLevel(logging.WARNING)
    http = connections(server)
    line = Line(http, server.answer_s, server.max_bytes, outside.now)
    base = Base(server.base_url, server.known_as)
    asker = Asker(
        source=source,
        base=base,
        line=line,
        login=_login(server, version, line, outside),
        breaker=Breaker(server.circuit.failures, server.circuit.rest_s),
        patience=server.patience,
        outside=outside,
    )
    return FhirClient(base, version, asker, http)


def _login(server: Server, version: FhirVersion, line: Line, outside: Outside) -> Authorization | None:
    if server.login is None:
        return None
    if isinstance(server.login, Basic):
        return BasicAuthorization(server.login)
    return BearerAuthorization(server.login, server, media_type(version), line, outside)
