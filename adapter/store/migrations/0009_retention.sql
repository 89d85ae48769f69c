-- What has been kept as long as the law asks may be taken out, by `losus retention` alone; the database refuses
-- everything else, whoever asks, by its own clock. Settings may ask for longer times, never for shorter ones.

create function swedish_day(at timestamptz) returns date language sql immutable parallel safe as $$
  select (at at time zone 'Europe/Stockholm')::date
$$;

-- Years are over when the day of the same date has passed; of 29 February, where there is none, the 28th.
create function years_over(last timestamptz, years integer, today date) returns boolean
language sql immutable parallel safe as $$
  select today > (swedish_day(last) + make_interval(years => years))::date
$$;

-- Years counted from the end of the calendar year, as of book-keeping.
create function calendar_years_over(last timestamptz, years integer, today date) returns boolean
language sql immutable parallel safe as $$
  select extract(year from today) > extract(year from swedish_day(last)) + years
$$;

-- When something was last entered in a case: a message that it is folded from, or something told of it. That a
-- topic need not have it any more (revision below zero) is no entry.
create function last_entry(named text) returns timestamptz language sql stable as $$
  select greatest(
    (select changed_at from cases where id = named),
    (select max(message.received_at) from link join fact using (source, resource)
       join message on message.id = fact.message where link.case_id = named),
    (select max(created_at) from event where case_id = named and revision > 0))
$$;

-- What settlement no longer looks at: months whose cases or statements may have been taken out.
create table books_closed (
  through   text        primary key check (through ~ '^[0-9]{4}-[0-9]{2}$'),  -- this month and all before it
  closed_at timestamptz not null
);
comment on table books_closed is 'Months through which nothing is settled any more; the latest counts.';

-- What later months need of a closed one: counts without persons. Liability follows from months in a row.
create table closed_month (
  agreement    text    not null,
  municipality text    not null,
  care_form    text    not null,                 -- or pooled
  month        text    not null check (month ~ '^[0-9]{4}-[0-9]{2}$'),
  stays        integer not null,                 -- in the mean
  days         integer not null,
  day_zero     integer not null,
  primary key (agreement, municipality, care_form, month)
);
comment on table closed_month is 'The means of months that are closed, as they were when they were closed.';

-- Where the audit begins, once rows of it were taken out; the chain itself names each.
create table audit_anchor (
  number bigint      primary key,                -- of the last row that was taken out
  hash   bytea       not null,                   -- its hash: what the first row that is left follows
  at     timestamptz not null
);
comment on table audit_anchor is 'Up to where the audit was taken out. Only ever added to.';

create trigger books_closed_stays before update or delete or truncate on books_closed
  for each statement execute function only_added_to();
create trigger closed_month_stays before update or delete or truncate on closed_month
  for each statement execute function only_added_to();
create trigger audit_anchor_stays before update or delete or truncate on audit_anchor
  for each statement execute function only_added_to();

create function closed_through() returns text language sql stable as $$ select max(through) from books_closed $$;

-- Whether nothing is settled of a case any more: its stay ended in a month that is closed, or it never had one.
create function is_past(state text, picture bytea) returns boolean language sql stable as $$
  select coalesce(
    to_char(swedish_day((convert_from(picture, 'UTF8')::jsonb #>> '{ended,at}')::timestamptz), 'YYYY-MM')
      <= closed_through(),
    state is null or state in ('voided', 'interrupted'))
$$;

-- The one way out. Patient data: ten years after the last entry (PDL 3:17). What was issued: seven years after
-- the end of the calendar year (bokföringslagen). The audit: five years (HSLF-FS 2016:40 4:9).
create or replace function kept() returns trigger language plpgsql as $$
declare
  today date;
  is_over boolean := false;
begin
  if current_setting('losus.retention', true) is distinct from 'on' then
    raise exception '% is kept', tg_table_name using errcode = 'integrity_constraint_violation';
  end if;
  today := swedish_day(now());
  if tg_table_name = 'cases' then
    is_over := years_over(last_entry(old.id), 10, today) and not old.parked
      and is_past(old.state, old.picture)
      and years_over(coalesce(last_entry(convert_from(old.picture, 'UTF8')::jsonb ->> 'merged_into'),
                              old.changed_at), 10, today)
      and not exists (select from held_case where case_id = old.id)
      and not exists (select from event join outbox on outbox.event = event.id where event.case_id = old.id)
      and not exists (select from parked_case where case_id = old.id)
      and not exists (select from event join delivery on delivery.event = event.id
                      where event.case_id = old.id);
  elsif tg_table_name = 'link' then
    is_over := not exists (select from cases where id = old.case_id);
  elsif tg_table_name = 'replacement' then
    is_over := not exists (select from link where source = old.source and resource in (old.resource, old.by));
  elsif tg_table_name = 'message' then  -- what was said in it, or is held, refers to it
    is_over := years_over(old.received_at, 10, today);
  elsif tg_table_name = 'message_bundle' then
    is_over := (select years_over(received_at, 10, today) from message where id = old.message);
  elsif tg_table_name = 'discarded' then
    is_over := years_over(old.at, 10, today);
  elsif tg_table_name = 'event' then
    is_over := case
      when old.revision < 0 then true
      when old.type = 'se.losus.settlement.issued.v1' then calendar_years_over(old.created_at, 7, today)
      else years_over(old.created_at, 10, today) end
      and not exists (select from cases where id = old.case_id)
      and not exists (select from statement where id = old.case_id);
  elsif tg_table_name = 'statement' then
    is_over := calendar_years_over(old.issued_at, 7, today) and old.month <= closed_through();
  elsif tg_table_name = 'statement_resource' then
    is_over := (select calendar_years_over(issued_at, 7, today) from statement where id = old.statement);
  elsif tg_table_name = 'follow_up' then
    is_over := calendar_years_over(old.issued_at, 7, today) and old.month <= closed_through();
  elsif tg_table_name = 'follow_up_resource' then
    is_over := (select calendar_years_over(issued_at, 7, today) from follow_up where number = old.follow_up);
  elsif tg_table_name = 'dispute' then
    is_over := calendar_years_over(old.asked_at, 7, today) and old.month <= closed_through();
  elsif tg_table_name = 'dispute_answer' then
    is_over := calendar_years_over(old.answered_at, 7, today);
  elsif tg_table_name = 'audit' then
    is_over := years_over(old.at, case when old.action = 'deliver' then 10 else 5 end, today)
      and old.number <= (select max(number) from audit_anchor);
  elsif tg_table_name = 'delivery' then  -- of the patient's record (PDL 3:11); gone with what covers it
    is_over := years_over(old.at, 10, today) and old.number <= (
      select max(last) from delivery_batch where audit <= (select max(number) from audit_anchor));
  end if;
  if is_over is not true then
    raise exception '% is kept for longer', tg_table_name using errcode = 'integrity_constraint_violation';
  end if;
  return old;
end $$;

create trigger cases_kept before delete on cases for each row execute function kept();
create trigger cases_whole before truncate on cases for each statement execute function only_added_to();
create trigger link_kept before delete on link for each row execute function kept();
create trigger link_whole before truncate on link for each statement execute function only_added_to();
create trigger replacement_kept before delete on replacement for each row execute function kept();
create trigger replacement_whole before truncate on replacement for each statement execute function only_added_to();

-- What refused every delete until now lets retention through, to each row's own question.
create or replace function statement_stays() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' and current_setting('losus.retention', true) = 'on' then
    return null;
  end if;
  raise exception 'a statement, once issued, is never changed' using errcode = 'integrity_constraint_violation';
end $$;
create or replace function issued_stays() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' and current_setting('losus.retention', true) = 'on' then
    return null;
  end if;
  raise exception 'what was issued is never changed' using errcode = 'integrity_constraint_violation';
end $$;
create or replace function audit_stays() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' and current_setting('losus.retention', true) = 'on' then
    return null;
  end if;
  raise exception 'the audit is only ever added to' using errcode = 'integrity_constraint_violation';
end $$;
create trigger statement_kept before delete on statement for each row execute function kept();
create trigger statement_resource_kept before delete on statement_resource for each row execute function kept();
create trigger dispute_kept before delete on dispute for each row execute function kept();
create trigger dispute_answer_kept before delete on dispute_answer for each row execute function kept();
create trigger follow_up_kept before delete on follow_up for each row execute function kept();
create trigger follow_up_resource_kept before delete on follow_up_resource for each row execute function kept();
create trigger statistic_kept before delete on statistic for each row execute function kept();  -- for good
create trigger audit_kept before delete on audit for each row execute function kept();

-- Small and always changing: swept often, so that a look at them costs what is in them. Large and only added to:
-- looked at before a fifth of ten years has been added.
alter table outbox set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
alter table parked_event set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
alter table reread set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
alter table held set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, fillfactor = 50);
alter table mark set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500, fillfactor = 50);
alter table relay_claim set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500, fillfactor = 50);
alter table quarantine set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500, fillfactor = 50);
alter table cases set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02, fillfactor = 80);
alter table message set (autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
alter table message_bundle set (autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
alter table event set (autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
alter table fact set (autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
alter table link set (autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
alter table leaning set (autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
alter table audit set (autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
