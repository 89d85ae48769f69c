-- The trace that a message came in, and that decided an event: its `traceparent` (W3C Trace Context). An event is
-- published with it each time. Null: from before there were traces, or written by a version that knows none.
alter table message add column traceparent text;
alter table event add column traceparent text;
