"""One resource read: key, identity, version, void, names and rules, and the words of every fault."""

# ruff: noqa: E501 - a row of a table stands on one line where it can be read so

import json
import re

import pytest

from adapter.errors import MappingError, Problem, ResourceError, SetupError
from adapter.losus.moments import span
from adapter.losus.terms import SignalKind
from adapter.mapping.concepts import concept_map
from adapter.mapping.names import Names
from tests.mapping.writing import START, alone, encounter, mapping, read, rule, traced

BUNDLE = {"resourceType": "Bundle", "type": "message", "timestamp": "2024-03-04T15:00:00+01:00"}


def task(**more):
    return {"resourceType": "Task", "id": "t1", "status": "completed", "intent": "order"} | more


def test_a_resource_without_rules_says_nothing():
    assert mapping().read("test", {"resourceType": "Observation"}, "Observation", alone()) is None


ORDERS = [
    # newer, older, because
    ({"versionId": "10"}, {"versionId": "9"}, "numbers count as numbers"),
    (
        {"versionId": "2", "lastUpdated": "2024-03-01T00:00:00Z"},
        {"versionId": "1", "lastUpdated": "2024-03-09T00:00:00Z"},
        "the version before the time",
    ),
    (
        {"lastUpdated": "2024-03-01T10:30:00+01:00"},
        {"lastUpdated": "2024-03-01T09:00:00Z"},
        "in UTC, whatever the zone",
    ),
    (
        {"versionId": "b", "lastUpdated": "2024-03-02T00:00:00Z"},
        {"versionId": "z", "lastUpdated": "2024-03-01T00:00:00Z"},
        "a version that is no number does not rank",
    ),
    ({"versionId": "1"}, {}, "a version is newer than none"),
]


@pytest.mark.parametrize(("newer", "older", "because"), ORDERS)
def test_versions_rank_by_meta(newer, older, because):
    one = mapping()
    assert read(one, encounter(meta=newer)).fact.order > read(one, encounter(meta=older)).fact.order, because


def test_a_resource_without_meta_is_as_new_as_its_message():
    reading = read(mapping(), encounter(), alone(BUNDLE, "2024-03-04T14:00:00+00:00"))
    assert reading.fact.version == "2024-03-04T14:00:00+00:00"


def test_without_any_time_the_content_names_the_version():
    one = mapping(rule("patient", "%changed"))
    reading = read(one, encounter())
    assert re.fullmatch(r"[0-9a-f]{16}", reading.fact.version)
    assert reading.fact.signals[0].at.year == 1970


VERSIONS = [
    # version, how it ranks, because
    ("3", (3, "", ""), "numbers: the highest"),
    ("statusHistory.period.start", (-1, "2024-03-02T00:00:00+00:00", "0002"), "the newest, and how many"),
]


@pytest.mark.parametrize(("expression", "order", "because"), VERSIONS)
def test_a_mapping_may_say_what_makes_a_version(expression, order, because):
    history = [{"status": "planned", "period": {"start": f"2024-03-0{day}T00:00:00Z"}} for day in (2, 1)]
    reading = read(mapping(version=expression), encounter(statusHistory=history))
    assert reading.fact.order[:3] == order, because


def test_the_identity_is_type_and_id_or_what_the_mapping_says():
    assert read(mapping(), encounter()).fact.resource == "Encounter/e1"
    one = mapping(identity="identifier.value")
    assert read(one, encounter(identifier=[{"value": "v"}])).fact.resource == "Encounter/v"


def test_entered_in_error_voids_all_that_was_said():
    fact = read(mapping(), encounter(status="entered-in-error")).fact
    assert fact.void
    assert fact.signals == ()


def test_a_mapping_may_say_what_voids():
    one = mapping(void="status = 'cancelled'")
    assert read(one, encounter(status="cancelled")).fact.void
    assert not read(one, encounter(status="entered-in-error")).fact.void


def test_what_says_nothing_needs_no_case():
    """So that a version that says no more of a case still replaces the one that did."""
    one = mapping(rule("ready", "executionPeriod.start", on="Task", when="status = 'completed'"))
    assert read(one, task(status="entered-in-error")).key is None
    assert read(one, task(status="draft")).key is None
    with pytest.raises(MappingError, match="`case` finds no key"):
        read(one, task(executionPeriod={"start": START}))


def test_a_shared_resource_has_no_case_and_others_are_about_it():
    one = mapping(rule(), rule("patient", "%changed", on="Patient"))
    assert one.shared == {"Patient"}
    assert read(one, {"resourceType": "Patient", "id": "p1"}).key is None
    for reference in ("Patient/p1", "https://x.example/fhir/Patient/p1", "Patient/p1/_history/3"):
        assert read(one, encounter(subject={"reference": reference})).about == ("Patient/p1",)
    assert read(one, encounter(subject={"reference": "Group/g"})).about == ()
    assert read(one, encounter(subject={"display": "someone"})).about == ()


def test_a_reference_by_urn_is_known_by_what_it_resolves_to():
    one = mapping(rule(), rule("patient", "%changed", on="Patient"))
    message = alone()
    patient = {"resourceType": "Patient", "id": "p7"}
    message = type(message)(None, {"urn:uuid:1": patient}.get, "", message.now)
    assert read(one, encounter(subject={"reference": "urn:uuid:1"}), message).about == ("Patient/p7",)


def test_contained_resources_resolve():
    one = mapping(rule(**{"with": {"unit": {"name": "serviceProvider.resolve().name"}}}))
    inside = [{"resourceType": "Organization", "id": "o", "name": "Ward"}]
    found = read(one, encounter(contained=inside, serviceProvider={"reference": "#o"})).fact.signals[0]
    assert found.fields == {"unit": {"name": "Ward"}}
    missing = read(one, encounter(contained=inside, serviceProvider={"reference": "#x"})).fact.signals[0]
    assert missing.fields == {}
    outside = read(one, encounter(contained=inside, serviceProvider={"reference": "Organization/x"}))
    assert outside.fact.signals[0].fields == {}


def test_names_are_found_once_and_only_where_a_rule_asks():
    """`trouble` would be a fault: two ids where one is asked for."""
    one = mapping(
        rule(when="%here"),
        rule("discharged", "period.end", when="%trouble"),
        let={"here": "status = 'in-progress'", "trouble": "(1 | 2) = 'x'.length() + (1 | 2)"},
    )
    with pytest.raises(MappingError, match="let trouble cannot be evaluated"):
        read(one, encounter())
    one = mapping(rule(when="%here"), let={"here": "status = 'in-progress'", "trouble": "(1 | 2) + 1"})
    assert [s.kind for s in read(one, encounter()).fact.signals] == [SignalKind.ADMITTED]


TABLE = concept_map(
    "how",
    {
        "resourceType": "ConceptMap",
        "group": [{"source": "urn:s", "element": [{"code": "a", "target": [{"code": "home"}]}]}],
    },
)


def ward(start, name):
    return {"period": {"start": start}, "location": {"display": name}}


EACH = [
    # the locations, what each says, and why
    ([], [], "no element, no signal"),
    ([ward(START, "A")], [(START, "A")], "one"),
    ([ward(START, "A"), ward("2024-03-05T10:00:00+01:00", "B")], [(START, "A"), ("2024-03-05T10:00:00+01:00", "B")], "each with its own time"),
    ([ward(START, "A"), ward(START, "B")], [(START, "A"), (START, "B")], "two of one time"),
]  # fmt: skip


@pytest.mark.parametrize(("locations", "expected", "because"), EACH)
def test_a_rule_may_give_a_signal_for_each_element(locations, expected, because):
    one = mapping(
        rule(
            "transferred",
            each="location",
            at="%each.period.start",
            **{"with": {"unit": {"name": "%each.location.display"}}},
        ),
        rule("admitted"),
    )
    steps = []
    reading = read(one, encounter(location=locations), trace=steps)
    moved = [signal for signal in reading.fact.signals if signal.kind == "transferred"]
    assert [(signal.at.isoformat(), signal.fields["unit"]["name"]) for signal in moved] == [
        (span(at).first.isoformat(), name) for at, name in expected
    ], because
    matched = [step for step in steps if step.rule == "transferred"]
    assert [step.matched for step in matched] == ([True] * len(expected) or [False])
    assert expected or matched[0].why_not == "`each` finds nothing"


def test_a_code_goes_through_a_table_in_a_name_and_in_a_field():
    how = {"from": "hospitalization.dischargeDisposition", "map": "how"}
    one = mapping(
        rule("discharged", "period.start", when="%how = 'home'", **{"with": {"destination": how}}),
        tables={"how": TABLE},
        let={"how": how},
    )
    resource = encounter(
        hospitalization={"dischargeDisposition": {"coding": [{"system": "urn:s", "code": "a"}]}}
    )
    assert read(one, resource).fact.signals[0].fields == {"destination": "home"}


WORD = "Hemligsson"
FAULTS = [
    # mapping, resource, what is said of it
    (mapping(), encounter(period={}), "rule admitted: `at` finds no time: period.start"),
    (
        mapping(rule(at="statusHistory.period.start")),
        encounter(statusHistory=[{"status": "planned", "period": {"start": START}}] * 2),
        "rule admitted: `at` finds more than one time",
    ),
    (mapping(rule(at="id")), encounter(id=WORD), "rule admitted: `at` is no date"),
    (mapping(rule(at="period")), encounter(), "rule admitted: `at` is no date"),
    (
        mapping(rule(at="period.start")),
        encounter(period={"start": "2024-03-04T14:20:00"}),
        "rule admitted: `at` has no time zone",
    ),
    (
        mapping(rule("ready")),
        encounter(period={"start": "2024-03-04"}),
        "rule ready: `at` is given to the day only; ready needs the time of day",
    ),
    (
        mapping(rule("ready-withdrawn")),
        encounter(period={"start": "2024-03"}),
        "rule ready-withdrawn: `at` is given to the month only; ready-withdrawn needs the time of day",
    ),
    (
        mapping(rule("admission-notice-sent")),
        encounter(period={"start": "2024"}),
        "`at` is given to the year only; admission-notice-sent needs the time of day",
    ),
    *(
        (
            mapping(rule(**{"with": {field: "period.end"}})),
            encounter(period={"start": START, "end": end}),
            f"rule admitted: field {field} is outside the years 1900 to 2199",
        )
        for field in ("expected", "meeting_at")
        for end in ("9999-12-31", "2200-01-01T00:00:00+01:00", "9999")
    ),
    (
        mapping(rule(**{"with": {"expected": "id"}})),
        encounter(id=WORD),
        "rule admitted: field expected is no date",
    ),
    (
        mapping(rule(when="(1 | 2).toString() = id")),
        encounter(id=WORD),
        "rule admitted: `when` cannot be evaluated",
    ),
    (
        mapping(rule(**{"with": {"care_form": "id"}})),
        encounter(id=WORD),
        "rule admitted: field care_form is none of psychiatric, somatic",
    ),
    (
        mapping(rule(**{"with": {"compulsory": "id"}})),
        encounter(id=WORD),
        "rule admitted: field compulsory is neither true nor false",
    ),
    (
        mapping(rule(**{"with": {"municipality": "id"}})),
        encounter(id=WORD),
        "rule admitted: field municipality is no kommunkod",
    ),
    (
        mapping(rule(**{"with": {"name": "identifier.value"}})),
        encounter(identifier=[{"value": WORD}, {"value": "2"}]),
        "rule admitted: field name was found more than once",
    ),
    (mapping(rule(**{"with": {"name": "period"}})), encounter(), "rule admitted: field name is no text"),
    (
        mapping(rule(**{"with": {"organizations": "period"}})),
        encounter(),
        "rule admitted: field organizations is no list of texts",
    ),
    (
        mapping(rule(**{"with": {"destination": {"from": "id", "map": "how"}}}), tables={"how": TABLE}),
        encounter(id=WORD),
        "field destination has a code that the table how does not hold",
    ),
    (
        mapping(rule(when="%how = 'home'"), tables={"how": TABLE}, let={"how": {"from": "id", "map": "how"}}),
        encounter(id=WORD),
        "let how has a code that the table how does not hold",
    ),
    (mapping(identity="identifier.value"), encounter(), "`identity` finds nothing, or more than one"),
    (mapping(case="'a' | 'b'"), encounter(), "`case` finds no key, or more than one"),
    (mapping(version="{}"), encounter(), "`version` finds nothing"),
    (mapping(version="id"), encounter(id=WORD), "`version` is no date"),
    (
        mapping(version="period.start"),
        encounter(period={"start": "9999-12-31"}),
        "`version` is outside the years 1900 to 2199",
    ),
    (mapping(case="'key'"), {k: v for k, v in encounter().items() if k != "id"}, "the resource has no id"),
]


@pytest.mark.parametrize(("one", "resource", "rule_said"), FAULTS, ids=[row[2][:60] for row in FAULTS])
def test_a_fault_names_path_and_rule_and_no_value(one, resource, rule_said):
    with pytest.raises(MappingError) as fault:
        read(one, resource)
    (problem,) = fault.value.problems
    assert problem.expression == "Encounter"
    assert problem.rule.startswith("test: ")
    assert rule_said in problem.rule
    assert WORD not in str(fault.value)
    assert START not in str(fault.value)


@pytest.mark.parametrize(
    "far", ["0001", "1899-12-31", "9999-12", "9999-12-31T23:59:59+14:00", "0001-01-01T00:00:00+14:00"]
)
def test_a_time_that_cannot_be_used_is_the_fault_of_the_resource(far):
    """Not of the mapping: it is refused at once, with the path of the element."""
    with pytest.raises(ResourceError) as fault:
        read(mapping(), encounter(period={"start": far}))
    (problem,) = fault.value.problems
    assert problem == Problem(
        "value",
        "rule admitted: `at` is outside the years 1900 to 2199: period.start",
        "Encounter.period.start",
    )


def test_fields_take_their_shape():
    one = mapping(
        rule(
            **{
                "with": {
                    "identifiers": "identifier",
                    "expected": "period.end",
                    "meeting_at": "period.start",
                    "coordinator": True,
                    "organizations": "identifier.system",
                    "name": "nothing",
                    "unit": {"id": "nothing"},
                }
            }
        )
    )
    identifier = [{"system": "urn:b", "value": "2"}, {"system": "urn:a", "value": "1"}, {"system": "urn:c"}]
    found = read(one, encounter(identifier=identifier, period={"start": START, "end": "2024-03-08"}))
    assert found.fact.signals[0].fields == {
        "identifiers": [{"system": "urn:a", "value": "1"}, {"system": "urn:b", "value": "2"}],
        "expected": "2024-03-08",
        "meeting_at": "2024-03-04T13:20:00+00:00",
        "coordinator": True,
        "organizations": ["urn:a", "urn:b", "urn:c"],
    }


TIMES = [
    # signal, what is given, the instant, fields, because
    ("admitted", "2024-03-04", "2024-03-03T23:00:00+00:00", {}, "a start: the midnight that the day begins with"),
    ("admitted", "2024-07-01", "2024-06-30T22:00:00+00:00", {}, "in summer time"),
    ("admitted", "2024-03-04T14:20:00+01:00", "2024-03-04T13:20:00+00:00", {}, "an instant is what it is"),
    ("admitted", "2024-03", "2024-02-29T23:00:00+00:00", {"precision": "month"}, "the first of the month"),
    ("discharged", "2024-03-04", "2024-03-04T22:59:59.999999+00:00", {}, "R4 datatypes#Period: an end includes the day"),
    ("discharged", "2024-03", "2024-03-31T21:59:59.999999+00:00", {"precision": "month"}, "and the month"),
    ("deceased", "2024", "2024-12-31T22:59:59.999999+00:00", {"precision": "year"}, "and the year"),
    ("transferred-out", "2024-03-04", "2024-03-04T22:59:59.999999+00:00", {}, "an end"),
    ("leave-ended", "2024-03-04", "2024-03-04T22:59:59.999999+00:00", {}, "an end"),
    ("leave-started", "2024-03-04", "2024-03-03T23:00:00+00:00", {}, "a start"),
    ("discharged", "2016-12-31T23:59:60Z", "2016-12-31T23:59:59.999999+00:00", {}, "R4 datatypes#dateTime: a leap second"),
]  # fmt: skip


@pytest.mark.parametrize(("signal", "given", "instant", "fields", "because"), TIMES)
def test_a_time_is_read_as_what_its_signal_makes_of_it(signal, given, instant, fields, because):
    (said,) = read(mapping(rule(signal)), encounter(period={"start": given})).fact.signals
    assert said.at.isoformat() == instant, because
    assert said.fields == fields, because


PLANNED = [
    # field, what is given, its value, because
    ("expected", "2024-03-08", "2024-03-08", "a date stays a date"),
    ("expected", "2024-02", "2024-02-29", "an end: the last day that it may be"),
    ("expected", "2024", "2024-12-31", "an end"),
    ("expected", "2024-03-08T11:00:00+01:00", "2024-03-08T10:00:00+00:00", "an instant, in UTC"),
    ("meeting_at", "2024-03-08", "2024-03-07T23:00:00+00:00", "a moment: its beginning"),
    ("meeting_at", "2024-03-08T23:59:60+01:00", "2024-03-08T22:59:59.999999+00:00", "a leap second"),
]


@pytest.mark.parametrize(("field", "given", "value", "because"), PLANNED)
def test_a_time_in_a_field(field, given, value, because):
    one = mapping(rule(**{"with": {field: "period.end"}}))
    found = read(one, encounter(period={"start": START, "end": given}))
    assert found.fact.signals[0].fields == {field: value}, because


def test_a_time_that_no_rule_reads_is_passed_over():
    given = {"start": START, "end": "9999-12-31T23:59:59+14:00"}
    assert [signal.kind for signal in read(mapping(), encounter(period=given)).fact.signals] == ["admitted"]


def test_a_stamp_that_cannot_be_used_ranks_as_none():
    """Whoever takes in what was sent refuses it; what was stored by an earlier release is still read."""
    far = read(mapping(), encounter(meta={"lastUpdated": "0001-01-01T00:00:00Z"}), alone(BUNDLE, "2024"))
    assert far.fact.order[1] == "2024"


def test_the_trace_tells_what_matched_and_why_the_rest_did_not():
    one = mapping(
        rule(),
        rule("discharged", "period.end", when="status = 'finished' and period.end.exists()"),
        rule("deceased", "period.end", when="status = 'x' or status = 'y'"),
    )
    said, ended, died = traced(one, encounter())
    assert (said.matched, said.signal, said.at, said.found_at) == (
        True,
        "admitted",
        "2024-03-04T13:20:00Z",
        "period.start",
    )
    assert (ended.matched, ended.why_not) == (False, "does not hold: status = 'finished'")
    assert died.why_not == "does not hold: status = 'x' or status = 'y'"


WHEN = [
    # when, what is quoted
    ("status = 'in-progress' and id = 'no'", "id = 'no'"),
    ("(status = 'a' and id = 'b') and id = 'e1'", "(status = 'a' and id = 'b')"),
    ("id = 'x and y' and status = 'in-progress'", "id = 'x and y'"),
    ("id = 'x' implies status = 'y' and id = 'e1'", None),
    (
        "status.where($this = 'a' and true).exists() and id = 'e1'",
        "status.where($this = 'a' and true).exists()",
    ),
    (
        "id.exists() and (id = 'e1' and status = 'no').not().not()",
        "(id = 'e1' and status = 'no').not().not()",
    ),
    ("period.end.exists()", "period.end.exists()"),
    ("nothing and status.nothing", "nothing"),
    ("id = 'x' /* this and that */ and id = 'y'", "id = 'x' /* this and that */ and id = 'y'"),
]


@pytest.mark.parametrize(("when", "quoted"), WHEN)
def test_the_first_part_that_does_not_hold_is_quoted(when, quoted):
    (step,) = traced(mapping(rule(when=when)), encounter())
    assert step.why_not == (None if quoted is None else f"does not hold: {quoted}")


def test_a_void_version_is_in_the_trace():
    (step,) = traced(mapping(), encounter(status="entered-in-error"))
    assert (step.rule, step.matched, step.at) == ("void", True, None)


def test_the_trace_changes_nothing():
    one = mapping(rule(), rule("discharged", "period.end", when="status = 'finished'"))
    assert read(one, encounter(), trace=[]) == read(one, encounter())


def test_a_resource_of_another_version_is_seen_through_the_view():
    one = mapping(
        rule(
            **{
                "with": {
                    "care_form": "'somatic'",
                    "name": "%bundle.entry.resource.ofType(Encounter).class.code",
                }
            }
        )
    )
    r5 = {
        "resourceType": "Encounter",
        "id": "e1",
        "status": "in-progress",
        "class": [{"coding": [{"code": "IMP"}]}],
        "actualPeriod": {"start": START},
    }
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": r5}, {"fullUrl": "urn:x"}],
    }
    found = read(one, r5, alone(bundle), fhir="R5").fact.signals[0]
    assert (found.at.isoformat(), found.fields["name"]) == ("2024-03-04T13:20:00+00:00", "IMP")
    assert read(one, encounter(), alone(), fhir="R4B").fact.signals


def test_what_is_resolved_is_seen_through_the_view_too():
    one = mapping(rule("ready", "encounter.resolve().ofType(Encounter).period.start", on="Task"))
    r5 = {"resourceType": "Encounter", "id": "e1", "actualPeriod": {"start": START}}
    message = type(alone())(None, {"Encounter/e1": r5}.get, "", alone().now)
    assert read(one, task(encounter={"reference": "Encounter/e1"}), message, fhir="R5").fact.signals
    with pytest.raises(MappingError, match="finds no time"):
        read(one, task(encounter={"reference": "Encounter/e2"}), message, fhir="R5")


def test_reading_leaves_the_message_as_it_was():
    resource = encounter(identifier=[{"value": "v"}])
    before = json.dumps(resource)
    read(mapping(rule(**{"with": {"identifiers": "identifier"}})), resource)
    assert json.dumps(resource) == before


def test_what_the_library_answers_may_use_names_too():
    one = mapping(
        rule(when="%over or subject.resolve().deceased.ofType(boolean).empty()"),
        let={"over": "status = 'finished'", "never": "(1 | 2) + 1"},
    )
    assert read(one, encounter()).fact.signals


def test_a_mapping_made_of_a_value_tells_its_faults_too():
    with pytest.raises(SetupError, match=r"rules\.0\.at: line 1, column 8"):
        mapping(rule(at="period("))


def test_a_name_that_hl7_fixes_needs_no_let():
    one = mapping(rule(when="%ucum = 'http://unitsofmeasure.org'"))
    assert read(one, encounter()).fact.signals


def test_names_are_those_found_so_far():
    names = Names({"now": "x"}, {"later": lambda: [{"a": 1}]})
    assert (list(names), len(names), "later" in names) == (["now"], 1, True)
    assert names["later"] == {"a": 1}
    assert (list(names), len(names), names.get("none")) == (["now", "later"], 2, None)
