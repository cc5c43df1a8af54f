import numpy as np
import pytest
from safetensors.numpy import load, save
from scipy.spatial.transform import Rotation

from locutor.core.errors import FootageError
from locutor.core.face import EYES_SLICE
from locutor.core.motion import Motion
from locutor.drive.blinks import eye_opening, find_blinks
from locutor.drive.idle import IdleDriver
from locutor.drive.idle_model import IdleModel, fit_idle


def channels(motion: Motion) -> dict[str, np.ndarray]:
    def rotvec(wxyz: np.ndarray) -> np.ndarray:
        return Rotation.from_quat(np.roll(wxyz, -1, axis=1)).as_rotvec()

    return {
        "head turn": rotvec(motion.head_wxyz),
        "head place": motion.head_xyz,
        "torso turn": rotvec(motion.torso_wxyz),
        "torso place": motion.torso_xyz,
        "eyes": motion.face[:, EYES_SLICE.start :].reshape(len(motion), -1),
    }


def largest(x: np.ndarray, order: int) -> float:
    return float(np.linalg.norm(np.diff(x, order, axis=0), axis=1).max())


@pytest.mark.parametrize("seconds", [2, 10, 24])
@pytest.mark.parametrize("seed", [0, 1])
def test_no_visible_jumps(make_speaker, seconds, seed):
    speaker = make_speaker(seconds, seed=seed)
    driver = IdleDriver(fit_idle(speaker.motion, speaker.neutral))
    _, motion = driver.step(driver.init(seed), 3000)
    assert len(motion) == 3000
    footage = channels(speaker.motion)
    for name, out in channels(motion).items():
        assert np.isfinite(out).all()
        for order in (1, 2):
            assert largest(out, order) <= 1.5 * largest(footage[name], order), (name, order)
        spread = out.std(axis=0).max() / footage[name].std(axis=0).max()
        # It neither freezes nor drifts away; two seconds of drift in one direction cannot be walked back and forth.
        assert (0.4 if seconds > 2 else 0.05) < spread < 2, name


def test_chunks_do_not_matter_and_seeds_do(speaker):
    driver = IdleDriver(fit_idle(speaker.motion, speaker.neutral))
    whole = driver.step(driver.init(3), 700)[1]
    state, parts = driver.init(3), []
    for n in (1, 0, 99, 250, 350):
        state, part = driver.step(state, n)
        parts.append(part)
    np.testing.assert_array_equal(np.concatenate([p.head_xyz for p in parts]), whole.head_xyz)
    np.testing.assert_array_equal(np.concatenate([p.face for p in parts]), whole.face)
    assert not np.allclose(driver.step(driver.init(4), 700)[1].head_xyz, whole.head_xyz)


def test_it_does_not_repeat_itself(speaker):
    driver = IdleDriver(fit_idle(speaker.motion, speaker.neutral))
    track = driver.step(driver.init(0), 4000)[1].head_xyz
    for period in range(25, 2000):
        assert not np.allclose(track[2000:2100], track[2000 - period : 2100 - period], atol=1e-6) or period > 200


def test_blinks_of_the_footage_are_found(speaker):
    assert find_blinks(speaker.motion.face).tolist() == pytest.approx(list(range(31, 580, 90)), abs=1)


def test_blinks_are_drawn_where_the_footage_has_none(make_speaker):
    speaker = make_speaker(10, blinks=False)
    assert len(find_blinks(speaker.motion.face)) == 0
    driver = IdleDriver(fit_idle(speaker.motion, speaker.neutral))
    _, motion = driver.step(driver.init(0), 1500)
    blinks = find_blinks(motion.face)
    assert 8 <= len(blinks) <= 30
    assert np.diff(blinks).min() >= 40
    # The lids meet: the opening of the neutral eye is about 0.09.
    assert eye_opening(motion.face)[blinks].max() < -0.07
    assert eye_opening(motion.face).min() > -0.12


def test_frames_that_were_not_observed_are_no_landing_place(speaker):
    valid = np.ones(len(speaker.motion), bool)
    valid[200:] = False
    model = fit_idle(speaker.motion.with_channels(valid=valid), speaker.neutral)
    driver = IdleDriver(model)
    state = driver.init(0)
    landed = []
    for _ in range(2000):
        before = state.frame
        state, _ = driver.step(state, 1)
        if state.frame != before + 1:
            landed.append(state.frame - 1)
    assert len(landed) > 3
    assert max(landed) < 200


def test_model_survives_storage(speaker):
    model = fit_idle(speaker.motion, speaker.neutral)
    again = IdleModel.from_tensors(load(save(model.to_tensors())))
    a, b = (IdleDriver(m).step(IdleDriver(m).init(1), 300)[1] for m in (model, again))
    np.testing.assert_array_equal(a.face, b.face)


def test_footage_that_cannot_serve(speaker):
    with pytest.raises(FootageError, match="lacks torso_wxyz, torso_xyz"):
        fit_idle(speaker.motion.with_channels(torso_wxyz=None, torso_xyz=None), speaker.neutral)
    with pytest.raises(FootageError, match=r"0\.4 s"):
        fit_idle(speaker.motion[:10], speaker.neutral)


def test_a_person_who_keeps_still(speaker):
    still = speaker.motion[np.zeros(100, int)]
    driver = IdleDriver(fit_idle(still, speaker.neutral))
    _, motion = driver.step(driver.init(0), 500)
    assert np.ptp(motion.head_xyz, axis=0).max() < 1e-4
