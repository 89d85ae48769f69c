"""Federations of municipalities: who is addressed, when, on which assumption, and who may read which topics.

Document 004: KSON gave its opinion and is sent the decision («Beslut skickas till … KSON»). That it pays for
Norrtälje is not confirmed by any document at hand, so the shipped file says `verified: false`.
"""

# ruff: noqa: E501 - a row stands on one line

import json
import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from pydantic import ValidationError
from typer.testing import CliRunner

from adapter.access.demands import demands
from adapter.agreements.check import check
from adapter.agreements.federation import Federations
from adapter.agreements.load import Book, default_folder, load_book
from adapter.agreements.rules import Rules
from adapter.agreements.schema import federations_schema
from adapter.commands.agreements import agreements_app
from adapter.commands.settle import print_statements
from adapter.errors import SetupError
from adapter.fhir.summary import bundle
from adapter.losus.days import Month
from adapter.marks import Marked
from adapter.outbound.access_lists import access_lists, strimzi
from adapter.outbound.topics import TopicTerms, cases_topic, events_topic, settlements_topic
from adapter.peppol.parties import IncompleteError
from adapter.peppol.statement import documents_as_xml
from adapter.settings import FederationSubscriber, Settings, Subscriber
from adapter.settlement.bulk import bulk
from adapter.settlement.ledger import by_name
from adapter.settlement.plain import columns_of_rows
from adapter.settlement.render import json_lines, statement_json
from adapter.settlement.settle import settle
from tests import cli
from tests.fhir.summary_cases import edition
from tests.peppol.peppol_cases import BUYER, INVOICING, MAY, REGION, run
from tests.settlement.making import LUS, STHLM, book, days_of, one_price, rules, span

TODAY = date(2026, 11, 22)
HEAD = "documents: {d: {title: D}}\nfederations:\n"
SOUND = "  f: {name: F, members: [2380, 2321], verified: true, source: {document: d, section: s, words: w}, checked: 2026-11-22}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(default_folder(), tmp_path / "agreements"))


def written(folder: Path, *entries: str) -> Book:
    (folder / "federations.yaml").write_text(HEAD + "".join(entries))
    return load_book(folder)


def federations(**more: Any) -> Federations:
    given = {"name": "Förbundet", "members": ["2380"], "verified": True, **more}
    return Federations.model_validate({"federations": {"forbundet": given}})


def under(name: str, **more: Any) -> Rules:
    return replace(rules(name), federations=federations(**more))


# --- the file -----------------------------------------------------------------------------------------


def test_the_shipped_federation_is_an_assumption():
    (kson,) = load_book().federations.federations.values()
    assert (kson.members, kson.verified) == (("0188",), False)
    assert kson.invoicing.organisation_number is None
    assert "no document at hand confirms" in " ".join((kson.because or "").split())


def test_a_folder_without_the_file_has_none(folder):
    (folder / "federations.yaml").unlink()
    assert load_book(folder).federations == Federations()


@pytest.mark.parametrize(
    ("entries", "rule", "because"),
    [
        (["  f: {name: F, members: [9999], verified: true}\n"], "9999 is no municipality", "no such kommunkod"),
        ([SOUND, "  g: {name: G, members: [2380], verified: true}\n"], "2380 is a member of f on the same day", "two at once"),
        (["  f: {name: F, members: [], verified: true}\n"], "at least 1 item", "nobody's federation"),
        (["  f: {name: F, members: [2380]}\n"], "not verified needs `because`", "an assumption without a reason"),
        (["  f: {name: F, members: [2380], verified: true, from: 2020-01-02, through: 2020-01-01}\n"], "`through` is before `from`", "an end before the start"),
        (["  f: {name: F, members: [2380], verified: true, source: {document: e, section: s, words: w}}\n"], "no such document", "a document that is not listed"),
        (["  F!: {name: F, members: [2380], verified: true}\n"], "pattern", "no id"),
        (["  f: {name: F, members: [2380], verified: true, invoicing: {organisation_number: 222111-2227}}\n"], "organisation number", "a wrong check digit"),
    ],
)  # fmt: skip
def test_a_broken_file(folder, entries, rule, because):
    with pytest.raises(SetupError) as found:
        written(folder, *entries)
    assert any(rule.lower() in one.rule.lower() for one in found.value.problems), (
        because,
        found.value.problems,
    )
    assert all((one.expression or "").startswith("federations.yaml:") for one in found.value.problems)


def test_one_after_the_other_is_sound(folder):
    made = written(
        folder,
        "  f: {name: F, members: [2380], verified: true, through: 2019-12-31}\n",
        "  g: {name: G, members: [2380], verified: true, from: 2020-01-01}\n",
    ).federations
    days = (date(2019, 12, 31), date(2020, 1, 1))
    assert [one and one.name for one in (made.recipient("2380", day) for day in days)] == ["F", "G"]


def test_a_broken_file_is_told_with_those_of_others(folder):
    (folder / "municipalities.yaml").write_text("municipalities: {}\nx: 1\n")
    with pytest.raises(SetupError) as found:
        written(folder, "  f: {name: F, members: [9999, 9999], verified: true}\n")
    files = {(one.expression or "").split(":")[0] for one in found.value.problems}
    assert files == {"municipalities.yaml", "federations.yaml"}


@pytest.mark.parametrize(
    ("old", "new", "severity", "rule", "because"),
    [
        ("", "", None, None, "nothing"),
        (", source: {document: d, section: s, words: w}", "", "fault", "uncited", "from nowhere"),
        (", checked: 2026-11-22", "", "fault", "unchecked", "never checked"),
        ("checked: 2026-11-22", "checked: 2026-11-23", "fault", "unchecked", "tomorrow"),
        ("checked: 2026-11-22", "checked: 2025-11-22", None, None, "a year sharp"),
        ("checked: 2026-11-22", "checked: 2025-11-21", "fault", "stale", "over a year"),
        ("verified: true", "verified: false, because: Nobody says so", "note", "not-verified", "an assumption"),
    ],
)  # fmt: skip
def test_check(folder, old, new, severity, rule, because):
    made = written(folder, SOUND.replace(old, new))
    found = [
        (one.severity, one.rule)
        for one in check(made.files, made.rates, made.municipalities, TODAY, made.federations)
        if one.where.startswith("federations.yaml")
    ]
    assert found == ([(severity, rule)] if rule else []), because


def test_the_published_schema_is_the_models():
    published = (default_folder() / "federations.schema.json").read_text()
    assert published == federations_schema(), "losus agreements schema federations"
    value = json.loads(
        json.dumps(Marked((default_folder() / "federations.yaml").read_text()).value, default=str)
    )
    jsonschema.Draft202012Validator(json.loads(published)).validate(value)
    assert CliRunner().invoke(agreements_app, ["schema", "federations"]).stdout == published


# --- statements ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "municipality", "verified", "because"),
    [
        (STHLM, "0188", False, "the shipped file: Norrtälje, an assumption"),
        (STHLM, "0180", None, "Stockholm is no member"),
        (LUS, "0188", False, "under the statute too"),
    ],
)
def test_a_statement_says_who_is_addressed(name, municipality, verified, because):
    stays = [one._replace(municipality=municipality) for one in days_of(2, 4, "2020-05")]
    asked = span("2020-05", "2020-05")
    (statement,) = settle(stays, rules(name), one_price(), asked)
    told = statement_json(statement)
    assumed = [one["id"] for one in told["assumptions"] if one["id"].startswith("federation-")]
    if verified is None:
        assert ("recipient" in told, assumed) == (False, []), because
    else:
        assert told["recipient"]["federation"] == "kson", because
        assert told["recipient"]["verified"] is verified, because
        assert assumed == ["federation-kson"], because
    ledger = by_name(next(columns_of_rows(stays, [])), rules(name), asked[-1].end)
    assert b"".join(bulk(ledger, rules(name), one_price(), asked).json_lines()) == b"".join(
        json_lines([statement])
    )


def test_two_members_and_one_that_is_none_in_one_run():
    """What statements share in the columnar way is not the recipient."""
    chosen = replace(
        rules(LUS), federations=federations(members=["2380", "2321"], verified=False, because="x")
    )
    stays = [
        one._replace(municipality=town, stay=f"{town}/{one.stay}")
        for town in ("2303", "2321", "2380")
        for one in days_of(1, 4, "2020-05")
    ]
    asked = span("2020-05", "2020-05")
    ledger = by_name(next(columns_of_rows(stays, [])), chosen, asked[-1].end)
    made = list(bulk(ledger, chosen, one_price(), asked).json_lines())
    assert made == list(json_lines(settle(stays, chosen, one_price(), asked)))
    assert [b'"recipient"' in one for one in made] == [False, True, True]
    assert [f"for {town}," in one.decode() for one, town in zip(made[1:], ("2321", "2380"), strict=True)] == [
        True,
        True,
    ]


def test_it_is_addressed_from_its_first_day_to_its_last():
    chosen = under(LUS, **{"from": "2020-02-29", "through": "2020-03-31"})
    months = span("2020-01", "2020-04")
    made = settle(days_of(1, 4, "2020-05"), chosen, one_price(), months, also=[("2380", "somatic")])
    assert [one.recipient is not None for one in made] == [False, True, True, False], (
        "on the month's last day"
    )


def test_a_verified_one_is_no_assumption():
    (made,) = settle(days_of(1, 4, "2020-05"), under(LUS), one_price(), span("2020-05", "2020-05"))
    assert made.recipient is not None
    assert not [one for one in made.assumptions if one.id.startswith("federation-")]


def test_the_table_says_so(capsys):
    made = settle(
        days_of(1, 4, "2020-05"),
        under(LUS, verified=False, because="x"),
        one_price(),
        span("2020-05", "2020-05"),
    )
    print_statements(made, book())
    printed = capsys.readouterr().out
    assert "addressed to Förbundet, not verified" in printed
    assert "Förbundet pays and receives for 2380, which stays liable (LUS 5:1)." in printed


# --- invoices -----------------------------------------------------------------------------------------


def resources(made: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [one["resource"] for one in made["entry"] if one["resource"]["resourceType"] == kind]


@pytest.mark.parametrize("verified", [True, False])
def test_the_invoice_is_addressed_to_the_federation(verified):
    chosen = under(LUS, verified=verified, because="x", invoicing={"organisation_number": "222111-3331"})
    (statement,) = settle(days_of(1, 4, "2019-05"), chosen, one_price(), (Month(2019, 5),))
    made = bundle([statement], edition())
    (claim,) = resources(made, "Invoice")
    by_url = {one["fullUrl"]: one["resource"] for one in made["entry"]}
    addressed = by_url[claim["recipient"]["reference"]]
    assert addressed["name"] == "Förbundet"
    assert {one["system"].rsplit("/", 1)[-1]: one["value"] for one in addressed["identifier"]} == {
        "federation": "forbundet",
        "urn:oid:2.5.4.97": "222111-3331",
    }
    words = "Förbundet: 2380" + ("" if verified else " (antagande / assumption)")
    assert words in [one["text"] for one in claim["note"]]
    (report,) = resources(made, "MeasureReport")
    names = {one["name"] for one in resources(made, "Organization")}
    assert names == {"Förbundet", "Östersund", "Region Jämtland Härjedalen"}
    assert "Östersund" in report["text"]["div"], "what is measured is the municipality's"


def test_without_a_federation_the_municipality_is_addressed():
    (statement,) = settle(days_of(1, 4, "2019-05"), rules(LUS), one_price(), (Month(2019, 5),))
    made = bundle([statement], edition())
    (claim,) = resources(made, "Invoice")
    by_url = {one["fullUrl"]: one["resource"] for one in made["entry"]}
    assert by_url[claim["recipient"]["reference"]]["name"] == "Östersund"
    assert len(resources(made, "Organization")) == 2, "the municipality and the region"


def test_the_peppol_invoice_is_addressed_to_the_federation():
    (issued,) = run(("2019-05", [MAY]))
    recipient = federations(invoicing=BUYER).recipient("2380", date(2019, 5, 31))
    on = replace(issued, statement=replace(issued.statement, recipient=recipient))
    none_known = INVOICING.model_copy(update={"parties": {}})
    (document,) = documents_as_xml(on, REGION, "Östersund", none_known)
    text = document.xml.decode()
    customer = text[text.index("AccountingCustomerParty") : text.rindex("AccountingCustomerParty")]
    assert "Förbundet" in customer
    assert "Östersund" not in customer


def test_the_settings_are_laid_over_what_ships():
    (issued,) = run(("2019-05", [MAY]))
    recipient = federations().recipient("2380", date(2019, 5, 31))
    on = replace(issued, statement=replace(issued.statement, recipient=recipient))
    with pytest.raises(IncompleteError) as found:
        list(documents_as_xml(on, REGION, "Östersund", INVOICING))
    assert [one.expression for one in found.value.problems] == [
        "LOSUS_INVOICE__FEDERATIONS__FORBUNDET__ORGANISATION_NUMBER",
        "LOSUS_INVOICE__FEDERATIONS__FORBUNDET__PEPPOL",
        "LOSUS_INVOICE__FEDERATIONS__FORBUNDET__BUYER_REFERENCE",
    ], "never the municipality's own numbers"
    known = type(INVOICING).model_validate({**INVOICING.model_dump(), "federations": {"forbundet": BUYER}})
    assert b"Ref 4711" in next(documents_as_xml(on, REGION, "Östersund", known)).xml


# --- the subscriber -----------------------------------------------------------------------------------


def test_a_federation_reads_the_topics_of_its_members_and_no_other():
    lists = access_lists(["0180", "0188", "2380"], federations={"kson": ["0188"], "two": ["2380", "0180"]})
    read = {
        user: {(one.kind, one.name, one.prefix) for one in lists if one.user == user}
        for user in ("losus-kson", "losus-two")
    }

    def topics(*codes: str) -> set[tuple[str, str, bool]]:
        return {
            ("topic", of(code), False)
            for code in codes
            for of in (events_topic, cases_topic, settlements_topic)
        }

    assert read["losus-kson"] == {*topics("0188"), ("group", "losus.kson.", True)}
    assert read["losus-two"] == {*topics("0180", "2380"), ("group", "losus.two.", True)}
    assert {operation for one in lists if one.user == "losus-kson" for operation in one.operations} == {
        "Read",
        "Describe",
    }


def test_topics_stay_the_municipalities_and_strimzi_has_the_user():
    given = {"cluster": "k", "api": "v1", "authentication": "tls"}
    plain = list(strimzi(["0188"], TopicTerms(), **given))
    with_one = list(strimzi(["0188"], TopicTerms(), **given, federations={"kson": ["0188"]}))
    names = [
        {one["metadata"]["name"] for one in found if one["kind"] == "KafkaTopic"}
        for found in (plain, with_one)
    ]
    assert names[0] == names[1]
    users = {one["metadata"]["name"]: one["spec"] for one in with_one if one["kind"] == "KafkaUser"}
    acls = users["losus-kson"]["authorization"]["acls"]
    assert {one["resource"]["name"] for one in acls} == {
        "losus.0188.events",
        "losus.0188.cases",
        "losus.0188.settlements",
        "losus.kson.",
    }


def settings(**more: Any) -> Settings:
    return Settings(database="postgresql://127.0.0.1/x", secret="sixteen-letters-", open_doors=True, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("members", "faults", "because"),
    [
        (("0188",), [], "a subscriber"),
        (("0188", "0180"), ["LOSUS_FEDERATIONS__KSON__MEMBERS"], "0180 has no topics"),
    ],
)
def test_members_are_subscribers(members, faults, because):
    given = settings(
        subscribers={"0188": Subscriber(name="Norrtälje")},
        federations={"kson": FederationSubscriber(name="KSON", members=members)},
    )
    assert [one.expression for one in demands(given)] == faults, because


@pytest.mark.parametrize("name", ["relay", "region", "listener", "topics", "0188", "KSON", "k_son"])
def test_no_federation_has_the_name_of_another_user(name):
    with pytest.raises(ValidationError):
        settings(federations={name: {"name": "x", "members": ["0188"]}})


def test_topics_apply_prints_the_lists():

    environment = {
        "LOSUS_DATABASE": "postgresql://none",
        "LOSUS_SECRET": "sixteen-letters-and-more",
        "LOSUS_OPEN_DOORS": "true",
        "LOSUS_SUBSCRIBERS": '{"0188": {"name": "Norrtälje"}}',
        "LOSUS_FEDERATIONS": '{"kson": {"name": "KSON", "members": ["0188"]}}',
    }
    done = cli.run("topics", "apply", "--format", "strimzi", env=environment)
    assert done.returncode == 0, done.stderr
    found = list(yaml.safe_load_all(done.stdout))
    assert "losus-kson" in {one["metadata"]["name"] for one in found if one["kind"] == "KafkaUser"}
