"""The domain: what a case is, in the law's words; pure values and functions only."""
