"""The doctor: a deployment looked at from inside, and what to mend."""
