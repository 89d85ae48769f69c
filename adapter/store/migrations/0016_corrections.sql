-- What a correction says of itself: which stays a statement recorded, and resources that tell of another month.

-- Stays whose facts are recorded with the statement, so that one that another municipality was settled for is known.
alter table statement add column recorded text[] not null default '{}';

-- A measure that is issued again stands on a later statement; null: of the agreement and month of its statement.
alter table statement_resource add column agreement text;
alter table statement_resource add column month text;

create or replace view issued_resource as
  select statement_resource.number, type, statement_resource.id, resource, municipality,
         coalesce(statement_resource.agreement, statement.agreement) as agreement,
         coalesce(statement_resource.month, statement.month) as month
  from statement_resource join statement on statement.id = statement_resource.statement
  union all
  select follow_up_resource.number, type, follow_up_resource.id, resource, municipality, null, month
  from follow_up_resource join follow_up on follow_up.number = follow_up_resource.follow_up;

-- Months of which people say that nothing happened in a care form, although no message came.
create table confirmed_empty (
  care_form    text        not null check (care_form in ('somatic', 'psychiatric')),
  month        text        not null check (month ~ '^[0-9]{4}-[0-9]{2}$'),
  confirmed_at timestamptz not null,
  because      text        not null,             -- why it is known
  primary key (care_form, month)
);
comment on table confirmed_empty is 'Months without messages that were confirmed to be empty. Never changed.';

create trigger confirmed_empty_stays before update or delete or truncate on confirmed_empty
  for each statement execute function only_added_to();
