"""`losus settle --month …`, `--due` and `--explain`: settlement from the store.

Owns the options that hold there, what is printed and the exit codes: 1 where a month is refused, 2 where
the command was used wrongly. Does not own settling (`adapter.settling.run`) nor the story of a stay
(`adapter.settling.words`).
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer

from adapter.agreements.load import Book
from adapter.agreements.terms import CareForm
from adapter.commands.checked import checked_settings
from adapter.commands.output import err, out
from adapter.errors import Problem, SetupError
from adapter.fhir import decimals
from adapter.fhir.adjustment import adjustment_json
from adapter.fhir.followup import follow_up_bundle
from adapter.fhir.model import FhirVersion
from adapter.fhir.reason_words import in_words
from adapter.losus.days import Month, local_day
from adapter.losus.stay import WHOSE
from adapter.process import begin_process
from adapter.settlement.claim import documents_json
from adapter.settlement.render import dumps, statement_json
from adapter.settling.explaining import known_from_store
from adapter.settling.monthly import month_of_store
from adapter.settling.owing import Told
from adapter.settling.run import Asked, Settled, Unknown, settle_due, settle_month
from adapter.settling.step_words import Language
from adapter.settling.words import story
from adapter.store.confirmed import confirm_empty
from adapter.store.database import PATIENT_S, connect
from adapter.store.migrate import migrate
from adapter.tracing import work
from adapter.wiring import ledger_of


@dataclass(frozen=True, slots=True)
class StoreOptions:
    """What was asked of the store on the command line."""

    month: str | None
    municipalities: tuple[str, ...]
    agreement: str | None
    issue: bool
    early: str | None
    due: bool
    explain: str | None
    language: Language
    follow_up: bool = False
    confirm_empty: str | None = None
    because: str | None = None
    no_data: str | None = None
    corrections: bool = False
    out: Path | None = None


def settle_store(options: StoreOptions, book: Book) -> Settled:
    """Settle what is asked from the store of the settings (LOSUS_…); tells of people's part and refusals."""
    done = asyncio.run(_settle(options, book))
    for one in done.by_hand:
        words = "settled by what is known" if one.parked else "to be settled by people"
        hint = "" if one.parked or one.reason not in WHOSE else " (`losus cases municipality` enters it)"
        err.print(f"losus: {words}: case {one.case_id}: {one.reason}{hint}")
    for municipality, month, fault in done.refused:
        for problem in fault.problems:
            err.print(f"losus: {municipality} {month}: {problem.rule}; nothing was issued of it")
    _print_unknown(done.unknown)
    return done


def _print_unknown(unknown: Sequence[Unknown]) -> None:
    """List what waits for people, a line for each care form and month, with what they may do."""
    by_month: dict[tuple[Month, str], list[Unknown]] = {}
    for one in unknown:
        by_month.setdefault((one.month, one.care_form), []).append(one)
    for (month, form), waiting in sorted(by_month.items()):
        silent = sorted({source for one in waiting for source in one.silent})
        why = f"no message from {', '.join(silent)}" if silent else "no message of this care form"
        towns = ", ".join(one.municipality for one in waiting)
        err.print(f"losus: {month} {form}: no data ({why}); not issued to {towns}")
    if unknown:
        err.print(_WHAT_TO_DO)


_WHAT_TO_DO = (
    "losus: where nothing happened: losus settle --confirm-empty CARE_FORM --month YYYY-MM --because WORDS; "
    "where nothing will come: --issue --no-data WORDS"
)


def confirm_store(options: StoreOptions) -> bool:
    """Store that nothing happened in a care form in a month; False where it was confirmed before."""
    if options.confirm_empty not in tuple(CareForm):
        raise typer.BadParameter("is somatic or psychiatric", param_hint="--confirm-empty")
    if options.month is None or not options.because or options.issue or options.municipalities:
        raise typer.BadParameter("goes with --month and --because alone", param_hint="--confirm-empty")
    return asyncio.run(_confirm(options, CareForm(options.confirm_empty), _month(options.month)))


async def _confirm(options: StoreOptions, care_form: CareForm, month: Month) -> bool:
    settings, now = checked_settings(), datetime.now(UTC)
    if local_day(now) < month.end:
        raise typer.BadParameter(f"{month} is not over", param_hint="--month")
    await migrate(settings.database.get_secret_value())
    database = await connect(settings.database.get_secret_value(), size=1, deadline_s=PATIENT_S)
    try:
        async with database.transaction() as connection:
            return await confirm_empty(connection, care_form.value, month, options.because or "", now)
    finally:
        await database.close()


def explain_store(options: StoreOptions, book: Book) -> tuple[str, ...]:
    """Tell the story of a case of the store; NoStayError where there is none."""
    return asyncio.run(_explain(options, book))


def check(options: StoreOptions) -> None:
    """Refuse options that do not go together."""
    if options.due == (options.month is not None):
        raise typer.BadParameter("give --stays FILE, --month YYYY-MM or --due", param_hint="--month")
    if options.due and (options.issue or options.early or options.municipalities or options.agreement):
        raise typer.BadParameter("issues all that is due, and takes no other option", param_hint="--due")
    if options.early and not options.issue:
        raise typer.BadParameter("goes with --issue", param_hint="--early")
    if options.no_data and not options.issue:
        raise typer.BadParameter("goes with --issue", param_hint="--no-data")
    if options.because:
        raise typer.BadParameter("goes with --confirm-empty", param_hint="--because")


async def _settle(options: StoreOptions, book: Book) -> Settled:
    settings, now = checked_settings(), datetime.now(UTC)
    begin_process("settle", settings)
    if options.due and settings.settle_from is None:
        raise SetupError(Problem("required", "the first month that --due issues", "LOSUS_SETTLE_FROM"))
    await migrate(settings.database.get_secret_value())
    database = await connect(settings.database.get_secret_value(), size=2, deadline_s=PATIENT_S)
    try:
        with work("settle", None) as settling:
            ledger = ledger_of(settings, book, settling.trace)
            if options.due and settings.settle_from is not None:
                return await settle_due(database, ledger, Month.parse(settings.settle_from), now)
            asked = Asked(
                (_month(options.month),),
                options.municipalities,
                options.agreement,
                issue=options.issue,
                early=options.early,
                no_data=options.no_data,
            )
            return await settle_month(database, ledger, asked, now)
    finally:
        await database.close()


def follow_up_store(options: StoreOptions, book: Book, version: FhirVersion) -> list[bytes]:
    """Give the monthly follow-up of each municipality asked for, as a FHIR Bundle."""
    if options.month is None or not options.municipalities or options.issue or options.early:
        raise typer.BadParameter("goes with --month and --municipality alone", param_hint="--follow-up")
    return asyncio.run(_follow_up(options, book, version))


async def _follow_up(options: StoreOptions, book: Book, version: FhirVersion) -> list[bytes]:
    settings, month, now = checked_settings(), _month(options.month), datetime.now(UTC)
    ledger = replace(ledger_of(settings, book), version=version)
    await migrate(settings.database.get_secret_value())
    database = await connect(settings.database.get_secret_value(), size=1, deadline_s=PATIENT_S)
    try:
        async with database.transaction() as connection:
            told = await month_of_store(connection, ledger, options.municipalities, month, now)
            return [decimals.dumps(follow_up_bundle(one, ledger.edition(now))) for one in told]
    finally:
        await database.close()


async def _explain(options: StoreOptions, book: Book) -> tuple[str, ...]:
    settings = checked_settings()
    await migrate(settings.database.get_secret_value())
    database = await connect(settings.database.get_secret_value(), size=1, deadline_s=PATIENT_S)
    try:
        async with database.transaction() as connection:
            ledger = ledger_of(settings, book)
            known = await known_from_store(connection, ledger, options.explain or "", datetime.now(UTC))
        return story(known, options.language)
    finally:
        await database.close()


def _month(text: str | None) -> Month:
    try:
        return Month.parse(text or "")
    except ValueError as fault:
        raise typer.BadParameter(str(fault), param_hint="--month") from None


def book_folder(folder: Path | None) -> Path:
    """The folder of agreements: the one named, or that of the settings."""
    return folder or checked_settings().agreements


def told_json(one: Told) -> bytes:
    """Give a statement of the store as one line of JSON: what a file gives, and how it was issued."""
    issued = one.statement
    made: dict[str, Any] = {
        **statement_json(issued.statement),
        "id": issued.id,
        "issued": one.issued,
        "issued_at": issued.issued_at.isoformat() if one.issued else None,
        "new": one.fresh,
        "to_invoice": None if issued.statement.no_rate else issued.due,
        "adjustments": [adjustment_json(each) for each in issued.adjustments],
        "documents": documents_json(issued),
        "held": list(one.held),
    }
    return dumps(made) + b"\n"


def print_corrections(told: Sequence[Told]) -> None:
    """Print below the table what corrects earlier months, what is held off, and what was issued."""
    for one in told:
        issued = one.statement
        name = f"{issued.statement.municipality} {issued.statement.care_form} {issued.statement.month}"
        for each in issued.adjustments:
            amount = f"{each.amount:,f}".replace(",", " ")
            out.print(
                f"{name}: {each.kind} {amount} SEK, {each.payable_days} days, of {each.post.month}, "
                f"stay {each.post.stay or '(mean)'}, corrects {each.corrects}"
            )
            for reason in each.reasons:
                cited = "; ".join(f"{clause.term}: {clause}" for clause in reason.clauses)
                out.print(
                    f"  {reason.kind}: {in_words(reason, 'en')}{f' [{cited}]' if cited else ''}", markup=False
                )
        for stay in one.held:
            out.print(f"{name}: held off, disputed: stay {stay}")
        if issued.statement.no_rate:
            out.print(f"{name}: no-rate, not issued until there is one")
            continue
        state = (
            "issued now" if one.fresh else f"issued {issued.issued_at:%Y-%m-%d}" if one.issued else "draft"
        )
        out.print(f"{name}: {state}, to invoice {issued.due:f} SEK")
