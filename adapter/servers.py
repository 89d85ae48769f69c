"""A source's own FHIR server: what the settings say of asking it.

Owns the shape and the demands on it; does not own the asking (`adapter.client`). Secrets and keys are
files, never words of a settings file.
"""

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

#: The address of a FHIR server, or of a part of it: no slash at the end, no query, no user name.
BaseUrl = Annotated[str, StringConstraints(pattern=r"^https?://[^?#@\s]+[^?#@/\s]$")]
#: The address of a token endpoint.
TokenUrl = Annotated[str, StringConstraints(pattern=r"^https?://[^#@\s]+$")]


#: What is asked for: the three types that are polled, and what they point at (SMART v2).
SCOPE = (
    "system/Encounter.rs system/Task.rs system/CarePlan.rs"
    " system/Patient.r system/Organization.r system/Location.r"
)


class Basic(BaseModel):
    """User name and password (RFC 7617)."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    kind: Literal["basic"] = "basic"
    username: str
    password_file: Path


class ClientSecret(BaseModel):
    """OAuth 2 client credentials with a secret; `token_url` None: found by SMART discovery."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    kind: Literal["client-secret"] = "client-secret"
    client_id: str
    secret_file: Path
    token_url: TokenUrl | None = None
    scope: str = SCOPE


class PrivateKey(BaseModel):
    """SMART Backend Services: a JWT signed with our key as client assertion.

    `keys` are PEM files, RSA of 2048 bits or more (RS384) or EC on P-384 (ES384). The first signs and all
    are shown in our JWKS, so that a new key is known before it signs.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    kind: Literal["private-key-jwt"] = "private-key-jwt"
    client_id: str
    keys: tuple[Path, ...] = Field(min_length=1)
    token_url: TokenUrl | None = None
    scope: str = SCOPE


class Certificate(BaseModel):
    """Mutual TLS: our certificate (with its chain) and its key, PEM files."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    certificate: Path
    key: Path


Login = Annotated[Basic | ClientSecret | PrivateKey, Field(discriminator="kind")]


class Poll(BaseModel):
    """Asking again and again by `_lastUpdated`: which types, how often, with what overlap."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    types: tuple[str, ...] = ("Encounter", "Task", "CarePlan")
    every_s: float = Field(default=30.0, gt=0)
    overlap_s: float = Field(default=60.0, ge=0)
    count: int = Field(default=100, ge=1, le=1000)
    since: str | None = Field(default=None, description="instant of the first look; None: from now on")


class Subscribe(BaseModel):
    """Subscriptions that the adapter registers at the server and keeps alive.

    `kind` is how they are written: `rest-hook` plain R4 criteria, `backport` and `r5` topic-based.
    `criteria` are the searches of plain ones, `topic` the canonical and `filters` the filters of the others.
    `hook_url` is where the server reaches this adapter; `secret_file` holds what it sends in the header
    `x-losus-hook`. Every `catch_up_s`, and at each start, all that has changed is looked at besides: there
    are servers that give up telling of an event after a minute, and say nothing.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    kind: Literal["rest-hook", "backport", "r5"] = "rest-hook"
    criteria: tuple[str, ...] = ("Encounter?", "Task?", "CarePlan?")
    topic: str | None = None
    filters: tuple[str, ...] = ()
    content: Literal["empty", "id-only", "full-resource"] = "id-only"
    hook_url: str
    secret_file: Path | None = None
    renew_s: float = Field(default=86_400.0, gt=0)
    catch_up_s: float = Field(default=900.0, gt=0)


class Patience(BaseModel):
    """Trying again: `attempts` in all, with pauses drawn from 0 to `first_s`, twice that, … `longest_s`.

    A pause that the server asks for (`Retry-After`) is kept if it is not longer than `longest_s`; else the
    call is given up, and the server is not asked again before that time, at most an hour.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    attempts: int = Field(default=4, ge=1, le=20)
    first_s: float = Field(default=0.5, gt=0)
    longest_s: float = Field(default=30.0, gt=0)


class Circuit(BaseModel):
    """After `failures` in a row the server is left alone for `rest_s`; then one request tries it."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    failures: int = Field(default=5, ge=1)
    rest_s: float = Field(default=30.0, gt=0)


class Server(BaseModel):
    """A FHIR server that may be asked: by polling, for what a notification names, for references.

    `known_as` are other addresses under which the same server writes its references and links (behind a
    proxy, say); such a link is asked for at `base_url`. `authority` is a PEM file with the authorities that
    signed the server's certificate (None: the public ones). Without `plain_http` nobody is told a secret
    over `http:` but this machine itself; a mesh that encrypts is a reason to set it.

    `timeout_s` is how long connecting, and each silence of the server, may take; `answer_s` a whole answer,
    and `max_bytes` its size once unpacked. `max_references` and `max_depth` bound how much of what a
    resource points at is fetched, `references_s` how long that may take, `cache_s` and `cache_bytes` what
    is kept of it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    base_url: BaseUrl
    known_as: tuple[BaseUrl, ...] = ()
    login: Login | None = None
    certificate: Certificate | None = None
    authority: Path | None = None
    plain_http: bool = False
    timeout_s: float = Field(default=10.0, gt=0)
    answer_s: float = Field(default=60.0, gt=0)
    max_bytes: int = Field(default=10_000_000, ge=1)
    patience: Patience = Patience()
    circuit: Circuit = Circuit()
    max_references: int = Field(default=20, ge=0)
    max_depth: int = Field(default=2, ge=0)
    references_s: float = Field(default=30.0, gt=0)
    cache_s: float = Field(default=300.0, ge=0)
    cache_bytes: int = Field(default=16_000_000, ge=0)
    poll: Poll | None = None
    subscribe: Subscribe | None = None

    @model_validator(mode="after")
    def _secrets_stay_secret(self) -> Self:
        urls = [self.base_url, getattr(self.login, "token_url", None)]
        if self.login and not self.plain_http and any(url and is_readable(url) for url in urls):
            raise ValueError("a login over http: can be read on the way; https:, or plain_http in a mesh")
        return self


def is_readable(url: str) -> bool:
    """Whether others than this machine could read what is sent there."""
    parts = urlsplit(url)
    if parts.scheme == "https" or parts.hostname == "localhost":
        return False
    try:
        return not ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return True
