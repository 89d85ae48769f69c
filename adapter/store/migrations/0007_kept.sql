-- What was taken in and what was decided on is only ever added to: the database refuses the rest, whoever
-- asks, its owner too. Who may do what beside that stands in adapter/store/roles.py.

-- Bodies of their own, so that a later migration gives what is kept long enough its way out in one place
-- (`create or replace function`), and not in each trigger.
create function only_added_to() returns trigger language plpgsql as $$
begin
  raise exception '% is only ever added to', tg_table_name using errcode = 'integrity_constraint_violation';
end $$;
create function kept() returns trigger language plpgsql as $$
begin
  raise exception '% is kept', tg_table_name using errcode = 'integrity_constraint_violation';
end $$;

create trigger message_stays before update or truncate on message
  for each statement execute function only_added_to();
create trigger message_kept before delete on message for each row execute function kept();

create trigger message_bundle_stays before update or truncate on message_bundle
  for each statement execute function only_added_to();
create trigger message_bundle_kept before delete on message_bundle for each row execute function kept();

create trigger event_stays before update or truncate on event
  for each statement execute function only_added_to();
create trigger event_kept before delete on event for each row execute function kept();

create trigger discarded_stays before update or truncate on discarded
  for each statement execute function only_added_to();
create trigger discarded_kept before delete on discarded for each row execute function kept();

-- What a message said is replaced when the message, which is kept, is read anew. Which version of which
-- resource a row is of, and which message said it, never changes.
create trigger fact_stays before update of source, resource, ord, version, message on fact
  for each statement execute function only_added_to();
create trigger fact_whole before truncate on fact for each statement execute function only_added_to();

-- Nobody writes or reads it. PostgreSQL lets lock a row whoever may update a column of it: this is the one
-- for those who have to lock a case and may change nothing of it.
alter table cases add column lockable boolean;
