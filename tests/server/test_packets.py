import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from locutor.core.errors import FormatError
from locutor.server import packets
from locutor.server.packets import MotionPacket, PicturePacket, SoundPacket, decode, encode

u32 = st.integers(0, 2**32 - 1)
sample = st.integers(0, 2**53)
sounds = st.builds(
    lambda epoch, at, pcm: SoundPacket(epoch, at, np.array(pcm, np.int16)),
    u32,
    sample,
    st.lists(st.integers(-32768, 32767), max_size=50),
)
motions = st.builds(
    lambda epoch, at, frame, row, speaking: MotionPacket(epoch, at, frame, np.array(row, np.float32), speaking),
    u32,
    sample,
    u32,
    st.lists(st.floats(width=32, allow_nan=False), max_size=50),
    st.booleans(),
)
pictures = st.builds(PicturePacket, u32, sample, st.binary(max_size=50))


def same(a: packets.Packet, b: packets.Packet) -> bool:
    return type(a) is type(b) and all(
        np.array_equal(x, y) for x, y in zip(vars(a).values(), vars(b).values(), strict=True)
    )


@given(st.lists(st.one_of(sounds, motions, pictures), max_size=5))
def test_any_packets_come_back(some):
    data = b"".join(encode(packet) for packet in some)
    assert len(data) % 4 == 0
    back = decode(data)
    assert len(back) == len(some)
    assert all(same(a, b) for a, b in zip(some, back, strict=True))


@given(st.one_of(sounds, motions, pictures), st.data())
def test_a_packet_that_is_cut_off_is_an_error(packet, data):
    whole = encode(packet)
    with pytest.raises(FormatError, match="cut off"):
        decode(whole[: data.draw(st.integers(1, len(whole) - 1))])


@given(st.binary(max_size=200))
def test_garbage_is_an_error_or_packets(garbage):
    with contextlib.suppress(FormatError):
        decode(garbage)


def test_the_layout_is_the_documented_one():
    packet = MotionPacket(3, 640, 1, np.array([1.5, -2], np.float32), True)
    assert encode(packet).hex(" ", 4) == ("02010200 03000000 00000000 00008440 01000000 0000c03f 000000c0")


def test_times_that_make_no_sense_are_errors():
    with pytest.raises(FormatError, match="belongs to sample"):
        decode(packets.HEADER.pack(packets.SOUND, 0, 0, 0, -1.0))
    with pytest.raises(FormatError, match="belongs to sample"):
        decode(packets.HEADER.pack(packets.SOUND, 0, 0, 0, float("nan")))
    with pytest.raises(FormatError, match="kind 9"):
        decode(packets.HEADER.pack(9, 0, 0, 0, 0.0))
