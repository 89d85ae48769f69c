"""`losus settle`, `compare` and `agreements` as a controller uses them: output, exit codes, refusals."""

# ruff: noqa: E501 - a row stands on one line

import csv
import io
import json
import shutil
from collections import Counter
from decimal import Decimal
from pathlib import Path

import orjson
import pytest
import typer
from typer.testing import CliRunner, Result

from adapter.agreements.load import default_folder
from adapter.commands.agreements import agreements_app
from adapter.commands.compare import compare_command, read_grid
from adapter.commands.settle import settle_command
from adapter.errors import SetupError
from adapter.settlement.render import dumps
from adapter.settlement.stay import Stay, row_of
from tests.settlement.making import JH, LUS, STHLM, days_of, stay
from tests.settlement.tables.paying import WORKED

BILAGA_9 = Path(__file__).parents[1] / "data" / "bilaga9.ndjson"

app = typer.Typer()
app.command("settle")(settle_command)
app.command("compare")(compare_command)
app.add_typer(agreements_app, name="agreements")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(one) for one in arguments])


def file_of(tmp_path: Path, stays: list[Stay], *more: bytes) -> Path:
    path = tmp_path / "stays.ndjson"
    path.write_bytes(b"".join(orjson.dumps(row_of(one)) + b"\n" for one in stays) + b"".join(more))
    return path


def objects(result: Result) -> list[dict[str, object]]:
    assert result.exit_code == 0, result.stderr
    return [json.loads(line, parse_float=str) for line in result.stdout.splitlines()]


def prices(tmp_path: Path) -> Path:
    """Rates of the worked example: 7 100 SEK, also in 2019."""
    path = tmp_path / "rates.yaml"
    path.write_text((default_folder() / "rates.yaml").read_text().replace("amount: 7800", "amount: 7100"))
    return path


def test_the_worked_example_to_the_krona(tmp_path):
    told = objects(
        run(
            "settle",
            "--stays",
            BILAGA_9,
            "--agreement",
            JH,
            "--from",
            "2018-03",
            "--to",
            "2019-03",
            "--rates",
            prices(tmp_path),
            "--format",
            "json",
        )
    )
    assert [(x["month"], x["mean"], x["status"], x["payable_days"], str(x["amount"])) for x in told] == WORKED


def test_the_worked_example_at_the_rates_of_its_years():
    told = objects(
        run(
            "settle",
            "--stays",
            BILAGA_9,
            "--agreement",
            JH,
            "--from",
            "2018-03",
            "--to",
            "2019-06",
            "--format",
            "json",
        )
    )
    assert [x["amount"] for x in told] == [0, 0, 0, 0, 284000, 0, 0, 0, 0, 213000, 234000, 234000, 0, 0, 0, 0]
    assert {(x["municipality"], x["care_form"]) for x in told} == {("2380", "somatic")}


def test_one_object_as_the_contract_has_it():
    told = objects(
        run(
            "settle",
            "--stays",
            BILAGA_9,
            "--agreement",
            JH,
            "--from",
            "2018-03",
            "--to",
            "2018-07",
            "--format",
            "json",
        )
    )
    one = told[-1]
    assert {
        "municipality",
        "care_form",
        "month",
        "stays",
        "mean",
        "mean_decimal",
        "status",
        "payable_days",
        "amount",
        "excluded",
        "lines",
        "assumptions",
    } <= set(one)
    assert (told[1]["mean"], told[1]["mean_decimal"], told[1]["excluded"]) == ("10/3", "3.333333", {})
    lines = one["lines"]
    assert isinstance(lines, list)
    assert len(lines) == 20, "ten of four days, ten of six"
    assert lines[0] == {
        "stay": "bilaga9-2018-07-11",
        "days": 4,
        "payable_days": 1,
        "amount": 7100,
        "basis": "individual-days",
        "day_zero": "2018-07-19",
        "ended": "2018-07-23",
        "first_payable": "2018-07-23",
        "last_payable": "2018-07-23",
        "charges": [{"year": 2018, "days": 1, "unit_price": 7100, "amount": 7100}],
        "flags": [],
        "reasons": [
            "day zero 2018-07-19 (home-ready)",
            "ended 2018-07-23: 4 calendar-days",
            "payable from day 4, end day counted",
        ],
        "clauses": ["billing", "first_payable_day", "count_end_day", "clock", "cutoff", "unit", "rate"],
    }
    assumptions = one["assumptions"]
    assert isinstance(assumptions, list)
    assert {
        "id": "tom-manad",
        "what": "A month without stays counts as not over the threshold.",
        "because": "Bilaga 9 does not mention it; where nobody waited nobody waited too long.",
    } in assumptions


def test_months_that_are_not_said_are_those_of_the_stays():
    assert [
        x["month"] for x in objects(run("settle", "--stays", BILAGA_9, "--agreement", JH, "--format", "json"))
    ] == [row[0] for row in WORKED]
    assert [
        x["month"]
        for x in objects(
            run("settle", "--stays", BILAGA_9, "--agreement", JH, "--from", "2019-02", "--format", "json")
        )
    ] == ["2019-02", "2019-03"]


def test_without_an_agreement_each_stay_is_settled_by_what_is_in_force(tmp_path):
    stays = [
        stay("2019-05-13 10:00", "2019-05-20 15:00", "a", municipality="1280"),
        stay("2019-05-13 10:00", "2019-05-20 15:00", "b"),
    ]
    told = objects(run("settle", "--stays", file_of(tmp_path, stays), "--format", "json"))
    assert [(x["municipality"], x["agreement"], x["amount"]) for x in told] == [
        ("1280", LUS, 31200),
        ("2380", JH, 0),
    ]
    assert "no agreement has municipality 1280 as a party" in str(told[0]["because"])


def test_fractions_are_text_and_decimals_exact(tmp_path):
    folder = Path(shutil.copytree(default_folder(), tmp_path / "agreements"))
    path = folder / f"{STHLM}.yaml"
    path.write_text(path.read_text().replace("- value: 2.0", "- value: 2.35"))
    (told,) = objects(
        run(
            "settle",
            "--stays",
            file_of(tmp_path, days_of(3, 3, "2020-05")),
            "--agreement",
            STHLM,
            "--agreements",
            folder,
            "--format",
            "json",
        )
    )
    assert (told["payable_days"], told["amount"], told["threshold"], told["due"], told["suspended"]) == (
        "39/20",
        15990,
        "47/20",
        0,
        True,
    )


@pytest.mark.parametrize("version", ["R4", "R5"])
def test_fhir(version):
    arguments = (
        "--agreement",
        JH,
        "--from",
        "2018-07",
        "--to",
        "2018-07",
        "--format",
        "fhir",
        "--fhir-version",
        version,
    )
    (told,) = objects(run("settle", "--stays", BILAGA_9, *arguments))
    kinds = Counter(entry["resource"]["resourceType"] for entry in told["entry"])  # type: ignore[attr-defined]
    assert (kinds["MeasureReport"], kinds["Invoice"], kinds["ChargeItem"]) == (1, 1, 20)
    (invoice,) = (e["resource"] for e in told["entry"] if e["resource"]["resourceType"] == "Invoice")  # type: ignore[attr-defined]
    assert invoice["totalNet"] == {"value": "284000.00", "currency": "SEK"}


def test_csv_and_table():
    rows = list(
        csv.DictReader(
            io.StringIO(run("settle", "--stays", BILAGA_9, "--agreement", JH, "--format", "csv").stdout)
        )
    )
    assert [(row["month"], row["mean"], row["amount"]) for row in rows][4] == ("2018-07", "4", "284000")
    assert (rows[1]["mean_decimal"], rows[0]["excluded"], rows[0]["suspended"]) == ("3.333333", "", "false")
    table = run("settle", "--stays", BILAGA_9, "--agreement", JH)
    assert "2380 Östersund  somatic    2018-07  liable" in table.stdout
    assert "284 000" in table.stdout
    assert "Assumed, where the text leaves it open" in table.stdout


EMPTY = [
    # month, stays, status, because
    ("2018-03", "0", "follow-up", "the file is complete from its first end to its last: nobody waited"),
    ("2018-05", "", "no-data", "after its last stay nothing is known"),
]


@pytest.mark.parametrize(("month", "stays", "status", "because"), EMPTY)
def test_an_empty_month_has_no_mean(
    tmp_path: Path, month: str, stays: str, status: str, because: str
) -> None:
    arguments = ("--agreement", JH, "--from", month, "--to", month, "--format", "csv")
    path = file_of(tmp_path, [*days_of(1, 3, "2018-02"), *days_of(1, 3, "2018-04")])
    (row,) = csv.DictReader(io.StringIO(run("settle", "--stays", path, *arguments).stdout))
    assert (row["stays"], row["mean"], row["mean_decimal"], row["status"]) == (stays, "", "", status), because


def test_nothing_but_decimals_is_written_in_a_way_of_its_own():
    assert dumps({"a": Decimal("8900.10")}) == b'{"a":8900.10}'
    with pytest.raises(TypeError, match="JSON serializable"):
        dumps(object())


def test_remarks_of_the_table(tmp_path):
    path = file_of(
        tmp_path, [*days_of(1, 3, "2023-05"), stay("2023-05-02 10:00", None, "open", notice_sent_at=None)]
    )
    text = run("settle", "--stays", path, "--agreement", STHLM).stdout
    assert "suspended: would have been, provisional: rate not verified, 1 open" in text
    empty = run(
        "settle", "--stays", path, "--agreement", STHLM, "--from", "2023-06", "--to", "2023-06"
    ).stdout
    assert "–" in empty


def test_csv_is_read_by_its_name(tmp_path):
    path = tmp_path / "stays.csv"
    rows = [row_of(one) for one in days_of(2, 5)]
    with path.open("w", newline="", encoding="utf-8-sig") as text:
        writer = csv.DictWriter(text, list(rows[0]))
        writer.writeheader()
        writer.writerows(
            {
                k: json.dumps(v) if k == "ready" else str(v).lower() if isinstance(v, bool) else v
                for k, v in row.items()
            }
            for row in rows
        )
    (told,) = objects(run("settle", "--stays", path, "--agreement", LUS, "--format", "json"))
    assert told["amount"] == 2 * 2 * 7800


BAD = (b'{"stay": 1}\n', b"{\n")


def test_bad_rows_settle_nothing_and_are_all_told(tmp_path):
    result = run(
        "settle", "--stays", file_of(tmp_path, days_of(1, 5), *BAD), "--agreement", LUS, "--format", "json"
    )
    assert (result.exit_code, result.stdout) == (1, "")
    told = result.stderr.splitlines()
    assert told[0] == "losus: line 2: stay: no text"
    assert told[1] == "losus: line 2: municipality: missing"
    assert told[-2:] == [
        "losus: line 3: no JSON",
        "losus: nothing was settled; --skip-bad leaves these rows out",
    ]


def test_bad_rows_are_told_also_where_there_is_no_month_to_settle(tmp_path):
    result = run("settle", "--stays", file_of(tmp_path, [], *BAD))
    assert (result.exit_code, result.stdout) == (1, "")
    assert "losus: line 2: no JSON" in result.stderr


def test_skip_bad_lists_what_it_skipped(tmp_path):
    result = run(
        "settle",
        "--stays",
        file_of(tmp_path, days_of(1, 5), *BAD),
        "--agreement",
        LUS,
        "--format",
        "json",
        "--skip-bad",
    )
    assert [x["amount"] for x in objects(result)] == [2 * 7800]
    assert "losus: skipped line 3: no JSON" in result.stderr


def test_an_unknown_rate_is_named_and_other_months_go_on(tmp_path):
    """Settlement 3 names the year; settlement 5: listed `no-rate` with the stays, other months go on."""
    path = file_of(
        tmp_path, [*days_of(1, 5, "2020-05"), *days_of(1, 5, "2021-05"), *days_of(1, 5, "2022-05")]
    )
    given = ("settle", "--stays", path, "--agreement", LUS)
    result = run(*given, "--format", "json")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[0] == (
        "losus: unknown rate 2021: 1 months have no amount: 2380 somatic 2021-05"
    )
    told = {one["month"]: one for one in map(orjson.loads, result.stdout.splitlines()) if one["stays"]}
    assert [
        (month, one["status"], one["payable_days"], one["amount"], one["due"]) for month, one in told.items()
    ] == [
        ("2020-05", "liable", 2, 16400, 16400),
        ("2021-05", "liable", 2, None, None),
        ("2022-05", "liable", 2, 18600, 18600),
    ]
    assert told["2021-05"]["no_rate"] == {"years": [2021], "stays": ["2021-05/5/0"]}
    assert (told["2021-05"]["lines"], told["2020-05"]["no_rate"]) == ([], None)
    table = run(*given).stdout
    assert "no-rate  no rate for 2021: stays 2021-05/5/0" in table
    cells = list(csv.DictReader(io.StringIO(run(*given, "--format", "csv").stdout)))
    assert [(one["amount"], one["no_rate"]) for one in cells if one["stays"] != "0"] == [
        ("16400", ""), ("", "2021"), ("18600", ""),
    ]  # fmt: skip
    bundle = orjson.loads(run(*given, "--format", "fhir", "--from", "2021-05").stdout)
    kinds = Counter(entry["resource"]["resourceType"] for entry in bundle["entry"])
    assert (kinds["Invoice"], kinds["ChargeItem"]) == (1, 2), "2022's; in 2021 a stay that waits"
    compared = run("compare", LUS, JH, "--stays", path, "--format", "json")
    assert compared.exit_code == 1
    sides = {
        one["month"]: one for one in map(orjson.loads, compared.stdout.splitlines()) if one["a"]["stays"]
    }
    assert [one["difference"] for one in sides.values()] == [-16400, None, -18600]
    assert "without 1 months that a rate is missing for" in run("compare", LUS, JH, "--stays", path).stdout


def test_a_municipality_that_is_none_is_refused_with_its_row(tmp_path):
    """Issue 12, row 10: by the file of municipalities, in every command that reads stays."""
    one, other = days_of(1, 5, "2019-05")[0], days_of(1, 6, "2019-05")[0]
    path = file_of(tmp_path, [one, other._replace(municipality="9999")])
    asked = ("--stays", path, "--agreement", LUS)
    refused = run("settle", *asked)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr.splitlines()[0] == (
        "losus: line 2: municipality: no municipality of municipalities.yaml"
    )
    skipped = run("settle", *asked, "--skip-bad", "--format", "json")
    assert [one["municipality"] for one in map(orjson.loads, skipped.stdout.splitlines())] == ["2380"]
    assert run("compare", LUS, JH, "--stays", path).exit_code == 1


def test_a_draft_that_is_named_says_so(tmp_path):
    """Issue 12, row 10: `draft` on every statement, in every format."""
    draft = tmp_path / f"{JH}.yaml"
    draft.write_text(
        (default_folder() / f"{JH}.yaml").read_text().replace("value: active", "value: draft", 1)
    )
    path = file_of(tmp_path, days_of(1, 5, "2019-05"))
    given = ("settle", "--stays", path, "--agreement", draft)
    assert [one["draft"] for one in objects(run(*given, "--format", "json"))] == [True]
    cells = list(csv.DictReader(io.StringIO(run(*given, "--format", "csv").stdout)))
    assert [one["draft"] for one in cells] == ["true"]
    assert "draft: the agreement is not decided" in run(*given).stdout
    bundle = orjson.loads(run(*given, "--format", "fhir").stdout)
    marked = {
        entry["resource"]["resourceType"]: "tag" in entry["resource"].get("meta", {})
        for entry in bundle["entry"]
    }
    assert marked.pop("Organization") is False, "whom it concerns"
    assert marked.keys() >= {"MeasureReport", "Measure"}
    assert all(marked.values()), marked
    active = run("settle", "--stays", path, "--agreement", JH, "--format", "json")
    assert [one["draft"] for one in objects(active)] == [False]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--agreement", JH, "--from", "2018-3"), "YYYY-MM"),
        (("--agreement", JH, "--to", "March"), "YYYY-MM"),
        (("--agreement", JH, "--from", "2018-04", "--to", "2018-03"), "before --from"),
        (("--agreement", JH, "--format", "xml"), "xml"),
    ],
)
def test_used_wrongly(arguments, words):
    result = run("settle", "--stays", BILAGA_9, *arguments)
    assert result.exit_code == 2
    assert words in result.stderr


def test_a_file_that_is_not_there_or_no_text(tmp_path):
    assert run("settle", "--stays", tmp_path / "none.ndjson").exit_code == 2
    path = tmp_path / "x.csv"
    path.write_bytes(b"stay\n\xff\n")
    assert run("settle", "--stays", path, "--agreement", JH).exit_code == 2


@pytest.mark.parametrize(
    ("agreement", "words"),
    [("none", "no such agreement"), ("jamtland-harjedalen-hsl", "nothing to settle by")],
)
def test_an_agreement_that_cannot_be_settled_by(agreement, words):
    result = run("settle", "--stays", BILAGA_9, "--agreement", agreement)
    assert isinstance(result.exception, SetupError)
    assert words in str(result.exception)


def test_an_empty_file_settles_nothing(tmp_path):
    path = file_of(tmp_path, [])
    for arguments in ((), ("--agreement", JH), ("--agreement", JH, "--from", "2018-03", "--to", "2018-04")):
        assert objects(run("settle", "--stays", path, *arguments, "--format", "json")) == []
    assert objects(
        run("compare", JH, LUS, "--stays", path, "--sweep", "threshold=2", "--format", "json")
    ) == [
        {
            "sweep": {"threshold": 2},
            "amount": 0,
            "liable_months": 0,
            "no_rate_months": 0,
            "by_municipality": {},
        }
    ]


# --- compare ------------------------------------------------------------------------------------------


def test_compare_tells_each_month_and_the_clause():
    told = objects(
        run(
            "compare",
            JH,
            LUS,
            "--stays",
            BILAGA_9,
            "--from",
            "2018-03",
            "--to",
            "2018-07",
            "--format",
            "json",
        )
    )
    assert [(x["month"], x["a"]["amount"], x["b"]["amount"], x["difference"]) for x in told] == [  # type: ignore[index]
        ("2018-03", 0, 71000, 71000),
        ("2018-04", 0, 284000, 284000),
        ("2018-05", 0, 284000, 284000),
        ("2018-06", 0, 284000, 284000),
        ("2018-07", 284000, 284000, 0),
    ]
    assert told[0]["differing"] == [
        {
            "term": "gate",
            "a": "mean",
            "b": "none",
            "clause_a": "Bilaga 9, Samverkan vid in- och utskrivning från slutenvården, Ekonomisk reglering, När grunden inte kan uppnås",
            "clause_b": "Lag (2017:612) om samverkan vid utskrivning från sluten hälso- och sjukvård, 5 kap. 1 och 4 §§",
        }
    ]
    assert told[-1]["differing"] == [], "the same amount needs no reason"


def test_sweep_gives_every_point():
    told = objects(
        run(
            "compare",
            LUS,
            JH,
            "--stays",
            BILAGA_9,
            "--from",
            "2018-03",
            "--to",
            "2018-12",
            "--sweep",
            "threshold=2.5..4.0:0.5 first_payable_day=4,5",
            "--format",
            "json",
        )
    )[10:]
    assert [tuple(x["sweep"].values()) for x in told] == [
        (t, f) for t in ("2.5", "3.0", "3.5", "4.0") for f in (4, 5)
    ]  # type: ignore[attr-defined]
    assert [x["amount"] for x in told] == [284000, 142000, 284000, 142000, 0, 0, 0, 0]
    assert told[0]["by_municipality"] == {"2380": 284000}


def test_a_sweep_at_the_agreements_own_values_is_the_agreement():
    told = objects(run("compare", LUS, JH, "--stays", BILAGA_9, "--sweep", "threshold=3", "--format", "json"))
    assert told[-1]["amount"] == sum(x["b"]["amount"] for x in told[:-1])  # type: ignore[index]


def test_compare_as_table_and_csv():
    table = run("compare", JH, LUS, "--stays", BILAGA_9, "--sweep", "first_payable_day=3,4").stdout
    assert "923 000" in table
    assert "They differ on" in table
    assert "B with first_payable_day=3: 1 888 000 SEK, 13 liable months" in table
    rows = list(
        csv.reader(io.StringIO(run("compare", JH, LUS, "--stays", BILAGA_9, "--format", "csv").stdout))
    )
    assert rows[1] == [
        "2380",
        "somatic",
        "2018-03",
        "follow-up",
        "0",
        "liable",
        "71000",
        "71000",
        "gate: mean / none",
    ]
    rows = list(
        csv.reader(
            io.StringIO(
                run(
                    "compare",
                    JH,
                    LUS,
                    "--stays",
                    BILAGA_9,
                    "--sweep",
                    "first_payable_day=3",
                    "--format",
                    "csv",
                ).stdout
            )
        )
    )
    assert rows[1:] == [
        ["first_payable_day=3", "2380", "1888000", ""],
        ["first_payable_day=3", "", "1888000", "13"],
    ]


def test_a_draft_from_a_file(tmp_path):
    draft = tmp_path / "draft.yaml"
    draft.write_text(
        (default_folder() / f"{JH}.yaml")
        .read_text()
        .replace("    value: active", "    value: draft")
        .replace("    - value: 3\n", "    - value: 1.9\n")
    )
    told = objects(run("compare", JH, draft, "--stays", BILAGA_9, "--format", "json"))
    assert sum(x["difference"] for x in told) != 0  # type: ignore[misc]
    assert {d["term"] for x in told for d in x["differing"]} == {"threshold"}  # type: ignore[attr-defined]


def test_compare_names_days_and_bill_where_both_bill():
    told = objects(
        run(
            "compare",
            LUS,
            "bal-1990-1404",
            "--stays",
            BILAGA_9,
            "--from",
            "2018-07",
            "--to",
            "2018-07",
            "--format",
            "json",
        )
    )
    assert [d["term"] for d in told[0]["differing"]] == ["unit", "cutoff", "first_payable_day", "requires"]  # type: ignore[attr-defined]
    assert [(d["a"], d["b"]) for d in told[0]["differing"]][1] == ("12:00:00", "none")  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "text",
    ["clock=1,2", "threshold", "threshold=", "threshold=a", "threshold=4..1", "threshold=1..2:0", "threshold=-1",
     "first_payable_day=0", "first_payable_day=2.5", "start_after=0", "threshold=0..1000:0.5", "threshold=0..99 round_mean=0..99"],
)  # fmt: skip
def test_a_grid_that_cannot_be(text):
    with pytest.raises(typer.BadParameter):
        read_grid([text])


def test_bad_rows_are_compared_by_nobody(tmp_path):
    result = run("compare", JH, LUS, "--stays", file_of(tmp_path, days_of(1, 5), *BAD))
    assert (result.exit_code, result.stdout) == (1, "")


# --- agreements ---------------------------------------------------------------------------------------


def test_check():
    result = run("agreements", "check", "--today", "2026-11-22")
    assert result.exit_code == 0
    assert "6 agreements, 0 faults, 3 notes" in result.stdout
    (told,) = objects(run("agreements", "check", "--today", "2026-11-22", "--format", "json"))
    assert (told["faults"], len(told["findings"])) == (0, 3)  # type: ignore[arg-type]


def test_a_fault_ends_with_1():
    result = run("agreements", "check", "--today", "2028-01-01")
    assert result.exit_code == 1
    assert "fault stale: " in result.stdout
    assert run("agreements", "check", "--today", "soon").exit_code == 2


def test_check_of_today_runs():
    assert run("agreements", "check").exit_code in (0, 1), "the clock alone decides on stale values"


def test_show():
    result = run("agreements", "show", "--on", "2025-07-01", "--municipality", "2380")
    assert (
        "The statute lus-2017-612 applies: jamtland-harjedalen-losus-2018 ended: prolonged through 2025-06-30"
        in result.stdout
    )
    (told,) = objects(
        run("agreements", "show", "--on", "2020-01-01", "--municipality", "0180", "--format", "json")
    )
    held = told["in_force"]["somatic"]  # type: ignore[index]
    assert (held["agreement"], held["status"], held["kind"]) == (STHLM, "suspended", "agreement")
    assert (
        "The billing is suspended"
        in run("agreements", "show", "--on", "2020-01-01", "--municipality", "0180").stdout
    )


@pytest.mark.parametrize(
    "arguments",
    [("--on", "soon", "--municipality", "2380"), ("--on", "2020-01-01", "--municipality", "9999")],
)
def test_show_used_wrongly(arguments):
    assert run("agreements", "show", *arguments).exit_code == 2


@pytest.mark.parametrize("name", ["agreement", "rates"])
def test_schema(name):
    assert run("agreements", "schema", name).stdout == (default_folder() / f"{name}.schema.json").read_text()
