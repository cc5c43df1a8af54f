"""Figures of captured footage: what the verdict is made of."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from locutor.capture.background import BackgroundFigures
from locutor.capture.covered import covered_frames
from locutor.capture.detect import face_height_px
from locutor.capture.framing import Framing
from locutor.capture.head import HeadTrack
from locutor.capture.observe import Observations
from locutor.capture.performance import Tracking
from locutor.capture.shots import longest_gap
from locutor.capture.sound_check import SoundFigures
from locutor.capture.torso import TorsoTrack
from locutor.core.arkit import ARKIT_NAMES
from locutor.core.clock import FPS
from locutor.core.face import FACE_POINTS, LIP_GAP_ROWS
from locutor.core.motion import Motion
from locutor.geometry.rotation import matrix_from_wxyz, rotvec_from_matrix

# Classes of mouth shapes: opening in inter-ocular units, width against the person's median.
OPENINGS = {"closed": (-math.inf, 0.02), "part open": (0.02, 0.08), "open": (0.08, math.inf)}
WIDTHS = {"narrow": (-math.inf, 0.95), "middle": (0.95, 1.05), "wide": (1.05, math.inf)}
SEEN_FRAMES = 8  # a shape shown for a third of a second counts as covered
_CORNERS = (61, 291)
_INNER = (13, 14)


@dataclass(frozen=True)
class FootageFigures:
    """What was measured in the footage.

    Attributes:
        seconds: length.
        face_px: height of the face in the film, px.
        missing_frames, longest_gap_s: without a face.
        covered_frames, longest_covered_s: with a face of which far fewer patches of skin than usual look as they do
            (`covered.covered_frames`): something is before the upper half of it. A covered mouth is not seen here.
        worn: whether many points by which the head is followed lie off the skin, on glasses or hair.
        n_cuts: within the film.
        repeated_share: share of frames that repeat the one before: dropped frames or a lower frame rate.
        longest_freeze_s: longest run of one picture.
        second_face_share: share of the frames with another face of more than half the size.
        sharpness: of the face, median (`look.face_look`).
        blurred_share: frames less than 0.6 times as sharp as the median.
        face_level: mean grey level of the face.
        black_share, white_share: of the face's pixels.
        pitch_deg, yaw_deg, roll_deg: 5th and 95th percentile of the head's turn against its mean.
        jitter_deg: RMS second difference of the head's rotation, degrees per frame squared; a real head's own is in it.
        residual_flow_px, residual_flow_landmarks_px, residual_flow_raw_px: steadiness on points that the fit did not
            use, px per frame; of the track, of landmarks alone, of the detector frame by frame.
        torso_inlier_share, torso_lost_share, torso_method: how the torso was followed.
        mouth_shapes: frames in each class of opening and width.
        largest_gap: 99th percentile of the opening of the lips, inter-ocular units.
        blinks_per_minute: counted.
        closed_frames: frames with closed eyes.
        background: of camera and background.
        sound: None without a sound track.
        offset_frames, offset_confidence: how late the sound is; None without sound.
        sounds_s: for how long each class of sounds is heard (`heard.seconds_of_sounds`); empty without sound.
    """

    seconds: float
    face_px: float
    missing_frames: int
    longest_gap_s: float
    covered_frames: int
    longest_covered_s: float
    worn: bool
    n_cuts: int
    repeated_share: float
    longest_freeze_s: float
    second_face_share: float
    sharpness: float
    blurred_share: float
    face_level: float
    black_share: float
    white_share: float
    pitch_deg: tuple[float, float]
    yaw_deg: tuple[float, float]
    roll_deg: tuple[float, float]
    jitter_deg: float
    residual_flow_px: float
    residual_flow_landmarks_px: float
    residual_flow_raw_px: float
    torso_inlier_share: float
    torso_lost_share: float
    torso_method: str
    mouth_shapes: dict[str, int]
    largest_gap: float
    blinks_per_minute: float
    closed_frames: int
    background: BackgroundFigures
    sound: SoundFigures | None
    offset_frames: float | None
    offset_confidence: float | None
    sounds_s: dict[str, float]

    @property
    def n_shapes(self) -> int:
        """Classes of mouth shapes that are covered, of nine."""
        return sum(count >= SEEN_FRAMES for count in self.mouth_shapes.values())


def examine(
    seen: Observations,
    framing: Framing,
    n_cuts: int,
    tracking: Tracking,
    head: HeadTrack,
    torso: TorsoTrack,
    background: BackgroundFigures,
    sound: SoundFigures | None,
    offset: tuple[float, float] | None,
    sounds_s: dict[str, float],
) -> FootageFigures:
    """Measure captured footage."""
    observed, look, motion = seen.observed, seen.rows["look"][seen.observed], tracking.motion
    turns = head_turns_deg(motion)[observed]
    ranges = [tuple(round(float(x), 1) for x in np.percentile(turns[:, axis], (5, 95))) for axis in range(3)]
    blinks, closed = _blinks(motion)
    heights = [face_height_px(points) for points in seen.landmarks[observed][::10]]
    repeated = np.asarray(seen.rows["repeated"])
    covered = covered_frames(head.alike_share, observed)
    return FootageFigures(
        seconds=round(len(seen) / FPS, 2),
        face_px=round(float(np.median(heights)) * framing.side / framing.size, 1),
        missing_frames=int((~observed).sum()),
        longest_gap_s=round(longest_gap(observed)[1] / FPS, 2),
        covered_frames=int(covered.sum()),
        longest_covered_s=round(longest_gap(~covered)[1] / FPS, 2),
        worn=head.worn,
        n_cuts=n_cuts,
        repeated_share=round(float(repeated.mean()), 4),
        longest_freeze_s=round(longest_gap(~repeated)[1] / FPS, 2),
        second_face_share=round(float((seen.rows["second"] > 0.5).mean()), 4),
        sharpness=round(float(np.median(look[:, 0])), 3),
        blurred_share=round(float((look[:, 0] < 0.6 * np.median(look[:, 0])).mean()), 4),
        face_level=round(float(look[:, 1].mean()), 1),
        black_share=round(float(look[:, 2].mean()), 4),
        white_share=round(float(look[:, 3].mean()), 4),
        pitch_deg=ranges[0],  # type: ignore[arg-type]
        yaw_deg=ranges[1],  # type: ignore[arg-type]
        roll_deg=ranges[2],  # type: ignore[arg-type]
        jitter_deg=round(float(np.sqrt((np.diff(turns, n=2, axis=0) ** 2).sum(1).mean())), 4),
        residual_flow_px=round(head.residual_flow_px, 4),
        residual_flow_landmarks_px=round(head.residual_flow_landmarks_px, 4),
        residual_flow_raw_px=round(head.residual_flow_raw_px, 4),
        torso_inlier_share=round(float(torso.inlier_share.mean()), 4),
        torso_lost_share=round(float((torso.inlier_share == 0).mean()), 4),
        torso_method=torso.method,
        mouth_shapes=mouth_shapes(tracking, observed),
        largest_gap=round(float(np.percentile(lip_gap(tracking)[observed], 99)), 3),
        blinks_per_minute=round(blinks / (len(seen) / FPS / 60), 1),
        closed_frames=closed,
        background=background,
        sound=sound,
        offset_frames=None if offset is None else round(offset[0], 2),
        offset_confidence=None if offset is None else round(offset[1], 3),
        sounds_s=sounds_s,
    )


def head_turns_deg(motion: Motion) -> Float[ndarray, "T 3"]:
    """Turn of the head against its mean about x (nod), y (turn) and z (tilt), degrees."""
    (wxyz,) = motion.require("head_wxyz")
    w = rotvec_from_matrix(matrix_from_wxyz(wxyz.astype(np.float64)))
    return np.degrees(w - np.median(w, axis=0))


def lip_gap(tracking: Tracking) -> Float[ndarray, " T"]:
    """Distance of the lips' inner edges, inter-ocular units."""
    (face,) = tracking.motion.require("face")
    upper, lower = LIP_GAP_ROWS
    rest = tracking.neutral[_INNER[1], 1] - tracking.neutral[_INNER[0], 1]
    return np.asarray(face[:, lower, 1] - face[:, upper, 1] + rest)


def mouth_shapes(tracking: Tracking, observed: Bool[ndarray, " T"]) -> dict[str, int]:
    """Frames in each class, "opening / width"."""
    gap = lip_gap(tracking)[observed]
    (face,) = tracking.motion.require("face")
    right, left = (FACE_POINTS.index(corner) for corner in _CORNERS)
    at_rest = tracking.neutral[_CORNERS[1], 0] - tracking.neutral[_CORNERS[0], 0]
    width = (face[:, left, 0] - face[:, right, 0] + at_rest)[observed]
    width = width / np.median(width)
    return {
        f"{opening} / {wide}": int(((gap >= low) & (gap < high) & (width >= thin) & (width < fat)).sum())
        for opening, (low, high) in OPENINGS.items()
        for wide, (thin, fat) in WIDTHS.items()
    }


def _blinks(motion: Motion) -> tuple[int, int]:
    """Closings of both eyes, and frames with closed eyes."""
    (blendshapes,) = motion.require("blendshapes")
    closed = blendshapes[:, [ARKIT_NAMES.index("eyeBlinkLeft"), ARKIT_NAMES.index("eyeBlinkRight")]].mean(1) > 0.5
    return int((np.diff(closed.astype(int)) > 0).sum()), int(closed.sum())
