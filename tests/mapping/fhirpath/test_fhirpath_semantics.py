"""What expressions mean, table by table; the last column says why (FHIRPath N1, or FHIR's use of it)."""

from decimal import Decimal

import pytest

from adapter.mapping.fhirpath import FhirPathError, compile_expression

NOW = {"now": "2026-03-01T12:00:00.000+01:00"}
PATIENT = {
    "resourceType": "Patient",
    "id": "p1",
    "active": True,
    "name": [
        {"use": "official", "family": "Ek", "given": ["Anna", "Maria"]},
        {"use": "nickname", "given": ["Ann"]},
    ],
    "_birthDate": {"extension": [{"url": "http://x.example/absent", "valueCode": "unknown"}]},
    "gender": "female",
    "_gender": {"id": "g1", "extension": [{"url": "http://x.example/why", "valueString": "said so"}]},
    "deceasedDateTime": "2026-02-01T10:00:00+01:00",
    "multipleBirthInteger": 2,
    "contained": [{"resourceType": "Organization", "id": "o1", "name": "Inside"}],
    "managingOrganization": {"reference": "#o1"},
    "generalPractitioner": [{"reference": "Practitioner/1"}, {"display": "nobody"}],
}
OBSERVATION = {
    "resourceType": "Observation",
    "status": "final",
    "valueQuantity": {"value": 6.5, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"},
    "effectivePeriod": {"start": "2026-01-01T10:00:00+01:00", "end": "2026-01-01T09:30:00Z"},
    "component": [{"valueInteger": 3}, {"valueString": "a"}, {"valueBoolean": False}],
    "extension": [
        {"url": "http://x.example/age", "valueAge": {"value": 3, "code": "a"}},
        {"url": "http://x.example/two", "valueString": "first"},
        {"url": "http://x.example/two", "valueString": "second"},
    ],
}


def ask(text, resource=None, context=None, resolver=None):
    expression = compile_expression(text)
    resource = {} if resource is None else resource
    assert expression.compiled_for(resource, context)
    return expression(resource, context, resolver)


TRI = {"true": True, "false": False, "{}": None}
THREE_VALUED = {
    "and": lambda a, b: False if False in (a, b) else None if None in (a, b) else True,
    "or": lambda a, b: True if True in (a, b) else None if None in (a, b) else False,
    "xor": lambda a, b: None if None in (a, b) else a is not b,
    "implies": lambda a, b: True if a is False or b is True else None if None in (a, b) else b,
}


@pytest.mark.parametrize("op", THREE_VALUED)
@pytest.mark.parametrize("left", TRI)
@pytest.mark.parametrize("right", TRI)
@pytest.mark.parametrize("shape", ["{} {} {}", "%a.where(true) {1} %b.where(true)"])
def test_logic_has_three_values(op, left, right, shape):
    """N1, 6.5, written out and through variables, so that folding and evaluation both are held to it."""
    wanted = THREE_VALUED[op](TRI[left], TRI[right])
    text = f"{left} {op} {right}" if shape == "{} {} {}" else shape.replace("{1}", op)
    context = {"a": TRI[left], "b": TRI[right]}
    assert ask(text, context=context) == ([] if wanted is None else [wanted])


@pytest.mark.parametrize(
    ("text", "wanted", "because"),
    [
        ("@2018-03 < @2018-04-01", [True], "months differ: decided (6.2)"),
        ("@2018-03 < @2018-03-01", [], "one has no day: open"),
        ("@2018-03-01 = @2018-03-01", [True], "same precision"),
        ("@2018 = @2019-01-01", [False], "years differ: decided"),
        ("@2018-03-01T10:30:00 = @2018-03-01T10:30:00.0", [True], "second and fraction are one precision"),
        ("@2018-03-01T10:30 = @2018-03-01T10:30:00", [], "one has no second: open"),
        ("@2018-03-01T10:30:00+01:00 = @2018-03-01T09:30:00Z", [True], "the same instant"),
        ("@2018-03-01T23:30:00-02:00 > @2018-03-02T00:30:00Z", [True], "offsets count over midnight"),
        ("@2018-03-01T10:00:00Z = @2018-03-01T10:00:00", [], "one has no offset: open"),
        ("@2018-03-01T10:00:00Z < @2018-03-02T00:00:00", [], "14 hours apart: an offset may even it out"),
        ("@2018-03-01T10:00:00Z < @2018-03-02T00:01:00", [True], "more than 14 hours: no offset does"),
        ("@2018-03-02T00:01:00 > @2018-03-01T10:00:00Z", [True], "the same from the other side"),
        ("@2018-03-01 < @2018-03-02T10:00:00Z", [True], "a date has no offset: by its own fields"),
        ("@T10:30 < @T10:31", [True], "times of day have an order"),
        ("@T10:30 = @2018-03-01", [False], "a time is no date"),
        ("@2018-03-01 ~ @2018-03", [False], "equivalence is never open (6.1.3)"),
        ("@2018-03-01T10:00:00Z ~ @2018-03-01T11:00:00+01:00", [True], "the same instant"),
        ("@2018-01-31 + 1 month", ["2018-02-28"], "the last day of a shorter month (6.6.7)"),
        ("@2020-02-29 + 1 year", ["2021-02-28"], "no 29 February that year"),
        ("@2018-03 + 40 days", ["2018-04"], "to the precision of the left side: 40 days are one month"),
        ("@2018 + 13 months", ["2019"], "13 months are one year"),
        ("@2018 - 800 days", ["2016"], "800 days are two years"),
        ("@2018-03-01 - 1 day", ["2018-02-28"], "over the end of a month"),
        ("@2018-03-01 + 47 hours", ["2018-03-02"], "47 hours are one whole day"),
        ("@2018-03-01T10 + 90 minutes", ["2018-03-01T11"], "90 minutes are one whole hour"),
        ("@2018-03-01T10:30 + 90 seconds", ["2018-03-01T10:31"], "90 seconds are one whole minute"),
        ("@2018-03-01T10:30:00+01:00 + 1500 milliseconds", ["2018-03-01T10:30:01.500+01:00"], "a fraction"),
        ("@2018-03-01T10:30:00Z - 1 second", ["2018-03-01T10:29:59Z"], "the offset stays"),
        ("@2018-03-01T10:30:00-05:30 + 1 hour", ["2018-03-01T11:30:00-05:30"], "the offset stays"),
        ("@T23:30 + 1 hour", ["00:30"], "a time goes round at midnight"),
        ("@T23:30 + 1 month", [], "a time has no months"),
        ("@9999-12-31 + 1 day", [], "no year 10000"),
        ("@2016-12-31T23:59:60Z > @2016-12-31T23:59:59.5Z", [True], "R4 datatypes#dateTime: a leap second"),
        ("@2016-12-31T23:59:60Z < @2017-01-01T01:00:00+01:00", [True], "before the next minute"),
        ("@2016-12-31T23:59:60Z + 1 second", ["2017-01-01T00:00:00.999Z"], "no arithmetic counts it"),
        ("'2016-12-31T23:59:61Z'.toDateTime()", [], "there are no two of them"),
        ("@T23:59:60 > @T23:59:59", [True], "R4 datatypes#time: of a day too"),
        ("@9999-12 + 1 month", [], "no year 10000"),
        (
            "@0001-01-01T00:30:00+14:00 < @2000-01-01T00:00:00Z",
            [True],
            "before year 1 in UTC, still in order",
        ),
    ],
)
def test_dates_have_a_precision(text, wanted, because):
    assert ask(text) == wanted, because


@pytest.mark.parametrize(
    ("text", "wanted", "because"),
    [
        ("Observation.effective.start < Observation.effective.end", [True], "dateTime by the model"),
        ("Observation.effective.start = @2026-01-01T09:00:00Z", [True], "read as a date beside a literal"),
        (
            "%o.effective.start < %o.effective.end",
            [True],
            "the type of a variable that is a resource is seen",
        ),
        ("%part.start < %part.end", [True], "unknown, but both look like instants"),
        ("%part.a < %part.b", [True], "unknown and short: text"),
        ("%part.start = %part.start", [True], "the same text"),
        ("Observation.effective.start = 'x'", [False], "no date: compared as text"),
        ("Observation.status = @2026", [False], "a code is no date"),
        ("Observation.status < 'zzz'", [True], "text has an order"),
        ("Observation.value < 7 'kg'", [True], "a FHIR Quantity is a System.Quantity"),
        ("Observation.value > 6400 'g'", [True], "units of one kind are converted"),
        ("Observation.value = 6500 'g'", [True], "same"),
        ("Observation.value = 1 's'", [], "no common measure: open"),
        ("Observation.value.value = 6.5", [True], "a float of JSON is the decimal it reads as"),
        ("Observation.value.value * 3 = 19.5", [True], "exact, not binary"),
        ("%f + %f + %f = 0.3", [True], "0.1 three times, exact"),
        ("1 = true", [False], "a boolean is no number"),
        ("%n = %n", [True], "objects are equal by content"),
        ("%n ~ %m", [True], "equivalent by content, without case"),
        ("%n = %m", [False], "case counts in equality"),
        ("(%n | %m | %n).count()", [2], "each object once"),
        ("%n.list ~ %m.list", [True], "lists in any order"),
        ("(1 | 1.0 | 2).count()", [2], "1 and 1.0 are one"),
        ("(true | 1).count()", [2], "true and 1 are two"),
        ("(@2018 | @2018 | 'x').count()", [2], "equal dates are one"),
    ],
)
def test_json_values_compare_as_what_they_are(text, wanted, because):
    context = {
        "o": OBSERVATION,
        "part": {"start": "2026-01-01T10:00:00+01:00", "end": "2026-01-01T09:30:00Z", "a": "1", "b": "2"},
        "f": 0.1,
        "n": {"a": [1, 2.0], "b": "Up", "list": ["A", "b"]},
        "m": {"a": [1, 2], "b": "up", "list": ["b", "a"]},
    }
    assert ask(text, OBSERVATION, context) == wanted, because


@pytest.mark.parametrize(
    ("fhir", "resource", "text", "wanted"),
    [
        ("R4", OBSERVATION, "value.unit", ["kg"]),
        ("R4", OBSERVATION, "value.ofType(Quantity).value", [Decimal("6.5")]),
        ("R4", OBSERVATION, "value.ofType(string)", []),
        ("R4", OBSERVATION, "(value as Quantity).code", ["kg"]),
        ("R4", OBSERVATION, "value is Quantity", [True]),
        ("R4", OBSERVATION, "value is Period", [False]),
        ("R4", OBSERVATION, "effective.start", ["2026-01-01T10:00:00+01:00"]),
        ("R4", OBSERVATION, "component.value", [3, "a", False]),
        ("R4", OBSERVATION, "component.value.ofType(boolean)", [False]),
        ("R4", OBSERVATION, "extension('http://x.example/age').value is Quantity", [True]),
        ("R4", OBSERVATION, "extension('http://x.example/two').value", ["first", "second"]),
        ("R4", OBSERVATION, "extension('http://x.example/' & 'two').value.first()", ["first"]),
        ("R4", PATIENT, "deceased", ["2026-02-01T10:00:00+01:00"]),
        ("R4", PATIENT, "deceased is boolean", [False]),
        ("R4", PATIENT, "multipleBirth = 2", [True]),
        ("R4", {"resourceType": "MessageHeader", "eventCoding": {"code": "e"}}, "event.code", ["e"]),
        ("R5", {"resourceType": "MessageHeader", "eventCoding": {"code": "e"}}, "event.code", ["e"]),
        ("R4", {"resourceType": "Provenance", "occurredDateTime": "2026"}, "occurred", ["2026"]),
        ("R5", {"resourceType": "Condition", "onsetAge": {"value": 3}}, "onset.value", [3]),
        ("R4B", {"resourceType": "Encounter", "class": {"code": "IMP"}}, "class.code", ["IMP"]),
        (
            "R5",
            {"resourceType": "Encounter", "class": [{"coding": [{"code": "IMP"}]}]},
            "class.coding.code",
            ["IMP"],
        ),
        (
            "R5",
            {"resourceType": "Encounter", "actualPeriod": {"start": "2026"}},
            "actualPeriod.start < @2027",
            [True],
        ),
        ("R4", {"url": "u", "valueString": "s"}, "value", ["s"]),
        ("R4", {"resourceType": "NoSuch", "value": 1, "valueString": "s"}, "value", [1]),
        ("R4", {"resourceType": ["odd"], "status": "s"}, "status", ["s"]),
        ("R4", {"valueless": 1}, "value", []),
    ],
)
def test_a_choice_is_asked_for_by_its_own_name(fhir, resource, text, wanted):
    assert compile_expression(text, fhir=fhir)(resource) == wanted


@pytest.mark.parametrize(
    ("text", "wanted", "because"),
    [
        ("birthDate", [], "no value to give"),
        ("birthDate.exists()", [True], "but the element is there, for its extension"),
        ("birthDate.hasValue()", [False], "FHIR: hasValue()"),
        ("birthDate.getValue()", [], "FHIR: getValue()"),
        ("birthDate.extension('http://x.example/absent').value", ["unknown"], "found beside it in JSON"),
        ("birthDate = @2000", [], "no value: nothing to compare"),
        ("birthDate.toString()", [], "nor to convert"),
        ("birthDate.empty()", [False], "the element is there"),
        ("iif(birthDate, 1, 2)", [2], "no value is no condition"),
        ("gender.extension.value", ["said so"], "an extension beside a value"),
        ("gender.id", ["g1"], "so is its id"),
        ("gender.hasValue()", [True], "one primitive with a value"),
        ("gender.getValue()", ["female"], "its value"),
        ("name.hasValue()", [False], "no primitive"),
        ("name.given.extension('http://x.example/none')", [], "none there"),
        ("children().where($this = 'female')", ["female"], "children are elements"),
        ("children().where($this = 'Patient')", [], "resourceType is none"),
        ("descendants().where($this = 'Patient')", [], "nor is it below"),
        ("descendants().where($this = 'said so')", ["said so"], "extensions of primitives are below them"),
        ("descendants().where($this = 'unknown').count()", [1], "of those without a value too"),
        ("children().hasValue()", [False], "many"),
    ],
)
def test_primitives_may_have_extensions_and_no_value(text, wanted, because):
    assert ask(text, PATIENT) == wanted, because


def test_nulls_of_repeating_primitives_stand_for_extensions():
    name = {
        "given": ["A", None, None, "B"],
        "_given": [None, {"extension": [{"url": "u", "valueCode": "x"}]}],
    }
    patient = {"resourceType": "Patient", "name": [name, {"_given": [None, {"id": "i"}]}]}
    assert ask("name.given", patient) == ["A", "B"]
    assert ask("name.given.count()", patient) == [4]
    assert ask("name.given.extension('u').value", patient) == ["x"]
    assert ask("name.given.select($this.hasValue())", patient) == [True, False, True, False]
    assert ask("name.given.distinct().count()", patient) == [4]
    assert ask("name.given.join('-')", patient) == ["A-B"]
    assert ask("name.where(given.exists()).count()", {**patient, "name": [None, name]}) == [1]


@pytest.mark.parametrize(
    ("text", "wanted", "because"),
    [
        ("Patient.name.family", ["Ek"], "the type heads the path"),
        ("Resource.id", ["p1"], "any type it is a kind of does"),
        ("Encounter.name", [], "another type has nothing here"),
        ("Patient is DomainResource", [True], "kinds count"),
        ("$this is Patient", [True], "$this is the resource at the root"),
        ("is(FHIR.Patient)", [True], "the same as a function"),
        ("gender is code", [True], "by the model"),
        ("gender is string", [True], "a code is a string"),
        ("gender.ofType(string)", [], "HL7's suite: not a kind of a primitive"),
        ("name.ofType(HumanName).use", ["official", "nickname"], "each item"),
        ("contained.ofType(Organization).name", ["Inside"], "by resourceType"),
        ("contained.where($this is Patient)", [], "same"),
        ("contained.name", ["Inside"], "a step from a resource of any type"),
        ("contained is string", [False], "a resource is no string"),
        ("%resource.gender", ["female"], "the root"),
        ("%context.gender | %rootResource.gender", ["female"], "the same root"),
        ("name.type().name", ["HumanName", "HumanName"], "reflection"),
        ("contact.type()", [], "nothing, no type"),
        ("1.type().namespace", ["System"], "a literal"),
        ("name[1].given[0]", ["Ann"], "counted from 0"),
        ("name[9]", [], "none there"),
        ("name[{}]", [], "no number, no item"),
        ("name.given.where($index = 1)", ["Maria"], "$index is its place"),
        ("name.select($index)", [0, 1], "the same in select"),
        ("name.all(given.exists())", [True], "all have one"),
        ("contact.all(false)", [True], "all of none"),
        ("name.exists($index = 1)", [True], "somewhere"),
        ("name.given.aggregate($total + $this.length(), 0)", [12], "Anna, Maria, Ann"),
        ("name.given.aggregate($index)", [2], "the last"),
        ("name.given.aggregate($total | $this).count()", [3], "from nothing"),
        ("name.select(given.combine(family))", ["Anna", "Maria", "Ek", "Ann"], "N1 5.4"),
        (
            "name.select($this.given | $this.use)",
            ["Anna", "Maria", "official", "Ann", "nickname"],
            "union each",
        ),
        ("coalesce(contact, gender, active)", ["female"], "the first that is there"),
        ("coalesce(contact)", [], "none is"),
        ("name.given.sort()", ["Ann", "Anna", "Maria"], "ascending"),
        ("name.given.sort(-$this)", ["Maria", "Anna", "Ann"], "descending"),
        ("name.sort(family).use", ["nickname", "official"], "those without come first"),
        ("name.given.sort(length(), -$this)", ["Ann", "Anna", "Maria"], "then by the next key"),
        ("name.given.trace('x', length())", ["Anna", "Maria", "Ann"], "no trace is kept"),
        ("name.repeat(given)", ["Anna", "Maria", "Ann"], "until nothing new comes"),
        ("name.given.subsetOf('Anna' | 'Maria' | 'Ann' | 'x')", [True], "all of it is there"),
        ("name.given.supersetOf('x')", [False], "x is not"),
        ("name.given.intersect('Ann' | 'x')", ["Ann"], "what both have"),
        ("name.given.exclude('Ann' | 'x')", ["Anna", "Maria"], "what the other has not"),
        ("{} in name.given", [], "N1 6.4: nothing is nowhere"),
        ("name.given contains 'Ann'", [True], "the other way round"),
        ("name.given.skip(-1).count()", [3], "skips none"),
        ("name.given.take({})", [], "no number, no items"),
        ("name.given.skip(1).first() & name.last().family", ["Maria"], "empty counts as ''"),
        ("active and name", "fault", "two items are no condition"),
        ("name.where(given)", "fault", "two items are no condition"),
        ("name.given = name.given", [True], "item by item"),
        ("name.given != name.given.tail()", [True], "not as many"),
        ("(birthDate | gender) = (birthDate | gender)", [], "one of the answers is open"),
        ("iif(contact.exists(), 1)", [], "no other branch"),
        ("contact.iif($this.exists(), 1, 2)", [2], "the focus is nothing"),
    ],
)
def test_paths_types_and_loops(text, wanted, because):
    if wanted == "fault":
        with pytest.raises(FhirPathError):
            ask(text, PATIENT)
    else:
        assert ask(text, PATIENT) == wanted, because


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1.5.toBoolean()", []),
        ("'T'.toBoolean()", [True]),
        ("'no'.toBoolean()", [False]),
        ("'maybe'.toBoolean()", []),
        ("@2018.toBoolean()", []),
        ("1.0.toInteger()", []),
        ("'12'.toInteger()", [12]),
        ("'+7'.toInteger()", [7]),
        ("true.toDecimal()", [Decimal(1)]),
        ("@2018.toDecimal()", []),
        ("'2018-03-01T10:00:00Z'.toDate()", ["2018-03-01"]),
        ("'2018-03-01'.toDateTime()", ["2018-03-01"]),
        ("'2018-13'.toDate()", []),
        ("'2018-02-30'.toDate()", []),
        ("'2018-03-01T25:00'.toDateTime()", []),
        ("'10:30'.toTime()", ["10:30"]),
        ("'10:61'.toTime()", []),
        ("@T10:30.toTime()", ["10:30"]),
        ("@T10:30.toDate()", []),
        ("@T10:30.toDateTime()", []),
        ("@2018.toTime()", []),
        ("1.toTime()", []),
        ("1.toDate()", []),
        ("'4 days'.toQuantity()", [{"value": Decimal(4), "unit": "days"}]),
        ("'4 \\'mg\\''.toQuantity().value", []),
        ("'4 mg'.toQuantity()", []),
        ("(2 'g').toQuantity('mg').toString()", ["2000 'mg'"]),
        ("(2 'g').toQuantity('s')", []),
        ("'x'.toQuantity('s')", []),
        ("@2018.toQuantity()", []),
        ("true.toQuantity().toString()", ["1 '1'"]),
        ("(3 'mg').toQuantity().toString()", ["3 'mg'"]),
        ("7 days.toQuantity('week').toString()", ["1 week"]),
        ("@2018-03.toString()", ["2018-03"]),
        ("1.50.toString()", ["1.50"]),
        ("'abc'.substring(1, 1)", ["b"]),
        ("'abc'.substring(1, -1)", [""]),
        ("'abc'.substring({})", []),
        ("'abcb'.lastIndexOf('b')", [3]),
        ("'a,b'.split(',')", ["a", "b"]),
        ("'ab'.split('')", ["a", "b"]),
        ("{}.split(',')", []),
        ("{}.toChars()", []),
        ("{}.join(',')", []),
        ("('a' | 'b').join()", ["ab"]),
        ("('a' | 1).join()", "fault"),
        ("'zz'.decode('hex')", []),
        ("'61'.decode('hex')", ["a"]),
        ("'a'.decode('rot13')", []),
        ("'a'.encode('rot13')", []),
        ("'a'.escape('rot13')", []),
        ("'a'.unescape('rot13')", []),
        ("'\\\\u0041\\\\n'.unescape('json')", ["A\n"]),
        ("'abc'.matches('b' & '')", [True]),
        ("'abc'.matches('(' & '')", "fault"),
        ("'abc'.matches({})", []),
        ("'a1b2'.replaceMatches('([a-z])([0-9])', '$2$1')", ["1a2b"]),
        ("'a'.replaceMatches('a', '$1')", "fault"),
        ("'a'.replaceMatches('a', '\\\\\\\\1')", ["\\\\1"]),
        ("{}.replaceMatches('a', 'b')", []),
        ("1.startsWith('1')", "fault"),
        ("@2018-03.startsWith('2018')", [True]),
        ("('a' | 'b').upper()", "fault"),
        ("7 mod 2", [1]),
        ("7.5 mod 2", [Decimal("1.5")]),
        ("-7 div 2", [-3]),
        ("'a' * 2", "fault"),
        ("'a' + 1", "fault"),
        ("{} + 1", []),
        ("{} * 1", []),
        (
            "1 'kg' + 500 'g'",
            [{"value": Decimal("1.5"), "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"}],
        ),
        ("1 'kg' - 1 's'", "fault"),
        ("1 + 1 's'", "fault"),
        ("@2018 + 1 'kg'", "fault"),
        ("-'a'", "fault"),
        ("-{}", []),
        ("-(1 'kg') = -1 'kg'", [True]),
        ("+5", [5]),
        ("2.5.round()", [Decimal(3)]),
        ("2.345.round(2)", [Decimal("2.35")]),
        ("0.ln()", []),
        ("1.log(1)", []),
        ("2.power(-1)", [Decimal("0.5")]),
        ("2.power(3)", [8]),
        ("(-8).power(0.5)", []),
        ("9999.exp().exp()", []),
        ("'a'.abs()", "fault"),
        ("{}.abs()", []),
        ("'a'.floor()", "fault"),
        ("1.2.ceiling()", [2]),
        ("(true | false).allTrue()", [False]),
        ("(true | false).anyTrue()", [True]),
        ("(true | false).anyFalse()", [True]),
        ("(true | false).allFalse()", [False]),
        ("{}.allTrue()", [True]),
        ("(1 | 2).allTrue()", "fault"),
        ("1 < 'a'", "fault"),
        ("true < false", "fault"),
        ("@T10:00 < @2018", "fault"),
        ("1 'kg' < 'a'", "fault"),
        ("1 'kg' < 1 's'", []),
        ("1 year = 12 months", [True]),
        ("1 'a' = 1 year", []),
        ("4.04 'g' ~ 4 'g'", [True]),
        ("1 'g' ~ 1 's'", [False]),
        ("(1 | 2) ~ (2 | 3)", [False]),
        ("'A  b' ~ 'a B'", [True]),
        ("1 | 2.5", [1, Decimal("2.5")]),
        ("(1 | 2)[1.5]", "fault"),
        ("(1 | 2)['a']", "fault"),
        ("1.convertsToQuantity('s')", "syntax"),
        ("%`vs-x`", ["http://hl7.org/fhir/ValueSet/x"]),
        ("%'ext-x'", ["http://hl7.org/fhir/StructureDefinition/x"]),
    ],
)
def test_values_and_their_functions(text, wanted):
    """N1, 5.5-5.7 and 6.6: conversions, strings, numbers, quantities; "fault" where evaluation must fail."""
    if wanted == "syntax":
        with pytest.raises(Exception, match="takes 0 arguments"):
            compile_expression(text)
    elif wanted == "fault":
        with pytest.raises(FhirPathError):
            ask(text)
    else:
        assert ask(text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted", "because"),
    [
        ("value = 6.5 'kg'", [True], "a FHIR Quantity beside a literal"),
        ("value.toString()", ["6.5 'kg'"], "a FHIR Quantity has a text"),
        ("code.toString()", [], "any other object has none"),
        ("value.toQuantity() = value", [True], "it is one already"),
        ("5 = 5 '1'", [True], "a number is a quantity of 1"),
        ("component.sort(1).value", [3, "a", False], "equal keys leave the order as it was"),
        ("effective.ofType(Quantity)", [], "no form of this choice"),
        ("effective.start.x.y", [], "nothing is below a string"),
        ("component.code.coding.code", ["c1", "c2", "c3"], "through one and many, in order"),
        ("component.referenceRange.low.value", [1, 2], "through lists of lists"),
        ("%bounded.value > 3 'kg'", "fault", "less than five may be anything below"),
        ("%part.extension('u').value", ["s"], "an object of unknown type"),
        ("%part.note.extension('u').value", ["beside"], "a primitive of unknown type, by its path"),
        ("%text.select(extension('u'))", "fault", "a primitive that no path leads to"),
        ("%part.none.select(extension('u').value)", ["alone"], "an element without a value"),
        ("'ab:cd'.toTime()", [], "no digits"),
        ("'ab:cd'.toDate()", [], "same"),
        ("2 'kg' > 1", [], "a number has no kilograms"),
        ("10.power(64) * 10.power(64) > 1", [True], "large, but a number"),
        ("1000000000.exp() > 1", [], "beyond every decimal: empty"),
        ("10.power(64).toDecimal() / 0.0", [], "divided by zero"),
        ("10.power(64) mod 0.3", "fault", "more digits than a decimal holds"),
        ("%long mod 0.3", "fault", "the same while it is evaluated"),
        ("(1 | 2)[%part]", "fault", "an object is no place in a list"),
        ("extension.where(url = 'none').value", [], "an extension without a value"),
        ("subject.select(reference).extension('u')", "library", "a primitive away from its path"),
    ],
)
def test_corners(text, wanted, because):
    resource = {
        **OBSERVATION,
        "code": {"coding": [{"code": "x"}]},
        "extension": [{"url": "none", "extension": [{"url": "u"}]}],
        "subject": {"reference": "Patient/1"},
        "component": [
            {"valueInteger": 3, "code": {"coding": [{"code": "c1"}, {"code": "c2"}]}},
            {"valueString": "a", "code": {"coding": [{"code": "c3"}]}},
            {"valueBoolean": False, "referenceRange": [{"low": {"value": 1}}, {"low": {"value": 2}}]},
        ],
    }
    context = {
        "bounded": {"value": {"value": 5, "code": "kg", "comparator": "<"}},
        "part": {
            "extension": [{"url": "u", "valueString": "s"}, "odd"],
            "note": "n",
            "_note": {"extension": [{"url": "u", "valueString": "beside"}]},
            "_none": {"extension": [{"url": "u", "valueString": "alone"}]},
        },
        "text": "t",
        "long": 10**64,
    }
    if wanted == "fault":
        with pytest.raises(FhirPathError):
            ask(text, resource, context)
    elif wanted == "library":
        assert not compile_expression(text).compiled_for(resource)
    else:
        assert ask(text, resource, context) == wanted, because


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("contained.ofType(DomainResource).id", ["o1", "o2", "p3", "p4"]),
        ("contained.ofType(string)", []),
        ("contained.value", [1]),
        ("contained.deceased", [True, False]),
        ("contained.extension('u').value.unit", ["kg"]),
        ("iif(contained.exists(), contained, name).type()", "refused"),
        ("contained.where(Organization.exists()).id", ["o1"]),
        ("contained.select(Resource.id)", ["o1", "o2", "p3", "p4", "b5"]),
        ("contact.where(ContactPoint.exists())", []),
        ("name.where(HumanName.family.exists()).use", ["official"]),
        ("{}.select(Patient)", []),
    ],
)
def test_resources_of_any_type_are_told_by_resource_type(text, wanted):
    contained = [
        {
            "resourceType": "Organization",
            "id": "o1",
            "extension": [{"url": "u", "valueQuantity": {"unit": "kg"}}],
        },
        {"resourceType": "Observation", "id": "o2", "valueInteger": 1},
        {"resourceType": "Patient", "id": "p3", "deceasedBoolean": True},
        {"resourceType": "Patient", "id": "p4", "deceasedBoolean": False},
        {"resourceType": "Binary", "id": "b5"},
    ]
    patient = {**PATIENT, "contained": contained}
    expression = compile_expression(text)
    if wanted == "refused":
        assert not expression.compiled_for(patient)
    else:
        assert ask(text, patient) == wanted
