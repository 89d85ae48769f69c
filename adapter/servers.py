"""A source's own FHIR server: what the settings say of asking it.

Owns the shape and the demands on it; does not own the asking (`adapter.client`). Secrets and keys are
files, never words of a settings file.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


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
    token_url: str | None = None
    scope: str = "system/Encounter.rs system/Task.rs system/CarePlan.rs system/Patient.r"


class PrivateKey(BaseModel):
    """SMART Backend Services: a JWT signed with our key (RS384 or ES384) as client assertion.

    `keys` are PEM files, the first signs and all are shown in our JWKS, so that keys can be rotated.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    kind: Literal["private-key-jwt"] = "private-key-jwt"
    client_id: str
    keys: tuple[Path, ...] = Field(min_length=1)
    algorithm: Literal["RS384", "ES384"] = "ES384"
    token_url: str | None = None
    scope: str = "system/Encounter.rs system/Task.rs system/CarePlan.rs system/Patient.r"


class Certificate(BaseModel):
    """Mutual TLS: our certificate and key (PEM files), and the authority that signed the server's."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    certificate: Path
    key: Path
    authority: Path | None = None


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
    `hook_url` is where the server reaches this adapter; `secret_file` holds what it sends in the header
    `x-losus-hook`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    kind: Literal["rest-hook", "backport", "r5"] = "rest-hook"
    criteria: tuple[str, ...] = ("Encounter?", "Task?", "CarePlan?")
    topic: str | None = None
    content: Literal["empty", "id-only", "full-resource"] = "id-only"
    hook_url: str
    secret_file: Path | None = None
    renew_s: float = Field(default=86_400.0, gt=0)


class Server(BaseModel):
    """A FHIR server that may be asked: by polling, for what a notification names, for references.

    `max_references` and `max_depth` bound how much of what a resource points at is fetched.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    base_url: str = Field(pattern=r"^https?://[^?#]+[^?#/]$")
    login: Login | None = None
    certificate: Certificate | None = None
    timeout_s: float = Field(default=10.0, gt=0)
    max_references: int = Field(default=20, ge=0)
    max_depth: int = Field(default=2, ge=0)
    cache_s: float = Field(default=300.0, ge=0)
    poll: Poll | None = None
    subscribe: Subscribe | None = None
