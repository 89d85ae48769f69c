"""`losus settle --month … --format peppol`: the issued invoices and credit notes as Peppol BIS Billing 3.

Owns where the documents go and the exit code: 1 where one lacks something, each fault with its setting. Does
not own what a document is (`adapter.peppol`).
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from adapter.commands.output import err, out
from adapter.peppol.parties import IncompleteError
from adapter.peppol.statement import Written
from adapter.settling.documents import documents_of_issued
from adapter.settling.issuing import Ledger
from adapter.settling.owing import Told


def write_documents(told: Sequence[Told], ledger: Ledger, folder: Path | None) -> None:
    """Write each document to `NUMBER.xml` in the folder, or the only one to standard output.

    Drafts have no documents and are named; a document that lacks something is named, and the others are
    written.
    """
    written: list[Written] = []
    is_whole = True
    for one in told:
        statement = one.statement.statement
        name = f"{statement.municipality} {statement.care_form} {statement.month}"
        if not one.issued:
            err.print(f"losus: {name}: a draft has no number; --issue issues it")
            is_whole = False
            continue
        try:
            written += documents_of_issued(ledger, one.statement)
        except IncompleteError as fault:
            is_whole = False
            for problem in fault.problems:
                err.print(f"losus: {name}: {problem.rule} ({problem.expression})")
    _write(written, folder)
    if not is_whole:
        raise typer.Exit(1)


def _write(written: Sequence[Written], folder: Path | None) -> None:
    if folder is None:
        if len(written) > 1:
            rule = f"{len(written)} documents: name a folder for them"
            raise typer.BadParameter(rule, param_hint="--out")
        for one in written:
            sys.stdout.buffer.write(one.xml)
        sys.stdout.buffer.flush()
        return
    folder.mkdir(parents=True, exist_ok=True)
    for one in written:
        path = folder / f"{one.number}.xml"
        path.write_bytes(one.xml)
        out.print(str(path), markup=False)
