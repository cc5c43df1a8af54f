"""Pictures drawn by the server, for viewers that cannot draw."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from jaxtyping import UInt8
from numpy import ndarray

from locutor.live.timeline import LiveFrame
from locutor.live.viewer import Item
from locutor.media.pictures import encode_jpeg
from locutor.server.hub import Hub, Room, Seat
from locutor.server.refusal import RefusalError


@dataclass(frozen=True)
class Drawn:
    """What came at once, and the picture of its newest frame.

    Attributes:
        items: frames (their sound is needed even where they are not drawn) and changes, in order.
        frame: the one that was drawn; None if there was none.
        rgb: its picture.
    """

    items: list[Item]
    frame: LiveFrame | None
    rgb: UInt8[ndarray, "H W 3"] | None


def check_drawing(hub: Hub) -> None:
    """Raises:
    RefusalError: as many streams of pictures are drawn as this server draws.
    """
    if hub.crew.total("drawn") >= hub.config.limits.drawn:
        raise _too_many(hub)


@contextmanager
def drawing(hub: Hub) -> Iterator[None]:
    """Counts a stream of pictures; errors as in `check_drawing`."""
    if not hub.crew.take("drawn", hub.config.limits.drawn):
        raise _too_many(hub)
    hub.drawing += 1
    try:
        yield
    finally:
        hub.drawing -= 1
        hub.crew.give("drawn")


def _too_many(hub: Hub) -> RefusalError:
    what = f"{hub.config.limits.drawn} streams of pictures are drawn"
    return RefusalError("too_many_sessions", what, "let the browser draw")


async def drawn(hub: Hub, room: Room, seat: Seat) -> AsyncIterator[Drawn]:
    """Pictures as fast as they can be drawn; where that is too slow the newest frame is taken."""
    loop = asyncio.get_running_loop()
    while items := await seat.viewer.batch():
        frames = [item for item in items if isinstance(item, LiveFrame)]
        if not frames:
            yield Drawn(items, None, None)
            continue
        began_s = time.monotonic()
        rgb = await loop.run_in_executor(hub.drawers, room.exhibit.live.draw, frames[-1].row)
        room.session.latencies.add("draw", time.monotonic() - began_s)
        yield Drawn(items, frames[-1], rgb)


async def as_jpeg(hub: Hub, room: Room, rgb: UInt8[ndarray, "H W 3"]) -> bytes:
    """One picture, encoded in a thread."""
    began_s = time.monotonic()
    quality = hub.config.jpeg_quality
    jpeg = await asyncio.get_running_loop().run_in_executor(hub.drawers, encode_jpeg, rgb, quality)
    room.session.latencies.add("encode", time.monotonic() - began_s)
    return jpeg
