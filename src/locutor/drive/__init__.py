"""From sound to motion: mouth, head, eyes. Knows no pixels."""
