"""What sound says by itself: where there is speech."""
