"""What goes into a mapping and what comes out: a message around a resource; a reading; a trace.

Owns the shapes only; `engine` carries a mapping out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from adapter.fhir.references import own_name
from adapter.losus.signal import Fact
from adapter.losus.versions import VersionOrder

Resource = dict[str, Any]
#: Finds what a reference means: a literal one (`Type/id`, a URL, `urn:uuid:…`), or one by identifier, written
#: as the search that it stands for (`Type?identifier=system|value`; without `Type` where none is said).
Resolver = Callable[[str], Resource | None]


@dataclass(frozen=True, slots=True)
class Message:
    """What surrounds a resource: the Bundle it came in, its resolver, and when it was sent.

    `sent` is the Bundle's own timestamp (UTC text, "" where it has none): the message's word, not
    the time of arrival. `now` is for expressions that ask for it. `received` stands in for the time of a
    version that has none, on channels where a server would stamp it; else "". `looks_up`: references by
    identifier are looked up; a municipality's system names cases by them instead. `own_name` gives the
    `Type/id` of what a literal reference names on the source's own server; None where it names nothing there.
    """

    bundle: Resource | None
    resolve: Resolver
    sent: str
    now: str
    received: str = ""
    looks_up: bool = True
    own_name: Callable[[str], str | None] = own_name


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a resource that did not come in this message: its identity, and its version."""

    name: str
    order: VersionOrder
    version: str


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the trace: what a rule made of a resource at `path`.

    `at` is the signal's time (UTC text) and `found_at` the FHIRPath that found it. `why_not` tells
    what part of `when` does not hold; `contradiction` what the rule expects and the resource says otherwise.
    Both quote the rule, never the message.
    """

    path: str
    rule: str
    matched: bool
    signal: str
    at: str | None = None
    why_not: str | None = None
    found_at: str | None = None
    contradiction: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What one resource of a message says.

    `key` ties it to a case. It is None for a resource that belongs to the cases of those that are
    about it (a Patient), and for one that says nothing and names no case. `about` are the identities
    of shared resources that this one is about, `contained` those of them that it contains.
    """

    path: str
    type: str
    key: str | None
    fact: Fact
    about: tuple[str, ...] = ()
    contained: tuple[tuple[str, Resource], ...] = ()
