"""Whom a case concerns. The numbers are sample numbers, of nobody."""

# ruff: noqa: E501 - a row of a table stands on one line where it can be read so

from tests.losus.tables.states import ADMITTED
from tests.losus.telling import Row

PNR = "http://electronichealth.se/identifier/personnummer"
TOLVAN = f'identifiers=[{{"system":"{PNR}","value":"191212121212"}}]'
TOLVAN_SHORT = '[{"system":"urn:oid:1.2.752.129.2.1.3.1","value":"121212+1212"}]'
OTHER = f'identifiers=[{{"system":"{PNR}","value":"198507099805"}}]'
WRONG = f'identifiers=[{{"system":"{PNR}","value":"191212121213"}}]'
RESERVE = '{"system":"urn:oid:1.2.752.97.3.1.3","value":"991212A12345"}'
RESERVE_B = '{"system":"urn:oid:1.2.752.97.3.1.3","value":"991212B12345"}'
TOLVAN_ONE = f'{{"system":"{PNR}","value":"191212121212"}}'
TOLVAN_OLD = f'{{"system":"{PNR}","value":"191212121212","use":"old"}}'
OTHER_ONE = f'{{"system":"{PNR}","value":"198507099805"}}'
PERSON = f"Patient/1@1 patient 01 08:00 {TOLVAN} name=Tolvan address=Gatan municipality=2380"

# fmt: off
PEOPLE = [
    Row("the four statutory fields", f"{ADMITTED} expected=2026-03-09\n{PERSON}",
        {"statutory.name": "Tolvan", "statutory.identifier.value": "191212121212", "statutory.address": "Gatan",
         "statutory.expected_discharge": "2026-03-09", "manual_handling": None}, "LUS 2:2"),
    Row("the personnummer before a reserve number",
        f'{ADMITTED}\nPatient/1@1 patient 01 08:00 identifiers=[{RESERVE},{{"system":"{PNR}","value":"19121212-1212"}}]',
        {"statutory.identifier.kind": "personnummer", "statutory.identifier.value": "191212121212"}, "LUS 2:2"),
    Row("a reserve number alone", f"{ADMITTED}\nPatient/1@1 patient 01 08:00 identifiers=[{RESERVE}]",
        {"statutory.identifier.kind": "regionalt-reservnummer", "statutory.identifier.value": "991212A12345"},
        "what stands in for it"),
    Row("a wrong number", f"{ADMITTED}\nPatient/1@1 patient 01 08:00 {WRONG}",
        {"statutory.identifier": None, "manual_handling": "uncertain-identity"}, "never a number of someone else"),
    Row("a wrong number beside a right one", f"{ADMITTED}\nPatient/1@1 patient 01 08:00 {WRONG}\n{PERSON}",
        {"statutory.identifier.value": "191212121212", "manual_handling": None}, "the right one is enough"),
    Row("two right numbers", f"{ADMITTED}\nPatient/1@1 patient 01 08:00 identifiers=[{TOLVAN_ONE},{OTHER_ONE}]",
        {"statutory.identifier": None, "manual_handling": "uncertain-identity"}, "a person has one"),
    Row("an old number beside the new", f"{ADMITTED}\nPatient/1@1 patient 01 08:00 identifiers=[{TOLVAN_OLD},{OTHER_ONE}]",
        {"statutory.identifier.value": "198507099805", "manual_handling": None}, "Identifier.use old"),
    Row("known under the old number", f"{ADMITTED}\n{PERSON}\nPatient/2@1 patient 02 08:00 identifiers=[{TOLVAN_OLD},{OTHER_ONE}]",
        {"statutory.identifier.value": "198507099805", "statutory.name": "Tolvan"}, "one person by the old number"),
    Row("an old number alone", f"{ADMITTED}\nPatient/1@1 patient 01 08:00 identifiers={TOLVAN_OLD}",
        {"statutory.identifier.value": "191212121212"}, "better than none; one alone is a list of one"),
    Row("two reserve numbers", f"{ADMITTED}\nPatient/1@1 patient 01 08:00 identifiers=[{RESERVE_B},{RESERVE}]",
        {"statutory.identifier.value": "991212A12345", "manual_handling": None}, "hospitals give several"),
    Row("a number without value", f'{ADMITTED}\nPatient/1@1 patient 01 08:00 identifiers=[{{"system":"{PNR}"}}]',
        {"statutory.identifier": None, "manual_handling": None}, "none was given"),
    Row("a number without system", f'{ADMITTED}\nPatient/1@1 patient 01 08:00 identifiers=[{{"value":"X1"}}]',
        {"statutory.identifier.kind": "other", "statutory.identifier.value": "X1"}, "as it came"),
    Row("the newer record adds", f"{ADMITTED}\n{PERSON}\nPatient/2@1 patient 02 08:00 identifiers={TOLVAN_SHORT} name=Ny",
        {"statutory.name": "Ny", "statutory.address": "Gatan", "municipality": "2380"}, "one person by the number"),
    Row("the newer record is of another person", f"{ADMITTED}\n{PERSON}\nPatient/2@1 patient 02 08:00 {OTHER}",
        {"statutory.name": None, "statutory.address": None, "municipality": None,
         "statutory.identifier.value": "198507099805"}, "two persons are never mixed"),
    Row("a record without number", f"{ADMITTED}\n{PERSON}\nPatient/2@1 patient 02 08:00 name=Nyare",
        {"statutory.name": "Nyare", "statutory.identifier.value": "191212121212"}, "of the same case, of the same person"),
]

MUNICIPALITIES = [
    Row("folkbokföring", f"{ADMITTED}\n{PERSON}", {"municipality": "2380", "placing_municipality": None}, "LUS 5:2 1 st."),
    Row("moved in mid-stay", f"Patient/2@1 patient 03 08:00 {TOLVAN} municipality=2326\n{ADMITTED}\n{PERSON}",
        {"municipality": "2326"}, "the newest statement"),
    Row("moved, told the other way round", f"{PERSON}\n{ADMITTED}\nPatient/2@1 patient 03 08:00 {TOLVAN} municipality=2326",
        {"municipality": "2326"}, "the newest statement"),
    Row("moved in the same record", f"Patient/1@2 patient 01 08:00 {TOLVAN} municipality=2326\n{ADMITTED}\n{PERSON}",
        {"municipality": "2326", "statutory.name": None}, "the newest version"),
    Row("placed by another", f"{ADMITTED}\n{PERSON} placing_municipality=2326",
        {"municipality": "2380", "placing_municipality": "2326"}, "LUS 5:2 2 st."),
    Row("by organisation", f'{ADMITTED} organizations=["urn:x|none","urn:x|berg"]', {"municipality": "2326"},
        "the first that a subscriber lists"),
    Row("by HSA-id under the other OID",
        f'{ADMITTED} organizations=["urn:oid:1.2.752.129.2.1.4.1|se2321000016-2380"]', {"municipality": "2380"},
        "both OIDs are in use"),
    Row("by the newest organisation", f"""
        Encounter/t@1 transferred 03 08:00 organizations=["urn:x|berg"]
        {ADMITTED} organizations=["urn:oid:1.2.752.29.4.19|SE2321000016-2380"]""", {"municipality": "2326"},
        "who is told last"),
    Row("folkbokföring before organisation", f'{ADMITTED} organizations=["urn:x|berg"]\n{PERSON}',
        {"municipality": "2380"}, "LUS 5:2"),
    Row("the newer record has none", f"{ADMITTED}\n{PERSON}\nPatient/2@1 patient 02 08:00 {TOLVAN} municipality=false",
        {"municipality": "2380"}, "false is no kommunkod: another record of the person tells"),
    Row("no municipality", f'{ADMITTED} organizations=["urn:x|none"]', {"municipality": None}, "unrouted, never guessed"),
]

PROTECTED = [
    Row("protected", f"""
        {PERSON} protected=true placing_municipality=2326
        {ADMITTED} unit={{"id":"w1"}} expected=2026-03-09
        Task/k@1 care-contact-appointed 03 09:00 contact={{"name":"Ada"}}
        Task/o@1 care-contact-appointed 03 10:00 contact={{"name":"Bo"}} coordinator=true
        Encounter/2@1 discharged 05 10:00 destination=home""",
        {"protected": True, "manual_handling": "protected-identity", "statutory.name": None,
         "statutory.identifier": None, "statutory.address": None, "unit": None, "care_contact": None,
         "coordinator": None, "sources": (), "ended.how": "discharged", "ended.destination": None,
         "municipality": "2326", "placing_municipality": None, "statutory.expected_discharge": "2026-03-09"},
        "contract 4: no name, identifier, address; nothing of where"),
    Row("protected by one record of two", f"{ADMITTED}\n{PERSON} protected=true\nPatient/2@1 patient 02 08:00 {TOLVAN} name=Syns",
        {"protected": True, "statutory.name": None}, "the protective answer wins"),
    Row("protected under another number", f"{ADMITTED}\n{PERSON} protected=true\nPatient/2@1 patient 02 08:00 {OTHER} name=Syns",
        {"protected": True, "statutory.name": None}, "same"),
    Row("protection lifted", f"{ADMITTED}\n{PERSON} protected=true\nPatient/1@2 patient 02 08:00 {TOLVAN} name=Syns",
        {"protected": False, "statutory.name": "Syns"}, "the record itself says it no longer"),
    Row("not protected", f"{ADMITTED}\n{PERSON} protected=false", {"protected": False}, "said outright"),
]

#: Admitted on the 2nd, home on the 10th.
HOME = f"{ADMITTED}\nEncounter/2@1 discharged 10 14:00"
MARCH_1, MARCH_5, MARCH_20 = "2026-03-01T07:00:00Z", "2026-03-05T07:00:00Z", "2026-03-20T07:00:00Z"
FIRST = f"Patient/1@1/{MARCH_1} patient 01 08:00 {TOLVAN} name=Tolvan address=Gatan municipality=2380"


def again(version: int, made: str, day: str, fields: str, **over: str | None) -> str:
    """A newer version of the same record; `over`: municipality by the day from which on it holds."""
    said = ",".join(f'["{start[1:]}",{{"municipality":"{code}"}}]' for start, code in over.items() if code)
    before = "[null,{}]"
    stretches = f" over=[{before},{said}]" if said else ""
    return f"Patient/1@{version}/{made} patient {day} 08:00 {TOLVAN} {fields}{stretches}"


WHOLE = "name=Tolvan address=Gatan"
AS_OF = [
    Row("moved after the end", f"{HOME}\n{FIRST}\n{again(2, MARCH_20, '20', f'{WHOLE} municipality=2326')}",
        {"municipality": "2380", "sources.0.version": "1", "sources.3": None}, "settlement 1a: a move after the end changes nothing"),
    Row("moved after admission, still in", f"{ADMITTED}\n{FIRST}\n{again(2, MARCH_20, '20', f'{WHOLE} municipality=2326')}",
        {"municipality": "2326"}, "as of now while the stay goes on"),
    Row("moved in the stay", f"{HOME}\n{FIRST}\n{again(2, MARCH_5, '05', f'{WHOLE} municipality=2326')}",
        {"municipality": "2326"}, "settlement 1a: the municipality at its end"),
    Row("a period that begins in the stay, told after it",
        f"{HOME}\n{FIRST}\n{again(2, MARCH_20, '20', f'{WHOLE} municipality=2326', _08='2326')}",
        {"municipality": "2326", "sources.3.version": "2"}, "settlement 1a: a correction does correct"),
    Row("a period that begins at the end", f"{HOME}\n{FIRST}\n{again(2, MARCH_20, '20', f'{WHOLE} municipality=2326', _10='2326')}",
        {"municipality": "2326"}, "on the day of going home: the municipality at the end"),
    Row("a period that begins the day after the end",
        f"{HOME}\n{FIRST}\n{again(2, MARCH_20, '20', f'{WHOLE} municipality=2326', _11='2326')}",
        {"municipality": "2380"}, "both sides of the edge"),
    Row("a move to come", f"{ADMITTED}\n{FIRST}\n{again(2, MARCH_5, '05', f'{WHOLE} municipality=2380', _01='2380', _25='2326')}",
        {"municipality": "2380"}, "not before its day", now="24 23:59:59"),
    Row("a move that has come", f"{ADMITTED}\n{FIRST}\n{again(2, MARCH_5, '05', f'{WHOLE} municipality=2380', _01='2380', _25='2326')}",
        {"municipality": "2326"}, "on its day", now="25 00:00"),
    Row("known first after the end", f"{HOME}\nPatient/1@1/{MARCH_20} patient 20 08:00 {TOLVAN} municipality=2326",
        {"municipality": "2326"}, "settlement 1a: what is known first holds backwards"),
    Row("known first after the end, corrected later still", f"""{HOME}
        Patient/1@1/{MARCH_20} patient 20 08:00 {TOLVAN} municipality=2326
        Patient/1@2/2026-03-25T07:00:00Z patient 25 08:00 {TOLVAN} municipality=2380""",
        {"municipality": "2326"}, "the earliest known, not the newest"),
    Row("the code is added after the end", f"{HOME}\nPatient/1@1/{MARCH_1} patient 01 08:00 {TOLVAN}\n{again(2, MARCH_20, '20', 'municipality=2326')}",
        {"municipality": "2326"}, "no statement of it is that old: what is known first"),
    Row("the code is lost in the stay", f"{HOME}\n{FIRST}\n{again(2, MARCH_5, '05', WHOLE)}\n{again(3, MARCH_20, '20', f'{WHOLE} municipality=2326')}",
        {"municipality": None, "statutory.name": "Tolvan"}, "a version is whole: it was said no longer, and never guessed"),
    Row("said again", f"{HOME}\n{FIRST}\n{again(2, MARCH_5, '05', f'{WHOLE} municipality=2380')}",
        {"municipality": "2380", "sources.0.version": "1", "sources.3": None}, "11 row 5: the same again changes nothing"),
    Row("a new name after the end", f"{HOME}\n{FIRST}\n{again(2, MARCH_20, '20', 'name=Ny address=Annan municipality=2380')}",
        {"statutory.name": "Tolvan", "statutory.address": "Gatan"}, "settlement 1a: name too"),
    Row("another record after the end", f"{HOME}\n{FIRST}\nPatient/2@1/{MARCH_20} patient 20 08:00 {TOLVAN} name=Ny municipality=2326",
        {"municipality": "2380", "statutory.name": "Tolvan"}, "a record per message is one person all the same"),
    Row("another record in the stay, the first said again", f"""{HOME}
        {FIRST}\nPatient/2@1/{MARCH_5} patient 05 08:00 {TOLVAN} name=Ny municipality=2326
        Patient/1@2/2026-03-08T07:00:00Z patient 08 08:00 {TOLVAN} {WHOLE} municipality=2380""",
        {"municipality": "2326", "statutory.name": "Ny"}, "what is said again is no younger"),
    Row("said again beside a new name", f"""{HOME}
        {FIRST}\nPatient/2@1/{MARCH_5} patient 05 08:00 {TOLVAN} municipality=2326
        Patient/1@2/2026-03-08T07:00:00Z patient 08 08:00 {TOLVAN} name=Ny address=Gatan municipality=2380""",
        {"municipality": "2326", "statutory.name": "Ny"}, "settlement 1a, field by field: the version that first says it"),
    Row("protected after the end", f"{HOME}\n{FIRST}\n{again(2, MARCH_20, '20', f'{WHOLE} municipality=2380 protected=true')}",
        {"protected": True, "statutory.name": None, "sources": ()}, "settlement 1a: from the moment it is known, for all cases"),
    Row("placed after the end", f"{HOME}\n{FIRST}\n{again(2, MARCH_20, '20', f'{WHOLE} municipality=2380 placing_municipality=2326')}",
        {"placing_municipality": None, "municipality": "2380"}, "settlement 1a: placement too"),
    Row("placed in the stay", f"{HOME}\n{FIRST}\n{again(2, MARCH_5, '05', f'{WHOLE} municipality=2380 placing_municipality=2326')}",
        {"placing_municipality": "2326", "municipality": "2380"}, "LUS 5:2 2 st."),
    Row("placed after the end, all told later", f"""{HOME}
        Patient/1@1/{MARCH_20} patient 20 08:00 {TOLVAN} {WHOLE} municipality=2380
        Patient/1@2/2026-03-25T07:00:00Z patient 25 08:00 {TOLVAN} {WHOLE} municipality=2380 placing_municipality=2326""",
        {"placing_municipality": None, "municipality": "2380"}, "the version that is known first says that there is none"),
    Row("a placement known first after the end", f"{HOME}\nPatient/1@1/{MARCH_20} patient 20 08:00 {TOLVAN} municipality=2380 placing_municipality=2326",
        {"placing_municipality": "2326", "municipality": "2380"}, "what is known first holds backwards"),
    Row("moved after the case was voided", f"Encounter/1@1 voided 10 08:00\n{FIRST}\n{again(2, MARCH_20, '20', f'{WHOLE} municipality=2326')}",
        {"state": "voided", "municipality": "2380"}, "it is over too"),
    Row("the record is in error", f"{HOME}\n{FIRST}\nPatient/1@2/{MARCH_20} void",
        {"municipality": None, "statutory.name": None}, "entered-in-error takes all back, of any time"),
    Row("the record is in error, then stated anew",
        f"{HOME}\n{FIRST}\nPatient/1@2/{MARCH_5} void\n{again(3, MARCH_20, '20', f'{WHOLE} municipality=2326')}",
        {"municipality": "2326"}, "what was taken back is not what is known first"),
]
# fmt: on
