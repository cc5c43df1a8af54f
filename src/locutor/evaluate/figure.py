"""A figure with its uncertainty: a statistic over frames, and an interval from blocks of frames drawn again.

Neighbouring frames err alike, so frames are drawn in blocks (circular block bootstrap, Politis & Romano 1992).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

BLOCK = 12  # frames; what a frame says of another half a second away is little
DRAWS, AT_ONCE = 400, 50
CHANCE_DRAWS = 100  # of each way of chance: their mean is what is drawn, and lies closer together
TAILS = (2.5, 97.5)  # per cent
MAX_LAG = 12  # frames
STILL = 0.1  # share of the truth's spread below which a movement is the landmark detector's noise

Statistic = Callable[[Float[ndarray, "D T C"]], Float[ndarray, " D"]]


@dataclass(frozen=True)
class Measured:
    """What was measured frame by frame, and how it becomes one figure.

    Attributes:
        columns: one row per frame (or event, or window); not a number where there is nothing to measure.
        statistic: of the rows, for many drawings at once.
    """

    columns: Float[ndarray, "T C"]
    statistic: Statistic


@dataclass(frozen=True)
class Figure:
    """A figure.

    Attributes:
        value: over all frames.
        low, high: 95 % interval; not a number where too little was measured.
        n: frames (or events) that went into it.
    """

    value: float
    low: float
    high: float
    n: int

    def beats(self, other: Figure, more_is_better: bool) -> bool:
        """Whether it is better than another by more than both intervals."""
        return self.low > other.high if more_is_better else self.high < other.low


def figure(measured: Measured) -> Figure:
    """The statistic over all frames, and its interval."""
    return Figure(_whole(measured), *_interval(_drawn(measured)), _counted(measured))


def difference(a: Measured, b: Measured) -> Figure:
    """`a - b` where both were measured on the same frames: drawn together, so that what is common falls out."""
    if len(a.columns) != len(b.columns):
        raise ValueError(f"{len(a.columns)} and {len(b.columns)} frames cannot be compared one by one")
    both = np.isfinite(a.columns).all(1) & np.isfinite(b.columns).all(1)
    return Figure(_whole(a) - _whole(b), *_interval(_drawn(a) - _drawn(b)), int(both.sum()))


def expected(ways: Sequence[Measured]) -> Figure:
    """What chance gives on average, from many ways of being by chance (say, rolls of the sound).

    The interval is that of this average: in a drawing all ways see the same frames. A statistic that is not a number in
    one way does not count there.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # nothing but not a number
        values = np.nanmean([_drawn(way, CHANCE_DRAWS) for way in ways], axis=0)
        value = float(np.nanmean([_whole(way) for way in ways]))
    return Figure(value, *_interval(values), max(_counted(way) for way in ways))


def as_good(measured: Measured, ways: Sequence[Measured], more_is_better: bool) -> float:
    """Share of the ways of chance that do at least as well: how likely it is that nothing but chance did it."""
    mine, others = _whole(measured), np.array([_whole(way) for way in ways])
    return float(np.mean(others >= mine if more_is_better else others <= mine))


def _interval(values: Float[ndarray, " D"]) -> tuple[float, float]:
    """95 % of the drawings that are numbers."""
    low, high = np.nanpercentile(values, TAILS) if np.isfinite(values).any() else (np.nan, np.nan)
    return float(low), float(high)


def _counted(measured: Measured) -> int:
    return int(np.isfinite(measured.columns).all(1).sum()) if measured.columns.size else 0


def _whole(measured: Measured) -> float:
    return float(measured.statistic(measured.columns[None])[0]) if len(measured.columns) else float("nan")


def _drawn(measured: Measured, draws: int = DRAWS) -> Float[ndarray, " D"]:
    n = len(measured.columns)
    if n == 0:
        return np.full(draws, np.nan)
    some = np.array_split(_blocks(n)[:draws], draws // AT_ONCE)  # all at once would take half a gigabyte for lags
    return np.concatenate([measured.statistic(measured.columns[rows]) for rows in some])


def _blocks(n: int) -> Int[ndarray, "D n"]:
    """Row numbers of every drawing; the same for the same n, so that two things are drawn alike."""
    length = min(BLOCK, max(1, n // 4))
    starts = np.random.default_rng(n).integers(0, n, (DRAWS, -(-n // length)))
    return ((starts[..., None] + np.arange(length)) % n).reshape(DRAWS, -1)[:, :n]


def mean(rows: Float[ndarray, "D T C"]) -> Float[ndarray, " D"]:
    """Mean of the first column over the rows that are numbers."""
    return _mean(rows[..., 0])


def median(rows: Float[ndarray, "D T C"]) -> Float[ndarray, " D"]:
    """Median of the first column: for costs, which have a long tail."""
    return np.asarray(np.nanmedian(rows[..., 0], axis=1))


def share(rows: Float[ndarray, "D T C"]) -> Float[ndarray, " D"]:
    """Sum of the second column over the sum of the first: how much of the truth's amount is there."""
    first, second = _together(rows)
    total = first.sum(1)
    return np.where(total > 0, second.sum(1) / np.where(total > 0, total, 1), 0.0)


def root_share(rows: Float[ndarray, "D T C"]) -> Float[ndarray, " D"]:
    """Square root of `share`: for columns that hold squares."""
    return np.sqrt(share(rows))


def spread_share(rows: Float[ndarray, "D T C"]) -> Float[ndarray, " D"]:
    """Standard deviation of the second column over that of the first."""
    a, b = _centred(rows[..., :1], rows[..., 1:2])
    return np.sqrt((b**2).sum(1) / np.maximum((a**2).sum(1), 1e-30))[:, 0]


def correlation_of(rows: Float[ndarray, "D T C"]) -> Float[ndarray, " D"]:
    """Pearson correlation of the first two columns; 0 where the second hardly moves (`STILL`)."""
    return _correlations(rows[..., :1], rows[..., 1:2])[:, 0]


def lag_of(rows: Float[ndarray, "D T C"]) -> Float[ndarray, " D"]:
    """Frames by which the movement comes late, at the best correlation; columns as `lagged` makes them.

    Not a number where nothing is alike at any lag, as of a mouth that does not move.
    """
    middle = (rows.shape[2] - 2) // 2
    alike = _correlations(rows[..., :1], rows[..., 1:])
    return np.where(alike.max(axis=1) > 0, np.argmax(alike, axis=1) - float(middle), np.nan)


def best_correlation_of(rows: Float[ndarray, "D T C"]) -> Float[ndarray, " D"]:
    """The correlation at the best lag; columns as `lagged` makes them."""
    return np.asarray(_correlations(rows[..., :1], rows[..., 1:]).max(axis=1))


def lagged(truth: Float[ndarray, " T"], driven: Float[ndarray, " T"]) -> Float[ndarray, "T C"]:
    """Truth, then the driven signal as it is -12 to 12 frames later; not a number beyond the ends."""
    most = min(MAX_LAG, len(truth) // 3)
    padded = np.concatenate([np.full(most, np.nan), driven, np.full(most, np.nan)])
    late = [padded[k : k + len(truth)] for k in range(2 * most + 1)]
    return np.stack([truth, *late], 1).astype(np.float64)


def _mean(values: Float[ndarray, "D T"]) -> Float[ndarray, " D"]:
    known = np.isfinite(values)
    n = known.sum(1)
    return np.where(n > 0, np.where(known, values, 0).sum(1) / np.maximum(n, 1), np.nan)


def _together(rows: Float[ndarray, "D T C"]) -> tuple[Float[ndarray, "D T"], Float[ndarray, "D T"]]:
    known = np.isfinite(rows[..., 0]) & np.isfinite(rows[..., 1])
    return np.where(known, rows[..., 0], 0), np.where(known, rows[..., 1], 0)


def _centred(a: Float[ndarray, "D T 1"], b: Float[ndarray, "D T L"]) -> tuple[ndarray, ndarray]:
    """Both less their means over the frames where both are numbers, zero elsewhere."""
    known = np.isfinite(a) & np.isfinite(b)
    n = np.maximum(known.sum(1, keepdims=True), 1)
    a, b = (np.where(known, x, 0) for x in (a, b))
    a, b = (np.where(known, x - x.sum(1, keepdims=True) / n, 0) for x in (a, b))
    return a, b


def _correlations(a: Float[ndarray, "D T 1"], b: Float[ndarray, "D T L"]) -> Float[ndarray, "D L"]:
    a, b = _centred(a, b)
    aa, bb = (a**2).sum(1), (b**2).sum(1)
    moves = (aa > 0) & (bb > STILL**2 * aa)
    return np.where(moves, (a * b).sum(1) / np.sqrt(np.where(moves, aa * bb, 1)), 0.0)
