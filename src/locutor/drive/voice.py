"""From sound to the mouth of one person, as a stream."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Float32, Int32
from numpy import ndarray

from locutor.core.errors import FormatError
from locutor.core.face import LIP_GAP_ROWS, MOUTH_SLICE
from locutor.drive.features import FeatureState, MouthFeatures

N_MOUTH = MOUTH_SLICE.stop - MOUTH_SLICE.start


def lip_gap(mouth: Float32[ndarray, "*T 58 2"]) -> Float32[ndarray, "*T"]:
    """Opening of the lips above that of the neutral face, inter-ocular units: lower minus upper inner lip."""
    upper, lower = (row - MOUTH_SLICE.start for row in LIP_GAP_ROWS)
    return np.asarray(mouth[..., lower, 1] - mouth[..., upper, 1])


@dataclass(frozen=True)
class VoiceModel:
    """One person's regression from windows of sound (`MouthFeatures`) to the mouth.

    With z = (x - feature_mean) / feature_scale, the mouth is
    `mean + sum_k c_k basis_k`, c = z @ linear + exp(-|z - support| / kernel_scale) @ dual,
    where |.| is the root mean square over features.

    Attributes:
        prior_mel: mean log-mel of the person's speech.
        feature_mean, feature_scale: of the person's own windows.
        linear: weights of the linear part.
        support: normalised windows of the person's footage.
        dual: weights of the kernel part.
        kernel_scale: width of the Laplace kernel, [1].
        mean, basis: principal components of the mouth rows of `Motion.face`, inter-ocular units.
        limits: least and greatest coefficient in the footage; predictions stay within.
        closed_mouth: the mouth rows of the person's closed mouth.
        gap_range: 2nd and 98th percentile of `lip_gap` in the footage, inter-ocular units.
        offset_frames: by how many frames the footage's sound was late; corrected in the model.
    """

    prior_mel: Float32[ndarray, 80]
    feature_mean: Float32[ndarray, " D"]
    feature_scale: Float32[ndarray, " D"]
    linear: Float32[ndarray, "D K"]
    support: Float32[ndarray, "N D"]
    dual: Float32[ndarray, "N K"]
    kernel_scale: Float32[ndarray, 1]
    mean: Float32[ndarray, "58 2"]
    basis: Float32[ndarray, "K 58 2"]
    limits: Float32[ndarray, "2 K"]
    closed_mouth: Float32[ndarray, "58 2"]
    gap_range: Float32[ndarray, 2]
    offset_frames: Int32[ndarray, 1]

    def to_tensors(self) -> dict[str, ndarray]:
        """Arrays by name, for a bundle."""
        return {field.name: np.ascontiguousarray(getattr(self, field.name)) for field in fields(self)}

    @staticmethod
    def from_tensors(tensors: dict[str, ndarray]) -> VoiceModel:
        """The inverse of `to_tensors`; other names are ignored.

        Raises:
            FormatError: an array is missing.
        """
        missing = [field.name for field in fields(VoiceModel) if field.name not in tensors]
        if missing:
            raise FormatError(f"the voice model lacks {', '.join(missing)}", "train the avatar again with this version")
        return VoiceModel(**{field.name: tensors[field.name] for field in fields(VoiceModel)})

    def predict(self, windows: Float32[ndarray, "t D"]) -> Float32[ndarray, "t 58 2"]:
        """The mouth for windows of sound."""
        z = (windows - self.feature_mean) / self.feature_scale
        similarity = laplace_kernel(z, self.support, float(self.kernel_scale[0]))
        coefficients = np.clip(z @ self.linear + similarity @ self.dual, *self.limits)
        return self.mean + np.tensordot(coefficients, self.basis, axes=1)


def laplace_kernel(a: Float32[ndarray, "n D"], b: Float32[ndarray, "m D"], scale: float) -> Float32[ndarray, "n m"]:
    """exp(-rms(a - b) / scale)."""
    squared = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * a @ b.T
    return np.exp(-np.sqrt(np.maximum(squared, 0) / a.shape[1]) / np.float32(scale))


class VoiceDriver:
    """Mouth frames from chunks of sound; frame i comes as soon as 112.5 ms after its start were heard."""

    def __init__(self, model: VoiceModel) -> None:
        """Args: model: the person's voice model."""
        self.model = model
        self._features = MouthFeatures(model.prior_mel)

    def init(self) -> FeatureState:
        """State before the first sample."""
        return self._features.init()

    def step(
        self, state: FeatureState, samples: Float32[ndarray, " n"]
    ) -> tuple[FeatureState, Float32[ndarray, "t 58 2"]]:
        """Take any number of samples (16 kHz, mono), give the mouth rows of the frames that are complete."""
        state, windows = self._features.step(state, samples)
        return state, self.model.predict(windows)

    def finish(self, state: FeatureState) -> Float32[ndarray, "t 58 2"]:
        """The remaining frames: ceil(samples / 640) in all."""
        return self.model.predict(self._features.finish(state))

    def whole(self, samples: Float32[ndarray, " n"]) -> Float32[ndarray, "T 58 2"]:
        """All frames of a finished sound: the same as `step` and `finish`."""
        state, mouth = self.step(self.init(), samples)
        return np.concatenate([mouth, self.finish(state)])
