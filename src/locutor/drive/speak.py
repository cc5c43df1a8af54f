"""A whole speaking person out of sound alone."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from locutor.core.face import MOUTH_SLICE
from locutor.core.motion import Motion, concatenate
from locutor.drive.features import FeatureState, Heard, MouthFeatures
from locutor.drive.gate import GateState, MouthGate
from locutor.drive.idle import IdleDriver, IdleState
from locutor.drive.idle_model import IdleModel
from locutor.drive.known_speech import KnownSpeech
from locutor.drive.shared_idle import Place, SharedIdle
from locutor.drive.voice import VoiceModel
from locutor.speech.phonemes import Phoneme


@dataclass(frozen=True)
class SpeechState:
    """States of the three stages."""

    features: FeatureState
    gate: GateState
    idle: IdleState | Place


class SpeechDriver:
    """Mouth from the sound, closed in silence; head, torso, eyes and brows from the footage.

    Frame i comes as soon as 112.5 ms of sound after its start were heard. Sound of n samples has
    ceil(n / 640) frames, however it is cut into chunks.
    """

    def __init__(self, voice: VoiceModel, idle: IdleModel, shared_idle: SharedIdle | None = None) -> None:
        """Args:
        voice, idle: the person's models.
        shared_idle: where many sessions take their idle movement from; a walk of each one's own if None.
        """
        self._voice = voice
        self._features = MouthFeatures(voice.prior_mel)
        self._gate = MouthGate(voice.closed_mouth)
        self._idle: Any = shared_idle or IdleDriver(idle)  # same methods; each takes the states that it gave
        self._closed_mouth = voice.closed_mouth

    def init(self, seed: int = 0) -> SpeechState:
        """State before the first sample; the seed chooses the walk of head and eyes."""
        return SpeechState(self._features.init(), self._gate.init(), self._idle.init(seed))

    def step(self, state: SpeechState, samples: Float32[ndarray, " n"]) -> tuple[SpeechState, Motion]:
        """Take any number of samples (16 kHz, mono, -1..1), give the frames that are complete."""
        features, heard = self._features.step(state.features, samples)
        gate, idle, motion = self._moved(state, heard)
        return SpeechState(features, gate, idle), motion

    def finish(self, state: SpeechState) -> Motion:
        """The remaining frames."""
        return self._moved(state, self._features.finish(state.features))[2]

    def rest(self, state: SpeechState, n_frames: int) -> tuple[SpeechState, Motion]:
        """Frames without any sound: the mouth is closed, the rest goes on. Cheaper than `step` with silence."""
        idle, motion = self._idle.step(state.idle, n_frames)
        return replace(state, idle=idle), _with_mouth(motion, np.repeat(self._closed_mouth[None], n_frames, axis=0))

    def restart(self, state: SpeechState) -> SpeechState:
        """State before another sound: forgets what was said, not whose voice it was, and goes on moving."""
        return SpeechState(self._features.restart(state.features), self._gate.init(), state.idle)

    def whole(self, samples: Float32[ndarray, " n"], seed: int = 0) -> Motion:
        """All frames of a finished sound: the same as `step` and `finish`."""
        state, motion = self.step(self.init(seed), samples)
        return concatenate([motion, self.finish(state)])

    def said(self, phonemes: Sequence[Phoneme], end_s: float, n_frames: int, seed: int = 0) -> Motion:
        """All frames of a speech whose phonemes are known, so that nothing need be recognised from its sound.

        Args:
            phonemes: in order of time.
            end_s: when the last one ends.
            n_frames: of the motion.
            seed: chooses the walk of head and eyes.

        Raises:
            SpeechError: a phoneme is in no class of sounds.
        """
        known = KnownSpeech.of_phonemes(phonemes, end_s, n_frames)
        spoken = self._voice.of_shapes(known.mouth, known.closure)
        _, mouth = self._gate.step(self._gate.init(), spoken, known.is_speech)
        _, motion = self._idle.step(self._idle.init(seed), n_frames)
        return _with_mouth(motion, mouth)

    def _moved(self, state: SpeechState, heard: Heard) -> tuple[GateState, IdleState | Place, Motion]:
        gate, mouth = self._gate.step(state.gate, self._voice.predict(heard), heard.is_speech)
        idle, motion = self._idle.step(state.idle, len(mouth))
        return gate, idle, _with_mouth(motion, mouth)


def _with_mouth(motion: Motion, mouth: Float32[ndarray, "t 58 2"]) -> Motion:
    assert motion.face is not None
    face = motion.face.copy()
    face[:, MOUTH_SLICE] = mouth
    return motion.with_channels(face=np.ascontiguousarray(face))
