"""Code tables: ConceptMaps of R4 and R5, and what they make of codes, Codings and concepts."""

import pytest

from adapter.mapping.concepts import concept_map, translate
from adapter.mapping.fields import FieldFault


def element(code, *targets, **more):
    return {"code": code, "target": [{"code": target, **more} for target in targets]}


def table(*groups):
    return concept_map("t", {"resourceType": "ConceptMap", "group": list(groups)})


ENDS = table(
    {"source": "urn:a", "element": [element("1", "home"), element("2", "gone")]},
    {"source": "urn:b", "element": [element("1", "gone"), element("9", "home")]},
    {"source": "urn:rest", "element": [element("1", "gone")], "unmapped": {"mode": "fixed", "code": "home"}},
)


def coding(system, code):
    return {"system": system, "code": code}


FOUND = [
    # what FHIRPath found, targets, because
    ([coding("urn:a", "1")], ["home"], "a Coding by its system"),
    ([coding("urn:b", "1")], ["gone"], "the same code of another system"),
    (["9"], ["home"], "a bare code"),
    ([{"code": "9"}], ["home"], "a Coding without a system"),
    ([{"coding": [coding("urn:x", "7"), coding("urn:a", "2")]}], ["gone"], "one code of a concept is enough"),
    ([{"concept": {"coding": [coding("urn:a", "1")]}}], ["home"], "R5's CodeableReference"),
    ([{"text": "home"}], [], "words are no code"),
    ([{"coding": []}], [], "no code"),
    ([], [], "nothing"),
    ([coding("urn:a", "1"), coding("urn:a", "2"), coding("urn:b", "9")], ["home", "gone"], "each once"),
    (
        [coding("urn:rest", "1"), coding("urn:rest", "any")],
        ["gone", "home"],
        "the table says so of all others",
    ),
]


@pytest.mark.parametrize(("found", "targets", "because"), FOUND)
def test_codes_are_translated(found, targets, because):
    assert translate(ENDS, found) == targets, because


NOT_HELD = [
    ([coding("urn:a", "3")], "not in the table"),
    ([coding("urn:x", "1")], "of another system"),
    (["1"], "two systems give it different targets"),
    ([{"coding": [coding("urn:x", "7"), coding("urn:a", "8")]}], "no code of the concept"),
    ([coding("urn:a", "1"), coding("urn:a", "3")], "one of two"),
    (["gone"], "a target is no code"),
]


@pytest.mark.parametrize(("found", "because"), NOT_HELD)
def test_a_code_that_the_table_does_not_hold_is_a_fault_without_the_code(found, because):
    with pytest.raises(FieldFault) as fault:
        translate(ENDS, found)
    assert str(fault.value) == "has a code that the table t does not hold", because


def test_two_codes_of_one_concept_that_mean_different_things_are_a_fault():
    with pytest.raises(FieldFault, match="mean different things in the table t"):
        translate(ENDS, [{"coding": [coding("urn:a", "1"), coding("urn:a", "2")]}])


@pytest.mark.parametrize(
    "more", [{"equivalence": "unmatched"}, {"equivalence": "disjoint"}, {"relationship": "not-related-to"}]
)
def test_what_is_marked_as_no_translation_is_none(more):
    with pytest.raises(FieldFault):
        translate(
            table({"source": "urn:a", "element": [element("1", "home", **more)]}), [coding("urn:a", "1")]
        )


WRONG = [
    ({"resourceType": "ValueSet"}, TypeError),
    ({}, KeyError),
    ({"resourceType": "ConceptMap", "group": [{"element": [{"target": [{"code": "x"}]}]}]}, KeyError),
    ({"resourceType": "ConceptMap", "group": [{"element": [element("1", "x", "y")]}]}, ValueError),
]


@pytest.mark.parametrize(("resource", "fault"), WRONG)
def test_what_is_no_table_is_refused(resource, fault):
    with pytest.raises(fault):
        concept_map("t", resource)


def test_a_table_knows_all_that_it_leads_to():
    assert ENDS.values() == {"home", "gone"}
