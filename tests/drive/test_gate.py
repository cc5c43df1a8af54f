import numpy as np

from locutor.drive.gate import MouthGate

CLOSED = np.zeros((58, 2), np.float32)
OPEN = np.ones((40, 58, 2), np.float32)


def opening(speech: list[bool]) -> np.ndarray:
    gate = MouthGate(CLOSED)
    return gate.step(gate.init(), OPEN[: len(speech)], np.array(speech))[1][:, 0, 0]


def test_opens_within_80_ms_and_closes_within_120_ms():
    shown = opening([False] * 5 + [True] * 10 + [False] * 10)
    assert (shown[:5] == 0).all()
    assert 0 < shown[5] < 1
    assert (shown[6:15] == 1).all()
    assert 0 < shown[16] < shown[15] < 1
    assert (shown[17:] < 1e-6).all()


def test_chunks_do_not_matter():
    speech = np.random.default_rng(0).random(40) < 0.5
    gate = MouthGate(CLOSED)
    state, first = gate.step(gate.init(), OPEN[:13], speech[:13])
    _, second = gate.step(state, OPEN[13:], speech[13:])
    np.testing.assert_array_equal(np.concatenate([first, second])[:, 0, 0], opening(list(speech)))
