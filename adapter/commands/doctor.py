"""`losus doctor`: a deployment looked at from inside, and what to mend.

Owns options, output and exit codes: 1 where a check fails. Does not own a check (`adapter.doctor`).
"""

import asyncio
from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from adapter.commands.output import Format, out, print_json
from adapter.doctor.deployment import Deployment
from adapter.doctor.examine import examine
from adapter.doctor.findings import Finding, Verdict
from adapter.logs import configure_log
from adapter.losus.days import local_day
from adapter.settings import load_settings

_COLOURS = {Verdict.OK: "green", Verdict.WARN: "yellow", Verdict.FAIL: "red", Verdict.SKIPPED: "dim"}


def doctor_command(
    format_: Annotated[Format, typer.Option("--format")] = Format.TABLE,
    limit_s: Annotated[float, typer.Option("--limit", help="Seconds that a check may take.")] = 20.0,
    quiet: Annotated[bool, typer.Option("--quiet", help="Tell only what is not in order.")] = False,
) -> None:
    """Look at everything that this deployment leans on, change nothing, and say what to mend.

    With the settings of the process that it is run beside (`kubectl exec`), or as a job. Each check is by
    itself and has a limit of time. Exit code 1 where one fails; a warning is none.
    """
    configure_log("doctor")
    findings = asyncio.run(examine(Deployment(load_settings(), _now, local_day(_now())), limit_s=limit_s))
    told = [one for one in findings if not quiet or one.verdict is not Verdict.OK]
    if format_ is Format.JSON:
        for one in told:
            print_json(asdict(one))
    else:
        tell(told, Counter(one.verdict for one in findings))
    if any(one.verdict is Verdict.FAIL for one in findings):
        raise typer.Exit(1)


def tell(findings: list[Finding], counts: Counter[Verdict]) -> None:
    """Print findings for people, area by area, and how many there are of each verdict."""
    area = ""
    for one in findings:
        if one.area != area:
            area = one.area
            out.print(f"\n[bold]{area}[/]")
        out.print(f"  [{_COLOURS[one.verdict]}]{one.verdict.value:<7}[/] ", end="")
        out.print(f"{one.check}{f' {one.what}' if one.what else ''}: {one.found}", markup=False)
        if one.mend:
            out.print(f"          mend: {one.mend}", markup=False)
    out.print("\n" + ", ".join(f"{counts[verdict]} {verdict.value}" for verdict in Verdict))


def _now() -> datetime:
    return datetime.now(UTC)
