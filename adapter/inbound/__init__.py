"""The doors: how FHIR messages come in."""
