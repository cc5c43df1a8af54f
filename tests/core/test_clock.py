from hypothesis import given
from hypothesis import strategies as st

from locutor.core.clock import FPS, SAMPLE_RATE, SAMPLES_PER_FRAME, frame_start_sample, frames_for_samples


def test_a_frame_is_a_whole_number_of_samples():
    assert SAMPLES_PER_FRAME * FPS == SAMPLE_RATE
    assert [frame_start_sample(k) for k in (0, 1, 25)] == [0, 640, 16_000]


def test_known_counts():
    assert [frames_for_samples(n) for n in (0, 1, 639, 640, 641, 16_000)] == [0, 1, 1, 1, 2, 25]


@given(st.integers(0, 10**12))
def test_the_frames_cover_the_samples_and_none_is_spare(n_samples):
    n_frames = frames_for_samples(n_samples)
    assert n_frames * SAMPLES_PER_FRAME >= n_samples
    assert n_frames == 0 or frame_start_sample(n_frames - 1) < n_samples
