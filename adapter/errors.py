"""The tree of faults, each with its HTTP status, FHIR issue code and whether trying again can help.

    LosusError
    ├─ InputError            the sender must change something (permanent)
    │  ├─ MalformedError     no JSON, or not the shape that was asked for
    │  ├─ ResourceError      a resource breaks the FHIR model or a check of ours
    │  ├─ DuplicateError     a Bundle.id used again under another MessageHeader.id
    │  ├─ MappingError       the mapping has no answer for what the resource says
    │  │  └─ UnresolvedError a reference that decides the case or the person finds nothing yet
    │  ├─ TooLargeError      over a limit of size, depth or number
    │  ├─ UnknownSourceError no such source in the settings
    │  ├─ NotFoundError      no such thing, or none that the caller may see
    │  ├─ MethodError        a method that the address does not have
    │  ├─ UnsupportedError   a sound request for what the settings of the source do not offer
    │  ├─ FormatError        a media type that is not spoken (406 for answers: NotAcceptableError)
    │  ├─ ConflictError      a precondition (If-Match, If-None-Match) does not hold
    │  ├─ IdentityError      a body's id is that of another resource than its condition finds
    │  └─ VersionError       a version that is known already, with another content
    ├─ UnauthorizedError     the caller does not show who it is (permanent)
    ├─ ForbiddenError        the caller may not do this (permanent)
    ├─ ThrottledError        too many requests, or a source that was stopped (retryable)
    ├─ SetupError            a file or setting of ours is wrong (permanent)
    └─ UnavailableError      database or broker not there now (retryable)

Owns the classes and their table; does not own how they are shown (`adapter.fhir.outcome`).
No message of an error may hold a value of a FHIR message: where and which rule, never what.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault of a message: FHIR issue `code`, the `rule` in words, and the FHIRPath where it is.

    `expression` is None where the fault is of the whole. Neither holds a value of the message.
    """

    code: str
    rule: str
    expression: str | None = None


class LosusError(Exception):
    """Root of the tree; `problems` lists all that is wrong, at least one."""

    status = 500
    retryable = False

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(f"{p.expression or 'message'}: {p.rule}" for p in problems))
        self.problems = problems


class InputError(LosusError):
    """What was sent cannot be taken as it is; sending it again unchanged does not help."""

    status = 422


class MalformedError(InputError):
    """No JSON, or not the kind of thing that was asked for."""

    status = 400


class ResourceError(InputError):
    """A resource breaks the FHIR model, or a check of ours on it."""


class DuplicateError(InputError):
    """A Bundle.id that was used before under another MessageHeader.id."""

    status = 409


class MappingError(InputError):
    """The mapping has a rule for this, and the rule cannot be carried out."""


class UnresolvedError(MappingError):
    """A reference that decides whose stay this is, and which, finds nothing that is known yet."""


class TooLargeError(InputError):
    """Over a limit of size, depth or number."""

    status = 413


class UnknownSourceError(InputError):
    """No source of that name is in the settings."""

    status = 404


class NotFoundError(InputError):
    """No such thing, or none that the caller may see: the two are not told apart."""

    status = 404


class MethodError(InputError):
    """A method that the address does not have; the answer says in `Allow` which it has (RFC 9110, 15.5.6)."""

    status = 405


class UnsupportedError(InputError):
    """A sound request for what the settings of the source do not offer; 405 belongs to methods alone."""


class FormatError(InputError):
    """The body is of a media type or encoding that is not spoken."""

    status = 415


class NotAcceptableError(InputError):
    """An answer of none of the media types that are asked for can be given."""

    status = 406


class ConflictError(InputError):
    """`If-Match` or `If-None-Match` does not hold for what is known, or a condition finds more than one."""

    status = 412


class IdentityError(InputError):
    """A conditional update finds nothing, and the id in its body is that of a resource that is known."""

    status = 409


class VersionError(InputError):
    """A version of a resource that is known already, with another content."""

    status = 409


class UnauthorizedError(LosusError):
    """The caller does not show who it is."""

    status = 401


class ForbiddenError(LosusError):
    """The caller is known, and may not do this."""

    status = 403


class ThrottledError(LosusError):
    """Too many requests: come back after `retry_after_s` seconds."""

    status = 429
    retryable = True

    def __init__(self, *problems: Problem, retry_after_s: int = 60) -> None:
        super().__init__(*problems)
        self.retry_after_s = retry_after_s


class StoppedError(ThrottledError):
    """The source was stopped, since too much of what it sends cannot be used; an operator lets it go on."""

    status = 503


class SetupError(LosusError):
    """A file or setting of ours is wrong; `problems` names file, line and rule."""


class UnavailableError(LosusError):
    """The database or the broker is not there now; trying again helps."""

    status = 503
    retryable = True
