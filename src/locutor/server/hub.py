"""All sessions of a server, who is in control of each, and when one ends."""

from __future__ import annotations

import asyncio
import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from locutor.core.clock import FPS, SAMPLE_RATE, SAMPLES_PER_FRAME
from locutor.live.ahead import AheadOfTime
from locutor.live.latency import Latencies
from locutor.live.session import Session, Synthesize
from locutor.live.sound_line import KEPT_RATE
from locutor.live.viewer import Viewer
from locutor.provenance.revocation import require_consent
from locutor.server.config import ServerConfig
from locutor.server.crew import Crew
from locutor.server.gallery import Exhibit, Gallery
from locutor.server.protocol import PROTOCOL, Limits, Ready
from locutor.server.rate import Buckets
from locutor.server.refusal import RefusalError
from locutor.splat.engine import usable_cores

SWEEP_S = 1.0


@dataclass(eq=False)
class Seat:
    """One viewer of a room.

    Attributes:
        viewer: its queue.
        task: of its connection, to end it.
        sending_since_s: when the message that is being sent was begun; None between messages.
    """

    viewer: Viewer
    task: asyncio.Task[object] | None
    sending_since_s: float | None = None


@dataclass(eq=False)
class Room:
    """A session and its viewers.

    Attributes:
        id: a secret: who knows it may watch.
        exhibit: who is shown.
        session: what is shown.
        seats: the viewers.
        owner: the seat that may speak and interrupt.
        empty_since_s: when the last viewer left; None while there are viewers.
    """

    id: str
    exhibit: Exhibit
    session: Session
    seats: list[Seat] = field(default_factory=list)
    owner: Seat | None = None
    empty_since_s: float | None = None


class Hub:
    """The rooms of a server, or of one of its processes."""

    def __init__(self, gallery: Gallery, config: ServerConfig, speak: Synthesize, crew: Crew | None = None) -> None:
        """Args:
        gallery: who can be shown.
        config: limits, of all processes together.
        speak: text and voice to sound.
        crew: the other processes of this server; none if None.
        """
        self.gallery, self.config, self.crew = gallery, config, crew or Crew()
        self.rooms: dict[str, Room] = {}
        self.latencies = Latencies()
        self.refusals: dict[str, int] = {}
        share = 1 / self.crew.count  # an address that comes to all processes gets as much as from one
        self.requests = Buckets(share * config.limits.requests_per_s, max(1.0, share * config.limits.request_burst))
        self.n_sessions_ever = 0
        self.messages_sent = self.frames_dropped = self.bytes_sent = 0
        self.drawing = 0
        self.drawers = ThreadPoolExecutor(usable_cores(), "draw")
        self._speak = speak
        self._ahead = AheadOfTime()
        self._seeds = itertools.count(self.crew.index, self.crew.count)
        self._sweeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to look after the rooms."""
        self._sweeper = asyncio.create_task(self._sweep())

    async def stop(self) -> None:
        """End every session."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        for room in list(self.rooms.values()):
            await self.close(room)
        self.drawers.shutdown(wait=False, cancel_futures=True)
        self.gallery.close()

    async def open(self, avatar: str) -> Room:
        """A new session of an avatar.

        Raises:
            RefusalError: unknown avatar, or there are too many sessions.
            ConsentError: the person's consent has expired or was revoked.
        """
        exhibit = self.gallery.find(avatar)
        require_consent(exhibit.live.avatar.provenance.consent, exhibit.id)  # it may have ended since the server began
        limits = self.config.limits
        if not self.crew.take("sessions", limits.sessions):
            raise RefusalError("too_many_sessions", f"{limits.sessions} sessions are running", "try again in a minute")
        session = Session(
            exhibit.live,
            seed=next(self._seeds),
            speak=self._speak,
            queue_s=limits.queued_s,
            latencies=Latencies(self.latencies),
            ahead=self._ahead,
        )
        room = Room(self.crew.new_id(), exhibit, session, empty_since_s=time.monotonic())
        self.rooms[room.id] = room
        self.n_sessions_ever += 1
        await session.__aenter__()
        return room

    async def close(self, room: Room) -> None:
        """End a session; its viewers see the end of their queues."""
        if self.rooms.pop(room.id, None) is not None:
            self.crew.give("sessions")
            await room.session.__aexit__(None, None, None)

    def find(self, id: str) -> Room:
        """The session of that id.

        Raises:
            RefusalError: there is none (any more).
        """
        room = self.rooms.get(id)
        if room is None:
            raise RefusalError("unknown_session", "there is no such session, or it has ended", "open another one")
        return room

    def sit(self, room: Room, task: asyncio.Task[object] | None = None, may_own: bool = False) -> Seat:
        """A new viewer; in control if nobody is and it may.

        Raises:
            RefusalError: there are too many viewers.
        """
        if len(room.seats) >= self.config.limits.viewers:
            raise RefusalError("too_many_sessions", f"{len(room.seats)} viewers watch this session", "open your own")
        seat = Seat(room.session.watch(), task)
        room.seats.append(seat)
        room.empty_since_s = None
        if may_own and room.owner is None:
            room.owner = seat
        return seat

    def leave(self, room: Room, seat: Seat) -> None:
        """A viewer goes."""
        room.session.leave(seat.viewer)
        self.frames_dropped += seat.viewer.dropped
        if seat in room.seats:
            room.seats.remove(seat)
        if room.owner is seat:
            room.owner = None
        if not room.seats:
            room.empty_since_s = time.monotonic()

    def ready(self, room: Room, seat: Seat) -> Ready:
        """The answer to a viewer's hello."""
        limits, entry, live = self.config.limits, room.exhibit.entry(), room.exhibit.live
        return Ready(
            protocol=PROTOCOL,
            session=room.id,
            role="control" if room.owner is seat else "watch",
            avatar=room.exhibit.id,
            epoch=room.session.epoch,
            frame=room.session.frame,
            sample_rate=SAMPLE_RATE,
            sound_rate=KEPT_RATE,
            heard_rate=SAMPLE_RATE,
            fps=FPS,
            samples_per_frame=SAMPLES_PER_FRAME,
            n_coefficients=live.n_coefficients,
            look_ahead_ms=1e3 * live.look_ahead / SAMPLE_RATE,
            width=entry.width,
            height=entry.height,
            web=entry.web,
            synthetic=True,
            limits=Limits(
                text_characters=limits.text_characters,
                queued_s=limits.queued_s,
                upload_bytes=limits.upload_bytes,
                upload_s=limits.upload_s,
                messages_per_s=limits.messages_per_s,
                message_bytes=limits.message_bytes,
            ),
        )

    def count_refusal(self, refusal: RefusalError) -> None:
        """For the metrics."""
        self.refusals[refusal.code] = self.refusals.get(refusal.code, 0) + 1

    async def _sweep(self) -> None:
        """Let go of viewers that take nothing, and end sessions that nobody watches."""
        while True:
            await asyncio.sleep(SWEEP_S)
            now_s, limits = time.monotonic(), self.config.limits
            for room in list(self.rooms.values()):
                for seat in room.seats:
                    since = seat.sending_since_s
                    if seat.task is not None and since is not None and now_s - since > limits.stuck_s:
                        seat.task.cancel()
                if room.empty_since_s is not None and now_s - room.empty_since_s > limits.absent_s:
                    await self.close(room)
