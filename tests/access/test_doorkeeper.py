"""Who a caller is found to be, by what it shows."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapter.access.caller import Caller, Kind, NotShownError, Reason, Role
from adapter.access.doorkeeper import Doorkeeper, Knock
from adapter.access.scopes import HOSPITAL, MUNICIPALITY
from adapter.credentials import Staff
from adapter.errors import ThrottledError
from adapter.settings import Settings
from tests.access.issuer import NOW, NOW_S, claims, issuer, rsa, token
from tests.access.people import HASH, HOOK, INGRESS, KEYS, PROOF, SUBJECT, person, sources, staff


def settings(folder: Path, **more: Any) -> Settings:
    given: dict[str, Any] = {
        "database": "postgresql:///none",
        "secret": "a secret of the tests alone",
        "sources": sources(folder),
        "staff": staff(folder),
        "ingress": INGRESS,
        **more,
    }
    return Settings(**given)


@pytest.fixture
def keeper(tmp_path: Path) -> Doorkeeper:
    return Doorkeeper(settings(tmp_path))


def words(*authorization: str, **more: Any) -> Knock:
    return Knock(authorization=authorization, **more)


def tls(header: str, *proof: str) -> Knock:
    return Knock(certificate=(header,), proof=proof or (PROOF,))


SAID = frozenset({"system/*.cu", "operation/process-message"})
KNOWN = [
    # what is shown, the source in the path, the caller, because
    (
        lambda: words(f"Bearer {token()}"),
        "hospital",
        Caller(Kind.SOURCE, "hospital", (HOSPITAL, SAID)),
        "a token gives what it and the settings grant",
    ),
    (
        lambda: words(f"bearer {token()}"),
        None,
        Caller(Kind.SOURCE, "hospital", (HOSPITAL, SAID)),
        "RFC 9110 11.1: the scheme's name has no case",
    ),
    (
        lambda: words(f"Bearer {token(claims(scope=None))}"),
        "hospital",
        Caller(Kind.SOURCE, "hospital", (HOSPITAL, frozenset())),
        "a token that grants nothing allows nothing",
    ),
    (
        lambda: words(f"Bearer {token()}"),
        "other",
        Caller(Kind.SOURCE, "hospital", (HOSPITAL, SAID)),
        "it is who it is, whatever the path says",
    ),
    (
        lambda: words(f"ApiKey {KEYS['other'][0]}"),
        None,
        Caller(Kind.SOURCE, "other", (HOSPITAL,)),
        "an API key",
    ),
    (
        lambda: Knock(api_key=(KEYS["ostersund"][0],)),
        None,
        Caller(Kind.SOURCE, "ostersund", (MUNICIPALITY,), municipality="2380"),
        "in the other header; of a municipality's system",
    ),
    (
        lambda: words(f"ApiKey {KEYS['narrow'][0]}"),
        None,
        Caller(Kind.SOURCE, "narrow", (frozenset({"system/Encounter.c"}),)),
        "the settings' scopes",
    ),
    (
        lambda: tls(f'Hash={HASH};Subject="CN=whoever"'),
        None,
        Caller(Kind.SOURCE, "hospital", (HOSPITAL,)),
        "a certificate, by its hash",
    ),
    (
        lambda: tls(f'Hash={"0" * 64};Subject="{SUBJECT}"'),
        None,
        Caller(Kind.SOURCE, "krokom", (MUNICIPALITY,), municipality="2309"),
        "a certificate, by its subject",
    ),
    (
        lambda: replace(words(f"ApiKey {KEYS['other'][0]}"), certificate=(f"Hash={HASH}",), proof=(PROOF,)),
        None,
        Caller(Kind.SOURCE, "other", (HOSPITAL,)),
        "what it says of itself goes before the certificate",
    ),
    (
        lambda: Knock(hook=(HOOK,)),
        "hospital",
        Caller(Kind.SOURCE, "hospital", (HOSPITAL, frozenset({"operation/subscription-hook"}))),
        "a notification's secret lets notifications in, and nothing else",
    ),
    (
        lambda: words(f"Bearer {person('region-operator', 'auditor', 'gardener')}"),
        None,
        Caller(
            Kind.STAFF,
            "region-operator-auditor-gardener",
            roles=frozenset({Role.REGION_OPERATOR, Role.AUDITOR}),
        ),
        "a person; a role that is not known is none",
    ),
    (
        lambda: words(f"Bearer {person('municipality-controller', municipality='2380')}"),
        None,
        Caller(
            Kind.STAFF,
            "municipality-controller",
            roles=frozenset({Role.MUNICIPALITY_CONTROLLER}),
            municipality="2380",
        ),
        "a municipality's controller",
    ),
    (
        lambda: words(f"Bearer {person('controller', municipality='2380')}"),
        None,
        Caller(Kind.STAFF, "controller", roles=frozenset({Role.CONTROLLER})),
        "where somebody lives is not where the role is",
    ),
    (
        lambda: words(f"Bearer {person(sub='x', roles='auditor controller')}"),
        None,
        Caller(Kind.STAFF, "x", roles=frozenset({Role.AUDITOR, Role.CONTROLLER})),
        "roles as words of one text",
    ),
]


@pytest.mark.parametrize(("shown", "path", "caller", "because"), KNOWN)
async def test_who_it_is(
    keeper: Doorkeeper, shown: Callable[[], Knock], path: str | None, caller: Caller, because: str
) -> None:
    assert await keeper.identify(shown(), path, NOW) == caller, because


UNKNOWN = [
    # what is shown, the source in the path, reason, because
    (Knock, None, Reason.MISSING, "nothing"),
    (lambda: words("Basic aG9zcGl0YWw6"), None, Reason.MALFORMED, "a scheme that is not taken"),
    (lambda: words("Bearer"), None, Reason.MALFORMED, "no token"),
    (lambda: words(token()), None, Reason.MALFORMED, "no scheme"),
    (lambda: words(f"Bearer {token()}", f"Bearer {token()}"), None, Reason.MALFORMED, "twice"),
    (
        lambda: words(f"Bearer {token()}", api_key=(KEYS["other"][0],)),
        None,
        Reason.MALFORMED,
        "two at once: which is meant is not guessed",
    ),
    (lambda: words("ApiKey é"), None, Reason.MALFORMED, "no ASCII"),
    (lambda: words(f"ApiKey {token()}"), None, Reason.API_KEY, "a token is no key"),
    (lambda: words(f"ApiKey {KEYS['other'][1]}"), None, Reason.API_KEY, "the hash opens nothing"),
    (lambda: words(f"ApiKey {KEYS['other'][0][:-4]}AAAA"), None, Reason.API_KEY, "another secret"),
    (lambda: words(f"Bearer {KEYS['other'][0]}"), None, Reason.MALFORMED, "a key is no token"),
    (lambda: words(f"Bearer {token(claims(iss='https://x'))}"), None, Reason.ISSUER, "an unknown issuer"),
    (lambda: words(f"Bearer {token(claims(exp=NOW_S - 60))}"), None, Reason.EXPIRED, "expired"),
    (lambda: words(f"Bearer {token(key=rsa('rsa-2'))}"), None, Reason.KEY_ID, "an unknown key"),
    (lambda: words(f"Bearer {token(claims(client_id='x'))}"), None, Reason.CLIENT, "nobody's"),
    (lambda: words(f"Bearer {token(claims(client_id=['hospital']))}"), None, Reason.CLIENT, "no text"),
    (lambda: words(f"Bearer {person('gardener')}"), None, Reason.CLIENT, "a person without a role here"),
    (lambda: words(f"Bearer {person(roles=None)}"), None, Reason.CLIENT, "a person without roles"),
    (lambda: words(f"Bearer {person(roles=[{}, 1])}"), None, Reason.CLIENT, "roles of no form"),
    (lambda: words(f"Bearer {person('auditor', sub='')}"), None, Reason.CLIENT, "a person without a name"),
    (lambda: words(f"Bearer {person('municipality-controller')}"), None, Reason.CLIENT, "of nowhere"),
    (
        lambda: words(f"Bearer {person('municipality-controller', municipality=['2380'])}"),
        None,
        Reason.CLIENT,
        "of several, or none",
    ),
    (
        lambda: words(f"Bearer {person('municipality-controller', municipality='-')}"),
        None,
        Reason.CLIENT,
        "no kommunkod",
    ),
    (
        lambda: words(f"Bearer {token(claims(cnf={'x5t#S256': 'x'}))}"),
        None,
        Reason.BOUND,
        "RFC 8705: a stolen token, its certificate is not there",
    ),
    (lambda: Knock(certificate=(f"Hash={HASH}",)), None, Reason.PROOF, "spoofed: past the ingress"),
    (lambda: tls(f"Hash={HASH}", "guess"), None, Reason.PROOF, "spoofed: a guess"),
    (lambda: tls(f"Hash={HASH}", PROOF, "guess"), None, Reason.PROOF, "spoofed: two proofs"),
    (
        lambda: replace(words(f"ApiKey {KEYS['other'][0]}"), certificate=(f"Hash={HASH}",), proof=("guess",)),
        None,
        Reason.PROOF,
        "whoever spoofs is not let in by another way",
    ),
    (lambda: tls(f"Hash={'0' * 64}"), None, Reason.CERTIFICATE, "a certificate of nobody"),
    (lambda: tls('Subject="CN=hospital"'), None, Reason.CERTIFICATE, "a subject of nobody"),
    (lambda: tls(f'Hash={HASH};Subject="CN=o"'), None, Reason.CERTIFICATE, "of two at once"),
    (lambda: Knock(hook=(HOOK,)), "other", Reason.HOOK, "another's notification"),
    (lambda: Knock(hook=(HOOK,)), None, Reason.HOOK, "a door that is no source's"),
    (lambda: Knock(hook=("guess",)), "hospital", Reason.HOOK, "a guess"),
    (lambda: Knock(hook=("",)), "other", Reason.HOOK, "no secret proves nothing"),
    (lambda: Knock(hook=(HOOK, HOOK)), "hospital", Reason.HOOK, "twice"),
]


@pytest.mark.parametrize(("shown", "path", "reason", "because"), UNKNOWN)
async def test_who_does_not_show_it(
    keeper: Doorkeeper, shown: Callable[[], Knock], path: str | None, reason: Reason, because: str
) -> None:
    with pytest.raises(NotShownError) as caught:
        await keeper.identify(shown(), path, NOW)
    assert caught.value.reason is reason, because


async def test_without_an_ingress_no_certificate_is_believed(tmp_path: Path) -> None:
    keeper = Doorkeeper(settings(tmp_path, ingress=None))
    with pytest.raises(NotShownError) as caught:
        await keeper.identify(tls(f"Hash={HASH}"), "hospital", NOW)
    assert caught.value.reason is Reason.MISSING


async def test_tokens_of_a_source_are_not_those_of_staff(tmp_path: Path) -> None:
    """Roles in a token of an issuer for systems alone make nobody staff; nor do they without `staff`."""
    mine = issuer(tmp_path)
    elsewhere = mine.model_copy(update={"audience": "https://staff.region.example"})
    for given in (None, Staff(tokens=elsewhere)):
        keeper = Doorkeeper(settings(tmp_path, staff=given))
        with pytest.raises(NotShownError) as caught:
            await keeper.identify(words(f"Bearer {person('auditor')}"), None, NOW)
        assert caught.value.reason in {Reason.CLIENT, Reason.AUDIENCE}
        assert await keeper.identify(words(f"Bearer {token()}"), None, NOW)


async def test_an_address_that_failed_too_often(keeper: Doorkeeper) -> None:
    """A key that is not known yet is not looked at; one that is, and a signed token, come in."""
    key = words(f"ApiKey {KEYS['hospital'][0]}")
    with pytest.raises(ThrottledError) as caught:
        await keeper.identify(key, "hospital", NOW, wait_s=17)
    assert caught.value.retry_after_s == 17
    await keeper.identify(key, "hospital", NOW)
    for shown in (key, words(f"Bearer {token()}"), tls(f"Hash={HASH}")):
        assert (await keeper.identify(shown, "hospital", NOW, wait_s=17)).name == "hospital"
