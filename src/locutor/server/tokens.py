"""Tokens: the owner's, and passes made of it that end by themselves (for pages that anybody can read)."""

from __future__ import annotations

import hashlib
import hmac
import time

_PASS = "pass"
LONGEST_S = 30 * 24 * 3600


def make_pass(token: str, lasts_s: float, now_s: float | None = None) -> str:
    """A pass that is as good as the token for `lasts_s` seconds (at most 30 days)."""
    ends = int((time.time() if now_s is None else now_s) + min(max(0.0, lasts_s), LONGEST_S))
    return f"{_PASS}.{ends}.{_sign(token, ends)}"


def is_good(given: str | None, token: str, now_s: float | None = None) -> bool:
    """Whether what a visitor gave is the token or a pass that has not ended; compared in constant time."""
    if not token:
        return True
    given = given or ""
    kind, _, rest = given.partition(".")
    ends, _, signature = rest.partition(".")
    if kind == _PASS and ends.isascii() and ends.isdigit() and len(ends) <= 12:
        fresh = int(ends) > (time.time() if now_s is None else now_s)
        return hmac.compare_digest(signature.encode(), _sign(token, int(ends)).encode()) and fresh
    return hmac.compare_digest(given.encode(), token.encode())


def _sign(token: str, ends: int) -> str:
    return hmac.new(token.encode(), f"{_PASS}.{ends}".encode(), hashlib.sha256).hexdigest()
