"""Who may knock: what the settings say of a caller's credentials, a source's or a person's.

Owns the shape and the demands on it; does not own checking a request against it (`adapter.access`).
No secret stands in a settings file: API keys are kept as hashes, tokens are signed by their issuer.
"""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

#: A scope of SMART on FHIR v2 for systems, `system/Encounter.cu`, or the name of an operation of ours.
Scope = Annotated[
    str, StringConstraints(pattern=r"^(system/([A-Z][A-Za-z]+|\*)\.c?r?u?d?s?|operation/[a-z-]+)$")
]
#: scrypt of an API key, as `losus key` prints it: `scrypt$n$r$p$salt$hash`, the last two base64url. The
#: salt is the part of the key that names it, so that no other hash need be tried.
KeyHash = Annotated[str, StringConstraints(pattern=r"^scrypt\$[0-9]+\$[0-9]+\$[0-9]+\$[\w-]+\$[\w-]+$")]


class Issuer(BaseModel):
    """An authorization server whose bearer tokens (JWT) are believed.

    `issuer` and `audience` are the claims `iss` and `aud` that its tokens bear, `jwks` the address of its
    keys, or the path of a file with them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    issuer: str
    audience: str
    jwks: str


class Credentials(BaseModel):
    """How a source shows who it is; any one that is set will do, and none set lets nobody in.

    `keys` are hashes of API keys (two while one is exchanged for another), `tokens` the issuer of its
    bearer tokens and `client` who they are for (the first of the claims `client_id`, `azp`, `sub` that a
    token has), `certificates` the SHA-256 (hex) of client certificates, or their subjects, as the ingress
    passes them on. `scopes` are what it may do (SMART v2); None: whatever a sender of messages may do,
    and for a municipality's system: tell its own steps, dispute and read what is its own. A token that
    names scopes gives no more than both do.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    keys: tuple[KeyHash, ...] = ()
    tokens: Issuer | None = None
    client: str | None = None
    certificates: tuple[str, ...] = ()
    scopes: tuple[Scope, ...] | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is no way to show who it is."""
        return not (self.keys or self.tokens or self.certificates)

    @model_validator(mode="after")
    def _tokens_name_a_client(self) -> Self:
        if (self.tokens is None) != (self.client is None):
            raise ValueError("tokens and client go together: whose tokens of that issuer are meant")
        return self


class Staff(BaseModel):
    """The people of region and municipalities: OIDC bearer tokens, and where their roles stand in them.

    `roles` is the claim that lists the roles: `region-operator`, `controller`, `auditor`, and
    `municipality-controller`, who sees the municipality that the claim `municipality` names (kommunkod).
    A name with dots leads into the token (`realm_access.roles`). `user` is the claim that says who the
    person is, for the audit (`sub`, or the one with the HSA-id).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    tokens: Issuer
    roles: str = "roles"
    municipality: str = "municipality"
    user: str = "sub"


class Ingress(BaseModel):
    """The proxy that ends TLS in front of the adapter: the header in which it names the client's certificate.

    The header holds what Envoy writes (`Hash=…;Subject="…"`), a bare SHA-256 in hex, or the certificate
    as URL-encoded PEM (nginx). `proof` is the SHA-256 (hex) of a secret that the proxy sends in the header
    `x-losus-ingress` (`losus key --ingress` makes one), so that nobody who reaches the adapter past it can
    write the other header.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    header: str = "x-forwarded-client-cert"
    proof: str = Field(pattern=r"^[0-9a-f]{64}$")
