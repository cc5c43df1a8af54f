"""Learning one person's voice model from the footage's own sound and tracked mouth."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float32
from numpy import ndarray

from locutor.capture.offset import CLEAR
from locutor.capture.pose_effect import without_pose
from locutor.capture.sound import sound_offset
from locutor.core.clock import FPS
from locutor.core.errors import FootageError
from locutor.core.face import MOUTH_SLICE
from locutor.core.folds import blocked_folds
from locutor.core.motion import Motion
from locutor.drive.features import (
    CONTROL_FRAMES,
    MELS_PER_FRAME,
    N_CHANNELS,
    N_PHONETIC,
    Heard,
    MouthFeatures,
    Sound,
)
from locutor.drive.prior import generic_mouth, reference_speech, spoken_displacements
from locutor.drive.voice import VoiceModel, laplace_kernel, lip_gap
from locutor.speech.encoder import fingerprint
from locutor.speech.level import speech_mean
from locutor.speech.phonetic_network import N_CONTROLS

_FOLDS = 5
_GAP_FRAMES = FPS  # a second: wider than the window of sound, and speech does not stay alike for longer
_MIN_SPEECH_S = 1.0
_SHORTEST_FOR_FOLDS = 150  # frames
_LARGEST_GAIN = 2.0
_STYLES = (0.3, 3.0)  # opening of a person as a multiple of the generic performer's
_CALIBRATIONS = 6  # rounds; three are enough where nothing is at its limit
_CLOSED_SHARE = 0.03  # the frames of the smallest lip gap that make the closed mouth
FOLLOWED_LEAD = 1.0  # frames by which lips may run ahead of their sound


@dataclass(frozen=True)
class VoiceConfig:
    """How the voice model is learnt.

    Attributes:
        n_components: principal components of the mouth.
        phonetic_scale, mel_scale: widths of the Laplace kernels over normalised features.
        phonetic_kernel, mel_kernel: shares of the Laplace kernels in kernel ridge regression.
        phonetic_linear, mel_linear: shares of the linear kernels.
        penalty: of kernel ridge regression.
        generic_share: how much of the generic mouth's movement is expected beforehand; the rest is learnt.
        liveliness: 0 gives the least squared error, with small movements; 1 restores the full spread of the lip gap.
        max_support: most frames kept in the kernel part.
        correct_offset: whether a clear offset between sound and picture is corrected.
    """

    n_components: int = 10
    phonetic_scale: float = 1.0
    mel_scale: float = 2.0
    phonetic_kernel: float = 1.0
    mel_kernel: float = 2.0
    phonetic_linear: float = 0.5
    mel_linear: float = 0.5
    penalty: float = 0.4
    generic_share: float = 0.25
    liveliness: float = 1.0
    max_support: int = 4000
    correct_offset: bool = True


def fit_voice(audio: Float32[ndarray, " n"], motion: Motion, config: VoiceConfig | None = None) -> VoiceModel:
    """Learn to move the mouth of `motion` from its sound.

    Args:
        audio: the footage's sound, 16 kHz, mono; sample 0 is heard with frame 0.
        motion: the tracked motion; `face` is needed, the head pose is used where present.
        config: settings; the defaults if None.

    Raises:
        FootageError: less than a second of speech in the sound.
    """
    config = config or VoiceConfig()
    footage = Footage.prepare(audio, motion, config)
    return fit_footage(footage, footage.valid, config)


def cross_validate_voice(
    audio: Float32[ndarray, " n"], motion: Motion, config: VoiceConfig | None = None
) -> tuple[Float32[ndarray, "T 58 2"], Float32[ndarray, "T 58 2"]]:
    """Held-out prediction of the whole footage; see `held_out`.

    Raises:
        FootageError: as for `fit_voice`.
    """
    config = config or VoiceConfig()
    return held_out(Footage.prepare(audio, motion, config), config)


def held_out(footage: Footage, config: VoiceConfig) -> tuple[Float32[ndarray, "T 58 2"], Float32[ndarray, "T 58 2"]]:
    """Prediction of each fifth of the footage by a model of the others; a second on both its sides is kept out
    (of footage under ten seconds a tenth).

    Everything is learnt on the training frames alone (levels, components, pose effect, liveliness), except the offset.

    Returns:
        The predicted mouth and the tracked one with its pose effect taken out (by the training frames).
    """
    predicted, target = np.zeros_like(footage.mouth), np.zeros_like(footage.mouth)
    gap = min(_GAP_FRAMES, len(footage.mouth) // 10)  # less than ten seconds would leave little to learn from
    for train, test in blocked_folds(len(footage.mouth), _FOLDS, gap):
        train &= footage.valid
        model = fit_footage(footage, train, config)
        predicted[test] = model.predict(footage.heard(model.prior_mel)[test])
        target[test] = footage.mouth_without_pose(train)[test]
    return predicted, target


def _offset_to_correct(visemes: Float32[ndarray, "t 12"], motion: Motion, config: VoiceConfig) -> int:
    """By how many frames the sound is taken to be late.

    Beside a clear offset, lips that run further ahead than the look-ahead allows to follow are moved later, to a lead
    of `FOLLOWED_LEAD`: 40 ms that nobody sees. Lips that lead less are left alone, for they are easy to follow.
    """
    if not config.correct_offset:
        return 0
    offset = sound_offset(visemes, motion)
    if offset.correction_frames or offset.confidence < CLEAR:
        return offset.correction_frames
    return max(0, round(offset.frames - FOLLOWED_LEAD))


@dataclass(frozen=True)
class Footage:
    """The footage, ready for regression.

    Attributes:
        sound: what was heard.
        mouth: tracked mouth rows of `Motion.face`.
        motion: for the head pose.
        valid: frames that may be learnt from.
        offset: by how many frames the sound is late.
    """

    sound: Sound
    mouth: Float32[ndarray, "T 58 2"]
    motion: Motion
    valid: Bool[ndarray, " T"]
    offset: int

    @staticmethod
    def prepare(audio: Float32[ndarray, " n"], motion: Motion, config: VoiceConfig) -> Footage:
        """Listen to the sound.

        Raises:
            FootageError: less than a second of speech in the sound, or no face in the motion.
        """
        if motion.face is None:
            raise FootageError("the motion has no face", "track the face first")
        sound = Sound.hear(audio)
        speech_s = sound.loud.sum() / (FPS * MELS_PER_FRAME)
        if speech_s < _MIN_SPEECH_S:
            raise FootageError(
                f"the sound of the footage holds {speech_s:.1f} s of speech, too little to learn the voice from",
                "give footage in which the person speaks, with sound",
            )
        valid = np.ones(len(motion), bool) if motion.valid is None else motion.valid
        mouth = motion.face[:, MOUTH_SLICE].astype(np.float32)
        return Footage(sound, mouth, motion, valid, _offset_to_correct(sound.frames.visemes, motion, config))

    def heard(self, prior_mel: Float32[ndarray, " 80"]) -> Heard:
        """What is heard around each frame."""
        return MouthFeatures(prior_mel).of_sound(self.sound, self.offset, len(self.mouth))

    def speech_mean(self, train: Bool[ndarray, " T"]) -> Float32[ndarray, " 80"]:
        """Mean log-mel of the speech in the training frames."""
        mel = self.sound.mel
        frames = np.clip(np.arange(len(mel)) // MELS_PER_FRAME - self.offset, 0, len(train) - 1)
        return speech_mean(mel, train[frames])

    def mouth_without_pose(self, train: Bool[ndarray, " T"]) -> Float32[ndarray, "T 58 2"]:
        """The mouth less what the head pose explains of it in the training frames."""
        flat = without_pose(self.mouth.reshape(len(self.mouth), -1), self.motion, train)
        return flat.reshape(self.mouth.shape)


def fit_footage(footage: Footage, train: Bool[ndarray, " T"], config: VoiceConfig) -> VoiceModel:
    """The voice model of the training frames."""
    prior_mel = footage.speech_mean(train)
    mouth = footage.mouth_without_pose(train)[train]
    mean, basis, coefficients = _principal_components(mouth, config.n_components)
    heard = footage.heard(prior_mel)[train]
    phonetic_mean, phonetic_scale = _spread(heard.phonetic)
    mel_mean, mel_scale = _spread(heard.mel)
    every = -(-len(heard) // config.max_support)
    phonetic = _as_stored(((heard.phonetic - phonetic_mean) / phonetic_scale)[::every])
    mel = _as_stored(((heard.mel - mel_mean) / mel_scale)[::every])

    gap, generic = lip_gap(mouth), generic_mouth(heard)
    style = np.clip(gap.std() / (lip_gap(generic).std() + 1e-6), *_STYLES)
    of_controls = np.tensordot(spoken_displacements(), basis, axes=((1, 2), (1, 2)))
    prior = config.generic_share * style * phonetic_scale[:, None] * _at_control_frames(of_controls)
    wanted = coefficients[::every] - phonetic @ prior

    phonetic_share = config.phonetic_linear / phonetic.shape[1]
    mel_share = config.mel_linear / mel.shape[1]
    gram = phonetic_share * (phonetic @ phonetic.T) + mel_share * (mel @ mel.T)
    gram += config.phonetic_kernel * laplace_kernel(phonetic, phonetic, config.phonetic_scale)
    gram += config.mel_kernel * laplace_kernel(mel, mel, config.mel_scale)
    dual = np.linalg.solve(gram + config.penalty * np.eye(len(gram), dtype=np.float32), wanted)
    livelier = _livelier(gram, wanted, phonetic @ prior, lip_gap(basis), config)

    n_closed = max(3, round(_CLOSED_SHARE * len(gap)))
    kernel = (config.phonetic_scale, config.mel_scale, config.phonetic_kernel, config.mel_kernel)
    model = VoiceModel(
        prior_mel=prior_mel,
        phonetic_mean=phonetic_mean,
        phonetic_scale=phonetic_scale,
        mel_mean=mel_mean,
        mel_scale=mel_scale,
        phonetic_linear=(prior + phonetic_share * (phonetic.T @ dual)) @ livelier,
        mel_linear=mel_share * (mel.T @ dual) @ livelier,
        phonetic_support=phonetic,
        mel_support=mel,
        dual=dual @ livelier,
        kernel=np.array(kernel, np.float32),
        generic_mean=generic.mean(axis=0),
        style=np.array([style], np.float32),
        mean=mean,
        basis=basis,
        limits=np.stack([coefficients.min(axis=0), coefficients.max(axis=0)]),
        closed_mouth=mouth[np.argsort(gap)[:n_closed]].mean(axis=0),
        gap_range=np.percentile(gap, [2, 98]).astype(np.float32),
        offset_frames=np.array([footage.offset], np.int32),
        encoder=fingerprint(),
    )
    return _opening_alike(model, mouth)


def _livelier(
    gram: Float32[ndarray, "N N"],
    wanted: Float32[ndarray, "N K"],
    expected: Float32[ndarray, "N K"],
    gap_of_basis: Float32[ndarray, " K"],
    config: VoiceConfig,
) -> Float32[ndarray, "K K"]:
    """What brings predicted coefficients to the spread of lip gap that regression takes from what it does not know.

    Lips that move too little do not close. The spread is measured on blocked folds of these frames, and restored in the
    lip gap and what goes with it alone: of the rest the mean is less wrong.

    Args:
        gram: of the kernel.
        wanted: what the kernel shall give.
        expected: what is added to it.
        gap_of_basis: lip gap of each component.
        config: penalty and liveliness.
    """
    one = np.eye(wanted.shape[1], dtype=np.float32)
    if len(gram) < _SHORTEST_FOR_FOLDS:
        return one
    predicted, true = expected.copy(), expected + wanted
    for learnt, test in blocked_folds(len(gram), _FOLDS, min(_GAP_FRAMES, len(gram) // 10)):
        of_learnt = gram[np.ix_(learnt, learnt)] + config.penalty * np.eye(learnt.sum(), dtype=np.float32)
        predicted[test] += gram[np.ix_(test, learnt)] @ np.linalg.solve(of_learnt, wanted[learnt])
    shown, gap = predicted @ gap_of_basis, true @ gap_of_basis
    lost = (gap.std() + 1e-9) / (shown.std() + 1e-9)
    gain = np.clip(lost**config.liveliness, 1, _LARGEST_GAIN)
    with_gap = (gap - gap.mean()) @ true / (np.square(gap - gap.mean()).sum() + 1e-9)
    return np.asarray(one + np.float32(gain - 1) * np.outer(gap_of_basis, with_gap), np.float32)


def _at_control_frames(of_controls: Float32[ndarray, "11 K"]) -> Float32[ndarray, "375 K"]:
    """Weights of the phonetic features that give what these weights give of `Heard.controls`."""
    weights = np.zeros((N_PHONETIC, N_CHANNELS, of_controls.shape[1]), np.float32)
    n = CONTROL_FRAMES.stop - CONTROL_FRAMES.start
    weights[CONTROL_FRAMES, -N_CONTROLS:] = of_controls / n
    return weights.reshape(N_PHONETIC * N_CHANNELS, -1)


def _opening_alike(model: VoiceModel, mouth: Float32[ndarray, "T 58 2"]) -> VoiceModel:
    """The model with the style and mean by which a strange voice opens the lips as widely as the person does.

    What is shown for synthesised speech, closures and limits included, gets the mean and 95th percentile of the
    person's lip gap; strangers are brought to that speech by `UsualOpening`.
    """
    gap = lip_gap(mouth)
    mean, p95 = gap.mean(), np.percentile(gap, 95)
    per_gap = np.tensordot(gap - mean, mouth - mouth.mean(axis=0), axes=1) / (np.square(gap - mean).sum() + 1e-9)
    generic, closure = reference_speech()
    for _ in range(_CALIBRATIONS):
        shown = lip_gap(model.of_shapes(generic, closure))
        wider = (p95 - mean) / max(np.percentile(shown, 95) - shown.mean(), 1e-6)
        style = np.clip(model.style * np.clip(wider, 0.7, 1.4), *_STYLES).astype(np.float32)
        raised = (model.generic_mean * model.style - (mean - shown.mean()) * per_gap) / style
        # The mean of the shapes must not move with the style: only by what is missing.
        raised += (1 - model.style / style) * generic.mean(axis=0)
        model = replace(model, style=style, generic_mean=raised.astype(np.float32))
    return model


def _as_stored(support: Float32[ndarray, "N D"]) -> Float32[ndarray, "N D"]:
    """In the precision of a bundle, so that a loaded model is the same as a new one."""
    return support.astype(np.float16).astype(np.float32)


def _spread(features: Float32[ndarray, "T D"]) -> tuple[Float32[ndarray, " D"], Float32[ndarray, " D"]]:
    """Mean and scale; what hardly moves is not blown up."""
    return features.mean(axis=0), features.std(axis=0) + np.float32(0.1)


def _principal_components(
    mouth: Float32[ndarray, "T 58 2"], n_components: int
) -> tuple[Float32[ndarray, "58 2"], Float32[ndarray, "K 58 2"], Float32[ndarray, "T K"]]:
    mean = mouth.mean(axis=0)
    flat = (mouth - mean).reshape(len(mouth), -1)
    basis = np.linalg.eigh(flat.T @ flat)[1].T[::-1][:n_components]
    return mean, basis.reshape(-1, *mean.shape), flat @ basis.T
