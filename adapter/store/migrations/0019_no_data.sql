-- A closed month of which nothing was known: neither stays nor that there were none.
alter table closed_month add column no_data boolean not null default false;
