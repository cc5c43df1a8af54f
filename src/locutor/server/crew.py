"""The processes that serve one address together: what each of them must know of the others.

A session lives in one process. Its id begins with that process's number, so whoever is asked for it knows whom to ask.
"""

from __future__ import annotations

import secrets
import threading
from pathlib import Path
from typing import Any, Literal

Kind = Literal["sessions", "drawn"]
KINDS: tuple[Kind, ...] = ("sessions", "drawn")


class Crew:
    """One process among `count`; alone by default.

    Attributes:
        index: which of them this is.
        count: how many there are.
        folder: where the others are reached, and what all share; None when alone.
    """

    def __init__(
        self,
        index: int = 0,
        count: int = 1,
        folder: Path | None = None,
        counts: Any = None,
        lock: Any = None,
    ) -> None:
        """Args:
        index, count, folder: as above; the folder must be closed to other users.
        counts: `len(KINDS)` integers for each process, in memory that all share: a list, or an array of
            multiprocessing.
        lock: of the counts, likewise.
        """
        self.index, self.count, self.folder = index, count, folder
        self._counts = [0] * (len(KINDS) * count) if counts is None else counts
        self._lock = threading.Lock() if lock is None else lock

    def new_id(self) -> str:
        """A session's id: a secret."""
        secret = secrets.token_urlsafe(16)
        return secret if self.count == 1 else f"{self.index}.{secret}"

    def owner(self, session: str) -> Path | None:
        """The socket of the process that has a session; None if it is this one, or nobody's."""
        number, dot, _ = session.partition(".")
        if not dot or not number.isascii() or not number.isdigit() or len(number) > 4:
            return None
        return self.socket_of(int(number)) if int(number) < self.count and int(number) != self.index else None

    def socket_of(self, index: int) -> Path:
        """The Unix socket of one of them."""
        assert self.folder is not None, "who is alone has no neighbours"
        return self.folder / f"{index}.socket"

    def neighbours(self) -> list[Path]:
        """The sockets of all others."""
        return [self.socket_of(k) for k in range(self.count) if k != self.index]

    def total(self, kind: Kind) -> int:
        """How many there are in all processes together."""
        return int(sum(self._counts[KINDS.index(kind) :: len(KINDS)]))

    def take(self, kind: Kind, limit: int) -> bool:
        """Count one more here, if all together have fewer than the limit."""
        with self._lock:
            if self.total(kind) >= limit:
                return False
            self._counts[self._place(kind)] += 1
            return True

    def give(self, kind: Kind) -> None:
        """Count one less here."""
        with self._lock:
            self._counts[self._place(kind)] -= 1

    def forget(self) -> None:
        """This process has nothing (any more)."""
        with self._lock:
            for kind in KINDS:
                self._counts[self._place(kind)] = 0

    def _place(self, kind: Kind) -> int:
        return self.index * len(KINDS) + KINDS.index(kind)
