"""The WebSocket of one viewer: hello, then orders in and packets out."""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack, suppress

import numpy as np
from pydantic import BaseModel, ValidationError
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from locutor.core.clock import SAMPLE_RATE, frame_start_sample
from locutor.core.errors import LocutorError
from locutor.live.timeline import LiveFrame
from locutor.live.viewer import Change, Item
from locutor.server import packets
from locutor.server.draw import as_jpeg, drawing, drawn
from locutor.server.hub import Hub, Room, Seat
from locutor.server.neighbour import relay
from locutor.server.protocol import (
    FROM_VIEWER,
    PROTOCOL,
    Adjust,
    Hello,
    Interrupt,
    Ping,
    Played,
    Pong,
    Say,
    SoundEnds,
    StageLatency,
    State,
)
from locutor.server.rate import Bucket
from locutor.server.refusal import RefusalError, refusal_of
from locutor.server.tokens import is_good

Message = Hello | Say | Interrupt | SoundEnds | Played | Adjust | Ping
GONE = (WebSocketDisconnect, RuntimeError)  # what starlette raises when the other side has gone, receiving and sending


class ViewerSocket:
    """One connection."""

    def __init__(self, socket: WebSocket, hub: Hub) -> None:
        self._socket, self._hub = socket, hub
        limits = hub.config.limits
        self._bucket = Bucket(limits.messages_per_s, limits.burst, time.monotonic())

    async def serve(self) -> None:
        """From the handshake to the end. Refusals are said before the connection is closed."""
        await self._socket.accept()
        try:
            with ExitStack() as stack:
                hello = await self._hello()
                owner = self._hub.crew.owner(hello.session) if hello.session else None
                if owner is not None:
                    await relay(self._socket, hello, owner)
                    return
                if hello.pictures:
                    stack.enter_context(drawing(self._hub))
                room, seat = await self._sit(hello)
                stack.callback(self._hub.leave, room, seat)
                await self._say(self._hub.ready(room, seat))
                await self._both_ways(hello, room, seat)
                await self._socket.close()  # the session has ended
        except LocutorError as error:
            await self._refuse(refusal_of(error), fatal=True)
        except GONE:
            pass

    async def _hello(self) -> Hello:
        hello_s = self._hub.config.limits.hello_s
        try:
            message = await asyncio.wait_for(self._receive(), hello_s)
        except TimeoutError as error:
            raise RefusalError("too_late", f"no hello within {hello_s:.0f} s", "say hello first") from error
        if not isinstance(message, Hello):
            raise RefusalError("bad_message", "the first message must be hello", "say hello first")
        if message.protocol != PROTOCOL:
            raise RefusalError("bad_protocol", f"this server speaks version {PROTOCOL}", "load the page again")
        if not is_good(message.token, self._hub.config.token):
            raise RefusalError("unauthorized", "the token is wrong, or its time is over", "ask for another one")
        return message

    async def _sit(self, hello: Hello) -> tuple[Room, Seat]:
        if hello.session is not None:
            room = self._hub.find(hello.session)
        elif hello.avatar is not None:
            room = await self._hub.open(hello.avatar)
        else:
            raise RefusalError("bad_message", "hello names no avatar and no session", "GET /api/avatars lists them")
        return room, self._hub.sit(room, asyncio.current_task(), may_own=True)

    async def _both_ways(self, hello: Hello, room: Room, seat: Seat) -> None:
        listening = asyncio.create_task(self._listen(room, seat))
        send = self._send_pictures if hello.pictures else self._send_packets
        sending = asyncio.create_task(send(hello, room, seat))
        try:
            done, _ = await asyncio.wait((listening, sending), return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in (listening, sending):
                task.cancel()
            for task in (listening, sending):
                with suppress(asyncio.CancelledError, LocutorError, *GONE):
                    await task

    async def _listen(self, room: Room, seat: Seat) -> None:
        while True:
            try:
                message = await self._receive()
                self._obey(message, room, seat)
                if isinstance(message, Ping):
                    await self._say(_pong(message, room, seat))
            except LocutorError as error:
                refusal = refusal_of(error)
                if refusal.code == "too_fast":
                    raise
                await self._refuse(refusal)

    async def _receive(self) -> Message | packets.SoundPacket:
        """The next message.

        Raises:
            RefusalError: it is too large, cannot be understood, or came too fast.
        """
        data = await self._socket.receive()
        if data["type"] != "websocket.receive":
            raise WebSocketDisconnect(data.get("code", 1005))
        if not self._bucket.take(time.monotonic()):
            raise RefusalError("too_fast", "more messages than this server takes", "send larger pieces of sound")
        content: str | bytes = data["bytes"] if data.get("text") is None else data["text"]
        if len(content) > self._hub.config.limits.message_bytes:
            raise RefusalError("too_large", f"a message of {len(content)} bytes", "send smaller pieces")
        return _understood(content)

    def _obey(self, message: Message | packets.SoundPacket, room: Room, seat: Seat) -> None:
        session = room.session
        if isinstance(message, Played | Ping):
            if isinstance(message, Played) and room.owner is seat:
                session.report_played(message.epoch, message.sample)
            return
        if isinstance(message, Hello):
            raise RefusalError("bad_message", "hello was said before", "open another connection")
        if room.owner is not seat:
            raise RefusalError("not_in_control", "somebody else speaks in this session", "open your own")
        match message:
            case packets.SoundPacket():
                session.push_audio(message.pcm.astype(np.float32) / 32768, SAMPLE_RATE)
            case Say():
                check_text(message.text, self._hub)
                session.push_text(message.text, message.voice, message.id)
            case Interrupt():
                session.interrupt()
            case SoundEnds():
                session.end_audio()
            case Adjust():
                session.adjust(np.array(message.controls, np.float32), np.array(message.head_turn, np.float32))

    async def _send_packets(self, hello: Hello, room: Room, seat: Seat) -> None:
        while items := await seat.viewer.batch():
            await self._send_items(hello, room, seat, items)

    async def _send_pictures(self, hello: Hello, room: Room, seat: Seat) -> None:
        async for shown in drawn(self._hub, room, seat):
            picture = b""
            if shown.frame is not None and shown.rgb is not None:
                jpeg = await as_jpeg(self._hub, room, shown.rgb)
                picture = packets.encode(packets.PicturePacket(shown.frame.epoch, shown.frame.sample, jpeg))
            await self._send_items(hello, room, seat, shown.items, picture)

    async def _send_items(self, hello: Hello, room: Room, seat: Seat, items: list[Item], picture: bytes = b"") -> None:
        """Frames that lie together go as one message; a change between two frames goes between them."""
        seat.sending_since_s = time.monotonic()
        binary, epoch = bytearray(), room.session.epoch
        for item in items:
            if isinstance(item, LiveFrame):
                if item.epoch >= epoch:
                    binary += _frame_bytes(item, hello)
                continue
            await self._send_bytes(binary)
            binary = bytearray()
            await self._say(state_of(item) if isinstance(item, Change) else refusal_of(item.error).message())
        await self._send_bytes(binary + picture)
        room.session.latencies.add("send", time.monotonic() - seat.sending_since_s)
        seat.sending_since_s = None

    async def _send_bytes(self, data: bytes | bytearray) -> None:
        if data:
            self._hub.bytes_sent += len(data)
            self._hub.messages_sent += 1
            await self._socket.send_bytes(bytes(data))

    async def _say(self, message: BaseModel) -> None:
        await self._socket.send_text(message.model_dump_json())

    async def _refuse(self, refusal: RefusalError, fatal: bool = False) -> None:
        self._hub.count_refusal(refusal)
        with suppress(*GONE):
            await self._say(refusal.message(fatal))
            if fatal and self._socket.application_state == WebSocketState.CONNECTED:
                await self._socket.close(refusal.close_code)


def check_text(text: str, hub: Hub) -> None:
    """Raises:
    RefusalError: the text is too long.
    """
    most = hub.config.limits.text_characters
    if len(text) > most:
        raise RefusalError("text_too_long", f"a text of {len(text)} characters", f"send at most {most} at a time")


def _understood(content: str | bytes) -> Message | packets.SoundPacket:
    if isinstance(content, str):
        try:
            return FROM_VIEWER.validate_json(content)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise RefusalError("bad_message", f"{where or 'message'}: {first['msg']}", "see docs/live.md") from error
    found = packets.decode(content)
    if len(found) != 1 or not isinstance(found[0], packets.SoundPacket):
        raise RefusalError("bad_message", "a binary message from a viewer is one sound packet", "see docs/live.md")
    return found[0]


def _frame_bytes(frame: LiveFrame, hello: Hello) -> bytes:
    data = b""
    if hello.sound and frame.speaking:
        data += packets.encode(packets.SoundPacket(frame.epoch, frame.sample, frame.pcm))
    if hello.motion:
        packet = packets.MotionPacket(frame.epoch, frame.sample, frame.frame, frame.row, frame.speaking)
        data += packets.encode(packet)
    return data


def state_of(change: Change) -> State:
    """A change of a session as viewers get it."""
    return State(
        why=change.why,
        epoch=change.epoch,
        sample=change.sample,
        queued_s=change.queued_s,
        played_s=change.played_s,
        id=change.id,
    )


def _pong(ping: Ping, room: Room, seat: Seat) -> Pong:
    session = room.session
    stages = [
        StageLatency(stage=name, p50_ms=p50, p95_ms=p95)
        for name, latency in session.latencies.stages.items()
        for p50, p95 in [latency.percentiles(50.0, 95.0)]
    ]
    return Pong(
        id=ping.id,
        epoch=session.epoch,
        sample=frame_start_sample(session.frame),
        queued_s=session.queued_s,
        dropped=seat.viewer.dropped,
        stages=stages,
    )
