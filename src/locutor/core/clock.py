"""The media clock: time is the audio sample index, and frame times derive from it here alone."""

FPS = 25
SAMPLE_RATE = 16_000
SAMPLES_PER_FRAME = SAMPLE_RATE // FPS  # 640 samples = 40 ms, exact


def frame_start_sample(frame: int) -> int:
    """Index of the first audio sample heard while `frame` is shown."""
    return frame * SAMPLES_PER_FRAME


def frames_for_samples(n_samples: int) -> int:
    """Number of frames that cover `n_samples` of sound: the last frame may be partly silent."""
    return -(-n_samples // SAMPLES_PER_FRAME)
