"""Nothing of a token, a secret, a body or a query comes into a log line, an error or a repr."""

import logging
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
import structlog

from adapter.client.calls import FhirClient
from adapter.client.references import Fetcher
from adapter.errors import LosusError
from adapter.servers import Basic, ClientSecret, Patience, PrivateKey, Server
from tests.client.keys import ec_pem
from tests.client.outside import BASE, Stage

#: Words that stand in the secrets, the requests and the answers below, and may stand nowhere else.
WORDS = ("geheim", "tok-en", "19121212-1212", "tolvansson", "eyJ", "id-1")
PERSON = "19121212-1212"
TOKEN = "https://auth.example/token?tenant=geheim"


def logins(folder: Path) -> dict[str, Any]:
    secret = folder / "file"
    secret.write_text("geheim", encoding="utf-8")
    return {
        "none": None,
        "basic": Basic(username="losus", password_file=secret),
        "secret": ClientSecret(client_id="losus", secret_file=secret, token_url=TOKEN),
        "key": PrivateKey(client_id="losus", keys=(ec_pem(folder),), token_url=TOKEN),
    }


def body(**more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": PERSON, "name": [{"family": "tolvansson"}], **more}


OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"diagnostics": f"no {PERSON}"}]}
ANSWERS = [
    httpx.Response(200, json=body()),
    httpx.Response(200, json=body(id="2")),
    httpx.Response(200, text=f'{{"resourceType": "tolvansson {PERSON}'),
    httpx.Response(200, text="tolvansson" * 1_000),
    httpx.Response(302, headers={"Location": f"https://elsewhere.example/?id={PERSON}"}),
    httpx.Response(302, headers={"Location": f"https://[{PERSON}"}),
    httpx.Response(401, json=OUTCOME),
    httpx.Response(404, json=OUTCOME),
    httpx.Response(500, json=OUTCOME, headers={"Retry-After": PERSON}),
    httpx.ReadTimeout(f"{BASE}?id={PERSON}"),
    httpx.ConnectError(f"{BASE}?id={PERSON}"),
    httpx.InvalidURL(f"{BASE}?id={PERSON}"),
]


async def asked(client: FhirClient, fetcher: Fetcher) -> list[str]:
    """What every kind of call leaves behind: its errors and values as text."""
    left = [repr(client), repr(await fetcher.find([f"Organization/{PERSON}", f"{BASE}/x?id={PERSON}"]))]
    for call in (
        lambda: client.read(f"Patient/{PERSON}"),
        lambda: client.get(f"{BASE}?_id={PERSON}"),
        lambda: client.post(body(), once=f"identifier={PERSON}"),
        lambda: client.put(body()),
        lambda: client.delete(f"Patient/{PERSON}"),
        lambda: client.operation("$match", {"id": PERSON}),
        lambda: anext(client.search("Patient", {"identifier": PERSON})),
    ):
        try:
            left.append(repr(await call()))
        except LosusError as error:
            chain = [error, error.__cause__, *([] if error.__suppress_context__ else [error.__context__])]
            left += [f"{one!r} {one}" for one in chain if one is not None]
            left += [repr(problem) for problem in error.problems]
    return left


@pytest.mark.parametrize("login", ["none", "basic", "secret", "key"])
@pytest.mark.parametrize("answer", ANSWERS, ids=range(len(ANSWERS)))
@respx.mock
async def test_nothing_is_told(
    login: str,
    answer: httpx.Response | Exception,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    given = {"access_token": "tok-en", "token_type": "Bearer", "expires_in": 300}
    respx.post(TOKEN).mock(return_value=httpx.Response(200, json=given))
    respx.route(host="ehr.example").mock(side_effect=[answer] * 99)
    stage = Stage()
    told = {"login": logins(tmp_path)[login], "patience": Patience(attempts=2), "max_bytes": 5_000}
    server = Server(base_url=BASE, **told)
    caplog.set_level(logging.DEBUG)
    with structlog.testing.capture_logs() as lines:
        async with stage.client(**told) as client:
            left = await asked(client, Fetcher(client, server, stage.outside))
    seen = "\n".join([*left, caplog.text, str(lines), *capfd.readouterr()])
    assert [word for word in WORDS if word in seen] == []


@pytest.mark.parametrize("status", [400, 401, 500, 200])
@respx.mock
async def test_nothing_of_the_authorization_server_is_told(
    status: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    told = {"error": f"geheim {PERSON}", "error_description": "tok-en", "access_token": "tok-en\n"}
    respx.post(TOKEN).mock(return_value=httpx.Response(status, json=told))
    caplog.set_level(logging.DEBUG)
    stage = Stage()
    with structlog.testing.capture_logs() as lines:
        async with stage.client(login=logins(tmp_path)["key"]) as client:
            left = await asked(client, Fetcher(client, Server(base_url=BASE), stage.outside))
    seen = "\n".join([*left, caplog.text, str(lines)])
    assert [word for word in WORDS if word in seen] == []
