"""After a restore to an earlier point: the database is told what Kafka has."""
