import numpy as np
import pytest

from locutor.core.errors import FormatError
from locutor.core.motion import Motion, concatenate


def make(n: int = 10, seed: int = 0) -> Motion:
    rng = np.random.default_rng(seed)
    return Motion(
        face=rng.normal(size=(n, 120, 2)).astype(np.float32),
        head_wxyz=np.tile(np.float32([1, 0, 0, 0]), (n, 1)),
        head_xyz=rng.normal(size=(n, 3)).astype(np.float32),
        valid=rng.random(n) > 0.5,
    )


def test_length_and_duration():
    assert len(make(10)) == 10
    assert make(10).duration_s == pytest.approx(0.4)
    assert len(Motion()) == 0


def test_a_slice_cuts_every_channel_and_keeps_absent_ones_absent():
    motion = make()
    part = motion[3:7]
    assert part.channels().keys() == motion.channels().keys()
    for name, channel in part.channels().items():
        np.testing.assert_array_equal(channel, motion.channels()[name][3:7])
    assert part.torso_xyz is None


def test_a_mask_picks_frames():
    motion = make()
    assert len(motion[motion.valid]) == motion.valid.sum()


def test_cutting_and_joining_gives_the_whole():
    motion = make()
    joined = concatenate([motion[:4], motion[4:5], motion[5:]])
    for name, channel in joined.channels().items():
        np.testing.assert_array_equal(channel, motion.channels()[name])


def test_joining_keeps_only_channels_that_all_have():
    faceless = make().with_channels(face=None)
    joined = concatenate([make(), faceless])
    assert joined.face is None
    assert len(joined) == 20


def test_require_gives_channels_in_the_order_asked_for():
    motion = make()
    xyz, face = motion.require("head_xyz", "face")
    assert xyz is motion.head_xyz
    assert face is motion.face


def test_require_names_the_absent_channel_and_what_is_there():
    with pytest.raises(FormatError, match=r"lacks the channel 'torso_wxyz' \(it has face, head_wxyz"):
        make().require("face", "torso_wxyz")
    with pytest.raises(FormatError, match="it has none"):
        Motion().require("face")
