"""Learning one person's voice model from the footage's own sound and tracked mouth."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float32
from numpy import ndarray

from locutor.capture.offset import CLEAR, estimate_offset_frames
from locutor.capture.pose_effect import without_pose
from locutor.core.clock import FPS
from locutor.core.errors import FootageError
from locutor.core.face import MOUTH_SLICE
from locutor.core.folds import blocked_folds
from locutor.core.motion import Motion
from locutor.drive.features import MELS_PER_FRAME, MouthFeatures, speech_mean
from locutor.drive.voice import VoiceModel, laplace_kernel, lip_gap
from locutor.media.logmel import LogMel, warp_formants
from locutor.speech.silence import SpeechActivity

_FOLDS = 5
_GAP_FRAMES = 13  # 520 ms, wider than the window of sound
_MIN_SPEECH_S = 1.0
_SHORTEST_FOR_FOLDS = 150  # frames
_LARGEST_GAIN = 2.0
_CLOSED_SHARE = 0.03  # the frames of the smallest lip gap that make the closed mouth


@dataclass(frozen=True)
class VoiceConfig:
    """How the voice model is learnt.

    Attributes:
        n_components: principal components of the mouth.
        kernel_scale: width of the Laplace kernel over normalised windows.
        kernel_weight, linear_weight: shares of the Laplace and the linear kernel in kernel ridge regression.
        kernel_penalty: penalty of kernel ridge regression.
        ridge_penalty: penalty of the second, linear model, which also learns from changed voices.
        formant_warps: the changed voices: formants scaled by these factors.
        liveliness: 0 gives the least squared error, with small movements; 1 restores the full spread.
        max_support: most frames kept in the kernel part.
        correct_offset: whether a clear offset between sound and picture is corrected.
    """

    n_components: int = 10
    kernel_scale: float = 2.0
    kernel_weight: float = 2.0
    linear_weight: float = 0.5
    kernel_penalty: float = 0.3
    ridge_penalty: float = 0.5
    formant_warps: tuple[float, ...] = (0.8, 0.9, 1.11, 1.25)
    liveliness: float = 0.5
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
    material = _Material.prepare(audio, motion, config)
    model = _fit(material, material.valid, config)
    if len(motion) < _SHORTEST_FOR_FOLDS:
        return model
    predicted, target = _held_out(material, config, _FOLDS, _GAP_FRAMES)
    spread = lip_gap(predicted)[material.valid].std() / lip_gap(target)[material.valid].std()
    gain = np.float32(np.clip(spread**-config.liveliness, 1, _LARGEST_GAIN))
    return replace(model, linear=gain * model.linear, dual=gain * model.dual)


def cross_validate_voice(
    audio: Float32[ndarray, " n"],
    motion: Motion,
    config: VoiceConfig | None = None,
    n_folds: int = _FOLDS,
    gap_frames: int = _GAP_FRAMES,
) -> tuple[Float32[ndarray, "T 58 2"], Float32[ndarray, "T 58 2"]]:
    """Held-out prediction of the whole footage: blocked folds in time, with gaps that train nothing.

    Everything is learnt on the training frames alone (levels, components, pose effect), except the offset.

    The movements have least squared error: `liveliness`, one factor for all, is not applied.

    Returns:
        The predicted mouth and the tracked one with its pose effect taken out (by the training frames).

    Raises:
        FootageError: as for `fit_voice`.
    """
    config = config or VoiceConfig()
    return _held_out(_Material.prepare(audio, motion, config), config, n_folds, gap_frames)


def _held_out(
    material: _Material, config: VoiceConfig, n_folds: int, gap_frames: int
) -> tuple[Float32[ndarray, "T 58 2"], Float32[ndarray, "T 58 2"]]:
    predicted = np.zeros_like(material.mouth)
    target = np.zeros_like(material.mouth)
    for train, test in blocked_folds(len(material.mouth), n_folds, gap_frames):
        train &= material.valid
        model = _fit(material, train, config)
        predicted[test] = model.predict(material.windows(model.prior_mel)[test])
        target[test] = material.mouth_without_pose(train)[test]
    return predicted, target


def _offset_to_correct(audio: Float32[ndarray, " n"], motion: Motion, config: VoiceConfig) -> int:
    if not config.correct_offset:
        return 0
    offset, confidence = estimate_offset_frames(audio, motion)
    return round(offset) if confidence >= CLEAR else 0


@dataclass(frozen=True)
class _Material:
    """The footage, ready for regression: `voices` are log-mel spectra, the true one first."""

    voices: list[Float32[ndarray, "n 80"]]
    mouth: Float32[ndarray, "T 58 2"]
    motion: Motion
    valid: Bool[ndarray, " T"]
    offset: int

    @staticmethod
    def prepare(audio: Float32[ndarray, " n"], motion: Motion, config: VoiceConfig) -> _Material:
        if motion.face is None:
            raise FootageError("the motion has no face", "track the face first")
        mel = LogMel().whole(audio)
        activity = SpeechActivity()
        speech_s = activity.step(activity.init(), mel)[1].sum() / (FPS * MELS_PER_FRAME)
        if speech_s < _MIN_SPEECH_S:
            raise FootageError(
                f"the sound of the footage holds {speech_s:.1f} s of speech, too little to learn the voice from",
                "give footage in which the person speaks, with sound",
            )
        valid = np.ones(len(motion), bool) if motion.valid is None else motion.valid
        voices = [mel, *(warp_formants(mel, factor) for factor in config.formant_warps)]
        mouth = motion.face[:, MOUTH_SLICE].astype(np.float32)
        return _Material(voices, mouth, motion, valid, _offset_to_correct(audio, motion, config))

    def windows(self, prior_mel: Float32[ndarray, " 80"], voice: int = 0) -> Float32[ndarray, "T D"]:
        return MouthFeatures(prior_mel).of_mel(self.voices[voice], self.offset, len(self.mouth))

    def speech_mean(self, train: Bool[ndarray, " T"]) -> Float32[ndarray, " 80"]:
        """Mean log-mel of the speech in the training frames."""
        mel = self.voices[0]
        frames = np.clip(np.arange(len(mel)) // MELS_PER_FRAME - self.offset, 0, len(train) - 1)
        return speech_mean(mel, train[frames])

    def mouth_without_pose(self, train: Bool[ndarray, " T"]) -> Float32[ndarray, "T 58 2"]:
        flat = without_pose(self.mouth.reshape(len(self.mouth), -1), self.motion, train)
        return flat.reshape(self.mouth.shape)


def _fit(material: _Material, train: Bool[ndarray, " T"], config: VoiceConfig) -> VoiceModel:
    prior_mel = material.speech_mean(train)
    mouth = material.mouth_without_pose(train)[train]
    mean, basis, coefficients = _principal_components(mouth, config.n_components)

    windows = material.windows(prior_mel)[train]
    feature_mean, feature_scale = windows.mean(axis=0), windows.std(axis=0) + np.float32(0.1)
    z = (windows - feature_mean) / feature_scale
    support = z[:: -(-len(z) // config.max_support)]
    answers = coefficients[:: -(-len(z) // config.max_support)]
    n_features = z.shape[1]

    gram = config.linear_weight * (support @ support.T) / n_features
    gram += config.kernel_weight * laplace_kernel(support, support, config.kernel_scale)
    dual = np.linalg.solve(gram + config.kernel_penalty * np.eye(len(gram), dtype=np.float32), answers)
    linear = config.linear_weight * (support.T @ dual) / n_features

    covariance, cross = z.T @ z, z.T @ coefficients
    for voice in range(1, len(material.voices)):
        z = (material.windows(prior_mel, voice)[train] - feature_mean) / feature_scale
        covariance, cross = covariance + z.T @ z, cross + z.T @ coefficients
    penalty = config.ridge_penalty * len(material.voices) * n_features
    ridge = np.linalg.solve(covariance + penalty * np.eye(n_features, dtype=np.float32), cross)

    gap = lip_gap(mouth)
    n_closed = max(3, round(_CLOSED_SHARE * len(gap)))
    return VoiceModel(
        prior_mel=prior_mel,
        feature_mean=feature_mean,
        feature_scale=feature_scale,
        linear=0.5 * (linear + ridge),
        support=support,
        dual=0.5 * config.kernel_weight * dual,
        kernel_scale=np.array([config.kernel_scale], np.float32),
        mean=mean,
        basis=basis,
        limits=np.stack([coefficients.min(axis=0), coefficients.max(axis=0)]),
        closed_mouth=mouth[np.argsort(gap)[:n_closed]].mean(axis=0),
        gap_range=np.percentile(gap, [2, 98]).astype(np.float32),
        offset_frames=np.array([material.offset], np.int32),
    )


def _principal_components(
    mouth: Float32[ndarray, "T 58 2"], n_components: int
) -> tuple[Float32[ndarray, "58 2"], Float32[ndarray, "K 58 2"], Float32[ndarray, "T K"]]:
    mean = mouth.mean(axis=0)
    flat = (mouth - mean).reshape(len(mouth), -1)
    basis = np.linalg.eigh(flat.T @ flat)[1].T[::-1][:n_components]
    return mean, basis.reshape(-1, *mean.shape), flat @ basis.T
