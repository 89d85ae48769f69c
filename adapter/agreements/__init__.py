"""Agreements and rates as frozen values: what is in force, where, when and for whom."""
