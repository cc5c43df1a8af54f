"""Words that came out of a file, made fit for a terminal."""


def one_line(text: object) -> str:
    """`text` without line breaks, control characters and direction marks: a file cannot steer a terminal."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(text))
