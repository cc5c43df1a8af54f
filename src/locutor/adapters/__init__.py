"""A live session as the video avatar of other people's agents."""
