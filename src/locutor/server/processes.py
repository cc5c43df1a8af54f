"""Several processes that serve one address: each accepts connections for itself and drives sessions of its own.

The kernel spreads connections over them (SO_REUSEPORT). One that dies is started again; its sessions are lost, the
others' are not.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import FrameType
from typing import Any

from locutor.core.errors import LocutorError, MissingPartError
from locutor.server.config import ServerConfig
from locutor.server.crew import KINDS, Crew

BACKLOG = 2048
LONGEST_END_S = 5.0
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
Files = list[tuple[str, Path]]


def serve_together(files: Files, config: ServerConfig) -> None:
    """`config.processes` processes serve until this one is interrupted or told to end.

    Raises:
        MissingPartError: this system does not spread connections.
        LocutorError: the address is taken, or a process could not begin (with its own error).
    """
    if not sys.platform.startswith("linux"):
        raise MissingPartError("only Linux spreads connections over several processes", "serve with --processes 1")
    for name in ONE_THREAD:  # each process keeps a core busy as it is
        os.environ.setdefault(name, "1")
    context = multiprocessing.get_context("spawn")
    counts, lock = context.RawArray("i", len(KINDS) * config.processes), context.Lock()
    with tempfile.TemporaryDirectory(prefix="locutor-serve-") as folder, _told_to_end() as end:
        crews = [Crew(k, config.processes, Path(folder), counts, lock) for k in range(config.processes)]
        workers = [_Worker(context, listener, files, config, crew) for listener, crew in _listeners(config, crews)]
        try:
            _oversee(workers, config, end)
        finally:
            for worker in workers:
                worker.tell_end()
            for worker in workers:
                worker.end()


def _oversee(workers: list[_Worker], config: ServerConfig, end: Connection) -> None:
    from locutor.server.serve import announce

    for worker in workers:
        worker.start()
    ids: list[str] = []
    for worker in workers:
        ids = worker.begun()
    announce(ids, config)
    while True:
        ended = wait([end, *(worker.process.sentinel for worker in workers)])
        if end in ended:
            return
        for worker in workers:
            if worker.process.sentinel in ended:
                print(f"process {worker.crew.index} ended with {worker.process.exitcode}: started again", flush=True)
                worker.start()
                worker.begun()


class _Worker:
    """One process, and what starts it again."""

    def __init__(self, context: Any, listener: socket.socket, files: Files, config: ServerConfig, crew: Crew) -> None:
        self.crew = crew
        self._context, self._listener = context, listener
        self._orders = (files, config, crew, listener)
        self.process: Any = None
        self._ears: Connection | None = None

    def start(self) -> None:
        """Begin, again if need be."""
        self.crew.forget()
        self._ears, mouth = self._context.Pipe()
        self.process = self._context.Process(target=_serve, args=(*self._orders, mouth), daemon=True)
        self.process.start()
        mouth.close()

    def begun(self) -> list[str]:
        """Wait until it serves; the ids of its avatars.

        Raises:
            LocutorError: its own error, or it died.
        """
        assert self._ears is not None
        try:
            said = self._ears.recv()
        except EOFError as error:
            raise LocutorError("a process of the server ended as it began", "its own message is above") from error
        if isinstance(said, list):
            return said
        kind, what, do = said
        raise kind(what, do)

    def tell_end(self) -> None:
        """Ask it to end."""
        if self.process is not None:
            self.process.terminate()

    def end(self) -> None:
        """See to it that it has ended."""
        if self.process is not None:
            self.process.join(LONGEST_END_S)
            self.process.kill()
            self.process.join()
        self._listener.close()


def _serve(files: Files, config: ServerConfig, crew: Crew, listener: socket.socket, mouth: Connection) -> None:
    """The life of one process."""
    import torch
    import uvicorn

    from locutor.server.app import make_app
    from locutor.server.gallery import Gallery
    from locutor.server.serve import check_consent, freeze_what_is_loaded, uvicorn_options

    torch.set_num_threads(1)
    assert crew.folder is not None
    try:
        gallery = Gallery(files, shared=crew.folder)
        check_consent(gallery, config)
    except LocutorError as error:
        mouth.send((type(error), error.what, error.do))
        return
    path = crew.socket_of(crew.index)
    path.unlink(missing_ok=True)
    inside = socket.socket(socket.AF_UNIX)
    inside.bind(str(path))
    inside.listen(BACKLOG)
    threading.Thread(target=_end_with_parent, args=(mouth,), daemon=True).start()
    server = uvicorn.Server(uvicorn.Config(make_app(gallery, config, crew=crew), **uvicorn_options(config)))
    freeze_what_is_loaded()
    mouth.send(list(gallery.exhibits))
    server.run(sockets=[listener, inside])


def _end_with_parent(mouth: Connection) -> None:
    """Nobody is left to start this process again, or to end it: end."""
    try:
        mouth.recv()
    except (EOFError, OSError):
        os.kill(os.getpid(), signal.SIGTERM)


def _listeners(config: ServerConfig, crews: list[Crew]) -> Iterator[tuple[socket.socket, Crew]]:
    """A listening socket for each, all at one address.

    Raises:
        LocutorError: another server is there.
    """
    (family, _, _, _, address), *_ = socket.getaddrinfo(config.host, config.port, type=socket.SOCK_STREAM)
    try:
        with socket.socket(family) as alone:  # what shares its address would share it with a stranger too
            alone.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            alone.bind(address)
        for crew in crews:
            listener = socket.socket(family)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            listener.bind(address)
            listener.listen(BACKLOG)
            yield listener, crew
    except OSError as error:
        raise LocutorError(
            f"{config.host}:{config.port} cannot be served ({error.strerror})", "end what serves there, or take --port"
        ) from error


@contextmanager
def _told_to_end() -> Iterator[Connection]:
    """Something that becomes readable with the first SIGINT or SIGTERM."""
    ears, mouth = multiprocessing.Pipe(duplex=False)

    def tell(number: int, frame: FrameType | None) -> None:
        mouth.send(number)

    before: list[tuple[signal.Signals, Callable[[int, FrameType | None], Any] | int | None]] = [
        (number, signal.signal(number, tell)) for number in (signal.SIGINT, signal.SIGTERM)
    ]
    try:
        yield ears
    finally:
        for number, handler in before:
            signal.signal(number, handler)
        ears.close()
        mouth.close()
