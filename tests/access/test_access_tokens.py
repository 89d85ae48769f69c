"""Bearer tokens: which are believed, and which are not, each with its reason.

Source of the rows: RFC 8725 (JSON Web Token Best Current Practices), RFC 7519 4.1, RFC 9068, RFC 8705.
"""

import hmac
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt

from adapter.access.caller import NotShownError, Reason
from adapter.access.jwks import KeyShelf
from adapter.access.tokens import (
    Verifier,
    claim_at,
    client_of,
    is_bound_elsewhere,
    read_part,
    scopes_in,
)
from tests.access.issuer import (
    AUDIENCE,
    ISSUER,
    NOW_S,
    by_hand,
    claims,
    ec,
    issuer,
    key_set,
    part,
    rsa,
    token,
)


@pytest.fixture
def verifier(tmp_path: Path) -> Verifier:
    known = issuer(tmp_path, rsa(), ec(), ec("ec-384", "P-384"))
    return Verifier(known, KeyShelf(known.jwks, lambda: 0.0))


def resigned(head: str) -> str:
    """A sound token under another header: its signature is of the old one."""
    _, body, signature = token().split(".")
    return f"{head}.{body}.{signature}"


def edited() -> str:
    """A sound token with another payload: its signature is of the old one."""
    head, _, signature = token().split(".")
    return f"{head}.{token(claims(scope='system/*.cruds')).split('.')[1]}.{signature}"


GOOD = [
    # token, because
    (token, "RS256 and all that is asked for"),
    (lambda: token(alg="RS384"), "SMART Backend Services"),
    (lambda: token(alg="PS256"), "RSA-PSS"),
    (lambda: token(key=ec(), alg="ES256"), "elliptic curve"),
    (lambda: token(key=ec("ec-384", "P-384"), alg="ES384"), "SMART Backend Services"),
    (lambda: token(header={"typ": "at+jwt"}), "RFC 9068 2.1: the type of an access token"),
    (lambda: token(claims(aud=["https://other.example", AUDIENCE])), "RFC 7519 4.1.3: any of a list"),
    (lambda: token(claims(exp=NOW_S - 29)), "within the leeway of 30 s"),
    (lambda: token(claims(nbf=NOW_S + 30)), "within the leeway of 30 s"),
    (lambda: token(claims(iat=None)), "iat is optional"),
    (lambda: by_hand({"alg": "RS256", "kid": "rsa-1"}), "typ is optional (RFC 7519 5.1)"),
    (lambda: by_hand({"alg": "RS256", "kid": "rsa-1", "nonce": "x"}), "RFC 7515 4: else ignored"),
]


@pytest.mark.parametrize(("made", "because"), GOOD)
async def test_a_sound_token(verifier: Verifier, made: Any, because: str) -> None:
    assert (await verifier.verify(made(), NOW_S))["iss"] == ISSUER, because


BAD = [
    # token, reason, because
    (lambda: token(claims(exp=NOW_S - 30)), Reason.EXPIRED, "RFC 7519 4.1.4, beyond the leeway"),
    (lambda: token(claims(exp=None)), Reason.CLAIMS, "a token that never ends is not taken"),
    (lambda: token(claims(exp="tomorrow")), Reason.CLAIMS, "no NumericDate"),
    (lambda: token(claims(exp=True)), Reason.CLAIMS, "true is no number, though Python counts with it"),
    (lambda: token(claims(nbf=NOW_S + 31)), Reason.EARLY, "RFC 7519 4.1.5, beyond the leeway"),
    (lambda: token(claims(iat=NOW_S + 31)), Reason.EARLY, "issued in the future"),
    (lambda: token(claims(aud="https://other.example")), Reason.AUDIENCE, "meant for somebody else"),
    (lambda: token(claims(aud=[])), Reason.AUDIENCE, "meant for nobody"),
    (lambda: token(claims(aud={"a": AUDIENCE})), Reason.AUDIENCE, "no text and no list"),
    (lambda: token(claims(iss="https://evil.example")), Reason.ISSUER, "another issuer"),
    (lambda: token(claims(iss=f"{ISSUER}/")), Reason.ISSUER, "RFC 8725 3.8: compared as it is"),
    (lambda: token(claims(iss=[ISSUER])), Reason.ISSUER, "an issuer is one text"),
    (lambda: token(claims(sub=17)), Reason.CLAIMS, "a subject is a text"),
    (lambda: token(key=rsa("rsa-2")), Reason.KEY_ID, "a kid that the issuer does not show"),
    (lambda: token(key=rsa("rsa-2"), header={"kid": "rsa-1"}), Reason.SIGNATURE, "another key, known kid"),
    (lambda: token(header={"kid": None}), Reason.MALFORMED, "which key is not said"),
    (lambda: resigned(part(b'{"alg":"RS256","kid":1}')), Reason.MALFORMED, "a kid is a text"),
    (lambda: token(header={"typ": "logout+jwt"}), Reason.MALFORMED, "RFC 8725 3.11: no access token"),
    (lambda: token(header={"typ": "dpop+jwt"}), Reason.MALFORMED, "RFC 8725 3.11: no access token"),
    (lambda: token(key=ec(), alg="ES256", header={"kid": "rsa-1"}), Reason.MALFORMED, "EC by an RSA key"),
    (edited, Reason.SIGNATURE, "the payload was changed"),
    (lambda: resigned(part(b'{"alg":"RS384","kid":"rsa-1"}')), Reason.SIGNATURE, "another algorithm's name"),
    (lambda: resigned(part(b'{"alg":"none","kid":"rsa-1"}')), Reason.ALGORITHM, "RFC 8725 3.2: none"),
    (lambda: resigned(part(b'{"alg":"nOnE","kid":"rsa-1"}')), Reason.ALGORITHM, "none, disguised"),
    (lambda: resigned(part(b'{"alg":["RS256"],"kid":"rsa-1"}')), Reason.ALGORITHM, "no algorithm's name"),
    (lambda: resigned(part(b'{"kid":"rsa-1"}')), Reason.ALGORITHM, "no algorithm"),
    (
        lambda: by_hand({"alg": "RS256", "kid": "rsa-1", "crit": ["exp"], "exp": 1}),
        Reason.MALFORMED,
        "RFC 7515 4.1.11: critical, and not understood",
    ),
    (lambda: token().rpartition(".")[0] + ".", Reason.SIGNATURE, "no signature"),
    (lambda: token().rpartition(".")[0], Reason.MALFORMED, "two parts"),
    (lambda: "", Reason.MALFORMED, "nothing"),
    (lambda: "a.b.c", Reason.MALFORMED, "no JSON"),
    (lambda: f"{part(b'[]')}.{part(b'[]')}.x", Reason.MALFORMED, "no object"),
    (lambda: token() + "A" * 20_000, Reason.MALFORMED, "longer than any header may be"),
    (lambda: f"{token().split('.')[0]}.é.x", Reason.MALFORMED, "no ASCII"),
]


@pytest.mark.parametrize(("made", "reason", "because"), BAD)
async def test_a_token_that_is_not_believed(
    verifier: Verifier, made: Any, reason: Reason, because: str
) -> None:
    with pytest.raises(NotShownError) as caught:
        await verifier.verify(made(), NOW_S)
    assert caught.value.reason is reason, because


async def test_a_public_key_is_no_secret(verifier: Verifier) -> None:
    """The oldest trick (RFC 8725 2.1): HS256 with the issuer's public key, which all know, as the secret."""
    for secret in (rsa().as_pem(private=False), key_set(rsa())):
        head = {"alg": "HS256", "kid": "rsa-1"}
        with pytest.raises(NotShownError) as caught:
            await verifier.verify(by_hand(head, partial(hmac.digest, secret, digest="sha256")), NOW_S)
        assert caught.value.reason is Reason.ALGORITHM


@given(st.binary(max_size=300), st.integers(0, 2))
async def test_no_bytes_bring_it_down(data: bytes, place: int) -> None:
    parts = token().split(".")
    parts[place] = data.decode("latin-1")
    with pytest.raises(NotShownError):
        read_part(".".join((*parts, "")), 0)  # four parts: never a token
    try:
        read_part(".".join(parts), place % 2)
    except NotShownError:
        return


async def test_a_signature_is_believed_for_a_minute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Checked once for many requests; an end that comes meanwhile, or a key taken back, is still noticed."""
    checked: list[str] = []
    decode = jwt.decode

    def counted(value: str, *rest: Any, **more: Any) -> jwt.Token:
        checked.append(value)
        return decode(value, *rest, **more)

    monkeypatch.setattr(jwt, "decode", counted)
    seconds = [0.0]
    known = issuer(tmp_path)
    verifier = Verifier(known, KeyShelf(known.jwks, lambda: seconds[0]))
    short, long = token(claims(exp=NOW_S + 10)), token(claims(exp=NOW_S + 7200))
    for _ in range(5):
        await verifier.verify(short, NOW_S)
        await verifier.verify(long, NOW_S + 59)
    assert len(checked) == 2
    with pytest.raises(NotShownError) as caught:
        await verifier.verify(short, NOW_S + 40)
    assert caught.value.reason is Reason.EXPIRED
    issuer(tmp_path, rsa("rsa-2"))
    seconds[0] += 601
    with pytest.raises(NotShownError) as caught:
        await verifier.verify(long, NOW_S + 120)
    assert caught.value.reason is Reason.KEY_ID


async def test_what_was_not_believed_is_not_remembered(verifier: Verifier) -> None:
    for _ in range(2):
        with pytest.raises(NotShownError) as caught:
            await verifier.verify(edited(), NOW_S)
        assert caught.value.reason is Reason.SIGNATURE
    assert len(verifier._signed) == 0


CLIENTS = [
    # claims, client, because
    ({"client_id": "a", "azp": "b", "sub": "c"}, "a", "RFC 9068 2.2: client_id"),
    ({"azp": "b", "sub": "c"}, "b", "OpenID Connect: the authorized party"),
    ({"sub": "c"}, "c", "RFC 7523: the subject is the client"),
    ({"client_id": ["a"], "sub": "c"}, None, "one that is no text is not passed over for another"),
    ({}, None, "nobody"),
]


@pytest.mark.parametrize(("said", "client", "because"), CLIENTS)
def test_whose_token_it_is(said: dict[str, Any], client: str | None, because: str) -> None:
    assert client_of(said) == client, because


SCOPES = [
    # claims, scopes, because
    ({"scope": "a b"}, {"a", "b"}, "RFC 8693 4.2: words with spaces between"),
    ({"scp": ["a", "b"]}, {"a", "b"}, "a list, as some servers write"),
    ({"scp": "a b"}, {"a", "b"}, "scp as a text"),
    ({"scope": "a", "scp": "b"}, {"a"}, "the standard's name is the one"),
    ({"scope": ["a", 1, None]}, {"a"}, "what is no text is nothing"),
    ({"scope": 1}, set(), "no form that is known: no scope"),
    ({}, set(), "none named: none granted"),
]


@pytest.mark.parametrize(("said", "scopes", "because"), SCOPES)
def test_what_a_token_grants(said: dict[str, Any], scopes: set[str], because: str) -> None:
    assert scopes_in(said) == scopes, because


def test_claims_deep_in_the_token() -> None:
    said = {"realm_access": {"roles": ["auditor"]}, "https://losus/roles": ["controller"], "flat": 1}
    assert claim_at(said, "realm_access.roles") == ["auditor"]
    assert claim_at(said, "https://losus/roles") == ["controller"]
    assert (claim_at(said, "flat.roles"), claim_at(said, "missing")) == (None, None)


HASH = sha256(b"certificate").hexdigest()
THUMB = part(bytes.fromhex(HASH))
BOUND = [
    # claims, certificate shown, elsewhere, because
    ({}, None, False, "bound to nothing"),
    ({"cnf": {"x5t#S256": THUMB}}, HASH, False, "RFC 8705 3.1: its own certificate"),
    ({"cnf": {"x5t#S256": THUMB}}, sha256(b"another").hexdigest(), True, "another's certificate"),
    ({"cnf": {"x5t#S256": THUMB}}, None, True, "a stolen token, without the certificate"),
    ({"cnf": {"jkt": "x"}}, HASH, True, "RFC 9449: a proof that is not checked here"),
    ({"cnf": {"x5t#S256": THUMB, "jkt": "x"}}, HASH, True, "both are asked for"),
    ({"cnf": "x"}, HASH, True, "no form that is known"),
]


@pytest.mark.parametrize(("said", "shown", "elsewhere", "because"), BOUND)
def test_tokens_bound_to_a_certificate(
    said: dict[str, Any], shown: str | None, elsewhere: bool, because: str
) -> None:
    assert is_bound_elsewhere(said, shown) is elsewhere, because
