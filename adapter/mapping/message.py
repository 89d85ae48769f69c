"""What goes into a mapping and what comes out: a message around a resource; a reading; a trace.

Owns the shapes only; `engine` carries a mapping out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from adapter.losus.signal import Fact

Resource = dict[str, Any]
Resolver = Callable[[str], Resource | None]


@dataclass(frozen=True, slots=True)
class Message:
    """What surrounds a resource: the Bundle it came in, its resolver, and when it was sent.

    `sent` is the Bundle's own timestamp (UTC text, "" where it has none): the message's word, not
    the time of arrival. `now` is for expressions that ask for it.
    """

    bundle: Resource | None
    resolve: Resolver
    sent: str
    now: str


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the trace: what a rule made of a resource at `path`.

    `at` is the signal's time (UTC text) and `found_at` the FHIRPath that found it. `why_not` tells
    what part of `when` does not hold; it quotes the rule, never the message.
    """

    path: str
    rule: str
    matched: bool
    signal: str
    at: str | None = None
    why_not: str | None = None
    found_at: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What one resource of a message says.

    `key` ties it to a case. It is None for a resource that belongs to the cases of those that are
    about it (a Patient), and for one that says nothing and names no case. `about` are the identities
    of shared resources that this one is about.
    """

    path: str
    type: str
    key: str | None
    fact: Fact
    about: tuple[str, ...] = ()
