"""Latency and capacity of live sessions, as a table and as JSON.

    python -m benchmarks.live [--json FILE] [--only latency,interrupt,sessions,hour] [--sessions 100] [--seconds 60]
        [--processes 2] [--spoken 1]

The server runs in processes of its own; it and its viewers share the machine, as a kiosk's would.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import resource
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from importlib import resources
from pathlib import Path

import numpy as np
import soxr
import websockets
from benchmarks import machine
from benchmarks.run import line, record
from benchmarks.timing import Figure
from scipy.signal import fftconvolve
from websockets.asyncio.client import ClientConnection

from locutor.core.clock import FPS, SAMPLE_RATE
from locutor.core.face import MOUTH_SLICE
from locutor.core.motion import Motion
from locutor.drive.voice import lip_gap
from locutor.live.clock import VirtualClock
from locutor.live.live_avatar import LiveAvatar
from locutor.live.session import Session
from locutor.live.sound_line import KEPT_RATE
from locutor.live.timeline import LiveFrame
from locutor.media.audio import read_audio
from locutor.server import packets
from locutor.server.config import ServerConfig, ServerLimits
from locutor.server.protocol import PROTOCOL

PORT = int(os.environ.get("LOCUTOR_BENCH_PORT", "8765"))
CHUNK = SAMPLE_RATE // 50
LAGS = 5  # frames
STILL = 1e-3  # inter-ocular units: lips that hardly move tell no offset
PERFORMER = ("demo", Path(str(resources.files("locutor.actors") / "embedded" / "performer.avatar")))


def _serve(port: int, processes: int, token: str) -> None:
    from locutor.server.serve import serve

    limits = ServerLimits(sessions=500, drawn=64, queued_s=200.0, requests_per_s=1e6, request_burst=1e6)
    serve([PERFORMER], ServerConfig(port=port, processes=processes, token=token, limits=limits))


@contextmanager
def server(port: int = PORT, processes: int = 1, token: str = "") -> Iterator[int]:
    """A server in a process of its own, with more below it if wanted; gives its process id."""
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(port, processes, token))
    process.start()
    try:
        asyncio.run(_until_up(port, token))
        assert process.pid is not None
        yield process.pid
    finally:
        process.terminate()
        process.join()


async def _until_up(port: int, token: str) -> None:
    for _ in range(600):
        try:
            async with connected(port, token=token or None):
                return
        except OSError:
            await asyncio.sleep(0.1)
    raise TimeoutError("the server does not come up")


@asynccontextmanager
async def connected(port: int = PORT, **wanted: bool | str | None) -> AsyncIterator[ClientConnection]:
    """A session of one's own, after hello."""
    async with websockets.connect(f"ws://127.0.0.1:{port}/api/live", compression=None, max_size=2**22) as socket:
        await socket.send(json.dumps({"type": "hello", "protocol": PROTOCOL, "avatar": "demo", **wanted}))
        ready = json.loads(await socket.recv())
        assert ready["type"] == "ready", ready
        yield socket


def speech(seconds: float) -> np.ndarray:
    """Some speech: a real recording where there is one, else espeak-ng."""
    media = os.environ.get("LOCUTOR_MEDIA")
    path = Path(media or "") / "audio" / "english_60s.wav"
    if path.is_file():
        sound = read_audio(path)
    else:
        from locutor.speech.espeak import synthesize

        said = synthesize("The quick brown fox jumps over the lazy dog, and then it sleeps. " * 4, "en-us")
        sound = soxr.resample(said.samples, said.sample_rate, SAMPLE_RATE)
    return np.tile(sound, 1 + int(seconds * SAMPLE_RATE) // len(sound))[: int(seconds * SAMPLE_RATE)]


def packet(samples: np.ndarray) -> bytes:
    return packets.encode(packets.SoundPacket(0, 0, np.round(32767 * samples).astype(np.int16)))


async def _sound_to_picture(seconds: float) -> tuple[np.ndarray, float]:
    """Seconds from the arrival of a frame's first sound to its picture, and to the first picture of speech.

    The client sends 20 ms pieces in real time and remembers when; which sound a frame holds is told by the sound that
    comes back with it: its place in what was sent.
    """
    sound = speech(seconds)
    sent_s: list[float] = []
    async with connected(pictures=True, motion=False) as socket:
        await _quiet(socket, 1.0)

        async def send() -> None:
            began_s = time.monotonic()
            for k, start in enumerate(range(0, len(sound) - CHUNK, CHUNK)):
                await asyncio.sleep(max(0.0, began_s + k / 50 - time.monotonic()))
                sent_s.append(time.monotonic())
                await socket.send(packet(sound[start : start + CHUNK]))

        sending = asyncio.create_task(send())
        heard: dict[int, np.ndarray] = {}
        drawn_s: dict[int, float] = {}
        while not sending.done() or not heard or max(heard) > max(drawn_s, default=0):
            message = await asyncio.wait_for(socket.recv(), 5)
            if isinstance(message, bytes):
                for item in packets.decode(message):
                    match item:
                        case packets.SoundPacket():
                            heard[item.sample] = item.pcm
                        case packets.PicturePacket():
                            drawn_s[item.sample] = time.monotonic()
        await sending
    waits = []
    for sample, pcm in heard.items():
        place = _place(sound, pcm)
        if sample in drawn_s and place is not None:
            waits.append(drawn_s[sample] - sent_s[place // CHUNK])
    return np.array(waits), min(drawn_s[at] for at in heard if at in drawn_s) - sent_s[0]


def _place(sound: np.ndarray, pcm: np.ndarray) -> int | None:
    """Where in what was sent a frame's sound comes from, by its shape; None where it is too quiet to tell."""
    piece = np.interp(np.arange(0, len(pcm), KEPT_RATE / SAMPLE_RATE), np.arange(len(pcm)), pcm / 32768)
    if np.abs(piece).max() < 0.03:
        return None
    products = fftconvolve(sound, piece[::-1], mode="valid")
    energy = np.convolve(sound**2, np.ones(len(piece)), mode="valid")
    likeness = products / np.sqrt(np.maximum(energy, 1e-6) * (piece**2).sum())
    return int(likeness.argmax()) if likeness.max() > 0.9 else None


async def _quiet(socket: ClientConnection, seconds: float) -> int:
    """Listen without looking; the number of binary messages."""
    end_s, n_messages = time.monotonic() + seconds, 0
    while time.monotonic() < end_s:
        n_messages += isinstance(await socket.recv(), bytes)
    return n_messages


def latency_figures(seconds: float = 20.0) -> Iterator[Figure]:
    with server():
        waits, first_s = asyncio.run(_sound_to_picture(seconds))
        p50, p95 = 1e3 * np.percentile(waits, [50, 95])
        note = f"at most 180; {len(waits)} frames at 512x512, JPEG, 20 ms pieces, look-ahead 112.5 ms in it"
        yield Figure("sound in to its frame out, p50", float(p50), "ms", note=note)
        yield Figure("sound in to its frame out, p95", float(p95), "ms", note="at most 250")
        yield Figure("first sound to first frame of it", 1e3 * first_s, "ms", note="at most 300")


async def _interrupts(n: int) -> np.ndarray:
    """Seconds from `interrupt` to the first frame with a closed mouth."""
    times = []
    sound = speech(3.0)
    async with connected() as socket:
        for _ in range(n):
            for start in range(0, len(sound), 6400):
                await socket.send(packet(sound[start : start + 6400]))
            await _quiet(socket, 1.2)
            told_s = time.monotonic()
            await socket.send(json.dumps({"type": "interrupt"}))
            rows: list[tuple[float, int]] = []
            while len(rows) < 25:
                message = await socket.recv()
                if isinstance(message, str):
                    continue
                now_s, frames = time.monotonic(), packets.decode(message)
                rows += [(now_s, frame.epoch) for frame in frames if isinstance(frame, packets.MotionPacket)]
            of_epoch = [at_s for at_s, epoch in rows if epoch == rows[-1][1]]
            times.append(of_epoch[1] - told_s)  # the second frame is closed: tests/live holds the server to that
            await _quiet(socket, 1.0)
    return np.array(times)


def interrupt_figures() -> Iterator[Figure]:
    with server():
        times = asyncio.run(_interrupts(15))
        yield Figure("interrupt to closed mouth, p50", 1e3 * float(np.median(times)), "ms", note="at most 120")
        yield Figure("interrupt to closed mouth, longest of 15", 1e3 * float(times.max()), "ms")


def _of_all(figure: Callable[[int], float], pid: int) -> float:
    """Sum over a process and those below it."""
    below = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return figure(pid) + sum(_of_all(figure, int(child)) for child in below)


def _memory_kb(pid: int) -> int:
    for text in Path(f"/proc/{pid}/status").read_text().splitlines():
        if text.startswith("VmRSS"):
            return int(text.split()[1])
    return 0


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def session_figures(n: int, seconds: float, processes: int, spoken_share: float = 1.0) -> Iterator[Figure]:
    """Sessions that the browser draws, watched from a process of its own (`benchmarks.viewers`)."""
    with server(processes=processes) as pid:
        before_kb, cpu_s = _of_all(_memory_kb, pid), _of_all(_cpu_s, pid)
        peak_kb, began_s = before_kb, time.monotonic()
        words = [str(word) for word in (PORT, n, seconds, spoken_share)]
        with subprocess.Popen([sys.executable, "-m", "benchmarks.viewers", *words], stdout=subprocess.PIPE) as viewers:
            while viewers.poll() is None:
                time.sleep(1)
                peak_kb = max(peak_kb, _of_all(_memory_kb, pid))
            assert viewers.stdout is not None
            found = json.loads(viewers.stdout.read().splitlines()[-1])
        cpu_s, took_s = _of_all(_cpu_s, pid) - cpu_s, time.monotonic() - began_s
    sessions = found["sessions"]
    label = f"{processes} processes, {spoken_share:.0%} speaking, load average {os.getloadavg()[0]:.1f}"
    n_frames = sum(session["frames"] for session in sessions)
    fewest = min(session["frames"] for session in sessions) / (FPS * seconds)
    worst_ms = max(session["p99_ms"] for session in sessions)
    rate = sum(session["bytes"] for session in sessions) / n / seconds / 1024
    name = f"{n} sessions of {seconds:.0f} s"
    yield Figure(f"{name}: lateness p99", found["p99_ms"], "ms", note=f"at most 80; p50 {found['p50_ms']:.1f}; {label}")
    yield Figure(f"{name}: p99 of the worst session", worst_ms, "ms", note="at most 80")
    yield Figure(f"{name}: frames of the worst session", 100 * fewest, "% of those due")
    yield Figure(f"{name}: memory of each", (peak_kb - before_kb) / 1024 / n, "MB", note="at most 10")
    yield Figure(f"{name}: cores of the server", cpu_s / took_s, "", note=f"viewers: {found['cpu_s'] / took_s:.2f}")
    yield Figure(f"{name}: CPU time of a frame sent", 1e3 * cpu_s / n_frames, "ms", note="beginnings and all")
    yield Figure(f"{name}: sent to each", rate, "kB/s")
    yield from drawn_figures(1e3 * cpu_s / n_frames)


def drawn_figures(driven_ms: float, n: int = 3, seconds: float = 8.0) -> Iterator[Figure]:
    """What a frame costs that the server draws, and how many it can drive instead."""
    sound = speech(seconds + 4)

    async def watch(pid: int) -> float:
        async with AsyncExitStack() as stack:
            sockets = [await stack.enter_async_context(connected(pictures=True, motion=False)) for _ in range(n)]
            for socket in sockets:
                for start in range(0, len(sound), SAMPLE_RATE):
                    await socket.send(packet(sound[start : start + SAMPLE_RATE]))
            await asyncio.gather(*(_quiet(socket, 2) for socket in sockets))
            before_s = _cpu_s(pid)
            n_pictures = sum(await asyncio.gather(*(_quiet(socket, seconds) for socket in sockets)))
            return (_cpu_s(pid) - before_s) / n_pictures

    with server() as pid:
        cost_ms = 1e3 * asyncio.run(watch(pid))
    yield Figure("a frame of 512x512 that the server draws: CPU time", cost_ms, "ms", note=f"{n} sessions, JPEG")
    yield Figure("sessions that are driven for each that is drawn", cost_ms / driven_ms, "x")


class Telling(LiveAvatar):
    """Puts the opening of the lips before each row, so that the frames of a session tell what they show."""

    def rows(self, motion: Motion, control_offset: np.ndarray | None = None) -> np.ndarray:
        (face,) = motion.require("face")
        return np.column_stack([lip_gap(face[:, MOUTH_SLICE]), super().rows(motion, control_offset)])


def hour_figures(minutes: float = 60.0) -> Iterator[Figure]:
    """An hour of speech and pauses on a virtual clock, in 20 ms pieces that come early and late."""
    from locutor.avatar.bundle import load_avatar

    live = Telling(load_avatar(PERFORMER[1]))
    began_s = time.process_time()
    offsets, n_mute, memory, n_frames = asyncio.run(_hour(live, minutes))
    cpu_s = time.process_time() - began_s
    note = f"at most 40; {len(offsets)} utterances, {n_mute} more are mute; {n_frames} frames, {cpu_s:.0f} s CPU"
    yield Figure(
        "simulated hour: greatest offset of sound and picture", 40 * float(np.abs(offsets).max()), "ms", note=note
    )
    share = float((offsets != 0).mean())
    yield Figure("simulated hour: utterances that are a frame or more off", 100 * share, "%")
    early, late = np.mean(memory[len(memory) // 6 : len(memory) // 3]), np.mean(memory[-len(memory) // 6 :])
    note = "from the second sixth to the last, with what the benchmark itself keeps"
    yield Figure("simulated hour: growth of memory", float(late - early) / 1024, "MB", note=note)


async def _hour(live: LiveAvatar, minutes: float) -> tuple[np.ndarray, int, list[int], int]:
    """For each utterance the frames by which the lips are late; how many do not tell; memory, kB; frames."""
    rng = np.random.default_rng(0)
    material = speech(60.0)
    clock, offsets, memory, n_frames, n_mute = VirtualClock(), [], [], 0, 0
    judge = live.driver.init()
    async with Session(live, clock=clock) as session:
        viewer = session.watch(10**6)
        while clock.now_s() < 60 * minutes:
            start = int(rng.integers(0, len(material) - 6 * SAMPLE_RATE))
            utterance = material[start : start + int(rng.uniform(2, 6) * SAMPLE_RATE)]
            for at in range(0, len(utterance), CHUNK):
                session.push_audio(utterance[at : at + CHUNK])
                await clock.advance(0.02 * rng.uniform(0.5, 1.5) + (0.15 if rng.random() < 0.002 else 0))
            session.end_audio()
            await clock.advance(rng.uniform(1.5, 4))
            frames = [item for item in await viewer.batch() if isinstance(item, LiveFrame)]
            n_frames += len(frames)
            frames = frames[next(k for k, frame in enumerate(frames) if frame.speaking) :]  # as the driver heard it
            sound = np.concatenate([frame.sound for frame in frames])
            heard = soxr.resample(sound, KEPT_RATE, SAMPLE_RATE).astype(np.float32)
            judge, motion = live.driver.step(live.driver.restart(judge), heard)
            offset = _offset(np.array([frame.row[0] for frame in frames]), lip_gap(motion.face[:, MOUTH_SLICE]))
            if offset is None:
                n_mute += 1
            else:
                offsets.append(offset)
            memory.append(_memory_kb(os.getpid()))
    return np.array(offsets), n_mute, memory, n_frames


def _offset(shown: np.ndarray, true: np.ndarray) -> int | None:
    """Frames by which the lips that were shown are behind those of the sound heard with them; None if those rest."""
    n = min(len(shown), len(true))
    inner = true[LAGS : n - LAGS]
    if inner.std() < STILL:
        return None
    likeness = [np.corrcoef(shown[LAGS + lag : n - LAGS + lag], inner)[0, 1] for lag in range(-LAGS, LAGS + 1)]
    return int(np.argmax(likeness)) - LAGS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="write the figures there")
    parser.add_argument("--only", default="", help="chapters with commas between them")
    parser.add_argument("--sessions", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--processes", type=int, default=2, help="of the server, for many sessions")
    parser.add_argument("--spoken", type=float, default=1.0, help="share of the sessions that speak")
    parser.add_argument("--minutes", type=float, default=60.0, help="of the simulated hour")
    options = parser.parse_args()
    chapters: dict[str, Callable[[], Iterator[Figure]]] = {
        "latency": latency_figures,
        "interrupt": interrupt_figures,
        "sessions": lambda: session_figures(options.sessions, options.seconds, options.processes, options.spoken),
        "hour": lambda: hour_figures(options.minutes),
    }
    kept: dict[str, dict[str, object]] = {}
    facts = machine.facts()
    for key in options.only.split(",") if options.only else list(chapters):
        print(f"\n{key}", flush=True)
        for figure in chapters[key]():
            print(line(figure), flush=True)
            kept[figure.name] = record(figure)
    facts["load_average_after"] = machine.facts()["load_average"]
    facts["most_memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if options.json:
        options.json.write_text(json.dumps({"machine": facts, "figures": kept}, indent=1) + "\n")


if __name__ == "__main__":
    main()
