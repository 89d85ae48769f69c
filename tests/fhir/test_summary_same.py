"""The same facts are the same Bundle, byte for byte, but for the id and time of issue (settlement 8)."""

import json
from datetime import timedelta

import pytest

from adapter.fhir.decimals import dumps
from adapter.fhir.model import FhirVersion
from adapter.fhir.sheet import statement_id
from adapter.fhir.summary import bundle
from adapter.losus.days import months
from adapter.settlement.example import FIRST, worked_example
from adapter.settlement.settle import settle
from tests.fhir import summary_cases as cases

#: Where a time of issue may stand.
TIMES = {
    ("Bundle", "id"),
    ("Bundle", "timestamp"),
    ("MeasureReport", "date"),
    ("Invoice", "date"),
    ("ChargeItem", "enteredDate"),
    ("Provenance", "recorded"),
}


def test_settled_twice_from_shuffled_stays() -> None:
    rules, rates = cases.book().get(cases.JAMTLAND), cases.book().rates
    again = settle(reversed(worked_example()), rules, rates, tuple(months(FIRST, FIRST.plus(13))))
    assert dumps(bundle(again, cases.edition())) == dumps(bundle(cases.bilaga_9(), cases.edition()))


def test_issued_later_differs_in_id_and_time_alone() -> None:
    later = cases.edition(made_at=cases.MADE_AT + timedelta(days=400))
    first, second = (
        json.loads(dumps(bundle(cases.bilaga_9(), edition))) for edition in (cases.edition(), later)
    )
    pairs = [
        (first, second),
        *(
            (one["resource"], two["resource"])
            for one, two in zip(first.pop("entry"), second.pop("entry"), strict=True)
        ),
    ]
    differing = {
        (one["resourceType"], name) for one, two in pairs for name in one if one[name] != two.get(name)
    }
    assert differing == TIMES


def test_another_fact_is_another_statement() -> None:
    ids = {statement_id(one) for one in cases.bilaga_9()}
    assert len(ids) == len(cases.bilaga_9())


def test_months_of_one_rule_share_it() -> None:
    made = bundle(cases.bilaga_9(), cases.edition())
    kinds = [one["resource"]["resourceType"] for one in made["entry"]]
    assert kinds.count("Measure") == 1
    assert kinds.count("Organization") == 2
    assert kinds.count("ChargeItemDefinition") == 2  # 2018 and 2019
    assert kinds.count("MeasureReport") == 13
    assert kinds.count("Invoice") == 4


def test_other_terms_are_another_version_of_the_measure() -> None:
    rules, rates = cases.book().get(cases.VASTRA_GOTALAND), cases.book().rates
    changed = rules.changed(first_payable_day=5, clauses={})
    stays = (cases.stay("s", FIRST.plus(14).first, 2, "1480"),)
    told = [settle(stays, one, rates, (FIRST.plus(14),))[0] for one in (rules, changed)]
    made = bundle(told, cases.edition())
    rules_told = [one["resource"] for one in made["entry"] if one["resource"]["resourceType"] == "Measure"]
    assert len({one["url"] for one in rules_told}) == 1
    assert len({one["version"] for one in rules_told}) == 2
    assert len({one["id"] for one in rules_told}) == 2


def test_r4b_is_r4_but_for_the_id_of_the_bundle() -> None:
    r4, r4b = (
        bundle(cases.bilaga_9(), cases.edition(version)) for version in (FhirVersion.R4, FhirVersion.R4B)
    )
    assert r4 | {"id": ""} == r4b | {"id": ""}


@pytest.mark.parametrize("version", FhirVersion)
def test_base_makes_references_relative(version: FhirVersion) -> None:
    base = "https://losus.example.se/fhir"
    made = bundle(cases.bilaga_9()[4:5], cases.edition(version, base=base))
    for one in made["entry"]:
        resource = one["resource"]
        assert one["fullUrl"] == f"{base}/{resource['resourceType']}/{resource['id']}"
    assert b"urn:uuid:" not in dumps(made)


def test_nothing_to_tell_is_an_empty_collection() -> None:
    assert "entry" not in bundle((), cases.edition())


def test_no_stay_of_another_municipality_is_told() -> None:
    """A Bundle holds what its own statement holds: one municipality, its own stays."""
    stays = [cases.stay(f"at-{code}", FIRST.first, 5, code) for code in ("2303", "2380")]
    rules, rates = cases.book().get(cases.LAW), cases.book().rates
    for statement in settle(stays, rules, rates, (FIRST,)):
        (other,) = {"2303", "2380"} - {statement.municipality}
        assert f"at-{other}".encode() not in dumps(bundle([statement], cases.edition()))
