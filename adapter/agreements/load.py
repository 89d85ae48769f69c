"""Read the folder `agreements/`: the only I/O of this room.

Owns which files are read and that all their faults are reported at once, each with file, line and rule
(`SetupError`). Does not own what the files may hold (`agreement`, `rates`) nor whether they fit
together (`check`).
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, Field, ValidationError

from adapter.agreements.agreement import (
    Agreement,
    AgreementFile,
    MunicipalityCode,
    cited_values,
    line_of,
)
from adapter.agreements.federation import Federations, faults_of
from adapter.agreements.groups import Frozen
from adapter.agreements.invoicing import Invoicing, ShippedParties
from adapter.agreements.rates import SHIPPED_FILE, Rates, lay_over
from adapter.agreements.regions import COUNTY, Region, Regions
from adapter.agreements.rules import Rules, rules_of
from adapter.errors import Problem, SetupError
from adapter.marks import Marked, Place

RATES = SHIPPED_FILE
#: A region's own amounts, beside the shipped file where no setting names another place.
OWN_RATES = "rates.own.yaml"
MUNICIPALITIES = "municipalities.yaml"
FEDERATIONS = "federations.yaml"
REGIONS = "regions.yaml"
_NO_AGREEMENTS = (RATES, OWN_RATES, MUNICIPALITIES, REGIONS, FEDERATIONS)
M = TypeVar("M", bound=BaseModel)


class Municipalities(Frozen):
    """The file `municipalities.yaml`: name by kommunkod (SCB), all of Sweden's, and numbers for invoices."""

    municipalities: Mapping[MunicipalityCode, str]
    invoicing: ShippedParties | None = None


class RegionNames(Frozen):
    """The file `regions.yaml`: name by länskod (SCB), all of Sweden's."""

    regions: Mapping[Annotated[str, Field(pattern=COUNTY)], str]


@dataclass(frozen=True, slots=True)
class Book:
    """All that is agreed: rules by id, the rates, the names of municipalities, the regions, how one invoices.

    As read from the folder, `regions` has names alone; the settings add the rest (`treating.with_regions`).
    `invoicing` has the numbers that ship; a region's settings are laid over it (`Invoicing.over`).
    """

    rules: Mapping[str, Rules]
    files: tuple[AgreementFile, ...]
    rates: Rates
    municipalities: Mapping[str, str]
    regions: Regions = field(default_factory=Regions)
    invoicing: Invoicing = field(default_factory=Invoicing)
    federations: Federations = field(default_factory=Federations)

    def get(self, agreement_id: str) -> Rules:
        """Give the rules of an agreement; SetupError naming those that there are."""
        try:
            return self.rules[agreement_id]
        except KeyError:
            known = ", ".join(sorted(self.rules))
            raise SetupError(Problem("not-found", f"no such agreement; there are: {known}")) from None


def default_folder() -> Path:
    """Give the folder of this checkout, or the one inside an installed wheel."""
    here = Path(__file__).resolve()
    checkout = here.parents[2] / "agreements"
    return checkout if (checkout / RATES).is_file() else here.parents[1] / "data" / "agreements"


def own_rates_path(folder: Path | None = None, own: Path | None = None) -> Path:
    """Give the place of a region's own amounts: the one named, or beside the shipped file."""
    return own or (folder or default_folder()) / OWN_RATES


def load_book(folder: Path | None = None, own_rates: Path | None = None) -> Book:
    """Read a folder; SetupError with every fault of every file.

    `own_rates`: the region's own amounts, laid over the folder's; None: the folder's `rates.own.yaml`. A file
    that is not there yet lays nothing over them.
    """
    folder = folder or default_folder()
    problems: list[Problem] = []
    rates = _collect(problems, read_rates, folder / RATES)
    own_path = own_rates_path(folder, own_rates)
    if own_path.exists() and (own := _collect(problems, read_rates, own_path)) and rates:
        rates = lay_over(rates, own, own_path.name)
    names = _collect(problems, _read_municipalities, folder / MUNICIPALITIES)
    regions = _collect(problems, _read_regions, folder)
    federations = _collect(problems, partial(_read_federations, names=names), folder / FEDERATIONS)
    paths = sorted(path for path in folder.glob("*.yaml") if path.name not in _NO_AGREEMENTS)
    files = [file for path in paths if (file := _collect(problems, read_agreement, path))]
    problems += _double_ids(files)
    rules = [made for file in files if (made := _collect(problems, rules_of, file))]
    if rates:
        problems += [problem for file in files for problem in _unknown_series(file, rates)]
    if problems or rates is None or names is None or regions is None or federations is None:
        raise SetupError(*problems)
    shipped = names.invoicing.parties if names.invoicing else {}
    by_id = {made.id: replace(made, federations=federations) for made in rules}
    invoicing = Invoicing().over(shipped)
    known = Regions(None, regions)
    return Book(by_id, tuple(files), rates, names.municipalities, known, invoicing, federations)


def read_agreement(path: Path) -> AgreementFile:
    """Read one agreement file; SetupError with all its faults."""
    agreement, marked, digest = _read(path, Agreement)
    file = AgreementFile(agreement, path.name, marked.lines, digest)
    problems = list(_dangling(file))
    if problems:
        raise SetupError(*problems)
    return file


def read_rates(path: Path) -> Rates:
    """Read the file of rates; SetupError with all its faults."""
    rates, marked, _ = _read(path, Rates)
    problems = []
    for name, series in rates.series.items():
        for index, entry in enumerate(series.amounts):
            if entry.source and entry.source.document not in rates.documents:
                place: Place = ("series", name, "amounts", index, "source", "document")
                problems.append(_problem(path.name, line_of(marked.lines, place), "no such document", place))
    if problems:
        raise SetupError(*problems)
    return rates


def _read_municipalities(path: Path) -> Municipalities:
    return _read(path, Municipalities)[0]


def _read_federations(path: Path, names: Municipalities | None) -> Federations:
    """Read the federations; none where the folder has no such file."""
    if not path.is_file():
        return Federations()
    federations, marked, _ = _read(path, Federations)
    known = names.municipalities if names else None
    problems = [
        _problem(path.name, line_of(marked.lines, place), rule, place)
        for place, rule in faults_of(federations, known)
    ]
    if problems:
        raise SetupError(*problems)
    return federations


def _read_regions(folder: Path) -> Mapping[str, Region]:
    """Read the names of the regions: of the folder, or the shipped ones where it has no such file."""
    path = folder / REGIONS
    names = _read(path if path.is_file() else default_folder() / REGIONS, RegionNames)[0].regions
    return {county: Region(county, name) for county, name in names.items()}


def _collect(problems: list[Problem], read: Any, argument: Any) -> Any:  # noqa: ANN401 - any reader above
    try:
        return read(argument)
    except SetupError as fault:
        problems += fault.problems
        return None


def _read(path: Path, model: type[M]) -> tuple[M, Marked, str]:
    try:
        content = path.read_bytes()
        text = content.decode()
    except (OSError, UnicodeDecodeError) as fault:
        rule = "no UTF-8 text" if isinstance(fault, UnicodeDecodeError) else "cannot be read"
        raise SetupError(_problem(path.name, 1, rule)) from None
    marked = Marked(text)
    problems = [_problem(path.name, line, rule) for line, rule in marked.faults]
    if marked.broken:
        raise SetupError(*problems)
    try:
        value = model.model_validate(marked.value)
    except ValidationError as fault:
        problems += _shape_faults(path.name, marked, fault)
    if problems:
        raise SetupError(*problems)
    return value, marked, hashlib.sha256(content).hexdigest()


def _shape_faults(name: str, marked: Marked, fault: ValidationError) -> Iterable[Problem]:
    for error in fault.errors(include_url=False, include_context=False):
        place = _known(marked, error["loc"])
        yield _problem(name, line_of(marked.lines, place or error["loc"]), error["msg"], place)


def _known(marked: Marked, loc: Place) -> Place:
    """Keep of pydantic's location what stands in the file: it also names list wrappers and union arms."""
    place: Place = ()
    for step in loc:
        if (*place, step) in marked.lines:
            place = (*place, step)
        elif step == loc[-1] and isinstance(step, str) and step.isidentifier():
            return (*place, step)
    return place


def _dangling(file: AgreementFile) -> Iterable[Problem]:
    for place, cited in cited_values(file.agreement):
        if cited.source and cited.source.document not in file.agreement.documents:
            yield Problem(
                "not-found", "no such document in `documents`", file.where((*place, "source", "document"))
            )
        if cited.assumption and cited.assumption not in file.agreement.assumptions:
            yield Problem(
                "not-found", "no such assumption in `assumptions`", file.where((*place, "assumption"))
            )


def _double_ids(files: Iterable[AgreementFile]) -> Iterable[Problem]:
    seen: dict[str, str] = {}
    for file in files:
        if file.agreement.id in seen:
            yield Problem(
                "duplicate", f"the id is that of {seen[file.agreement.id]} too", file.where(("id",))
            )
        seen[file.agreement.id] = file.name


def _unknown_series(file: AgreementFile, rates: Rates) -> Iterable[Problem]:
    terms = file.agreement.bill.rate if file.agreement.bill else ()
    for index, term in enumerate(terms):
        if term.value not in rates.series:
            yield Problem(
                "not-found", f"no such series in {RATES}", file.where(("bill", "rate", index, "value"))
            )


def _problem(name: str, line: int, rule: str, place: Place = ()) -> Problem:
    where = f"{name}:{line} {'.'.join(map(str, place))}".rstrip()
    return Problem("structure", rule, where)
