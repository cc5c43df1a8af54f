"""Torture: `python -m tools.torture`."""
