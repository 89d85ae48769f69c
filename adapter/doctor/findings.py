"""What is found of a deployment: a verdict, what was seen, and what to mend.

Owns the words' shape. `found` and `mend` are a sentence each and hold no secret and no value of a message;
`mend` is empty where nothing is to be mended.
"""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How something is; `skipped`: it could not be looked at, since something before it fails."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Told:
    """What one look found; `what` names the thing where there are several (a source, a topic)."""

    verdict: Verdict
    found: str
    mend: str = ""
    what: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check of an area found."""

    area: str
    check: str
    what: str
    verdict: Verdict
    found: str
    mend: str


def ok(found: str, what: str = "") -> Told:
    """All is well."""
    return Told(Verdict.OK, found, what=what)


def warn(found: str, mend: str, what: str = "") -> Told:
    """It works, and should be mended."""
    return Told(Verdict.WARN, found, mend, what)


def fail(found: str, mend: str, what: str = "") -> Told:
    """It does not work, or is not safe."""
    return Told(Verdict.FAIL, found, mend, what)


def skipped(found: str, what: str = "") -> Told:
    """It was not looked at."""
    return Told(Verdict.SKIPPED, found, what=what)
