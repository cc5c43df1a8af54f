"""Faults put in on purpose: each is told by its own family of figures and by no other."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
import pytest
from tests.synthetic.performer import Take, draw, take, true_landmarks, true_tracking

from locutor.capture.detect import Face
from locutor.capture.performance import Performance
from locutor.evaluate.faults import FAMILIES, find_faults
from locutor.evaluate.pictures import Picture
from locutor.evaluate.protocols import HeldOut, Protocol
from locutor.evaluate.scoring import Judge
from locutor.evaluate.ways import Way

N = 60


@dataclass
class Following:
    """A landmarker that sees every frame of one film rightly, to a twentieth of a pixel."""

    landmarks: np.ndarray
    k: int = -1

    def detect(self, rgb: Picture) -> list[Face]:
        self.k += 1
        noise = np.random.default_rng(self.k).normal(0, 0.05, (478, 3))
        return [Face((self.landmarks[self.k] + noise).astype(np.float32), np.zeros(52, np.float32))]


def as_it_is(done: Take) -> Take:
    return done


def frozen(done: Take) -> Take:
    return replace(done, openness=np.full_like(done.openness, 0.2))


def late(done: Take) -> Take:
    return replace(done, openness=np.concatenate([np.full(5, done.openness[0]), done.openness[:-5]]))


def twice_as_open(done: Take) -> Take:
    return replace(done, openness=2 * done.openness)


def trembling(done: Take) -> Take:
    return replace(done, head_xyz=done.head_xyz + np.random.default_rng(1).normal(0, 0.02, done.head_xyz.shape))


def blurred(rgb: Picture) -> Picture:
    return cv2.GaussianBlur(rgb, (0, 0), 2.0)


FAULTS: dict[str, tuple[Callable[[Take], Take], set[str]]] = {
    "none": (as_it_is, set()),
    "frozen mouth": (frozen, {"lip movement"}),
    "mouth 5 frames late": (late, {"lip timing"}),
    "mouth twice as open": (twice_as_open, {"lip opening"}),
    "trembling head": (trembling, {"steadiness"}),
    "blurred face": (as_it_is, {"sharpness"}),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_told_by_its_own_family_alone(performance: Performance, name):
    change, families = FAULTS[name]
    done = change(take())
    motion = true_tracking(done).motion

    def frames() -> Iterator[Picture]:
        drawn = (draw(done, motion, k)[0] for k in range(N))
        return (blurred(rgb) for rgb in drawn) if name == "blurred face" else drawn

    part = HeldOut(0, N, performance.tracking.motion[:N], performance.sound[: N * 640])
    judge = Judge(performance, part, Following(true_landmarks(done)), None)
    row = judge.score(Way(Protocol.REPLAY, frames, part.sound))
    assert {fault.family for fault in find_faults(row.values)} == families, row.values


def test_every_family_is_tried():
    assert set().union(*(families for _, families in FAULTS.values())) == set(FAMILIES)


def test_what_was_not_measured_accuses_nobody():
    assert find_faults({}) == []
    assert find_faults({"lip_spread_share": float("nan"), "lip_gap_lag_frames": 9.0}) == []
