"""When Kafka knows of claims that the database never gave: a table, and no false alarm after a crash."""

import pytest

from adapter.outbound.behind import Behind, PublishedClaim, behind
from adapter.store.recovery import KnownClaim

SLOT = "share-3"

CASES = [
    # told Kafka (number, id), known here (number, id), older?, because
    ((7, "g"), (7, "g"), False, "the ordinary end: the last claim was published, and stands here"),
    ((6, "f"), (7, "g"), False, "a crash before Kafka, or an attempt that was taken back"),
    (None, (7, "g"), False, "the topic was made anew, or no relay of this version has published yet"),
    (None, None, False, "nothing was ever published"),
    ((8, "h"), (7, "g"), True, "the claim was given by a database that knew more"),
    ((7, "x"), (7, "g"), True, "restored, and gone on by itself: the same number is on another claim"),
    ((1, "a"), None, True, "an empty database on a broker that another one has published to"),
    ((6, "x"), (7, "g"), False, "an older claim of which nothing is kept here says nothing"),
]


@pytest.mark.parametrize(("told", "known", "is_older", "because"), CASES)
def test_a_number_that_was_never_given_here(
    told: tuple[int, str] | None, known: tuple[int, str] | None, is_older: bool, because: str
) -> None:
    published = {SLOT: PublishedClaim(SLOT, 3, *told, 0)} if told else {}
    here = {SLOT: KnownClaim(known[1], known[0], 0)} if known else {}
    number = known[0] if known else 0
    expected = (Behind(SLOT, told[0], number),) if told and is_older else ()
    assert behind(published, here) == expected, because


def test_a_slot_is_held_against_itself_alone() -> None:
    published = {name: PublishedClaim(name, 0, 5, name, 0) for name in ("share-0", "2380", "2309")}
    here = {"share-0": KnownClaim("share-0", 5, 0), "2380": KnownClaim("another", 9, 0)}
    assert behind(published, here) == (Behind("2309", 5, 0),), "a lane in quarantine counts for itself"
