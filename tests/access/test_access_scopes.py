"""Scopes, and what is a municipality's to say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.access.scopes import HOSPITAL, MUNICIPAL, MUNICIPALITY, covers, may_say, scopes_of
from adapter.credentials import Credentials
from adapter.losus.terms import SignalKind
from adapter.settings import Source

SCOPES = [
    # granted, needed, allowed, because
    ("system/Encounter.cu", "system/Encounter.c", True, "create is among create and update"),
    ("system/Encounter.cu", "system/Encounter.u", True, "update is"),
    ("system/Encounter.cu", "system/Encounter.cu", True, "both are"),
    ("system/Encounter.cu", "system/Encounter.r", False, "read is not"),
    ("system/Encounter.c", "system/Encounter.cu", False, "update is not"),
    ("system/Encounter.cu", "system/Task.c", False, "another type"),
    ("system/*.cu", "system/Task.c", True, "any type"),
    ("system/Encounter.cu", "system/*.c", False, "one type is not all"),
    ("system/Encounter.", "system/Encounter.c", False, "no letters, no permission"),
    ("system/Encounter.uc", "system/Encounter.c", False, "SMART 2.2: the letters stand in the order cruds"),
    ("system/*.write", "system/Encounter.cu", True, "version 1: write is c, u and d"),
    ("system/*.write", "system/Encounter.r", False, "version 1: write is not read"),
    ("system/*.read", "system/Encounter.rs", True, "version 1: read is r and s"),
    ("system/*.*", "system/Encounter.cruds", True, "version 1: all"),
    ("system/Encounter.c?status=finished", "system/Encounter.c", False, "a condition that nobody would hold"),
    ("user/Encounter.c", "system/Encounter.c", False, "a person's scope is no system's"),
    ("system/encounter.c", "system/Encounter.c", False, "types are written as FHIR writes them"),
    ("operation/dispute", "operation/dispute", True, "the operation itself"),
    ("operation/dispute", "operation/process-message", False, "another operation"),
    ("system/*.cruds", "operation/process-message", False, "an operation is asked for by its name"),
    ("system/*.cruds", "system/%2A.c", False, "a path's own words are no type"),
]


@pytest.mark.parametrize(("granted", "needed", "allowed", "because"), SCOPES)
def test_what_a_scope_covers(granted: str, needed: str, allowed: bool, because: str) -> None:
    assert covers([granted], needed) is allowed, because


@given(
    st.lists(st.sampled_from([*sorted(MUNICIPALITY), "system/Task.r", "system/Encounter.cu"])),
    st.sampled_from(["system/Encounter.c", "system/Task.rs", "operation/dispute", "operation/other"]),
)
def test_more_scopes_never_allow_less(granted: list[str], needed: str) -> None:
    for end in range(len(granted)):
        assert covers(granted[:end], needed) <= covers(granted, needed)


def test_who_is_named_no_scopes_has_those_of_its_kind() -> None:
    assert scopes_of(Source(mapping="m")) == HOSPITAL
    assert scopes_of(Source(mapping="m", municipality="2380")) == MUNICIPALITY
    named = Source(mapping="m", credentials=Credentials(scopes=("system/Task.cu",)))
    assert scopes_of(named) == {"system/Task.cu"}
    none = Source(mapping="m", credentials=Credentials(scopes=()))
    assert scopes_of(none) == frozenset()


SAYS = {
    SignalKind.ADMISSION_NOTICE_ACKNOWLEDGED: "LUS 2:1: it received the notice",
    SignalKind.PLANNING_STARTED: "LUS 2:6: it plans",
    SignalKind.SIP_HELD: "LUS 4:1: it takes part",
}


@pytest.mark.parametrize("kind", SignalKind)
def test_a_municipality_says_its_own_steps_alone(kind: SignalKind) -> None:
    """Not who the patient is, nor where it belongs; not that it is ready, nor that anybody called to SIP."""
    municipality, hospital = Source(mapping="m", municipality="2380"), Source(mapping="m")
    assert (kind in may_say(municipality, [kind])) is (kind in SAYS), SAYS.get(kind, "not its to say")
    assert may_say(hospital, [kind]) == {kind}, "a hospital tells all"


def test_each_has_its_clause() -> None:
    assert set(MUNICIPAL) == set(SAYS)
    assert all(clause.startswith("LUS ") for clause in MUNICIPAL.values())


@given(st.sets(st.sampled_from(list(SignalKind))))
def test_nothing_is_said_that_was_not_told(kinds: set[SignalKind]) -> None:
    for source in (Source(mapping="m"), Source(mapping="m", municipality="2380")):
        assert may_say(source, kinds) <= kinds
