"""Shorthand for talking to the live protocol."""

import json
import time
from collections.abc import Callable
from typing import Any

from starlette.testclient import TestClient, WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from locutor.server import packets
from locutor.server.protocol import FROM_SERVER, PROTOCOL, Pong, Ready, Refused, State

Heard = Ready | State | Pong | Refused | packets.Packet


def connect(client: TestClient, **headers: str) -> WebSocketTestSession:
    """An open connection, before hello."""
    return client.websocket_connect("/api/live", headers=headers)


def hello(socket: WebSocketTestSession, **fields: Any) -> Ready | Refused:
    """Say hello (to avatar `me` unless a session is named) and hear the answer."""
    if "session" not in fields:
        fields = {"avatar": "me"} | fields
    tell(socket, type="hello", **({"protocol": PROTOCOL} | fields))
    answer = hear(socket)[0]
    assert isinstance(answer, Ready | Refused)
    return answer


def tell(socket: WebSocketTestSession, **message: Any) -> None:
    """Send a control message."""
    socket.send_text(json.dumps(message))


def hear(socket: WebSocketTestSession) -> list[Heard]:
    """What the next message holds."""
    message = socket.receive()
    if message["type"] == "websocket.close":
        raise WebSocketDisconnect(message["code"])
    if message.get("text") is not None:
        return [FROM_SERVER.validate_json(message["text"])]
    return list(packets.decode(message["bytes"]))


def hear_until(socket: WebSocketTestSession, wanted: Callable[[Heard], bool], limit_s: float = 10) -> list[Heard]:
    """Everything up to and with the first that is wanted."""
    heard: list[Heard] = []
    end_s = time.monotonic() + limit_s
    while time.monotonic() < end_s:
        for item in hear(socket):
            heard.append(item)
            if wanted(item):
                return heard
    raise AssertionError(f"not heard within {limit_s} s: {[type(item).__name__ for item in heard]}")


def is_change(why: str) -> Callable[[Heard], bool]:
    """For `hear_until`."""
    return lambda item: isinstance(item, State) and item.why == why


def is_refusal(code: str) -> Callable[[Heard], bool]:
    """For `hear_until`."""
    return lambda item: isinstance(item, Refused) and item.code == code


def close_code(socket: WebSocketTestSession) -> int:
    """The code with which the server closes the connection."""
    while True:
        try:
            hear(socket)
        except WebSocketDisconnect as gone:
            return gone.code
