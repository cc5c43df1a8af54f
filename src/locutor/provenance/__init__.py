"""Where media come from: consent of the person, marks of origin in what is written, and reading them."""
