"""The region that is paid: its number is read strictly, and asked for by name where it is not known."""

import pytest

from adapter.agreements.load import load_book
from adapter.agreements.regions import Region, Regions, read_organisation_number
from adapter.errors import SetupError
from adapter.settings import HomeRegion, Source, TreatingRegion
from adapter.treating import regions_of
from tests.service import settings

# as written, as read (None: refused), because
NUMBERS = [
    ("002000-0006", "002000-0006", "ten digits, the last by Luhn's algorithm"),
    ("0020000006", "002000-0006", "the hyphen may be left out"),
    ("16002000-0006", "002000-0006", "twelve digits: 16 stands before that of a legal person"),
    (" 002000-0006 ", "002000-0006", "spaces around it are none of it"),
    ("002000-0007", None, "another check digit"),
    ("020000-0006", None, "two digits in another order"),
    ("002000-006", None, "nine digits"),
    ("٠٠٢٠٠٠-٠٠٠٦", None, "digits of another script"),
    ("", None, "nothing"),
]


@pytest.mark.parametrize(("written", "read", "because"), NUMBERS)
def test_organisation_numbers(written: str, read: str | None, because: str) -> None:
    if read is None:
        with pytest.raises(ValueError, match="organisation number") as refused:
            read_organisation_number(written)
        assert not written.strip() or written.strip() not in str(refused.value), "no value in an error"
    else:
        assert read_organisation_number(written) == read, because


# setting, county and URI of the events; because
FORMS = [
    ("urn:losus:x", None, "urn:losus:x", "a URI alone, as before there was a county"),
    ("05", "05", "urn:losus:region", "a länskod alone"),
    (23, "23", "urn:losus:region", "YAML and JSON read 23 as a number"),
    ('{"county": "23", "uri": "urn:y"}', "23", "urn:y", "JSON of an environment variable"),
    ({"county": "23"}, "23", "urn:losus:region", "YAML"),
]


@pytest.mark.parametrize(("written", "county", "uri", "because"), FORMS)
def test_forms_of_the_setting(written: object, county: str | None, uri: str, because: str) -> None:
    given = settings("postgresql://x/y", region=written).region
    assert (given.county, given.uri) == (county, uri), because


def test_the_variable_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOSUS_REGION__COUNTY", "05")
    given = settings("postgresql://x/y")
    assert given.region.county == "23", "what is passed goes before"
    monkeypatch.setenv("LOSUS_REGION", "05")
    without = type(given)(database="x", secret="a secret of the tests alone")
    assert without.region == HomeRegion(county="05")


def test_the_regions_of_the_settings() -> None:
    """Settlement 3: the source's, or the hospital's organization; unknown region: refused, by name."""
    book = load_book()
    given = settings(
        "postgresql://x/y", regions={"22": TreatingRegion(organisation_number="002000-0006")}, agreement=None
    )
    regions = regions_of(given, book.regions.by_county)
    assert regions.home == "23"
    assert regions.get("23") == Region("23", "Region Jämtland Härjedalen", "002000-0006")
    assert regions.get("22") == Region("22", "Region Västernorrland", "002000-0006")
    for county, rule in (
        ("01", "Region Stockholm (01) has no organisation number"),
        ("99", "99 is no region"),
    ):
        with pytest.raises(SetupError) as refused:
            assert regions.get(county).number
        assert rule in refused.value.problems[0].rule
    with pytest.raises(SetupError) as refused:
        Regions().get(None)
    assert refused.value.problems[0].expression == "LOSUS_REGION__COUNTY"


@pytest.mark.parametrize(
    "more",
    [
        {"region": {"county": "99"}},
        {"regions": {"02": TreatingRegion()}},
        {"sources": {"ehr": Source(mapping="losus-r4", region="11")}},
    ],
)
def test_a_county_that_is_none(more: dict[str, object]) -> None:
    with pytest.raises(SetupError, match="is no region's länskod"):
        regions_of(settings("postgresql://x/y", **more), load_book().regions.by_county)


def test_every_municipality_lies_in_a_region() -> None:
    book = load_book()
    assert {code[:2] for code in book.municipalities} == set(book.regions.by_county)
    named = {one.agreement.region for one in book.files if one.agreement.region is not None}
    assert all(book.regions.by_county[one.county].name == one.name for one in named)
