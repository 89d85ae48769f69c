"""What Bilaga 9 asks for besides money, from the facts of a case to the counts of its month."""

# ruff: noqa: E501 - a row of a table stands on one line where it can be read so

import pytest

from adapter.losus.days import Month
from adapter.losus.deadlines import DeadlineName as Name
from adapter.settlement.following import Followed, Share, follow_up
from adapter.settling.folded import folded_of, read, write
from tests.losus.tables.limits import BO, EVA, GONE
from tests.losus.tables.states import ADMITTED, NOTICED, READY
from tests.losus.telling import at, tell

SECRET = b"a secret of the tests alone"
PERSON = "Patient/1@1 patient 01 08:00 municipality=2380"

COUNTED = [
    # facts, limit, kept and judged in March 2026, because
    (NOTICED, Name.NOTICE_PLANNED_DATE, (0, 1), "LUS 2:2: a notice without a planned date"),
    (f"{ADMITTED}\nTask/n@1 admission-notice-sent 02 10:00 expected=2026-03-07", Name.NOTICE_PLANNED_DATE, (1, 1), "LUS 2:2"),
    (NOTICED, Name.NOTICE_RECEIPT, (0, 1), "Bilaga 9: received 08–17"),
    (f"{NOTICED}\nTask/n@1 admission-notice-acknowledged 02 17:00", Name.NOTICE_RECEIPT, (1, 1), "Bilaga 9"),
    (f"{READY}\nTask/c@1 sip-called 05 10:00", Name.SIP_OFFERED_BEFORE_CALL, (0, 1), "Bilaga 9: first offered"),
    (f"{READY}\nTask/o@1 sip-offered 04 10:00\nTask/c@1 sip-called 05 10:00", Name.SIP_OFFERED_BEFORE_CALL, (1, 1), "Bilaga 9"),
    (READY, Name.SIP_OFFERED_BEFORE_CALL, (0, 0), "nobody was called: there is no day to count it on"),
    (f"{READY} compulsory=true\n{GONE}", Name.COORDINATED_PLAN, (0, 1), "LPT 7 a §"),
    (f"{READY} compulsory=true\n{GONE}\nCarePlan/o@1 coordinated-plan-made 05 14:00", Name.COORDINATED_PLAN, (1, 1), "LPT 7 a §"),
    (f"{READY}\n{GONE}", Name.COORDINATED_PLAN, (0, 0), "voluntary care"),
    (f"{NOTICED}\n{GONE}\nTask/k@1 care-contact-appointed 03 09:00 {EVA}\nTask/l@1 care-contact-appointed 03 10:00 {BO}", Name.COORDINATOR, (0, 1), "Bilaga 9"),
    (f"{NOTICED}\n{GONE}\nTask/k@1 care-contact-appointed 03 09:00 {EVA}", Name.COORDINATOR, (0, 0), "one contact"),
    (f"{NOTICED}\n{GONE}\nTask/k@1 care-contact-appointed 03 09:00 coordinator=true {EVA}", Name.CARE_CONTACT, (0, 1), "a coordinator alone is none"),
    (f"{ADMITTED}\nEncounter/2@1 discharged 05 17:00", Name.DISCHARGE_HOURS_ACTUAL, (1, 1), "Bilaga 9: 07–17"),
    (f"{ADMITTED}\nEncounter/2@1 discharged 05 17:00:01", Name.DISCHARGE_HOURS_ACTUAL, (0, 1), "Bilaga 9"),
]  # fmt: skip


@pytest.mark.parametrize(("facts", "name", "share", "because"), COUNTED)
def test_counted_in_the_month_in_which_it_was_due(
    facts: str, name: Name, share: tuple[int, int], because: str
) -> None:
    folded = read(write(folded_of(tell(f"{PERSON}\n{facts}"), SECRET)))
    assert folded.municipality is not None
    assert folded.admitted_at is not None
    followed = Followed(
        folded.case_id,
        folded.municipality,
        folded.person,
        folded.admitted_at,
        folded.ended_at,
        folded.home,
        None,
        folded.limits,
    )
    counts = follow_up([followed], "2380", Month(2026, 3), at("2026-04-01 06:00"))
    assert counts.limits[name] == Share(*share), because
