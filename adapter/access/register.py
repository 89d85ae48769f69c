"""The credentials of all sources, by what is shown: each of them proves one source alone.

Owns the tables, and the fault of two sources that share a credential. Pure.
"""

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from adapter.access.api_keys import KeyHash, read_hash
from adapter.access.certificates import plain_hash
from adapter.credentials import Issuer
from adapter.errors import Problem, SetupError
from adapter.settings import Settings

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

_HEX = set("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class Register:
    """Sources by an issuer's client and by certificate (SHA-256 or subject); hashes by the key's name."""

    clients: Mapping[tuple[Issuer, str], str]
    certificates: Mapping[str, str]
    keys: Mapping[str, KeyHash]


def register(settings: Settings) -> Register:
    """The tables; SetupError with every credential that cannot be, or that two sources share."""
    problems: list[Problem] = []
    made = Register(
        _unique(_clients(settings), "tokens", problems),
        _unique(_certificates(settings), "certificates", problems),
        _unique(_keys(settings, problems), "keys", problems),
    )
    if problems:
        raise SetupError(*problems)
    return made


def _clients(settings: Settings) -> Iterator[tuple[tuple[Issuer, str], str]]:
    for name, source in settings.sources.items():
        shown = source.credentials
        if shown.tokens is not None and shown.client is not None:
            yield (shown.tokens, shown.client), name


def _certificates(settings: Settings) -> Iterator[tuple[str, str]]:
    for name, source in settings.sources.items():
        for told in source.credentials.certificates:
            hashed = plain_hash(told)
            yield (hashed if len(hashed) == 64 and set(hashed) <= _HEX else told), name


def _keys(settings: Settings, problems: list[Problem]) -> Iterator[tuple[str, KeyHash]]:
    for name, source in settings.sources.items():
        for text in source.credentials.keys:
            try:
                read = read_hash(name, text)
            except SetupError as error:
                problems.extend(error.problems)
                continue
            yield read.salt, read


def _unique(pairs: Iterator[tuple[K, V]], what: str, problems: list[Problem]) -> Mapping[K, V]:
    found: dict[K, V] = {}
    for key, value in pairs:
        if key in found:
            rule = "a credential stands twice: a source may write only as itself"
            problems.append(Problem("security", rule, f"LOSUS_SOURCES: credentials.{what}"))
        found[key] = value
    return found
