"""Misuse a server for as long as one likes; it must stay up, refuse with typed errors, and serve others as before.

    python tools/soak_server.py [--messages 10000] [--seed 0]

Prints one line per fault and exits 1 if a good session was disturbed, an answer was not typed, or the server died.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import websockets
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks.live import PORT, server

from locutor.server import packets
from locutor.server.protocol import FROM_SERVER, PROTOCOL, Refused

HELLO = {"type": "hello", "protocol": PROTOCOL, "avatar": "demo", "motion": True}
GOOD = (
    HELLO,
    {"type": "say", "text": "word", "voice": "en-us", "id": "1"},
    {"type": "interrupt"},
    {"type": "sound_ends"},
    {"type": "played", "epoch": 0, "sample": 1000},
    {"type": "adjust", "controls": [0.5, -1.0], "head_turn": [0.0, 0.1, 0.0]},
    {"type": "ping", "id": 3},
)
STRANGE = (
    None,
    -1,
    2**63,
    1e308,
    "",
    "x" * 5000,
    "../../etc/passwd",
    [],
    {},
    [[]],
    True,
    "\u0000",
    "\ud83d\ude00" * 99,
)


class Watcher:
    """A well-behaved session that counts what it gets; it shows whether others are disturbed."""

    def __init__(self) -> None:
        self.n_frames, self.last_s, self.longest_s = 0, time.monotonic(), 0.0

    async def run(self) -> None:
        async with websockets.connect(f"ws://127.0.0.1:{PORT}/api/live", max_size=2**22) as socket:
            await socket.send(json.dumps(HELLO))
            self.last_s = time.monotonic()
            async for message in socket:
                now_s = time.monotonic()
                self.longest_s, self.last_s = max(self.longest_s, now_s - self.last_s), now_s
                if isinstance(message, bytes):
                    self.n_frames += sum(isinstance(p, packets.MotionPacket) for p in packets.decode(message))


def mutated(rng: random.Random) -> str | bytes:
    """A message that is garbage, or nearly good."""
    kind = rng.randrange(6)
    if kind == 0:
        return rng.randbytes(rng.randrange(300))
    if kind == 1:
        sound = packets.encode(packets.SoundPacket(0, 0, np.zeros(rng.randrange(400), np.int16)))
        data = bytearray(sound)
        for _ in range(rng.randrange(1, 5)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        return bytes(data[: rng.randrange(1, len(data) + 1)])
    if kind == 2:
        return "".join(chr(rng.randrange(32, 0x2FF)) for _ in range(rng.randrange(100)))
    message = dict(rng.choice(GOOD))
    if kind == 3:
        message[rng.choice(list(message))] = rng.choice(STRANGE)
    elif kind == 4:
        message[rng.choice(("extra", "type", "text", "controls"))] = rng.choice(STRANGE)
    else:
        text = list(json.dumps(message))
        text[rng.randrange(len(text))] = chr(rng.randrange(32, 127))
        return "".join(text)
    return json.dumps(message)


async def drain(socket: ClientConnection, codes: Counter[str], wait_s: float) -> None:
    """Read what the server says; every text must be a message of the protocol."""
    end_s = time.monotonic() + wait_s
    while (left_s := end_s - time.monotonic()) > 0:
        try:
            message = await asyncio.wait_for(socket.recv(), left_s)
        except TimeoutError:
            return
        if isinstance(message, str):
            said = FROM_SERVER.validate_json(message)
            if isinstance(said, Refused):
                codes[said.code] += 1


async def garbage(n: int, seed: int) -> str:
    """`n` random and mutated messages, over as many connections as it takes."""
    rng, codes, n_sent, n_connections = random.Random(seed), Counter[str](), 0, 0
    while n_sent < n:
        n_connections += 1
        async with websockets.connect(f"ws://127.0.0.1:{PORT}/api/live", max_size=2**22) as socket:
            try:
                if rng.random() < 0.9:
                    await socket.send(json.dumps(HELLO))
                for _ in range(rng.randrange(1, 200)):
                    await socket.send(mutated(rng))
                    n_sent += 1
                    if n_sent % 10 == 0:
                        await drain(socket, codes, 0.02)
                await drain(socket, codes, 0.1)
            except ConnectionClosed:
                await asyncio.sleep(0)
    assert "internal" not in codes, codes
    return f"{n_sent} messages over {n_connections} connections; refusals {dict(codes)}"


async def dropped(n: int = 20) -> str:
    """Connections cut in the middle of speech."""
    for _ in range(n):
        socket = await websockets.connect(f"ws://127.0.0.1:{PORT}/api/live", max_size=2**22)
        await socket.send(json.dumps(HELLO))
        await socket.send(json.dumps({"type": "say", "text": "I shall never end this sentence"}))
        await asyncio.sleep(0.1)
        socket.transport.abort()
    return f"{n} connections cut"


async def slow_reader(seconds: float = 10) -> str:
    """A viewer that asks for pictures and takes none; large receive buffers would hide it, so it stops reading."""
    async with websockets.connect(f"ws://127.0.0.1:{PORT}/api/live", max_queue=1, max_size=2**22) as socket:
        await socket.send(json.dumps(HELLO | {"pictures": True}))
        await asyncio.sleep(seconds)
    return f"{seconds:.0f} s without reading"


async def flood() -> str:
    """Orders as fast as they go."""
    codes, n_sent = Counter[str](), 0
    async with websockets.connect(f"ws://127.0.0.1:{PORT}/api/live", max_size=2**22) as socket:
        await socket.send(json.dumps(HELLO))
        try:
            for _ in range(5000):
                await socket.send(json.dumps({"type": "ping", "id": n_sent}))
                n_sent += 1
            await drain(socket, codes, 5)
        except ConnectionClosed:
            await asyncio.sleep(0)
        assert socket.close_code in (4429, None), socket.close_code
    return f"closed with {socket.close_code} after at most {n_sent} orders"


async def requests() -> str:
    """Paths that lead out, a bomb of an upload, bodies that are none."""
    answers = Counter[int]()
    bomb = b"POST /api/sessions/x/sound HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Length: 9000000000\r\n\r\n" % PORT
    for start in (
        b"GET /api/avatars/../../../etc/passwd HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n" % PORT,
        b"GET /api/avatars/%%2e%%2e%%2f%%2e%%2e%%2fetc/web/passwd HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n" % PORT,
        b"GET /..%%2f..%%2fetc%%2fpasswd HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n" % PORT,
        b"POST /api/sessions HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Length: 3\r\n\r\n{x}" % PORT,
        b"\x16\x03\x01 nothing like HTTP\r\n\r\n",
        bomb + b"\0" * 100_000,
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
        writer.write(start)
        head = await asyncio.wait_for(reader.read(4096), 10)
        answers[int(head.split()[1])] += 1
        assert b"root:" not in head
        writer.close()
    assert all(400 <= status < 500 for status in answers), answers
    return f"statuses {dict(answers)}"


async def soak(n_messages: int, seed: int) -> bool:
    """All faults, one after the other, beside one good session."""
    watcher = Watcher()
    watching = asyncio.create_task(watcher.run())
    await asyncio.sleep(2)
    began_s, n_before = time.monotonic(), watcher.n_frames
    for name, fault in (
        ("dropped connections", dropped()),
        ("random and mutated messages", garbage(n_messages, seed)),
        ("flood", flood()),
        ("slow reader", slow_reader()),
        ("requests", requests()),
    ):
        print(f"{name:30s} {await fault}", flush=True)
    share = (watcher.n_frames - n_before) / (25 * (time.monotonic() - began_s))
    fine = not watching.done() and share > 0.9
    print(f"{'the good session':30s} {share:.1%} of its frames, longest gap {1e3 * watcher.longest_s:.0f} ms")
    watching.cancel()
    return fine


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with server():
        sys.exit(0 if asyncio.run(soak(options.messages, options.seed)) else 1)


if __name__ == "__main__":
    main()
