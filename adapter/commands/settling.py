"""The command `losus settle` with all its options: on a file of stays, on the store, or one stay explained.

Owns which of the three is meant (`settle` for a file, `settle_more` for the rest).
"""

from pathlib import Path
from typing import Annotated

import typer

from adapter.commands.settle import (
    FolderOption,
    FromOption,
    RatesOption,
    SettleFormat,
    SkipOption,
    ToOption,
    open_book,
    settle_command,
)
from adapter.fhir.model import FhirVersion
from adapter.settling.step_words import Language


def settle_any_command(  # noqa: PLR0913, PLR0917 - one parameter an option
    stays: Annotated[
        Path | None,
        typer.Option("--stays", help="Stays, one JSON object a line, or CSV; default: the store."),
    ] = None,
    agreement: Annotated[
        str | None, typer.Option("--agreement", help="Id or file; default: what is in force for each stay.")
    ] = None,
    from_: FromOption = None,
    to: ToOption = None,
    format_: Annotated[SettleFormat, typer.Option("--format")] = SettleFormat.TABLE,
    skip_bad: SkipOption = False,
    rates: RatesOption = None,
    agreements: FolderOption = None,
    fhir_version: Annotated[
        FhirVersion, typer.Option("--fhir-version", help="With --format fhir.")
    ] = FhirVersion.R4,
    month: Annotated[str | None, typer.Option("--month", help="On the store: the month, 2024-03.")] = None,
    municipality: Annotated[
        list[str] | None, typer.Option("--municipality", help="On the store: kommunkod; may be given again.")
    ] = None,
    issue: Annotated[
        bool, typer.Option("--issue", help="On the store: issue what is not issued yet.")
    ] = False,
    early: Annotated[
        str | None, typer.Option("--early", help="Issue before the correction day; say why.")
    ] = None,
    due: Annotated[
        bool, typer.Option("--due", help="Issue every month whose correction day is over (for a scheduler).")
    ] = False,
    confirm_empty: Annotated[
        str | None,
        typer.Option(
            "--confirm-empty",
            help="On the store: somatic or psychiatric; nothing happened in --month, although nothing came.",
        ),
    ] = None,
    because: Annotated[
        str | None, typer.Option("--because", help="With --confirm-empty: how that is known.")
    ] = None,
    no_data: Annotated[
        str | None,
        typer.Option(
            "--no-data",
            help="With --issue: issue months of which nothing is known as such; say why nothing will come.",
        ),
    ] = None,
    corrections: Annotated[
        bool, typer.Option("--corrections", help="With --format csv: the lines that correct earlier months.")
    ] = False,
    explain: Annotated[str | None, typer.Option("--explain", help="Tell the story of this stay.")] = None,
    follow_up: Annotated[
        bool,
        typer.Option("--follow-up", help="On the store: the monthly follow-up, as a FHIR MeasureReport."),
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--out", help="With --format peppol: the folder for the documents.")
    ] = None,
    lang: Annotated[str, typer.Option("--lang", help="With --explain: sv or en.")] = "sv",
) -> None:
    """Settle stays: a statement for each municipality, care form and month."""
    of_store = (
        month,
        municipality,
        issue,
        early,
        due,
        follow_up,
        confirm_empty,
        because,
        no_data,
        corrections,
    )
    if stays is not None and any(of_store):
        raise typer.BadParameter("settles a file: --month, --issue and --due are of the store")
    if stays is None and (from_ or to or skip_bad):
        raise typer.BadParameter("--from, --to and --skip-bad go with --stays FILE", param_hint="--stays")
    if stays is not None and explain is None:
        _language(lang)
        settle_command(stays, agreement, from_, to, format_, skip_bad, rates, agreements, fhir_version)
        return
    # Here, for who settles a file is not to wait for what a database needs.
    from adapter.commands.settle_more import StoreOptions, explain_file, settle_more  # noqa: PLC0415

    options = StoreOptions(
        month,
        tuple(municipality or ()),
        agreement,
        issue,
        early,
        due,
        explain,
        _language(lang),
        follow_up,
        confirm_empty=confirm_empty,
        because=because,
        no_data=no_data,
        corrections=corrections,
        out=out,
    )
    if stays is not None:
        explain_file(stays, options, open_book(agreements, rates), format_, skip_bad=skip_bad)
    else:
        settle_more(options, agreements, rates, format_, fhir_version)


def _language(text: str) -> Language:
    if text == "sv":
        return "sv"
    if text == "en":
        return "en"
    raise typer.BadParameter("is sv or en", param_hint="--lang")
