-- Statements as issued, and the FHIR resources that tell them. Only ever added to: the database refuses
-- to change or remove a row, whoever asks (settlement rules 8).

create table statement (
  number       bigint      generated always as identity unique,
  id           text        primary key,       -- by what it says: the same facts have the same id
  agreement    text        not null,
  municipality text        not null,          -- kommunkod
  care_form    text        not null,          -- or pooled
  month        text        not null check (month ~ '^[0-9]{4}-[0-9]{2}$'),
  issued_at    timestamptz not null,
  early        text,                          -- why before the correction day was over; null: was not
  due          numeric     not null,          -- SEK to be invoiced, adjustments included
  held         text[]      not null,          -- stays whose lines were off the invoice: disputed
  said         bytea       not null,          -- all that was issued, as JSON: what later months correct
  bundle       bytea       not null,          -- FHIR JSON, as published
  unique (agreement, municipality, care_form, month)
);
create index statement_by_municipality on statement (municipality, month);
comment on table statement is 'What was issued to a municipality for a month. Never changed.';

-- What several statements share (organisations, rules, prices) stands once.
create table statement_resource (
  number    bigint generated always as identity unique,
  type      text   not null,
  id        text   not null,
  statement text   not null references statement (id),  -- the first one that tells it
  resource  bytea  not null,                            -- FHIR JSON
  primary key (type, id)
);
create index statement_resource_by_statement on statement_resource (statement, type);
comment on table statement_resource is 'The resources of issued statements, to be read and searched.';

create function statement_stays() returns trigger language plpgsql as $$
begin
  raise exception 'a statement, once issued, is never changed' using errcode = 'integrity_constraint_violation';
end $$;
create trigger statement_stays before update or delete or truncate on statement
  for each statement execute function statement_stays();
create trigger statement_resource_stays before update or delete or truncate on statement_resource
  for each statement execute function statement_stays();

-- What municipalities dispute, each question once; the answer is an event of its own, so that both stay.
create table dispute (
  id           text        primary key,       -- of the Task
  municipality text        not null,
  stay         text        not null,
  month        text        not null,
  asked_at     timestamptz not null,
  message      text                           -- the Task, as JSON
);
create table dispute_answer (
  dispute     text        primary key references dispute (id),
  upheld      boolean     not null,           -- completed: the line is not owed; rejected: it is
  answered_at timestamptz not null
);
create trigger dispute_stays before update or delete or truncate on dispute
  for each statement execute function statement_stays();
create trigger dispute_answer_stays before update or delete or truncate on dispute_answer
  for each statement execute function statement_stays();
