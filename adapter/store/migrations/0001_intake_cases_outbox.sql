-- Messages as they came, what they said, the cases folded from it, and the events to publish.

create table message (
  id          bigint generated always as identity primary key,
  source      text        not null,
  header_id   text        not null,
  bundle_id   text        not null,
  received_at timestamptz not null,
  body        bytea       not null,          -- raw, as received: what a replay starts from
  response    bytea       not null,          -- the answer, to be given again byte for byte
  unique (source, header_id)
);
comment on table message is 'Inbox: every message answered 2xx, once.';

-- A resend carries a new Bundle.id under the known header, and a Bundle.id is never used again.
create table message_bundle (
  source    text   not null,
  bundle_id text   not null,
  message   bigint not null references message (id),
  primary key (source, bundle_id)
);

create table fact (
  source   text    not null,
  resource text    not null,                 -- identity, as the mapping gives it: Type/…
  ord      text    not null,                 -- how this version ranks, as JSON (VersionOrder)
  version  text    not null,                 -- what a person calls this version
  case_id  text,                             -- null: belongs to the cases of those about it
  signals  bytea   not null,                 -- JSON
  void     boolean not null,
  message  bigint  not null references message (id),
  primary key (source, resource, ord)
);
comment on table fact is 'What one version of one resource said. Only ever added to.';

create table link (
  case_id  text not null,
  source   text not null,
  resource text not null,
  primary key (case_id, source, resource)
);
create index link_by_resource on link (source, resource);
comment on table link is 'Which resources a case is folded from.';

create table replacement (
  source   text not null,
  resource text not null,
  by       text not null,
  primary key (source, resource, by)
);
create index replacement_by on replacement (source, by);
comment on table replacement is 'Patient records that some version says were replaced; whether it still holds, the facts say.';

create table cases (
  id           text   primary key,           -- keyed pseudonym, never a personnummer
  source       text   not null,
  key          text   not null,              -- the mapping's case key
  state        text,                         -- null: nothing yet that establishes one
  municipality text,
  picture      bytea,                        -- JSON, as last published
  revisions    text   not null default '{}', -- JSON: municipality to its last revision
  due          timestamptz,                  -- when a pending limit will be missed, if nothing is heard
  changed_at   timestamptz not null,
  unique (source, key)
);
create index cases_due on cases (due) where due is not null;
create index cases_by_municipality on cases (municipality, id);
create index cases_by_state on cases (state, id);

create table event (
  id           bigint generated always as identity primary key,
  case_id      text        not null,
  municipality text,                         -- null: nobody to send it to (losus.unrouted)
  revision     integer     not null,
  type         text        not null,         -- CloudEvents type
  ce_id        text        not null,
  payload      bytea       not null,
  closing      boolean     not null,         -- the last word to a former municipality
  created_at   timestamptz not null
);
create unique index event_revisions on event (case_id, coalesce(municipality, ''), revision);
comment on table event is 'Every event ever decided on, in order per case. Only ever added to.';

create table outbox (
  event bigint primary key references event (id)
);
comment on table outbox is 'Events that Kafka has not confirmed yet.';

-- The relay writes down what it is about to publish, so that after a crash it can ask Kafka
-- whether it did (see adapter/outbound/relay.py).
create table relay_batch (
  relay  text     primary key,
  number bigint   not null,
  events bigint[] not null
);
