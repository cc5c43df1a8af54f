"""What is being said, and not who says it: the phonetic encoder as a stream.

Trained on synthesised speech alone (docs/speech.md); its weights lie beside this file.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from jaxtyping import Bool, Float32, UInt8
from numpy import ndarray

from locutor.core.clock import SAMPLE_RATE
from locutor.media.logmel import HOP, LogMel, LogMelState
from locutor.speech.level import Leveller, LevelState
from locutor.speech.phonetic_classes import N_CLASSES, N_VISEMES, viseme_of_class
from locutor.speech.phonetic_network import MELS_AHEAD, N_CONTROLS, STRIDE, NetworkState, PhoneticNetwork
from locutor.speech.silence import ActivityState, SpeechActivity

WEIGHTS = Path(__file__).with_name("encoder.safetensors")
LOOK_AHEAD_S = (MELS_AHEAD * HOP + 200) / SAMPLE_RATE  # 92.5 ms after the frame's centre; 200: half a mel window
_ENERGY_BANDS = slice(4, 64)
_ENERGY_OFFSET_DB = -26.0  # as in `silence`: of white noise in these bands

_TO_VISEME = np.zeros((N_CLASSES, N_VISEMES), np.float32)
_TO_VISEME[np.arange(N_CLASSES), viseme_of_class()] = 1


@dataclass(frozen=True)
class PhoneticFrames:
    """What is heard, 50 times a second; frame j is centred on sample 320 j.

    Attributes:
        classes: posterior of each of `phonetic_classes.CLASSES`; they sum to 1.
        voicing: probability of the voice being on.
        speech: probability that something is said now or within 80 ms; closures of plosives count as said.
        energy_db: level between 150 and 4500 Hz, dB below full scale.
        controls: what a generic performer's mouth does (`actors.mouth_shapes.CONTROLS`), 0..1.
        hidden: independent of the speaker as far as training made it so, -1..1.
    """

    classes: Float32[ndarray, "t 23"]
    voicing: Float32[ndarray, " t"]
    speech: Float32[ndarray, " t"]
    energy_db: Float32[ndarray, " t"]
    controls: Float32[ndarray, "t 11"]
    hidden: Float32[ndarray, "t 64"]

    def __len__(self) -> int:
        return len(self.classes)

    @property
    def visemes(self) -> Float32[ndarray, "t 12"]:
        """Posterior of each of `phonetic_classes.VISEMES`."""
        return self.classes @ _TO_VISEME


@dataclass(frozen=True)
class MelEncoderState:
    """What `MelEncoder` remembers.

    Attributes:
        level, network: states of the stages.
        energy_db: of the frames that the network has not given yet.
        odd_mel: whether the next mel frame lies between two frames.
    """

    level: LevelState
    network: NetworkState
    energy_db: Float32[ndarray, " k"]
    odd_mel: bool


class MelEncoder:
    """Phonetic frames from frames of `LogMel`, for those who have them; frame j needs mel frame 2 j + 8.

    Loudness and the shape of the spectrum are levelled by what was heard so far, so the first two seconds of an unusual
    voice or microphone are read a little worse.
    """

    def __init__(self) -> None:
        self._network, prior_mel = _load()
        self._leveller = Leveller(prior_mel)

    def init(self) -> MelEncoderState:
        """State before the first mel frame."""
        return MelEncoderState(self._leveller.init(), self._network.init(), np.zeros(0, np.float32), False)

    def restart(self, state: MelEncoderState) -> MelEncoderState:
        """State before the first frame of another sound, likely of the same voice."""
        return replace(self.init(), level=self._leveller.restart(state.level))

    def step(
        self, state: MelEncoderState, mel: Float32[ndarray, "n 80"], active: Bool[ndarray, " n"]
    ) -> tuple[MelEncoderState, PhoneticFrames]:
        """Take any number of mel frames, and where `SpeechActivity` finds speech; give the frames that are complete."""
        level, levelled, _ = self._leveller.follow(state.level, mel, active)
        with torch.inference_mode():
            network, out = self._network(state.network, torch.from_numpy(levelled)[None])
            classes = torch.softmax(out.logits[0], dim=1).numpy()
            voicing, speech = torch.sigmoid(out.voicing[0]).numpy(), torch.sigmoid(out.speech[0]).numpy()
        of_frames = mel[int(state.odd_mel) :: STRIDE, _ENERGY_BANDS]
        energy = np.concatenate([state.energy_db, 10 * np.log10(np.exp(of_frames).mean(axis=1)) + _ENERGY_OFFSET_DB])
        n = len(classes)
        controls, hidden = out.controls[0].numpy().clip(0, 1), out.hidden[0].numpy()
        odd_mel = (len(mel) % STRIDE == 1) != state.odd_mel
        frames = PhoneticFrames(classes, voicing, speech, energy[:n], controls, hidden)
        return MelEncoderState(level, network, energy[n:], odd_mel), frames


@dataclass(frozen=True)
class EncoderState:
    """What `PhoneticEncoder` remembers.

    Attributes:
        logmel, activity, of_mel: states of the stages.
        n_samples, n_frames: samples heard, frames given.
    """

    logmel: LogMelState
    activity: ActivityState
    of_mel: MelEncoderState
    n_samples: int
    n_frames: int


class PhoneticEncoder:
    """`MelEncoder` for chunks of sound; frame j comes as soon as sample 320 j + 1480 has come."""

    def __init__(self) -> None:
        self._logmel, self._activity, self._of_mel = LogMel(), SpeechActivity(), MelEncoder()

    def init(self) -> EncoderState:
        """State before the first sample."""
        return EncoderState(self._logmel.init(), self._activity.init(), self._of_mel.init(), 0, 0)

    def step(self, state: EncoderState, samples: Float32[ndarray, " n"]) -> tuple[EncoderState, PhoneticFrames]:
        """Take any number of samples (16 kHz, mono, -1..1), give the frames that are complete."""
        logmel, mel = self._logmel.step(state.logmel, samples)
        activity, active = self._activity.step(state.activity, mel)
        of_mel, frames = self._of_mel.step(state.of_mel, mel, active)
        n_samples, n_frames = state.n_samples + len(samples), state.n_frames + len(frames)
        return EncoderState(logmel, activity, of_mel, n_samples, n_frames), frames

    def finish(self, state: EncoderState) -> PhoneticFrames:
        """The frames that were waiting for their look-ahead: ceil(samples / 320) in all."""
        n_left = -(-state.n_samples // (STRIDE * HOP)) - state.n_frames
        silence = np.zeros((MELS_AHEAD + 2 * STRIDE) * HOP, np.float32)
        return _cut(self.step(state, silence)[1], n_left)

    def whole(self, samples: Float32[ndarray, " n"]) -> PhoneticFrames:
        """All frames of a finished sound: the same as `step` and `finish`."""
        state, frames = self.step(self.init(), samples)
        return _joined(frames, self.finish(state))


def _cut(frames: PhoneticFrames, n: int) -> PhoneticFrames:
    return PhoneticFrames(**{name: array[:n] for name, array in vars(frames).items()})


def _joined(a: PhoneticFrames, b: PhoneticFrames) -> PhoneticFrames:
    return PhoneticFrames(**{name: np.concatenate([array, getattr(b, name)]) for name, array in vars(a).items()})


@cache
def fingerprint() -> UInt8[ndarray, " 8"]:
    """Which weights these are: the first bytes of the SHA-256 of their file. What is learnt from frames keeps it."""
    return np.frombuffer(hashlib.sha256(WEIGHTS.read_bytes()).digest()[:8], np.uint8)


def controls_of(hidden: Float32[ndarray, "t 64"]) -> Float32[ndarray, "t 11"]:
    """The controls that these weights give with hidden numbers, as in `PhoneticFrames`."""
    network, _ = _load()
    with torch.inference_mode():
        return network.heads(torch.from_numpy(hidden))[:, -N_CONTROLS:].numpy().clip(0, 1)


@cache
def _load() -> tuple[PhoneticNetwork, Float32[ndarray, " 80"]]:
    tensors = safetensors.torch.load_file(WEIGHTS)
    prior_mel = tensors.pop("prior_mel").numpy()
    network = PhoneticNetwork()
    network.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    return network.eval().requires_grad_(False), prior_mel
