"""`traceparent` as W3C Trace Context writes it: read strictly; a malformed one counts as none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.trace import Trace, at, here, new_trace, read_traceparent

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{SPAN}-01"

READ = [
    # header, what is read of it, because
    (GOOD, (TRACE, SPAN, True), "the example of the Recommendation"),
    (f"00-{TRACE}-{SPAN}-00", (TRACE, SPAN, False), "not sampled"),
    (f"00-{TRACE}-{SPAN}-03", (TRACE, SPAN, True), "3.2.2.5: other flags are passed over"),
    (f"00-{TRACE}-{SPAN}-02", (TRACE, SPAN, False), "the sampled flag is bit 0"),
    (f"cc-{TRACE}-{SPAN}-01", (TRACE, SPAN, True), "3.2.4: of a later version what is known is read"),
    (f"cc-{TRACE}-{SPAN}-01-what-will-be", (TRACE, SPAN, True), "3.2.4: it may say more after a dash"),
    (f"cc-{TRACE}-{SPAN}-01.what", None, "3.2.4: … and after nothing else"),
    (f"00-{TRACE}-{SPAN}-01-", None, "3.2.2: version 00 ends with its flags"),
    (f"00-{TRACE}-{SPAN}-01-more", None, "the same"),
    (f"ff-{TRACE}-{SPAN}-01", None, "3.2.2.1: version ff is forbidden"),
    (f"00-{'0' * 32}-{SPAN}-01", None, "3.2.2.3: all zeros is no trace"),
    (f"00-{TRACE}-{'0' * 16}-01", None, "3.2.2.4: all zeros is no span"),
    (GOOD.upper(), None, "3.2.2.3: lower case"),
    (f"0-{TRACE}-{SPAN}-01", None, "a version has two digits"),
    (f"00-{TRACE[:-1]}-{SPAN}-01", None, "a trace has 32"),
    (f"00-{TRACE}a-{SPAN}-01", None, "and no more"),
    (f"00-{TRACE}-{SPAN[:-1]}-01", None, "a span has 16"),
    (f"00-{TRACE}-{SPAN}-1", None, "flags have two"),
    (f"00-{TRACE}-{SPAN}-0x", None, "hexadecimal ones"),
    (f"00_{TRACE}_{SPAN}_01", None, "dashes are between"),
    (f" {GOOD}", None, "nothing stands before"),
    (f"{GOOD}\n", None, "nor after, a line feed neither"),
    (f"00-{'٣' * 32}-{SPAN}-01", None, "digits of ASCII"),
    ("", None, "nothing"),
    (None, None, "no header"),
    ("19121212-1212", None, "anything else"),
]


@pytest.mark.parametrize(("header", "read", "because"), READ)
def test_a_header_is_read_strictly(
    header: str | None, read: tuple[str, str, bool] | None, because: str
) -> None:
    found = read_traceparent(header)
    assert (found and (found.trace_id, found.span_id, found.sampled)) == read, because


@given(st.text(alphabet="0123456789abcdefF-. \n", max_size=70) | st.text(max_size=70))
def test_whatever_is_read_is_written_as_version_00(header: str) -> None:
    found = read_traceparent(header)
    if found is not None:
        assert read_traceparent(found.traceparent) == found
        assert found.trace_id in header
        assert found.span_id in header


@given(st.builds(Trace, st.just(TRACE), st.just(SPAN), st.booleans()))
def test_a_child_stays_in_its_trace(parent: Trace) -> None:
    child = parent.child()
    assert (child.trace_id, child.sampled) == (parent.trace_id, parent.sampled)
    assert child.span_id != parent.span_id


def test_a_trace_of_ones_own_can_be_read_by_others() -> None:
    made = [new_trace() for _ in range(100)]
    assert [read_traceparent(one.traceparent) for one in made] == made
    assert len({one.trace_id for one in made}) == 100
    assert not any(one.sampled for one in made), "nobody records what begins here without a collector"


def test_work_belongs_to_one_trace_and_then_to_that_before() -> None:
    outer, inner = new_trace(), new_trace()
    seen = [here()]
    with at(outer):
        seen.append(here())
        with at(inner):
            seen.append(here())
        seen.append(here())
    assert [*seen, here()] == [None, outer, inner, outer, None]
