"""English sentences without end: templates filled from word lists that hold every sound of the language."""

from __future__ import annotations

import numpy as np

WORDS: dict[str, tuple[str, ...]] = {
    "who": (
        "my brother", "the baker", "a young nurse", "our judge", "the old fisherman", "her father", "the choir",
        "a noisy boy", "the mayor", "this farmer", "the French teacher", "your cousin", "a shy painter", "the guide",
        "the whole village", "my grandmother", "a pilot", "the weaver", "their neighbour", "the youth club",
    ),
    "did": (
        "bought", "measured", "watched", "carried", "found", "showed us", "washed", "threw away", "fixed", "described",
        "chose", "painted", "shared", "wrapped up", "put down", "laughed about", "gave me", "brought back", "weighed",
        "looked for",
    ),
    "much": (
        "five", "a few", "both", "three thick", "several", "some huge", "sixty", "four cheap", "eleven", "these brown",
        "the finest", "many pure", "two smooth", "half of the", "the very old", "fresh", "those yellow", "a dozen",
    ),
    "things": (
        "apples", "maps", "boxes", "oranges", "feathers", "shoes", "pebbles", "mushrooms", "bottles", "leather gloves",
        "violins", "blue jewels", "woollen scarves", "wheels", "toys", "photographs", "peaches", "spoons", "keys",
        "paper boats", "yoghurts", "thimbles",
    ),
    "where": (
        "at the market", "by the harbour", "above the garage", "in the village hall", "beyond the bridge",
        "under a birch tree", "near the railway", "behind the church", "on the beach", "up the valley",
        "between the houses", "outside the museum", "along the river path", "in the quiet library", "at the airport",
    ),
    "when": (
        "this morning", "before the bus left", "last Thursday", "every February", "as usual", "for the first time",
        "after the show", "while it rained", "all through the year", "without a word", "in the afternoon",
        "just before noon", "when nobody looked", "at half past four", "with great pleasure",
    ),
    "how": (
        "calm", "rather nice", "far too warm", "quite rough", "awfully cold", "beautiful", "a bit foggy", "unusual",
        "very pleasant", "worth a visit", "full of joy", "thick as soup", "good enough",
    ),
    "what": (
        "the weather", "the view", "that measure", "the whole journey", "her voice", "your vision", "the music",
        "our plan", "the fish soup", "the jazz band", "this puzzle", "the new theatre", "their garden",
    ),
    "wow": ("Wow", "Oh no", "My goodness", "Look", "Hey", "Bravo", "Help", "Stop", "Hooray"),
    "name": ("George", "Sheila", "Theo", "Yvonne", "Charles", "Ruth", "Joy", "Hugh", "Bob", "Maya", "Victor", "Paul"),
}  # fmt: skip
TEMPLATES = (
    "{who} {did} {much} {things} {where}.",
    "{when}, {who} {did} {much} {things}.",
    "{what} was {how} {when}, and {who} {did} {much} {things}.",
    "Do you think that {what} is {how}?",
    "{name}, please bring {much} {things} and {much} {things}.",
    "Why would {who} want {much} {things} {where}?",
    "{name} said that {what} {where} was {how}.",
    "We met {name} and {name} {where} {when}.",
    "If {what} is {how}, {who} may stay {where}.",
    "I could show {name} {much} {things}, although {what} was {how}.",
    "There were {much} {things} {where}, {much} {things} too.",
    "First {who} {did} {much} {things}, then {name} {did} {much} {things}.",
)
EXCLAMATIONS = (
    "{wow}! {who} {did} {much} {things}!",
    "{wow}, {name}! {what} is {how}!",
    "{wow}! There are {things} {where}!",
)


def sentence(rng: np.random.Generator, exclaimed: bool = False) -> str:
    """A new sentence; no word list is used twice for the same word in it."""
    templates = EXCLAMATIONS if exclaimed else TEMPLATES
    text = templates[rng.integers(len(templates))]
    for slot, words in WORDS.items():
        for word in rng.permutation(len(words))[: text.count("{" + slot + "}")]:
            text = text.replace("{" + slot + "}", words[word], 1)
    # After each full stop a capital letter.
    parts = text.split("! ")
    return "! ".join(part[:1].upper() + part[1:] for part in parts)
