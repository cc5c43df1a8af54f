import numpy as np
import pytest

from locutor.actors.renderer import interpolate, visible_triangles
from locutor.actors.renderer_reference import visible_triangles_reference

W, H = 40, 30
FRONT = np.array([[2.0, 2.0], [4.0, 27.0], [36.0, 5.0]])  # counter-clockwise as seen (y down)
TRIANGLE = np.array([[0, 1, 2]])


def _mask(seen, triangle=None):
    image = np.zeros(W * H, bool)
    image[seen.pixel if triangle is None else seen.pixel[seen.triangle == triangle]] = True
    return image.reshape(H, W)


def _inside(corners, scale=1):
    """Pixel centres inside a triangle, by the signs of three cross products."""
    y, x = np.mgrid[0 : H * scale, 0 : W * scale] + 0.5
    signs = []
    for a, b in zip(corners, np.roll(corners, -1, 0), strict=True):
        signs.append((b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0]) < 0)
    return np.all(signs, 0)


def test_covers_exactly_the_pixel_centres_inside():
    seen = visible_triangles(FRONT, np.ones(3), TRIANGLE, W, H)
    assert np.array_equal(_mask(seen), _inside(FRONT))


def test_supersampling_gives_smooth_edges():
    seen = visible_triangles(2 * FRONT, np.ones(3), TRIANGLE, 2 * W, 2 * H)
    fine = np.zeros(4 * W * H)
    fine[seen.pixel] = 1
    coverage = fine.reshape(H, 2, W, 2).mean((1, 3))
    exact = _inside(16 * FRONT, 16).reshape(H, 16, W, 16).mean((1, 3))
    assert set(np.unique(coverage)) == {0, 0.25, 0.5, 0.75, 1}
    assert np.abs(coverage - exact).max() < 0.4
    assert abs(coverage.sum() - exact.sum()) < 0.01 * exact.sum()


@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_the_nearer_triangle_hides_the_other(order):
    xy = np.concatenate([FRONT, FRONT + [3, 1]])
    depth = np.array([5, 5, 5, 4, 4, 4.0])
    triangles = np.array([[0, 1, 2], [3, 4, 5]])[order]
    seen = visible_triangles(xy, depth, triangles, W, H)
    near, far = order.index(1), order.index(0)
    assert np.array_equal(_mask(seen, near), _inside(FRONT + [3, 1]))
    assert np.array_equal(_mask(seen, far), _inside(FRONT) & ~_inside(FRONT + [3, 1]))


def test_crossing_triangles_split_where_their_depths_meet():
    xy = np.array([[0, 0], [0, 60], [60, 0], [0, 0], [0, 60], [60, 0.0]])
    depth = np.array([1, 1, 4, 4, 4, 1.0])  # the first goes away to the right, the second comes nearer
    seen = visible_triangles(xy, depth, np.array([[0, 1, 2], [3, 4, 5]]), W, H)
    assert _mask(seen, 0)[:, :29].all()
    assert _mask(seen, 1)[:20, 31:].all()


def test_neighbours_leave_no_gap_and_share_no_pixel():
    rng = np.random.default_rng(1)
    middle = rng.uniform(8, 22, 2)
    xy = np.array([[-1, -1], [W + 1, -1], [W + 1, H + 1], [-1, H + 1], middle])
    triangles = np.array([[0, 1, 4], [1, 2, 4], [2, 3, 4], [3, 0, 4]])
    seen = visible_triangles(xy, np.ones(5), triangles, W, H)
    assert len(seen.pixel) == W * H
    counts = [_inside(xy[t][::-1]).sum() for t in triangles]
    assert np.bincount(seen.triangle).tolist() == counts


def test_back_sides_and_what_is_behind_the_camera_are_dropped():
    behind = FRONT[::-1]
    assert len(visible_triangles(behind, np.ones(3), TRIANGLE, W, H, two_sided=False).pixel) == 0
    assert len(visible_triangles(behind, np.ones(3), TRIANGLE, W, H).pixel) > 100
    assert len(visible_triangles(FRONT, np.ones(3), TRIANGLE, W, H, two_sided=False).pixel) > 100
    assert len(visible_triangles(FRONT, np.array([1, 1, -1.0]), TRIANGLE, W, H).pixel) == 0
    assert len(visible_triangles(FRONT + [100, 0], np.ones(3), TRIANGLE, W, H).pixel) == 0


def test_interpolation_is_exact_for_linear_values():
    rng = np.random.default_rng(2)
    xy = rng.uniform(-5, 40, (30, 2))
    triangles = rng.permutation(30).reshape(10, 3)
    seen = visible_triangles(xy, rng.uniform(1, 2, 30), triangles, W, H)
    values = np.stack([0.3 * xy[:, 0] - 0.2 * xy[:, 1] + 1, xy[:, 1]], 1)
    at = interpolate(seen, xy, triangles, values[triangles], W)
    x, y = seen.pixel % W + 0.5, seen.pixel // W + 0.5
    np.testing.assert_allclose(at, np.stack([0.3 * x - 0.2 * y + 1, y], 1), atol=1e-3)


@pytest.mark.parametrize("seed", range(4))
def test_native_agrees_with_its_twin(seed):
    rng = np.random.default_rng(seed)
    xy = rng.uniform(-8, 48, (60, 2))
    xy[:10] = np.round(xy[:10] * 2) / 2  # edges through pixel centres, equal heights
    depth = rng.uniform(-0.2, 3, 60)
    triangles = rng.integers(0, 60, (150, 3))  # some degenerate, some behind the camera
    two_sided = rng.random(150) < 0.5
    seen = visible_triangles(xy, depth, triangles, W, H, two_sided)
    pixel, triangle = visible_triangles_reference(xy, depth, triangles, W, H, two_sided)
    assert np.array_equal(seen.pixel, pixel)
    assert np.array_equal(seen.triangle, triangle)


def test_a_vertex_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="names a vertex that does not exist"):
        visible_triangles(FRONT, np.ones(3), np.array([[0, 1, 3]]), W, H)
