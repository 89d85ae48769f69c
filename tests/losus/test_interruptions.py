"""What an interruption of the process does, by its reason: a table of the agreement's process part."""

# ruff: noqa: E501 - a row of a table stands on one line where it can be read so

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.losus.process import INTERRUPTION_REASONS, STATUTE
from adapter.losus.stay import gaps, sources_of, stay_of
from adapter.losus.terms import InterruptionEffect
from tests.losus.tables.people import PERSON
from tests.losus.tables.states import HOME_READY
from tests.losus.telling import at, tell

BASE = f"{PERSON}\n{HOME_READY}"
END = "Encounter/2@1 discharged 16 14:00"
UNKNOWN = ("ready: interrupted for a reason that has no row in `interruption_reasons` of the agreement",)

#: What is told, the times of the episodes (sent, ended), gaps, because (settlement 5, `interruption`).
ROWS = [
    ("Task/x@1 interrupted 05 09:00 reason=deteriorated", [("04 09:00", "05 09:00")], (), "closed care again"),
    ("Task/x@1 interrupted 05 09:00 reason=no-longer-needed", [("04 09:00", None)], (), "the days stay counted"),
    ("Task/x@1 interrupted 05 09:00 reason=other", [("04 09:00", None)], (), "nothing is said of closed care"),
    ("Task/x@1 interrupted 05 09:00 reason=worse", [("04 09:00", None)], UNKNOWN, "no row: for people"),
    ("Task/x@1 interrupted 05 09:00", [("04 09:00", None)], UNKNOWN, "no reason: for people"),
    ("Task/x@1 interrupted 03 09:00 reason=worse", [("04 09:00", None)], (), "before the notice it moves nothing"),
    ("Task/x@1 interrupted 03 09:00 reason=deteriorated", [("04 09:00", None)], (), "the notice came later"),
    ("Task/x@1 interrupted 17 09:00 reason=deteriorated", [("04 09:00", None)], (), "after the end it takes nothing back"),
    ("Task/x@1 interrupted 17 09:00 reason=worse", [("04 09:00", None)], (), "after the end it moves nothing"),
    ("Task/x@1 interrupted 16 14:00 reason=deteriorated", [("04 09:00", None)], (), "the end of that instant stands"),
    ("Task/x@1 interrupted 16 13:59 reason=deteriorated", [("04 09:00", "16 13:59")], (), "a minute before the end"),
    ("Task/x@1 interrupted 05 09:00 reason=deteriorated\nTask/r@2 ready* 07 09:00",
        [("04 09:00", "05 09:00"), ("07 09:00", None)], (), "a later notice begins anew"),
    ("Task/x@1 interrupted 05 09:00 reason=worse\nTask/r@2 ready-withdrawn* 06 09:00\nTask/r@3 ready* 07 09:00",
        [("04 09:00", "06 09:00"), ("07 09:00", None)], (), "the doubt went with its episode"),
    ("Task/x@1 interrupted 05 09:00 reason=worse\nTask/r@2 ready* 07 09:00",
        [("04 09:00", None)], UNKNOWN, "a notice repeated does not say whether the first one stood"),
    ("Task/x@1 interrupted 05 09:00 reason=deteriorated\nTask/x@2 nothing", [("04 09:00", None)], (), "taken back"),
    ("Task/x@1 interrupted 05 09:00 reason=worse\nTask/x@2 interrupted 05 09:00 reason=deteriorated",
        [("04 09:00", "05 09:00")], (), "corrected to a reason that is known"),
]  # fmt: skip


@pytest.mark.parametrize(("more", "episodes", "lacks", "because"), ROWS)
def test_what_a_reason_does(more, episodes, lacks, because):
    case = tell(f"{BASE}\n{END}\n{more}")
    found = [(one.sent_at, one.withdrawn_at) for one in case.standing.episodes]
    assert found == [(at(sent), None if ended is None else at(ended)) for sent, ended in episodes], because
    assert gaps(case) == lacks, because
    assert (stay_of(case) is None) is bool(lacks), because


def test_the_table_of_an_agreement_decides():
    reasons = {
        **INTERRUPTION_REASONS,
        "worse": InterruptionEffect.ENDS_READY,
        "other": InterruptionEffect.NOTHING,
    }
    terms = replace(STATUTE, interruption_reasons=reasons)
    ended = tell(f"{BASE}\nTask/x@1 interrupted 05 09:00 reason=worse", terms)
    assert ended.standing.episodes[0].withdrawn_at == at("05 09:00")
    noted = tell(f"{BASE}\nTask/x@1 interrupted 05 09:00 reason=other", terms)
    assert (noted.state, noted.standing.reason) == ("home-ready", "other")
    resting = f"{BASE}\nTask/x@1 interrupted 05 09:00 reason=no-longer-needed\nTask/y@1 interrupted 06 09:00 reason=other"
    assert tell(resting, terms).state == "interrupted", "nothing takes the process up again"


def test_the_end_of_an_episode_has_its_source():
    case = tell(f"{BASE}\n{END}\nTask/x@1 interrupted 05 09:00 reason=deteriorated")
    assert "h Task/x 1" in sources_of(case)["ready"]
    assert (
        "h Task/x 1"
        not in sources_of(tell(f"{BASE}\n{END}\nTask/x@1 interrupted 05 09:00 reason=other"))["ready"]
    )


def test_known_to_the_month_only():
    case = tell(f"{BASE}\n{END}\nTask/x@1 interrupted 05 09:00 reason=deteriorated precision=month")
    assert gaps(case) == ("ready: known to the month only",)
    assert gaps(tell(f"{BASE}\n{END}\nTask/x@1 interrupted 05 09:00 reason=other precision=month")) == ()


@given(st.integers(5, 15), st.integers(5, 15))
def test_deteriorated_is_a_withdrawal(interrupted, ready_again):
    """Settlement 5: whatever follows, the stay is that of a notice withdrawn at the same time."""
    again = f"Task/q@1 ready* {ready_again:02d} 10:00\n{END}"
    one = tell(f"{BASE}\nTask/x@1 interrupted {interrupted:02d} 09:00 reason=deteriorated\n{again}")
    other = tell(f"{BASE}\nTask/x@1 ready-withdrawn {interrupted:02d} 09:00\n{again}")
    assert stay_of(one) == stay_of(other)
