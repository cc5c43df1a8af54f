"""Avatars and motion in the forms of other programs: a web page, PLY, ARKit coefficients."""
