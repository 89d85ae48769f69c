-- Lanes: the outbox split by whom an event is for, so that a fault of one municipality's topics holds
-- up that one alone; claims, lanes in quarantine, and cases that the broker refuses a record of.
--
-- A relay of an earlier version is to be stopped, orderly, before this is applied: its open claim goes.

-- A municipality's code; `unrouted` where there is nobody to send it to; `dead-letter` for what could
-- not be translated.
create function lane_of(type text, municipality text) returns text language sql immutable parallel safe as $$
  select case when type = 'se.losus.message.parked.v1' then 'dead-letter'
              else coalesce(municipality, 'unrouted') end
$$;

-- A revision is of a case and a lane: what is parked does not count as a telling of the case.
drop index event_revisions;
create unique index event_revisions on event (case_id, lane_of(type, municipality), revision);
-- The end of a case's retention on `.cases` is told under minus its last revision: once for each.
create index event_expired on event (case_id) where revision < 0;

alter table outbox add column lane text;
update outbox set lane = lane_of(event.type, event.municipality) from event where event.id = outbox.event;
alter table outbox alter column lane set not null;
create index outbox_by_lane on outbox (lane, event);

-- Whoever puts an event in need not know of lanes.
create function outbox_lane() returns trigger language plpgsql as $$
begin
  select lane_of(type, municipality) into new.lane from event where id = new.event;
  return new;
end $$;
create trigger outbox_lane before insert on outbox
  for each row when (new.lane is null) execute function outbox_lane();

-- What a relay is about to publish, so that after a crash one can ask Kafka whether it did (see
-- adapter/outbound/relay.py).
drop table relay_batch;
create table relay_claim (
  slot     text     primary key,             -- share-<n>; or a lane that is in quarantine
  share    smallint not null,                -- whoever holds the share may finish the claim
  id       text     not null,                -- never used again
  producer text     not null,                -- transactional id that it is published under; '' for none
  since    bigint   not null,                -- Kafka has its id at or after this offset, if it has it
  events   bigint[] not null                 -- empty: nothing is open
);
comment on table relay_claim is 'What is about to be published, at most once for each slot.';

create table quarantine (
  lane     text        primary key,
  reason   text        not null,             -- missing, denied, refused, leaderless, slow, unclear
  since    timestamptz not null,
  failures integer     not null,             -- attempts in a row
  retry_at timestamptz not null
);
comment on table quarantine is 'Lanes that are published apart from the others until they have caught up.';

-- What the broker refuses for good, parks its case: later events of the case wait behind it.
create table parked_case (
  lane        text        not null,
  case_id     text        not null,
  event       bigint      not null references event (id),  -- the one that was refused
  reason      text        not null,          -- kind of the broker's error
  parked_at   timestamptz not null,
  released_at timestamptz,                   -- an operator lets it go; the relay then takes it up
  primary key (lane, case_id)
);
create table parked_event (
  event   bigint primary key references event (id),
  lane    text   not null,
  case_id text   not null,
  foreign key (lane, case_id) references parked_case (lane, case_id)
);
create index parked_event_by_case on parked_event (lane, case_id);
comment on table parked_event is 'Events of parked cases, out of the outbox until the case is released.';
