"""The pages: routes that answer over HTTP."""
