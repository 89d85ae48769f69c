"""What is kept of a statement is all of it, and all that is ever posted comes to what is owed."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.fhir.sheet import statement_id
from adapter.losus.days import Month
from adapter.settlement.difference import Issued, issue, positions, posted_on
from adapter.settlement.holding import Dispute, hold
from adapter.settlement.settle import settle
from adapter.settlement.stay import Stay
from adapter.settling.owing import _as_it_was
from adapter.store.statements import pack, unpack
from tests.examples import examples
from tests.fhir import summary_cases as cases
from tests.settlement.making import JH, LUS, one_price, rules, span, stay

SPAN = span("2019-01", "2019-06")
NOW = datetime(2019, 8, 1, tzinfo=UTC)
SETTLED = settings(max_examples=examples(60), deadline=None)


@pytest.mark.parametrize("name", cases.STATEMENTS)
def test_a_statement_of_every_kind_is_kept_whole(name: str) -> None:
    told = cases.STATEMENTS[name]()
    issued = told if isinstance(told, Issued) else Issued("x", NOW, told, ())
    assert unpack(pack(issued)) == issued
    assert pack(unpack(pack(issued))) == pack(issued)


@st.composite
def hospital(draw: st.DrawFn) -> list[Stay]:
    """Up to six stays; another draw of the same stay is a later correction of it."""
    made = []
    for number in range(6):
        month = draw(st.sampled_from(SPAN))
        days = draw(st.integers(0, 12))
        if draw(st.booleans()):
            made.append(stay(f"{month}-05 10:00", f"{month}-{5 + days:02d} 15:00", f"stay-{number}"))
    return made


@st.composite
def questions(draw: st.DrawFn) -> list[Dispute]:
    return [
        Dispute(f"d{number}", "2380", f"stay-{number}", draw(st.sampled_from(SPAN)), upheld)
        for number in range(6)
        if (upheld := draw(st.sampled_from((None, True, False, "none")))) != "none"
    ]


@pytest.mark.parametrize("agreement", [LUS, JH])
@SETTLED
@given(st.data())
def test_issued_and_adjusted_come_to_what_is_owed(agreement: str, data: st.DataObject) -> None:
    """Every month other facts and other disputes, kept and read back; the last run settles the difference."""
    history: list[Issued] = []
    payers = {("2380", "somatic")}
    owed = ()
    for month in SPAN:
        told = settle(data.draw(hospital()), rules(agreement), one_price(), SPAN, also=payers)
        owed, _ = hold(told, data.draw(questions()))
        fresh = issue(owed, history, month, statement_id, NOW)
        history = [unpack(pack(one)) for one in (*history, *fresh)]
    posted = {post: position for post, position in posted_on(history).items() if position.amount}
    assert posted == {post: at for post, at in positions(owed).items() if at.amount}
    assert sum((one.due for one in history), Decimal()) == sum((one.due for one in owed), Decimal())
    assert issue(owed, history, SPAN[-1], statement_id, NOW) == (), "the same facts again: no new row"


MAY = Month(2019, 5)
LINES = (
    stay("2019-05-13 10:00", "2019-05-20 15:00", "a"),
    stay("2019-05-13 10:00", "2019-05-18 15:00", "b"),
)
HELD = [
    # disputes, stays that are owed, stays held off, because
    ([], ["a", "b"], [], "nobody asks"),
    ([Dispute("1", "2380", "a", MAY, None)], ["b"], ["a"], "open: off the invoice until it is answered"),
    ([Dispute("1", "2380", "a", MAY, True)], ["b"], ["a"], "upheld: not owed"),
    ([Dispute("1", "2380", "a", MAY, False)], ["a", "b"], [], "answered otherwise: owed"),
    ([Dispute("1", "2380", "a", Month(2019, 4), None)], ["a", "b"], [], "of another month"),
    ([Dispute("1", "2321", "a", MAY, None)], ["a", "b"], [], "of another municipality: not its line to hold"),
    (
        [Dispute("1", "2380", "a", MAY, False), Dispute("2", "2380", "a", MAY, None)],
        ["b"],
        ["a"],
        "asked anew: the open question holds",
    ),
]


@pytest.mark.parametrize(("disputes", "owed", "held", "because"), HELD)
def test_lines_in_dispute(disputes: list[Dispute], owed: list[str], held: list[str], because: str) -> None:
    told = settle(LINES, rules(LUS), one_price(), (MAY,))
    kept, off = hold(told, disputes)
    assert [line.stay for line in kept[0].lines] == owed, because
    assert [name for name, _ in off] == held, because
    assert kept[0].mean == told[0].mean, "the stay stays in the mean"


def test_a_dispute_is_credited_while_open_and_debited_when_answered_otherwise() -> None:
    """LUS 5:6 asks for payment of what is owed; what is in question is not invoiced meanwhile."""
    spring = span("2019-05", "2019-08")
    told = settle(LINES, rules(LUS), one_price(), spring, also={("2380", "somatic")})
    history: list[Issued] = []
    for month, upheld in zip(spring, ("none", None, False, False), strict=True):
        disputes = [] if upheld == "none" else [Dispute("1", "2380", "a", MAY, upheld)]
        owed, _ = hold(told, disputes)
        history += issue(owed, history, month, statement_id, NOW)
    lines = [[(a.kind, a.post.stay, f"{a.amount:f}") for a in one.adjustments] for one in history]
    assert lines == [[], [("credit", "a", "-28400")], [("debit", "a", "28400")], []]


def test_suspended_then_and_active_now() -> None:
    """What was shown and not invoiced is not invoiced afterwards, by whatever the file comes to say."""
    told = settle(LINES, rules(LUS), one_price(), (MAY,))
    before = [Issued("x", NOW, replace(told[0], suspended=True), ())]
    assert [one.suspended for one in _as_it_was(told, before)] == [True]
    assert [one.suspended for one in _as_it_was(told, [])] == [False]


VG = "vastra-gotaland-2018"
WHOLE = (VG, "somatic")
EXCESS = [
    # dispute, what is owed (None: the excess of the mean), what is held off, because
    (Dispute("1", "2380", None, MAY, None, WHOLE), ["long"], ["excess-over-mean"], "the whole line"),
    (Dispute("1", "2380", None, MAY, False, WHOLE, withdrawn=True), ["long", None], [], "taken back"),
    (Dispute("1", "2380", None, MAY, None, (VG, "psychiatric")), ["long", None], [], "another care form's"),
    (Dispute("1", "2380", None, MAY, None, (LUS, "somatic")), ["long", None], [], "another agreement's"),
    (Dispute("1", "2380", "long", MAY, None), [None], ["long"], "a long stay has a line of its own"),
    (Dispute("1", "2380", "a", MAY, None), ["long", None], [], "a stay in the mean has none"),
]


@pytest.mark.parametrize(("dispute", "owed", "held", "because"), EXCESS)
def test_the_line_of_an_excess_in_dispute(
    dispute: Dispute, owed: list[str | None], held: list[str], because: str
) -> None:
    stays = (*LINES, stay("2019-05-06 10:00", "2019-05-20 15:00", "long"))
    told = settle(stays, rules(VG), one_price(), (MAY,))
    kept, off = hold(told, [dispute])
    assert [line.stay for line in kept[0].lines] == owed, because
    assert off == tuple((name, (VG, "2380", "somatic", MAY, "14")) for name in held), because
