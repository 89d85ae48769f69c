"""PostgreSQL: facts, cases, events and the outbox; one transaction a function."""
