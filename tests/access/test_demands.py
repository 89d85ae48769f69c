"""What the settings must be like before the service starts: each fault by itself, and all of them at once."""

import os
import subprocess
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from adapter.access.api_keys import new_key
from adapter.access.demands import demands
from adapter.cli import app
from adapter.cluster import Sasl, Tls
from adapter.credentials import Credentials, Ingress, Issuer, Staff
from adapter.errors import SetupError
from adapter.servers import Basic, Certificate, Poll, Server, Subscribe
from adapter.settings import Kafka, Settings, Source, Subscriber
from tests import cli

KEY, OTHER = new_key()[1], new_key()[1]
ISSUER = Issuer(
    issuer="https://login.region.example", audience="https://losus.region.example", jwks="/secrets/jwks.json"
)
SECRET = "Vq3r0-hTz8kLw2Xn9PbY5cJd7fGmSa4u"
INGRESS = Ingress(proof=sha256(b"a secret at random").hexdigest())


def settings(**more: Any) -> Settings:
    """Settings that nothing is wrong with, and what is changed in them."""
    given: dict[str, Any] = {
        "database": "postgresql://losus:fT7uQ2@db.region.example/losus?sslmode=verify-full",
        "secret": SECRET,
        "base_url": "https://losus.region.example",
        "staff": Staff(tokens=ISSUER),
        "sources": {"hospital": Source(mapping="losus-r4", credentials=Credentials(keys=(KEY,)))},
        "subscribers": {"2380": Subscriber(name="Östersund")},
        **more,
    }
    return Settings(**given)


def source(**more: Any) -> dict[str, Any]:
    return {"sources": {"hospital": Source(mapping="losus-r4", **more)}}


def server(**more: Any) -> dict[str, Any]:
    asked = {"base_url": "https://ehr.example/fhir", "login": BASIC, **more}
    return source(server=Server(**asked))


def database(rest: str) -> dict[str, Any]:
    return {"database": f"postgresql://{rest}"}


def kafka(bootstrap: str, **more: Any) -> dict[str, Any]:
    return {"kafka": Kafka(bootstrap=bootstrap, **more)}


def issuer(**more: Any) -> Issuer:
    return ISSUER.model_copy(update=more)


BASIC = Basic(username="losus", password_file=Path("/secrets/ehr"))
TLS = Certificate(certificate=Path("/secrets/tls.crt"), key=Path("/secrets/tls.key"))
USER = Sasl(username="losus-relay", password_file=Path("/secrets/kafka"))
WEAK = KEY.replace("16384", "8192")
HOOK = "https://losus.region.example/hook"
SOUND = [
    # what is changed, because
    ({}, "nothing"),
    ({"base_url": "http://127.0.0.1:8000"}, "loopback leaves no machine"),
    ({"base_url": "http://[::1]:8000"}, "loopback leaves no machine"),
    (database("losus:x@127.0.0.1/losus"), "a database on this machine"),
    (database("losus:postgres@localhost/losus"), "a database on this machine, whatever its password"),
    (database("/losus?host=/var/run/postgresql"), "a socket of this machine"),
    (database("losus:fT7uQ2@db/losus?sslmode=verify-ca"), "TLS that knows the server"),
    (database("losus@db/losus?sslmode=verify-full&sslcert=/secrets/tls.crt"), "a client certificate"),
    (source(credentials=Credentials(tokens=ISSUER, client="a")), "tokens"),
    ({**source(credentials=Credentials(certificates=("CN=a",))), "ingress": INGRESS}, "a certificate"),
    (source(topic="ehr.events"), "a source that comes by a topic shows nothing at the door"),
    (source(hook_file=Path("/secrets/hook")), "a source that notifies shows its secret"),
    (server(poll=Poll()), "a source that is asked shows nothing at the door"),
    (server(login=None, certificate=TLS), "asked with a certificate"),
    (server(login=None, base_url="http://127.0.0.1:8080/fhir"), "asked on this machine"),
    (server(base_url="http://ehr/fhir", plain_http=True), "a mesh that encrypts, said expressly"),
    (source(municipality="2380", credentials=Credentials(keys=(KEY,))), "a subscriber's system"),
    ({"staff": Staff(tokens=issuer(jwks="https://login.region.example/keys"))}, "keys by https"),
    (kafka("127.0.0.1:9092,[::1]:9092,localhost:9092"), "brokers on this machine"),
    (kafka("localhost:9092", sasl=USER), "a user of a broker on this machine"),
    (kafka("kafka:9093", tls=Tls()), "TLS"),
    (kafka("kafka:9093", tls=Tls(), sasl=USER), "a user over TLS"),
    (kafka("kafka:9092", plaintext=True), "a mesh that encrypts, said expressly"),
    (kafka("kafka:9092", plaintext=True, sasl=USER), "a mesh that encrypts, said expressly"),
]


@pytest.mark.parametrize(("changed", "because"), SOUND)
def test_nothing_is_wrong(changed: dict[str, Any], because: str) -> None:
    assert demands(settings(**changed), "0.0.0.0") == [], because  # noqa: S104 - that is the question


FAULTS = [
    # what is changed, where the fault is told, because
    ({"secret": SECRET[:31]}, "SECRET", "31 characters"),
    ({"secret": "abcabcabcabcabcabcabcabcabcabcabcabc"}, "SECRET", "of three letters"),
    ({"secret": "changeme" + SECRET}, "SECRET", "begins as an example"),
    ({"base_url": "http://losus.region.example"}, "BASE_URL", "tokens in clear text"),
    ({"base_url": "http://127.0.0.1.evil.example"}, "BASE_URL", "no loopback"),
    ({"base_url": "http://[nonsense"}, "BASE_URL", "no address"),
    ({"staff": None}, "STAFF", "nobody could see a case"),
    ({"staff": Staff(tokens=issuer(issuer="http://login.example"))}, "STAFF__TOKENS__ISSUER", "no https"),
    ({"staff": Staff(tokens=issuer(jwks="http://login.example"))}, "STAFF__TOKENS__JWKS", "no https"),
    ({"staff": Staff(tokens=issuer(jwks="ftp://login.example"))}, "STAFF__TOKENS__JWKS", "no https"),
    ({"staff": Staff(tokens=issuer(audience=""))}, "STAFF__TOKENS__AUDIENCE", "meant for anybody"),
    (database("losus:fT7uQ2@db/losus"), "DATABASE", "TLS if the server likes"),
    (database("losus:fT7uQ2@db/losus?sslmode=disable"), "DATABASE", "no TLS"),
    (database("losus:fT7uQ2@db/losus?sslmode=require"), "DATABASE", "TLS with whoever answers"),
    (database("losus:fT7uQ2@127.0.0.1,db:5433/losus"), "DATABASE", "one of them is elsewhere"),
    (database("losus:fT7uQ2@[2001:db8::1]:5432/losus"), "DATABASE", "elsewhere, by IPv6"),
    (database("/losus?host=db&user=losus&password=fT7uQ2"), "DATABASE", "elsewhere, said otherwise"),
    (database("postgres:postgres@db/losus?sslmode=verify-full"), "DATABASE", "the image's own password"),
    (database("losus@db/losus?sslmode=verify-full"), "DATABASE", "no password"),
    (database("[nonsense"), "DATABASE", "no address"),
    (kafka("kafka:9092"), "KAFKA__TLS", "on another machine, in clear text"),
    (kafka("127.0.0.1:9092,kafka:9092"), "KAFKA__TLS", "one of them is on another machine"),
    (kafka("[2001:db8::1]:9092"), "KAFKA__TLS", "elsewhere, by IPv6"),
    (kafka("127.0.0.1.evil.example:9092"), "KAFKA__TLS", "no loopback"),
    (source(), "SOURCES__HOSPITAL__CREDENTIALS", "nothing to show"),
    (source(credentials=Credentials(keys=(WEAK,))), "SOURCES__HOSPITAL__CREDENTIALS__KEYS", "cheap to guess"),
    (
        source(credentials=Credentials(tokens=issuer(jwks="http://login.example"), client="a")),
        "SOURCES__HOSPITAL__CREDENTIALS__TOKENS__JWKS",
        "no https",
    ),
    (source(credentials=Credentials(certificates=("CN=a",))), "INGRESS", "nobody tells of certificates"),
    ({"ingress": Ingress(proof=sha256(b"changeme").hexdigest())}, "INGRESS__PROOF", "a guess"),
    ({"ingress": Ingress(proof=sha256(b"").hexdigest())}, "INGRESS__PROOF", "no secret at all"),
    (
        source(municipality="2309", credentials=Credentials(keys=(KEY,))),
        "SOURCES__HOSPITAL__MUNICIPALITY",
        "no subscriber",
    ),
    (
        server(login=None, certificate=TLS, base_url="http://a/fhir"),
        "SOURCES__HOSPITAL__SERVER__BASE_URL",
        "in clear text",
    ),
    (server(login=None), "SOURCES__HOSPITAL__SERVER__LOGIN", "open to all"),
    (
        server(subscribe=Subscribe(hook_url=HOOK.replace("https", "http"))),
        "SOURCES__HOSPITAL__SERVER__SUBSCRIBE__HOOK_URL",
        "notifications in clear text",
    ),
]


@pytest.mark.parametrize(("changed", "place", "because"), FAULTS)
def test_each_fault(changed: dict[str, Any], place: str, because: str) -> None:
    told = demands(settings(**changed))
    assert {problem.expression for problem in told} == {f"LOSUS_{place}"}, because
    assert told[0].code == "security"


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_no_user_shows_himself_in_clear_text(mechanism: str) -> None:
    told = demands(settings(**kafka("kafka:9092", sasl=USER.model_copy(update={"mechanism": mechanism}))))
    assert [problem.expression for problem in told] == ["LOSUS_KAFKA__TLS", "LOSUS_KAFKA__SASL__MECHANISM"]
    assert mechanism in told[1].rule


def test_all_faults_are_told_at_once() -> None:
    every = settings(
        secret="a short secret!!",
        base_url="http://losus.example",
        database="postgresql://db/losus",
        staff=None,
        sources={
            "one": Source(mapping="m"),
            "two": Source(mapping="m", credentials=Credentials(keys=(OTHER,), certificates=("CN=a",))),
            "three": Source(mapping="m", credentials=Credentials(keys=(OTHER,))),
        },
    )
    assert sorted(problem.expression or "" for problem in demands(every)) == [
        "LOSUS_BASE_URL",
        "LOSUS_DATABASE",
        "LOSUS_DATABASE",
        "LOSUS_INGRESS",
        "LOSUS_SECRET",
        "LOSUS_SOURCES: credentials.keys",
        "LOSUS_SOURCES__ONE__CREDENTIALS",
        "LOSUS_STAFF",
    ]


OPEN = [
    # base_url, what is listened on, faults, because
    ("http://127.0.0.1:8000", "127.0.0.1", [], "the sandbox"),
    ("http://localhost:8000", "::1", [], "the sandbox"),
    ("http://127.0.0.1:8000", "0.0.0.0", ["LOSUS_OPEN_DOORS"], "open to the whole network"),  # noqa: S104
    ("http://127.0.0.1:8000", "losus", ["LOSUS_OPEN_DOORS"], "no loopback"),
    ("https://losus.example", "127.0.0.1", ["LOSUS_BASE_URL"], "told to the world"),
    ("https://losus.example", "::", ["LOSUS_BASE_URL", "LOSUS_OPEN_DOORS"], "both"),
]


@pytest.mark.parametrize(("base_url", "host", "faults", "because"), OPEN)
def test_open_doors_are_for_the_sandbox(base_url: str, host: str, faults: list[str], because: str) -> None:
    opened = settings(open_doors=True, base_url=base_url, staff=None, secret="a secret of tests", sources={})
    assert [problem.expression for problem in demands(opened, host)] == faults, because


@given(st.text(max_size=60), st.text(max_size=60))
def test_whatever_stands_there_it_is_told_and_not_shown(dsn: str, base_url: str) -> None:
    """No value of the settings in what is told: the database's address holds its password."""
    marked = f"postgresql://losus:kRm9vQ7x@{dsn}"
    told = demands(settings(database=marked, base_url=base_url))
    assert not any("kRm9vQ7x" in problem.rule for problem in told)


def serve(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("LOSUS_")}
    given = {f"LOSUS_{name.upper()}": value for name, value in environment.items()}
    return cli.run("serve", "--port", "0", *arguments, env=clean | given)


def test_the_service_does_not_start() -> None:
    done = serve(
        database="postgresql://losus:kRm9vQ7x@db/losus", secret="sixteen letters!", base_url="http://a"
    )
    assert done.returncode == 2
    told = [line.split(": ")[1] for line in done.stderr.splitlines() if line.startswith("losus: ")]
    assert told == ["LOSUS_SECRET", "LOSUS_BASE_URL", "LOSUS_DATABASE", "LOSUS_STAFF"]
    assert "kRm9vQ7x" not in done.stdout + done.stderr


PROCESSES = [
    "relay",
    "watch",
    "migrate --check",
    "poll hospital",
    "listen hospital",
    "import --bulk --source hospital",
    "replay --parked",
    "republish 2380 --since 2026-03-01",
    "settle --month 2026-03 --issue",
    "settle --due",
    "disputes",
    "statistics",
    "topics apply",
    "topics expire",
    "cases parked",
    "sources list",
    "audit verify",
    "audit export",
    "tail 2380",
]


@pytest.mark.parametrize("words", PROCESSES)
def test_no_process_starts_on_insecure_settings(words: str) -> None:
    insecure = {
        "LOSUS_DATABASE": "postgresql://losus:kRm9vQ7x@db/losus",
        "LOSUS_SECRET": "sixteen letters!",
        "LOSUS_KAFKA__BOOTSTRAP": "kafka:9092",
        "LOSUS_SETTINGS": "",
    }
    done = CliRunner().invoke(app, words.split(), env=insecure)
    assert isinstance(done.exception, SetupError), done.output
    told = [problem.expression for problem in done.exception.problems]
    every = ["LOSUS_SECRET", "LOSUS_DATABASE", "LOSUS_KAFKA__TLS", "LOSUS_STAFF"]
    needed = {"tail": ["LOSUS_KAFKA__TLS"], "migrate": ["LOSUS_DATABASE"]}  # and no other secret
    assert told == needed.get(words.split(maxsplit=1)[0], every)
    assert "kRm9vQ7x" not in str(done.exception) + done.output


def test_nor_with_open_doors_beyond_this_machine() -> None:
    given = {"database": "postgresql:///none", "secret": "sixteen letters!", "open_doors": "true"}
    done = serve("--host", "0.0.0.0", **given)  # noqa: S104 - that is the question
    assert done.returncode == 2
    assert "LOSUS_OPEN_DOORS" in done.stderr
