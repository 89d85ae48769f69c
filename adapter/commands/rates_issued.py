"""An amount that issued statements rest on is changed only where that is asked for.

Owns the refusal, and that no statement is issued between the look at those there are and the writing of the
file. Does not own the file (`rates`) nor what was issued (`store.statements`).
"""

from collections.abc import Callable

from adapter.agreements.rates_file import NewAmount
from adapter.commands.checked import checked_settings
from adapter.errors import LosusError, Problem
from adapter.store.database import PATIENT_S, connect
from adapter.store.migrate import migrate
from adapter.store.statements import AmountUse, amounts_used, settle_alone


class IssuedRateError(LosusError):
    """An amount that issued statements rest on is not changed by the way."""

    status = 409


async def write_unless_issued(new: NewAmount, write: Callable[[], None], *, may_change: bool) -> None:
    """Write the file of rates, unless issued statements rest on another amount; IssuedRateError.

    `may_change`: write it nevertheless; the next statements correct the issued ones.
    """
    dsn = checked_settings().database.get_secret_value()
    await migrate(dsn)
    database = await connect(dsn, size=1, deadline_s=PATIENT_S)
    try:
        async with database.transaction() as connection:
            await settle_alone(connection)
            used = await amounts_used(connection, new.series, new.year)
            refuse_issued([] if may_change else used, new)
            write()
    finally:
        await database.close()


def refuse_issued(used: list[AmountUse], new: NewAmount) -> None:
    """Refuse where an issued statement rests on another amount of the same series, year and care form."""
    form = new.care_form
    other = [
        use
        for use in used
        if use.amount != new.amount and (form is None or use.care_form in (form, "pooled"))
    ]
    if other:
        amounts = ", ".join(sorted({f"{use.amount:f}" for use in other}))
        rule = f"{len(other)} issued statements rest on {amounts} SEK of {new.year}"
        raise IssuedRateError(
            Problem("conflict", f"{rule}: --change-issued changes it, and the next statements correct them")
        )
