-- Every row that is there has one of the causes of before.
alter table held validate constraint held_cause_check;
