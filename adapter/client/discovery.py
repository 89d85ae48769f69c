"""Where a FHIR server's token endpoint is: SMART discovery, else its CapabilityStatement.

Owns the two places where it stands. Source: SMART App Launch 2.2, «Conformance»
(`.well-known/smart-configuration`); SMART 1.0, extension `oauth-uris`, for servers from before it.
"""

from collections.abc import Iterator
from typing import Any

from adapter.client.answers import Answer
from adapter.client.exchange import Call, Line
from adapter.client.faults import AwayError, RefusedError, fault
from adapter.errors import Problem

_OAUTH_URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"


async def token_endpoint(line: Line, base_url: str, accept: str) -> str:
    """The address of the token endpoint of the server at `base_url`.

    Raises AwayError where the server cannot answer now, RefusedError where it names none.
    """
    places = (
        (f"{base_url}/.well-known/smart-configuration", "application/json", _of_configuration),
        (f"{base_url}/metadata", accept, _of_statement),
    )
    for url, media, find in places:
        answer = await line.ask(Call("discovery", "GET", url, {"Accept": media}))
        found = find(answer) if _can_be_used(answer) else None
        if found is not None:
            return found
    raise RefusedError(Problem("not-found", "the server does not say where its token endpoint is"))


def _can_be_used(answer: Answer) -> bool:
    """Whether it is there; AwayError where that is not known now, so that the other place is not asked."""
    wrong = fault(answer.status, answer.retry_after_s)
    if isinstance(wrong, AwayError):
        raise wrong
    return wrong is None and answer.is_json


def _of_configuration(answer: Answer) -> str | None:
    found = answer.document.get("token_endpoint")
    return found if isinstance(found, str) else None


def _of_statement(answer: Answer) -> str | None:
    rest = _objects(answer.document.get("rest"))
    securities = [one for each in rest for one in _objects([each.get("security")])]
    for security in securities:
        for extension in _objects(security.get("extension")):
            if extension.get("url") == _OAUTH_URIS:
                for uri in _objects(extension.get("extension")):
                    if uri.get("url") == "token" and isinstance(uri.get("valueUri"), str):
                        return str(uri["valueUri"])
    return None


def _objects(value: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - any JSON value
    """The JSON objects in a list; none where it is no list."""
    return (one for one in (value if isinstance(value, list) else ()) if isinstance(one, dict))
