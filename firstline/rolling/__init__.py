"""Releases as the operator sees them: what boards say, what the broker is owed, how it is shown."""
