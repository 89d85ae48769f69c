-- More doors than that of messages; what cannot be read yet is kept, and its case waits.

alter table message
  alter header_id drop not null,               -- only a message has one, and only it a Bundle.id that counts
  alter bundle_id drop not null,
  alter response drop not null,
  add door    text     not null default 'message',
  add media   text     not null default 'json',
  add fhir    text,                            -- version that the request named; null: the source's setting
  add targets text,                            -- JSON: what the door named its resources, and found by condition
  add sealed  text,                            -- which key the body is encrypted with; null: with none
  add status  smallint not null default 200;   -- HTTP status of the answer
comment on table message is 'Inbox: everything that was taken in, once, raw as it came.';
create index message_by_time on message (source, received_at);

-- While anything of a case is held, nothing is told of it: `parked` is that, kept with the case so that
-- whoever locks its row knows.
alter table cases add parked boolean not null default false;
create index cases_parked on cases (id) where parked;
drop index cases_due;
create index cases_due on cases (due) where due is not null and not parked;

create table held (
  message  bigint      primary key references message (id),
  source   text        not null,
  cause    text        not null check (cause in ('untranslated', 'invalid', 'unresolved', 'faulty')),
  problems text        not null,               -- JSON: code, rule, expression of each; never a value
  since    timestamptz not null,
  tries    integer     not null default 1,
  retry_at timestamptz                         -- null: somebody has to mend something first
);
create index held_retry on held (retry_at) where retry_at is not null;
create index held_by_source on held (source, message);
comment on table held is 'What was taken in and could not be read, or not yet.';

create table held_case (
  message bigint not null references held (message) on delete cascade,
  case_id text   not null references cases (id),
  primary key (case_id, message)
);
create index held_case_by_message on held_case (message);
comment on table held_case is 'The cases that wait for what is held.';

-- What an operator decided about something held that will never be read. Only ever added to.
create table discarded (
  message bigint      primary key references message (id),
  at      timestamptz not null,
  reason  text        not null
);

-- The newest version of what resources of a source point at, as delivered or fetched.
create table resource (
  source text        not null,
  name   text        not null,                 -- Type/id
  ord    text        not null,                 -- how this version ranks, as JSON (VersionOrder)
  version text       not null,                 -- what a person calls it
  digest text        not null,                 -- of what it says, but for its meta
  body   bytea       not null,                 -- JSON
  sealed text,
  got_at timestamptz not null,
  primary key (source, name)
);
create table leaning (
  source  text   not null,
  name    text   not null,
  message bigint not null references message (id),
  primary key (source, name, message)
);
comment on table leaning is 'Which messages were read with the help of a resource outside themselves.';

-- Messages to be read anew, since something that they lean on is another than it was.
create table reread (
  message bigint      primary key references message (id),
  since   timestamptz not null
);

create table mark (
  name       text        primary key,          -- a topic's partition, a poll's cursor, a subscription
  value      text        not null,
  changed_at timestamptz not null
);
comment on table mark is 'How far each door has come, in the transaction of what it brought.';

create table alias (
  source text not null,
  hash   text not null,                        -- keyed hash of type, system and value of an identifier
  name   text not null,                        -- Type/id
  primary key (source, hash, name)
);
comment on table alias is 'By which identifiers a resource may be named in a condition.';

create table stopped_source (
  source text        primary key,
  at     timestamptz not null,
  why    text        not null
);
comment on table stopped_source is 'Sources of which too much could not be used; an operator lets them go on.';
