"""One face on one media clock, without any waiting: sound and orders in, frames out, one after the other.

Frame k is shown while samples [640 k, 640 (k + 1)) of media time are heard. The driver runs its look-ahead before that.
Frames are made some at a time where the sound is there (that is cheaper), and made again from the last one that was
given when something comes in between: an interruption, or sound while there was none.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int16
from numpy import ndarray

from locutor.avatar.motion_rows import turned
from locutor.core.clock import FPS, SAMPLE_RATE, SAMPLES_PER_FRAME, frame_start_sample
from locutor.core.face import MOUTH_SLICE
from locutor.core.motion import Motion
from locutor.drive.speak import SpeechState
from locutor.geometry.rotation import matrix_from_rotvec, wxyz_from_matrix
from locutor.live.block import Block
from locutor.live.live_avatar import LiveAvatar
from locutor.live.sound_line import FULL_SCALE, SoundLine

MARGIN = SAMPLE_RATE // 50  # samples in hand beyond the look-ahead when sound begins: pieces may come 20 ms late
MOST_LAG = SAMPLE_RATE  # of sound that comes in real time; when more waits, it is a file
PATIENCE = 4  # frames that the beginning of a sound waits for the rest of its look-ahead
SETTLE = SAMPLE_RATE  # samples of silence after which the driver rests; every mouth has closed by then
AHEAD, AHEAD_SILENT, AHEAD_IDLE = 25, 4, 25  # most frames that are made at once
REMEMBERED = 30 * FPS  # frames whose sound is remembered for the reports of what was played
CLOSING = (0.5, 0.0)  # after an interruption: what remains of the mouth in the first frames; closed within 80 ms
QUEUE_S = 120.0
_SILENCE = np.zeros(960, np.int16)


@dataclass(frozen=True)
class LiveFrame:
    """One frame and its sound.

    Attributes:
        epoch: interruptions before it.
        frame: index; shown from media sample 640 * frame on.
        row: coefficients and pose (`avatar.motion_rows`).
        pcm: its sound, 40 ms at `sound_line.KEPT_RATE`.
        speaking: whether any of the sound is more than filling silence.
        arrived_s: when the first sample of its sound was pushed, where that is known.
    """

    epoch: int
    frame: int
    row: Float32[ndarray, " K14"]
    pcm: Int16[ndarray, " 960"]
    speaking: bool
    arrived_s: float | None

    @property
    def sample(self) -> int:
        """Media time, 16 kHz samples."""
        return frame_start_sample(self.frame)

    @property
    def sound(self) -> Float32[ndarray, " 960"]:
        """The sound, -1..1."""
        return self.pcm.astype(np.float32) / np.float32(FULL_SCALE)


class Timeline:
    """The state of one face."""

    def __init__(self, live: LiveAvatar, seed: int = 0, queue_s: float = QUEUE_S) -> None:
        """Args:
        live: who it is.
        seed: of head movement and blinks.
        queue_s: seconds of sound that may wait.
        """
        self.live = live
        self.epoch = 0
        self.next_frame_index = 0
        self._line = SoundLine(queue_s)
        self._state = live.driver.init(seed)
        self._resting = True
        self._ended = False
        self._waited = 0  # frames that the beginning of a sound has waited
        self._silence = 0  # samples of silence that the driver heard last
        self._slack: deque[int] = deque(maxlen=FPS)  # samples of sound that waited before the last frames
        self._blocks: deque[Block] = deque()  # the first is being given; a second one was made before it is due
        self._shown_face: Float32[ndarray, "120 2"] | None = None
        self._closing: tuple[Float32[ndarray, "58 2"], int] | None = None  # from which mouth, since which frame
        self._offset: Float32[ndarray, " F"] | None = None
        self._turn_wxyz: Float32[ndarray, " 4"] | None = None
        self._spoken = 0  # samples of this epoch's sound in the frames that were given
        self._spoken_by: deque[tuple[int, int, int, int]] = deque(maxlen=REMEMBERED)
        # epoch, media sample, sound of the epoch before it, sound in it

    @property
    def queued_s(self) -> float:
        """Seconds of sound that were not given out yet."""
        return self._line.unplayed / SAMPLE_RATE

    def push(self, samples: Float32[ndarray, " n"], rate: int, now_s: float = 0.0) -> None:
        """Sound to speak after what is waiting; errors as in `SoundLine.push`."""
        self._line.push(samples, rate, now_s)
        self._ended = False
        if self._blocks and self._blocks[-1].is_guess:
            self._rewind()

    def end(self) -> None:
        """What was pushed is all: nothing waits for more look-ahead."""
        self._line.end()
        self._ended = True
        if self._blocks and self._blocks[-1].is_guess:
            self._rewind()

    def interrupt(self) -> None:
        """Be silent from the next frame on, the mouth closed from the one after it."""
        self._rewind()
        self._line.clear()
        self._state = self.live.driver.restart(self._state)
        self._resting, self._ended, self._waited = True, False, 0
        if self._shown_face is not None:
            self._closing = (self._shown_face[MOUTH_SLICE], self.next_frame_index)
        self.epoch += 1
        self._spoken = 0

    def adjust(self, controls: Float32[ndarray, " n"], head_turn: Float32[ndarray, " 3"]) -> None:
        """Hold an expression and a turn of the head (rotation vector, rad) on top of the motion; zeros for none."""
        n_controls = len(self.live.avatar.controls.mean)
        offset = np.zeros(n_controls, np.float32)
        offset[: min(n_controls, len(controls))] = controls[:n_controls]
        self._offset = offset if offset.any() else None
        turn = np.asarray(head_turn, np.float64)
        self._turn_wxyz = wxyz_from_matrix(matrix_from_rotvec(turn)).astype(np.float32) if turn.any() else None
        for block in self._blocks:
            block.rows = self.live.rows(block.motion, self._offset)

    def spoken_s(self, epoch: int, sample: int) -> float:
        """Seconds of an epoch's sound that were heard when `sample` (media time) was reached."""
        for of_epoch, start, before, n_real in reversed(self._spoken_by):
            if of_epoch == epoch and start <= sample:
                return (before + min(sample - start, n_real)) / SAMPLE_RATE
        return 0.0

    def next_frame(self) -> LiveFrame:
        """The next frame, whatever is there by now."""
        self._slack.append(self._line.unplayed)
        if self._blocks and self._blocks[0].is_given:
            self._blocks.popleft()
        if not self._blocks:
            self._make()
        block = self._blocks[0]
        self._shown_face = block.face[block.given]
        row = block.rows[block.given]
        block.given += 1
        resting = block.fed is None
        played = self._line.play(0 if resting else SAMPLES_PER_FRAME)
        pcm = _SILENCE if resting else played.pcm
        index = self.next_frame_index
        self._spoken_by.append((self.epoch, frame_start_sample(index), self._spoken, played.n_real))
        self._spoken += played.n_real
        self.next_frame_index += 1
        if self._turn_wxyz is not None:
            row = turned(row, self._turn_wxyz)
        return LiveFrame(self.epoch, index, row, pcm, played.n_real > 0, played.arrived_s)

    @property
    def can_prepare(self) -> bool:
        """Whether the sound of a whole block waits behind the one that is being given."""
        return (
            len(self._blocks) == 1
            and self._blocks[0].fed is not None
            and not self._blocks[0].is_guess
            and self._closing is None
            and self._line.waiting >= AHEAD * SAMPLES_PER_FRAME
        )

    @property
    def lasts_until(self) -> int:
        """The first frame that is not made yet."""
        return self.next_frame_index + sum(len(block.rows) - block.given for block in self._blocks)

    def prepare(self) -> None:
        """Make the block after the one that is being given, if its sound is there: work for when nothing is due."""
        if self.can_prepare:
            self._feed(SAMPLES_PER_FRAME)

    def _make(self) -> None:
        if self._resting:
            lead = self._lead()
            if lead is None:
                self._rest()
                return
            self._resting, self._silence, self._waited = False, 0, 0
            self._slack.clear()
            self._feed(self.live.look_ahead, lead)
        elif self._silence >= SETTLE + self.live.look_ahead and self._line.waiting == 0:
            self._state = self.live.driver.restart(self._state)
            self._line.forget_silence()
            self._resting = True
            self._rest()
        else:
            self._feed(SAMPLES_PER_FRAME)

    def _lead(self) -> int | None:
        """Samples into this frame at which the sound that waits begins; None if more of it has to come first.

        Sound that comes in real time is heard as soon as look-ahead and margin are there, not at the next frame.
        """
        waiting = self._line.waiting
        if waiting == 0:
            return None
        missing = max(0, self.live.look_ahead + MARGIN - waiting)
        self._waited += 1
        if self._ended or self._waited > PATIENCE:
            return 0
        return missing if missing < SAMPLES_PER_FRAME else None

    def _rest(self) -> None:
        before = self._state
        n_frames = 1 if self._line.waiting or self._closing else AHEAD_IDLE
        self._state, motion = self.live.driver.rest(before, n_frames)
        self._keep(before, None, True, motion)

    def _feed(self, first: int, lead: int = 0) -> None:
        """Let the driver hear sound for one frame (`first` samples, of which `lead` are silence before it) or some."""
        self._catch_up()
        waiting, before = self._line.waiting + lead, self._state
        if waiting >= first:
            n = first + min(AHEAD - 1, (waiting - first) // SAMPLES_PER_FRAME) * SAMPLES_PER_FRAME
            self._silence = 0
        else:
            self._line.end()
            waiting = self._line.waiting
            n = first if waiting else first + AHEAD_SILENT * SAMPLES_PER_FRAME
            self._silence = first - waiting if waiting else self._silence + n
        fed = self._line.hear(n, lead)
        self._state, motion = self.live.driver.step(before, fed)
        self._keep(before, fed, waiting < n, motion)

    def _catch_up(self) -> None:
        """Where sound that comes in real time lags after late pieces: leave out what is quiet in it."""
        least, most = min(self._slack, default=0), max(self._slack, default=0)
        is_live = len(self._slack) == FPS and most < MOST_LAG and most - least < 4 * SAMPLES_PER_FRAME
        excess = min(least - self.live.look_ahead - 2 * MARGIN, self._line.waiting)
        if is_live and excess > SAMPLES_PER_FRAME and self._line.skip_quiet(excess):
            self._slack.clear()

    def _keep(self, before: SpeechState, fed: Float32[ndarray, " n"] | None, is_guess: bool, motion: Motion) -> None:
        motion = self._fade(motion)
        (face,) = motion.require("face")
        self._blocks.append(Block(before, fed, is_guess, motion, self.live.rows(motion, self._offset), face))

    def _fade(self, motion: Motion) -> Motion:
        """After an interruption: from the mouth that was shown to the one that should be."""
        if self._closing is None:
            return motion
        mouth, since = self._closing
        face = motion.require("face")[0].copy()
        for t in range(len(face)):
            age = self.next_frame_index + t - since
            if age >= len(CLOSING):
                self._closing = None
                break
            face[t, MOUTH_SLICE] += CLOSING[age] * (mouth - face[t, MOUTH_SLICE])
        return motion.with_channels(face=face)

    def _rewind(self) -> None:
        """Forget the frames that were made and not given; the state is that behind the last one that was."""
        block = next((block for block in self._blocks if not block.is_given), None)
        self._blocks.clear()
        if block is None:
            return
        self._state = block.state_behind_given(self.live.driver)
        if block.is_guess:  # a guess is the last block: what it took of silence goes back
            self._line.unhear(block.n_over)
            self._silence -= block.n_over
