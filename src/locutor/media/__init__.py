"""Decoding and encoding: video, sound, and the log-mel spectrum, as streams."""
