"""Who knocks: a source (a system), a person of the staff, or anybody where the doors are open.

Owns the shapes, and the two faults of a caller: not showing who it is, and not being allowed. Does not own
how a caller is known (`doorkeeper`) nor what each may do (`scopes`, `reach`).
"""

from dataclasses import dataclass
from enum import StrEnum

from adapter.errors import ForbiddenError, Problem, UnauthorizedError


class Kind(StrEnum):
    """What sort of caller."""

    SOURCE = "source"
    STAFF = "staff"
    ANYBODY = "anybody"


class Role(StrEnum):
    """What a person of the staff may see; the words stand in the token's claim of roles."""

    REGION_OPERATOR = "region-operator"
    CONTROLLER = "controller"
    AUDITOR = "auditor"
    MUNICIPALITY_CONTROLLER = "municipality-controller"


class Reason(StrEnum):
    """Why an attempt was refused: for the metric, the log and the audit, never for the caller."""

    MISSING = "missing"  # no credential at all
    MALFORMED = "malformed"  # no credential of any form that is known, or several at once
    ALGORITHM = "algorithm"  # not one of the asymmetric algorithms
    KEY_ID = "key-id"  # signed with a key that its issuer does not show
    SIGNATURE = "signature"
    ISSUER = "issuer"
    AUDIENCE = "audience"
    EXPIRED = "expired"
    EARLY = "early"  # not valid yet
    CLAIMS = "claims"  # a claim that has to be there is not, or has another form
    BOUND = "bound"  # a token bound to a certificate or key that the caller did not show (RFC 8705, 9449)
    CLIENT = "client"  # a sound token of nobody that the settings know
    API_KEY = "api-key"
    CERTIFICATE = "certificate"
    PROOF = "proof"  # a certificate named by somebody who is not the ingress
    HOOK = "hook"  # the secret of a notification
    OTHER_SOURCE = "other-source"
    SCOPE = "scope"
    ROLE = "role"
    THROTTLED = "throttled"


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller that is known.

    `name` is the source's, or what the token says the person is. `grants` are sets of scopes, each of which
    must cover what is asked for (the settings' and the token's). `municipality` is the one a municipality's
    system or controller belongs to; None: the region's.
    """

    kind: Kind
    name: str
    grants: tuple[frozenset[str], ...] = ()
    roles: frozenset[Role] = frozenset()
    municipality: str | None = None


#: Whoever comes in where the doors are open: the sandbox alone.
ANYBODY = Caller(Kind.ANYBODY, "anybody")


class NotShownError(UnauthorizedError):
    """The caller does not show who it is; it is told that, and not why."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(Problem("login", "show who you are: a bearer token, an API key or a certificate"))
        self.reason = reason


class NotAllowedError(ForbiddenError):
    """A known caller may not do this; `scope` is what it would need."""

    def __init__(self, reason: Reason, scope: str | None = None) -> None:
        super().__init__(Problem("forbidden", "you are known, and may not do this"))
        self.reason, self.scope = reason, scope
