-- Numbers of invoices and credit notes: one series for each region and calendar year, without gaps. The series is
-- a row that is locked until the transaction that issues ends, no sequence: a rollback takes its number back.

create table invoice_series (
  region text    not null check (region ~ '^[0-9]{2}$'),    -- länskod of the region that is paid
  year   integer not null check (year between 2000 and 9999),
  last   integer not null check (last > 0),                 -- ordinal of the newest number
  primary key (region, year)
);
comment on table invoice_series is 'The newest number of each series. It only grows, one by one, in the transaction that issues.';

create table invoice (
  number    text    primary key,                            -- as it stands on the document
  region    text    not null,
  year      integer not null,
  ordinal   integer not null check (ordinal > 0),
  kind      text    not null check (kind in ('invoice', 'credit-note')),
  statement text    not null,                               -- its id; of one that was lost in a restore none is here
  dated     date    not null,
  unique (region, year, ordinal),
  foreign key (region, year) references invoice_series (region, year)
);
create index invoice_by_statement on invoice (statement);
comment on table invoice is 'The documents that were issued, each with its number. Never changed.';

create function invoice_series_grows() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and new.region = old.region and new.year = old.year and new.last >= old.last then
    return new;
  end if;
  raise exception 'a series of numbers only grows' using errcode = 'integrity_constraint_violation';
end $$;
create trigger invoice_series_grows before update or delete on invoice_series
  for each row execute function invoice_series_grows();
create trigger invoice_series_whole before truncate on invoice_series
  for each statement execute function only_added_to();

-- A number goes with its statement, when the years of book-keeping are over; the series does not begin again.
create function invoice_kept() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' and current_setting('losus.retention', true) = 'on'
     and calendar_years_over(old.dated::timestamp at time zone 'Europe/Stockholm', 7, swedish_day(now()))
     and not exists (select from statement where id = old.statement) then
    return old;
  end if;
  raise exception 'an invoice, once issued, is never changed' using errcode = 'integrity_constraint_violation';
end $$;
create trigger invoice_kept before update or delete on invoice for each row execute function invoice_kept();
create trigger invoice_whole before truncate on invoice for each statement execute function only_added_to();
