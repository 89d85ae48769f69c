"""What each may see: the table of roles, and the filter of a municipality's reader."""

import pytest

from adapter.access.caller import ANYBODY, Caller, Kind, NotAllowedError, Role
from adapter.access.reach import NOWHERE, Shelf, decide, demand, reach, write
from adapter.access.scopes import HOSPITAL, MUNICIPALITY

CASE, BILL = "system/Encounter.rs", "system/Invoice.rs"


def staff(*roles: Role, municipality: str | None = None) -> Caller:
    return Caller(Kind.STAFF, "person", roles=frozenset(roles), municipality=municipality)


OPERATOR, CONTROLLER = staff(Role.REGION_OPERATOR), staff(Role.CONTROLLER)
AUDITOR = staff(Role.AUDITOR)
THEIRS = staff(Role.MUNICIPALITY_CONTROLLER, municipality="2380")
BOTH = staff(Role.MUNICIPALITY_CONTROLLER, Role.CONTROLLER, municipality="2380")
RESIDENT = staff(Role.CONTROLLER, municipality="2380")
HOSPITAL_SYSTEM = Caller(Kind.SOURCE, "hospital", (HOSPITAL,))
GREEDY = Caller(Kind.SOURCE, "hospital", (frozenset({"system/*.cruds"}),))
SYSTEM = Caller(Kind.SOURCE, "ostersund", (MUNICIPALITY,), municipality="2380")
NARROW = Caller(Kind.SOURCE, "ostersund", (MUNICIPALITY, frozenset({"system/*.cu"})), municipality="2380")
BILLS = Caller(Kind.SOURCE, "ostersund", (frozenset({BILL}),), municipality="2380")

NOTHING = "nothing"
REACH = [
    # caller, cases, settlements, decides on disputes, because
    (OPERATOR, None, NOTHING, False, "runs the service, and sees cases; no bills"),
    (CONTROLLER, NOTHING, None, True, "PDL 4:1: needs no person's case to settle"),
    (AUDITOR, None, None, False, "reads all, changes nothing"),
    (THEIRS, "2380", "2380", False, "its own alone; it is party to its disputes"),
    (BOTH, "2380", None, True, "each role reaches as far as it does"),
    (RESIDENT, NOTHING, None, True, "a municipality without the role for it opens nothing"),
    (HOSPITAL_SYSTEM, NOTHING, NOTHING, False, "sends, and sees nothing of others"),
    (GREEDY, NOTHING, NOTHING, False, "no scope makes a hospital's system a reader"),
    (SYSTEM, "2380", "2380", False, "a municipality's system, its own alone"),
    (NARROW, NOTHING, NOTHING, False, "its token grants no reading"),
    (BILLS, NOTHING, "2380", False, "the settings let it read its bills alone"),
    (ANYBODY, None, None, True, "the sandbox"),
]


@pytest.mark.parametrize(("caller", "cases", "bills", "decides", "because"), REACH)
def test_how_far_each_sees(
    caller: Caller, cases: str | None, bills: str | None, decides: bool, because: str
) -> None:
    for shelf, scope, expected in ((Shelf.CASES, CASE, cases), (Shelf.SETTLEMENTS, BILL, bills)):
        if expected == NOTHING:
            with pytest.raises(NotAllowedError):
                reach(caller, shelf, scope)
        else:
            assert reach(caller, shelf, scope).only == expected, because
    if decides:
        assert decide(caller).only is None, because
    else:
        with pytest.raises(NotAllowedError):
            decide(caller)


NO_WRITING = Caller(Kind.SOURCE, "ostersund", (frozenset({"system/*.rs"}),), municipality="2380")
WRITERS = [
    # caller, in which municipality's joint follow-ups it writes (None: all), because
    (CONTROLLER, None, "for the region"),
    (BOTH, None, "each role reaches as far as it does"),
    (THEIRS, "2380", "for its own municipality"),
    (SYSTEM, "2380", "a municipality's system, its own alone"),
    (ANYBODY, None, "the sandbox"),
    (AUDITOR, NOTHING, "reads all, changes nothing"),
    (OPERATOR, NOTHING, "sees cases; no settlement"),
    (HOSPITAL_SYSTEM, NOTHING, "is no party"),
    (GREEDY, NOTHING, "no scope makes a hospital a party"),
    (NARROW, NOTHING, "its token grants no writing"),
    (NO_WRITING, NOTHING, "the settings let it read alone"),
]


@pytest.mark.parametrize(("caller", "only", "because"), WRITERS)
def test_who_writes_in_joint_follow_ups(caller: Caller, only: str | None, because: str) -> None:
    if only == NOTHING:
        with pytest.raises(NotAllowedError):
            write(caller)
    else:
        assert write(caller).only == only, because


FILTER = [
    # asked for, filter of the region's reader, filter of Östersund's, because
    (None, None, "2380", "all: of a municipality its own"),
    ("2380", "2380", "2380", "its own"),
    ("2309", "2309", NOWHERE, "another's: as if it were not there"),
    ("", "", NOWHERE, "no kommunkod"),
]


@pytest.mark.parametrize(("asked", "region", "municipality", "because"), FILTER)
def test_the_filter(asked: str | None, region: str | None, municipality: str, because: str) -> None:
    whole, own = reach(AUDITOR, Shelf.CASES, CASE), reach(SYSTEM, Shelf.CASES, CASE)
    assert (whole.municipality(asked), own.municipality(asked)) == (region, municipality), because
    if asked is not None:
        assert (whole.within(asked), own.within(asked)) == (region, municipality), because


def test_no_person_sends() -> None:
    for caller in (OPERATOR, CONTROLLER, AUDITOR, THEIRS):
        with pytest.raises(NotAllowedError):
            demand(caller, "operation/process-message")
    demand(HOSPITAL_SYSTEM, "operation/process-message")
    demand(ANYBODY, "operation/process-message")
    with pytest.raises(NotAllowedError) as caught:
        demand(NARROW, "operation/dispute")
    assert caught.value.scope == "operation/dispute"
