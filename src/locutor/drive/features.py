"""What the voice model hears: for each picture a window of log-mel and one of phonetic frames, as a stream."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Bool, Float32, Int
from numpy import ndarray
from scipy.signal import lfilter

from locutor.core.clock import SAMPLE_RATE, SAMPLES_PER_FRAME, frames_for_samples
from locutor.drive.usual_opening import OpeningState, UsualOpening
from locutor.media.logmel import HOP, N_MELS, LogMel, LogMelState
from locutor.speech.encoder import MelEncoder, MelEncoderState, PhoneticEncoder, PhoneticFrames
from locutor.speech.level import Leveller, LevelState
from locutor.speech.phonetic_classes import VISEMES
from locutor.speech.phonetic_network import N_CONTROLS, N_HIDDEN
from locutor.speech.silence import ActivityState, SpeechActivity

MELS_PER_FRAME = SAMPLES_PER_FRAME // HOP  # 4
LOOK_AHEAD = 10  # mel frames: 160 * (4 i + 10) + 200 samples of window end 112.5 ms after the start of picture i
LOOK_BACK = 15  # mel frames, 150 ms
_N_WINDOW = LOOK_BACK + 1 + LOOK_AHEAD  # 26 mel frames
N_MEL_FEATURES = _N_WINDOW // 2 * N_MELS // 2  # pairs of frames, pairs of bands: 520

_PHONETIC_PER_FRAME = 2
_BACK, _AHEAD = 3, 1  # phonetic frames; frame 2 i + 1 has itself looked ahead to mel frame 4 i + 10
N_PHONETIC = _BACK + 1 + _AHEAD
N_CHANNELS = N_HIDDEN + N_CONTROLS
N_PHONETIC_FEATURES = N_PHONETIC * N_CHANNELS
CONTROL_FRAMES = slice(_BACK - 1, _BACK + 1)  # of the five, 2 i - 1 and 2 i: they run ahead of the sound by themselves
_CLOSED_VISEME = [name for name, _ in VISEMES].index("closed")
_SAID = 0.5  # probability from which on something is said
_SURE, _LATELY = 0.8, 0.4
"""Where the running mean of that probability is under the second, speech has not gone on lately, and begins only where
five frames in a row are above the first: a plucked string is taken for a sound of speech for three. What was announced
80 ms ahead is still in time."""
_LATELY_S = 0.8  # memory of the running mean
_KNOWN_S = 2.0  # of speech, until which one cannot be sure whose voice it is


def _band_pairs() -> Float32[ndarray, "80 40"]:
    """Smoothing by (1 2 1) / 4 over bands, then the mean of each pair."""
    smooth = 0.5 * np.eye(N_MELS) + 0.25 * np.eye(N_MELS, k=1) + 0.25 * np.eye(N_MELS, k=-1)
    smooth /= smooth.sum(axis=0)
    return (0.5 * (smooth[:, 0::2] + smooth[:, 1::2])).astype(np.float32)


_PAIRS = _band_pairs()


@dataclass(frozen=True)
class Heard:
    """What is heard around each picture.

    Attributes:
        mel: levelled log-mel, pairs of frames and (smoothed) pairs of bands averaged, 13 x 40 numbers: fewer lose the
            formants, more carry over the pitch.
        phonetic: hidden numbers and controls of 5 phonetic frames, from 60 ms before its start to 20 ms after.
        closure: probability of p, b or m at the picture.
        is_speech: whether something is said, or begins within 80 ms.
        strangeness: how different the voice is from the enrolled person's (`speech.level.Leveller`).
        doubt: 1 where nothing of the voice was heard before, so that its strangeness says nothing, 0 after two seconds.
        usual: how widely this voice opened the mouth so far (`usual_opening.UsualOpening`).
    """

    mel: Float32[ndarray, "t 520"]
    phonetic: Float32[ndarray, "t 375"]
    closure: Float32[ndarray, " t"]
    is_speech: Bool[ndarray, " t"]
    strangeness: Float32[ndarray, " t"]
    doubt: Float32[ndarray, " t"]
    usual: Float32[ndarray, "t 12"]

    def __len__(self) -> int:
        return len(self.mel)

    @property
    def controls(self) -> Float32[ndarray, "t 11"]:
        """A generic performer's mouth controls, mean of the two frames in which real lips follow them most closely."""
        frames = self.phonetic.reshape(len(self), N_PHONETIC, N_CHANNELS)[:, CONTROL_FRAMES]
        return frames[:, :, -N_CONTROLS:].mean(axis=1)

    def __getitem__(self, pictures: slice | ndarray) -> Heard:
        return Heard(*(getattr(self, field.name)[pictures] for field in fields(self)))


@dataclass(frozen=True)
class FeatureState:
    """What `MouthFeatures` remembers.

    Attributes:
        logmel, level, activity, encoder, opening: states of the stages before.
        mel: levelled frames from the beginning of the next picture's window on.
        loud, strange: for the same frames whether they stand above the noise, and how strange the voice is (and how
            doubtful that is).
        frames, said, closed: phonetic frames from the beginning of the next picture's window on, with the probabilities
            of speech (and their running mean) and of p, b, m.
        usual: for the same frames how widely the voice opened the mouth so far.
        n_loud: mel frames above the noise so far, of this voice.
        n_samples: samples heard.
        n_pictures: pictures given.
    """

    logmel: LogMelState
    level: LevelState
    activity: ActivityState
    encoder: MelEncoderState
    opening: OpeningState
    mel: Float32[ndarray, "k 80"]
    loud: Bool[ndarray, " k"]
    strange: Float32[ndarray, "k 2"]
    frames: Float32[ndarray, "l 75"]
    said: Float32[ndarray, "l 2"]
    closed: Float32[ndarray, " l"]
    usual: Float32[ndarray, "l 12"]
    n_loud: int
    n_samples: int
    n_pictures: int


class MouthFeatures:
    """Picture i sees the mel frames 4 i - 15 ... 4 i + 10 and the phonetic frames 2 i - 3 ... 2 i + 1.

    Picture i is given when sample 640 i + 1800 has come: the whole look-ahead, the encoder's own among it, is 112.5 ms.
    Before the beginning and after the end there is silence.
    """

    def __init__(self, prior_mel: Float32[ndarray, " 80"]) -> None:
        """Args: prior_mel: mean log-mel of the enrolled person's speech."""
        self._logmel, self._activity = LogMel(), SpeechActivity()
        self._leveller, self._encoder, self._opening = Leveller(prior_mel), MelEncoder(), UsualOpening()
        self._silence = self._logmel.whole(np.zeros(1, np.float32))

    def init(self) -> FeatureState:
        """State before the first sample."""
        return self._begin(self._leveller.init(), self._encoder.init(), self._opening.init())

    def restart(self, state: FeatureState) -> FeatureState:
        """State before the first sample of another sound, likely of the same voice: how strange it is stays known."""
        level, encoder = self._leveller.restart(state.level), self._encoder.restart(state.encoder)
        return self._begin(level, encoder, self._opening.restart(state.opening), state.n_loud)

    def _begin(
        self, level: LevelState, encoder: MelEncoderState, opening: OpeningState, n_loud: int = 0
    ) -> FeatureState:
        _, before, strange = self._leveller.step(level, np.repeat(self._silence, LOOK_BACK, axis=0))
        silent = np.zeros(LOOK_BACK, bool)
        return FeatureState(
            logmel=self._logmel.init(),
            level=level,
            activity=self._activity.init(),
            encoder=encoder,
            opening=opening,
            mel=before,
            loud=silent,
            strange=_with_doubt(strange, silent, n_loud),
            frames=np.zeros((_BACK, N_CHANNELS), np.float32),
            said=np.zeros((_BACK, 2), np.float32),
            closed=np.zeros(_BACK, np.float32),
            usual=np.zeros((_BACK, N_CONTROLS + 1), np.float32),
            n_loud=n_loud,
            n_samples=0,
            n_pictures=0,
        )

    def step(self, state: FeatureState, samples: Float32[ndarray, " n"]) -> tuple[FeatureState, Heard]:
        """Take any number of samples, give what is heard around the pictures that are complete."""
        logmel, new_mel = self._logmel.step(state.logmel, samples)
        activity, new_loud = self._activity.step(state.activity, new_mel)
        level, levelled, new_strange = self._leveller.follow(state.level, new_mel, new_loud)
        encoder, heard = self._encoder.step(state.encoder, new_mel, new_loud)
        opening, new_usual = self._opening.step(state.opening, heard.controls, heard.speech > _SAID)
        mel, loud = np.concatenate([state.mel, levelled]), np.concatenate([state.loud, new_loud])
        strange = np.concatenate([state.strange, _with_doubt(new_strange, new_loud, state.n_loud)])
        frames = np.concatenate([state.frames, _channels(heard)])
        new_said = _with_mean(heard.speech, state.said[-1, 1])
        said, closed = np.concatenate([state.said, new_said]), np.concatenate([state.closed, _closed(heard)])
        usual = np.concatenate([state.usual, new_usual])
        n = max(0, (len(mel) - _N_WINDOW) // MELS_PER_FRAME + 1)
        n = min(n, max(0, (len(frames) - N_PHONETIC) // _PHONETIC_PER_FRAME + 1))
        of_mel, of_frames = np.arange(n) * MELS_PER_FRAME, np.arange(n) * _PHONETIC_PER_FRAME
        pictures = _heard(mel, loud, strange, frames, said, closed, usual, of_mel, of_frames)
        used_mel, used_frames = n * MELS_PER_FRAME, n * _PHONETIC_PER_FRAME
        after = FeatureState(
            logmel=logmel,
            level=level,
            activity=activity,
            encoder=encoder,
            opening=opening,
            mel=mel[used_mel:],
            loud=loud[used_mel:],
            strange=strange[used_mel:],
            frames=frames[used_frames:],
            said=said[used_frames:],
            closed=closed[used_frames:],
            usual=usual[used_frames:],
            n_loud=state.n_loud + int(new_loud.sum()),
            n_samples=state.n_samples + len(samples),
            n_pictures=state.n_pictures + n,
        )
        return after, pictures

    def finish(self, state: FeatureState) -> Heard:
        """The pictures that were waiting for their look-ahead: ceil(samples / 640) in all."""
        n_left = frames_for_samples(state.n_samples) - state.n_pictures
        return self.step(state, np.zeros((LOOK_AHEAD + 2 * MELS_PER_FRAME) * HOP, np.float32))[1][:n_left]

    def of_sound(self, sound: Sound, first: int, n_pictures: int) -> Heard:
        """What is heard around the pictures `first` ... `first + n_pictures - 1` of a whole sound.

        The same as streaming where the window lies within the sound; pictures outside hear silence.
        """
        start = self._leveller.init()
        _, levelled, strange = self._leveller.step(start, sound.mel)
        _, silence, _ = self._leveller.step(start, self._silence)
        said = sound.frames.speech > _SAID
        _, usual = self._opening.step(self._opening.init(), sound.frames.controls, said)
        pictures = np.arange(first, first + n_pictures)
        mel_starts = np.clip(MELS_PER_FRAME * pictures - LOOK_BACK, -_N_WINDOW, len(levelled)) + _N_WINDOW
        frame_starts = np.clip(_PHONETIC_PER_FRAME * pictures - _BACK, -N_PHONETIC, len(sound.frames)) + N_PHONETIC
        return _heard(
            np.concatenate([silence.repeat(_N_WINDOW, 0), levelled, silence.repeat(_N_WINDOW, 0)]),
            np.pad(sound.loud, _N_WINDOW),
            np.pad(_with_doubt(strange, sound.loud, 0), ((_N_WINDOW, _N_WINDOW), (0, 0)), mode="edge"),
            np.pad(_channels(sound.frames), ((N_PHONETIC, N_PHONETIC), (0, 0))),
            np.pad(_with_mean(sound.frames.speech, np.float32(0)), ((N_PHONETIC, N_PHONETIC), (0, 0))),
            np.pad(_closed(sound.frames), N_PHONETIC),
            np.pad(usual, ((N_PHONETIC, N_PHONETIC), (0, 0)), mode="edge"),
            mel_starts,
            frame_starts,
        )


@dataclass(frozen=True)
class Sound:
    """A finished sound, heard once: what does not depend on whose voice is expected.

    Attributes:
        mel: log-mel of the whole sound.
        loud: for each of its frames whether it stands above the noise.
        frames: phonetic frames of the whole sound.
    """

    mel: Float32[ndarray, "n 80"]
    loud: Bool[ndarray, " n"]
    frames: PhoneticFrames

    @staticmethod
    def hear(samples: Float32[ndarray, " n"]) -> Sound:
        """Listen to samples (16 kHz, mono)."""
        mel, activity = LogMel().whole(samples), SpeechActivity()
        return Sound(mel, activity.step(activity.init(), mel)[1], PhoneticEncoder().whole(samples))


def _channels(frames: PhoneticFrames) -> Float32[ndarray, "t 75"]:
    return np.concatenate([frames.hidden, frames.controls], axis=1)


def _closed(frames: PhoneticFrames) -> Float32[ndarray, " t"]:
    return frames.visemes[:, _CLOSED_VISEME]


def _with_mean(speech: Float32[ndarray, " t"], mean_before: np.float32) -> Float32[ndarray, "t 2"]:
    """The probability of speech, and its running mean."""
    share = 1 / (50 * _LATELY_S)
    mean = lfilter([share], [1, share - 1], speech, zi=[(1 - share) * mean_before])[0]
    return np.stack([speech, mean], axis=1).astype(np.float32)


def _with_doubt(strangeness: Float32[ndarray, " t"], loud: Bool[ndarray, " t"], n_loud: int) -> Float32[ndarray, "t 2"]:
    """Strangeness of the voice, and how little of it was heard; `n_loud` mel frames before these."""
    heard_s = (n_loud + np.cumsum(loud)) * HOP / SAMPLE_RATE
    return np.stack([strangeness, np.clip(1 - heard_s / _KNOWN_S, 0, 1)], axis=1).astype(np.float32)


def _heard(
    mel: Float32[ndarray, "n 80"],
    loud: Bool[ndarray, " n"],
    strange: Float32[ndarray, "n 2"],
    frames: Float32[ndarray, "m 75"],
    said: Float32[ndarray, "m 2"],
    closed: Float32[ndarray, " m"],
    usual: Float32[ndarray, "m 12"],
    mel_starts: Int[ndarray, " t"],
    frame_starts: Int[ndarray, " t"],
) -> Heard:
    """Windows that begin at the given frames."""
    t = len(mel_starts)
    mel_rows, rows = mel_starts[:, None] + np.arange(_N_WINDOW), frame_starts[:, None] + np.arange(N_PHONETIC)
    pairs = (mel @ _PAIRS)[mel_rows].reshape(t, _N_WINDOW // 2, 2, N_MELS // 2).mean(axis=2)
    probability, lately = said[rows, 0], said[rows[:, -1], 1]
    begins = (probability > _SURE).all(axis=1)
    goes_on = (probability[:, _BACK - 1 :] > _SAID).sum(axis=1) >= 2  # of three
    is_loud = loud[mel_rows[:, LOOK_BACK:]].any(axis=1)  # from the picture on
    is_speech = is_loud & np.where(lately > _LATELY, goes_on, begins)
    return Heard(
        pairs.reshape(t, N_MEL_FEATURES),
        frames[rows].reshape(t, N_PHONETIC_FEATURES),
        closed[rows[:, _BACK:]].max(axis=1, initial=0),
        is_speech,
        strange[mel_starts + LOOK_BACK, 0],
        strange[mel_starts + LOOK_BACK, 1],
        usual[rows[:, -1]],
    )
