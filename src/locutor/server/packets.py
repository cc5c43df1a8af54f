"""The binary packets of the live protocol: little-endian, self-delimiting, one or more in a WebSocket message.

Every packet begins with the same 16 bytes, and its length is a multiple of 4, so that the next one begins aligned:

    u8 kind, u8 flags, u16 count, u32 epoch, f64 sample

`sample` is media time: the 16 kHz sample index at which the packet's content is heard or shown (a float64 counts
exactly up to 2^53). What follows depends on the kind:

    1 sound    count samples, int16; padded to a multiple of 4 bytes
    2 motion   u32 frame, then count float32: K coefficients, head wxyz, head xyz, torso wxyz, torso xyz
    3 picture  u32 bytes, then that many bytes of JPEG; padded to a multiple of 4 bytes
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int16
from numpy import ndarray

from locutor.core.errors import FormatError

HEADER = struct.Struct("<BBHId")
U32 = struct.Struct("<I")
SOUND, MOTION, PICTURE = 1, 2, 3
SPEAKING = 1  # flag of motion packets: this frame has sound
N_POSE = 14
"""Numbers behind the coefficients: head wxyz, head xyz, torso wxyz, torso xyz."""


@dataclass(frozen=True)
class SoundPacket:
    """Sound, to or from the server.

    Attributes:
        epoch: of the session.
        sample: media time of the first sample (from the viewer: ignored, sound is spoken as it comes).
        pcm: mono.
    """

    epoch: int
    sample: int
    pcm: Int16[ndarray, " n"]


@dataclass(frozen=True)
class MotionPacket:
    """One frame of motion.

    Attributes:
        epoch: of the session.
        sample: media time at which it is shown: 640 * frame.
        frame: index.
        row: K coefficients and the pose (`avatar.motion_rows`).
        speaking: whether the frame has sound.
    """

    epoch: int
    sample: int
    frame: int
    row: Float32[ndarray, " K14"]
    speaking: bool


@dataclass(frozen=True)
class PicturePacket:
    """One frame drawn by the server.

    Attributes:
        epoch, sample: as of the frame's motion.
        jpeg: the picture.
    """

    epoch: int
    sample: int
    jpeg: bytes


Packet = SoundPacket | MotionPacket | PicturePacket


def encode(packet: Packet) -> bytes:
    """One packet as bytes."""
    match packet:
        case SoundPacket(epoch, sample, pcm):
            header = HEADER.pack(SOUND, 0, len(pcm), epoch, sample)
            return header + _padded(pcm.astype("<i2", copy=False).tobytes())
        case MotionPacket(epoch, sample, frame, row, speaking):
            header = HEADER.pack(MOTION, SPEAKING if speaking else 0, len(row), epoch, sample)
            return header + U32.pack(frame) + row.astype("<f4", copy=False).tobytes()
        case PicturePacket(epoch, sample, jpeg):
            return HEADER.pack(PICTURE, 0, 0, epoch, sample) + U32.pack(len(jpeg)) + _padded(jpeg)


def decode(data: bytes) -> list[Packet]:
    """The packets of one message.

    Raises:
        FormatError: a packet is cut off, or of a kind that this version does not know.
    """
    packets: list[Packet] = []
    at = 0
    while at < len(data):
        try:
            packet, at = _decode_at(data, at)
        except (struct.error, ValueError) as error:
            raise FormatError(f"a packet is cut off at byte {at} of {len(data)}", "send whole packets") from error
        packets.append(packet)
    return packets


def _decode_at(data: bytes, at: int) -> tuple[Packet, int]:
    kind, flags, count, epoch, sample = HEADER.unpack_from(data, at)
    if not 0 <= sample <= 2**53:
        raise FormatError(f"a packet says that it belongs to sample {sample}", "count samples from 0")
    body = at + HEADER.size
    if kind == SOUND:
        pcm = np.frombuffer(data, "<i2", count, body)
        return SoundPacket(epoch, int(sample), pcm), _after(data, body, 2 * count)
    if kind == MOTION:
        (frame,) = U32.unpack_from(data, body)
        row = np.frombuffer(data, "<f4", count, body + 4)
        return MotionPacket(epoch, int(sample), frame, row, bool(flags & SPEAKING)), _after(data, body + 4, 4 * count)
    if kind == PICTURE:
        (n_bytes,) = U32.unpack_from(data, body)
        end = _after(data, body + 4, n_bytes)
        return PicturePacket(epoch, int(sample), data[body + 4 : body + 4 + n_bytes]), end
    raise FormatError(f"there is no packet of kind {kind}", "send sound packets (kind 1)")


def _after(data: bytes, start: int, n_bytes: int) -> int:
    end = start + n_bytes + -n_bytes % 4
    if end > len(data):
        raise ValueError("cut off")
    return end


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)
