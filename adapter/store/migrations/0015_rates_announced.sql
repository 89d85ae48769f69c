-- The amount of a coming year, as the region announced it to each municipality (Bilaga 9, footnote 5). Only ever
-- added to: a changed or later verified amount is announced again, as a new version.

create table rate_announcement (
  year         integer     not null,
  municipality text        not null,             -- kommunkod
  care_form    text        not null,             -- somatic or psychiatric; empty: the amount is for both
  version      integer     not null check (version > 0),
  amount       numeric     not null check (amount > 0),  -- SEK per day of care
  verified     boolean     not null,
  source       text        not null,             -- the document that the amount stands in
  announced_at timestamptz not null,
  primary key (year, municipality, care_form, version)
);
comment on table rate_announcement is 'Amounts as announced to municipalities. Names nobody, and is kept for good.';

create trigger rate_announcement_stays before update or delete or truncate on rate_announcement
  for each statement execute function only_added_to();
