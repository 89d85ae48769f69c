"""Everything on one machine: embedded PostgreSQL and Kafka, the adapter, a simulated hospital."""
