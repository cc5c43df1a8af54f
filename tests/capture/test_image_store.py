import errno

import numpy as np
import pytest

from locutor.capture.image_store import ImageStore, ImageStoreWriter, part_of
from locutor.core.errors import FormatError, OutputError


def pictures(n: int = 5) -> list[np.ndarray]:
    y, x = np.mgrid[:40, :48]
    return [np.stack([x + 10 * k, 2 * y, 255 - 3 * x], -1).astype(np.uint8) for k in range(n)]


def write(path, images, lossless: bool) -> ImageStore:
    writer = ImageStoreWriter(path, lossless)
    for image in images:
        writer.append(image)
    writer.close()
    return ImageStore(path)


def test_lossless_comes_back_as_it_was_in_any_order(tmp_path):
    images = pictures()
    store = write(tmp_path / "x.images", images, lossless=True)
    assert len(store) == 5
    assert [p.name for p in tmp_path.iterdir()] == ["x.images"]
    for k in (3, 0, 4, 4, 1):
        np.testing.assert_array_equal(store.rgb(k), images[k])


def test_lossy_is_close(tmp_path):
    images = pictures()
    store = write(tmp_path / "x.images", images, lossless=False)
    for k, image in enumerate(images):
        error = store.rgb(k).astype(float) - image
        assert np.sqrt((error**2).mean()) < 255 / 10 ** (42 / 20)  # 42 dB


def test_grey_images(tmp_path):
    images = [image[..., 0] for image in pictures()]
    store = write(tmp_path / "x.images", images, lossless=True)
    np.testing.assert_array_equal(np.stack([store.grey(k) for k in range(len(store))]), np.stack(images))


def test_nothing_under_the_name_before_it_is_closed(tmp_path):
    path = tmp_path / "x.images"
    writer = ImageStoreWriter(path, lossless=True)
    writer.append(pictures(1)[0])
    assert not path.exists()
    writer.discard()
    assert list(tmp_path.iterdir()) == []


def test_as_a_context_manager_it_closes_or_leaves_nothing(tmp_path):
    with ImageStoreWriter(tmp_path / "x.images", lossless=True) as writer:
        writer.append(pictures(1)[0])
    assert len(ImageStore(tmp_path / "x.images")) == 1

    def fail() -> None:
        with ImageStoreWriter(tmp_path / "y.images", lossless=True):
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert [p.name for p in tmp_path.iterdir()] == ["x.images"]


def test_an_empty_store(tmp_path):
    assert len(write(tmp_path / "x.images", [], lossless=True)) == 0


@pytest.mark.parametrize("content", [b"", b"short", b"something else entirely, much longer than the magic"])
def test_another_file_is_refused(tmp_path, content):
    path = tmp_path / "x.images"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=r"x\.images is not an image store"):
        ImageStore(path)


def test_a_file_that_was_cut_off_is_refused(tmp_path):
    path = tmp_path / "x.images"
    write(path, pictures(), lossless=True)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(FormatError, match=r"x\.images"):
        ImageStore(path)


def test_a_full_disk_leaves_nothing(tmp_path):
    class Full:
        def write(self, data: bytes) -> None:
            raise OSError(errno.ENOSPC, "no space")

        def close(self) -> None:
            pass

    def fill() -> None:
        with ImageStoreWriter(tmp_path / "x.images", lossless=True) as writer:
            writer._file.close()
            writer._file = Full()
            writer.append(pictures(1)[0])

    with pytest.raises(OutputError, match="disk that holds"):
        fill()
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_writer_goes_on_after_the_last_image_that_counts(tmp_path):
    path, images = tmp_path / "x.images", pictures(4)
    writer = ImageStoreWriter(path, lossless=True)
    ends = []
    for image in images[:3]:
        writer.append(image)
        ends.append(writer.end)
    writer.suspend()
    with part_of(path).open("ab") as file:
        file.write(b"half an image")
    with ImageStoreWriter(path, True, ends[:2]) as again:
        for image in images[2:]:
            again.append(image)
    store = ImageStore(path)
    np.testing.assert_array_equal(np.stack([store.rgb(k) for k in range(4)]), np.stack(images))


def test_threads_may_read_together(tmp_path):
    from concurrent.futures import ThreadPoolExecutor

    images = pictures(20)
    store = write(tmp_path / "x.images", images, lossless=True)
    with ThreadPoolExecutor(4) as pool:
        order = [int(k) for k in np.random.default_rng(0).integers(0, 20, 200)]
        for k, read in zip(order, pool.map(store.rgb, order), strict=True):
            np.testing.assert_array_equal(read, images[k])
