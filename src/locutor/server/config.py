"""What a server is told when it starts."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class ServerLimits:
    """What one visitor, and all of them, may take.

    Attributes:
        sessions: at once.
        viewers: of one session.
        drawn: streams of pictures that the server draws, at once.
        text_characters: of one text.
        queued_s: seconds of sound that may wait in a session.
        upload_bytes: of one sound file.
        upload_s: seconds of sound in one file.
        message_bytes: of one WebSocket message.
        messages_per_s, burst: messages of one connection.
        requests_per_s, request_burst: REST requests that make something, from one address.
        hello_s: seconds within which a viewer says hello.
        absent_s: seconds that a session waits for a viewer to come back.
        stuck_s: seconds after which a viewer that takes nothing is let go.
    """

    sessions: int = 200
    viewers: int = 8
    drawn: int = 8
    text_characters: int = 2000
    queued_s: float = 120.0
    upload_bytes: int = 20_000_000
    upload_s: float = 100.0
    message_bytes: int = 65_536
    messages_per_s: float = 100.0
    burst: float = 400.0
    requests_per_s: float = 5.0
    request_burst: float = 30.0
    hello_s: float = 5.0
    absent_s: float = 15.0
    stuck_s: float = 15.0


@dataclass(frozen=True)
class ServerConfig:
    """How a server is reached.

    Attributes:
        host: address to bind; anything but loopback needs a token.
        port: TCP port.
        processes: that serve together, each with sessions of its own: a core drives about forty that speak. More than
            one needs Linux.
        token: what visitors must know; needed beyond loopback. The environment variable LOCUTOR_TOKEN does not show
            in the list of processes.
        allow_unconsented: serve people of whom no consent is on record to other machines too.
        jpeg_quality: of pictures that the server draws, 1..100.
        limits: what visitors may take.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    processes: int = 1
    token: str = ""
    allow_unconsented: bool = False
    jpeg_quality: int = 85
    limits: ServerLimits = field(default_factory=ServerLimits)
