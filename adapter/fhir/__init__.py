"""FHIR as values: versions, Bundles, checks, OperationOutcome, settlement resources. Pure."""
