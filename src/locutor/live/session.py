"""A session: a face that listens to sound, text and interruptions, and shows frames on one media clock."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Literal

from jaxtyping import Float32
from numpy import ndarray

from locutor.core.clock import FPS, SAMPLE_RATE, frame_start_sample
from locutor.core.errors import LocutorError
from locutor.live.ahead import AheadOfTime
from locutor.live.clock import Clock, WallClock
from locutor.live.latency import Latencies
from locutor.live.live_avatar import LiveAvatar
from locutor.live.timeline import QUEUE_S, LiveFrame, Timeline
from locutor.live.viewer import MOST_FRAMES, Change, Failure, Viewer
from locutor.speech.espeak import synthesize
from locutor.speech.phonemes import Speech, SpeechError

STALL_S = 0.5  # after a longer standstill frames go on from then, instead of all that were missed at once
REST_FRAMES = 10  # without sound before `rests` is said; shorter gaps are late packets
MOST_TEXTS = 50
REPORT_S = 2.0  # a viewer's report of what it played counts for that long

Synthesize = Callable[[str, str], Speech]
_BETWEEN_SENTENCES = re.compile(r"(?<=[.!?…])(?=[\s])|(?<=[.!?…][\"'”’)])(?=\s)|(?<=[。！？])|\n+")


def sentences(text: str) -> list[str]:
    """The text in pieces that can be spoken one by one; pieces without a letter or digit join the one before."""
    pieces: list[str] = []
    for piece in _BETWEEN_SENTENCES.split(text):
        if pieces and not any(c.isalnum() for c in piece):
            pieces[-1] += piece.rstrip()
        else:
            pieces.append(piece.strip())
    return [piece for piece in pieces if piece]


@dataclass(frozen=True)
class _Text:
    text: str
    voice: str
    id: str
    epoch: int


class Session:
    """Push sound and text in, take frames out. Used in one event loop, as an asynchronous context manager.

        async with Session(live) as session:
            session.push_text("Hello.")
            async for frame in session.frames():
                ...

    Several viewers may watch (`watch`). Frames come 25 times a second, with idle motion where nothing is said.
    """

    def __init__(
        self,
        live: LiveAvatar,
        seed: int = 0,
        clock: Clock | None = None,
        speak: Synthesize = synthesize,
        queue_s: float = QUEUE_S,
        latencies: Latencies | None = None,
        ahead: AheadOfTime | None = None,
    ) -> None:
        """Args:
        live: who it is.
        seed: of head movement and blinks.
        clock: where time comes from; the machine's if None.
        speak: text and voice to sound; runs in a thread.
        queue_s: seconds of sound that may wait.
        latencies: where durations are counted; its own if None.
        ahead: who makes frames before they are due; one for all sessions of an event loop, its own if None.
        """
        self.live = live
        self.latencies = latencies or Latencies()
        self._clock: Clock = clock or WallClock()
        self._timeline = Timeline(live, seed, queue_s)
        self._ahead = ahead or AheadOfTime()
        self._speak = speak
        self._queue_s = queue_s
        self._viewers: list[Viewer] = []
        self._texts: deque[_Text] = deque()
        self._text_came = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._silent_frames = REST_FRAMES  # since the last sound
        self._reported: tuple[int, int, float] | None = None  # epoch, sample, when
        self._start_s = 0.0

    async def __aenter__(self) -> Session:
        self._start_s = self._clock.now_s()
        self._tasks = [asyncio.create_task(self._pace()), asyncio.create_task(self._speak_texts())]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
        for viewer in list(self._viewers):
            viewer.close()

    @property
    def epoch(self) -> int:
        """Interruptions so far."""
        return self._timeline.epoch

    @property
    def frame(self) -> int:
        """Index of the frame that is given next."""
        return self._timeline.next_frame_index

    @property
    def queued_s(self) -> float:
        """Seconds of sound that were not given out yet, without texts that are not synthesised."""
        return self._timeline.queued_s

    def push_audio(self, samples: Float32[ndarray, " n"], sample_rate: int = SAMPLE_RATE) -> None:
        """Sound to speak after what waits: mono, -1..1, any number of samples; 16 kHz has the least latency.

        Raises:
            SoundError: too much sound waits, or the rate is impossible.
        """
        self._timeline.push(samples, sample_rate, self._clock.now_s())

    def end_audio(self) -> None:
        """The stream of `push_audio` ends here: its end is spoken at once."""
        self._timeline.end()

    def push_text(self, text: str, voice: str = "en-us", id: str = "") -> None:
        """A text to speak after what waits; synthesised sentence by sentence in a thread.

        Errors of the synthesis reach the viewers as `Failure`.

        Raises:
            SpeechError: too many texts wait.
        """
        if len(self._texts) >= MOST_TEXTS:
            raise SpeechError(f"{MOST_TEXTS} texts wait already", "send it when some were spoken")
        self._texts.append(_Text(text, voice, id, self.epoch))
        self._text_came.set()

    def interrupt(self) -> Change:
        """Be silent now. Raises the epoch; whatever belongs to an older one is dropped at every stage.

        The mouth is closed two frames later. `played_s` of the answer says how much of the epoch's sound was heard.
        """
        played_s = self.played_s()
        self._texts.clear()
        self._timeline.interrupt()
        for viewer in self._viewers:
            viewer.drop_older(self.epoch)
        self._silent_frames = REST_FRAMES
        change = Change("interrupted", self.epoch, frame_start_sample(self.frame), 0.0, played_s)
        self._tell(change)
        return change

    def adjust(self, controls: Float32[ndarray, " n"], head_turn: Float32[ndarray, " 3"]) -> None:
        """Hold an expression (standardised controls) and a turn of the head (rotation vector, rad); zeros for none."""
        self._timeline.adjust(controls, head_turn)

    def report_played(self, epoch: int, sample: int) -> None:
        """A viewer says up to which media sample its loudspeaker has come."""
        self._reported = (epoch, min(sample, frame_start_sample(self.frame)), self._clock.now_s())

    def played_s(self) -> float:
        """Seconds of this epoch's sound that were really played: as reported, else as given out."""
        now_s, epoch = self._clock.now_s(), self.epoch
        if self._reported is not None and self._reported[0] == epoch and now_s - self._reported[2] < REPORT_S:
            ahead = round((now_s - self._reported[2]) * SAMPLE_RATE)
            return self._timeline.spoken_s(epoch, min(self._reported[1] + ahead, frame_start_sample(self.frame)))
        return self._timeline.spoken_s(epoch, round((now_s - self._start_s) * SAMPLE_RATE))

    def watch(self, most_frames: int = MOST_FRAMES) -> Viewer:
        """A new viewer: from the next frame on. End with `leave`."""
        viewer = Viewer(most_frames)
        self._viewers.append(viewer)
        return viewer

    def leave(self, viewer: Viewer) -> None:
        """Stop filling a viewer's queue."""
        if viewer in self._viewers:
            self._viewers.remove(viewer)
        viewer.close()

    async def frames(self) -> AsyncIterator[LiveFrame]:
        """The frames alone, for one who wants nothing else."""
        viewer = self.watch()
        try:
            async for item in viewer:
                if isinstance(item, LiveFrame):
                    yield item
        finally:
            self.leave(viewer)

    async def _pace(self) -> None:
        clock, timeline = self._clock, self._timeline
        while True:
            due_s = self._start_s + timeline.next_frame_index / FPS
            await clock.sleep_until(due_s)
            late_s = clock.now_s() - due_s
            if late_s > STALL_S:
                self._start_s += late_s
            began_s = clock.now_s()
            frame = timeline.next_frame()
            ended_s = clock.now_s()
            self.latencies.add("late", late_s)
            self.latencies.add("motion", ended_s - began_s)
            if frame.arrived_s is not None:
                self.latencies.add("wait", ended_s - frame.arrived_s)
            self._say_changes(frame)
            for viewer in self._viewers:
                viewer.put(frame)
            if timeline.can_prepare:
                self._ahead.ask(timeline, self._start_s + timeline.lasts_until / FPS)

    def _say_changes(self, frame: LiveFrame) -> None:
        was_resting = self._silent_frames >= REST_FRAMES
        self._silent_frames = 0 if frame.speaking else self._silent_frames + 1
        if frame.speaking and was_resting:
            self._tell(self._change("speaks", frame.sample))
        elif self._silent_frames == REST_FRAMES:
            self._tell(self._change("rests", frame.sample))

    def _change(self, why: Literal["speaks", "rests", "said"], sample: int, id: str = "") -> Change:
        return Change(why, self.epoch, sample, self.queued_s, self.played_s(), id)

    def _tell(self, item: Change | Failure) -> None:
        for viewer in self._viewers:
            viewer.put(item)

    async def _speak_texts(self) -> None:
        while True:
            while not self._texts:
                self._text_came.clear()
                await self._text_came.wait()
            order = self._texts.popleft()
            try:
                await self._speak_text(order)
            except LocutorError as error:
                self._tell(Failure(error, order.id))

    async def _speak_text(self, order: _Text) -> None:
        for number, sentence in enumerate(sentences(order.text)):
            began_s = self._clock.now_s()
            speech = await asyncio.to_thread(self._speak, sentence, order.voice)
            self.latencies.add("speech", self._clock.now_s() - began_s)
            while self.queued_s + speech.duration_s > self._queue_s / 2 and order.epoch == self.epoch and self.queued_s:
                await self._clock.sleep_until(self._clock.now_s() + 1 / FPS)
            if order.epoch != self.epoch:
                return
            if number == 0:
                self._tell(self._change("said", frame_start_sample(self.frame), order.id))
            self._timeline.push(speech.samples, speech.sample_rate, self._clock.now_s())
            self._timeline.end()
