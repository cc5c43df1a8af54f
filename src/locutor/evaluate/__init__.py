"""Figures on held-out frames, with chance below and a ceiling above."""
