"""Misuse a server for as long as one likes; it must stay up, refuse with typed errors, and serve others as before.

    python tools/soak_server.py [--messages 10000] [--seed 0] [--processes 2]

The server has several processes and wants a token. Prints one line per fault, with what it did to a good session that
goes on beside it; exits 1 if that session was disturbed, an answer was not typed, or the server died.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import random
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import numpy as np
import soundfile
import websockets
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks.live import PORT, server

from locutor.server import packets
from locutor.server.protocol import FROM_SERVER, PROTOCOL, Refused
from locutor.server.tokens import make_pass

TOKEN = "a token for the soak of faults"
LIVE = f"ws://127.0.0.1:{PORT}/api/live"
HELLO = {"type": "hello", "protocol": PROTOCOL, "avatar": "demo", "motion": True, "token": TOKEN}
LONGEST_GAP_S = 2.0  # of the good session's frames, on a machine that others use too
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
        self.begin()

    def begin(self) -> None:
        """Count from here on."""
        self.n_frames, self.longest_s = 0, 0.0
        self.began_s = self.last_s = time.monotonic()

    @property
    def share(self) -> float:
        """Of the frames that were due."""
        return self.n_frames / max(1.0, 25 * (time.monotonic() - self.began_s))

    async def run(self) -> None:
        async with websockets.connect(LIVE, max_size=2**22) as socket:
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
        async with websockets.connect(LIVE, max_size=2**22) as socket:
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


async def joined(**fields: object) -> ClientConnection:
    """A connection after hello, whatever the answer is."""
    socket = await websockets.connect(LIVE, max_size=2**22)
    await socket.send(json.dumps(HELLO | fields))
    return socket


async def refusal(socket: ClientConnection, wait_s: float = 5) -> tuple[str, int | None]:
    """The code of the first refusal, and that of the close if one follows."""
    code = ""
    try:
        async with asyncio.timeout(wait_s):
            async for message in socket:
                if isinstance(message, str) and isinstance(said := FROM_SERVER.validate_json(message), Refused):
                    code = said.code
                    if not said.fatal:
                        break
    except (TimeoutError, ConnectionClosed):
        return code, socket.close_code
    return code, None


async def dropped(n: int = 20) -> str:
    """Connections cut in the middle of speech."""
    for _ in range(n):
        socket = await joined()
        await socket.send(json.dumps({"type": "say", "text": "I shall never end this sentence"}))
        await asyncio.sleep(0.1)
        socket.transport.abort()
    return f"{n} connections cut"


async def slow_reader(seconds: float = 20) -> str:
    """A viewer that asks for pictures and takes none: it is let go."""
    reader, writer = await asyncio.open_connection("127.0.0.1", PORT, limit=4096)
    writer.write(
        b"GET /api/live HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: bG9jdXRvciBsb2N1dG9yIQ==\r\nSec-WebSocket-Version: 13\r\n\r\n" % PORT
    )
    await reader.readuntil(b"\r\n\r\n")
    hello = json.dumps(HELLO | {"pictures": True}).encode()
    writer.write(bytes([0x81, 0x80 | 126]) + len(hello).to_bytes(2, "big") + b"\0\0\0\0" + hello)
    await asyncio.sleep(seconds)
    writer.close()
    return f"{seconds:.0f} s without reading"


async def flood() -> str:
    """Orders as fast as they go."""
    codes, n_sent = Counter[str](), 0
    async with await joined() as socket:
        try:
            for _ in range(5000):
                await socket.send(json.dumps({"type": "ping", "id": n_sent}))
                n_sent += 1
            await drain(socket, codes, 5)
        except ConnectionClosed:
            await asyncio.sleep(0)
        assert socket.close_code in (4429, None), socket.close_code
    return f"closed with {socket.close_code} after at most {n_sent} orders"


async def two_clients(n: int = 10) -> str:
    """Others who come to a session, at whatever process: they watch, and do not speak."""
    async with await joined() as owner:
        ready = json.loads(await owner.recv())
        codes = Counter[str]()
        for _ in range(n):
            async with await joined(session=ready["session"], avatar=None) as other:
                role = json.loads(await other.recv())["role"]
                assert role == "watch", role
                await other.send(json.dumps({"type": "interrupt"}))
                codes[(await refusal(other))[0]] += 1
        assert codes == {"not_in_control": n}, codes
    return f"{n} came and spoke: {dict(codes)}"


async def tokens() -> str:
    """None, a wrong one, and one whose time is over."""
    found = []
    for token in (None, "a token for the soak of faultz", make_pass(TOKEN, 0), make_pass("another owner", 600)):
        async with await joined(token=token) as socket:
            found.append(await refusal(socket))
    assert set(found) == {("unauthorized", 4401)}, found
    async with await joined(token=make_pass(TOKEN, 60)) as socket:
        assert json.loads(await socket.recv())["type"] == "ready"
    return f"{len(found)} refused with 4401, a fresh pass let in"


async def asked(request: str, *body: bytes) -> tuple[int, str]:
    """Status and error code of one HTTP request; `body` is what follows the headers as it stands."""
    reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
    head = f"{request}\r\nHost: 127.0.0.1:{PORT}\r\nAuthorization: Bearer {TOKEN}\r\n"
    writer.write(head.encode() + (body[0] if body else b"\r\n"))
    with suppress(ConnectionError):
        for piece in body[1:]:
            writer.write(piece)
            await writer.drain()
    answer = b""
    with suppress(TimeoutError, ConnectionError):
        async with asyncio.timeout(10):
            while b"}" not in answer.partition(b"\r\n\r\n")[2] and (piece := await reader.read(4096)):
                answer += piece
    writer.close()
    assert b"root:" not in answer
    found = answer.partition(b"\r\n\r\n")[2].strip()
    return int(answer.split()[1]), json.loads(found)["code"] if found.startswith(b"{") else ""


async def paths() -> str:
    """Paths that lead out, bodies that are none."""
    answers = Counter[tuple[int, str]]()
    for request in (
        "GET /api/avatars/../../../etc/passwd HTTP/1.1",
        "GET /api/avatars/%2e%2e%2f%2e%2e%2fetc/web/passwd HTTP/1.1",
        "GET /api/avatars/demo/web/..%2f..%2f..%2fetc%2fpasswd HTTP/1.1",
        "GET /..%2f..%2fetc%2fpasswd HTTP/1.1",
        "POST /api/sessions/../../etc/passwd/say HTTP/1.1",
        "POST /api/sessions/1.%2e%2e%2f/say HTTP/1.1",
        "GET /api/figures HTTP/1.1",
    ):
        answers[await asked(request)] += 1
    answers[await asked("POST /api/sessions HTTP/1.1", b"Content-Length: 3\r\n\r\n{x}")] += 1
    assert all(400 <= status < 500 and code for status, code in answers), answers
    reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
    writer.write(b"\x16\x03\x01 nothing like HTTP\r\n\r\n")
    answers[int((await reader.read(200)).split()[1]), "no HTTP"] += 1
    writer.close()
    return str({f"{status} {code}": n for (status, code), n in answers.items()})


async def bombs() -> str:
    """Uploads that are huge, endless, or small and hours long."""
    silence = io.BytesIO()
    soundfile.write(silence, np.zeros(3600 * 8000, np.int16), 8000, format="FLAC")
    hour = silence.getvalue()
    found = {}
    async with await joined() as owner:
        session = json.loads(await owner.recv())["session"]
        listening = asyncio.create_task(drain(owner, Counter(), 60))
        post = f"POST /api/sessions/{session}/sound HTTP/1.1"
        piece = b"10000\r\n" + bytes(0x10000) + b"\r\n"
        for name, *body in (
            ("9 GB announced", b"Content-Length: 9000000000\r\n\r\n", *[bytes(0x10000)] * 400),
            ("without end", b"Transfer-Encoding: chunked\r\n\r\n", *[piece] * 400),
            (f"an hour in {len(hour) // 1024} kB", b"Content-Length: %d\r\n\r\n" % len(hour), hour),
        ):
            found[name] = await asked(post, *body)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
    assert set(found.values()) == {(413, "too_large")}, found
    return f"{', '.join(found)}: 413 too_large"


async def soak(n_messages: int, seed: int) -> bool:
    """All faults, one after the other, beside one good session."""
    watcher, fine = Watcher(), True
    watching = asyncio.create_task(watcher.run())
    await asyncio.sleep(2)
    for name, fault in (
        ("connections dropped mid-speech", dropped()),
        ("random and mutated messages", garbage(n_messages, seed)),
        ("a flood of orders", flood()),
        ("a slow reader", slow_reader()),
        ("two clients on one session", two_clients()),
        ("expired and wrong tokens", tokens()),
        ("path traversal", paths()),
        ("bombs of uploads", bombs()),
    ):
        watcher.begin()
        found = await fault
        beside = f"{watcher.share:.0%}, longest gap {1e3 * watcher.longest_s:.0f} ms"
        print(f"| {name} | {found} | {beside} |", flush=True)
        fine &= not watching.done() and watcher.longest_s < LONGEST_GAP_S
    watching.cancel()
    return fine


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    with server(processes=options.processes, token=TOKEN):
        fine = asyncio.run(soak(options.messages, options.seed))
    print("nobody else was disturbed" if fine else "the good session was disturbed")
    sys.exit(0 if fine else 1)


if __name__ == "__main__":
    main()
