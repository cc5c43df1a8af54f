"""Rotations and rigid fits: pure functions."""
