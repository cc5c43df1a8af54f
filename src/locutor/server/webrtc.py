"""WebRTC for watching (WHEP, draft-ietf-wish-whep): one offer in, one answer out, pictures and sound of a session."""

from __future__ import annotations

import asyncio
import secrets
from fractions import Fraction

import av
import numpy as np
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from fastapi import APIRouter, Request, Response

from locutor.core.clock import SAMPLE_RATE
from locutor.live.sound_line import KEPT_RATE
from locutor.live.timeline import LiveFrame
from locutor.server.draw import check_drawing, drawing, drawn
from locutor.server.hub import Hub, Room
from locutor.server.refusal import RefusalError

OFFER_BYTES = 100_000
VIDEO_CLOCK = 90_000
CONNECT_S = 20.0
_ENDED = None


class _Track(MediaStreamTrack):
    """Frames that somebody else puts; the newest win."""

    def __init__(self, kind: str, most: int) -> None:
        super().__init__()
        self.kind = kind
        self._frames: asyncio.Queue[av.VideoFrame | av.AudioFrame | None] = asyncio.Queue(most)

    def put(self, frame: av.VideoFrame | av.AudioFrame | None) -> None:
        if self._frames.full():
            self._frames.get_nowait()
        self._frames.put_nowait(frame)

    async def recv(self) -> av.VideoFrame | av.AudioFrame:
        frame = await self._frames.get()
        if frame is _ENDED:
            self.stop()
            raise MediaStreamError
        return frame


class Watcher:
    """One WebRTC connection to one session."""

    def __init__(self, hub: Hub, room: Room) -> None:
        self._hub, self._room = hub, room
        self._connection = RTCPeerConnection()
        self._video, self._audio = _Track("video", 3), _Track("audio", 25)
        self._filling: asyncio.Task[None] | None = None

    async def answer(self, offer: str) -> str:
        """The SDP answer; pictures and sound flow from then on.

        Raises:
            RefusalError: the offer cannot be understood.
        """
        try:
            await self._connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
            kinds = {transceiver.kind for transceiver in self._connection.getTransceivers()}
            if not kinds:
                raise ValueError("neither pictures nor sound are asked for")
            for track in (self._video, self._audio):
                if track.kind in kinds:
                    self._connection.addTrack(track)
            await self._connection.setLocalDescription(await self._connection.createAnswer())
        except Exception as error:  # aiortc raises whatever its parser meets
            await self._connection.close()
            raise RefusalError("bad_message", "the offer cannot be answered", "send a WebRTC offer") from error
        self._filling = asyncio.create_task(self._fill())
        return str(self._connection.localDescription.sdp)

    async def close(self) -> None:
        """End the connection."""
        if self._filling is not None:
            self._filling.cancel()
        await self._connection.close()

    async def _fill(self) -> None:
        hub, room = self._hub, self._room
        with drawing(hub):
            seat = hub.sit(room)
            loop = asyncio.get_running_loop()
            began_s = loop.time()
            try:
                async for shown in drawn(hub, room, seat):
                    state = self._connection.connectionState
                    late = state in ("new", "connecting") and loop.time() - began_s > CONNECT_S
                    if late or state in ("failed", "closed"):
                        break
                    for item in shown.items:
                        if isinstance(item, LiveFrame):
                            self._audio.put(_sound(item))
                    if shown.rgb is not None and shown.frame is not None:
                        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(shown.rgb), "rgb24")
                        picture.pts = shown.frame.sample * VIDEO_CLOCK // SAMPLE_RATE
                        picture.time_base = Fraction(1, VIDEO_CLOCK)
                        self._video.put(picture)
            finally:
                hub.leave(room, seat)
                self._video.put(_ENDED)
                self._audio.put(_ENDED)
                await self._connection.close()


def _sound(frame: LiveFrame) -> av.AudioFrame:
    sound = av.AudioFrame.from_ndarray(frame.pcm[None], "s16", "mono")
    sound.sample_rate = KEPT_RATE
    sound.pts, sound.time_base = frame.sample * KEPT_RATE // SAMPLE_RATE, Fraction(1, KEPT_RATE)
    return sound


def whep_routes(hub: Hub) -> APIRouter:
    """POST an offer, DELETE the connection."""
    routes = APIRouter(prefix="/api/sessions")
    watchers: dict[str, Watcher] = {}

    @routes.post("/{session}/whep", status_code=201)
    async def watch(request: Request, session: str) -> Response:
        room = hub.find(session)
        check_drawing(hub)
        offer = bytearray()
        async for piece in request.stream():
            offer += piece
            if len(offer) > OFFER_BYTES:
                raise RefusalError("too_large", f"an offer of more than {OFFER_BYTES} bytes", "send an SDP offer")
        watcher = Watcher(hub, room)
        answer = await watcher.answer(offer.decode(errors="replace"))
        id = secrets.token_urlsafe(12)
        watchers[id] = watcher
        headers = {"Location": f"/api/sessions/{room.id}/whep/{id}"}
        return Response(answer, 201, headers, media_type="application/sdp")

    @routes.delete("/{session}/whep/{id}", status_code=204)
    async def leave(session: str, id: str) -> None:
        hub.find(session)
        watcher = watchers.pop(id, None)
        if watcher is None:
            raise RefusalError("not_found", "there is no such connection", "it may have ended by itself")
        await watcher.close()

    return routes
