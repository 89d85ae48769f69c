"""Which version of a resource is newer, which two are the same, and which two contradict each other.

The order follows what the versions say of themselves (`meta.versionId`, `meta.lastUpdated`, the Bundle's
`timestamp`), never the arrival and never a hash. Owns the rule for facts and for stored resources alike; does
not own reading `meta` (`adapter.mapping.version`).
Source: FHIR R4, resource#meta, http#versions; contract 2 («never by arrival»).
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeVar

from adapter.losus.terms import SignalKind

T = TypeVar("T")

#: Which of two versions with the same newest time stands, where a version bears a time alone: the more final.
#: Clocks of EHRs show seconds, and an admission and its discharge may be written within one.
_FINALITY: dict[SignalKind, str] = {
    SignalKind.ADMITTED: "1",
    SignalKind.LEAVE_STARTED: "2",
    SignalKind.LEAVE_ENDED: "3",
    SignalKind.READY: "4",
    SignalKind.READY_WITHDRAWN: "5",
    SignalKind.INTERRUPTED: "6",
    SignalKind.TRANSFERRED_OUT: "7",
    SignalKind.DISCHARGED: "7",
    SignalKind.DECEASED: "8",
    SignalKind.VOIDED: "9",
}
_VOID = "9"


class VersionOrder(NamedTuple):
    """How one version of a resource ranks.

    `rank`: the numeric `versionId`, -1 where there is none. `at`: `meta.lastUpdated`, or what stands in for
    it (the Bundle's timestamp, or the time of receipt where a server would stamp), UTC text. `sent`: the
    Bundle's timestamp, or that time of receipt. `finality`: see `finality`; only of versions without a
    number. `digest`: hash of the content; "" where it is not known (rows of releases before 0.2).
    """

    rank: int
    at: str = ""
    sent: str = ""
    finality: str = ""
    digest: str = ""


def finality(kinds: Iterable[SignalKind], *, void: bool) -> str:
    """Tell how final a version is, by the most final thing that it says; "" for nothing of a stay."""
    if void:
        return _VOID
    return max((_FINALITY.get(kind, "") for kind in kinds), default="")


def in_order(items: Iterable[T], key: Callable[[T], VersionOrder]) -> Sequence[T]:
    """Sort versions of one resource, the oldest first; the same for any order of `items`.

    Numbered versions stand by number, then by time. One without a number is placed among them by its time:
    behind the last numbered version that is not younger.
    """
    ordered = sorted(items, key=key)
    if not ordered or (key(ordered[0]).rank < 0) == (key(ordered[-1]).rank < 0):
        return ordered
    numbered = [item for item in ordered if key(item).rank >= 0]
    youngest: list[str] = []  # of the numbered versions up to each place
    for item in numbered:
        youngest.append(max(key(item).at, youngest[-1]) if youngest else key(item).at)
    placed = [(2 * place + 1, item) for place, item in enumerate(numbered)]
    placed += [
        (2 * bisect_right(youngest, key(item).at), item) for item in ordered if key(item).rank < 0
    ]  # stable: those of one place stay in the order of their times
    return [item for _, item in sorted(placed, key=lambda pair: pair[0])]


def newest(items: Iterable[T], key: Callable[[T], VersionOrder]) -> T:
    """Give the newest version; ValueError where there is none."""
    ordered = in_order(items, key)
    if not ordered:
        raise ValueError("no versions")
    return ordered[-1]


def is_newer(one: VersionOrder, other: VersionOrder) -> bool:
    """Whether `one` is a newer version than `other`; the same version is not."""
    return not is_same(one, other) and newest((one, other), lambda order: order) is one


def is_same(one: VersionOrder, other: VersionOrder) -> bool:
    """Whether both are one version: the same number and time, and the same content as far as it is known.

    One of them may have lost its number: a create is numbered by the server that it comes to.
    """
    return (_claims_the_same(one, other) or _has_lost_its_number(one, other)) and says_the_same(
        one.digest, other.digest
    )


def _has_lost_its_number(one: VersionOrder, other: VersionOrder) -> bool:
    """Whether both are of one `lastUpdated`, and one of them bears no number."""
    is_said = all(order.at and order.at != order.sent for order in (one, other))
    return is_said and one.rank != other.rank and min(one.rank, other.rank) < 0 and one.at == other.at


def contradicts(one: VersionOrder, other: VersionOrder) -> bool:
    """Whether both claim to be one version and say different things: the sender's fault.

    Versions that bear a time alone may share it where one of them is more final.
    """
    if not _claims_the_same(one, other) or says_the_same(one.digest, other.digest):
        return False
    told_apart = one.sent != other.sent and one.sent and other.sent
    return not told_apart and (one.rank >= 0 or one.finality == other.finality)


def _claims_the_same(one: VersionOrder, other: VersionOrder) -> bool:
    return one.rank == other.rank and one.at == other.at


def says_the_same(one: str, other: str) -> bool:
    """Whether two digests are of the same content; of an unknown one ("") nothing else can be said.

    A digest is the hash of what a resource says, and a hash for each of its references in order. A reference
    that one channel writes as a path and another by an identifier is taken for the same.
    """
    if not one or not other or one == other:
        return True
    (content, *own), (content_too, *others) = one.split(" "), other.split(" ")
    if content != content_too or len(own) != len(others):
        return False
    return all(a == b or a[0] != b[0] for a, b in zip(own, others, strict=True))


def repeats(known: Iterable[VersionOrder], new: VersionOrder) -> VersionOrder | None:
    """Give the known version that `new` only repeats; None where it is one of its own.

    It is the same version, or, where `new` bears no version and no time of its own, the newest that is known
    has the same content: what is sent again is no new version. References in another style may mean another
    there, which is a version of its own.
    """
    versions = in_order(known, lambda order: order)
    for order in reversed(versions):
        if is_same(order, new):
            return order
    is_stamped = new.rank < 0 and new.at == new.sent
    before = [order for order in versions if order.at <= new.at] if is_stamped else []
    return before[-1] if before and new.digest and before[-1].digest == new.digest else None
