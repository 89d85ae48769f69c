"""The conformance kit: a scripted month for a municipality's consumer, and what it must make of it."""
