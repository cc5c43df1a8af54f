"""A small person made of Gaussians, whose head pose, mouth, pictures, landmarks and sound are all known.

Everything is exact: the landmarks are the projections of points that move with the Gaussians, and the avatar
`true_avatar` draws the very frames of the performance.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import soundfile
import torch

from locutor.avatar.avatar import Avatar, Provenance, body_pose
from locutor.avatar.controls import N_CONTROLS, fit_controls
from locutor.avatar.field import CodeNetwork
from locutor.capture.framing import Framing
from locutor.capture.image_store import ImageStoreWriter
from locutor.capture.performance import (
    FRAMES,
    MATTES,
    META,
    PLATE,
    SOUND,
    TRACKING,
    VERSION,
    PerformanceMeta,
    Tracking,
    TrackQuality,
)
from locutor.capture.stabilise import face_displacements, landmarks_in_head
from locutor.core.camera import Camera
from locutor.core.clock import FPS, SAMPLE_RATE, SAMPLES_PER_FRAME
from locutor.core.face import (
    BROWS,
    EYE_LEFT,
    EYE_RIGHT,
    FACE_POINTS,
    IRISES,
    JAW,
    LIPS_INNER,
    LIPS_OUTER,
    RIGID,
)
from locutor.core.motion import Motion
from locutor.drive.idle_model import fit_idle
from locutor.geometry.rotation import matrix_from_rotvec, mean_rotation, wxyz_from_matrix
from locutor.media.pictures import encode_png
from locutor.splat.bodies import CanonicalGaussians
from locutor.splat.cpu import rasterize
from locutor.splat.posing import pose_gaussians

SIZE = 128
N_FRAMES = 110  # 100 to train on, 10 held out
CAMERA = Camera(SIZE, SIZE, 2.34 * SIZE, SIZE / 2, SIZE / 2)
DISTANCE = 11.0  # inter-ocular units
CORNER = np.array([0.5]), np.array([0.0])
OPENING = 0.28  # of the lower lip at most, inter-ocular units
SOURCE = "synthetic.mp4"


@dataclass(frozen=True)
class Person:
    """What the frames are drawn from.

    Attributes:
        mesh: [478, 3] landmarks at rest, head frame.
        mesh_opening: [478, 3] their displacement when the mouth is wide open.
        canonical: Gaussians; the first M move with the mouth.
        opening: [9, M] their change when the mouth is wide open.
    """

    mesh: np.ndarray
    mesh_opening: np.ndarray
    canonical: CanonicalGaussians
    opening: torch.Tensor


@dataclass(frozen=True)
class Take:
    """What the person does: the truth that trackers are measured against."""

    openness: np.ndarray  # [T], 0..1
    R_world_head: np.ndarray
    head_xyz: np.ndarray
    R_world_torso: np.ndarray
    torso_xyz: np.ndarray


def face_depth(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The face as a bulge towards the camera, with a nose."""
    return 0.55 * x**2 + 0.25 * y**2 - 0.3 * np.exp(-((x / 0.13) ** 2) - ((y - 0.3) / 0.2) ** 2)


def _ring(n: int, x: float, y: float, width: float, height: float) -> np.ndarray:
    """Points on an ellipse, counter-clockwise in the picture from its left end (as the lips are numbered)."""
    turn = np.pi - 2 * np.pi * np.arange(n) / n
    return np.stack([x + width * np.cos(turn), y + height * np.sin(turn)], 1)


def _sunflower(n: int, x: float, y: float, width: float, height: float) -> np.ndarray:
    """Points that fill an ellipse evenly."""
    i = np.arange(n)
    radius, turn = np.sqrt((i + 0.5) / n), 2.39996 * i
    return np.stack([x + width * radius * np.cos(turn), y + height * radius * np.sin(turn)], 1)


def _on_jaw(xy: np.ndarray, lips: np.ndarray) -> np.ndarray:
    """What goes down when the mouth opens."""
    return (np.abs(xy[:, 0] - lips[0]) < 0.42) & (xy[:, 1] > lips[1] + 0.005)


def _mesh() -> tuple[np.ndarray, np.ndarray]:
    xy = _sunflower(478, 0, 0.12, 0.72, 0.9)
    xy[list(RIGID)] = _sunflower(len(RIGID), 0, -0.2, 0.6, 0.55)
    xy[list(LIPS_OUTER)] = _ring(20, 0, 0.58, 0.24, 0.09)
    xy[list(LIPS_INNER)] = _ring(20, 0, 0.58, 0.19, 0.025)
    xy[list(EYE_RIGHT)] = _ring(16, -0.34, 0.0, 0.16, 0.05)
    xy[list(EYE_LEFT)] = _ring(16, 0.34, 0.0, 0.16, 0.05)
    xy[list(IRISES[:5])] = _ring(5, -0.34, 0, 0.04, 0.04)
    xy[list(IRISES[5:])] = _ring(5, 0.34, 0, 0.04, 0.04)
    xy[list(BROWS[:10])] = _ring(10, -0.34, -0.2, 0.2, 0.03)
    xy[list(BROWS[10:])] = _ring(10, 0.34, -0.2, 0.2, 0.03)
    jaw = np.linspace(-1, 1, len(JAW))
    xy[list(JAW)] = np.stack([0.35 * jaw, 0.95 - 0.15 * jaw**2], 1)
    named = {33: (-0.5, 0), 263: (0.5, 0), 10: (0, -0.78), 152: (0, 1.02), 127: (-0.73, 0), 356: (0.73, 0)}
    for point, place in named.items():
        xy[point] = place
    mesh = np.concatenate([xy, face_depth(xy[:, 0], xy[:, 1])[:, None]], 1)
    mesh -= mesh[list(RIGID)].mean(0)
    moves = np.zeros((478, 3))
    moves[_on_jaw(mesh, mesh[list(LIPS_OUTER), :2].mean(0)), 1] = OPENING
    assert not moves[list(RIGID)].any()
    return mesh, moves


@cache
def person() -> Person:
    """The one performer."""
    rng = np.random.default_rng(5)
    mesh, moves = _mesh()
    centre = mesh[[10, 152], :2].mean(0)
    lips = mesh[list(LIPS_OUTER), :2].mean(0)

    def patch(n: int, x: tuple[float, float], y: tuple[float, float]) -> np.ndarray:
        return np.stack([rng.uniform(*x, n), rng.uniform(*y, n)], 1)

    face = patch(1600, (-0.75, 0.75), (-0.95, 0.95)) + centre
    face = face[(((face - centre) / (0.75, 0.95)) ** 2).sum(1) < 1]
    on_jaw = _on_jaw(face, lips)
    corner = mesh[263]  # lies at (.5, 0) in the plane of `face_depth`
    face_z = face_depth(face[:, 0] - corner[0] + 0.5, face[:, 1] - corner[1]) + corner[2] - face_depth(*CORNER)
    hole = patch(60, (-0.2, 0.2), (-0.03, 0.25)) + lips
    torso = patch(500, (-1.7, 1.7), (0.85, 2.4)) + centre
    xy = np.concatenate([face[on_jaw], face[~on_jaw], hole, torso])
    z = np.concatenate([face_z[on_jaw], face_z[~on_jaw], np.full(len(hole), 0.16), np.full(len(torso), 0.7)])
    z += rng.uniform(0, 0.04, len(z)) + np.repeat([0, 0.3], [len(z) - len(torso), len(torso)]) * rng.random(len(z))
    # Depths differ, so that a small turn does not change which Gaussian is in front.
    n_jaw, n_face, n = int(on_jaw.sum()), len(face), len(xy)
    colors = np.concatenate(
        [
            np.array([0.75, 0.55, 0.45]) + rng.uniform(-0.22, 0.22, (n_face, 1)),
            np.tile([0.15, 0.02, 0.03], (len(hole), 1)),
            np.array([0.25, 0.3, 0.5]) + rng.uniform(-0.25, 0.25, (len(torso), 1)),
        ]
    )
    in_lip = (((xy[:n_face] - lips) / (0.26, 0.11)) ** 2).sum(1) < 1
    colors[:n_face][in_lip] = (0.7, 0.15, 0.2)
    scale = np.concatenate([np.full(n_face, 0.042), np.full(len(hole), 0.06), np.full(len(torso), 0.11)])
    opening = torch.zeros(9, n_jaw)
    opening[1] = OPENING
    attachment = np.concatenate([np.full(n_face + len(hole), 8.0), np.full(len(torso), -8.0)])

    def tensor(array: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(array, np.float32))

    canonical = CanonicalGaussians(
        means=tensor(np.concatenate([xy, z[:, None]], 1)),
        quats=tensor(np.tile([1.0, 0, 0, 0], (n, 1))),
        log_scales=tensor(np.tile(np.log(scale)[:, None], (1, 3))),
        logit_opacities=torch.full((n,), 3.0),
        colors=tensor(colors),
        logit_attachment=tensor(attachment),
    )
    return Person(mesh, moves, canonical, opening)


@cache
def take(n_frames: int = N_FRAMES) -> Take:
    """A few seconds of nodding, turning and speaking."""
    t = np.arange(n_frames) / FPS
    turn = np.stack(
        [0.09 * np.sin(2.3 * t + 1), 0.13 * np.sin(1.7 * t), 0.07 * np.sin(2.9 * t + 2)],
        1,
    )
    xyz = np.stack([0.12 * np.sin(1.3 * t), 0.08 * np.sin(1.9 * t) - 0.5, DISTANCE + 0.3 * np.sin(1.1 * t)], 1)
    syllables = np.clip(np.sin(2 * np.pi * 2.7 * t) + 0.4 * np.sin(2 * np.pi * 0.9 * t + 1), 0, 1)
    roll = np.stack([0 * t, 0 * t, 0.03 * np.sin(1.2 * t)], 1)
    torso_xyz = np.stack([0.06 * np.sin(0.9 * t), 0 * t - 0.5, 0 * t + DISTANCE], 1)
    return Take(syllables, matrix_from_rotvec(turn), xyz, matrix_from_rotvec(roll), torso_xyz)


def true_landmarks(done: Take, camera: Camera = CAMERA) -> np.ndarray:
    """[T, 478, 3] px as MediaPipe would give them, without noise."""
    someone = person()
    in_head = someone.mesh + done.openness[:, None, None] * someone.mesh_opening
    world = np.einsum("tij,tmj->tmi", done.R_world_head, in_head) + done.head_xyz[:, None]
    rigid_depth = np.median(world[:, RIGID, 2], axis=1)[:, None]
    z_px = camera.focal_px * (world[..., 2] / rigid_depth - 1)
    return np.concatenate([camera.project(world), z_px[..., None]], -1).astype(np.float32)


def true_tracking(done: Take, noise_px: float = 0.05) -> Tracking:
    """What a perfect tracker says; the landmarks have a little noise, so that no component is degenerate."""
    rng = np.random.default_rng(3)
    landmarks = true_landmarks(done)
    landmarks += rng.normal(0, noise_px, landmarks.shape).astype(np.float32)
    n_train = len(landmarks) * 10 // 11
    R_reference = mean_rotation(done.R_world_head[:n_train])
    rigid = person().mesh[list(RIGID)]
    in_head = landmarks_in_head(landmarks, done.R_world_head, done.head_xyz, rigid, CAMERA)
    neutral = np.median(in_head[:n_train], axis=0)
    away = np.linalg.norm(done.R_world_head[:n_train] - R_reference, axis=(1, 2))
    n = len(landmarks)
    motion = Motion(
        face=face_displacements(in_head, neutral),
        head_wxyz=wxyz_from_matrix(done.R_world_head).astype(np.float32),
        head_xyz=done.head_xyz.astype(np.float32),
        torso_wxyz=wxyz_from_matrix(done.R_world_torso).astype(np.float32),
        torso_xyz=done.torso_xyz.astype(np.float32),
        blendshapes=np.zeros((n, 52), np.float32),
        valid=np.ones(n, bool),
    )
    return Tracking(
        landmarks,
        motion,
        neutral,
        wxyz_from_matrix(R_reference).astype(np.float32),
        done.head_xyz[:n_train].mean(0).astype(np.float32),
        int(np.argmin(away)),
    )


@cache
def plate(size: int = SIZE) -> np.ndarray:
    """A soft background."""
    y, x = np.mgrid[:size, :size] / size
    return np.stack([90 + 60 * x, 120 + 40 * np.sin(9 * x) * y, 150 - 50 * y], -1).astype(np.uint8)


def draw(done: Take, motion: Motion, k: int, camera: Camera = CAMERA) -> tuple[np.ndarray, np.ndarray]:
    """Frame k and its matte, both 8 bit."""
    someone = person()
    delta = torch.zeros(9, len(someone.canonical))
    delta[:, : someone.opening.shape[1]] = float(done.openness[k]) * someone.opening
    gaussians = pose_gaussians(someone.canonical, delta, body_pose(motion, k))
    drawn = rasterize(gaussians, camera, torch.from_numpy(plate(camera.width).astype(np.float32) / 255))
    rgb = (drawn.rgb.clamp(0, 1) * 255 + 0.5).to(torch.uint8).numpy()
    return np.ascontiguousarray(rgb), (drawn.alpha.clamp(0, 1) * 255).to(torch.uint8).numpy()


def true_sound(done: Take) -> np.ndarray:
    """A buzz as loud as the mouth is open, brighter when it is wide open."""
    n = len(done.openness) * SAMPLES_PER_FRAME
    t = np.arange(n) / SAMPLE_RATE
    envelope = np.interp(np.arange(n) / SAMPLES_PER_FRAME, np.arange(len(done.openness)) + 0.5, done.openness)
    harmonics = sum(np.sin(2 * np.pi * 120 * h * t + h) / h ** (2 - envelope) for h in range(1, 30))
    noise = np.random.default_rng(1).normal(0, 1e-4, n)
    return (0.2 * envelope * harmonics + noise).clip(-1, 1).astype(np.float32)


def write_performance(folder: Path, has_sound: bool = True) -> None:
    """The performance folder, written with the project's own classes."""
    done = take()
    tracking = true_tracking(done)
    folder.mkdir()
    frames = ImageStoreWriter(folder / FRAMES, lossless=False)
    mattes = ImageStoreWriter(folder / MATTES, lossless=True)
    for k in range(N_FRAMES):
        rgb, matte = draw(done, tracking.motion, k)
        frames.append(rgb)
        mattes.append(matte)
    frames.close()
    mattes.close()
    tracking.save(folder / TRACKING)
    (folder / PLATE).write_bytes(encode_png(plate()))
    if has_sound:
        soundfile.write(folder / SOUND, true_sound(done), SAMPLE_RATE)
    quality = TrackQuality(0.05, 0.3, 0.9, 0.0)
    framing = Framing(0, 0, SIZE, SIZE)
    PerformanceMeta(VERSION, SOURCE, N_FRAMES, framing, CAMERA, quality, has_sound).save(folder / META)


def true_avatar(folder: Path = Path("nowhere")) -> Avatar:
    """The avatar that draws the performance: its first control opens the mouth, linearly.

    Args:
        folder: of the performance, for the provenance.
    """
    done = take()
    tracking = true_tracking(done)
    someone = person()
    n_train = N_FRAMES * 10 // 11
    motion = tracking.motion[:n_train]
    controls = fit_controls(motion, tracking.reference_wxyz, tracking.reference_xyz)
    slope, at_rest = np.polyfit(controls.encode(motion)[:, 0], done.openness[:n_train], 1)
    network = CodeNetwork(N_CONTROLS, 2)
    for parameter in network.parameters():
        torch.nn.init.zeros_(parameter)
    network.direct.weight.data[0, 0] = float(slope)
    network.direct.bias.data[0] = float(at_rest)
    bases = torch.stack([someone.opening, torch.zeros_like(someone.opening)])
    return Avatar(
        canonical=someone.canonical,
        bases=bases,
        network=network.eval().requires_grad_(False),
        controls=controls,
        camera=CAMERA,
        plate=plate(),
        provenance=Provenance(SOURCE, str(folder), n_train, 0, 0.0, synthetic=True),
        idle=fit_idle(motion, tracking.neutral[list(FACE_POINTS), :2]).to_tensors(),
    )
