-- A version that does not know the status (`unknown`) takes nothing back of what older ones said.
alter table fact add column partial boolean not null default false;
-- The stay itself was entered in error, and with it falls what other resources say of it.
alter table fact add column voids_stay boolean not null default false;
-- Whom this version is about (names, JSON), so that a corrected subject leaves nobody behind; null: not known.
alter table fact add column about text;
-- Two contents under one version: the sender's fault, which an operator has to look at.
-- squawk-ignore ban-drop-constraint
alter table held drop constraint held_cause_check; -- made wider at once: all that the old version writes holds
alter table held add constraint held_cause_check
  check (cause in ('untranslated', 'invalid', 'unresolved', 'faulty', 'conflict')) not valid;
