"""What settings must be like before the service may start: every insecure one, all at once.

Owns the demands. Pure: no file is read and nothing is asked, so what files hold is checked where they are
read. Open doors are for the sandbox, which is on loopback alone; then nothing else is demanded.
"""

import hashlib
from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from adapter.access.register import register
from adapter.credentials import Issuer
from adapter.errors import Problem, SetupError
from adapter.servers import Server
from adapter.settings import Kafka, Settings, Source

#: Of the pseudonyms' key: so many characters, so many of them different.
_SECRET_LENGTH, _SECRET_VARIETY = 32, 12
_SCRYPT_N = 1 << 14
#: What stands in examples and is forgotten there.
_WEAK = frozenset(
    {"", "admin", "changeme", "change-me", "default", "example", "losus", "password", "postgres", "secret"}
    | {"test", "todo", "xxx"}
)
#: libpq's modes that know whom they speak with; `require` encrypts for whoever answers.
_TLS = frozenset({"verify-ca", "verify-full"})


def demands(settings: Settings, host: str = "127.0.0.1") -> list[Problem]:
    """Every fault of the settings that is a danger outside the sandbox; `host` is what is listened on."""
    if settings.open_doors:
        return [*_open(settings, host), *_federations(settings)]
    return [
        *_federations(settings),
        *_own(settings),
        *database_demands(settings.database.get_secret_value()),
        *kafka_demands(settings.kafka),
        *_callers(settings),
        *(fault for name, source in settings.sources.items() for fault in _source(settings, name, source)),
        *_register(settings),
    ]


def kafka_demands(kafka: Kafka) -> list[Problem]:
    """TLS where a broker is elsewhere, unless it is said expressly that the way there is encrypted.

    What is sent is about patients, and a password (PLAIN) or the proof of one (SCRAM) could be read along.
    """
    hosts = (_host_of(one.strip()) for one in kafka.bootstrap.split(","))
    if kafka.tls is not None or kafka.plaintext or all(map(_is_loopback, hosts)):
        return []
    rule = "is set, since a broker is on another machine (plaintext: true where the network encrypts)"
    faults = [_fault(rule, "kafka.tls")]
    if kafka.sasl is not None:
        faults.append(_fault(f"{kafka.sasl.mechanism} comes with TLS alone", "kafka.sasl.mechanism"))
    return faults


def _open(settings: Settings, host: str) -> Iterator[Problem]:
    if not _is_local(settings.base_url):
        yield _fault("is of this machine alone where doors are open to all", "base_url")
    if not _is_loopback(host):
        rule = "are for the sandbox, on loopback alone (--sandbox: this is one, and published there alone)"
        yield _fault(rule, "open_doors")


def _register(settings: Settings) -> tuple[Problem, ...]:
    try:
        register(settings)
    except SetupError as error:
        return error.problems
    return ()


def _own(settings: Settings) -> Iterator[Problem]:
    secret = settings.secret.get_secret_value()
    if len(secret) < _SECRET_LENGTH or len(set(secret)) < _SECRET_VARIETY or _is_weak(secret):
        yield _fault(f"has at least {_SECRET_LENGTH} characters, at random", "secret")
    if not _is_safe(settings.base_url):
        yield _fault("is https, since persons' data and tokens come that way", "base_url")


def database_demands(dsn: str) -> Iterator[Problem]:
    """TLS that knows the server, where it is elsewhere; a password that is not the example's."""
    parts = _split(dsn)
    asked = parse_qs(parts.query)
    hosts = [
        *(asked.get("host", [])),
        *(_host_of(part) for part in parts.netloc.rpartition("@")[2].split(",")),
    ]
    elsewhere = any(host and not host.startswith("/") and not _is_loopback(host) for host in hosts)
    if elsewhere and asked.get("sslmode", ["prefer"])[-1] not in _TLS:
        yield _fault("sslmode=verify-full (or verify-ca), since it is on another machine", "database")
    password = unquote(parts.password or "") or asked.get("password", [""])[-1]
    if elsewhere and password.lower() in _WEAK and not asked.get("sslcert"):
        yield _fault("has a password that nobody would try first, or a client certificate", "database")


def _callers(settings: Settings) -> Iterator[Problem]:
    if settings.staff is None:
        yield _fault("says whose tokens the region's people bear: without it nobody can see a case", "staff")
    else:
        yield from _issuer(settings.staff.tokens, "staff.tokens")
    ingress = settings.ingress
    if ingress is None:
        if any(source.credentials.certificates for source in settings.sources.values()):
            yield _fault("says which header names the certificate: sources have certificates", "ingress")
    elif any(hashlib.sha256(word.encode()).hexdigest() == ingress.proof for word in _WEAK):
        yield _fault("is of a secret that anybody would try first", "ingress.proof")


def _federations(settings: Settings) -> Iterator[Problem]:
    """Demand that a federation reads the topics of municipalities that have some."""
    for name, federation in settings.federations.items():
        for code in federation.members:
            if code not in settings.subscribers:
                yield _fault(f"{code} is one of the subscribers", f"federations.{name}.members")


def _source(settings: Settings, name: str, source: Source) -> Iterator[Problem]:
    at = f"sources.{name}"
    shown = source.credentials
    comes_in = source.server is None and source.topic is None and source.hook_file is None
    if comes_in and shown.is_empty:
        yield _fault("has a key, tokens or a certificate: nobody could come in by it", f"{at}.credentials")
    if shown.tokens is not None:
        yield from _issuer(shown.tokens, f"{at}.credentials.tokens")
    for text in shown.keys:
        if int(text.split("$")[1]) < _SCRYPT_N:
            yield _fault(f"scrypt with n of at least {_SCRYPT_N}", f"{at}.credentials.keys")
    if source.municipality is not None and source.municipality not in settings.municipalities:
        yield _fault("is one of the subscribers: nobody else has cases here", f"{at}.municipality")
    if source.server is not None:
        yield from _server(source.server, f"{at}.server")


def _server(server: Server, at: str) -> Iterator[Problem]:
    """What its own model leaves open; `plain_http` says that a mesh encrypts what goes there."""
    if not server.plain_http and not _is_safe(server.base_url):
        yield _fault("is https", f"{at}.base_url")
    if server.subscribe is not None and not _is_safe(server.subscribe.hook_url):
        yield _fault("is https", f"{at}.subscribe.hook_url")
    shown = server.login is not None or server.certificate is not None or server.plain_http
    if not shown and not _is_local(server.base_url):
        yield _fault("or a certificate: a server that answers anybody holds no persons' data", f"{at}.login")


def _issuer(issuer: Issuer, at: str) -> Iterator[Problem]:
    if not _is_safe(issuer.issuer):
        yield _fault("is https", f"{at}.issuer")
    if "://" in issuer.jwks and not _is_safe(issuer.jwks):
        yield _fault("is https: whoever changes the keys on their way comes in", f"{at}.jwks")
    if issuer.audience.lower() in _WEAK:
        yield _fault("names this adapter alone", f"{at}.audience")


def _fault(rule: str, at: str) -> Problem:
    return Problem("security", rule, "LOSUS_" + at.upper().replace(".", "__"))


def _is_weak(word: str) -> bool:
    return any(one and word.lower().startswith(one) for one in _WEAK)


def _split(url: str) -> SplitResult:
    """The parts of an address; of one that is none, a host that is nowhere."""
    try:
        return urlsplit(url)
    except ValueError:
        return SplitResult("", "?", "", "", "")


def _is_safe(url: str) -> bool:
    return _split(url).scheme == "https" or _is_local(url)


def _is_local(url: str) -> bool:
    return _is_loopback(_split(url).hostname or "")


def _host_of(part: str) -> str:
    """The host of `host:port`, `[v6]:port`, `host`; empty: a socket of this machine."""
    return part[1:].partition("]")[0] if part.startswith("[") else part.partition(":")[0]


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
