-- Whose a case is, where no message says it: entered by people (settlement rules 1a), used by settlement alone.
create table entered_municipality (
  number       bigint      generated always as identity primary key,
  case_id      text        not null references cases (id) on delete cascade,
  municipality text        not null check (municipality ~ '^[0-9]{4}$'),  -- kommunkod
  since        timestamptz,                      -- from when on; null: the whole stay
  entered_at   timestamptz not null default now(),
  entered_by   text        not null,
  because      text        not null
);
create index entered_municipality_by_case on entered_municipality (case_id, number);
comment on table entered_municipality is
  'Municipalities that people entered. Only ever added to: a later row for the same time counts; gone with its case.';

create function goes_with_case() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' and not exists (select from cases where id = old.case_id) then
    return old;
  end if;
  raise exception 'what was entered is never changed' using errcode = 'integrity_constraint_violation';
end $$;
create trigger entered_municipality_stays before update or delete on entered_municipality
  for each row execute function goes_with_case();
create trigger entered_municipality_whole before truncate on entered_municipality
  for each statement execute function only_added_to();
