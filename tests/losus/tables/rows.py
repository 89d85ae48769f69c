"""All rows of all tables, by name; no two rows have one name."""

from tests.losus.tables import limits, people, states, versions
from tests.losus.telling import Row

TABLES = (
    *(states.STATES, states.PRESENCE, states.PROCESS),
    *(versions.VERSIONS, versions.ADMISSIONS, versions.READINESS),
    *(limits.ADMISSION_NOTICE, limits.PLANNING_START, limits.SIP_CALL, limits.DISCHARGE, limits.CLOSED),
    *(
        limits.PLANNED_DATE,
        limits.RECEIVED,
        limits.OFFER,
        limits.COMPULSORY,
        limits.CONTACTS,
        limits.ACTUALLY,
    ),
    *(people.PEOPLE, people.MUNICIPALITIES, people.PROTECTED, people.AS_OF),
)
ROWS: dict[str, Row] = {row.name: row for table in TABLES for row in table}
if len(ROWS) != sum(map(len, TABLES)):
    raise ValueError("two rows of one name")
