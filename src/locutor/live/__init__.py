"""Speaking: sound in, pictures out."""
