import numpy as np

from locutor.capture.plate import GROW_PX, KEY_FRAMES, background_keys, background_plate

SIZE = 96


def scene() -> np.ndarray:
    y, x = np.mgrid[:SIZE, :SIZE]
    return np.stack([x * 2, y * 2, 200 - x - y // 2], -1).astype(np.uint8)


def disc(x: float, y: float, radius: float) -> np.ndarray:
    rows, columns = np.mgrid[:SIZE, :SIZE]
    return (columns - x) ** 2 + (rows - y) ** 2 < radius**2


def shot(x: float, y: float, radius: float = 12) -> tuple[np.ndarray, np.ndarray]:
    rgb, person = scene(), disc(x, y, radius)
    rgb[person] = (250, 10, 10)
    return rgb, person.astype(np.uint8) * 255


def test_a_moving_person_uncovers_the_background_exactly():
    places = [(20, 30), (50, 60), (75, 35), (30, 70), (60, 20)]
    np.testing.assert_array_equal(background_plate(shot(*place) for place in places), scene())


def test_soft_mattes_and_what_lies_at_the_rim_do_not_count():
    """Two frames: where one shows the person, the other alone must count."""

    def leaky(x: float, y: float) -> tuple[np.ndarray, np.ndarray]:
        rgb, _ = shot(x, y)
        return rgb, np.where(disc(x, y, 12 - GROW_PX // 2 + 1), 40, 10).astype(np.uint8)  # smaller than the disc

    np.testing.assert_array_equal(background_plate(leaky(*p) for p in [(25, 30), (65, 60)]), scene())


def test_what_is_never_uncovered_is_painted_from_around_it():
    plate = background_plate(shot(48, 48, 10) for _ in range(3)).astype(int)
    covered = disc(48, 48, 10)
    assert np.abs(plate - scene())[~disc(48, 48, 10 + GROW_PX)].max() == 0
    assert np.abs(plate - scene())[covered].max() < 40
    assert np.abs(plate[covered] - (250, 10, 10)).sum(-1).min() > 100  # no trace of the person


def test_keys_follow_a_background_that_changes():
    n = 3 * KEY_FRAMES + 5

    def read(k: int) -> tuple[np.ndarray, np.ndarray]:
        rgb, matte = shot(48 + 0.1 * k, 48, 10)
        brighter = np.clip(rgb.astype(int) + k // 2, 0, 255).astype(np.uint8)
        return np.where(matte[..., None] > 0, rgb, brighter), matte

    plate = background_plate(read(k) for k in range(0, n, 8))
    keys = list(background_keys(read, n, plate))
    assert len(keys) == 5  # the last one stands for the time after the end
    for i in (1, 2, 3):
        expected = np.clip(scene()[10, 10].astype(int) + i * KEY_FRAMES // 2, 0, 255)
        assert np.abs(keys[i][10, 10].astype(int) - expected).max() <= 2
    assert np.abs(plate[10, 10].astype(int) - keys[3][10, 10]).max() > 10
