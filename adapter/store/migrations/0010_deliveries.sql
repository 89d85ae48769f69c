-- Deliveries (utlämnande, PDL 3:11): who was given which event, when, and who had asked for it. A row is
-- written in the transaction that takes the event out of the outbox, so it is as true as the publishing.
-- To whom, what, why and under which payload stand on the event, which is never changed.
--
-- A relay of an earlier version takes events out without a row: what it published is told as not recorded.

create table delivery (
  number    bigint generated always as identity primary key,
  event     bigint      not null,  -- no foreign key: its check would write the event's row anew each time
  at        timestamptz not null,  -- when Kafka's acknowledgement was known
  partition integer,               -- of the first of its records; null: known from the relay's progress alone
  "offset"  bigint,
  asked     bigint                 -- audit.number of who asked for it; null: nobody did, it was decided anew
);
create index delivery_by_event on delivery (event);
create index delivery_by_time on delivery using brin (at);
comment on table delivery is 'Which event was delivered when. Only ever added to; the audit has hashes of it.';

create trigger delivery_stays before update or truncate on delivery
  for each statement execute function only_added_to();
create trigger delivery_kept before delete on delivery for each row execute function kept();

-- Where in the audit's chain deliveries are covered. To find it: what is covered, the chain itself says.
create table delivery_batch (
  last  bigint primary key,        -- delivery.number of the last one that is covered
  audit bigint not null            -- audit.number of the row that covers it
);
comment on table delivery_batch is 'Which row of the audit covers which deliveries. Only ever added to.';
create trigger delivery_batch_stays before update or truncate on delivery_batch
  for each statement execute function only_added_to();
create trigger delivery_batch_kept before delete on delivery_batch for each row execute function kept();

-- Said when the event is decided on; null on events of an earlier version.
alter table event add form text;   -- full, statutory, protected, last-word, tombstone, statement
alter table event add ground text; -- by which clause the municipality is told

-- Who asked: whatever is put into the outbox in a transaction bears what that transaction says.
alter table outbox add asked bigint;
alter table outbox alter asked set default nullif(current_setting('losus.asked', true), '')::bigint;
alter table parked_event add asked bigint;
alter table parked_case add asked bigint;          -- who released it
