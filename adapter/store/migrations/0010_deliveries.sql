-- Deliveries (utlämnande, PDL 3:11): who was given which event, when, and who had asked for it. A row is
-- written in the transaction that takes the event out of the outbox, so it is as true as the publishing.
-- To whom, what and under which payload stand on the event, which is never changed.
--
-- A relay of an earlier version takes events out without a row: what it published is told as not recorded.

create table delivery (
  number    bigint generated always as identity (cache 1) primary key,  -- cache 1: see store.deliveries
  event     bigint      not null,  -- no foreign key: its check would write the event's row anew each time
  at        timestamptz not null,  -- when Kafka's acknowledgement was known
  partition integer,               -- of the first of its records; null: known from the relay's progress alone
  "offset"  bigint,
  asked     bigint                 -- audit.number of who asked for it; null: nobody did, it was decided anew
);
create index delivery_by_event on delivery (event);
create index delivery_by_time on delivery using brin (at);
comment on table delivery is 'Which event was delivered when. Only ever added to; audit has hashes of it.';

create function delivery_stays() returns trigger language plpgsql as $$
begin
  raise exception 'deliveries are only ever added to' using errcode = 'integrity_constraint_violation';
end $$;
create trigger delivery_stays before update or delete or truncate on delivery
  for each statement execute function delivery_stays();

-- Who asked: whatever is put into the outbox in a transaction bears what that transaction says.
alter table outbox add asked bigint default nullif(current_setting('losus.asked', true), '')::bigint;
alter table parked_event add asked bigint;
alter table parked_case add asked bigint;          -- who released it

-- The last batch of deliveries in the chain is found at once.
create index audit_of_deliveries on audit (number) where action = 'deliver';
