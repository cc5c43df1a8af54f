"""A token bucket: so many at once, so many per second after that."""

from __future__ import annotations

from collections import OrderedDict

MOST_ADDRESSES = 10_000


class Bucket:
    """Allows `burst` at once and `per_s` per second on average."""

    def __init__(self, per_s: float, burst: float, now_s: float) -> None:
        """Args:
        per_s, burst: how many.
        now_s: a clock that never goes back.
        """
        self._per_s, self._burst = per_s, burst
        self._level, self._at_s = burst, now_s

    def take(self, now_s: float) -> bool:
        """Whether one more is allowed now."""
        self._level = min(self._burst, self._level + (now_s - self._at_s) * self._per_s)
        self._at_s = now_s
        if self._level < 1:
            return False
        self._level -= 1
        return True


class Buckets:
    """A bucket for each address; the longest unused are forgotten."""

    def __init__(self, per_s: float, burst: float) -> None:
        """Args: per_s, burst: of each bucket."""
        self._per_s, self._burst = per_s, burst
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def take(self, address: str, now_s: float) -> bool:
        """Whether one more from this address is allowed now."""
        bucket = self._buckets.pop(address, None) or Bucket(self._per_s, self._burst, now_s)
        self._buckets[address] = bucket
        if len(self._buckets) > MOST_ADDRESSES:
            self._buckets.popitem(last=False)
        return bucket.take(now_s)
