"""The client of a source's server, put together from its settings.

Owns wiring alone.
"""

import logging

from adapter.client.asker import Asker
from adapter.client.auth import Authorization, BasicAuthorization, BearerAuthorization
from adapter.client.breaker import Breaker
from adapter.client.calls import FhirClient, media_type
from adapter.client.exchange import Line, connections
from adapter.client.files import read_secret
from adapter.client.keys import signing_key
from adapter.client.outside import Outside
from adapter.client.urls import Base
from adapter.fhir.model import FhirVersion
from adapter.servers import Basic, ClientSecret, Server


def client_of(
    source: str, server: Server, version: FhirVersion, outside: Outside | None = None
) -> FhirClient:
    """The client of the server of `source`; it opens no connection before the first call.

    Raises SetupError where a secret, a key, a certificate or an authority cannot be read or used. `aclose`
    it in the end. `outside` is the real world unless a test has one of its own.
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
    return FhirClient(base, version, asker, http, server.max_bytes)


def _login(server: Server, version: FhirVersion, line: Line, outside: Outside) -> Authorization | None:
    """How we log in; its files are read now too, so that a wrong one stops the start and not a message."""
    login = server.login
    if login is None:
        return None
    if isinstance(login, Basic):
        read_secret(login.password_file)
        return BasicAuthorization(login)
    if isinstance(login, ClientSecret):
        read_secret(login.secret_file)
    else:
        for path in login.keys:
            signing_key(path)
    return BearerAuthorization(login, server, media_type(version), line, outside)
