-- Whom a statement makes creditor: the region that treated (länskod). Before there was one region alone; its
-- statements have '' and are read as of the region of the installation (LOSUS_REGION).
alter table statement add column region text not null default '';
alter table told_statement add column region text not null default '';
-- Two regions may treat residents of one municipality in one month, under the statute. The tables grow by a few
-- rows a municipality and month, so an index over them is made while they are locked.
-- squawk-ignore ban-drop-constraint
alter table statement drop constraint statement_agreement_municipality_care_form_month_key;
-- squawk-ignore disallowed-unique-constraint, constraint-missing-not-valid
alter table statement add constraint statement_one_each unique (agreement, municipality, care_form, month, region);
-- squawk-ignore ban-drop-constraint
alter table told_statement drop constraint told_statement_agreement_municipality_care_form_month_key;
-- squawk-ignore disallowed-unique-constraint, constraint-missing-not-valid
alter table told_statement add constraint told_statement_one_each
  unique (agreement, municipality, care_form, month, region);
