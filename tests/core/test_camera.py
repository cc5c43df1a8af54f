import numpy as np

from locutor.core.camera import Camera


def test_the_optical_axis_meets_the_principal_point():
    camera = Camera(640, 480, 500.0, 320.0, 240.0)
    np.testing.assert_allclose(camera.project(np.array([0.0, 0.0, 7.0])), [320, 240])


def test_right_is_right_and_down_is_down():
    camera = Camera(640, 480, 500.0, 320.0, 240.0)
    np.testing.assert_allclose(camera.project(np.array([[1.0, 2.0, 10.0]])), [[370, 340]])
    assert camera.project(np.ones((4, 5, 3), np.float32)).dtype == np.float32
