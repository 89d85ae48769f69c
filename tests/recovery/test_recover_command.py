"""What `losus recover` tells an operator: what is lost, who has to send again, and what follows."""

from datetime import UTC, datetime

from adapter.commands.recover import _lines
from adapter.recovery.issued import IssuedAgain
from adapter.recovery.run import MendedCase, Recovered
from adapter.store.putting_back import Missing

NOON = datetime(2026, 3, 2, 11, tzinfo=UTC)  # noon in Sweden
LONG = range(21)


def test_nothing_lost_is_two_lines() -> None:
    assert list(_lines(Recovered(read=12), [], run=True)) == [
        "12 events on Kafka, 0 of them were still to be published",
        "nothing on Kafka is unknown here",
    ]


def test_all_that_somebody_has_to_do_is_named() -> None:
    done = Recovered(
        read=40,
        taken_out=2,
        lost_from=NOON,
        known_until={"ostersund-ehr": NOON},
        cases=[
            MendedCase("known", "2380", known=True, put_back=3, superseded=0, owed=0),
            MendedCase("nobody", None, known=True, put_back=1, superseded=0, owed=0),
            *(
                MendedCase(f"{n:02}", "2309", known=False, put_back=1, superseded=0, owed=0)
                for n in range(21)
            ),
        ],
        issued=[
            IssuedAgain("a-statement", "statement", "2380", "2026-02", "blocked"),
            IssuedAgain("a-count", "follow-up", "2380", "2026-02", "kept"),
        ],
        missing=[Missing("2309", 7, NOON)],
    )
    assert list(_lines(done, ["before"], run=False)) == [
        "40 events on Kafka, 2 of them were still to be published: a dry run, --run does it",
        "events from 2026-03-02 12:00:00 on are lost here; have sent again",
        "  ostersund-ehr: everything after 2026-03-02 12:00:00",
        "2 cases of which subscribers know more than is known here: it stands until --heal",
        "  known  2380",
        "  nobody  nobody has it: told anew",
        "22 cases that subscribers have are not known here: have all of them sent",
        *(f"  {n:02}  2309" for n in range(20)),
        "  … and 2 more (--format json)",
        "1 issued: not issued again: send again what was lost, then losus settle keeps what is the same",
        "  a-statement  statement 2380 2026-02",
        "1 issued: kept again as it was published",
        "  a-count  follow-up 2380 2026-02",
        "2309: 7 events were published and are not on Kafka:",
        "  losus republish 2309 --since 2026-03-02T11:00:00 --run",
    ]
