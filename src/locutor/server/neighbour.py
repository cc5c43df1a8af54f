"""Visitors who ask one process of the crew for a session that lives in another: handed on over its Unix socket."""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import suppress
from pathlib import Path

import h11
from pydantic import ValidationError
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.client import ClientConnection, unix_connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from locutor.server.hub import Hub
from locutor.server.metrics import Figures
from locutor.server.protocol import Hello
from locutor.server.refusal import RefusalError

SESSIONS = "/api/sessions/"
BETWEEN_TWO = (b"connection", b"keep-alive", b"transfer-encoding", b"expect")  # headers that are not handed on
PIECE = 65_536  # bytes
COME_BACK = 1012
SAYABLE = (1000, 1011, COME_BACK, *range(4000, 5000))  # close codes that may be sent


class ToOwner:
    """Middleware: what concerns a session of another process is answered there."""

    def __init__(self, app: ASGIApp, hub: Hub) -> None:
        self._app, self._hub = app, hub

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        is_of_session = scope["type"] == "http" and scope["path"].startswith(SESSIONS)
        session = scope["path"][len(SESSIONS) :].partition("/")[0] if is_of_session else ""
        owner = self._hub.crew.owner(session)
        if owner is None:
            await self._app(scope, receive, send)
            return
        try:
            address = scope["client"][0] if scope["client"] else ""
            if not self._hub.requests.take(address, time.monotonic()):
                raise RefusalError("too_fast", "too many requests", "wait some seconds")
            await _hand_on(owner, scope, receive, send)
        except RefusalError as refusal:
            self._hub.count_refusal(refusal)
            await JSONResponse(refusal.message().model_dump(), refusal.status)(scope, receive, send)


async def _hand_on(owner: Path, scope: Scope, receive: Receive, send: Send) -> None:
    # Not by asyncio's streams: they forget an answer that came before the request was read to its end.
    with socket.socket(socket.AF_UNIX) as line:
        line.setblocking(False)
        connection = h11.Connection(h11.CLIENT)
        try:
            await asyncio.get_running_loop().sock_connect(line, str(owner))
        except OSError as error:
            raise _is_gone() from error
        giving = asyncio.create_task(_give(connection, line, _request(scope), receive))
        taking = asyncio.create_task(_take(connection, line, send))
        try:
            await asyncio.wait((giving, taking), return_when=asyncio.FIRST_COMPLETED)
            if taking.done():
                taking.result()
        except (h11.RemoteProtocolError, ConnectionError) as error:
            raise _is_gone() from error
        finally:
            for task in (giving, taking):
                task.cancel()
            await asyncio.gather(giving, taking, return_exceptions=True)


def _request(scope: Scope) -> h11.Request:
    query = b"?" + scope["query_string"] if scope["query_string"] else b""
    is_chunked = any(name == b"transfer-encoding" for name, _ in scope["headers"])
    headers = [(name, value) for name, value in scope["headers"] if name not in BETWEEN_TWO]
    headers += [(b"connection", b"close")] + ([(b"transfer-encoding", b"chunked")] if is_chunked else [])
    return h11.Request(method=scope["method"], target=scope["raw_path"] + query, headers=headers)


async def _give(connection: h11.Connection, line: socket.socket, request: h11.Request, receive: Receive) -> None:
    """The visitor's request; ends when the visitor goes."""
    loop = asyncio.get_running_loop()
    events: list[h11.Event] = [request]
    is_read = True  # by the owner, who may answer and close before the end
    while True:
        for event in events:
            data = connection.send(event) if is_read else None
            try:
                await loop.sock_sendall(line, data or b"")
            except ConnectionError:
                is_read = False
        message = await receive()
        if message["type"] != "http.request":
            return
        events = [h11.Data(data=message["body"])] if message.get("body") else []
        if not message.get("more_body"):
            events.append(h11.EndOfMessage())


async def _take(connection: h11.Connection, line: socket.socket, send: Send) -> None:
    """The owner's answer."""
    loop = asyncio.get_running_loop()
    while True:
        match connection.next_event():
            case h11.NEED_DATA:
                connection.receive_data(await loop.sock_recv(line, PIECE))
            case h11.Response(status_code=status, headers=headers):
                kept = [(name, value) for name, value in headers if name not in BETWEEN_TWO]
                await send({"type": "http.response.start", "status": status, "headers": kept})
            case h11.Data(data=data):
                await send({"type": "http.response.body", "body": bytes(data), "more_body": True})
            case h11.EndOfMessage():
                await send({"type": "http.response.body", "body": b""})
                return
            case h11.ConnectionClosed():
                raise h11.RemoteProtocolError("closed without an answer")


async def relay(viewer: WebSocket, hello: Hello, owner: Path) -> None:
    """A viewer of another process's session: every message is passed on, both ways, until one side ends.

    Raises:
        RefusalError: the other process is not there.
    """
    uri = f"ws://{viewer.headers.get('host', 'localhost')}/api/live"
    try:
        async with unix_connect(str(owner), uri, compression=None, max_size=None) as connection:
            await connection.send(hello.model_dump_json())
            up = asyncio.create_task(_up(viewer, connection))
            down = asyncio.create_task(_down(viewer, connection))
            await asyncio.wait((up, down), return_when=asyncio.FIRST_COMPLETED)
            for task in (up, down):
                task.cancel()
            await asyncio.gather(up, down, return_exceptions=True)
    except (OSError, InvalidHandshake) as error:
        raise _is_gone() from error
    with suppress(RuntimeError):  # the viewer went first
        code = connection.close_code or COME_BACK
        await viewer.close(code if code in SAYABLE else COME_BACK)


async def _up(viewer: WebSocket, connection: ClientConnection) -> None:
    while (data := await viewer.receive())["type"] == "websocket.receive":
        await connection.send(data["bytes"] if data.get("text") is None else data["text"])


async def _down(viewer: WebSocket, connection: ClientConnection) -> None:
    with suppress(WebSocketDisconnect, ConnectionClosed):
        async for message in connection:
            await (viewer.send_text(message) if isinstance(message, str) else viewer.send_bytes(message))


async def figures_of_all(hub: Hub) -> Figures:
    """What all processes have counted; without those that are not there."""
    others = await asyncio.gather(*(_figures_at(path) for path in hub.crew.neighbours()))
    return sum((other for other in others if other), Figures.of(hub))


async def _figures_at(path: Path) -> Figures | None:
    try:
        reader, writer = await asyncio.open_unix_connection(str(path))
        writer.write(b"GET /api/figures HTTP/1.0\r\nHost: localhost\r\n\r\n")
        answer = await asyncio.wait_for(reader.read(-1), 2)
        writer.close()
        return Figures.model_validate_json(answer.partition(b"\r\n\r\n")[2])
    except (OSError, TimeoutError, ValidationError):
        return None


def _is_gone() -> RefusalError:
    return RefusalError("unknown_session", "there is no such session, or it has ended", "open another one")
