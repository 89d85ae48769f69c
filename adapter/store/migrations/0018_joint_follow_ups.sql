-- Joint follow-ups of region and municipality (Bilaga 9): what is followed up, what both parties enter, and each
-- version as it was published. Only ever added to: a correction is an entry of its own.

create table joint_follow_up (
  id           text primary key,                 -- of its MeasureReport
  agreement    text not null,
  municipality text not null,                    -- kommunkod
  care_form    text not null,                    -- or pooled
  month        text not null check (month ~ '^[0-9]{4}-[0-9]{2}$'),
  unique (agreement, municipality, care_form, month)
);
create index joint_follow_up_by_month on joint_follow_up (month, municipality);
comment on table joint_follow_up is 'What is followed up together: agreement, municipality, care form, month.';

create table joint_follow_up_entry (
  number    bigint      generated always as identity unique,
  follow_up text        not null references joint_follow_up (id),
  entry     integer     not null check (entry > 0),  -- contiguous from 1 within the follow-up
  at        timestamptz not null,
  party     text        check (party in ('region', 'municipality')),  -- null: the adapter itself
  author    text        not null,                -- who wrote it, as the audit log has it
  key       text,                                -- the writer's own name for it: the same is entered once
  content   bytea       not null,                -- JSON; text in it may hold personal data
  primary key (follow_up, entry),
  unique (follow_up, party, key)
);
comment on table joint_follow_up_entry is 'Who entered what and when. Read by both parties and nobody else.';

create table joint_follow_up_version (
  follow_up text        not null references joint_follow_up (id),
  version   integer     not null check (version > 0),
  at        timestamptz not null,
  bundle    bytea       not null,                -- FHIR JSON, as published
  primary key (follow_up, version)
);
comment on table joint_follow_up_version is 'Each version of a joint follow-up, as it was published.';

-- Numbered with the resources of statements, so that a search of both has one order.
create table joint_follow_up_resource (
  number    bigint  not null unique default nextval('statement_resource_number_seq'),
  type      text    not null,
  id        text    not null,
  follow_up text    not null,
  version   integer not null,
  resource  bytea   not null,                    -- FHIR JSON
  primary key (type, id, follow_up, version),
  foreign key (follow_up, version) references joint_follow_up_version (follow_up, version)
);
comment on table joint_follow_up_resource is 'The resources of joint follow-ups, to be read and searched.';

-- Each resource as it was published last: a measure stands in the follow-ups of several months.
create view joint_resource as
  select number, type, one.id, resource, municipality, agreement, month, follow_up, version
  from joint_follow_up_resource as one join joint_follow_up on joint_follow_up.id = follow_up
  where not exists (select from joint_follow_up_resource as newer
                    where newer.type = one.type and newer.id = one.id and newer.number > one.number);

-- What can be read and searched: what was issued, and joint follow-ups in their newest versions.
create view every_resource as
  select number, type, id, resource, municipality, agreement, month from issued_resource
  union all
  select number, type, id, resource, municipality, agreement, month from joint_resource;

create trigger joint_follow_up_stays before update or delete or truncate on joint_follow_up
  for each statement execute function issued_stays();
create trigger joint_follow_up_entry_stays before update or delete or truncate on joint_follow_up_entry
  for each statement execute function issued_stays();
create trigger joint_follow_up_version_stays before update or delete or truncate on joint_follow_up_version
  for each statement execute function issued_stays();
create trigger joint_follow_up_resource_stays before update or delete or truncate on joint_follow_up_resource
  for each statement execute function issued_stays();

-- Kept as long as the statements that they are of: seven calendar years after the last entry of any follow-up of the
-- payer, since a measure is carried from month to month.
create function joint_kept() returns trigger language plpgsql as $$
declare
  named text := case when tg_table_name = 'joint_follow_up' then to_jsonb(old) ->> 'id'
                     else to_jsonb(old) ->> 'follow_up' end;
begin
  if current_setting('losus.retention', true) is distinct from 'on' or not joint_is_old(named, 7, swedish_day(now()))
  then
    raise exception 'a joint follow-up is kept for longer' using errcode = 'integrity_constraint_violation';
  end if;
  return old;
end $$;

create function joint_is_old(named text, years integer, today date) returns boolean language sql stable as $$
  select coalesce(bool_and(calendar_years_over(at, years, today)), true)
         and coalesce((select month <= coalesce(closed_through(), '') from joint_follow_up where id = named), true)
  from joint_follow_up_version where follow_up = named
$$;
create trigger joint_follow_up_kept before delete on joint_follow_up for each row execute function joint_kept();
create trigger joint_follow_up_entry_kept before delete on joint_follow_up_entry
  for each row execute function joint_kept();
create trigger joint_follow_up_version_kept before delete on joint_follow_up_version
  for each row execute function joint_kept();
create trigger joint_follow_up_resource_kept before delete on joint_follow_up_resource
  for each row execute function joint_kept();

-- Events of joint follow-ups, and of amounts announced, are kept as those of statements are; else as before.
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
      when old.type in ('se.losus.settlement.issued.v1', 'se.losus.followup.v1', 'se.losus.rate.announced.v1')
        then calendar_years_over(old.created_at, 7, today)
      else years_over(old.created_at, 10, today) end
      and not exists (select from cases where id = old.case_id)
      and not exists (select from statement where id = old.case_id)
      and not exists (select from joint_follow_up where id = old.case_id);
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
