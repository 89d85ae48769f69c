"""`If-Match` and `If-None-Match`: what they list, and whether they hold for the version that is known."""

import pytest

from adapter.errors import MalformedError
from adapter.fhir.preconditions import Tags, expected, tags

LISTS = [
    # header, what it lists, because
    ("*", Tags(any=True), "RFC 9110, 13.1.1: any version"),
    (" * ", Tags(any=True), "5.6.3: white space around it"),
    ('W/"23"', Tags(frozenset({"23"})), "R4 http#concurrency: a weak tag"),
    ('"23"', Tags(frozenset({"23"})), "a strong tag"),
    ('W/"1", "2" ,W/"3"', Tags(frozenset({"1", "2", "3"})), "13.1.1: a list"),
    ('"1",,"2",', Tags(frozenset({"1", "2"})), "5.6.1.2: empty elements of a list are ignored"),
    ('"a,b"', Tags(frozenset({"a,b"})), "8.8.3: a comma within a tag"),
    ('""', Tags(frozenset({""})), "8.8.3: a tag may be empty"),
    ("23", Tags(frozenset({"23"})), "without quotes: clients send it so"),
    ("W/23", Tags(frozenset({"23"})), "the same, weak"),
]


@pytest.mark.parametrize(("header", "listed", "because"), LISTS)
def test_what_a_header_lists(header: str, listed: Tags, because: str) -> None:
    assert tags(header) == listed, because


NONE = ["", " ", ",", '"1', '"1" "2"', '*, "1"', 'W/"1" x', 'w/"1"', "a b", '"\t"']


@pytest.mark.parametrize("header", NONE)
def test_what_is_no_list(header: str) -> None:
    with pytest.raises(MalformedError) as caught:
        tags(header, "Encounter.meta.versionId")
    [problem] = caught.value.problems
    assert (problem.code, problem.expression) == ("value", "Encounter.meta.versionId")


HOLDS = [
    # If-Match, If-None-Match, version that is known, where it fails, because
    (None, None, None, None, "nothing is demanded"),
    ("*", None, "1", None, "13.1.1: * holds where there is one"),
    ("*", None, None, "m", "13.1.1: and not where there is none"),
    ('"1", W/"2"', None, "2", None, "13.1.1: one of the list"),
    ('"1", W/"2"', None, "3", "m", "none of the list"),
    ('"1"', None, None, "m", "nothing is known that could match"),
    (None, "*", None, None, "13.1.2: * holds where there is none"),
    (None, "*", "1", "n", "13.1.2: and not where there is one"),
    (None, '"1"', "2", None, "13.1.2: another version"),
    (None, '"1"', "1", "n", "13.1.2: that version"),
    ('"1"', "*", "1", "n", "13.2.2: If-Match holds, then If-None-Match is looked at"),
    ('"2"', "*", "1", "m", "13.2.2: If-Match comes first"),
]


@pytest.mark.parametrize(("match", "none_match", "version", "place", "because"), HOLDS)
def test_whether_they_hold(
    match: str | None, none_match: str | None, version: str | None, place: str | None, because: str
) -> None:
    demand = expected(match, none_match, "m", "n")
    problem = demand.fault(version) if demand is not None else None
    assert (problem.expression if problem else None) == place, because
    repeated = demand.repeated(version) if demand is not None else None
    assert (repeated is not None) == (
        none_match is not None and version is not None and place != "m" and place is not None
    ) or (place == "m")
