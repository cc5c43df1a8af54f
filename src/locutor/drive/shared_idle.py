"""Idle movement for many sessions at once: a few walks that go on for ever, each shown by several sessions.

A walk's frames cost more than all else that an idle session does; a hundred sessions with sixteen walks make each frame
once for six of them. Who watches one session does not see the others. Same interface as `IdleDriver`.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from locutor.core.clock import FPS
from locutor.core.motion import Motion, concatenate
from locutor.drive.idle import IdleDriver, IdleState
from locutor.drive.idle_model import IdleModel

N_WALKS = 16
BLOCK = FPS  # frames that are made at once
KEPT_BLOCKS = 20  # of each walk: sessions are apart by a second or two


@dataclass(frozen=True)
class Place:
    """Where a session is.

    Attributes:
        walk: which one.
        frame: index of the walk's frame that comes next.
    """

    walk: int
    frame: int


@dataclass
class _Walk:
    """The newest frames of one walk.

    Attributes:
        state: behind the last block.
        first_block: index of the oldest block that is kept.
        blocks: of `BLOCK` frames each.
    """

    state: IdleState
    first_block: int = 0
    blocks: deque[Motion] = field(default_factory=deque)


class SharedIdle:
    """Walks that several sessions show. A new session joins a walk where it is; which one, its seed says."""

    def __init__(self, model: IdleModel, n_walks: int = N_WALKS) -> None:
        """Args:
        model: the person's footage.
        n_walks: how many differ from each other.
        """
        self._driver = IdleDriver(model)
        self._walks = [_Walk(self._driver.init(seed)) for seed in range(n_walks)]

    def init(self, seed: int) -> Place:
        """The place of a new session."""
        walk = seed % len(self._walks)
        kept = self._walks[walk]
        return Place(walk, BLOCK * max(0, kept.first_block + len(kept.blocks) - 1))

    def step(self, place: Place, n_frames: int) -> tuple[Place, Motion]:
        """The next frames. A session that is behind what is kept goes on with the oldest."""
        walk = self._walks[place.walk]
        start = max(place.frame, BLOCK * walk.first_block)
        end = start + n_frames
        while (walk.first_block + len(walk.blocks)) * BLOCK < max(end, start + 1):
            walk.state, motion = self._driver.step(walk.state, BLOCK)
            walk.blocks.append(motion)
            if len(walk.blocks) > KEPT_BLOCKS:
                walk.blocks.popleft()
                walk.first_block += 1
        parts, at = [], start
        while True:
            block = walk.blocks[at // BLOCK - walk.first_block]
            parts.append(block[at % BLOCK : min(BLOCK, at % BLOCK + end - at)])
            at += len(parts[-1])
            if at >= end:
                break
        return Place(place.walk, end), parts[0] if len(parts) == 1 else concatenate(parts)
