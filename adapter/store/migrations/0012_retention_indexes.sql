-- outside a transaction
-- What refers to a message is found by it: read anew, or taken out, a message costs what hangs on it and not
-- a reading of ten years. And the searches of cases by two things at once.
create index concurrently if not exists fact_by_message on fact (message);
create index concurrently if not exists leaning_by_message on leaning (message);
create index concurrently if not exists message_bundle_by_message on message_bundle (message);
create index concurrently if not exists alias_by_name on alias (source, name);
