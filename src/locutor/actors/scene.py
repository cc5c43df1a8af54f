"""An actor, everything that is drawn of it, and drawing it for one frame of motion."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32, Int, UInt8
from numpy import ndarray
from scipy.sparse import csr_array

from locutor.actors.body import Material
from locutor.actors.lighting import Light, shade
from locutor.actors.renderer import Visible, interpolate, visible_triangles
from locutor.actors.rig import EXPRESSION_ROWS, Rig
from locutor.actors.textures import srgb_from_linear
from locutor.core.camera import Camera

SUPERSAMPLING = 2
HEAD_PIVOT = np.array([0.0, 2.5, 1.0], np.float32)  # where the skull turns on the neck, rig units
TORSO_PIVOT = np.array([0.0, 34.0, 2.0], np.float32)
REMAP_COLUMNS = 1024
EYE_RETREAT = 0.5  # rig units
LIDS = tuple(EXPRESSION_ROWS[name] for name in ("eyeBlinkLeft", "eyeBlinkRight"))  # of `Rig.eyeballs`


class Label(IntEnum):
    """What a pixel shows. The inside of the mouth is teeth, gums, tongue and what lies behind."""

    BACKGROUND = 0
    TORSO = 1
    HEAD = 2
    LIPS = 3
    INSIDE_MOUTH = 4


@dataclass(frozen=True)
class Pose:
    """Where everything is in one frame.

    Attributes:
        expression: weights of the rig's expressions (ARKit).
        R_head, head_shift: turn about the joint of head and neck, and shift (rig units), from the rest pose.
        R_torso, torso_shift: the same for the torso, about the hips.
        gaze: yaw (to the right of the image) and pitch (down) of the eyes in the head, rad.
    """

    expression: Float32[ndarray, " E"]
    R_head: Float[ndarray, "3 3"]
    head_shift: Float[ndarray, 3]
    R_torso: Float[ndarray, "3 3"]
    torso_shift: Float[ndarray, 3]
    gaze: Float[ndarray, 2]


@dataclass(frozen=True)
class Actor:
    """A person ready to be drawn. Lengths in rig units; places in the frame of the neutral head.

    Attributes:
        rig, neutral: the blendshape rig and this person's neutral face; its V vertices come first everywhere.
        rest, rest_normals: the other vertices (hair, clothes).
        follow: for each of them the rig vertices it moves with; an empty row is rigid.
        head_share: how far each vertex follows the head (1) or the torso (0).
        triangles, corner_texel, material: what is drawn, the atlas pixel of each corner, how it answers to light.
        label: what each triangle belongs to; lips count as head here.
        visible: part of the sky and of the key lamp that each vertex sees.
        atlas: linear colour and highlight strength.
        backdrop: linear picture behind the actor, supersampled.
        distance: from the camera to the origin of the head frame.
    """

    rig: Rig
    neutral: Float32[ndarray, "V 3"]
    rest: Float32[ndarray, "n 3"]
    rest_normals: Float32[ndarray, "n 3"]
    follow: csr_array
    head_share: Float32[ndarray, " N"]
    triangles: Int[ndarray, "M 3"]
    corner_texel: Float32[ndarray, "M 3 2"]
    material: Int[ndarray, " M"]
    label: UInt8[ndarray, " M"]
    visible: Float32[ndarray, "N 2"]
    atlas: Float32[ndarray, "H W 4"]
    backdrop: Float32[ndarray, "h w 3"]
    light: Light
    camera: Camera
    distance: float

    @cached_property
    def two_sided(self) -> Bool[ndarray, " M"]:
        """Which triangles are seen from behind too: ribbons of hair."""
        return self.material == Material.HAIR

    def eye_centre(self, ball: slice) -> Float32[ndarray, " 3"]:
        """Centre of an eyeball of the neutral face."""
        vertices = self.neutral[ball]
        return (vertices.min(0) + vertices.max(0)) / 2


def place(actor: Actor, pose: Pose) -> tuple[Float32[ndarray, "N 3"], Float32[ndarray, "N 3"]]:
    """All vertices in the camera's frame, and their normals."""
    face = actor.rig.deformed(actor.neutral, pose.expression)
    for ball, lid in zip(actor.rig.eyeballs, LIDS, strict=True):
        face[ball] = placed_eye(face[ball], actor.eye_centre(ball), pose, lid)
    normals = actor.rig.normals(face)
    moved = actor.rest + actor.follow @ (face - actor.neutral)
    vertices = np.concatenate([face, moved])
    normals = np.concatenate([normals, actor.rest_normals])
    share = actor.head_share[:, None]
    placed = carried(vertices, share, pose) + np.array([0, 0, actor.distance], np.float32)
    R_head, R_torso = pose.R_head.astype(np.float32), pose.R_torso.astype(np.float32)
    turned = share * (normals @ R_head.T) + (1 - share) * (normals @ R_torso.T)
    return placed, turned


def carried(points: Float[ndarray, "n 3"], share: Float[ndarray, "n 1"], pose: Pose) -> Float32[ndarray, "n 3"]:
    """Points of the neutral head's frame where head and torso carry them, each by its share of the head."""
    R_head, R_torso = pose.R_head.astype(np.float32), pose.R_torso.astype(np.float32)
    by_head = (points - HEAD_PIVOT) @ R_head.T + (HEAD_PIVOT + pose.head_shift).astype(np.float32)
    by_torso = (points - TORSO_PIVOT) @ R_torso.T + (TORSO_PIVOT + pose.torso_shift).astype(np.float32)
    return (share * by_head + (1 - share) * by_torso).astype(np.float32)


def placed_eye(
    points: Float[ndarray, "n 3"], centre: Float[ndarray, 3], pose: Pose, lid: int
) -> Float32[ndarray, "n 3"]:
    """Points of an eyeball of the neutral face where gaze and lid bring them.

    Vertices of a lid go straight from open to closed, through the bulge of the eye on some heads: a closed lid presses
    the eye back instead.

    Args:
        points: of the eyeball.
        centre: about which it turns.
        pose: gives gaze and lids.
        lid: row of the expression that closes it.
    """
    back = np.array([0, 0, EYE_RETREAT * pose.expression[lid] ** 2], np.float32)
    return ((points - centre) @ gaze_rotation(pose.gaze).T + centre + back).astype(np.float32)


def gaze_rotation(gaze: Float[ndarray, 2]) -> Float32[ndarray, "3 3"]:
    """Turns an eye that looks along -z by yaw to the right of the image and pitch down."""
    (sy, sp), (cy, cp) = np.sin(gaze), np.cos(gaze)
    about_y = np.array([[cy, 0, -sy], [0, 1, 0], [sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    return (about_y @ about_x).astype(np.float32)


def draw(actor: Actor, pose: Pose) -> tuple[UInt8[ndarray, "H W 3"], UInt8[ndarray, "H W"]]:
    """The sRGB picture of one frame, and the `Label` of each pixel (lips count as head)."""
    vertices, normals = place(actor, pose)
    camera, s = actor.camera, SUPERSAMPLING
    width, height = camera.width * s, camera.height * s
    xy = camera.project(vertices) * s
    # Hidden surfaces of closed parts go; ribbons of hair show both sides.
    seen = visible_triangles(xy, vertices[:, 2], actor.triangles, width, height, actor.two_sided)
    kept, slot = np.unique(seen.triangle, return_inverse=True)
    corners = actor.triangles[kept]
    values = np.concatenate([normals[corners], actor.visible[corners], actor.corner_texel[kept]], 2)
    at = interpolate(Visible(seen.pixel, slot), xy, corners, values, width)
    texel = _sample(actor.atlas, at[:, 5:])
    picture = actor.backdrop.reshape(-1, 3).copy()
    picture[seen.pixel] = shade(texel, at[:, :3], at[:, 3:5].clip(0, 1), actor.material[seen.triangle], actor.light)
    small = cv2.resize(picture.reshape(height, width, 3), (camera.width, camera.height), interpolation=cv2.INTER_AREA)
    labels = np.zeros(height * width, np.uint8)
    labels[seen.pixel] = actor.label[seen.triangle]
    return np.round(srgb_from_linear(small) * 255).astype(np.uint8), labels.reshape(height, width)[::s, ::s].copy()


def _sample(atlas: Float32[ndarray, "H W 4"], texel: Float32[ndarray, "P 2"]) -> Float32[ndarray, "P 4"]:
    """Bilinear look-up; OpenCV wants its coordinates in a picture of limited width."""
    n = len(texel)
    padded = np.pad((texel - 0.5).astype(np.float32), ((0, -n % REMAP_COLUMNS), (0, 0))).reshape(-1, REMAP_COLUMNS, 2)
    texels = cv2.remap(atlas, padded[..., 0], padded[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return texels.reshape(-1, 4)[:n]
