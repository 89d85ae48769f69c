-- Who saw, received or tried what, when and why (PDL 4:3, 3:11; HSLF-FS 2016:40 4:9). Only ever added to, and
-- chained: each row's hash is made of the one before and of all that the row says, so that a row that was
-- changed, taken out or put in between shows.

create table audit (
  number       bigint      primary key check (number > 0),  -- from 1, without a gap
  at           timestamptz not null,
  kind         text        not null,      -- who it was: source, staff, anybody, attempt, system
  who          text        not null,      -- its name; of an attempt whoever it was or said to be
  action       text        not null,      -- read, search, login, refused, …
  what         text[]      not null,      -- what of: case/<id>, statement/<id>, message/<id>, door/<route>
  outcome      text        not null,      -- ok, not-found, refused, failed
  why          text        not null,      -- the role or scope that allowed it; the reason of a refusal
  municipality text,                      -- whose persons, where they are of one; null: of several, or none
  address      text        not null,      -- where from; empty: from within
  count        integer     not null check (count > 0),       -- how many of the kind, of failed attempts
  previous     bytea       not null,      -- hash of the row before; 32 zero bytes for the first
  hash         bytea       not null unique
);
create index audit_by_what on audit using gin (what);
create index audit_by_who on audit (who, at);
create index audit_by_time on audit (at);
comment on table audit is 'Who saw, received or tried what, when and why; chained by hash. Only ever added to.';

create function audit_stays() returns trigger language plpgsql as $$
begin
  raise exception 'the audit is only ever added to' using errcode = 'integrity_constraint_violation';
end $$;
create trigger audit_stays before update or delete or truncate on audit
  for each statement execute function audit_stays();
