"""Measure where MediaPipe's 478 landmarks lie on the rigs, and how well that predicts them.

    LOCUTOR_MODELS=... .venv/bin/python tools/calibrate_landmarks.py [ict] [procedural]

Draws people in several views, finds the landmarks in the pictures, follows each through the z-buffer to the triangle
that is seen there, and takes the median place on the mean head. Writes src/locutor/actors/landmarks_RIG.npz and prints
the distance between found and predicted landmarks on other people and other poses. About two minutes per rig.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from scipy.ndimage import distance_transform_edt
from scipy.spatial import cKDTree

from locutor.actors.casting import make_actor
from locutor.actors.ict_rig import find_ict_folder, load_rig
from locutor.actors.landmark_table import N_LANDMARKS, LandmarkTable
from locutor.actors.procedural_rig import procedural_rig
from locutor.actors.renderer import visible_triangles
from locutor.actors.rig import EXPRESSION_ROWS, Rig
from locutor.actors.scene import Actor, Pose, carried, draw, place
from locutor.capture.detect import FaceLandmarker
from locutor.core.face import EYES, IRISES, LIPS, OUTER_EYE_CORNERS
from locutor.geometry.rotation import matrix_from_rotvec

OUT = Path(__file__).resolve().parents[1] / "src/locutor/actors"
SIZE_PX = 384
# No beards, glasses or long hair, which would hide the skin.
FIT_SEEDS, JUDGE_SEEDS = (2, 4, 6, 10, 12, 16), (22, 24, 26)
VIEWS = ((0, 0, 0), (0, 0.16, 0), (0, -0.16, 0), (0.1, 0.05, 0), (-0.1, -0.05, 0))
OPEN_MOUTH = {"jawOpen": 0.35, "mouthLowerDownLeft": 0.3, "mouthLowerDownRight": 0.3, "mouthUpperUpLeft": 0.3,
              "mouthUpperUpRight": 0.3}  # fmt: skip
JUDGE_POSES = (
    {"jawOpen": 0.15, "mouthSmileLeft": 0.4, "mouthSmileRight": 0.4}, {"jawOpen": 0.45}, {"mouthPucker": 0.7},
    {"eyeBlinkLeft": 0.15, "eyeBlinkRight": 0.15},
)  # fmt: skip


def main() -> None:
    wanted = sys.argv[1:] or ["ict", "procedural"]
    folder = find_ict_folder()
    rigs = [load_rig(folder)] if "ict" in wanted and folder else []
    rigs += [procedural_rig()] if "procedural" in wanted else []
    with FaceLandmarker(max_faces=1) as landmarker:
        for rig in rigs:
            table = measure(rig, landmarker)
            np.savez_compressed(
                OUT / f"landmarks_{rig.name}.npz",
                n_vertices=len(rig.neutral), corners=table.corners.astype(np.int32), weights=table.weights,
            )  # fmt: skip
            judge(rig, table, landmarker)


def pose(rotvec: tuple[float, float, float], weights: dict[str, float]) -> Pose:
    expression = np.zeros(len(EXPRESSION_ROWS), np.float32)
    for name, weight in weights.items():
        expression[EXPRESSION_ROWS[name]] = weight
    return Pose(expression, matrix_from_rotvec(np.array(rotvec)), np.zeros(3), np.eye(3), np.zeros(3), np.zeros(2))


def measure(rig: Rig, landmarker: FaceLandmarker) -> LandmarkTable:
    """Median places on the mean head: lips with the mouth open, where upper and lower lip are apart."""
    closed = rig.neutral
    opened = rig.deformed(rig.neutral, pose((0, 0, 0), OPEN_MOUTH).expression)
    places: dict[bool, list[np.ndarray]] = {False: [], True: []}
    for seed in FIT_SEEDS:
        actor = make_actor(rig, seed, SIZE_PX, shadows=False)
        for view in VIEWS:
            for is_open in (False, True):
                found = _unprojected(actor, pose(view, OPEN_MOUTH if is_open else {}), landmarker)
                if found is not None:
                    corners, weights = found
                    head = opened if is_open else closed
                    places[is_open].append((weights[..., None] * head[corners]).sum(1))
        print(f"{rig.name}: measured seed {seed}", flush=True)
    lips = np.isin(np.arange(N_LANDMARKS), LIPS)
    median = {key: np.median(np.stack(value), axis=0) for key, value in places.items()}
    corners, weights = _on_mesh(median[False], closed, rig)
    lip_corners, lip_weights = _on_mesh(median[True], opened, rig)
    corners[lips], weights[lips] = lip_corners[lips], lip_weights[lips]
    return LandmarkTable(corners, weights.astype(np.float32))


def _allowed(rig: Rig, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which triangles are outer skin, and which are eyeballs."""
    skin = np.zeros(len(rig.neutral), bool)
    skin[rig.parts.face], skin[rig.parts.head_and_neck] = True, True
    eye = np.zeros(len(rig.neutral), bool)
    for ball in rig.eyeballs:
        eye[ball] = True
    on_rig = (triangles < len(rig.neutral)).all(1)
    inside = np.where(on_rig[:, None], triangles, 0)
    return on_rig & skin[inside].all(1), on_rig & eye[inside].all(1)


def _unprojected(actor: Actor, where: Pose, landmarker: FaceLandmarker) -> tuple[np.ndarray, np.ndarray] | None:
    """Rig triangles and barycentric weights under the landmarks that are found in the picture."""
    rgb, _ = draw(actor, where)
    faces = landmarker.detect(rgb)
    if not faces:
        return None
    found = faces[0].landmarks[:, :2]
    fine = 2
    vertices, _ = place(actor, where)
    xy = actor.camera.project(vertices) * fine
    side = SIZE_PX * fine
    seen = visible_triangles(xy, vertices[:, 2], actor.triangles, side, side, actor.two_sided)
    at = np.full(side * side, -1)
    at[seen.pixel] = seen.triangle
    skin, eye = _allowed(actor.rig, actor.triangles)
    triangle = np.zeros(N_LANDMARKS, int)
    target = np.zeros((N_LANDMARKS, 2))
    iris = np.isin(np.arange(N_LANDMARKS), IRISES)
    for rows, allowed in ((~iris, skin), (iris, eye)):
        usable = ((at >= 0) & allowed[at]).reshape(side, side)
        nearest = distance_transform_edt(~usable, return_distances=False, return_indices=True)
        column, row = np.clip((found[rows] * fine).astype(int), 0, side - 1).T
        row, column = nearest[0][row, column], nearest[1][row, column]
        triangle[rows] = at.reshape(side, side)[row, column]
        exact = usable[np.clip((found[rows] * fine).astype(int), 0, side - 1)[:, 1],
                       np.clip((found[rows] * fine).astype(int), 0, side - 1)[:, 0]]  # fmt: skip
        target[rows] = np.where(exact[:, None], found[rows] * fine, np.stack([column, row], 1) + 0.5)
    corners = actor.triangles[triangle]
    return corners, _barycentric(target, xy[corners])


def _barycentric(p: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Weights of points in the plane, clipped to the triangle."""
    a, e1, e2 = corners[:, 0], corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = e1[:, 0] * e2[:, 1] - e1[:, 1] * e2[:, 0]
    area = np.where(np.abs(area) < 1e-12, 1e-12, area)
    d = p - a
    u = (d[:, 0] * e2[:, 1] - d[:, 1] * e2[:, 0]) / area
    v = (e1[:, 0] * d[:, 1] - e1[:, 1] * d[:, 0]) / area
    weights = np.clip(np.stack([1 - u - v, u, v], 1), 0, 1)
    return weights / weights.sum(1, keepdims=True)


def _on_mesh(points: np.ndarray, head: np.ndarray, rig: Rig) -> tuple[np.ndarray, np.ndarray]:
    """The nearest places on the skin (the irises: on the eyeballs)."""
    skin, eye = _allowed(rig, rig.triangles)
    corners, weights = np.zeros((len(points), 3), int), np.zeros((len(points), 3))
    iris = np.isin(np.arange(len(points)), IRISES)
    for rows, allowed in ((~iris, skin), (iris, eye)):
        triangles = rig.triangles[allowed]
        _, near = cKDTree(head[triangles].mean(1)).query(points[rows], k=24)
        for k, candidates in zip(np.flatnonzero(rows), triangles[near], strict=True):
            c = head[candidates]
            normal = np.cross(c[:, 1] - c[:, 0], c[:, 2] - c[:, 0])
            axis = np.argmax(np.abs(normal), 1)
            keep = np.array([[1, 2], [0, 2], [0, 1]])[axis]
            flat = np.take_along_axis(c, keep[:, None, :].repeat(3, 1), 2)
            w = _barycentric(points[k][keep], flat)
            distance = np.linalg.norm((w[..., None] * c).sum(1) - points[k], axis=1)
            best = int(np.argmin(distance))
            corners[k], weights[k] = candidates[best], w[best]
    return corners, weights


def judge(rig: Rig, table: LandmarkTable, landmarker: FaceLandmarker) -> None:
    """Distance between the landmarks found and those predicted, on people and poses that were not measured."""
    errors, eyes_apart = [], []
    for seed in JUDGE_SEEDS:
        actor = make_actor(rig, seed, SIZE_PX, shadows=False)
        share = (table.weights * actor.head_share[table.corners]).sum(1)[:, None]
        for weights, view in zip(JUDGE_POSES, VIEWS, strict=False):
            where = pose(view, weights)
            faces = landmarker.detect(draw(actor, where)[0])
            if not faces:
                print(f"{rig.name}: no face for seed {seed}")
                continue
            points = table.points(actor.rig.deformed(actor.neutral, where.expression))
            predicted = actor.camera.project(carried(points, share, where) + np.array([0, 0, actor.distance]))
            errors.append(np.linalg.norm(predicted - faces[0].landmarks[:, :2], axis=1))
            right, left = predicted[list(OUTER_EYE_CORNERS)]
            eyes_apart.append(np.linalg.norm(left - right))
    error, unit = np.stack(errors), float(np.mean(eyes_apart))
    for name, rows in (("all", range(N_LANDMARKS)), ("lips", LIPS), ("eyes", EYES)):
        mean, median = error[:, list(rows)].mean(), np.median(error[:, list(rows)])
        print(f"{rig.name} {name}: mean {mean:.2f} px, median {median:.2f} px at {SIZE_PX} px; "
              f"{100 * mean / unit:.1f} % of the distance of the eye corners")  # fmt: skip


if __name__ == "__main__":
    main()
