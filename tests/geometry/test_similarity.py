import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from locutor.geometry.rotation import matrix_from_rotvec
from locutor.geometry.similarity import Similarity, fit_similarities, fit_similarity


@given(st.integers(0, 2**32 - 1), st.floats(0.1, 10))
def test_recovers_a_known_transform(seed, scale):
    rng = np.random.default_rng(seed)
    true = Similarity(scale, matrix_from_rotvec(rng.normal(size=3)), rng.normal(size=3))
    points = rng.normal(size=(12, 3))
    found = fit_similarity(points, true.apply(points))
    assert found.scale == pytest.approx(scale)
    np.testing.assert_allclose(found.R, true.R, atol=1e-7)
    np.testing.assert_allclose(found.t, true.t, atol=1e-6)


def test_apply_keeps_the_batch_shape():
    similarity = Similarity(2.0, np.eye(3), np.array([1.0, 0, 0]))
    np.testing.assert_allclose(similarity.apply(np.ones((4, 2, 3))), np.broadcast_to([3.0, 2, 2], (4, 2, 3)))


def test_a_mirror_image_gives_a_rotation_nonetheless():
    points = np.random.default_rng(0).normal(size=(10, 3))
    found = fit_similarity(points, points * [-1, 1, 1])
    assert np.linalg.det(found.R) == pytest.approx(1)


def test_is_the_least_squares_answer():
    rng = np.random.default_rng(1)
    source, target = rng.normal(size=(20, 3)), rng.normal(size=(20, 3))
    best = fit_similarity(source, target)

    def error(candidate: Similarity) -> float:
        return float(((candidate.apply(source) - target) ** 2).sum())

    for _ in range(50):
        near = Similarity(
            best.scale * np.exp(rng.normal(0, 0.01)),
            matrix_from_rotvec(rng.normal(0, 0.01, 3)) @ best.R,
            best.t + rng.normal(0, 0.01, 3),
        )
        assert error(near) > error(best)


def test_many_targets_at_once_are_each_its_own_fit():
    rng = np.random.default_rng(2)
    sources, targets = rng.normal(size=(5, 8, 3)), rng.normal(size=(5, 8, 3))
    for source in (sources[0], sources):
        scale, R, t = fit_similarities(source, targets)
        for k, target in enumerate(targets):
            alone = fit_similarity(source if source.ndim == 2 else source[k], target)
            assert scale[k] == pytest.approx(alone.scale)
            np.testing.assert_allclose(R[k], alone.R, atol=1e-12)
            np.testing.assert_allclose(t[k], alone.t, atol=1e-12)
