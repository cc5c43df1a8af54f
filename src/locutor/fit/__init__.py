"""Training: a generator of typed events. No run-time code imports it."""
