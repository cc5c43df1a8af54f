"""The avatar: controls, motion field, rendering, bundle."""
