"""A 3D talking head from a short video, driven by speech."""
