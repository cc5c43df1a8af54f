"""Which pixels of a frame are what: the person, skin, hair, torso, background."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8
from numpy import ndarray

from locutor.capture.regions import N_MESH, face_hull

PERSON = 128  # of the matte's 255
CLEAR_OF_PERSON_PX = 9  # of 512: background this far from the person is surely background
CHIN, FOREHEAD = 152, 10
NECK = 0.35  # of the height of the face, below the chin


@dataclass(frozen=True)
class Masks:
    """Parts of one frame of the footage.

    Attributes:
        person: the matte.
        skin: the person inside the convex hull of the face's landmarks.
        hair: the person beside and above the face, down to the height of the chin; ears belong to it.
        torso: the person below the chin.
        neck: the part of it right below the chin, as wide as the face.
        background: what is clear of the person.
    """

    person: Bool[ndarray, "H W"]
    skin: Bool[ndarray, "H W"]
    hair: Bool[ndarray, "H W"]
    torso: Bool[ndarray, "H W"]
    neck: Bool[ndarray, "H W"]
    background: Bool[ndarray, "H W"]


def find_masks(matte: UInt8[ndarray, "H W"], landmarks: Float32[ndarray, "478 3"]) -> Masks:
    """Parts of a frame by its matte and the landmarks of its face (px)."""
    person = matte >= PERSON
    mesh = landmarks[:N_MESH, :2]
    face = face_hull(landmarks, *matte.shape)
    below_chin = np.arange(len(matte))[:, None] > mesh[CHIN, 1]
    left, right = mesh[:, 0].min(), mesh[:, 0].max()
    columns, low = np.arange(matte.shape[1]), mesh[CHIN, 1] + NECK * (mesh[CHIN, 1] - mesh[FOREHEAD, 1])
    near = (columns > left) & (columns < right) & (np.arange(len(matte))[:, None] < low)
    reach = 2 * round(CLEAR_OF_PERSON_PX * len(matte) / 512) + 1
    grown = cv2.dilate((matte > 0).astype(np.uint8), np.ones((reach, reach), np.uint8)).astype(bool)
    return Masks(
        person=person,
        skin=person & face,
        hair=person & ~face & ~below_chin,
        torso=person & ~face & below_chin,
        neck=person & ~face & below_chin & near,
        background=~grown,
    )
