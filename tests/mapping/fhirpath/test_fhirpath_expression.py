"""The public face: what goes in and comes out, its errors, its variables, the library behind it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest

from adapter.mapping.fhirpath import FhirPathError, FhirPathSyntaxError, closure, compile_expression
from adapter.mapping.fhirpath.expression import _MOST_SPECIALISED

PATIENT = {
    "resourceType": "Patient",
    "name": [{"family": "Sekretess", "given": ["Planted", "Value"]}],
    "identifier": [{"system": "s", "value": "191212121212"}],
    "deceasedDateTime": "2026-02-01T10:00:00+01:00",
    "multipleBirthInteger": 2,
    "managingOrganization": {"reference": "Organization/1"},
    "contained": [{"resourceType": "Organization", "id": "in", "name": "Inside"}],
    "generalPractitioner": [
        {"reference": "#in"},
        {"reference": "#out"},
        {"display": "nobody"},
        {"reference": 3},
    ],
}
ORGANIZATION = {"resourceType": "Organization", "name": "Outside"}


def resolver(reference):
    return {"Organization/1": ORGANIZATION}.get(reference)


@pytest.mark.parametrize(
    ("text", "line", "column", "said"),
    [
        ("", 1, 1, "expected a value or a path, found the end"),
        ("name.", 1, 6, "expected the name of an element or function, found the end"),
        ("name given", 1, 6, "expected an operator or the end, found 'given'"),
        ("name\n  .where(use = )", 2, 16, "expected a value, a path or '(', found ')'"),
        ("name.where(use = 'x'", 1, 21, "expected ',' or ')', found the end"),
        ("name.where('x',", 1, 16, "expected a value or a path, found the end"),
        ("(1 + 2", 1, 7, "expected ')', found the end"),
        ("{1}", 1, 2, "expected '}', found '1'"),
        ("name[0", 1, 7, "expected ']', found the end"),
        ("1 +", 1, 4, "expected a value or a path, found the end"),
        ("'open", 1, 1, "expected ' to end what it begins"),
        ("`open", 1, 1, "expected ` to end what it begins"),
        ("1 /* open", 1, 3, "expected */ to end the comment"),
        (r"'a\q'", 1, 3, r"no such escape: \q"),
        ("1 ; 2", 1, 3, "no token of FHIRPath begins with ';'"),
        ("@20", 1, 1, "expected a date"),
        ("@2024-02-30", 1, 1, "expected a day and time that exist"),
        ("@T25:00", 1, 1, "expected a day and time that exist"),
        ("text.div", 1, 6, "a reserved word is written in backticks: `div`"),
        ("name.$this", 1, 6, "expected the name of an element or function"),
        ("% 1", 1, 3, "expected the name of a variable"),
        ("1 is 2", 1, 6, "expected the name of a type"),
        ("1 is System.", 1, 13, "expected the name of a type"),
        ("1 is Strong", 1, 6, "no such type: 'Strong'"),
        ("ofType(FHIR.Strong)", 1, 13, "no such type: 'Strong'"),
        ("name.ofType('x')", 1, 13, "expected the name of a type"),
        ("name.whare(use)", 1, 6, "no such function: whare()"),
        ("name.where(use.lowBoundary())", 1, 16, "no such function: lowBoundary()"),
        ("name.where()", 1, 6, "where() takes 1 arguments, found 0"),
        ("'a'.substring(1, 2, 3)", 1, 5, "substring() takes 1 to 2 arguments, found 3"),
        ("'a'.matches('(')", 1, 13, "no regular expression"),
        ("$index", 1, 1, "$index means nothing outside a loop"),
        ("name.where($total > 1)", 1, 12, "$total means nothing outside aggregate()"),
        ("iif('x', 1, 2)", 1, 5, "expected a condition that is a boolean"),
        ("(" * 101 + "1" + ")" * 101, 1, 101, "nested deeper than 100"),
    ],
)
def test_syntax_errors_tell_where_and_what_was_expected(text, line, column, said):
    with pytest.raises(FhirPathSyntaxError) as caught:
        compile_expression(text)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert said in str(caught.value)
    assert caught.value.problems[0].expression == text


@pytest.mark.parametrize(
    ("text", "column", "said"),
    [
        ("name.given.single()", 12, "single() found several items"),
        ("name.given != 'x' and name.given", 19, "expected one item at most"),
        ("name.given.upper()", 12, "expected one item at most"),
        ("name.family + 1", 13, "cannot be added"),
        ("identifier.value > 1", 18, "have no order"),
        ("name.upper()", 6, "expected a string"),
        ("name.given.take(name.family)", 12, "expected an integer"),
        ("identifier.value / 2", 18, "expected two numbers"),
        ("-identifier.value", 1, "expected a number after -"),
        ("%nothing", 1, "no variable %nothing was given"),
        ("now()", 1, "needs the variable %now"),
        ("today()", 1, "needs the variable %now"),
        ("managingOrganization.resolve()", 22, "nothing to look references up in"),
        ("name.as(HumanName).given.as(string)", 29, "expected one item at most"),
        ("name.given.iif(true, 1)", 12, "called on one item at most"),
        ("name.given.repeat($this & 'x').count()", 12, "does not come to an end"),
        ("identifier.value.matches(name.family & '(')", 18, "expected a regular expression"),
        ("name.given.join(name)", 12, "expected a string"),
    ],
)
def test_evaluation_errors_tell_where_and_no_value(text, column, said):
    with pytest.raises(FhirPathError) as caught:
        compile_expression(text)(PATIENT)
    assert (caught.value.line, caught.value.column) == (1, column)
    assert said in str(caught.value)
    assert caught.value.problems[0].code == "processing"
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    for planted in ("Sekretess", "Planted", "Value", "191212121212", "2026-02-01", "Organization/1"):
        assert planted not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "wanted", "because"),
    [
        ("%one + 1", [2], "a single value"),
        ("%several.count()", [2], "a list"),
        ("%pair.count()", [2], "a tuple"),
        ("%nothing", [], "None is empty"),
        ("%when > @2026-01-01", [True], "a datetime"),
        ("%message.resourceType", ["Bundle"], "a resource"),
        ("%message.entry.resource.ofType(Patient).name.family", ["X"], "whose type is seen"),
        ("%message.entry.resource.deceased", [False], "also where it is any resource"),
        ("%resource.resourceType", ["Patient"], "the root"),
        ("%context.resourceType", ["Bundle"], "but for a variable of that name"),
        ("%ucum & %sct & %loinc", ["mine" + "http://snomed.info/sct" + "http://loinc.org"], "fixed ones too"),
        ("%`quoted name`", ["q"], "any name in backticks"),
        ("%'vs-own'", ["own"], "a variable goes before what HL7 fixes"),
        ("now()", ["2026-03-01T12:00:00+01:00"], "time is a variable"),
        ("today()", ["2026-03-01"], "its date"),
        ("timeOfDay()", ["12:00:00"], "its time"),
        ("now() - 1 day", ["2026-02-28T12:00:00+01:00"], "moved by a day"),
        ("deceased < now()", [True], "compared with it"),
    ],
)
def test_variables_come_from_the_context(text, wanted, because):
    context = {
        "one": 1,
        "several": ["a", "b"],
        "pair": ("a", "b"),
        "nothing": None,
        "when": datetime(2026, 3, 1, 12, tzinfo=timezone(timedelta(hours=1))),
        "message": {
            "resourceType": "Bundle",
            "entry": [
                {"resource": {"resourceType": "Patient", "name": [{"family": "X"}], "deceasedBoolean": False}}
            ],
        },
        "context": {"resourceType": "Bundle"},
        "ucum": "mine",
        "quoted name": "q",
        "vs-own": "own",
        "now": "2026-03-01T12:00:00+01:00",
    }
    assert compile_expression(text)(PATIENT, context) == wanted, because


@pytest.mark.parametrize(
    ("now", "wanted"),
    [
        (
            datetime(2026, 3, 1, 23, 30, tzinfo=timezone(timedelta(hours=1))),
            ["2026-03-01T23:30:00.000+01:00"],
        ),
        ("2026-03-01T23:30:00Z", ["2026-03-01T23:30:00Z"]),
        ("2026-03-01T23:30:00", None),
        (datetime(2026, 3, 1), None),  # noqa: DTZ001 -- that it is naive is the point
        ("soon", None),
        (None, None),
        (7, None),
    ],
)
def test_now_must_be_an_instant_with_its_offset(now, wanted):
    expression = compile_expression("now()")
    if wanted is None:
        with pytest.raises(FhirPathError, match="needs the variable %now"):
            expression({}, {"now": now})
    else:
        assert expression({}, {"now": now}) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("managingOrganization.resolve().name", ["Outside"]),
        ("managingOrganization.reference.resolve().name", ["Outside"]),
        ("managingOrganization.resolve().ofType(Organization).name", ["Outside"]),
        ("managingOrganization.resolve() is Organization", [True]),
        ("managingOrganization.resolve() is Patient", [False]),
        ("(managingOrganization.resolve() as Organization).name", ["Outside"]),
        ("generalPractitioner.resolve().name", ["Inside"]),
        ("managingOrganization.resolve().where(name.select(type().name) = 'x')", []),
    ],
)
def test_references_are_resolved_by_the_caller(text, wanted):
    assert compile_expression(text)(PATIENT, None, resolver) == wanted


def test_what_the_compiler_refuses_the_library_answers():
    """`sum()` is the library's own; type tests behind a filter need the types it carries along."""
    total = compile_expression("(1 | 2 | 3).sum()")
    assert (total.compiled, total({})) == (False, [6])
    observation = {"resourceType": "Observation", "valueString": "s"}
    kind = compile_expression("Observation.value.where(true).is(string)")
    assert (kind.compiled, kind(observation)) == (False, [True])
    late = compile_expression("value.where(true).is(string)")
    assert (late.compiled, late.compiled_for(observation), late(observation)) == (True, False, [True])
    assert late({"resourceType": "Observation"}) == []
    assert late({"resourceType": "Extension", "valueBoolean": True}) == [False]


@pytest.mark.parametrize(
    ("resource", "wanted"),
    [
        ({"deceasedBoolean": True}, [False]),
        ({"deceasedDateTime": "2026"}, [True]),
        ({}, []),
    ],
)
def test_the_json_value_tells_the_type_where_it_can(resource, wanted):
    """A boolean of JSON is no dateTime: no need to ask the library which of the two a choice holds."""
    patient = {"resourceType": "Patient", **resource}
    here = compile_expression("deceased.where(true).first() is dateTime")
    there = compile_expression("%citizen.deceased.where($this is dateTime).exists()")
    assert here.compiled_for(patient)
    assert here(patient) == wanted
    for given in (patient, [patient], [patient, patient]):
        assert there.compiled_for({}, {"citizen": given})
        assert there({}, {"citizen": given}) == [wanted == [True]]


@pytest.mark.parametrize(
    ("text", "resource", "wanted"),
    [
        (
            "value.where(true) is Quantity",
            {"resourceType": "Observation", "valueQuantity": {"value": 1}},
            "library",
        ),
        (
            "multipleBirth.where(true) is integer",
            {"resourceType": "Patient", "multipleBirthInteger": 2},
            [True],
        ),
        (
            "multipleBirth.where(true) is integer",
            {"resourceType": "Patient", "multipleBirthBoolean": True},
            [False],
        ),
        ("(active | 1 | 'a')[0] is boolean", {"resourceType": "Patient", "active": True}, "library"),
        (
            "(active | name)[1] is HumanName",
            {"resourceType": "Patient", "active": True, "name": [{}]},
            [True],
        ),
    ],
)
def test_and_where_it_cannot_the_library_is_asked(text, resource, wanted):
    expression = compile_expression(text)
    assert expression.compiled_for(resource) == (wanted != "library")
    if wanted != "library":
        assert expression(resource) == wanted


def test_variables_are_not_asked_for_in_vain():
    class Late(dict):
        def __missing__(self, name):
            raise AssertionError(name)

        def __contains__(self, name):
            return True

        def get(self, name, _default=None):
            raise AssertionError(name)

    expression = compile_expression("iif(active, 1, %late.status = 'x')")
    assert expression({"resourceType": "Patient", "active": True}, Late()) == [1]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("(now() | now()).min().toString().substring(0, 10)", ["2026-03-01"]),
        ("(today() | today()).max()", ["2026-03-01"]),
        ("(timeOfDay() | timeOfDay()).max()", ["12:00:00"]),
        ("(1 | 2).sum() + managingOrganization.resolve().name.count()", [4]),
        ("(1 | 2).max().trace('x')", [2]),
        ("(%ucum | %`vs-x`).max()", ["http://unitsofmeasure.org"]),
        ("(%resource | %rootResource).count() + (1 | 2).sum()", [4]),
        (
            "iif((1 | 2).sum() = 3, 4 'g')",
            [{"value": Decimal(4), "unit": "g", "system": "http://unitsofmeasure.org", "code": "g"}],
        ),
        ("iif((1 | 2).sum() = 3, 4 days)", [{"value": Decimal(4), "unit": "days"}]),
        ("iif((1 | 2).sum() = 3, @2024-01-31)", ["2024-01-31"]),
        ("iif((1 | 2).sum() = 3, name.family)", ["Sekretess"]),
    ],
)
def test_the_library_gets_our_clock_our_resolver_our_variables(text, wanted):
    expression = compile_expression(text)
    assert not expression.compiled
    assert expression(PATIENT, {"now": "2026-03-01T12:00:00+01:00"}, resolver) == wanted


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("(now() | now()).min()", "needs the variable %now"),
        ("(1 | 2).sum() + managingOrganization.resolve().count()", "nothing to look references up in"),
        ("('Planted' | 1).sum()", "the library cannot evaluate this"),
        ("name.given.single().sum()", "the library cannot evaluate this"),
        ("iif((1 | 2).sum() = 3, name.given.single())", "single() found several items"),
    ],
)
def test_faults_of_the_library_are_told_in_our_words(text, said):
    expression = compile_expression(text)
    assert not expression.compiled
    with pytest.raises(FhirPathError, match="line 1, column 1") as caught:
        expression(PATIENT)
    assert said in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        ("Patient.name.family", "Patient", []),
        ("name.famly", "Patient", ["column 6: no such element: 'famly'"]),
        ("Encounter.name", "Patient", ["column 1: no such element: 'Encounter'"]),
        ("valueQuantity.value", "Observation", ["column 1: no such element: 'valueQuantity'"]),
        ("value.ofType(Quantity).value", "Observation", []),
        ("children().first()", "Patient", ["column 12: what comes before has no order"]),
        ("descendants()[0]", "Patient", ["column 14: what comes before has no order"]),
        ("children().where(id.exists()).first()", "Patient", []),
        ("multipleBirth.where(nmae).is(integer)", "Patient", ["column 21: no such element: 'nmae'"]),
        ("%resource.famly", "Patient", ["column 11: no such element: 'famly'"]),
    ],
)
def test_check_finds_slips_of_the_pen(text, kind, said):
    problems = compile_expression(text).check(kind)
    assert [problem.rule.removeprefix("line 1, ") for problem in problems] == said


def test_values_come_out_plain():
    resource = {
        "resourceType": "Observation",
        "valueQuantity": {"value": 6.5},
        "issued": "2026-01-01T10:00:00Z",
    }
    assert compile_expression("value.value")(resource) == [Decimal("6.5")]
    assert compile_expression("value")(resource) == [{"value": 6.5}]
    assert compile_expression("value.value | value.value")(resource) == [Decimal("6.5")]
    assert compile_expression("issued | 'x'")(resource) == ["2026-01-01T10:00:00Z", "x"]
    assert compile_expression("@2026 | 4 days")({}) == ["2026", {"value": Decimal(4), "unit": "days"}]
    assert compile_expression("%list")({}, {"list": [None, 1]}) == [1]


def test_the_list_is_the_callers_own():
    resource = {"resourceType": "Patient", "name": [{"given": ["A", "B"]}]}
    for text in ("name.given", "name", "{}", "true", "'x'", "1 = 1", "name.where(true)", "(1 | 2)"):
        expression = compile_expression(text)
        expression(resource).append("mine")
        assert "mine" not in expression(resource)
    assert resource == {"resourceType": "Patient", "name": [{"given": ["A", "B"]}]}
    assert (closure.EMPTY, closure.TRUE, closure.FALSE) == ([], [True], [False])


def test_an_expression_shows_its_text():
    expression = compile_expression("name.given")
    assert (expression.text, repr(expression)) == ("name.given", "Expression('name.given')")


def test_an_unknown_version_is_refused():
    with pytest.raises(KeyError):
        compile_expression("id", fhir="R3")


def test_types_that_messages_name_are_kept_in_bounds():
    expression = compile_expression("status is code and %a.status is code and %b.status is code")
    kinds = ["Encounter", "Task", "CarePlan", "Communication", "Observation", "Procedure", "Appointment"]
    for root in kinds:
        for a in kinds:
            for b in kinds:
                context = {"a": {"resourceType": a, "status": "s"}, "b": {"resourceType": b, "status": "s"}}
                assert expression({"resourceType": root, "status": "s"}, context) == [True]
    assert len(expression._ready) == _MOST_SPECIALISED + 1
    for number in range(50):
        assert compile_expression("status")({"resourceType": f"Made{number}", "status": "s"}) == ["s"]
    single = compile_expression("status")
    for number in range(50):
        single({"resourceType": f"Made{number}"})
    assert len(single._ready) == 1


def test_many_threads_may_run_one_expression():
    """Loops within loops count by themselves in every thread; so does the library's turn-taking."""
    text = "name.select($index.toString() & given.aggregate($total & $this & $index.toString(), ''))"
    ours, theirs = compile_expression(text), compile_expression("name.select((1 | $index).sum())")
    assert ours.compiled
    assert not theirs.compiled

    def ask(number):
        names = [{"given": [f"{number}a", f"{number}b"]} for _ in range(20)]
        resource = {"resourceType": "Patient", "name": names}
        wanted = [f"{at}{number}a0{number}b1" for at in range(20)]
        return ours(resource) == wanted and theirs({"resourceType": "Patient", "name": [{}, {}]}) == [1, 1]

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(200)))
