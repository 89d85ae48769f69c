"""The regions of the settings: whose hospitals send, what each is paid under, and which is at home here.

Owns the translation of settings into `agreements.regions`. Which region treats in a stay is asked of `World`.
"""

from collections.abc import Mapping
from dataclasses import replace

from adapter.agreements.load import Book
from adapter.agreements.regions import Region, Regions
from adapter.errors import Problem, SetupError
from adapter.settings import RegionsAlone, Settings, TreatingRegion


def with_regions(book: Book, settings: Settings | RegionsAlone) -> Book:
    """The same agreements, and of the regions what the settings add; SetupError of a region that is none."""
    return replace(book, regions=regions_of(settings, book.regions.by_county))


def regions_of(settings: Settings | RegionsAlone, known: Mapping[str, Region]) -> Regions:
    """The regions by länskod, with what the settings add; SetupError where they name one that is none."""
    said = _said(settings)
    named = {*said, *(one.region for one in settings.sources.values() if one.region)}
    problems = [
        Problem("not-found", f"{county} is no region's länskod", "LOSUS_REGION")
        for county in sorted(named)
        if county not in known
    ]
    if problems:
        raise SetupError(*problems)
    added = {
        county: Region(county, one.name or known[county].name, one.organisation_number)
        for county, one in said.items()
    }
    return Regions(settings.region.county, {**known, **added})


def hospitals_of(settings: Settings) -> Mapping[str, str]:
    """The region's länskod by the identifier (`system|value`) of each hospital that the settings list."""
    return {key: county for county, one in _said(settings).items() for key in one.hospitals}


def _said(settings: Settings | RegionsAlone) -> dict[str, TreatingRegion]:
    """What the settings say of regions, by länskod."""
    home = settings.region.county
    return {**settings.regions, **({home: settings.region} if home else {})}
