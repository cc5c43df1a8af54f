"""From sound to the mouth of one person, as a stream."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
from jaxtyping import Float32, Int32, UInt8
from numpy import ndarray

from locutor.core.errors import FormatError
from locutor.core.face import LIP_GAP_ROWS, MOUTH_SLICE
from locutor.drive.features import FeatureState, Heard, MouthFeatures
from locutor.drive.prior import generic_mouth
from locutor.drive.voice_shapes import require_encoder, require_shapes
from locutor.speech.encoder import fingerprint

_SUPPORT = ("phonetic_support", "mel_support")
_KNOWN_TO_STRANGE = 0.55, 0.85
"""Strangeness: one half of real clips against the other stays below .5 (one passage at .8, which costs .005 of its
correlation); others and synthesisers lie between .55 and 1.4 as soon as two seconds were heard. Only a stranger's lips
are brought to the person's opening: half known, they open wider."""
_CLOSING = np.array([[0.1, 0.25], [0.6, 0.95]])
"""Probabilities of p, b, m between which the lips are brought together, for a stranger's voice and for the own. Half of
a real stranger's closures have a posterior under .5; of the own voice the regression knows more than the posterior, and
closing it wherever a stranger would be closed costs .07 of its correlation."""
_OWN_TO_ANY = 0.6, 0.8
"""Strangeness between which the second closing turns into the first: sooner than the mouths, as a missed closure is
seen and a false one hardly. For that reason a voice of which little was heard yet closes like a stranger's."""
_WIDER = 0.05  # of the range of the lip gap: how much wider than in 98 of 100 frames of the footage lips may part
N_MOUTH = MOUTH_SLICE.stop - MOUTH_SLICE.start


def lip_gap(mouth: Float32[ndarray, "*T 58 2"]) -> Float32[ndarray, "*T"]:
    """Opening of the lips above that of the neutral face, inter-ocular units: lower minus upper inner lip."""
    upper, lower = (row - MOUTH_SLICE.start for row in LIP_GAP_ROWS)
    return np.asarray(mouth[..., lower, 1] - mouth[..., upper, 1])


@dataclass(frozen=True)
class VoiceModel:
    """One person's regression from what is heard (`features.Heard`) to the mouth.

    The person's own voice is answered by a regression on phonetic frames and log-mel. With p and m these features less
    their means, by their scales, and P and M the Laplace kernels exp(-rms(. - support) / width) with those of the
    footage, the mouth is `mean + sum_k c_k basis_k`,
    c = p @ phonetic_linear + m @ mel_linear + (phonetic weight P + mel weight M) @ dual.
    Any other voice is answered by a generic performer's mouth (`prior.generic_mouth`) g, in the person's own shapes:
    c_k = style <g - generic_mean, basis_k>. The strangeness of the voice decides between them, and how surely p, b or m
    must be heard for the person's closed mouth to take over.

    Attributes:
        prior_mel: mean log-mel of the person's speech.
        phonetic_mean, phonetic_scale, mel_mean, mel_scale: of the features in the footage.
        phonetic_linear, mel_linear: weights of the linear parts.
        phonetic_support, mel_support: normalised features of the footage.
        dual: weights of the kernels.
        kernel: their widths and weights: phonetic width, mel width, phonetic weight, mel weight.
        generic_mean: mean of the generic performer's mouth on the footage's sound, inter-ocular units.
        style: how widely the person opens the mouth, as a multiple of the generic performer.
        mean, basis: principal components of the mouth rows of `Motion.face`, inter-ocular units.
        limits: least and greatest coefficient in the footage; predictions stay within.
        closed_mouth: the mouth rows of the person's closed mouth.
        gap_range: 2nd and 98th percentile of `lip_gap` in the footage, inter-ocular units.
        offset_frames: by how many frames the footage's sound was late; corrected in the model.
        encoder: `speech.encoder.fingerprint` of the phonetic encoder that it was learnt with.
    """

    prior_mel: Float32[ndarray, 80]
    phonetic_mean: Float32[ndarray, 375]
    phonetic_scale: Float32[ndarray, 375]
    mel_mean: Float32[ndarray, 520]
    mel_scale: Float32[ndarray, 520]
    phonetic_linear: Float32[ndarray, "375 K"]
    mel_linear: Float32[ndarray, "520 K"]
    phonetic_support: Float32[ndarray, "N 375"]
    mel_support: Float32[ndarray, "N 520"]
    dual: Float32[ndarray, "N K"]
    kernel: Float32[ndarray, 4]
    generic_mean: Float32[ndarray, "58 2"]
    style: Float32[ndarray, 1]
    mean: Float32[ndarray, "58 2"]
    basis: Float32[ndarray, "K 58 2"]
    limits: Float32[ndarray, "2 K"]
    closed_mouth: Float32[ndarray, "58 2"]
    gap_range: Float32[ndarray, 2]
    offset_frames: Int32[ndarray, 1]
    encoder: UInt8[ndarray, 8]

    def to_tensors(self) -> dict[str, ndarray]:
        """Arrays by name, for a bundle; the support, most of the size, in half precision."""
        arrays = {field.name: np.ascontiguousarray(getattr(self, field.name)) for field in fields(self)}
        return arrays | {name: arrays[name].astype(np.float16) for name in _SUPPORT}

    @staticmethod
    def from_tensors(tensors: dict[str, ndarray]) -> VoiceModel:
        """The inverse of `to_tensors`; other names are ignored.

        Raises:
            FormatError: an array is missing (the model is of an earlier version) or of another shape, or the model was
                learnt with another phonetic encoder.
        """
        known = {"encoder": fingerprint()} | tensors  # models from before it was kept are recognised by their support
        missing = [field.name for field in fields(VoiceModel) if field.name not in known]
        if missing:
            raise FormatError(f"the voice model lacks {', '.join(missing)}", "train the avatar again with this version")
        arrays = {field.name: known[field.name] for field in fields(VoiceModel)}
        require_shapes(arrays)
        model = VoiceModel(**arrays | {name: arrays[name].astype(np.float32) for name in _SUPPORT})
        require_encoder(model.encoder, model.phonetic_support * model.phonetic_scale + model.phonetic_mean)
        return model

    def predict(self, heard: Heard) -> Float32[ndarray, "t 58 2"]:
        """The mouth for what is heard."""
        if len(heard) == 0:  # most chunks of a live sound complete no picture
            return np.zeros((0, *self.mean.shape), np.float32)
        known, strange = _KNOWN_TO_STRANGE
        own = np.clip((strange - heard.strangeness) / (strange - known), 0, 1)[:, None]
        coefficients, is_own = self._of_any_voice(heard), own[:, 0] > 0
        if is_own.any():  # the kernels are the dearest part, and most live voices are strange
            share = own[is_own]
            coefficients[is_own] = share * self._of_own_voice(heard[is_own]) + (1 - share) * coefficients[is_own]
        return self._shown(coefficients, heard.closure, heard.strangeness + _OWN_TO_ANY[0] * heard.doubt)

    def of_shapes(
        self, mouth: Float32[ndarray, "t 58 2"], closure: Float32[ndarray, " t"]
    ) -> Float32[ndarray, "t 58 2"]:
        """The person's mouth for generic shapes (as of `prior.generic_mouth`) and the probability of p, b, m."""
        return self._shown(self._in_own_shapes(mouth), closure, np.full(len(mouth), np.inf, np.float32))

    def _shown(
        self,
        coefficients: Float32[ndarray, "t K"],
        closure: Float32[ndarray, " t"],
        strangeness: Float32[ndarray, " t"],
    ) -> Float32[ndarray, "t 58 2"]:
        """Lips brought together on p, b, m, and all within what the footage showed."""
        own, strange = _OWN_TO_ANY
        sure_own = np.clip((strange - strangeness) / (strange - own), 0, 1)
        unsure, sure = (at_any + sure_own * (at_own - at_any) for at_any, at_own in _CLOSING.T)
        closing = np.clip((closure - unsure) / (sure - unsure), 0, 1)[:, None]
        closed = np.tensordot(self.basis, self.closed_mouth - self.mean, axes=2)
        coefficients = (coefficients + closing * (closed - coefficients)).astype(np.float32)
        return self.mean + np.tensordot(self._within_footage(coefficients), self.basis, axes=1)

    def _within_footage(self, coefficients: Float32[ndarray, "t K"]) -> Float32[ndarray, "t K"]:
        """Each component within what the footage showed, and all together smaller where the lips would part wider than
        there, or come closer than in the closed mouth."""
        within = np.clip(coefficients, *self.limits)
        low, high = self.gap_range
        closed, wide = min(low, lip_gap(self.closed_mouth)), high + np.float32(_WIDER) * (high - low)
        gap = within @ lip_gap(self.basis)
        allowed = np.clip(gap, *(np.array([closed, wide], np.float32) - lip_gap(self.mean)))
        return np.where(allowed == gap, 1, allowed / np.where(gap == 0, 1, gap))[:, None] * within

    def _of_own_voice(self, heard: Heard) -> Float32[ndarray, "t K"]:
        phonetic = (heard.phonetic - self.phonetic_mean) / self.phonetic_scale
        mel = (heard.mel - self.mel_mean) / self.mel_scale
        phonetic_width, mel_width, phonetic_weight, mel_weight = (float(x) for x in self.kernel)
        similarity = phonetic_weight * laplace_kernel(
            phonetic, self.phonetic_support, phonetic_width, self._support_squared[0]
        )
        similarity += mel_weight * laplace_kernel(mel, self.mel_support, mel_width, self._support_squared[1])
        return phonetic @ self.phonetic_linear + mel @ self.mel_linear + similarity @ self.dual

    @cached_property
    def _support_squared(self) -> tuple[Float32[ndarray, " _"], Float32[ndarray, " _"]]:
        return (self.phonetic_support**2).sum(axis=1), (self.mel_support**2).sum(axis=1)

    def _of_any_voice(self, heard: Heard) -> Float32[ndarray, "t K"]:
        return self._in_own_shapes(generic_mouth(heard))

    def _in_own_shapes(self, generic: Float32[ndarray, "t 58 2"]) -> Float32[ndarray, "t K"]:
        wide = self.style * (generic - self.generic_mean)
        return np.asarray(np.tensordot(wide, self.basis, axes=((1, 2), (1, 2))))


def laplace_kernel(
    a: Float32[ndarray, "n D"],
    b: Float32[ndarray, "m D"],
    scale: float,
    b_squared: Float32[ndarray, " m"] | None = None,
) -> Float32[ndarray, "n m"]:
    """exp(-rms(a - b) / scale); `b_squared` saves summing the squares of each row of b."""
    if b_squared is None:
        b_squared = (b**2).sum(axis=1)
    squared = (a**2).sum(axis=1)[:, None] + b_squared - 2 * a @ b.T
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
        state, heard = self._features.step(state, samples)
        return state, self.model.predict(heard)

    def finish(self, state: FeatureState) -> Float32[ndarray, "t 58 2"]:
        """The remaining frames: ceil(samples / 640) in all."""
        return self.model.predict(self._features.finish(state))

    def whole(self, samples: Float32[ndarray, " n"]) -> Float32[ndarray, "T 58 2"]:
        """All frames of a finished sound: the same as `step` and `finish`."""
        state, mouth = self.step(self.init(), samples)
        return np.concatenate([mouth, self.finish(state)])
