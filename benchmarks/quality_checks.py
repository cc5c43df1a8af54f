"""What must hold of a judged clip."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.quality_page import FEWEST, Judged
from benchmarks.watch import Watched

from locutor.capture.performance import Performance
from locutor.evaluate.figure import Figure
from locutor.evaluate.judge import landmarkers
from locutor.evaluate.lpips import find_lpips
from locutor.evaluate.protocols import Protocol, held_out, read_clip
from locutor.evaluate.scoring import Judge
from locutor.evaluate.ways import Way
from locutor.evaluate.words import TITLES, number, percent, title

REPLAY_LIPS = ("lip_gap_correlation", "lip_distance_percent", "timing_match", "other_mouth_percent")
VOICE_LIPS = ("lip_gap_correlation", "lip_distance_percent", "closure_recall", "timing_match", "timing_error_ms",
              "loudness_correlation")  # fmt: skip
CHANCE = (Protocol.OTHER, Protocol.STATIC, Protocol.MEAN, Protocol.SHUFFLED)
WITHIN = 0.1
LUCK = 0.05  # share of the rolls that may do as well


@dataclass(frozen=True)
class Check:
    """Something that must hold.

    Attributes:
        clip, claim: of what, and what.
        holds: whether it does; None where too little happened in the part that is judged to tell.
        said: the figures.
    """

    clip: str
    claim: str
    holds: bool | None
    said: str

    def line(self) -> str:
        """For a terminal."""
        verdict = "too few to judge" if self.holds is None else "holds" if self.holds else "FAILS"
        return f"{verdict}: {self.claim}: {self.said}"


def checks_of(judged: Judged, watched: Watched) -> list[Check]:
    """All of them, for one clip."""
    checks = []
    for name in REPLAY_LIPS:
        for chance in CHANCE:
            mine, other = judged.figure(Protocol.REPLAY, name), judged.figure(chance, name)
            if mine and other:
                checks.append(_beats(judged, f"replay beats {chance}", name, mine, other))
    for name in VOICE_LIPS:
        mine, other = judged.folds("voice", name), judged.folds("chance", name)
        if mine and other:
            by_luck = judged.as_good(name)
            checks.append(_beats(judged, "voice beats the shuffled sound (five-fold)", name, mine, other, by_luck))
    checks.append(_ceiling(judged))
    for name in watched.inside:
        said = f"{number(watched.inside[name])} inside, {number(watched.outside[name])} outside"
        checks.append(Check(judged.name, f"{name} as measured from outside", watched.off(name) <= WITHIN, said))
    return checks


def _beats(judged: Judged, claim: str, name: str, mine: Figure, other: Figure, by_luck: float | None = None) -> Check:
    """By more than both intervals and, where known, with few ways of chance as good (a permutation test)."""
    more = TITLES[name][1]
    assert more is not None
    said = (
        " against ".join(f"{number(f.value)} [{number(f.low)}, {number(f.high)}]" for f in (mine, other))
        + f", n {mine.n}"
    )
    lucky = by_luck is not None and by_luck > LUCK
    said += "" if by_luck is None else f", {percent(by_luck)} of the rolls as good"
    holds = mine.beats(other, more) and not lucky if mine.n >= FEWEST else None
    return Check(judged.name, f"{claim} on {title(name)}", holds, said)


def _ceiling(judged: Judged) -> Check:
    """The truth's film, fed to the same yardstick, gives the ceiling row again."""
    performance = Performance(judged.footage)
    part = held_out(performance)
    landmarker, second, _ = landmarkers()
    way = Way(Protocol.CODEC, lambda: read_clip(judged.report / "truth.mp4"), part.sound)
    again = Judge(performance, part, landmarker, second, find_lpips()).score(way).values
    told = judged.record["rows"][Protocol.CODEC.value]
    worst = max(abs(value - told[name]) for name, value in again.items() if told[name] is not None)
    return Check(judged.name, "the ceiling row comes again from the truth", worst < 1e-3, f"{len(again)} figures, "
                 f"largest difference {worst:.1g}")  # fmt: skip
