import numpy as np

from locutor.drive.generic_table import generic_table
from locutor.drive.usual_opening import UsualOpening

RNG = np.random.default_rng(0)
USUAL, SPREAD = generic_table()["usual_controls"], float(generic_table()["usual_spread"])


def _voice(mean: float, spread: float, n: int = 1500) -> np.ndarray:
    """Controls whose jaw is wider in the mean, and whose lip gap moves `spread` times as much as expected."""
    opening = generic_table()["opening"]
    moves = RNG.normal(size=(n, 1)) * opening * spread * SPREAD / np.square(opening).sum()
    return (USUAL + np.eye(11)[0] * mean + moves).astype(np.float32)


def test_it_follows_mean_and_spread_of_a_voice():
    usual = UsualOpening()
    _, found = usual.step(usual.init(), _voice(0.2, 1.5), np.ones(1500, bool))
    assert 0.1 < found[-1, 0] - USUAL[0] < 0.2  # most of the difference, not all
    np.testing.assert_allclose(found[-1, 1:11], USUAL[1:], atol=0.03)
    assert abs(found[-1, 11] - 1.5) < 0.15


def test_only_speech_counts_and_frames_before_do_not_see_those_after():
    usual, voice = UsualOpening(), _voice(0.2, 1.5)
    state, found = usual.step(usual.init(), voice, np.zeros(1500, bool))
    np.testing.assert_allclose(found, np.append(USUAL, 1.0)[None].repeat(1500, 0), rtol=1e-5)
    assert state.weight_s == usual.init().weight_s
    said = RNG.random(1500) < 0.7
    _, whole = usual.step(usual.init(), voice, said)
    state, first = usual.step(usual.init(), voice[:333], said[:333])
    _, rest = usual.step(state, voice[333:], said[333:])
    np.testing.assert_allclose(np.concatenate([first, rest]), whole, atol=1e-6)


def test_a_voice_that_hardly_moves_is_not_blown_up_and_another_sound_is_learnt_faster():
    usual = UsualOpening()
    state, found = usual.step(usual.init(), _voice(0.0, 0.0), np.ones(1500, bool))
    assert found[-1, 11] == 0.5
    once = np.ones(25, bool)
    slow, fast = (usual.step(s, _voice(0.4, 1.0, 25), once)[1][-1, 0] for s in (state, usual.restart(state)))
    assert fast > slow + 0.05
