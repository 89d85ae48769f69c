"""Who may knock: a caller held against the credentials and scopes of the settings."""
