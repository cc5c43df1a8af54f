"""What goes on for as long as the sound lasts: head, torso, eyes and brows, out of the person's footage.

A walk over the footage that jumps between similar poses (video textures, Schoedl et al. 2000). After a jump the
output goes on from where it was: the difference to the new place fades out by a quintic that keeps position and
velocity (inertialisation, Bollo 2018), slowly enough not to be seen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Float32, Int
from numpy import ndarray

from locutor.core.clock import FPS
from locutor.core.motion import Motion
from locutor.drive.idle_model import GROUPS, N_POSE, IdleModel

_FADE_LENGTHS = (12, 18, 26, 38, 56, 80)  # frames
_EYE_FADE = 12  # frames
_CONTEXT = 2  # frames before the jump that the judgement of a fade looks at
_DWELL_S = (3.0, 9.0)  # how long the walk goes straight on
_LEAST_FUTURE = 30  # frames that must follow a landing place, less in short footage
_N_JUDGED, _N_CHOICES = 32, 8
_TOLERANCE = 0.05
_EYES_WEIGHT = 2.0

_BLINK = np.array([0.45, 1.0, 0.95, 0.6, 0.28, 0.08], np.float32)  # closing in 80 ms, opening in 160 ms
_BLINK_EVERY_S = (2.0, 6.0)


@dataclass(frozen=True)
class Fade:
    """A difference that fades out: quintic from (start, velocity) to rest at zero.

    Attributes:
        start: difference at the jump.
        velocity: its change per frame at the jump.
        length: frames until it is zero, for each number.
        age: frames since the jump.
    """

    start: Float32[ndarray, " 136"]
    velocity: Float32[ndarray, " 136"]
    length: Float32[ndarray, " 136"]
    age: int

    def value(self) -> Float32[ndarray, " 136"]:
        """The difference now."""
        position, slope = _quintic(np.minimum(self.age / self.length, 1))
        return (self.start * position + self.velocity * self.length * slope).astype(np.float32)


def _quintic(s: ndarray) -> tuple[ndarray, ndarray]:
    """Over s in 0..1: the fade of a unit difference, and of a unit slope, both at rest with zero at 1."""
    return 1 - 10 * s**3 + 15 * s**4 - 6 * s**5, s - 6 * s**3 + 8 * s**4 - 3 * s**5


@dataclass(frozen=True)
class IdleState:
    """Where the walk is.

    Attributes:
        seed: of all choices.
        n_choices: choices made so far; with the seed it fixes the next.
        frame: place in the footage.
        until_jump: frames to go before the next jump is wanted.
        fade: what remains of the last jump.
        last, before_last: the last two outputs, without drawn blinks.
        until_blink: frames before a blink is drawn, unless the footage brings one.
        blink_age: frames since a drawn blink began; beyond its end if there is none.
    """

    seed: int
    n_choices: int
    frame: int
    until_jump: int
    fade: Fade
    last: Float32[ndarray, " 136"]
    before_last: Float32[ndarray, " 136"]
    until_blink: int
    blink_age: int


class IdleDriver:
    """Endless movement, one frame after the other; the same seed gives the same movement."""

    def __init__(self, model: IdleModel) -> None:
        """Args: model: the person's footage."""
        self._model = model
        trace = model.trace.astype(np.float64)
        self._trace = trace
        self._velocity = np.diff(trace, axis=0, prepend=2 * trace[:1] - trace[1:2])
        # What is usual for the person: extremes of speed and acceleration, and the spread of each group.
        self._top_speed = [_extreme(np.diff(trace[:, group], axis=0)) for group in GROUPS]
        self._top_acceleration = [_extreme(np.diff(trace[:, group], n=2, axis=0)) for group in GROUPS]
        self._spread = [max(2 * float(trace[:, group].std(axis=0).max()), 1e-3) for group in GROUPS]
        blinking = np.flatnonzero(~model.is_blink[: len(trace) - 1])
        self._last_exit = int(blinking[-1]) if len(blinking) else len(trace) - 2
        self._landings = self._find_landings()

    def _find_landings(self) -> ndarray:
        n_frames = len(self._model.trace)
        future = min(_LEAST_FUTURE, n_frames // 3)
        frames = np.arange(1, max(2, self._last_exit - future))
        blink_soon = np.array([self._model.is_blink[j : j + _EYE_FADE].any() for j in frames])
        for allowed in (~blink_soon & self._model.may_land[frames], ~self._model.is_blink[frames]):
            if allowed.any():
                return frames[allowed]
        return frames

    def init(self, seed: int) -> IdleState:
        """State before the first frame: at a place in the footage that the seed chooses."""
        rng = np.random.default_rng([seed, 0])
        frame = int(rng.choice(self._landings))
        trace = self._model.trace
        rest = Fade(np.zeros_like(trace[0]), np.zeros_like(trace[0]), np.ones_like(trace[0]), 1)
        return IdleState(
            seed=seed,
            n_choices=1,
            frame=frame - 1,
            until_jump=_draw(rng, _DWELL_S),
            fade=rest,
            last=trace[frame - 1],
            before_last=trace[frame - 1] - self._velocity[frame - 1].astype(np.float32),
            until_blink=_draw(rng, _BLINK_EVERY_S),
            blink_age=len(_BLINK),
        )

    def step(self, state: IdleState, n_frames: int) -> tuple[IdleState, Motion]:
        """Give the next `n_frames` frames: `face` (the mouth rows are zero), head and torso."""
        rows = np.zeros((n_frames, self._model.trace.shape[1]), np.float32)
        for t in range(n_frames):
            state, rows[t] = self._next(state)
        return state, self._model.to_motion(rows)

    def _next(self, state: IdleState) -> tuple[IdleState, Float32[ndarray, " 136"]]:
        model = self._model
        must = state.frame >= self._last_exit
        if must or (state.until_jump <= 0 and not model.is_blink[state.frame]):
            state = self._jump(state)
        frame = state.frame + 1
        fade = replace(state.fade, age=state.fade.age + 1)
        output = model.trace[frame] + fade.value()
        state = replace(
            state,
            frame=frame,
            until_jump=state.until_jump - 1,
            fade=fade,
            last=output,
            before_last=state.last,
        )
        return self._blink(state)

    def _jump(self, state: IdleState) -> IdleState:
        rng = np.random.default_rng([state.seed, state.n_choices])
        difference = state.last - self._trace[self._landings]
        velocity = (state.last - state.before_last) - self._velocity[self._landings]
        cost = _EYES_WEIGHT * np.abs(difference[:, N_POSE:]).max(axis=1)
        for group, speed, acceleration in zip(GROUPS, self._top_speed, self._top_acceleration, strict=True):
            cost += np.linalg.norm(difference[:, group], axis=1) / (10 * speed)
            cost += np.linalg.norm(velocity[:, group], axis=1) / (4 * acceleration)
        near = np.abs(self._landings - state.frame) < min(_LEAST_FUTURE, len(self._trace) // 4)
        cost[near] += 1e3  # that would be no jump
        judged = np.argsort(cost)[:_N_JUDGED]
        judged = judged[cost[judged] < cost[judged[0]] + 1e3]
        excess, lengths = self._judge(self._landings[judged], difference[judged], velocity[judged])
        good = np.argsort(excess, kind="stable")[:_N_CHOICES]
        choice = int(rng.choice(good[excess[good] <= excess[good[0]] + _TOLERANCE]))
        length = np.full(difference.shape[1], _EYE_FADE, np.float32)
        for g, group in enumerate(GROUPS):
            length[group] = lengths[choice, g]
        landing = judged[choice]
        start, slope = difference[landing].astype(np.float32), velocity[landing].astype(np.float32)
        return replace(
            state,
            n_choices=state.n_choices + 1,
            frame=int(self._landings[landing]),
            until_jump=_draw(rng, _DWELL_S),
            fade=Fade(start, slope, length, 0),
        )

    def _judge(
        self, landings: Int[ndarray, " C"], difference: Float[ndarray, "C 136"], velocity: Float[ndarray, "C 136"]
    ) -> tuple[Float[ndarray, " C"], Float[ndarray, "C 4"]]:
        """For each landing place: by what share the best fades exceed what is usual, and their lengths.

        Looked at are speed, acceleration and place of footage plus fade over the whole fade, for each group.
        """
        excess = np.zeros((len(landings), len(GROUPS)))
        lengths = np.zeros((len(landings), len(GROUPS)))
        for g, group in enumerate(GROUPS):
            options = []
            for length in _FADE_LENGTHS:
                ages = np.arange(-_CONTEXT, length + 1)
                position, slope = _quintic(np.maximum(ages, 0) / length)
                slope = length * slope + np.minimum(ages, 0)  # before the jump the old path, taken as straight
                frames = np.clip(landings[:, None] + ages, 0, len(self._trace) - 1)
                fade = position[:, None] * difference[:, None, group] + slope[:, None] * velocity[:, None, group]
                path = self._trace[frames][..., group] + fade
                speed = np.linalg.norm(np.diff(path, axis=1), axis=2).max(axis=1) / self._top_speed[g]
                bend = np.linalg.norm(np.diff(path, n=2, axis=1), axis=2).max(axis=1) / self._top_acceleration[g]
                stray = np.linalg.norm(fade, axis=2).max(axis=1) / self._spread[g]
                options.append(np.maximum(np.stack([speed, bend, stray]) - 1, 0).sum(axis=0))
            best = np.argmin(options, axis=0)  # the shortest where several are as good
            excess[:, g] = np.take_along_axis(np.array(options), best[None], axis=0)[0]
            lengths[:, g] = np.array(_FADE_LENGTHS)[best]
        return excess.sum(axis=1), lengths

    def _blink(self, state: IdleState) -> tuple[IdleState, Float32[ndarray, " 136"]]:
        output = state.last
        until, age = state.until_blink - 1, state.blink_age + 1
        n_choices = state.n_choices
        soon = self._model.is_blink[state.frame : state.frame + len(_BLINK)].any()
        if soon or (until <= 0 and age >= len(_BLINK)):
            rng = np.random.default_rng([state.seed, n_choices])
            n_choices += 1
            until = _draw(rng, _BLINK_EVERY_S)
            age = age if soon else 0
        if age < len(_BLINK):
            output = output.copy()
            eyes = slice(N_POSE, N_POSE + self._model.closure.size)
            output[eyes] += _BLINK[age] * self._model.closure.ravel()
        return replace(state, until_blink=until, blink_age=age, n_choices=n_choices), output


def _draw(rng: np.random.Generator, range_s: tuple[float, float]) -> int:
    return round(rng.uniform(*range_s) * FPS)


def _extreme(steps: ndarray) -> float:
    """A great, not the greatest, length of the steps; never zero."""
    return max(float(np.percentile(np.linalg.norm(steps, axis=1), 99)), 1e-4)
