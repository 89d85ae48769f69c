-- Whole lines disputed and questions taken back; what else is issued with a month; stays as they were folded.

create function issued_stays() returns trigger language plpgsql as $$
begin
  raise exception 'what was issued is never changed' using errcode = 'integrity_constraint_violation';
end $$;

-- A question is on the line of a stay, or on the one line of a mean's excess.
alter table dispute
  alter stay drop not null,
  add agreement text,
  add care_form text,
  add constraint dispute_line check (
    (stay is not null and agreement is null and care_form is null)
    or (stay is null and agreement is not null and care_form is not null));
create index dispute_by_municipality on dispute (municipality);
alter table dispute_answer
  add withdrawn boolean not null default false,   -- the municipality took its question back itself
  add reason    text;                             -- of the region, for the municipality

create table follow_up (
  number       bigint      generated always as identity unique,
  municipality text        not null,
  month        text        not null check (month ~ '^[0-9]{4}-[0-9]{2}$'),
  issued_at    timestamptz not null,
  bundle       bytea       not null,             -- FHIR JSON, as published
  primary key (municipality, month)
);
comment on table follow_up is 'The monthly follow-up, as issued with the month. Never changed.';

-- Numbered with the resources of statements, so that a search of both has one order.
create table follow_up_resource (
  number    bigint not null unique default nextval('statement_resource_number_seq'),
  type      text   not null,
  id        text   not null,
  follow_up bigint not null references follow_up (number),
  resource  bytea  not null,                     -- FHIR JSON
  primary key (type, id)
);
create index follow_up_resource_by_follow_up on follow_up_resource (follow_up, type);

create view issued_resource as
  select statement_resource.number, type, statement_resource.id, resource, municipality, agreement, month
  from statement_resource join statement on statement.id = statement_resource.statement
  union all
  select follow_up_resource.number, type, follow_up_resource.id, resource, municipality, null, month
  from follow_up_resource join follow_up on follow_up.number = follow_up_resource.follow_up;

create table statistic (
  agreement text        not null,
  month     text        not null check (month ~ '^[0-9]{4}-[0-9]{2}$'),
  issued_at timestamptz not null,
  bundle    bytea       not null,                -- FHIR JSON: what anybody may see
  primary key (agreement, month)
);
comment on table statistic is 'What the public sees of a month, once and for all: two versions could be subtracted.';

create trigger follow_up_stays before update or delete or truncate on follow_up
  for each statement execute function issued_stays();
create trigger follow_up_resource_stays before update or delete or truncate on follow_up_resource
  for each statement execute function issued_stays();
create trigger statistic_stays before update or delete or truncate on statistic
  for each statement execute function issued_stays();

-- A cache: emptied, it is filled again by the next run. No foreign key: it would lock the cases of messages
-- that come while a run goes on.
create table stay (
  case_id text primary key,
  print   text  not null,                        -- of the facts, and of all else that it was folded by
  said    bytea not null                         -- JSON: what settlement reads of the case
);
comment on table stay is 'Cases as settlement reads them, so that only those that changed are folded again.';
