"""Types, clock, events, errors: what every package shares."""
