"""The `%names` that the expressions of one reading may use, each found when it is first asked for.

Owns when a name of `let` is evaluated (at most once for each view of a resource, and never in vain); does not
own what it means, nor which views there are (`reader`).
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

#: Names that every expression may use, beside those of `let`.
GIVEN = frozenset({"resource", "rootResource", "context", "bundle", "changed", "now", "part", "each"})


class Names(Mapping[str, object]):
    """A mapping from name to value; `later` finds the names that are not known yet.

    A value is a list, or the one object itself where only one was found, so that the compiler can
    see the type of a resource. To go through the names is to see those found so far.
    """

    __slots__ = ("_known", "_later")

    def __init__(self, known: dict[str, object], later: Mapping[str, Callable[[], list[Any]]]) -> None:
        self._known, self._later = known, later

    def __getitem__(self, name: str) -> object:
        known = self._known
        if name not in known:
            found = self._later[name]()
            known[name] = found[0] if len(found) == 1 and isinstance(found[0], dict) else found
        return known[name]

    def get(self, name: str, default: object = None) -> object:
        """Give a name's value; `default` where there is no such name."""
        return self[name] if name in self else default  # noqa: SIM401 - this is `get` itself

    def know(self, name: str, value: object) -> None:
        """Add a value that was not known from the beginning."""
        self._known[name] = value

    def __contains__(self, name: object) -> bool:
        return name in self._known or name in self._later

    def __iter__(self) -> Iterator[str]:
        """Give the names found so far, so that going through them finds no more."""
        return iter(tuple(self._known))

    def __len__(self) -> int:
        return len(self._known)
