"""The way out: events, topics and the relay to Kafka."""
