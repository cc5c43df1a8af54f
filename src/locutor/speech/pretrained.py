"""HuBERT and wav2vec2 for those who have their weights: features of what is said, behind the encoder's own calls.

The model is read from a folder as `save_pretrained` of `transformers` writes it (extra `hubert`); nothing is fetched
from the network, and only tensors are read (safetensors, no pickles).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32
from numpy import ndarray

from locutor.core.clock import SAMPLE_RATE
from locutor.core.errors import FormatError, MissingPartError

HOP = 320  # samples per frame, 50 Hz, as of `encoder.PhoneticFrames`
REACH = 80  # samples that the convolutions see after a frame's own 320
KINDS = {"hubert": "HubertModel", "wav2vec2": "Wav2Vec2Model"}
_EPSILON = 1e-7  # of the loudness that is divided by, as in transformers' feature extractor


@dataclass(frozen=True)
class WindowConfig:
    """Which sound a block of frames is computed from. Both models see all of it, so this makes them streams.

    Attributes:
        block: frames computed at once.
        past_s, ahead_s: sound before and after the block.
    """

    block: int = 2
    past_s: float = 2.0
    ahead_s: float = 0.07

    @property
    def look_ahead_s(self) -> float:
        """How much sound after a frame's start must be known, at most, seconds."""
        return (self.block * HOP + REACH) / SAMPLE_RATE + self.ahead_s


@dataclass(frozen=True)
class PretrainedState:
    """What `PretrainedEncoder` remembers.

    Attributes:
        samples: sound from the beginning of the next block's window on.
        n_samples: samples heard.
        n_frames: frames given.
    """

    samples: Float32[ndarray, " n"]
    n_samples: int
    n_frames: int


class PretrainedEncoder:
    """Hidden states of a layer, 50 times a second; frame j is of the sound from sample 320 j on.

    The calls are those of `encoder.PhoneticEncoder`. Every block of frames has a window of its own, so that the
    features are the same for a stream and for a whole sound; the window costs (past + block + ahead) / block times
    what the model costs by itself. Before the beginning and after the end there is silence.
    """

    def __init__(self, folder: Path, layer: int = -1, window: WindowConfig | None = None) -> None:
        """Read the model.

        Args:
            folder: with config.json and model.safetensors.
            layer: which hidden states: 0 those before the first layer, -1 the last.
            window: what a block is computed from; the defaults if None.

        Raises:
            MissingPartError: `transformers` is not installed.
            FormatError: the folder holds no HuBERT or wav2vec2, its frames are not 20 ms apart, or it lacks the layer.
        """
        self.window = window or WindowConfig()
        self._model = _load(folder)
        n_layers = self._model.config.num_hidden_layers + 1
        if not -n_layers <= layer < n_layers:
            raise FormatError(f"{folder} has {n_layers} layers of hidden states, not {layer}", "choose one of them")
        self._layer = layer
        self._normalises = _normalises(folder)
        self._past = round(self.window.past_s * SAMPLE_RATE) // HOP * HOP
        self._n_window = self._past + self.window.block * HOP + REACH + round(self.window.ahead_s * SAMPLE_RATE)

    @property
    def size(self) -> int:
        """Numbers per frame."""
        return int(self._model.config.hidden_size)

    def init(self) -> PretrainedState:
        """State before the first sample."""
        return PretrainedState(np.zeros(self._past, np.float32), 0, 0)

    def step(
        self, state: PretrainedState, samples: Float32[ndarray, " n"]
    ) -> tuple[PretrainedState, Float32[ndarray, "t D"]]:
        """Take any number of samples (16 kHz, mono, -1..1), give the frames that are complete."""
        known, step = np.concatenate([state.samples, samples]), self.window.block * HOP
        starts = range(0, len(known) - self._n_window + 1, step)
        blocks = [self._block(known[start : start + self._n_window]) for start in starts]
        frames = np.concatenate([np.zeros((0, self.size), np.float32), *blocks])
        rest = known[len(starts) * step :]
        return PretrainedState(rest, state.n_samples + len(samples), state.n_frames + len(frames)), frames

    def finish(self, state: PretrainedState) -> Float32[ndarray, "t D"]:
        """The frames that were waiting for their look-ahead: ceil(samples / 320) in all."""
        n_left = -(-state.n_samples // HOP) - state.n_frames
        return self.step(state, np.zeros(self._n_window, np.float32))[1][:n_left]

    def whole(self, samples: Float32[ndarray, " n"]) -> Float32[ndarray, "t D"]:
        """All frames of a finished sound: the same as `step` and `finish`."""
        state, frames = self.step(self.init(), samples)
        return np.concatenate([frames, self.finish(state)])

    def _block(self, window: Float32[ndarray, " n"]) -> Float32[ndarray, "k D"]:
        sound = torch.from_numpy(window)[None]
        if self._normalises:
            sound = (sound - sound.mean()) / (sound.var(correction=0) + _EPSILON).sqrt()
        with torch.inference_mode():
            hidden = self._model(sound, output_hidden_states=True).hidden_states[self._layer]
        first = self._past // HOP
        return np.asarray(hidden[0, first : first + self.window.block].numpy(), np.float32)


def _load(folder: Path) -> Any:
    try:
        import transformers
    except ImportError as error:
        raise MissingPartError("HuBERT and wav2vec2 need transformers", "pip install 'locutor[hubert]'") from error
    try:
        kind = json.loads((folder / "config.json").read_text())["model_type"]
        of_kind = getattr(transformers, KINDS[kind])
        model = of_kind.from_pretrained(folder, local_files_only=True, use_safetensors=True).eval()
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise FormatError(
            f"{folder} holds no HuBERT or wav2vec2 ({reason})", "give a folder with config.json and model.safetensors"
        ) from error
    if int(np.prod(model.config.conv_stride)) != HOP:
        raise FormatError(f"the frames of {folder} are not 20 ms apart", "choose a model with the usual convolutions")
    return model.requires_grad_(False)


def _normalises(folder: Path) -> bool:
    """Whether the model was trained on sound of zero mean and unit variance."""
    preparation = folder / "preprocessor_config.json"
    try:
        return bool(json.loads(preparation.read_text()).get("do_normalize", True)) if preparation.is_file() else True
    except ValueError as error:
        raise FormatError(f"{preparation} is no JSON", "restore it, or remove it") from error
