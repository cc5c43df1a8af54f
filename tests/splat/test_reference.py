"""The reference rasteriser against arithmetic done by hand."""

import math
from dataclasses import replace

import pytest
import torch

from locutor.core.camera import Camera
from locutor.splat.gaussians import Gaussians
from locutor.splat.reference import project, rasterize_reference

CAMERA = Camera(5, 4, 10.0, 2.5, 2.5)  # the point (0, 0, z) falls on the centre of pixel (2, 2)
BLACK = torch.zeros(4, 5, 3, dtype=torch.float64)


def balls(*balls: tuple[float, float, float, tuple[float, float, float]]) -> Gaussians:
    """Balls on the optical axis: (z, standard deviation in px, opacity, colour)."""
    z, sigma, opacity, color = zip(*balls, strict=True)
    t = {"dtype": torch.float64}
    return Gaussians(
        means=torch.tensor([[0, 0, depth] for depth in z], **t),
        quats=torch.tensor([[2.0, 0, 0, 0]] * len(z), **t),
        scales=torch.tensor([[s * d / 10] * 3 for s, d in zip(sigma, z, strict=True)], **t),
        opacities=torch.tensor(opacity, **t),
        colors=torch.tensor(color, **t),
    )


def test_one_ball_has_the_blurred_gaussian_profile() -> None:
    drawn = rasterize_reference(balls((4, 1.2, 0.6, (1, 0.5, 0.25))), CAMERA, BLACK)
    for row in range(4):
        for column in range(5):
            distance2 = (row - 2) ** 2 + (column - 2) ** 2
            expected = 0.6 * math.exp(-0.5 * distance2 / (1.2**2 + 0.3))
            assert drawn.alpha[row, column].item() == pytest.approx(expected, rel=1e-6)
            assert drawn.rgb[row, column].tolist() == pytest.approx([expected, expected / 2, expected / 4], rel=1e-6)


def test_the_nearer_ball_covers_the_farther_one_whatever_their_order() -> None:
    near, far = (3.0, 1.0, 0.75, (1.0, 0.0, 0.0)), (5.0, 1.0, 0.5, (0.0, 1.0, 0.0))
    background = torch.full((4, 5, 3), 0.8, dtype=torch.float64)
    for scene in (balls(near, far), balls(far, near)):
        centre = rasterize_reference(scene, CAMERA, background).rgb[2, 2]
        through = 0.25 * 0.5 * 0.8
        assert centre.tolist() == pytest.approx([0.75 + through, 0.25 * 0.5 + through, through])


def test_equal_float32_depths_keep_their_order() -> None:
    red, green = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)
    first_is_red = balls((4 + 1e-9, 1, 0.9, red), (4.0, 1, 0.9, green))  # the same depth once rounded to float32
    assert rasterize_reference(first_is_red, CAMERA, BLACK).rgb[2, 2].tolist() == pytest.approx([0.9, 0.09, 0])


def test_alpha_is_clamped_and_weak_contributions_are_dropped() -> None:
    assert rasterize_reference(balls((4, 1, 1.0, (1, 1, 1))), CAMERA, BLACK).alpha[2, 2].item() == pytest.approx(0.999)
    assert rasterize_reference(balls((4, 1, 0.0039, (1, 1, 1))), CAMERA, BLACK).alpha.max().item() == 0
    edge = rasterize_reference(balls((4, 0.3, 0.5, (1, 1, 1))), CAMERA, BLACK).alpha
    assert edge[2, 3].item() > 0.1
    assert edge[2, 4].item() == 0  # 0.5 exp(-0.5 * 2^2 / (0.3^2 + 0.3)) = 0.0030 < 1/255


def test_the_gaussian_that_would_cross_the_limit_and_all_behind_it_are_not_drawn() -> None:
    layers = [
        (3.0 + i, 1.0, opacity, color)
        for i, (opacity, color) in enumerate([(0.98, (1.0, 0, 0)), (0.98, (0, 1.0, 0)), (0.98, (0, 0, 1.0))])
    ]
    faint = (7.0, 1.0, 0.5, (9.0, 9.0, 9.0))  # alone it would leave 0.02^2 / 2 > 1e-4
    drawn = rasterize_reference(balls(*layers, faint), CAMERA, BLACK)
    assert drawn.rgb[2, 2].tolist() == pytest.approx([0.98, 0.98 * 0.02, 0], rel=1e-9)
    assert drawn.alpha[2, 2].item() == pytest.approx(1 - 0.02**2)
    without = rasterize_reference(balls(*layers[:2], faint), CAMERA, BLACK)
    assert without.alpha[2, 2].item() == pytest.approx(1 - 0.02**2 / 2)


def test_extra_channels_are_blended_like_colours_but_over_nothing() -> None:
    scene = balls((3.0, 1.0, 0.75, (0.2, 0.4, 0.6)), (5.0, 1.0, 0.5, (1.0, 0.0, 0.5)))
    extra = torch.tensor([[3.0, 1.0], [5.0, -1.0]], dtype=torch.float64)
    drawn = rasterize_reference(scene, CAMERA, BLACK + 1, extra)
    assert drawn.extra is not None
    assert drawn.extra[2, 2].tolist() == pytest.approx([0.75 * 3 + 0.125 * 5, 0.75 - 0.125])
    same = rasterize_reference(scene, CAMERA, BLACK, scene.colors)
    assert torch.equal(same.rgb, same.extra)
    assert rasterize_reference(scene, CAMERA, BLACK).extra is None


def test_far_beside_the_picture_the_footprint_stops_growing() -> None:
    """x/z is limited at 0.3 of half the picture beyond its edge, in the Jacobian alone."""
    limit = (5 - 2.5 + 0.3 * 5 / 2) / 10

    def placed(x_z: float) -> tuple[torch.Tensor, torch.Tensor]:
        ball = balls((4, 2.0, 0.9, (1, 1, 1)))
        return project(replace(ball, means=torch.tensor([[4 * x_z, 0, 4]], dtype=torch.float64)), CAMERA)

    (inside, narrow), (centre, wide), (far, widest) = placed(0.9 * limit), placed(1.5 * limit), placed(4 * limit)
    assert inside[0, 0].item() == pytest.approx(2.5 + 9 * limit)
    assert centre[0, 0].item() == pytest.approx(2.5 + 15 * limit)
    assert far[0, 0].item() == pytest.approx(2.5 + 40 * limit)
    assert narrow[0, 0, 0].item() == pytest.approx(0.3 + 4 * (1 + (0.9 * limit) ** 2))
    assert wide[0, 0, 0].item() == widest[0, 0, 0].item() == pytest.approx(0.3 + 4 * (1 + limit**2))


def test_nothing_before_the_near_plane_is_drawn() -> None:
    white = (1.0, 1.0, 1.0)
    drawn = rasterize_reference(balls((0.00999999, 1, 0.9, white), (-4, 1, 0.9, white)), CAMERA, BLACK)
    assert drawn.alpha.max().item() == 0
    assert rasterize_reference(balls((0.01, 1, 0.9, white)), CAMERA, BLACK).alpha[2, 2].item() == pytest.approx(0.9)


def test_no_gaussians_give_the_background() -> None:
    background = torch.rand(4, 5, 3, dtype=torch.float64)
    none = Gaussians(*(torch.zeros(0, *shape, dtype=torch.float64) for shape in [(3,), (4,), (3,), (), (3,)]))
    drawn = rasterize_reference(none, CAMERA, background)
    assert torch.equal(drawn.rgb, background)
    assert drawn.alpha.max().item() == 0


def by_hand(g: Gaussians, camera: Camera, background: torch.Tensor, row: int, column: int) -> list[float]:
    """One pixel with scalars: the specification read line by line."""
    layers = []
    for i in range(len(g)):
        x, y, z = g.means[i].tolist()
        qw, qx, qy, qz = (g.quats[i] / g.quats[i].norm()).tolist()
        axes = [  # columns of the rotation matrix: the local axes in the world
            (1 - 2 * (qy * qy + qz * qz), 2 * (qx * qy + qw * qz), 2 * (qx * qz - qw * qy)),
            (2 * (qx * qy - qw * qz), 1 - 2 * (qx * qx + qz * qz), 2 * (qy * qz + qw * qx)),
            (2 * (qx * qz + qw * qy), 2 * (qy * qz - qw * qx), 1 - 2 * (qx * qx + qy * qy)),
        ]
        xx = yy = xy = 0.0
        left, right = -0.15 * camera.width - camera.cx, 1.15 * camera.width - camera.cx
        top, bottom = -0.15 * camera.height - camera.cy, 1.15 * camera.height - camera.cy
        x_z = min(max(x / z, left / camera.focal_px), right / camera.focal_px)
        y_z = min(max(y / z, top / camera.focal_px), bottom / camera.focal_px)
        for axis, scale in zip(axes, g.scales[i].tolist(), strict=True):
            a = camera.focal_px / z * (axis[0] - x_z * axis[2]) * scale
            b = camera.focal_px / z * (axis[1] - y_z * axis[2]) * scale
            xx, xy, yy = xx + a * a, xy + a * b, yy + b * b
        xx, yy = xx + 0.3, yy + 0.3
        dx = column + 0.5 - (camera.focal_px * x / z + camera.cx)
        dy = row + 0.5 - (camera.focal_px * y / z + camera.cy)
        q = (yy * dx * dx - 2 * xy * dx * dy + xx * dy * dy) / (xx * yy - xy * xy)
        alpha = min(0.999, g.opacities[i].item() * math.exp(-q / 2))
        if z >= 0.01 and alpha >= 1 / 255:
            layers.append((z, alpha, g.colors[i].tolist()))
    color, transmittance = [0.0, 0.0, 0.0], 1.0
    for _, alpha, own in sorted(layers, key=lambda layer: layer[0]):
        if transmittance * (1 - alpha) <= 1e-4:
            break
        color = [c + transmittance * alpha * o for c, o in zip(color, own, strict=True)]
        transmittance *= 1 - alpha
    return [c + transmittance * b for c, b in zip(color, background[row, column].tolist(), strict=True)]


def test_a_tiny_scene_agrees_with_scalar_arithmetic(scene, converted) -> None:
    gaussians, camera, background = scene(7, 6, 5, seed=3, scale=0.3)
    gaussians, background = converted(gaussians, torch.float64), background.double()
    drawn = rasterize_reference(gaussians, camera, background)
    for row in range(5):
        for column in range(6):
            expected = by_hand(gaussians, camera, background, row, column)
            assert drawn.rgb[row, column].tolist() == pytest.approx(expected, abs=1e-12)


def test_gradients_agree_with_finite_differences(scene, converted) -> None:
    gaussians, camera, background = scene(4, 4, 3, seed=1, scale=0.4)
    g = converted(gaussians, torch.float64, requires_grad=True)

    def draw(*fields: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        drawn = rasterize_reference(Gaussians(*fields), camera, background.double())
        return drawn.rgb, drawn.alpha

    assert torch.autograd.gradcheck(draw, (g.means, g.quats, g.scales, g.opacities, g.colors), eps=1e-7, atol=1e-5)
