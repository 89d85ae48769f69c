-- What Kafka has and this database does not know, after it was restored to an earlier point.

-- Claims of a slot are counted, and Kafka is told the number with each: a number there that is greater than
-- the one here was given by a database that knew more. Counted by a trigger: a relay of the version before
-- knows of no numbers.
alter table relay_claim add column number bigint not null default 0;
create function relay_claim_number() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' then
    new.number := greatest(new.number, 1);
  elsif new.number = old.number then
    new.number := old.number + 1;
  end if;
  return new;
end $$;
create trigger relay_claim_number before insert or update of id on relay_claim
  for each row execute function relay_claim_number();

create table behind (
  slot       text        primary key,
  published  bigint      not null,   -- number of the newest claim of the slot that Kafka has
  known      bigint      not null,   -- number of the newest one that stands here
  noticed_at timestamptz not null
);
comment on table behind is 'Slots of which Kafka knows more than this database: no relay publishes until `losus recover --run`.';

-- An event that was decided after a restore, under a revision that subscribers have with other contents.
create table superseded (
  event bigint      primary key references event (id) on delete cascade,
  by    text        not null,        -- ce_id of what Kafka has under that revision
  at    timestamptz not null
);
comment on table superseded is 'Events that are never published, for Kafka has another one under their revision.';

-- A case that subscribers were told more of than is known here. If its row is missing it is made of this one
-- when the case is heard of, so that revisions go on.
create table recovered_case (
  case_id      text        primary key,
  at           timestamptz not null,
  revisions    text        not null,  -- as in `cases`
  municipality text,
  state        text,
  picture      bytea                  -- as told last; null: nobody has the case
);
comment on table recovered_case is 'Cases that wait for messages that were lost, or to be told anew as they are known.';

create table told_statement (
  id           text        primary key,
  agreement    text        not null,
  municipality text        not null,
  care_form    text        not null,
  month        text        not null,
  issued_at    timestamptz not null,
  bundle       bytea       not null,  -- FHIR JSON, as published
  unique (agreement, municipality, care_form, month)
);
comment on table told_statement is 'Statements that were published and lost here: never issued anew, kept again where they come out the same.';
