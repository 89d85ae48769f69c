"""What each version of the service wrote, kept for good: the shapes that a database has been filled in.

A NEW MIGRATION gets a row of `VERSIONS` here (test_migration_steps fails without it): its file's name; in
`shapes` each table whose `insert` in the code changed with it, or that is new and filled from real rows
(`life`), with the columns that the code names; in `uses` every other statement that the code has on what is
new, `{n}` where a name must be one's own. Every table is filled by one or the other. Rows of earlier versions
are never edited: they are what still runs while the next file is applied.

The walk (`test_migration_steps`) applies the files one by one. After each, the version before does all that
it does once more, then this version does. In the end the service of today works with all that is there.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Version:
    """What the code of one version writes: columns by table, and other statements.

    `relay`: what only a relay says, until a file asks for relays to be stopped first (`stopped`: its words).
    `issues`: a month is issued by it.
    """

    file: str
    shapes: Mapping[str, str]
    uses: str = ""
    relay: str = ""
    issues: bool = False
    stopped: str = ""


VERSIONS = (
    Version(
        "0001_intake_cases_outbox",
        {
            "message": "source header_id bundle_id received_at body response",
            "message_bundle": "source bundle_id message",
            "fact": "source resource ord version case_id signals void message",
            "link": "case_id source resource",
            "cases": "id source key state municipality picture revisions due changed_at",
            "event": "case_id municipality revision type ce_id payload closing created_at",
            "outbox": "event",
        },
        """
        insert into replacement (source, resource, by) values ('s', 'Patient/{n}', 'Patient/0') on
          conflict do nothing;
        select id, source, key, state, municipality, picture, revisions, due from cases order by id
          for update;
        update cases set state = state, municipality = municipality, picture = picture, revisions =
          revisions, due = due, changed_at = changed_at;
        select message.response from message join message_bundle using (source, bundle_id);
        select id, case_id, municipality, revision, type, ce_id, payload, closing, created_at from
          event;
        """,
        relay="""
        insert into relay_batch (relay, number, events) values ('r', 0, '{}') on conflict (relay) do
          update set number = greatest(relay_batch.number, 1) + 1, events = '{}' returning number;
        with gone as (delete from outbox where event = any ('{}'::bigint[])) update relay_batch set
          events = '{}' where relay = 'r';
        """,
    ),
    Version(
        "0002_statements",
        {
            "statement": "id agreement municipality care_form month issued_at early due held said bundle",
            "statement_resource": "type id statement resource",
        },
        """
        insert into dispute (id, municipality, stay, month, asked_at, message) values
          ('question-{n}', '2309', 'stay-{n}', '2019-01', now(), '{}') on conflict do nothing;
        insert into dispute_answer (dispute, upheld, answered_at) values ('question-{n}', true,
          now()) on conflict do nothing;
        select said from statement where municipality = '2380' order by number;
        select statement_resource.number, type, statement_resource.id, resource from
          statement_resource join statement on statement.id = statement_resource.statement order by
          1;
        """,
        issues=True,
    ),
    Version(
        "0003_doors",
        {
            "message": (
                "source header_id bundle_id received_at body response door media targets sealed status fhir"
            ),
        },
        """
        insert into message (source, received_at, body, door) values ('held', now(), 'of {n}',
          'resource');
        insert into cases (id, source, key, changed_at) values ('held-{n}', 'held', '{n}', now());
        insert into held (message, source, cause, problems, since, tries, retry_at) select max(id),
          'held', 'untranslated', '[]', now(), 1, null from message where source = 'held' on
          conflict (message) do update set cause = excluded.cause, problems = excluded.problems,
          tries = excluded.tries, retry_at = excluded.retry_at;
        insert into held_case (message, case_id) select max(message), 'held-{n}' from held;
        update cases set parked = exists (select from held_case where held_case.case_id = cases.id)
          where id = 'held-{n}';
        update held set retry_at = now() where retry_at is not null;
        insert into message (source, received_at, body, door) values ('gone', now(), 'of {n}',
          'resource');
        insert into held (message, source, cause, problems, since) select max(id), 'gone',
          'invalid', '[]', now() from message where source = 'gone';
        insert into held_case (message, case_id) select max(message), 'held-{n}' from held;
        delete from held where source = 'gone';
        insert into discarded (message, at, reason) select max(id), now(), 'sent again' from message
          where source = 'gone';
        insert into resource (source, name, ord, version, digest, body, sealed, got_at) values ('s',
          'Patient/{n}', '[1,"","",""]', '1', '', '{}', null, now()) on conflict (source, name) do
          update set ord = excluded.ord, version = excluded.version, digest = excluded.digest, body
          = excluded.body, sealed = excluded.sealed, got_at = excluded.got_at;
        insert into leaning (source, name, message) select 's', 'Patient/{n}', min(id) from message
          on conflict do nothing;
        insert into reread (message, since) select min(id), now() from message on conflict do
          nothing;
        delete from reread where message = any ('{-1}'::bigint[]);
        insert into mark (name, value, changed_at) values ('poll {n}', 'x', now()) on conflict
          (name) do update set value = excluded.value, changed_at = excluded.changed_at;
        insert into alias (source, hash, name) values ('s', 'hash-{n}', 'Patient/{n}') on conflict
          do nothing;
        insert into stopped_source (source, at, why) values ('stopped', now(), 'x') on conflict do
          nothing;
        insert into stopped_source (source, at, why) values ('resumed', now(), 'x');
        delete from stopped_source where source = 'resumed' returning true;
        delete from fact where message = any ('{-1}'::bigint[]);
        update fact set case_id = case_id, signals = signals, void = void;
        """,
    ),
    Version(
        "0004_lanes",
        {
            "outbox": "event lane",
        },
        """
        insert into relay_claim (slot, share, id, producer, since, events) values ('share-9', 9,
          '{n}', '', 0, '{}') on conflict (slot) do update set share = 9, id = '{n}', producer = '',
          since = 0, events = '{}';
        update relay_claim set events = '{}' where slot = 'share-9';
        insert into quarantine (lane, reason, since, failures, retry_at) values ('unrouted',
          'missing', now(), 0, now()) on conflict (lane) do update set reason = excluded.reason;
        update quarantine set reason = 'slow', failures = 2, retry_at = now() where lane =
          'unrouted';
        insert into quarantine (lane, reason, since, failures, retry_at) values ('2303', 'slow',
          now(), 0, now());
        delete from quarantine where lane = '2303';
        insert into event (case_id, municipality, revision, type, ce_id, payload, closing,
          created_at) values ('refused-{n}', '2326', 1, 'se.losus.case.changed.v1', 'refused-{n}',
          '{}', false, now());
        insert into outbox (event) select id from event where case_id = 'refused-{n}';
        with parked as (insert into parked_case (lane, case_id, event, reason, parked_at) select
          '2326', case_id, id, 'too large', now() from event where case_id = 'refused-{n}' on
          conflict (lane, case_id) do update set event = least(parked_case.event, excluded.event)),
          behind as (delete from outbox where event = (select id from event where case_id =
          'refused-{n}')) select;
        insert into parked_event (event, lane, case_id) select id, '2326', case_id from event where
          case_id = 'refused-{n}' on conflict do nothing;
        """,
        stopped="A relay of an earlier version is to be stopped, orderly, before this is applied",
    ),
    Version(
        "0005_audit",
        {
            "audit": ("number at kind who action what outcome why municipality address count previous hash"),
        },
        """
        select number, hash from audit order by number desc limit 1;
        """,
    ),
    Version(
        "0006_settlement",
        {
            "follow_up": "municipality month issued_at bundle",
            "follow_up_resource": "type id follow_up resource",
        },
        """
        insert into dispute (id, municipality, stay, month, agreement, care_form, asked_at, message)
          values ('excess-{n}', '2309', null, '2019-01', 'a', 'somatic', now(), '{}') on conflict do
          nothing;
        insert into dispute_answer (dispute, upheld, answered_at, withdrawn, reason) values
          ('excess-{n}', false, now(), false, 'x') on conflict do nothing;
        select from dispute where id = 'excess-{n}' for update of dispute;
        insert into statistic (agreement, month, issued_at, bundle)
          values ('agreement-{n}', '2019-01', now(), '{}');
        insert into stay (case_id, print, said) values ('gone-{n}', '', '') on conflict (case_id) do
          update set print = excluded.print, said = excluded.said;
        delete from stay where not exists (select from cases where cases.id = stay.case_id);
        insert into stay (case_id, print, said) select max(id), '', '' from cases on conflict
          (case_id) do update set print = excluded.print, said = excluded.said;
        select number, id, resource from issued_resource order by number;
        """,
        issues=True,
    ),
    Version(
        "0007_kept",
        {},
    ),
    Version(
        "0008_recovery",
        {},
        """
        insert into behind (slot, published, known, noticed_at) values ('share-9', 9, 8, now()) on
          conflict (slot) do update set published = excluded.published, known = excluded.known;
        delete from behind where slot <> all ('{}'::text[]);
        insert into superseded (event, by, at) select max(id), 'on kafka {n}', now() from event where
          case_id like 'refused-%' on conflict do nothing;
        insert into recovered_case (case_id, at, revisions, municipality, state, picture) values
          ('lost-{n}', now(), '{"2380": 1}', '2380', 'admitted', null) on conflict (case_id) do
          update set at = excluded.at, revisions = excluded.revisions, municipality =
          excluded.municipality, state = excluded.state, picture = excluded.picture;
        insert into told_statement (id, agreement, municipality, care_form, month, issued_at, bundle)
          values ('told-{n}', 'agreement-{n}', '9999', 'somatic', '2019-01', now(), '{}') on conflict
          do nothing;
        """,
    ),
    Version(
        "0009_retention",
        {},
        """
        insert into books_closed (through, closed_at) values ('2017-12', now()) on conflict do nothing;
        insert into closed_month (agreement, municipality, care_form, month, stays, days, day_zero)
          values ('agreement-{n}', '2380', 'somatic', '2017-12', 1, 3, 0);
        select max(through) from books_closed;
        """,
    ),
    Version(
        "0010_deliveries",
        {
            "event": "case_id municipality revision type ce_id payload closing created_at form ground",
        },
        """
        insert into delivery (event, at, partition, "offset", asked) select max(id), now(), 0, 1,
          null from event;
        """,
    ),
    Version(
        "0011_traces",
        {
            "message": (
                "source header_id bundle_id received_at body response door media targets sealed "
                "status fhir traceparent"
            ),
            "event": (
                "case_id municipality revision type ce_id payload closing created_at form ground traceparent"
            ),
        },
    ),
    Version("0012_retention_indexes", {}),
    Version(
        "0013_versions",
        {"fact": "source resource ord version case_id signals void message partial voids_stay about"},
        """
        update fact set case_id = case_id, signals = signals, void = void, partial = partial,
          voids_stay = voids_stay, about = about
          where about is not null;
        with one as (insert into message (source, received_at, body, door) values ('held', now(),
          'conflict {n}', 'resource') returning id)
          insert into held (message, source, cause, problems, since, tries, retry_at)
            select id, 'held', 'conflict', '[]', now(), 1, null from one;
        """,
    ),
    Version("0014_versions_checked", {}),
    Version(
        "0015_rates_announced",
        {},
        """
        select pg_advisory_xact_lock(hashtextextended('rate announcements', 0));
        insert into rate_announcement (year, municipality, care_form, version, amount, verified, source,
          announced_at) values (2027, 'town-{n}', '', 1, 12000, false, 'a source', now()) on conflict do
          nothing;
        select year, municipality, care_form, version, amount, verified, source, announced_at from
          rate_announcement where year = any ('{2027}'::integer[]) order by year, municipality;
        """,
    ),
    Version(
        "0016_corrections",
        {
            "statement": (
                "id agreement municipality care_form month issued_at early due held said bundle recorded"
            ),
            "statement_resource": "type id statement resource agreement month",
        },
        """
        insert into confirmed_empty (care_form, month, confirmed_at, because)
          values ('somatic', '2017-12', now(), 'summer {n}') on conflict do nothing;
        select care_form, month from confirmed_empty;
        select number, id, resource, agreement, month from issued_resource order by number;
        """,
        issues=True,
    ),
    Version(
        "0017_invoices",
        {},
        """
        insert into invoice_series (region, year, last) values ('23', 2019, 1)
          on conflict (region, year) do update set last = invoice_series.last + 1 returning last;
        insert into invoice (number, region, year, ordinal, kind, statement, dated)
          select '23-2019-' || lpad(last::text, 6, '0'), region, year, last, 'invoice', 'statement-{n}',
            date '2019-05-02' from invoice_series where region = '23' and year = 2019
          on conflict (number) do nothing;
        """,
    ),
    Version(
        "0018_joint_follow_ups",
        {},
        """
        select pg_advisory_xact_lock(hashtextextended('joint follow-up ' || 'a/2380/somatic', 0));
        insert into joint_follow_up (id, agreement, municipality, care_form, month) values ('joint-{n}',
          'a-{n}', '2380', 'somatic', '2019-01') on conflict do nothing;
        insert into joint_follow_up_entry (follow_up, entry, at, party, author, key, content) values
          ('joint-{n}', 1, now(), null, 'losus settle', null,
          '{"kind": "opened", "because": "by-hand"}') on conflict (follow_up, entry) do nothing;
        insert into joint_follow_up_version (follow_up, version, at, bundle) values ('joint-{n}', 1,
          now(), '{}') on conflict do nothing;
        insert into joint_follow_up_resource (type, id, follow_up, version, resource) values ('MeasureReport',
          'joint-{n}', 'joint-{n}', 1, '{}') on conflict do nothing;
        select follow_up, entry, at, party, author, content from joint_follow_up_entry order by number;
        select number, id, resource from every_resource order by number;
        """,
    ),
    Version(
        "0019_no_data",
        {},
        """
        insert into closed_month (agreement, municipality, care_form, month, stays, days, day_zero, no_data)
          values ('agreement-{n}', '2380', 'psychiatric', '2017-12', 0, 0, 0, true);
        """,
    ),
    Version(
        "0020_regions",
        {
            "statement": (
                "id agreement municipality care_form month issued_at early due held said bundle recorded "
                "region"
            ),
        },
        """
        insert into told_statement (id, agreement, municipality, care_form, month, issued_at, bundle, region)
          values ('told-r-{n}', 'lus-2017-612', '0188', 'somatic', '2017-12', now(), '{n}', '23') on conflict
          do nothing;
        select agreement, municipality, care_form, month, region from statement where month = any
          ('{2019-01}'::text[]);
        """,
        issues=True,
    ),
    Version(
        "0021_entered_municipalities",
        {},
        """
        insert into entered_municipality (case_id, municipality, since, entered_by, because)
          select id, '2380', null, 'anna', 'the register, {n}' from cases limit 1;
        select case_id, municipality, since, entered_by, because from entered_municipality order by number;
        """,
    ),
)
