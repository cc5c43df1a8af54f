import numpy as np
import pytest

from locutor.actors.motion import HEAD_LIMIT_DEG, perform
from locutor.actors.performance_script import Line, Recital, SpokenLine
from locutor.actors.rig import EXPRESSION_ROWS
from locutor.core.clock import FPS
from locutor.speech.espeak import Phoneme

SECONDS = 40


@pytest.fixture
def recital() -> Recital:
    """Four seconds of "ma" from second 2 on, in silence."""
    phonemes = [Phoneme(s, 2 + 0.2 * k + d) for k in range(20) for s, d in (("m", 0.0), ("ˈɑː", 0.08))]
    line = SpokenLine(Line("ma"), 2.0, 6.0, tuple(phonemes))
    return Recital(np.zeros(SECONDS * 22050, np.float32), 22050, (line,))


def _channel(motion, name):
    return motion.expression[:, EXPRESSION_ROWS[name]]


def _arrays(motion):
    return {name: getattr(motion, name) for name in motion.__dataclass_fields__}


def test_same_seed_same_bytes(tiny_rig, recital):
    first, again, other = (_arrays(perform(tiny_rig, recital, seed)) for seed in (3, 3, 4))
    for name, values in first.items():
        assert values.tobytes() == again[name].tobytes(), name
        assert values.tobytes() != other[name].tobytes(), name
        assert len(values) == SECONDS * FPS


def test_head_stays_within_its_limits_and_moves_smoothly(tiny_rig, recital):
    motion = perform(tiny_rig, recital, 3)
    degrees = np.degrees(motion.head_rotvec)
    assert (np.abs(degrees) < HEAD_LIMIT_DEG).all()
    assert (np.abs(degrees).max(0) > 0.5 * HEAD_LIMIT_DEG).all()
    assert np.abs(np.diff(degrees, axis=0)).max() < 1.5  # degrees per frame


def test_blinks_close_fully_every_few_seconds(tiny_rig, recital):
    motion = perform(tiny_rig, recital, 3)
    blink = _channel(motion, "eyeBlinkLeft")
    closed = np.flatnonzero(blink > 0.999)
    assert np.diff(closed).max() < 5.3 * FPS
    starts = closed[np.diff(closed, prepend=-9) > 1]
    assert SECONDS / 5.3 < len(starts) < SECONDS / 1.5
    for start in starts[1:-1]:
        around = blink[start - 4 : start + 8] > 0.2
        assert 0.12 <= around.sum() / FPS <= 0.32


def test_mouth_is_closed_in_silence_and_open_in_speech(tiny_rig, recital):
    motion = perform(tiny_rig, recital, 3)
    jaw = _channel(motion, "jawOpen")
    assert jaw[: int(1.6 * FPS)].max() < 0.005
    assert jaw[int(6.4 * FPS) :].max() < 0.005
    assert jaw[2 * FPS : 6 * FPS].max() > 0.3


def test_torso_follows_the_head_with_a_lag(tiny_rig, recital):
    motion = perform(tiny_rig, recital, 3)
    head, torso = motion.head_rotvec[:, 1], motion.torso_rotvec[:, 1]
    at_lag = [np.corrcoef(head[: len(head) - lag], torso[lag:])[0, 1] for lag in range(20)]
    assert 4 <= int(np.argmax(at_lag)) <= 14
    assert max(at_lag) > 0.8
    assert torso.std() < 0.5 * head.std()


def test_eyes_make_up_for_the_head(tiny_rig, recital):
    motion = perform(tiny_rig, recital, 3)
    assert np.corrcoef(motion.gaze[:, 0], motion.head_rotvec[:, 1])[0, 1] > 0.5
    assert np.corrcoef(motion.gaze[:, 1], motion.head_rotvec[:, 0])[0, 1] < -0.3
