import numpy as np
import pytest

from locutor.actors.generators import GENERATORS
from locutor.actors.motion import HEAD_LIMIT_DEG, perform
from locutor.actors.performance_script import Line, Recital, SpokenLine
from locutor.actors.rig import EXPRESSION_ROWS
from locutor.core.arkit import ARKIT_NAMES
from locutor.core.clock import FPS
from locutor.speech.espeak import Phoneme

SECONDS = 40


@pytest.fixture
def recital() -> Recital:
    """Four seconds of "ma" from second 2 on, in silence."""
    phonemes = [Phoneme(s, 2 + 0.2 * k + d) for k in range(20) for s, d in (("m", 0.0), ("ˈɑː", 0.08))]
    line = SpokenLine(Line("ma"), 2.0, 6.0, tuple(phonemes))
    return Recital(np.zeros(SECONDS * 22050, np.float32), 22050, (line,))


@pytest.fixture
def spoken_recital() -> Recital:
    """A sentence with the times of a quick speaker."""
    symbols = list("faɪvbɪɡbɹaʊnmæpswɪlbipʊtəbʌvðəstoʊvnaʊɑʃivu")
    phonemes = tuple(Phoneme(s, 1.0 + 0.07 * k) for k, s in enumerate(symbols))
    end_s = 1.0 + 0.07 * len(symbols)
    return Recital(np.zeros(5 * 16000, np.float32), 16000, (SpokenLine(Line("Five ..."), 1.0, end_s, phonemes),))


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


def _lips(rig, recital, seed, name):
    expression = perform(rig, recital, seed, GENERATORS[name]).expression
    rows = [EXPRESSION_ROWS[n] for n in ARKIT_NAMES if n.startswith(("jaw", "mouth"))]
    return expression[:, rows]


def test_generators_differ_more_than_seeds(tiny_rig, spoken_recital):
    seeds = range(6)
    a, b = ([_lips(tiny_rig, spoken_recital, seed, name) for seed in seeds] for name in "AB")

    def rms(x, y):
        return float(np.sqrt(np.mean((x - y) ** 2)))

    within = [rms(a[i], a[j]) for i in seeds for j in seeds if i < j]
    between = [rms(a[i], b[j]) for i in seeds for j in seeds]
    assert min(between) > 1.2 * max(within)
    assert min(within) > 0.005  # two performers are not the same either


@pytest.mark.parametrize("name", GENERATORS)
def test_lips_close_and_touch_at_frame_rate(tiny_rig, spoken_recital, name):
    """In a sentence at its own speed: some frame near each p, b, m is closed, and near each f, v the lip is in."""
    for seed in range(3):
        lead_s = GENERATORS[name].styles.draw(seed).lead_s
        motion = perform(tiny_rig, spoken_recital, seed, GENERATORS[name])
        gap = _channel(motion, "jawOpen") - _channel(motion, "mouthClose")
        roll = _channel(motion, "mouthRollLower")
        (line,) = spoken_recital.spoken
        ends = [p.start_s for p in line.phonemes[1:]] + [line.end_s]
        for phoneme, end_s in zip(line.phonemes, ends, strict=True):
            middle_s = (phoneme.start_s + end_s) / 2 - lead_s
            near = slice(round(middle_s * FPS) - 1, round(middle_s * FPS) + 1)
            if phoneme.symbol in "pbm":
                assert gap[near].min() < 0.06, (seed, phoneme)
            if phoneme.symbol in "fv":
                assert roll[near].max() > 0.2, (seed, phoneme)
