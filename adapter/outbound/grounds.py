"""Why a municipality is told, by which clause, and how much of the case: what the record of deliveries says.

Owns the words. Pure. Sources: LUS (2017:612) 2-5 kap.; PDL (2008:355) 3:11; what a clause is taken for where
the law names no message of its own (a death, a withdrawal) is our reading: it corrects what was told by it.
"""

from types import MappingProxyType

from adapter.losus.deadlines import DeadlineStatus
from adapter.losus.picture import CasePicture
from adapter.losus.terms import State

#: Of which kind a delivery is, by what it holds.
STATEMENT, LAST_WORD, TOMBSTONE, PROTECTED = "statement", "last-word", "tombstone", "protected"
FOLLOW_UP, RATE = "follow-up", "rate"

#: By the state that is told.
CLAUSES = MappingProxyType(
    {
        State.ADMITTED: "LUS 2:1-2:3",  # inskrivningsmeddelande
        State.NOTIFIED: "LUS 2:1-2:3",
        State.PLANNING: "LUS 2:4, 2:6",  # the expected discharge, and the planning that begins
        State.READY: "LUS 3:1",  # underrättelse om utskrivningsklar
        State.HOME_READY: "LUS 4:4-4:5",  # hemgångsklar is a step of the agreement
        State.DISCHARGED: "LUS 3:2",
        State.DECEASED: "LUS 2:4",
        State.INTERRUPTED: "LUS 2:4",
        State.VOIDED: "LUS 2:4",
    }
)
SETTLEMENT = "LUS 5:1"
JOINT_ANALYSIS = "LUS 4:4-4:5"  # the monthly control is a step of the agreement
RATE_NOTICE = "LUS 5:6"  # the amount of the coming year
NOT_YOURS = "LUS 5:2"  # another municipality is the liable one
NOT_YOUR_PATIENT = "LUS 2:1 2 st."  # another unit of open care has the person now
OVER = "kafka.cases_days"  # nothing is told: the topic is no archive


def form_of(sent: CasePicture) -> str:
    """How much of the case is told: `protected`, `statutory` (LUS 2:2 alone), `full`, or the `last-word`."""
    if sent.moved:
        return LAST_WORD
    return PROTECTED if sent.protected else sent.payload


def ground_of(whole: CasePicture, *, is_deadline: bool = False) -> str:
    """By which clause it is told: that of the state, or of the limits that are missed."""
    if whole.moved:
        return NOT_YOURS
    if is_deadline:
        missed = [one.clause for one in whole.deadlines if one.status is DeadlineStatus.MISSED]
        return ", ".join(dict.fromkeys(missed))
    return CLAUSES[whole.state] if whole.state is not None else CLAUSES[State.ADMITTED]
