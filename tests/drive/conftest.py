"""A synthetic speaker: sound whose loudness and colour follow a mouth that is known exactly."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d
from scipy.signal import lfilter
from scipy.spatial.transform import Rotation

from locutor.core.face import FACE_POINTS, LIP_GAP_ROWS, LIPS_INNER, LIPS_OUTER
from locutor.core.motion import Motion
from locutor.drive.idle_model import fit_idle
from locutor.drive.speak import SpeechDriver
from locutor.drive.voice import VoiceModel
from locutor.drive.voice_fit import fit_voice


@dataclass(frozen=True)
class Speaker:
    audio: np.ndarray
    motion: Motion
    opening: np.ndarray  # lip gap, inter-ocular units, without the pose effect
    neutral: np.ndarray


def neutral_face() -> np.ndarray:
    """Eye rows on two ellipses, so that lids are apart; the rest does not matter."""
    neutral = np.zeros((len(FACE_POINTS), 2), np.float32)
    for centre, upper, lower in (
        (-0.35, (246, 161, 160, 159, 158, 157, 173), (7, 163, 144, 145, 153, 154, 155)),
        (0.35, (466, 388, 387, 386, 385, 384, 398), (249, 390, 373, 374, 380, 381, 382)),
    ):
        for k in range(7):
            x = centre + 0.04 * (k - 3)
            height = 0.05 * np.sin(np.pi * (k + 1) / 8)
            neutral[FACE_POINTS.index(upper[k])] = (x, -height)
            neutral[FACE_POINTS.index(lower[k])] = (x, height)
    return neutral


VOWELS_HZ = (700, 1200, 2500), (300, 2200, 3000), (450, 800, 2400)


def _babble(n_samples: int, rng: np.random.Generator) -> np.ndarray:
    """A voice's pulses in vowels that come and go: noise alone is no speech, and the gate stays closed on it."""
    times = np.arange(n_samples)
    pitch_hz = 120 * np.exp(0.15 * np.interp(times / 4000, np.arange(200), rng.normal(size=200)))
    pulses = np.diff(np.floor(np.cumsum(pitch_hz) / 16_000), prepend=0) + 0.01 * rng.normal(size=n_samples)
    shares = np.stack([np.interp(times / 2400, np.arange(400), rng.normal(size=400)) for _ in VOWELS_HZ])
    shares = np.exp(3 * shares) / np.exp(3 * shares).sum(axis=0)
    sound = np.zeros(n_samples)
    for formants_hz, share in zip(VOWELS_HZ, shares, strict=True):
        vowel = pulses
        for formant_hz in formants_hz:
            pole = np.exp((-2 * np.pi * 60 + 2j * np.pi * formant_hz) / 16_000)
            vowel = lfilter([1], np.poly([pole, pole.conj()]).real, vowel)
        sound += share * vowel / vowel.std()
    return sound / sound.std()


def _make_speaker(seconds: float, seed: int = 0, blinks: bool = True) -> Speaker:
    rng = np.random.default_rng(seed)
    n_frames = round(seconds * 25)
    n_samples = n_frames * 640
    opening = np.abs(gaussian_filter1d(rng.normal(size=n_frames), 1.6))
    pause = gaussian_filter1d(rng.normal(size=n_frames), 12)
    opening[pause > 1.2 * pause.std()] = 0
    opening *= 0.15 / opening.max()
    # Lips run ahead of their sound by 40 ms, as in real footage.
    loud = np.interp(np.arange(n_samples) / 640 - 1, np.arange(n_frames), opening / 0.15)
    voice = _babble(n_samples, rng) * loud
    hiss = lfilter([1, -0.9], [1], rng.normal(size=n_samples)) * (0.02 + 0.3 * loud * (1 - loud))
    audio = (0.1 * voice + 0.03 * hiss + 1e-4 * rng.normal(size=n_samples)).astype(np.float32)

    drift = gaussian_filter1d(rng.normal(size=(n_frames, 12)), 10, axis=0)
    drift /= drift.std(axis=0)
    face = np.zeros((n_frames, len(FACE_POINTS), 2))
    upper, lower = LIP_GAP_ROWS
    for points, share in ((LIPS_INNER, 1.0), (LIPS_OUTER, 0.7)):
        for point in points:
            below = points.index(point) < 10
            face[:, FACE_POINTS.index(point), 1] += share * opening * (0.6 if below else -0.4)
    face[:, lower, 1] = 0.6 * opening
    face[:, upper, 1] = -0.4 * opening
    face[:, :58, 1] += 0.02 * drift[:, :1]  # what the pose does to the landmarks
    face += 0.001 * rng.normal(size=face.shape)
    neutral = neutral_face()
    if blinks:
        down = np.zeros(n_frames)
        for at in range(30, n_frames - 12, 90):
            down[at : at + 6] = (0.5, 1, 1, 0.6, 0.3, 0.1)
        for up, low in ((159, 145), (160, 144), (158, 153), (386, 374), (387, 373), (385, 380)):
            row, other = FACE_POINTS.index(up), FACE_POINTS.index(low)
            face[:, row, 1] += down * 0.95 * (neutral[other, 1] - neutral[row, 1])
    motion = Motion(
        face=face.astype(np.float32),
        head_wxyz=np.roll(Rotation.from_rotvec(0.05 * drift[:, :3]).as_quat(), 1, axis=1).astype(np.float32),
        head_xyz=(np.array([0, 0, 8]) + 0.05 * drift[:, 3:6]).astype(np.float32),
        torso_wxyz=np.roll(Rotation.from_rotvec(0.01 * drift[:, 6:9]).as_quat(), 1, axis=1).astype(np.float32),
        torso_xyz=(np.array([0, 0, 8]) + 0.02 * drift[:, 9:]).astype(np.float32),
    )
    return Speaker(audio, motion, opening.astype(np.float32), neutral)


@pytest.fixture(scope="session")
def speaker() -> Speaker:
    return _make_speaker(24)


@pytest.fixture(scope="session")
def make_speaker() -> Callable[..., Speaker]:
    """make_speaker(seconds, seed=0, blinks=True)."""
    return _make_speaker


@pytest.fixture(scope="session")
def voice_model(speaker) -> VoiceModel:
    return fit_voice(speaker.audio, speaker.motion)


@pytest.fixture(scope="session")
def speech_driver(speaker, voice_model) -> SpeechDriver:
    return SpeechDriver(voice_model, fit_idle(speaker.motion, speaker.neutral))
