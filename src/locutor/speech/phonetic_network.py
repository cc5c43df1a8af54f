"""The network of the phonetic encoder: convolutions in time that see 80 ms ahead."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from locutor.media.logmel import N_MELS
from locutor.speech.phonetic_classes import N_CLASSES

N_CONTROLS = 11  # of `actors.mouth_shapes.CONTROLS`
N_HIDDEN = 64
WIDTH = 128
STRIDE = 2  # mel frames per frame
_STEM = (-2, -1, 0, 1, 2)  # mel frames around the frame's own
_BLOCKS = (
    (-1, 0, 1), (-1, 0, 1), (-1, 0, 1),
    (-2, -1, 0), (-4, -2, 0), (-8, -4, 0), (-2, -1, 0), (-4, -2, 0), (-8, -4, 0),
)  # fmt: skip
"""Frames that each block looks at. Ahead: 3 frames of 20 ms, and 2 mel frames of the stem."""
MELS_AHEAD = STRIDE * sum(offsets[-1] for offsets in _BLOCKS) + _STEM[-1]  # 8

NetworkState = tuple[Tensor, ...]
"""For the stem and each block the inputs that frames to come still need, (B, k, C)."""


@dataclass(frozen=True)
class NetworkOutput:
    """What is heard in each frame.

    Attributes:
        logits: of `phonetic_classes.CLASSES`.
        voicing: logit of the voice being on.
        speech: logit of something being said now or within the next 80 ms.
        controls: weights of a generic performer's mouth controls.
        hidden: the numbers from which all of these are made linearly, -1..1.
    """

    logits: Float[Tensor, "B T 23"]
    voicing: Float[Tensor, "B T"]
    speech: Float[Tensor, "B T"]
    controls: Float[Tensor, "B T 11"]
    hidden: Float[Tensor, "B T 64"]


class _Block(nn.Module):
    """Adds to each frame a rectified convolution over three frames around it."""

    def __init__(self, offsets: tuple[int, ...]) -> None:
        super().__init__()
        self.offsets = offsets
        self.norm = nn.LayerNorm(WIDTH)
        self.mix = nn.Linear(len(offsets) * WIDTH, WIDTH)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Take the state and new frames in one, give the frames that are complete and the next state."""
        first, last = self.offsets[0], self.offsets[-1]
        n = max(0, x.shape[1] - (last - first))
        normed = functional.relu(self.norm(x))
        taps = torch.cat([normed[:, o - first : o - first + n] for o in self.offsets], dim=2)
        return x[:, -first : n - first] + self.mix(taps), x[:, n:]


class PhoneticNetwork(nn.Module):
    """From levelled log-mel (100 per second) to `NetworkOutput` (50 per second).

    Frame j sees the mel frames up to 2 j + 8. What lies before the beginning counts as zero in every layer. The network
    is the same for a stream and for a whole sound: what frames to come need is handed over as state.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Linear(len(_STEM) * N_MELS, WIDTH)
        self.blocks = nn.ModuleList(_Block(offsets) for offsets in _BLOCKS)
        self.norm = nn.LayerNorm(WIDTH)
        self.hidden = nn.Linear(WIDTH, N_HIDDEN)
        self.heads = nn.Linear(N_HIDDEN, N_CLASSES + 2 + N_CONTROLS)

    def init(self, n_batch: int = 1) -> NetworkState:
        """State before the first mel frame."""
        past = [(-_STEM[0], N_MELS)] + [(-offsets[0], WIDTH) for offsets in _BLOCKS]
        return tuple(torch.zeros(n_batch, n, width) for n, width in past)

    def forward(self, state: NetworkState, mel: Float[Tensor, "B t 80"]) -> tuple[NetworkState, NetworkOutput]:
        """Take levelled mel frames, give the frames that are complete."""
        x = torch.cat([state[0], mel], dim=1)
        n = max(0, (x.shape[1] - len(_STEM)) // STRIDE + 1)
        taps = [x[:, k : k + STRIDE * n : STRIDE] for k in range(len(_STEM))]
        following = [x[:, STRIDE * n :]]
        x = self.stem(torch.cat([tap[:, :n] for tap in taps], dim=2))
        for block, waiting in zip(self.blocks, state[1:], strict=True):
            x, rest = block(torch.cat([waiting, x], dim=1))
            following.append(rest)
        hidden = torch.tanh(self.hidden(functional.relu(self.norm(x))))
        out = self.heads(hidden)
        logits, voicing, speech, controls = out.split((N_CLASSES, 1, 1, N_CONTROLS), dim=2)
        return tuple(following), NetworkOutput(logits, voicing[..., 0], speech[..., 0], controls, hidden)
