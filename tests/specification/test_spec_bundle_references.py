"""What a reference means inside one Bundle: laws that hold for any Bundle whatever.

Source: FHIR R4 bundle#references («Resolving references in Bundles»), references#literal, references#logical.
"""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.fhir.references import Entry, References, own_name, search_key, search_text
from adapter.losus.identity import identifier_key

Resource = dict[str, Any]

ON = date(2024, 3, 4)
BASES = ["https://one.example/fhir", "https://two.example/r4"]
KINDS, IDS = ["Encounter", "Patient"], ["a", "b"]


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    kind, name = draw(st.sampled_from(KINDS)), draw(st.sampled_from(IDS))
    full = draw(
        st.sampled_from([*(f"{base}/{kind}/{name}" for base in BASES), "", f"urn:uuid:{kind}-{name}"])
    )
    number = draw(st.sampled_from(["1", "2", None]))
    told = {"identifier": [{"system": "urn:x", "value": number}]} if number else {}
    return Entry("", full, {"resourceType": kind, "id": name, **told})


bundles = st.lists(entries(), max_size=6, unique_by=lambda entry: (entry.full_url, entry.resource["id"]))
references = st.one_of(
    st.builds("{}/{}".format, st.sampled_from(KINDS), st.sampled_from(IDS)),
    st.builds("{}/{}/{}".format, st.sampled_from(BASES), st.sampled_from(KINDS), st.sampled_from(IDS)),
    st.builds("{}?identifier=urn:x|{}".format, st.sampled_from(["", *KINDS]), st.sampled_from(["1", "2"])),
    st.sampled_from(
        ["urn:uuid:Patient-a", "urn:uuid:nobody", "Patient?name=a", "", "#a", "Patient/", "/", "?"]
    ),
)
froms = st.sampled_from(["", "urn:uuid:who", *(f"{base}/Task/t" for base in BASES)])


@given(bundles, references, froms, st.randoms(use_true_random=False))
def test_the_order_of_the_entries_means_nothing(
    bundle: list[Entry], reference: str, full_url: str, by: Any
) -> None:
    turned = list(bundle)
    by.shuffle(turned)
    one = References(tuple(bundle), ON).resolve(reference, full_url)
    other = References(tuple(turned), ON).resolve(reference, full_url)
    assert (one and (one["resourceType"], one["id"])) == (other and (other["resourceType"], other["id"]))


@given(bundles, references, froms)
def test_what_is_found_is_what_was_asked_for(bundle: list[Entry], reference: str, full_url: str) -> None:
    found = References(tuple(bundle), ON).resolve(reference, full_url)
    if found is None:
        return
    if "?" in reference:
        kind, _, number = reference.partition("?identifier=urn:x|")
        assert kind in {"", found["resourceType"]}
        assert found["identifier"][0]["value"] == number
    elif not reference.startswith("urn:"):
        assert reference.endswith(f"{found['resourceType']}/{found['id']}")


@given(bundles, st.sampled_from(BASES), st.sampled_from(KINDS), st.sampled_from(IDS), froms)
def test_an_absolute_reference_finds_nothing_of_another_server(
    bundle: list[Entry], base: str, kind: str, name: str, full_url: str
) -> None:
    url = f"{base}/{kind}/{name}"
    of_others = [entry for entry in bundle if entry.full_url != url and entry.full_url.startswith("https://")]
    assert References(tuple(of_others), ON).resolve(url, full_url) is None


@given(bundles, references, froms)
def test_a_version_of_it_is_it(bundle: list[Entry], reference: str, full_url: str) -> None:
    if "?" in reference or "/" not in reference:
        return
    every = References(tuple(bundle), ON)
    assert every.resolve(f"{reference}/_history/7", full_url) == every.resolve(reference, full_url)


words = st.text(st.characters(codec="utf-8", exclude_characters="|", exclude_categories=("Cs",)), min_size=1)


@given(st.sampled_from(["", *KINDS]), words, words)
def test_a_search_that_is_written_is_read(kind: str, system: str, value: str) -> None:
    written = search_text(kind, system, value)
    assert search_key(written, ON) == (kind, identifier_key(system, value, on=ON))


ONE = BASES[0]
NAMES = [
    # reference, bases of the server, Type/id there, because
    ("Patient/a", [], "Patient/a", "relative"),
    ("Patient/a", [ONE], "Patient/a", "relative"),
    ("Patient/a/_history/3", [ONE], "Patient/a", "a version of it"),
    (f"{ONE}/Patient/a", [ONE], "Patient/a", "below its base"),
    (f"{ONE}/Patient/a", [ONE + "/"], "Patient/a", "a base with a slash at its end"),
    (f"{ONE}/Patient/a/_history/3", [ONE], "Patient/a", "a version below its base"),
    (f"{BASES[1]}/Patient/a", [ONE], None, "another server"),
    (f"{ONE}/x/Patient/a", [ONE], None, "another base, though it begins alike"),
    (f"{ONE}/Patient/a", [], "Patient/a", "no base is known: its own is the one it speaks of"),
    ("urn:uuid:a", [], None, "an entry of the same Bundle alone"),
    ("#a", [], None, "contained"),
    ("Patient?identifier=x|y", [], None, "a condition"),
    ("patient/a", [], None, "no type"),
    ("Patient/", [], None, "no id"),
    ("Patient", [], None, "no id"),
    ("", [], None, "nothing"),
    ("https://one.example", [], None, "no resource"),
]


@pytest.mark.parametrize(("reference", "bases", "name", "because"), NAMES)
def test_what_a_literal_reference_names(
    reference: str, bases: list[str], name: str | None, because: str
) -> None:
    assert own_name(reference, bases) == name, because


SEARCHES = [
    # reference, type, is a search by identifier, because
    ("Patient?identifier=urn:x|1", "Patient", True, "http#trules"),
    ("?identifier=urn:x|1", "", True, "a logical reference without type"),
    ("Patient?identifier=urn%3Ax%7C1", "Patient", True, "encoded as in a URL"),
    ("Patient?identifier=urn:x|a=b", "Patient", True, "what is behind the first sign belongs to the value"),
    ("Patient?identifier=1", None, False, "no system"),
    ("Patient?identifier=urn:x|", None, False, "no value"),
    ("Patient?name=a", None, False, "another parameter"),
    ("patient?identifier=urn:x|1", None, False, "no type"),
]


@pytest.mark.parametrize(("reference", "kind", "is_search", "because"), SEARCHES)
def test_searches_by_identifier(reference: str, kind: str | None, is_search: bool, because: str) -> None:
    key = search_key(reference, ON)
    assert (key is not None) is is_search, because
    assert key is None or key[0] == kind
