"""losus-adapter: FHIR messages of hospital EHRs in, LOSUS states and monthly settlements out."""
