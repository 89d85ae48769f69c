"""A copied agreement that keeps another region's parties, documents or dates is found by the check."""

# ruff: noqa: E501 - a row stands on one line

import shutil
from datetime import date
from pathlib import Path

import pytest

from adapter.agreements.check import check
from adapter.agreements.load import default_folder, load_book

TODAY = date(2026, 11, 29)
JH = "jamtland-harjedalen-losus-2018"
VGR = "vastra-gotaland-2018"
NEW = "vasternorrland-2027"
REGION = (
    'region: {county: "23", name: Region Jämtland Härjedalen}',
    'region: {county: "22", name: Region Västernorrland}',
)
PARTIES = """  municipalities:
    - {code: "2281", name: Sundsvall, adopted: 2027-02-01}
    - {code: "2284", name: Örnsköldsvik, adopted: 2027-03-01}
"""


def found(folder: Path) -> set[tuple[str, str]]:
    """Rule and place of every finding on the new file."""
    book = load_book(folder)
    findings = check(book.files, book.rates, book.municipalities, TODAY, regions=book.regions)
    mine = [one for one in findings if one.where.startswith(f"{NEW}.yaml")]
    return {(one.rule, one.where.split(" ", 1)[1]) for one in mine}


def copied(tmp_path: Path, *changes: tuple[str, str], name: str = NEW, source: str = JH) -> Path:
    """A folder with a copy of an agreement under another id, changed in some places."""
    folder = Path(shutil.copytree(default_folder(), tmp_path / "agreements"))
    text = (folder / f"{source}.yaml").read_text().replace(f"id: {source}", f"id: {NEW}", 1)
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    (folder / f"{name}.yaml").write_text(text)
    return folder


def test_a_copy_with_another_region_alone(tmp_path):
    mine = found(copied(tmp_path, REGION))
    assert {("unknown-party", f"parties.municipalities.{place}") for place in range(8)} <= mine, "its parties"
    assert ("another-region", "documents.bilaga-9.issued_by") in mine, "its documents"
    assert ("shared-document", "documents.bilaga-9") in mine, "its documents"
    assert ("shared-document", "documents.svom-2024-10-11") in mine, "also one that names no region"
    assert ("same-dates", "life.valid") in mine, "its dates"


def test_the_shipped_files_are_their_own():
    book = load_book()
    findings = check(book.files, book.rates, book.municipalities, TODAY, regions=book.regions)
    assert [one for one in findings if one.severity == "fault"] == []


#: What is changed in the copy of Jämtland's agreement, the finding, and because.
CHANGED = [
    ((), ("another-region", "title"), False, "the title names no region"),
    ((("title: Bilaga 9, Samverkan vid in- och utskrivning från slutenvården (LOSUS)", "title: LOSUS Jämtland"),),
     ("another-region", "title"), True, "another region's title"),
    ((("Region Jämtland Härjedalen och kommunerna i Jämtlands län", "Region Västernorrland och länets kommuner"),),
     ("another-region", "documents.bilaga-9.issued_by"), False, "its own"),
    ((("Region Jämtland Härjedalen och kommunerna i Jämtlands län", "Åre kommun"),),
     ("another-region", "documents.bilaga-9.issued_by"), True, "a municipality of another county"),
    ((("Region Jämtland Härjedalen och kommunerna i Jämtlands län", "Sundsvalls kommun"),),
     ("another-region", "documents.bilaga-9.issued_by"), False, "a municipality of its own"),
    ((("name: Region Västernorrland", "name: Region Ångermanland"),), ("another-region", "region"), True, "no such name"),
    ((('county: "22"', 'county: "21"'),), ("another-region", "region"), True, "another region's länskod"),
    ((("dated: 2018-01-01", "dated: 2027-01-01"),), ("dates", "status"), True, "checked before the text was written"),
    ((("      through: 2018-12-31\n      source: &trettio", "      through: 2017-12-31\n      source: &trettio"),),
     ("dates", "gate.threshold.1"), True, "a term of before the agreement is valid"),
    ((("    through: null            #", "    through: 2017-06-30            #"),), ("dates", "life.valid"), True, "ends before it begins"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "finding", "is_there", "because"), CHANGED)
def test_what_is_held_together(tmp_path, changes, finding, is_there, because):
    assert (finding in found(copied(tmp_path, REGION, *changes))) is is_there, because


def test_an_id_that_is_not_the_name_of_its_file(tmp_path):
    folder = copied(tmp_path, REGION, name="my-copy")
    book = load_book(folder)
    findings = check(book.files, book.rates, book.municipalities, TODAY, regions=book.regions)
    assert ("file-name", f"the id {NEW} is not the name of its file") in {
        (one.rule, one.words) for one in findings
    }


def test_nothing_of_it_is_left_in_a_copy_that_was_changed_everywhere(tmp_path):
    folder = copied(tmp_path, REGION)
    path = folder / f"{NEW}.yaml"
    text = path.read_text()
    start = text.index("  municipalities:\n")
    text = text[:start] + PARTIES + text[text.index("\nlife:") :]
    text = text.replace("Region Jämtland Härjedalen och kommunerna i Jämtlands län", "Region Västernorrland")
    text = text.replace("    title: Bilaga 9, Samverkan", "    title: Avtal 2027, Samverkan")
    text = text.replace(
        "title: Protokoll, Sociala vård och omsorgsgruppen 2024-10-11", "title: Protokoll 2026-10-11"
    )
    path.write_text(text)
    rules = {rule for rule, _ in found(folder)}
    assert rules.isdisjoint({"another-region", "shared-document", "same-dates", "file-name", "unknown-party"})
