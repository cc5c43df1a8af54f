"""Let an avatar speak a text: python examples/01_speak_a_text.py OUT.mp4 [AVATAR]."""

import sys
from importlib import resources
from pathlib import Path

from locutor.avatar.bundle import load_avatar
from locutor.core.events import Progress
from locutor.live.say import say_samples
from locutor.speech.espeak import synthesize

PERFORMER = resources.files("locutor.actors") / "embedded" / "performer.avatar"

out = Path(sys.argv[1])
avatar = load_avatar(Path(sys.argv[2] if len(sys.argv) > 2 else str(PERFORMER)))
speech = synthesize("This sentence was never recorded.", voice="en-us")
for event in say_samples(avatar, speech.samples, speech.sample_rate, out, overwrite=True):
    if isinstance(event, Progress):
        print(f"{event.done} of {event.total} frames  {event.note}")
