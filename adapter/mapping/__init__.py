"""The translation: mapping files, FHIRPath, resource to signals, and the trace that explains it."""
