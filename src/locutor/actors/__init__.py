"""Synthetic performers."""
