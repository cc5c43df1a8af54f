"""Drive an avatar from sound as it arrives, in pieces of 40 ms, and see how late the lips are.

python examples/02_stream_sound.py SOUND_FILE
"""

import sys
import time
from importlib import resources
from pathlib import Path

import numpy as np

from locutor.avatar.bundle import load_avatar
from locutor.core.clock import FPS, SAMPLE_RATE
from locutor.drive.idle_model import IdleModel
from locutor.drive.speak import SpeechDriver
from locutor.drive.voice import VoiceModel
from locutor.media.audio import read_audio_chunks

avatar = load_avatar(Path(str(resources.files("locutor.actors") / "embedded" / "performer.avatar")))
driver = SpeechDriver(VoiceModel.from_tensors(dict(avatar.voice)), IdleModel.from_tensors(dict(avatar.idle)))
state = driver.init(seed=1)
n_samples, n_frames, work_s = 0, 0, []
for chunk in read_audio_chunks(Path(sys.argv[1]), chunk_s=1 / FPS):
    n_samples += len(chunk)
    started = time.perf_counter()
    state, motion = driver.step(state, chunk)
    pictures = [avatar.render(motion[k : k + 1]) for k in range(len(motion))]
    work_s.append(time.perf_counter() - started)
    n_frames += len(pictures)
behind_s = n_samples / SAMPLE_RATE - n_frames / FPS
print(f"{n_frames} frames; the newest ends {1e3 * behind_s:.0f} ms behind the sound")
print(f"work per 40 ms of sound: median {1e3 * np.median(work_s):.1f} ms, longest {1e3 * max(work_s):.1f} ms")
