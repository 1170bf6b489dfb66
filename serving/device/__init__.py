"""The user's own device: what it is given, how it keeps up to date, what it hands over."""
