"""Compiled and library give the same on expressions and resources that nobody wrote.

The grammar keeps to what fhirpathpy 2.2.4 answers as N1 does: it compares single items only (its `=`
looks at the first of many), conditions are booleans, and strings are not empty.
"""

from datetime import datetime
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapter.mapping.fhirpath import FhirPathError, compile_expression
from adapter.mapping.fhirpath.library import LibraryExpression
from adapter.mapping.fhirpath.parser import parse
from adapter.mapping.fhirpath.temporal import compare, parse_temporal
from tests.examples import examples

words = st.sampled_from(["a", "b", "Ab", "official"])
use = st.sampled_from(["official", "usual", "old"])
days = st.dates().map(lambda day: day.isoformat())


def some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


names = some(use=use, family=words, given=st.lists(words, min_size=1, max_size=3))
telecoms = some(system=words, value=words, rank=st.integers(1, 9), use=use)
patients = some(
    active=st.booleans(),
    gender=words,
    birthDate=days,
    name=st.lists(names, min_size=1, max_size=3),
    telecom=st.lists(telecoms, min_size=1, max_size=3),
    deceasedBoolean=st.booleans(),
    multipleBirthInteger=st.integers(0, 5),
).map(lambda patient: {"resourceType": "Patient", **patient})

objects = st.sampled_from(["name", "telecom", "Patient.name"])
cuts = st.sampled_from(
    ["", "", ".first()", ".last()", ".tail()", ".skip(1)", ".take(2)", "[0]", "[1]", ".distinct()"]
)
single_cuts = st.sampled_from([".first()", ".last()", "[0]", "[1]"])


@st.composite
def conditions(draw: st.DrawFn) -> str:
    """A condition on a name or telecom."""
    field = draw(st.sampled_from(["use", "family", "given.first()", "value", "$this.use"]))
    return draw(
        st.sampled_from(
            [
                f"{field} = '{draw(words)}'",
                f"{field} != '{draw(words)}'",
                f"{field}.exists()",
                f"{field}.empty()",
                f"{field}.startsWith('{draw(words)}')",
                f"given.count() > {draw(st.integers(0, 3))}",
                f"rank <= {draw(st.integers(0, 9))}",
                f"{field} in ('a' | 'b')",
            ]
        )
    )


@st.composite
def collections(draw: st.DrawFn) -> str:
    """Objects, filtered, cut, and perhaps a field of theirs."""
    where = f".where({draw(conditions())})" if draw(st.booleans()) else ""
    field = draw(
        st.sampled_from(["", ".use", ".family", ".given", ".value", ".rank", ".select(given | family)"])
    )
    return f"{draw(objects)}{draw(cuts)}{where}{draw(cuts)}{field}{draw(cuts)}"


@st.composite
def strings(draw: st.DrawFn) -> str:
    """One string or none."""
    field = draw(st.sampled_from(["name.family", "name.given", "name.use", "telecom.value"]))
    work = draw(st.sampled_from(["", ".upper()", ".lower()", ".substring(1)", ".toString()", " & 'x'"]))
    text = f"{field}{draw(single_cuts)}{work}"
    return f"({text})" if "&" in text else text


@st.composite
def numbers(draw: st.DrawFn) -> str:
    """One number or none."""
    base = draw(
        st.sampled_from(
            [f"{draw(collections())}.count()", "telecom.rank.first()", "multipleBirth", "3", "2.5"]
        )
    )
    op = draw(st.sampled_from(["", " + 1", " * 2", " - 4", " div 2", " mod 2"]))
    return f"({base}{op})"


@st.composite
def booleans(draw: st.DrawFn) -> str:
    """One boolean or none."""
    a, b = draw(strings()), draw(strings())
    order = draw(st.sampled_from(["<", "<=", ">", ">=", "=", "!="]))
    return draw(
        st.sampled_from(
            [
                "active",
                "deceased",
                f"({draw(numbers())} {order} {draw(numbers())})",
                f"({a} {order} {b})",
                f"({a} ~ {b})",
                f"({a} in {draw(objects)}.use)",
                f"({draw(objects)}.use contains {a})",
                f"{draw(collections())}.exists()",
                f"{draw(collections())}.empty()",
                f"{draw(objects)}.exists({draw(conditions())})",
                f"{draw(objects)}.all({draw(conditions())})",
                f"{a}.matches('[ab]')",
                f"(birthDate {order} @{draw(days)})",
            ]
        )
    )


@st.composite
def logic(draw: st.DrawFn) -> str:
    """Booleans put together."""
    op = draw(st.sampled_from(["and", "or", "xor", "implies"]))
    turned = draw(st.sampled_from(["", ".not()"]))
    return f"({draw(booleans())} {op} {draw(booleans())}){turned}"


expressions = st.one_of(
    collections(),
    strings(),
    numbers(),
    booleans(),
    logic(),
    st.builds("iif({}, {}, {})".format, booleans(), strings(), numbers()),
    st.builds("({} | {})".format, collections(), collections()),
)


@settings(max_examples=examples(400), deadline=None)
@given(expressions, patients)
def test_compiled_and_library_agree(text, patient):
    ours = compile_expression(text)
    assert ours.compiled_for(patient)
    assert ours(patient) == LibraryExpression(text, parse(text), "R4")(patient, {}, None)


@settings(max_examples=examples(200), deadline=None)
@given(expressions, patients)
def test_evaluation_leaves_the_resource_as_it_was_and_repeats_itself(text, patient):
    before = repr(patient)
    expression = compile_expression(text)
    assert expression(patient) == expression(patient)
    assert repr(patient) == before


moments = st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 12, 31))  # noqa: DTZ001
offsets_min = st.integers(-14 * 60, 14 * 60)


@given(moments, moments, offsets_min, offsets_min)
def test_instants_are_ordered_as_they_follow_on_each_other(a, b, offset_a, offset_b):
    """Written with any two offsets, two instants compare as their distance in UTC says."""
    left, right = (_written(moment, offset) for moment, offset in ((a, offset_a), (b, offset_b)))
    apart_s = (a - b).total_seconds() - (offset_a - offset_b) * 60
    assert compare(left, right) == (apart_s > 0) - (apart_s < 0)
    assert compare(right, left) == (apart_s < 0) - (apart_s > 0)


def _written(moment, offset_min):
    sign = "-" if offset_min < 0 else "+"
    zone = f"{sign}{abs(offset_min) // 60:02}:{abs(offset_min) % 60:02}"
    value = parse_temporal(f"{moment.isoformat()}{zone}")
    assert value is not None
    return value


NAMES = """name given _given value valueQuantity extension url code resource resourceType unit start contained
reference id _value period birthDate _birthDate entry"""
keys = st.sampled_from(NAMES.split())
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", "Patient", "2024-01-31", "2024-01-31T10:00:00Z", "#x", "kg", "1e400"]),
)
garbage = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)
WELL_MEANT = (
    "name.given.first() = 'x'",
    "name.where(given.exists()).given.extension('Patient').value",
    "value.ofType(Quantity) < 5 'kg'",
    "value.value * 2 > value.value.round(2)",
    "value.unit.upper() & id",
    "extension.where(url = 'Patient').value is Quantity",
    "birthDate < @2024-06-01 and birthDate.hasValue()",
    "birthDate + 1 month",
    "period.start ~ period.start",
    "(name | value | entry).distinct().count()",
    "entry.resource.ofType(Patient).name",
    "contained.resolve().value",
    "descendants().id.count() + children().count()",
    "repeat(name | value).count()",
    "name.sort(id)",
    "value.toInteger() mod 3",
    "value.toString().toQuantity()",
    "birthDate.extension.url",
    "name[value]",
    "value.power(value)",
    "value in name.given",
)


@example("value.toString().toQuantity()", {"value": [[]]}, "Patient")
@example("name[value]", {"value": {}}, "Patient")
@settings(max_examples=examples(600), deadline=None)
@given(
    st.sampled_from(WELL_MEANT),
    st.dictionaries(keys, garbage, max_size=5),
    st.sampled_from(["Patient", "Bundle", ""]),
)
def test_whatever_the_json_is_only_faults_of_ours_are_raised(text, resource, kind):
    whole = {"resourceType": kind, **resource}
    try:
        found = compile_expression(text)(whole, None, lambda _reference: None)
    except FhirPathError:
        return
    assert isinstance(found, list)
    assert None not in found
