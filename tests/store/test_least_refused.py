"""What PostgreSQL itself refuses: to each role what is not its own, and to everybody what is kept."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from adapter.store.roles import ROLES
from tests.store.logins import KINDS, Logins

STATEMENT = "what was issued is never changed (settlement rules 8)"
EVENT = "a subscriber counts on what it was told"
RAW = "a message holds all of a person's matters; whoever needs a part is given that part"
AUDIT = "the audit is only ever added to (HSLF-FS 2016:40 4:9)"

REFUSED = [
    # login, statement, because
    ("intake", "update statement set due = 0", STATEMENT),
    ("intake", "delete from statement", STATEMENT),
    ("intake", "truncate statement cascade", STATEMENT),
    ("intake", "insert into statement default values", "only a settlement issues"),
    ("intake", "insert into statement_resource default values", "only a settlement issues"),
    ("intake", "insert into follow_up default values", "only a settlement issues"),
    ("intake", "insert into statistic default values", "only a settlement issues"),
    ("intake", "update statement_resource set resource = ''", STATEMENT),
    ("intake", "update dispute_answer set upheld = true", STATEMENT),
    ("intake", "delete from dispute", STATEMENT),
    ("intake", "update event set payload = ''", EVENT),
    ("intake", "delete from event", EVENT),
    ("intake", "truncate event cascade", EVENT),
    ("intake", "delete from outbox", "only the relay knows what Kafka has"),
    ("intake", "update outbox set lane = ''", "an event goes where it was meant to"),
    ("intake", "insert into relay_claim default values", "only a relay claims"),
    ("intake", "update message set body = ''", "a replay starts from what was received"),
    ("intake", "delete from message", "PDL 3:17: kept for ten years at least"),
    ("intake", "delete from message_bundle", "a Bundle.id is never used again"),
    ("intake", "delete from discarded", "that a message was given up is to be seen"),
    ("intake", "update fact set message = 1", "which message said it never changes"),
    ("intake", "update fact set ord = ''", "which version said it never changes"),
    ("intake", "truncate fact", "only what a message said before it is read anew goes"),
    ("intake", "update cases set id = ''", "the pseudonym is the key of the topics"),
    ("intake", "update cases set key = ''", "a case is of one key"),
    ("intake", "delete from cases", "PDL 3:17"),
    ("intake", "update audit set who = ''", AUDIT),
    ("intake", "delete from audit", AUDIT),
    ("intake", "truncate audit", AUDIT),
    ("intake", "select what from audit", "who adds to it need not read of whom it is"),
    ("relay", "select body from message", RAW),
    ("relay", "select response from message", RAW),
    ("relay", "select signals from fact", RAW),
    ("relay", "select picture from cases", RAW),
    ("relay", "select key from cases", "the mapping's key may name a person"),
    ("relay", "select said from statement", RAW),
    ("relay", "select what from audit", RAW),
    ("relay", "select hash from alias", RAW),
    ("relay", "update cases set state = ''", "it tells of cases, and decides nothing"),
    ("relay", "update event set payload = ''", EVENT),
    ("relay", "delete from event", EVENT),
    ("relay", "insert into message default values", "it takes nothing in"),
    ("relay", "insert into fact default values", "it takes nothing in"),
    ("relay", "insert into statement default values", "only a settlement issues"),
    ("settle", "insert into fact default values", "facts come from messages alone"),
    ("settle", "update fact set signals = ''", "facts come from messages alone"),
    ("settle", "delete from fact", "facts come from messages alone"),
    ("settle", "insert into message default values", "it takes nothing in"),
    ("settle", "select body from message", RAW),
    ("settle", "update cases set state = ''", "what is owed follows from cases, never the other way"),
    ("settle", "update statement set due = 0", STATEMENT),
    ("settle", "delete from statement", STATEMENT),
    ("settle", "update follow_up set bundle = ''", STATEMENT),
    ("settle", "update statistic set bundle = ''", "two versions could be subtracted"),
    ("settle", "select payload from event", RAW),
    ("settle", "delete from event", EVENT),
    ("settle", "delete from outbox", "only the relay knows what Kafka has"),
    ("settle", "insert into dispute default values", "only a municipality disputes"),
    ("settle", "delete from audit", AUDIT),
    ("read", "select body from message", RAW),
    ("read", "select * from message", RAW),
    ("read", "select signals from fact", RAW),
    ("read", "select picture from cases", RAW),
    ("read", "select payload from event", RAW),
    ("read", "select bundle from statement", RAW),
    ("read", "select body from resource", RAW),
    ("read", "insert into event default values", "it writes nothing but that it read"),
    ("read", "delete from outbox", "it writes nothing but that it read"),
    ("read", "update cases set parked = false", "it writes nothing but that it read"),
    ("read", "select nextval('message_id_seq')", "it writes nothing but that it read"),
    ("retention", "insert into event default values", "it takes out, and adds nothing to what is told"),
    ("retention", "update event set payload = ''", EVENT),
    ("retention", "update audit set who = ''", AUDIT),
    ("retention", "update statement set due = 0", STATEMENT),
]

#: Of every login: nobody who runs a process owns anything.
OF_ALL = [
    ("create table mine (id integer)", "the shape is made by migrations"),
    ("create function mine() returns integer language sql as 'select 1'", "code is ours to ship"),
    ("create schema mine", "the shape is made by migrations"),
    ("create temporary table mine (id integer)", "nothing of a person outside the tables that are kept"),
    ("alter table event disable trigger event_kept", "what is kept is kept"),
    ("drop trigger event_kept on event", "what is kept is kept"),
    ("drop table event cascade", "what is kept is kept"),
    ("create or replace function kept() returns trigger language plpgsql as 'begin return old; end'", "same"),
    ("set session_replication_role = replica", "it would switch triggers off"),
    ("insert into migration (name) values ('9999_mine')", "only the owner migrates"),
    ("delete from migration", "only the owner migrates"),
    ("create role mine", "rights are given by the owner alone"),
    ("grant losus_retention to current_user", "rights are given by the owner alone"),
    ("copy (select 1) to program 'true'", "PostgreSQL's own superuser alone"),
    ("select pg_read_file('postgresql.conf')", "PostgreSQL's own superuser alone"),
]


@pytest.fixture(scope="module")
async def sessions(logins: Logins) -> AsyncIterator[dict[str, asyncpg.Connection]]:
    """A session of each login; of the owner too."""
    opened = {kind: await asyncpg.connect(logins.dsn(kind)) for kind in (*KINDS, "owner")}
    await opened["owner"].execute(ROWS)
    yield opened
    for one in opened.values():
        await one.close()


async def outcome(connection: asyncpg.Connection, statement: str) -> str:
    """What becomes of it; it is taken back in any case."""
    trial = connection.transaction()
    await trial.start()
    try:
        await connection.execute(statement)
    except asyncpg.InsufficientPrivilegeError:
        return "refused"
    except asyncpg.IntegrityConstraintViolationError:
        return "kept"
    finally:
        await trial.rollback()
    return "done"


@pytest.mark.parametrize(("kind", "statement", "because"), REFUSED)
async def test_a_role_is_refused_what_is_not_its_own(sessions, kind, statement, because):
    assert await outcome(sessions[kind], statement) == "refused", because


@pytest.mark.parametrize(("statement", "because"), OF_ALL)
async def test_no_login_of_a_process_owns_anything(sessions, statement, because):
    done = {kind: await outcome(sessions[kind], statement) for kind in KINDS}
    assert set(done.values()) == {"refused"}, (because, done)


async def test_a_role_cannot_become_another(sessions):
    for kind, mine in zip(KINDS, ROLES, strict=True):
        for role in set(ROLES) - {mine}:
            assert await outcome(sessions[kind], f"set role {role}") == "refused"


@pytest.mark.parametrize(
    ("kind", "statement", "because"),
    [
        ("intake", "update cases set state = 'ready' where id = 'c'", "a case is folded anew"),
        ("intake", "update fact set signals = '[]'", "a message is read anew"),
        ("intake", "delete from fact where message = 1", "a message is read anew"),
        ("intake", "select from cases where id = 'c' for update", "a case is changed by one at a time"),
        (
            "relay",
            "select id from cases where id = 'c' for update",
            "what it takes off the topic stands still",
        ),
        ("relay", "delete from outbox", "Kafka has it"),
        ("settle", "select id from dispute for update", "a question is answered once"),
        ("settle", "delete from stay", "a cache"),
        ("read", "select * from audit", "who saw what"),
    ],
)
async def test_a_role_may_do_its_own(sessions, kind, statement, because):
    assert await outcome(sessions[kind], statement) == "done", because


KEPT = [
    ("update event set payload = ''", EVENT),
    ("delete from event", EVENT),
    ("truncate event cascade", EVENT),
    ("update message set body = ''", "a replay starts from what was received"),
    ("delete from message", "a replay starts from what was received"),
    ("truncate message cascade", "a replay starts from what was received"),
    ("update message_bundle set bundle_id = ''", "a Bundle.id is never used again"),
    ("delete from message_bundle", "a Bundle.id is never used again"),
    ("truncate message_bundle", "a Bundle.id is never used again"),
    ("update discarded set reason = ''", "why it was given up is to be seen"),
    ("delete from discarded", "that it was given up is to be seen"),
    ("truncate discarded", "that it was given up is to be seen"),
    ("update fact set message = 2", "which message said it never changes"),
    ("truncate fact", "only what a message said before it is read anew goes"),
    ("update statement set due = 0", STATEMENT),
    ("delete from statement", STATEMENT),
    ("truncate statement cascade", STATEMENT),
    ("delete from statement_resource", STATEMENT),
    ("delete from follow_up", STATEMENT),
    ("delete from follow_up_resource", STATEMENT),
    ("delete from statistic", STATEMENT),
    ("update dispute set message = ''", STATEMENT),
    ("delete from dispute_answer", STATEMENT),
    ("update audit set who = ''", AUDIT),
    ("delete from audit", AUDIT),
    ("truncate audit", AUDIT),
]


@pytest.mark.parametrize(("statement", "because"), KEPT)
async def test_what_is_kept_is_refused_to_its_owner_too(sessions, statement, because):
    assert await outcome(sessions["owner"], statement) == "kept", because


#: A row in every table that is kept.
ROWS = """
insert into message (source, header_id, bundle_id, received_at, body, response)
  values ('s', 'h', 'b', now(), 'raw', 'answer'), ('s', 'h2', 'b2', now(), 'raw', 'answer');
insert into message_bundle values ('s', 'b', 1);
insert into fact values ('s', 'Encounter/1', '[1]', '1', 'c', '[]', false, 1);
insert into cases (id, source, key, changed_at) values ('c', 's', 'k', now());
insert into event (case_id, municipality, revision, type, ce_id, payload, closing, created_at)
  values ('c', '2380', 1, 'se.losus.case.changed.v1', 'e', '{}', false, now());
insert into outbox (event) values (1);
insert into discarded values (1, now(), 'sent again');
insert into dispute (id, municipality, stay, month, asked_at, message)
  values ('d', '2380', 'c', '2026-01', now(), '{}');
insert into audit values (1, now(), 'system', 'x', 'read', '{}', 'ok', 'x', null, '', 1, '', 'h');
"""
