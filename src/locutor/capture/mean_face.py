"""The depth of faces, from scanned people: one film of a talking person does not tell it."""

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from locutor.geometry.similarity import fit_similarity

# The landmarks `core.face.RIGID` on the mean head of ICT-FaceKit (Li et al. 2020, "Learning Formation of
# Physically-Based Face Attributes"; MIT licence): head frame, inter-ocular units. Where they lie on it was measured
# by tools/calibrate_landmarks.py. From person to person the depth differs by some 5 %.
MEAN_RIGID = np.array((
    (-0.001, 0.527, -0.451), (-0.058, 0.293, -0.344), (-0.001, 0.454, -0.469), (-0.003, 0.362, -0.426),
    (-0.001, 0.127, -0.242), (-0.001, -0.083, -0.208), (-0.000, -0.184, -0.209), (-0.002, -0.435, -0.140),
    (-0.791, -0.167, 0.469), (-0.505, 0.096, 0.010), (-0.811, 0.151, 0.504), (-0.062, 0.369, -0.410),
    (-0.705, -0.295, 0.270), (-0.400, -0.416, -0.043), (-0.658, -0.237, 0.167), (-0.371, -0.314, -0.098),
    (-0.732, -0.136, 0.304), (-0.579, -0.374, 0.099), (-0.542, -0.300, 0.031), (-0.195, -0.305, -0.168),
    (-0.216, -0.431, -0.118), (-0.062, 0.145, -0.224), (-0.846, 0.153, 0.788), (-0.193, 0.119, -0.051),
    (-0.777, -0.005, 0.413), (-0.729, 0.144, 0.261), (-0.002, -0.303, -0.181), (-0.709, 0.006, 0.233),
    (-0.830, -0.028, 0.609), (-0.001, 0.033, -0.198), (-0.107, 0.260, -0.244), (-0.109, 0.189, -0.179),
    (-0.084, 0.039, -0.161), (-0.000, 0.281, -0.361), (-0.061, 0.223, -0.288), (-0.001, 0.208, -0.305),
    (-0.112, 0.138, -0.128), (0.055, 0.292, -0.340), (0.790, -0.164, 0.487), (0.495, 0.094, 0.005),
    (0.799, 0.156, 0.475), (0.055, 0.369, -0.409), (0.707, -0.290, 0.286), (0.401, -0.415, -0.038),
    (0.657, -0.235, 0.176), (0.366, -0.313, -0.097), (0.731, -0.132, 0.317), (0.585, -0.369, 0.113),
    (0.542, -0.294, 0.035), (0.192, -0.307, -0.167), (0.209, -0.431, -0.118), (0.064, 0.146, -0.211),
    (0.835, 0.161, 0.761), (0.187, 0.120, -0.051), (0.771, -0.000, 0.414), (0.724, 0.145, 0.262),
    (0.706, 0.007, 0.239), (0.825, -0.025, 0.615), (0.104, 0.262, -0.239), (0.104, 0.189, -0.177),
    (0.081, 0.040, -0.158), (0.062, 0.224, -0.280), (0.105, 0.326, -0.289), (0.107, 0.138, -0.124),
))  # fmt: skip


def with_mean_depth(points: Float[ndarray, "64 3"]) -> Float[ndarray, "64 3"]:
    """The points of `RIGID` as they lie on this person's face, with the depth of the mean head.

    Args:
        points: head frame, inter-ocular units; their centre is the origin.
    """
    mean = MEAN_RIGID @ fit_similarity(MEAN_RIGID, points).R.T
    mean -= mean.mean(0)
    scale = np.sqrt((points[:, :2] ** 2).sum() / (mean[:, :2] ** 2).sum())  # by the outline: the depth is in doubt
    return np.column_stack([points[:, :2], scale * mean[:, 2]])
