"""The adapter as a FHIR client: asking a source's own server, patiently and by its rules."""
