"""Single pictures as PNG or JPEG bytes; RGB or grey, 8 bit."""

import struct

import cv2
import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from locutor.core.errors import MediaError

PNG_EFFORT = 6
LARGEST_SIDE = 4096  # px; more is a broken or malicious file
_JPEG_FRAMES = (0xC0, 0xC1, 0xC2)  # baseline, extended, progressive (ITU T.81, table B.1)


def encode_png(picture: UInt8[ndarray, "H W *channels"], flat: bool = False) -> bytes:
    """Lossless; `flat` is for pictures of few levels, such as mattes: smaller without row filters, and in a third."""
    filters = cv2.IMWRITE_PNG_FILTER_NONE if flat else cv2.IMWRITE_PNG_ALL_FILTERS
    return _encode(".png", picture, (cv2.IMWRITE_PNG_COMPRESSION, PNG_EFFORT, cv2.IMWRITE_PNG_FILTER, filters))


def encode_jpeg(picture: UInt8[ndarray, "H W *channels"], quality: int, full_chroma: bool = False) -> bytes:
    """Lossy; `full_chroma` keeps the colour at full resolution (4:4:4)."""
    sampling = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444 if full_chroma else cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420
    return _encode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling))


def decode_rgb(data: bytes) -> UInt8[ndarray, "H W 3"]:
    """PNG or JPEG to RGB.

    Raises:
        MediaError: the data is damaged.
    """
    return _decode(data, cv2.IMREAD_COLOR_RGB)


def decode_grey(data: bytes) -> UInt8[ndarray, "H W"]:
    """PNG or JPEG to grey.

    Raises:
        MediaError: the data is damaged.
    """
    return _decode(data, cv2.IMREAD_GRAYSCALE)


def _encode(extension: str, picture: ndarray, options: tuple[int, ...]) -> bytes:
    in_order = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR) if picture.ndim == 3 else picture  # twice as fast as a view
    return cv2.imencode(extension, in_order, options)[1].tobytes()


def _decode(data: bytes, flags: int) -> ndarray:
    width, height = _size(data)
    if 0 < width <= LARGEST_SIDE and 0 < height <= LARGEST_SIDE:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    else:
        picture = None
    if picture is None:
        raise MediaError("a stored picture is damaged", "make the file that holds it again")
    return np.asarray(picture)


def _size(data: bytes) -> tuple[int, int]:
    """Width and height that a PNG or JPEG announces; (0, 0) for anything else.

    A few bytes can announce a picture that fills the memory, and OpenCV would decode two dozen other formats.
    """
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return _size_of_png(data)
    place = 2 if data[:2] == b"\xff\xd8" else len(data)
    while place + 9 <= len(data) and data[place] == 0xFF:
        marker, length = struct.unpack(">BH", data[place + 1 : place + 4])
        if marker in _JPEG_FRAMES:
            height, width = struct.unpack(">HH", data[place + 5 : place + 9])
            return width, height
        place += 2 + length
    return 0, 0


def _size_of_png(data: bytes) -> tuple[int, int]:
    """(0, 0) where a chunk is longer than the data: OpenCV would take the gigabytes that its length announces."""
    place = 8
    while place + 12 <= len(data):
        length, kind = struct.unpack(">I4s", data[place : place + 8])
        place += 12 + length
        if kind == b"IEND" and place <= len(data):
            width, height = struct.unpack(">II", data[16:24])
            return width, height
    return 0, 0
