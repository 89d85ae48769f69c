"""Statements that an earlier release issued are read: terms that it did not know have the statute's value."""

from datetime import UTC, datetime

import orjson

from adapter.settlement.difference import Issued
from adapter.store.statements import pack, unpack
from tests.settlement.making import LUS, month_of, stay

#: What issue 12 added to the terms of an agreement, and to a statement.
NEW_TERMS = ("admission_notice_from", "planned_date_in_notice", "sip_offered_first", "coordinated_plan_first",
             "coordinator", "interruption_reasons", "first_payable_from")  # fmt: skip
NEW_FIELDS = ("no_rate", "draft")


def test_what_was_issued_before_is_read():
    made = month_of([stay("2019-05-01 10:00", "2019-05-08 10:00")], LUS, "2019-05")
    issued = Issued("a", datetime(2019, 6, 1, tzinfo=UTC), made, ())
    packed = orjson.loads(pack(issued))
    for terms in packed["terms"]:
        for name in NEW_TERMS:
            terms.pop(name)
    for name in NEW_FIELDS:
        packed["issued"]["statement"].pop(name)
    assert unpack(orjson.dumps(packed)).due == made.due == 4 * 7800
    assert unpack(pack(issued)) == issued
