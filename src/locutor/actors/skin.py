"""Painting the skin: tone, blotches, freckles, lips, eyelids."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float, Float32
from numpy import ndarray
from scipy.spatial import cKDTree
from scipy.special import expit

from locutor.actors.look import Complexion
from locutor.actors.noise import space_noise
from locutor.actors.rig import LANDMARK_BROW_LEFT, LANDMARK_BROW_RIGHT, LANDMARK_LIPS_OUTER, Rig
from locutor.actors.textures import Page, linear_from_srgb, places, polygon_mask, vertex_uv


def _spot(places_: Float[ndarray, "*b 3"], centre: Float[ndarray, " 3"], radius: float) -> Float32[ndarray, "*b"]:
    return np.exp(-((places_ - centre) ** 2).sum(-1) / radius**2).astype(np.float32)


def skin_colour(
    where: Float[ndarray, "*b 3"], landmarks: Float[ndarray, "68 3"], complexion: Complexion, seed: int
) -> Float32[ndarray, "*b 3"]:
    """Linear colour of bare skin at places of the neutral head."""
    base = linear_from_srgb(complexion.skin)
    red = np.zeros(where.shape[:-1], np.float32)
    nose, chin = landmarks[30], landmarks[8]
    for side in (-1, 1):
        cheek = np.array([side * 4.6, landmarks[30, 1] + 0.4, landmarks[36, 2] - 0.5])
        red += 0.55 * _spot(where, cheek, 2.9)
        red += 0.35 * _spot(where, np.array([side * 9.0, landmarks[36, 1] + 1.5, 0.0]), 3.0)
    red += 0.5 * _spot(where, nose, 1.7) + 0.25 * _spot(where, chin, 2.0)
    red += 0.07 * space_noise(where, 2.2, seed) + 0.06 * space_noise(where, 0.8, seed + 1)
    light = 1 + 0.020 * space_noise(where, 1.3, seed + 2) + 0.015 * space_noise(where, 0.45, seed + 3)
    light += 0.05 * complexion.pores * space_noise(where, 0.17, seed + 4)
    shade = np.zeros_like(red)
    for corners in ((36, 39), (42, 45)):
        eye = landmarks[list(corners)].mean(0)
        shade += 0.22 * _spot(where, eye + [0, 0.9, 0], 1.5) + 0.18 * _spot(where, eye, 1.6)
    colour = base * light[..., None] * (1 - shade[..., None] * np.array([0.55, 0.85, 0.8]))
    colour *= 1 + red[..., None] * np.array([0.10, -0.22, -0.20])
    if complexion.stubble:
        jaw = 1 / (1 + np.exp(-(where[..., 1] - landmarks[33, 1] - 0.5) / 0.7))
        jaw *= 1 / (1 + np.exp((where[..., 1] - chin[1] - 1.0) / 0.6)) / (1 + np.exp((where[..., 2] + 1.5) / 1.2))
        dots = np.clip(0.8 + 0.22 * space_noise(where, 0.16, seed + 5), 0, 1.6)
        cover = (complexion.stubble * 0.45 * jaw * dots)[..., None].clip(0, 0.8)
        colour = colour * (1 - cover) + cover * linear_from_srgb(complexion.hair) * 0.8
    return colour.clip(0.003, 1).astype(np.float32)


def paint_face(
    rig: Rig, neutral: Float[ndarray, "V 3"], complexion: Complexion, scalp: float, size: int, seed: int
) -> Page:
    """The page of the front of the head; `scalp` says how far hair darkens the scalp (0..1)."""
    rng = np.random.default_rng(seed)
    pick = rig.of_material("M_Face")
    triangles, uv = rig.triangles[pick], rig.uv[rig.triangles_uv[pick]]
    where = places(neutral[triangles], uv, size)
    landmarks = neutral[rig.landmarks]
    landmark_uv = vertex_uv(triangles, uv, len(neutral))[rig.landmarks]
    colour = skin_colour(where, landmarks, complexion, seed)

    freckle = _freckles(where, landmarks, complexion.freckles, rng)
    colour *= 1 - freckle[..., None] * np.array([0.35, 0.55, 0.62], np.float32)

    lip = polygon_mask(landmark_uv[list(LANDMARK_LIPS_OUTER)], size, 3.0 * size / 1024)
    folds = 1 + 0.06 * space_noise(where * [4.0, 0.6, 0.6], 0.55, seed + 6) + 0.03 * space_noise(where, 0.2, seed + 7)
    lip_colour = linear_from_srgb(complexion.lips) * folds[..., None]
    colour = colour * (1 - 0.88 * lip[..., None]) + 0.88 * lip[..., None] * lip_colour

    colour = under_hair(colour, where, complexion, scalp, seed)
    brow = 0.4 * _near_points(_brow_lines(landmarks), where, 0.34)[..., None]
    colour = colour * (1 - brow) + brow * linear_from_srgb(complexion.hair)
    lids = _near_points(neutral[lid_edge(rig)], where, 0.22)
    colour *= 1 - 0.55 * lids[..., None]
    oil = 0.5 + 0.35 * _spot(where, landmarks[30], 2.2) + 0.25 * _spot(where, landmarks[27] + [0, -4.5, 1.0], 4.0)
    shine = oil * (1 + 0.35 * space_noise(where, 0.25, seed + 8)) + 0.9 * lip * folds
    return np.concatenate([colour, shine.clip(0, 2)[..., None]], -1).astype(np.float32)


def under_hair(
    colour: Float32[ndarray, "S S 3"],
    where: Float[ndarray, "S S 3"],
    complexion: Complexion,
    scalp: float,
    seed: int,
) -> Float32[ndarray, "S S 3"]:
    """The scalp darkens softly across the hairline, by up to `scalp` (0..1)."""
    ragged = scalp_height(where) + 0.22 * space_noise(where * [1.0, 0.35, 1.0], 0.35, seed + 9)
    cover = scalp * expit((ragged - 0.25) / 0.28)[..., None]
    return (colour * (1 - cover) + cover * 0.7 * linear_from_srgb(complexion.hair)).astype(np.float32)


# The hairline: height (y, rig units) by the angle from the front, degrees.
HAIRLINE_DEG = (0, 20, 38, 50, 60, 68, 77, 84, 100, 112, 125, 150, 180)
HAIRLINE_Y = (-10.8, -10.7, -10.2, -8.8, -7.0, -4.6, -2.2, -5.2, -4.6, -1.0, 3.2, 5.0, 5.6)


def scalp_height(place: Float[ndarray, "*b 3"]) -> Float32[ndarray, "*b"]:
    """How far above the hairline a place of the head lies, rig units; negative outside the hair."""
    angle = np.degrees(np.abs(np.arctan2(place[..., 0], -place[..., 2] + 0.6)))
    height = np.interp(angle, HAIRLINE_DEG, HAIRLINE_Y) - place[..., 1]
    ear = (np.abs(place[..., 0]) > 7.5) & (np.abs(angle - 97) < 24) & (place[..., 1] > -5.0)
    return np.where(ear, -1.0, height).astype(np.float32)


def lid_edge(rig: Rig) -> ndarray:
    """Vertices shared by the face and the eye sockets: the rims of the lids."""
    face = rig.triangles[rig.of_material("M_Face")]
    back = rig.triangles[rig.of_material("M_BackHead")]
    socket = back[((back >= rig.parts.eye_sockets.start) & (back < rig.parts.eye_sockets.stop)).any(1)]
    return np.intersect1d(face, socket)


def _brow_lines(landmarks: Float[ndarray, "68 3"]) -> Float[ndarray, "n 3"]:
    """Points along both brows, which lie a little below the landmarks."""
    t, knots = np.linspace(0.3, 3.6, 40), np.arange(5)
    lines = (landmarks[list(rows)] for rows in (LANDMARK_BROW_RIGHT[::-1], LANDMARK_BROW_LEFT))
    curves = [np.stack([np.interp(t, knots, line[:, k]) for k in range(3)], 1) for line in lines]
    return np.concatenate(curves) + np.array([0, 0.15, 0])


def _near_points(points: Float[ndarray, "N 3"], where: Float[ndarray, "S S 3"], radius: float) -> ndarray:
    distance, _ = cKDTree(points).query(where, distance_upper_bound=4 * radius)
    return np.exp(-((np.minimum(distance, 9.0) / radius) ** 2)).astype(np.float32)


def _freckles(
    where: Float[ndarray, "S S 3"], landmarks: Float[ndarray, "68 3"], n: int, rng: np.random.Generator
) -> Float32[ndarray, "S S"]:
    """Strength of freckles: denser over nose and cheeks, some moles anywhere."""
    size = where.shape[0]
    centre = landmarks[30]
    layer = np.zeros((size, size), np.float32)
    placed = 0
    while placed < n:
        u, v = rng.uniform(0.05, 0.95, 2) * size
        place = where[int(v), int(u)]
        if rng.random() > 0.04 + np.exp(-(((place - centre) / [6.0, 3.0, 6.0]) ** 2).sum()):
            continue
        radius, strength = rng.uniform(0.8, 2.1) * size / 1024, rng.uniform(0.15, 0.6)
        if rng.random() < 0.03:
            radius, strength = rng.uniform(2.0, 3.0) * size / 1024, 0.9
        dot = np.zeros_like(layer)
        cv2.circle(dot, (int(u * 16), int(v * 16)), int(radius * 16), float(strength), -1, cv2.LINE_AA, 4)
        layer = np.maximum(layer, dot)
        placed += 1
    return cv2.GaussianBlur(layer, (0, 0), 0.8)


def paint_back(
    rig: Rig, neutral: Float[ndarray, "V 3"], complexion: Complexion, scalp: float, size: int, seed: int
) -> Page:
    """The page of the back of the head and the neck, which also holds the insides of mouth and eye sockets."""
    size = size * 3 // 4
    pick = rig.of_material("M_BackHead")
    triangles, uv = rig.triangles[pick], rig.uv[rig.triangles_uv[pick]] - [1, 0]
    inner = np.zeros((len(neutral), 2), np.float32)
    inner[rig.parts.mouth_socket, 0], inner[rig.parts.eye_sockets, 1] = 1, 1
    where = places(np.concatenate([neutral, inner], 1)[triangles], uv, size)
    mouth, socket = where[..., 3:4], where[..., 4:5]
    colour = skin_colour(where[..., :3], neutral[rig.landmarks], complexion, seed)
    flesh = linear_from_srgb((0.42, 0.16, 0.15))
    rim = linear_from_srgb(complexion.skin) * np.array([0.8, 0.5, 0.48])
    colour = under_hair(colour, where[..., :3], complexion, scalp, seed)
    colour = colour * (1 - mouth) + mouth * flesh
    colour = colour * (1 - socket) + socket * rim
    shine = np.full((size, size, 1), 0.4, np.float32) + 0.4 * mouth
    return np.concatenate([colour, shine], -1).astype(np.float32)
