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
    voice = lfilter([1], [1, -0.7], rng.normal(size=n_samples)) * loud
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
