"""`Motion`: what every driver makes and every avatar takes."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from locutor.core.clock import FPS
from locutor.core.errors import FormatError


@dataclass(frozen=True)
class Motion:
    """Movement of one person at `FPS` frames per second. A channel may be absent (None).

    Attributes:
        face: displacement of the landmarks `core.face.FACE_POINTS` from the person's neutral, in the
            head frame (x right, y down), with the head pose taken out. Unit: the distance of the outer
            eye corners (inter-ocular unit).
        head_wxyz, head_xyz: `T_world_head`, unit quaternion and inter-ocular units.
        torso_wxyz, torso_xyz: `T_world_torso`, the second tracked body. The torso frame coincides with
            the head frame in the person's reference pose.
        blendshapes: the 52 coefficients of `core.arkit.ARKIT_NAMES`, 0..1, the interchange with other systems.
        gaze: turn of the eyes in the head against where the person usually looks, to the right of the image and
            down, rad.
        shoulders: how far the shoulder on the left and on the right of the image stands below its usual place on the
            torso, inter-ocular units; breath and shrugs.
        valid: False where nothing was observed and the values are filled in.
    """

    face: Float[ndarray, "T 120 2"] | None = None
    head_wxyz: Float[ndarray, "T 4"] | None = None
    head_xyz: Float[ndarray, "T 3"] | None = None
    torso_wxyz: Float[ndarray, "T 4"] | None = None
    torso_xyz: Float[ndarray, "T 3"] | None = None
    blendshapes: Float[ndarray, "T 52"] | None = None
    valid: Bool[ndarray, " T"] | None = None
    gaze: Float[ndarray, "T 2"] | None = None
    shoulders: Float[ndarray, "T 2"] | None = None

    def __len__(self) -> int:
        for array in self.channels().values():
            return len(array)
        return 0

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self) / FPS

    def channels(self) -> dict[str, ndarray]:
        """The channels that are present, by name."""
        present = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: array for name, array in present.items() if array is not None}

    def __getitem__(self, frames: slice | ndarray) -> Motion:
        return Motion(**{name: array[frames] for name, array in self.channels().items()})

    def require(self, *names: str) -> tuple[ndarray, ...]:
        """The named channels.

        Raises:
            FormatError: one of them is absent.
        """
        present = self.channels()
        absent = [name for name in names if name not in present]
        if absent:
            raise FormatError(
                f"this motion lacks the channel {absent[0]!r} (it has {', '.join(present) or 'none'})",
                "use a driver or a recording that gives it",
            )
        return tuple(present[name] for name in names)

    def with_channels(self, **channels: ndarray | None) -> Motion:
        """The same motion with some channels replaced."""
        return replace(self, **channels)


def concatenate(parts: list[Motion]) -> Motion:
    """Join motions in time; keeps the channels that all parts have."""
    names = set.intersection(*(set(p.channels()) for p in parts))
    return Motion(**{name: np.concatenate([p.channels()[name] for p in parts]) for name in names})
