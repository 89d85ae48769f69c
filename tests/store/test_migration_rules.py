"""What a migration may not do: the version before it still runs, on tables of ten years.

From 0007 on every file passes squawk (`.squawk.toml`). Where a rule is broken for a reason, the line before
says `-- squawk-ignore RULE` and why.
"""

import hashlib
import re
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from adapter.store.migrate import Migration, migrations

FIRST = "0007"
CHECKED = [one for one in migrations() if one.name[:4] >= FIRST]
ROOT = Path(__file__).parents[2]
#: What a file may hold that is carried out outside a transaction: others read and write meanwhile, and it can
#: be repeated after a crash.
OUTSIDE = re.compile(
    r"create (unique )?index concurrently if not exists \w+ on "
    r"|drop index concurrently if exists \w+$"
    r"|alter table \w+ validate constraint \w+$"
)


def broken(text: str, *, outside: bool = False) -> set[str]:
    """The rules that squawk finds broken."""
    squawk = Path(sys.executable).with_name("squawk")
    words = [squawk, "--config", ROOT / ".squawk.toml", "--reporter", "json"]
    words += [] if outside else ["--assume-in-transaction"]
    done = subprocess.run(words, input=text, capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout, done.stderr
    return {one["rule_name"] for one in orjson.loads(done.stdout)}


@pytest.mark.parametrize(
    ("statement", "rule", "because"),
    [
        ("alter table cases drop column due", "ban-drop-column", "the old version reads it"),
        ("alter table cases rename column due to due_at", "renaming-column", "the old version reads it"),
        ("alter table cases rename to stays", "renaming-table", "the old version reads it"),
        ("drop table stay", "ban-drop-table", "the old version reads it"),
        ("truncate stay cascade", "ban-truncate-cascade", "whatever points at it goes too"),
        ("alter table cases alter column id type uuid using id::uuid", "changing-column-type", "rewrites it"),
        (
            "alter table cases add seen text not null",
            "adding-required-field",
            "the old version leaves it out",
        ),
        (
            "alter table cases add seen timestamptz not null default clock_timestamp()",
            "adding-field-with-default",
            "a default that is another for each row rewrites them all",
        ),
        ("alter table cases add seen text not null default ''", None, "a constant is kept beside the table"),
        ("alter table cases alter column state set not null", "adding-not-nullable-field", "reads all rows"),
        (
            "alter table stay add constraint c foreign key (case_id) references cases (id)",
            "adding-foreign-key-constraint",
            "both tables wait while all rows are read",
        ),
        (
            "alter table stay add constraint c foreign key (case_id) references cases (id) not valid",
            None,
            "what is there is validated by a file of its own",
        ),
        (
            "alter table stay add constraint c check (print <> '')",
            "constraint-missing-not-valid",
            "the table waits while all rows are read",
        ),
        ("create index i on fact (message)", "require-concurrent-index-creation", "nobody writes meanwhile"),
        ("create table t (id text primary key); create index i on t (id)", None, "the table is new"),
        ("drop index cases_due", "require-concurrent-index-deletion", "nobody reads meanwhile"),
        (
            "alter table stay add constraint u unique (print)",
            "disallowed-unique-constraint",
            "its index is made while the table waits",
        ),
    ],
)
def test_what_a_migration_may_not_do(statement, rule, because):
    assert (rule in broken(statement + ";\n")) if rule else not broken(statement + ";\n"), because


@pytest.mark.parametrize("one", CHECKED, ids=lambda one: one.name)
def test_each_file_keeps_the_rules(one):
    assert broken(one.text, outside=one.is_outside) == set()


def own_faults(one: Migration) -> list[str]:
    """What squawk does not know of: our own two kinds of file, and rows that are changed in one go."""
    plain = re.sub(r"--.*", "", one.text)
    if one.is_outside:
        steps = [" ".join(step.split()) for step in one.steps]
        return [f"not outside a transaction: {step}" for step in steps if not OUTSIDE.match(step)]
    at_once = re.findall(
        r"^(?:update\b|delete\b|truncate\b|lock\b|vacuum\b|begin;|commit;).*", plain, re.MULTILINE
    )
    concurrent = re.findall(r"^.*\bconcurrently\b.*", plain, re.MULTILINE)
    return [f"not in a migration: {line}" for line in (*at_once, *concurrent)]


@pytest.mark.parametrize("one", CHECKED, ids=lambda one: one.name)
def test_each_file_is_of_one_of_two_kinds(one):
    assert own_faults(one) == []


HEAD = "-- outside a transaction\n"
BODY = "create function f() returns trigger language plpgsql as $$\nbegin\n  update a set b = 1;\nend $$;\n"


@pytest.mark.parametrize(
    ("text", "faults", "because"),
    [
        ("update fact set void = false;\n", 1, "all rows are locked: code does it in batches"),
        ("create index concurrently i on fact (void);\n", 1, "PostgreSQL refuses it in a transaction"),
        (HEAD + "create index concurrently if not exists i on fact (void);\n", 0, "it can be repeated"),
        (HEAD + "create index concurrently i on fact (void);\n", 1, "repeated, it fails"),
        (HEAD + "alter table fact add seen text;\n", 1, "repeated, it fails"),
        (HEAD + "drop index concurrently if exists i;\n", 0, "it can be repeated"),
        (HEAD + "alter table stay validate constraint c;\n", 0, "it can be repeated"),
        (BODY, 0, "what a trigger does, it does row by row"),
    ],
)
def test_what_the_two_kinds_may_hold(text, faults, because):
    assert len(own_faults(Migration("0099_any", text))) == faults, because


def test_the_files_have_numbers_of_their_own_in_one_form():
    names = [one.name for one in migrations()]
    assert all(re.fullmatch(r"[0-9]{4}_[a-z0-9_]+", name) for name in names)
    assert len({name[:4] for name in names}) == len(names)


@pytest.mark.parametrize(
    ("name", "digest"),
    [
        ("0001_intake_cases_outbox", "09205b6f088a6bbe"),
        ("0002_statements", "5520ca237862ee24"),
        ("0003_doors", "b8e36f4dea73ba5f"),
        ("0004_lanes", "6e3e3f979459f7ef"),
        ("0005_audit", "15894e3a0d84fe5d"),
        ("0006_settlement", "2bca3a9485e8009a"),
        ("0007_kept", "abe43d65b0e8120d"),
    ],
)
def test_what_has_been_applied_somewhere_is_never_rewritten(name, digest):
    [text] = [one.text for one in migrations() if one.name == name]
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == digest, (
        "a database that has it will not get it again"
    )
