"""The small protocol by which a consumer tells what it knows.

    GET {callback}/cases        → 200, a JSON list: one object for each case that it knows,
                                  {"case_id": …, "revision": …, "handled": …, "missed": […]}
    GET {callback}/cases/{id}   → 200, the case as JSON: names and values as in the event's picture,
                                  all or some of them, but always case_id, revision, state
                                → 404 or 410: no such case is known

`handled` (how many revisions of the case were worked on) and `missed` (revisions that were found missing)
may be left out; what needs them is then not judged. Owns the asking; does not own the judgement (`check`).
"""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

import httpx

from adapter.conformance.check import Known
from adapter.errors import Problem, UnavailableError

_GONE = (httpx.codes.NOT_FOUND, httpx.codes.GONE)
_LOOK_AGAIN_S = 0.2


async def is_there(client: httpx.AsyncClient) -> bool:
    """Whether the consumer answers at all."""
    try:
        return (await client.get("cases")).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


async def comes(client: httpx.AsyncClient, within_s: float) -> bool:
    """Wait until the consumer answers; False where it does not within the time."""
    try:
        async with asyncio.timeout(within_s):
            while not await is_there(client):  # noqa: ASYNC110 - another program's state sends no event
                await asyncio.sleep(_LOOK_AGAIN_S)
    except TimeoutError:
        return False
    return True


async def ask(client: httpx.AsyncClient, case_ids: Iterable[str]) -> dict[str, Known]:
    """What the consumer knows of these cases.

    Raises UnavailableError where it does not answer, or not by the protocol.
    """
    told = await _get(client, "cases")
    if not isinstance(told, list):
        raise _broken("cases: no list")
    listed = {one["case_id"]: one for one in told if isinstance(one, dict) and "case_id" in one}
    found = {case_id: await _get(client, f"cases/{case_id}") for case_id in case_ids}
    return {case_id: _known(picture, listed.get(case_id, {})) for case_id, picture in found.items()}


def _known(picture: Any, listed: Mapping[str, Any]) -> Known:  # noqa: ANN401 - JSON
    if picture is not None and not isinstance(picture, dict):
        raise _broken("cases/{id}: no object")
    return Known(picture, listed.get("handled"), listed.get("missed"))


async def _get(client: httpx.AsyncClient, path: str) -> Any:  # noqa: ANN401 - JSON
    """The JSON of an answer, None for 404 and 410."""
    try:
        answer = await client.get(path)
        if answer.status_code in _GONE:
            return None
        if answer.status_code != httpx.codes.OK:
            raise _broken(f"status {answer.status_code}")
        return answer.json()
    except httpx.TransportError as error:
        raise _broken(type(error).__name__) from None
    except ValueError:
        raise _broken("no JSON") from None


def _broken(what: str) -> UnavailableError:
    return UnavailableError(
        Problem("transient", f"the consumer does not answer by the protocol: {what}", "--callback")
    )
