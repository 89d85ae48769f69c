"""Preconditions of a write or a read: the tags of `If-Match` and `If-None-Match`, held against a version.

Owns reading the tags and whether they hold; does not own which version is known (`adapter.standing`).
`If-Match` compares weak tags too, unlike RFC 9110, 13.1.1: FHIR's tags are all weak, and name versions
exactly (R4 http#concurrency, `If-Match: W/"23"`). A version that is sent without quotes is taken as its tag.
Source: RFC 9110, 8.8.3 (ETag), 13.1.1 (If-Match), 13.1.2 (If-None-Match), 13.2.2 (order); R4
http#concurrency, Bundle.entry.request.ifMatch, ifNoneMatch.
"""

import re
from dataclasses import dataclass

from adapter.errors import MalformedError, Problem

_TAG = re.compile(r'(?:W/)?"([\x21\x23-\x7e\x80-\xff]*)"|((?:W/)?[A-Za-z0-9.-]{1,64})')
_BETWEEN = re.compile(r"[ \t]*(?:,[ \t]*)+|[ \t]*\Z")


@dataclass(frozen=True, slots=True)
class Tags:
    """What one header lists: `versions`, or any version at all (`*`)."""

    versions: frozenset[str] = frozenset()
    any: bool = False

    def match(self, version: str | None) -> bool:
        """Whether they name `version`; None is where nothing is known, which nothing names."""
        return version is not None and (self.any or version in self.versions)


@dataclass(frozen=True, slots=True)
class Expected:
    """What a write demands of the version that is known; `at` is the FHIRPath of each demand."""

    match: Tags | None = None
    none_match: Tags | None = None
    match_at: str | None = None
    none_match_at: str | None = None

    def fault(self, version: str | None) -> Problem | None:
        """Why it is not to be done where `version` is known (None: nothing is); None where it may be."""
        if self.match is not None and not self.match.match(version):
            if version is None:
                rule = "If-Match: the resource does not exist"
            else:
                rule = "If-Match does not match the newest version"
            return Problem("conflict", rule, self.match_at)
        return self.repeated(version)

    def allows_repeat(self, versions: list[str]) -> bool:
        """Whether an update that was done already is done; `versions` are all that are known, oldest first.

        `If-Match` may name the version before it (13.1.1: the change has been applied already).
        """
        if self.repeated(versions[-1] if versions else None) is not None:
            return False
        return self.match is None or any(self.match.match(version) for version in versions)

    def repeated(self, version: str | None) -> Problem | None:
        """The fault of `If-None-Match` alone: it refuses a repeat too, which `If-Match` need not."""
        if self.none_match is not None and self.none_match.match(version):
            return Problem("conflict", "If-None-Match: the version exists already", self.none_match_at)
        return None


def expected(
    match: str | None, none_match: str | None, match_at: str | None, none_match_at: str | None
) -> Expected | None:
    """The demands of the two headers or elements, None where neither is there; MalformedError as `tags`."""
    if match is None and none_match is None:
        return None
    return Expected(
        None if match is None else tags(match, match_at),
        None if none_match is None else tags(none_match, none_match_at),
        match_at,
        none_match_at,
    )


def tags(text: str, at: str | None = None) -> Tags:
    """The tags that a header lists; MalformedError where it is neither `*` nor a list of tags."""
    if text.strip() == "*":
        return Tags(any=True)
    text = text.strip(" \t,")
    versions: set[str] = set()
    position = 0
    while position < len(text):
        tag = _TAG.match(text, position)
        between = _BETWEEN.match(text, tag.end()) if tag else None
        if tag is None or between is None:
            break
        versions.add(tag[1] if tag[1] is not None else tag[2].removeprefix("W/"))
        position = between.end()
    if not versions or position < len(text):
        raise MalformedError(Problem("value", 'must be * or a list of entity tags, such as W/"1"', at))
    return Tags(frozenset(versions))
