"""Curves of other programs in place of the driver's motion."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from locutor.actors.arkit_effects import arkit_effects
from locutor.core.arkit import ARKIT_NAMES
from locutor.core.clock import FPS, SAMPLE_RATE
from locutor.core.errors import FormatError
from locutor.core.face import BROWS_SLICE, EYES_SLICE, FACE_POINTS, IRISES, MOUTH_SLICE
from locutor.core.motion import Motion, concatenate
from locutor.export.arkit_csv import write_arkit_csv
from locutor.geometry.rotation import matrix_from_rotvec, matrix_from_wxyz, rotvec_from_matrix, wxyz_from_matrix
from locutor.live import say
from locutor.live.curves import Curves, read_curves
from locutor.live.override import FADE, overridden

JAW = ARKIT_NAMES.index("jawOpen")
UPRIGHT = np.array([1, 0, 0, 0], np.float32)
CLOSED = np.full((58, 2), -0.01, np.float32)


def curves_of(n: int = 30, head: np.ndarray | None = None, **weights: float) -> Curves:
    values = np.zeros((n, 52))
    for name, weight in weights.items():
        values[:, ARKIT_NAMES.index(name)] = weight
    return Curves(values, head)


def driven(n: int) -> Motion:
    rng = np.random.default_rng(0)
    wxyz = wxyz_from_matrix(matrix_from_rotvec(rng.normal(0, 0.1, (n, 3))))
    return Motion(face=rng.normal(0, 0.01, (n, 120, 2)).astype(np.float32), head_wxyz=wxyz.astype(np.float32))


def in_chunks(motion: Motion, curves: Curves, cuts: list[int]) -> Motion:
    edges = [0, *cuts, len(motion)]
    parts = list(overridden((motion[slice(a, b)] for a, b in itertools.pairwise(edges)), curves, UPRIGHT, CLOSED))
    names = motion.channels()
    return Motion(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def test_what_is_written_is_read(tmp_path: Path):
    rng = np.random.default_rng(1)
    values = rng.random((60, 52)).astype(np.float32)
    turns = rng.normal(0, 0.2, (60, 3))
    turns -= turns.mean(axis=0)
    wxyz = wxyz_from_matrix(matrix_from_rotvec(turns)).astype(np.float32)
    write_arkit_csv(Motion(blendshapes=values, head_wxyz=wxyz), tmp_path / "take.csv")
    found = read_curves(tmp_path / "take.csv")
    np.testing.assert_allclose(found.blendshapes, values, atol=1e-6)
    assert found.head is not None
    motion = in_chunks(driven(60), found, [])
    shown = rotvec_from_matrix(matrix_from_wxyz(motion.head_wxyz[: 60 - FADE].astype(float)))
    wanted = turns[: 60 - FADE]
    assert np.abs(shown - wanted).max() < 0.03  # against their mean, which is nearly no turn
    assert all(np.corrcoef(a, b)[0, 1] > 0.99 for a, b in zip(shown.T, wanted.T, strict=True))


@pytest.mark.parametrize("rate", [24, 30, 60])
def test_another_rate_is_brought_to_ours(tmp_path: Path, rate: int):
    times = np.arange(4 * rate) / rate
    lines = ["Timecode,BlendshapeCount,JawOpen"]
    lines += [
        f"10:00:{int(t):02}:{k % rate:02}.000,61,{0.5 + 0.4 * np.sin(t):.6f}"
        for k, t in enumerate(times)
    ]  # fmt: skip
    (tmp_path / "take.csv").write_text("\n".join(lines))
    found = read_curves(tmp_path / "take.csv")
    assert len(found) == 4 * FPS
    assert found.head is None
    expected = 0.5 + 0.4 * np.sin(np.arange(len(found)) / FPS)
    np.testing.assert_allclose(found.blendshapes[:-1, JAW], expected[:-1], atol=2e-3)
    assert found.blendshapes[:, np.arange(52) != JAW].max() == 0


def test_audio2face(tmp_path: Path):
    weights = np.linspace(0, 1, 61)[:, None] * [[1.0, 0.5]]
    content = {"exportFps": 30.0, "facsNames": ["jawOpen", "browInnerUp"], "weightMat": weights.tolist()}
    (tmp_path / "take.json").write_text(json.dumps(content))
    found = read_curves(tmp_path / "take.json")
    assert len(found) == 51
    np.testing.assert_allclose(found.blendshapes[:, JAW], np.arange(51) / 50, atol=1e-6)
    np.testing.assert_allclose(found.blendshapes[:, ARKIT_NAMES.index("browInnerUp")], np.arange(51) / 100, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "", "no frames"),
        ("a.csv", "Timecode,Nonsense\n1,2\n", "no frames"),
        ("a.csv", "Timecode,JawOpen\n00:00:00:00.0,much\n", "line 2"),
        ("a.csv", "Timecode,JawOpen\n00:00:00:00.0,nan\n", "frame 0 holds a value that is not finite"),
        ("a.csv", "Timecode,HeadYaw,HeadPitch,HeadRoll\n0,1,1,1\n", "no column with a name of ARKit's"),
        ("a.json", "{}", "not an export of Audio2Face"),
        ("a.json", '{"exportFps": 30, "facsNames": ["jawOpen"], "weightMat": [[1, 2]]}', "weightMat has the shape"),
        ("a.json", '{"exportFps": 0, "facsNames": ["jawOpen"], "weightMat": [[1]]}', "at 0 frames per second"),
    ],
)
def test_what_holds_no_curves(tmp_path: Path, name: str, text: str, message: str):
    (tmp_path / name).write_text(text)
    with pytest.raises(FormatError, match=message):
        read_curves(tmp_path / name)
    with pytest.raises(FormatError, match="cannot be read"):
        read_curves(tmp_path / "none.csv")


def test_only_what_the_curves_move_is_replaced():
    motion, curves = driven(40), curves_of(40, browInnerUp=0.5)
    shown = in_chunks(motion, curves, [7, 8, 20])
    brows = 0.5 * arkit_effects()[ARKIT_NAMES.index("browInnerUp")][BROWS_SLICE]
    np.testing.assert_allclose(shown.face[: 40 - FADE, BROWS_SLICE], np.tile(brows, (40 - FADE, 1, 1)), atol=1e-6)
    for rows in (MOUTH_SLICE, EYES_SLICE):
        np.testing.assert_array_equal(shown.face[:, rows], motion.face[:, rows])
    np.testing.assert_array_equal(shown.head_wxyz, motion.head_wxyz)


def test_without_coefficients_the_mouth_is_closed():
    curves = curves_of(20, jawOpen=0.5)
    curves.blendshapes[5:] = 0
    shown = in_chunks(driven(20), curves, [])
    np.testing.assert_allclose(shown.face[5 : 20 - FADE, MOUTH_SLICE], np.tile(CLOSED, (15 - FADE, 1, 1)), atol=1e-7)


def test_after_the_curves_the_driver_takes_over():
    motion, curves = driven(60), curves_of(30, jawOpen=0.7)
    shown = in_chunks(motion, curves, [13, 29, 45])
    np.testing.assert_array_equal(shown.face[30:], motion.face[30:])
    np.testing.assert_array_equal(in_chunks(motion, curves, []).face, shown.face)  # however it is cut
    jaw = shown.face[:, FACE_POINTS.index(152), 1]
    assert jaw[: 30 - FADE].min() > 0.05
    assert np.ptp(jaw[: 30 - FADE]) == 0


def test_the_irises_follow_the_look():
    shown = in_chunks(driven(20), curves_of(20, eyeLookOutLeft=0.4, eyeLookInRight=0.4, eyeLookDownLeft=0.2), [])
    left, right = (FACE_POINTS.index(IRISES[k]) for k in (5, 0))
    np.testing.assert_allclose(shown.face[0, left], [0.03, 0.015], atol=1e-6)
    np.testing.assert_allclose(shown.face[0, right], [0.03, 0], atol=1e-6)


def test_the_curves_reach_the_film(speaking_avatar, performance, tmp_path: Path, monkeypatch):
    shown: dict[str, list[Motion]] = {"driven": [], "opened": []}

    def film(avatar, motions, into):
        for motion in motions:
            into.append(motion)
            yield from np.zeros((len(motion), avatar.camera.height, avatar.camera.width, 3), np.uint8)

    for name, curves in (("driven", None), ("opened", curves_of(12, jawOpen=1.0))):
        monkeypatch.setattr(say, "film", lambda avatar, motions, into=shown[name]: film(avatar, motions, into))
        out = tmp_path / f"{name}.mp4"
        list(say.say_samples(speaking_avatar, performance.sound[:SAMPLE_RATE], SAMPLE_RATE, out, seed=1, curves=curves))
    driven, opened = (concatenate(parts).face for parts in shown.values())
    jaw = FACE_POINTS.index(152)
    assert len(opened) == len(driven) == 25
    assert opened[: 12 - FADE, jaw, 1].min() > 0.05
    np.testing.assert_array_equal(opened[12:], driven[12:])
