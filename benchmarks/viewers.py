"""Many viewers at once, each of a session of its own that speaks: the load of `benchmarks.live --only sessions`.

    python -m benchmarks.viewers PORT SESSIONS SECONDS SPOKEN_SHARE

A process of its own, so that its cost is told apart from the server's. It speaks WebSocket by hand: a library's
niceties would cost as much as the server. Sound goes in pieces of a second, at most three seconds ahead, as an agent
or an upload sends it. The last line of its output is JSON: for each session the lateness of its frames (ms, 50th and
99th percentile), frames and bytes; the 50th and 99th percentile over all frames; its own CPU seconds.
"""

from __future__ import annotations

import asyncio
import json
import struct
import sys
import time

import numpy as np

from locutor.core.clock import FPS, SAMPLE_RATE
from locutor.server import packets
from locutor.server.protocol import PROTOCOL

RAMP_S = 4.0  # over which the sessions begin
AHEAD_S = 3
TEXT, BINARY, PING, PONG = 1, 2, 9, 10
UPGRADE = (
    "GET /api/live HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: bG9jdXRvciBsb2N1dG9yIQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class Viewer(asyncio.Protocol):
    """One connection; notes when each frame arrives."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._data = bytearray()
        self._is_open = False
        self.ready = asyncio.Event()
        self.frames: list[int] = []
        self.times_s: list[float] = []
        self.n_bytes = 0
        self.is_lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(UPGRADE.format(port=self._port).encode())

    def connection_lost(self, error: Exception | None) -> None:
        self.is_lost = True
        self.ready.set()

    def data_received(self, data: bytes) -> None:
        now_s = time.monotonic()
        self.n_bytes += len(data)
        self._data += data
        if not self._is_open:
            end = self._data.find(b"\r\n\r\n")
            if end < 0:
                return
            assert self._data.startswith(b"HTTP/1.1 101"), bytes(self._data[:200])
            del self._data[: end + 4]
            self._is_open = True
            self.send(TEXT, json.dumps({"type": "hello", "protocol": PROTOCOL, "avatar": "demo"}).encode())
        self._parse(now_s)

    def _parse(self, now_s: float) -> None:
        data, at = self._data, 0
        while len(data) - at >= 2:
            kind, length, body = data[at] & 15, data[at + 1], at + 2
            if length == 126:
                if len(data) < body + 2:
                    break
                length, body = int.from_bytes(data[body : body + 2], "big"), body + 2
            elif length == 127:
                if len(data) < body + 8:
                    break
                length, body = int.from_bytes(data[body : body + 8], "big"), body + 8
            if len(data) < body + length:
                break
            if kind == BINARY:
                self._packets(data, body, body + length, now_s)
            elif kind == PING:  # unanswered, the server ends the connection after 40 s
                self.send(PONG, bytes(data[body : body + length]))
            elif kind == TEXT and not self.ready.is_set():
                assert b'"ready"' in data[body : body + length], bytes(data[body : body + length])
                self.ready.set()
            at = body + length
        del data[:at]

    def _packets(self, data: bytearray, at: int, end: int, now_s: float) -> None:
        while at < end:
            kind, _, count, _, _ = packets.HEADER.unpack_from(data, at)
            at += packets.HEADER.size
            if kind == packets.SOUND:
                at += 2 * count + -(2 * count) % 4
            else:
                self.frames.append(packets.U32.unpack_from(data, at)[0])
                self.times_s.append(now_s)
                at += 4 + 4 * count

    def send(self, kind: int, body: bytes) -> None:
        """One message, masked with zeros."""
        length = bytes([0xFE]) + struct.pack(">H", len(body)) if len(body) >= 126 else bytes([0x80 | len(body)])
        self._transport.write(bytes([0x80 | kind]) + length + b"\0\0\0\0" + body)

    def close(self) -> None:
        self._transport.close()


async def view(port: int, start_s: float, seconds: float, pieces: list[bytes]) -> Viewer:
    """One session from `start_s` on."""
    await asyncio.sleep(start_s)
    _, viewer = await asyncio.get_running_loop().create_connection(lambda: Viewer(port), "127.0.0.1", port)
    await asyncio.wait_for(viewer.ready.wait(), 30)
    began_s = time.monotonic()
    for k, piece in enumerate(pieces):
        await asyncio.sleep(began_s + k - AHEAD_S - time.monotonic())
        viewer.send(BINARY, piece)
    await asyncio.sleep(began_s + seconds - time.monotonic())
    viewer.close()
    return viewer


async def watch_all(port: int, n: int, seconds: float, spoken_share: float) -> dict[str, object]:
    from benchmarks.live import packet, speech

    sound = speech(seconds)
    pieces = [packet(sound[at : at + SAMPLE_RATE]) for at in range(0, len(sound), SAMPLE_RATE)]
    cpu_s = time.process_time()
    viewers = await asyncio.gather(
        *(view(port, RAMP_S * k / n, seconds, pieces if k < spoken_share * n else []) for k in range(n))
    )
    cpu_s = time.process_time() - cpu_s
    late_ms, sessions = [], []
    for viewer in viewers:
        offset_ms = 1e3 * (np.array(viewer.times_s) - np.array(viewer.frames) / FPS)
        late_ms.append(offset_ms - np.percentile(offset_ms, 1))  # against the session's own clock
        p50, p99 = np.percentile(late_ms[-1], [50, 99])
        sessions.append(
            {"p50_ms": p50, "p99_ms": p99, "frames": len(set(viewer.frames)), "bytes": viewer.n_bytes,
             "lost": viewer.is_lost}
        )  # fmt: skip
    p50, p99 = np.percentile(np.concatenate(late_ms), [50, 99])
    return {"p50_ms": p50, "p99_ms": p99, "cpu_s": cpu_s, "sessions": sessions}


def main() -> None:
    port, n, seconds, spoken_share = sys.argv[1:]
    print(json.dumps(asyncio.run(watch_all(int(port), int(n), float(seconds), float(spoken_share)))))


if __name__ == "__main__":
    main()
