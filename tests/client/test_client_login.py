"""How the adapter shows who it is: discovery, tokens and their life, what is renewed and what is not."""

import asyncio
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs

import httpx
import pytest
import respx
import structlog
from joserfc import jwt
from joserfc.jwk import KeySet

from adapter.client.faults import AwayError, RefusedError
from adapter.client.keys import jwks
from adapter.errors import SetupError
from adapter.servers import Basic, Circuit, ClientSecret, Patience, PrivateKey, Server
from tests.client.keys import ec_pem
from tests.client.outside import BASE, START, Stage

CONFIGURATION = f"{BASE}/.well-known/smart-configuration"
TOKEN = "https://auth.example/token"
PATIENT = {"resourceType": "Patient", "id": "1"}
OAUTH_URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def login(tmp_path: Path) -> PrivateKey:
    return PrivateKey(client_id="losus", keys=(ec_pem(tmp_path),), scope="system/Task.rs")


@pytest.fixture
def web() -> Iterator[respx.MockRouter]:
    """The hospital's server and its authorization server; both answer."""
    with respx.mock(assert_all_called=False) as router:
        router.get(CONFIGURATION).mock(return_value=httpx.Response(200, json={"token_endpoint": TOKEN}))
        router.post(TOKEN, name="token").mock(side_effect=Tokens())
        router.get(f"{BASE}/Patient/1", name="read").mock(return_value=httpx.Response(200, json=PATIENT))
        yield router


class Tokens:
    """Gives token-1, token-2, …, each for `life` seconds."""

    def __init__(self, life: object = 300) -> None:
        self.life, self.given = life, 0

    def __call__(self, _: httpx.Request) -> httpx.Response:
        self.given += 1
        told = {"access_token": f"token-{self.given}", "token_type": "Bearer", "expires_in": self.life}
        return httpx.Response(200, json={name: one for name, one in told.items() if one is not None})


def statement(*extensions: object) -> dict[str, object]:
    return {"resourceType": "CapabilityStatement", "rest": [{"security": {"extension": list(extensions)}}]}


def oauth(token: object) -> dict[str, object]:
    other = {"url": "authorize", "valueUri": "https://auth.example/authorize"}
    return {"url": OAUTH_URIS, "extension": [other, {"url": "token", "valueUri": token}]}


DISCOVERIES = [
    # configuration, CapabilityStatement, endpoint (None: refused), because
    ({"token_endpoint": TOKEN}, 404, TOKEN, "SMART: .well-known/smart-configuration"),
    (404, statement(oauth(TOKEN)), TOKEN, "SMART 1: the extension oauth-uris"),
    (403, statement(oauth(TOKEN)), TOKEN, "there is nothing there for us"),
    ({"issuer": "x"}, statement({"url": "other"}, oauth(TOKEN)), TOKEN, "it names no token endpoint"),
    ({"token_endpoint": 1}, statement(oauth(TOKEN)), TOKEN, "it names no token endpoint"),
    (404, 404, None, "nowhere"),
    (404, statement(oauth(1)), None, "no address"),
    (
        404,
        statement({"url": "other", "extension": [{"url": "token", "valueUri": TOKEN}]}),
        None,
        "not SMART's",
    ),
    (404, {"resourceType": "CapabilityStatement"}, None, "nowhere"),
    (404, {"rest": {"security": 1}}, None, "of another shape"),
    (404, {"rest": [{"security": []}, 1, {"security": {"extension": 1}}]}, None, "of another shape"),
    ({"token_endpoint": "http://auth.example/token"}, 404, None, "what is shown there could be read"),
]


@pytest.mark.parametrize(("configuration", "metadata", "endpoint", "because"), DISCOVERIES)
async def test_the_token_endpoint_is_found(
    web: respx.MockRouter,
    stage: Stage,
    login: PrivateKey,
    configuration: object,
    metadata: object,
    endpoint: str | None,
    because: str,
) -> None:
    for url, told in ((CONFIGURATION, configuration), (f"{BASE}/metadata", metadata)):
        found = httpx.Response(told) if isinstance(told, int) else httpx.Response(200, json=told)
        web.get(url).mock(return_value=found)
    client = stage.client(login=login)
    if endpoint is None:
        with pytest.raises(RefusedError):
            print(await client.read("Patient/1"), because)
        assert web["token"].call_count == 0
    else:
        assert (await client.read("Patient/1")).resource == PATIENT, because
        assert web["token"].call_count == 1
    await client.aclose()


async def test_a_discovery_that_fails_now_is_asked_again(
    web: respx.MockRouter, stage: Stage, login: PrivateKey
) -> None:
    found = httpx.Response(200, json={"token_endpoint": TOKEN})
    web.get(CONFIGURATION).side_effect = [httpx.Response(503), found]
    client = stage.client(login=login)
    assert (await client.read("Patient/1")).resource == PATIENT
    assert len(stage.pauses) == 1  # and /metadata, which is not mocked, was not asked
    await client.aclose()


async def test_the_assertion_is_as_smart_asks(web: respx.MockRouter, stage: Stage, login: PrivateKey) -> None:
    web["token"].side_effect = Tokens(life=8)
    client = stage.client(login=login)
    shown = []
    for _ in range(2):
        await client.read("Patient/1")
        shown.append(web["token"].calls.last.request)
        stage.at_s += 100
    keys = KeySet.import_key_set(jwks([Server(base_url=BASE, login=login)]))
    found = []
    for request in shown:
        form = parse_qs(request.content.decode())
        assert form["grant_type"] == ["client_credentials"]
        assert form["scope"] == ["system/Task.rs"]
        assert form["client_assertion_type"] == ["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"]
        assert request.headers["content-type"] == "application/x-www-form-urlencoded"
        assert "authorization" not in request.headers
        found.append(jwt.decode(form["client_assertion"][0], keys, algorithms=["ES384"]).claims)
    assert [one["aud"] for one in found] == [TOKEN, TOKEN]
    assert [one["jti"] for one in found] == ["id-1", "id-2"]  # never twice the same
    assert [one["exp"] - START.timestamp() for one in found] == [240, 340]
    assert "authorization" not in web.calls[0].request.headers  # discovery is asked without a token
    assert web["read"].calls.last.request.headers["authorization"] == "Bearer token-2"
    await client.aclose()


LIVES = [
    # expires_in, seconds after which a new token is fetched, because
    (300, 270.0, "30 seconds before its end"),
    (3600, 3570.0, "30 seconds before its end"),
    (60, 45.0, "a short one: a quarter of its life before"),
    ("300", 270.0, "some servers write a text"),
    (None, 270.0, "SMART: SHOULD NOT exceed five minutes"),
    ("soon", 270.0, "not to be understood: as if it were not there"),
    (True, 270.0, "not to be understood: as if it were not there"),
]


@pytest.mark.parametrize(("life", "renewed_at", "because"), LIVES)
async def test_a_token_is_kept_until_shortly_before_it_expires(
    web: respx.MockRouter, stage: Stage, login: PrivateKey, life: object, renewed_at: float, because: str
) -> None:
    web["token"].side_effect = Tokens(life)
    client = stage.client(login=login)
    for at_s, tokens in ((0.0, 1), (renewed_at - 0.001, 1), (renewed_at, 2), (renewed_at + 0.001, 2)):
        stage.at_s = at_s
        await client.read("Patient/1")
        assert web["token"].call_count == tokens, because
    await client.aclose()


async def test_many_calls_at_once_wait_for_one_token(
    web: respx.MockRouter, stage: Stage, login: PrivateKey
) -> None:
    tokens = Tokens()

    async def slowly(request: httpx.Request) -> httpx.Response:
        for _ in range(50):
            await asyncio.sleep(0)  # let the others come
        return tokens(request)

    web["token"].side_effect = slowly
    client = stage.client(login=login)
    await asyncio.gather(*(client.read("Patient/1") for _ in range(20)))
    assert web["token"].call_count == 1
    await client.aclose()


async def test_many_calls_that_are_refused_at_once_renew_it_once(
    web: respx.MockRouter, stage: Stage, login: PrivateKey
) -> None:
    late = iter(range(1, 99))

    async def is_new(request: httpx.Request) -> httpx.Response:
        fresh = request.headers["authorization"] == "Bearer token-2"
        for _ in range(0 if fresh else 20 * next(late)):
            await asyncio.sleep(0)  # some are refused only when others have the new token already
        return httpx.Response(200, json=PATIENT) if fresh else httpx.Response(401)

    web["read"].side_effect = is_new
    client = stage.client(login=login)
    await asyncio.gather(*(client.read("Patient/1") for _ in range(20)))
    assert web["token"].call_count == 2
    assert stage.pauses == []
    await client.aclose()


@pytest.mark.parametrize(
    ("answers", "asked", "tokens", "is_read"),
    [((401, 200), 2, 2, True), ((401, 401, 200), 2, 2, False), ((403, 200), 1, 1, False)],
    ids=["renewed", "renewed once only", "a token that may not is no token that is old"],
)
async def test_a_token_that_is_not_taken_is_renewed_once(
    web: respx.MockRouter,
    stage: Stage,
    login: PrivateKey,
    answers: tuple[int, ...],
    asked: int,
    tokens: int,
    is_read: bool,
) -> None:
    web["read"].side_effect = [
        httpx.Response(status, json=PATIENT if status == 200 else None) for status in answers
    ]
    client = stage.client(login=login)
    try:
        await client.read("Patient/1")
        read = True
    except RefusedError:
        read = False
    assert (read, web["read"].call_count, web["token"].call_count) == (is_read, asked, tokens)
    await client.aclose()


GRANTS = [
    # status, body, times asked, error, words that the error holds, because
    (400, {"error": "invalid_client"}, 1, RefusedError, "invalid_client", "RFC 6749, 5.2"),
    (
        400,
        {"error": "invalid_scope", "error_description": "who"},
        1,
        RefusedError,
        "invalid_scope",
        "RFC 6749",
    ),
    (401, {"error": "invalid_client"}, 1, RefusedError, "invalid_client", "RFC 6749, 5.2"),
    (400, {"error": "person 19121212-1212"}, 1, RefusedError, "credentials", "no word that is not the RFC's"),
    (400, {"error": ["x"]}, 1, RefusedError, "credentials", "of another shape"),
    (403, "<html>", 1, RefusedError, "credentials", "a gateway says no"),
    (302, {}, 1, RefusedError, "302", "a secret follows no redirect"),
    (404, {}, 1, RefusedError, "404", "not there"),
    (429, {}, 3, AwayError, "429", "too many: later"),
    (500, {}, 3, AwayError, "500", "away"),
    (200, {"token_type": "Bearer"}, 1, RefusedError, "no token", "RFC 6749, 5.1: access_token is required"),
    (200, {"access_token": "", "token_type": "Bearer"}, 1, RefusedError, "no token", "empty"),
    (200, {"access_token": "a\r\nX: 1", "token_type": "Bearer"}, 1, RefusedError, "no token", "no header"),
    (200, {"access_token": "å", "token_type": "Bearer"}, 1, RefusedError, "no token", "RFC 6750, 2.1: ASCII"),
    (200, {"access_token": "a", "token_type": "DPoP"}, 1, RefusedError, "bearer", "another kind of token"),
    (200, {"access_token": "a"}, 1, RefusedError, "bearer", "RFC 6749, 5.1: token_type is required"),
    (200, "<html>", 1, RefusedError, "JSON", "a proxy's page"),
]


@pytest.mark.parametrize(("status", "body", "times", "error", "words", "because"), GRANTS)
async def test_what_the_authorization_server_says(
    web: respx.MockRouter,
    stage: Stage,
    login: PrivateKey,
    status: int,
    body: object,
    times: int,
    error: type[Exception],
    words: str,
    because: str,
) -> None:
    told = {"html": body} if isinstance(body, str) else {"json": body}
    web["token"].mock(return_value=httpx.Response(status, **told))
    client = stage.client(login=login, patience=Patience(attempts=3))
    with pytest.raises(error) as refused:
        print(await client.read("Patient/1"), because)
    assert web["token"].call_count == times, because
    assert words in str(refused.value)
    assert "19121212" not in str(refused.value)
    assert "who" not in str(refused.value)
    assert web["read"].call_count == 0
    await client.aclose()


async def test_a_token_endpoint_that_moved_is_found_anew(
    web: respx.MockRouter, stage: Stage, login: PrivateKey
) -> None:
    client = stage.client(login=login, patience=Patience(attempts=1))
    await client.read("Patient/1")
    web["token"].mock(return_value=httpx.Response(404))
    moved = "https://auth.example/v2/token"
    web.get(CONFIGURATION).mock(return_value=httpx.Response(200, json={"token_endpoint": moved}))
    web.post(moved).mock(side_effect=Tokens())
    stage.at_s += 300
    with pytest.raises(RefusedError):
        await client.read("Patient/1")
    assert (await client.read("Patient/1")).resource == PATIENT
    await client.aclose()


async def test_an_authorization_server_that_is_away_opens_the_circuit_of_the_source(
    web: respx.MockRouter, stage: Stage, login: PrivateKey
) -> None:
    web["token"].mock(side_effect=httpx.ConnectTimeout("x"))
    client = stage.client(login=login, patience=Patience(attempts=10), circuit=Circuit(failures=3))
    with pytest.raises(AwayError):
        await client.read("Patient/1")
    assert web["token"].call_count == 3
    await client.aclose()


async def test_what_may_be_made_once_only_is_sent_again_where_no_token_was_to_be_had(
    web: respx.MockRouter, stage: Stage, login: PrivateKey
) -> None:
    made = web.post(f"{BASE}/Patient").mock(return_value=httpx.Response(201))
    web["token"].side_effect = [httpx.ReadTimeout("x"), Tokens()(httpx.Request("POST", TOKEN))]
    client = stage.client(login=login)
    assert (await client.post({"resourceType": "Patient"})).status == 201
    assert made.call_count == 1
    await client.aclose()


async def test_what_was_refused_was_not_made_and_is_sent_again_with_a_new_token(
    web: respx.MockRouter, stage: Stage, login: PrivateKey
) -> None:
    made = web.post(f"{BASE}/Patient").mock(side_effect=[httpx.Response(401), httpx.Response(201)])
    give = Tokens()
    answers = [give(httpx.Request("POST", TOKEN)), httpx.ReadTimeout("x"), give(httpx.Request("POST", TOKEN))]
    web["token"].side_effect = answers
    client = stage.client(login=login)
    assert (await client.post({"resourceType": "Patient"})).status == 201
    assert made.call_count == 2
    await client.aclose()


async def test_a_client_secret_goes_form_encoded_into_basic(
    web: respx.MockRouter, stage: Stage, tmp_path: Path
) -> None:
    """RFC 6749, 2.3.1 and appendix B."""
    secret = tmp_path / "secret"
    secret.write_text("å +&=:%\n", encoding="utf-8")
    login = ClientSecret(client_id="lo:sus", secret_file=secret, token_url=TOKEN, scope="system/*.rs")
    client = stage.client(login=login)
    await client.read("Patient/1")
    request = web["token"].calls.last.request
    kind, _, value = request.headers["authorization"].partition(" ")
    assert (kind, b64decode(value)) == ("Basic", b"lo%3Asus:%C3%A5+%2B%26%3D%3A%25")
    assert parse_qs(request.content.decode()) == {
        "grant_type": ["client_credentials"],
        "scope": ["system/*.rs"],
    }
    assert [str(one.request.url) for one in web.calls] == [
        TOKEN,
        f"{BASE}/Patient/1",
    ]
    await client.aclose()


@pytest.mark.parametrize(
    ("change", "asked"), [(False, 1), (True, 2)], ids=["the same password", "a password that was exchanged"]
)
async def test_basic_is_asked_again_only_with_another_password(
    web: respx.MockRouter, stage: Stage, tmp_path: Path, change: bool, asked: int
) -> None:
    file = tmp_path / "password"
    file.write_text("old\r\n", encoding="utf-8")

    def refuse(_: httpx.Request) -> httpx.Response:
        if change:
            file.write_text("nytt:lösen", encoding="utf-8")
        return httpx.Response(401)

    web["read"].side_effect = refuse
    client = stage.client(login=Basic(username="losus", password_file=file))
    with pytest.raises(RefusedError):
        await client.read("Patient/1")
    shown = [b64decode(one.request.headers["authorization"][6:]).decode() for one in web["read"].calls]
    assert shown == ["losus:old", "losus:nytt:lösen"][:asked]
    await client.aclose()


async def test_a_secret_that_is_gone_is_a_fault_of_ours_and_not_the_server_s(
    web: respx.MockRouter, stage: Stage, tmp_path: Path
) -> None:
    password = tmp_path / "password"
    password.write_text("there", encoding="utf-8")
    client = stage.client(login=Basic(username="losus", password_file=password), circuit=Circuit(failures=1))
    password.unlink()
    with structlog.testing.capture_logs() as told:
        for _ in range(3):
            with pytest.raises(SetupError):
                await client.read("Patient/1")
    assert [(line["event"], line["log_level"]) for line in told] == [("client.setup", "error")] * 3
    assert str(password) in told[0]["problem"]
    password.write_bytes(b"\xff")
    with pytest.raises(SetupError):
        await client.read("Patient/1")
    password.write_text("there", encoding="utf-8")
    assert (await client.read("Patient/1")).resource == PATIENT
    assert web["read"].call_count == 1
    await client.aclose()


async def test_a_fault_of_ours_leaves_the_trial_to_the_next(
    web: respx.MockRouter, stage: Stage, tmp_path: Path
) -> None:
    """Half-open, one request may try; one that never went out is no trial."""
    password = tmp_path / "password"
    password.write_text("there", encoding="utf-8")
    once = Patience(attempts=1)
    login = Basic(username="losus", password_file=password)
    client = stage.client(login=login, circuit=Circuit(failures=1, rest_s=10), patience=once)
    web["read"].side_effect = [httpx.Response(500), httpx.Response(200, json=PATIENT)]
    with pytest.raises(AwayError):
        await client.read("Patient/1")
    password.unlink()
    stage.at_s = 10.0
    with pytest.raises(SetupError):
        await client.read("Patient/1")
    password.write_text("there", encoding="utf-8")
    assert (await client.read("Patient/1")).resource == PATIENT
    await client.aclose()


@pytest.mark.parametrize("kind", ["basic", "secret", "key", "next key"])
def test_a_file_that_is_not_there_stops_the_start(stage: Stage, tmp_path: Path, kind: str) -> None:
    none, key = tmp_path / "none", ec_pem(tmp_path)
    logins = {
        "basic": Basic(username="losus", password_file=none),
        "secret": ClientSecret(client_id="losus", secret_file=none),
        "key": PrivateKey(client_id="losus", keys=(none,)),
        "next key": PrivateKey(client_id="losus", keys=(key, none)),
    }
    with pytest.raises(SetupError, match="none"):
        stage.client(login=logins[kind])
