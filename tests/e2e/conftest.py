"""Chromium, driven by Playwright from `web/e2e`, against a static folder or a live server. Run by `make e2e`."""

import functools
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

WEB = Path(__file__).parents[2] / "web"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
SHOTS = Path(os.environ.get("LOCUTOR_SHOTS", Path(__file__).parents[2] / "build" / "e2e"))


@pytest.fixture(scope="session", autouse=True)
def _tools() -> None:
    if not Path(CHROMIUM).is_file():
        pytest.skip(f"no Chromium at {CHROMIUM}")
    if shutil.which("node") is None or not (WEB / "node_modules" / "playwright-core").is_dir():
        pytest.skip("no Node, or no `npm ci` in web/")


@pytest.fixture(scope="session")
def shots() -> Path:
    """Where screenshots go, to be looked at."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    return SHOTS


@pytest.fixture
def static_host() -> Iterator[Callable[[Path], str]]:
    """Serves a folder as any static host would; gives its address."""
    hosts: list[ThreadingHTTPServer] = []

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

    def serve(folder: Path) -> str:
        host = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
        hosts.append(host)
        threading.Thread(target=host.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{host.server_port}/"

    yield serve
    for host in hosts:
        host.shutdown()
        host.server_close()


class LiveServer:
    """`locutor serve demo` in a process of its own, on one port."""

    def __init__(self, token: str = "") -> None:
        self._token = token
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "locutor.cli.main", "serve", "demo", "--port", str(self.port)]
        env = os.environ | {"LOCUTOR_TOKEN": self._token}
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=env)
        for _ in range(600):
            try:
                with urllib.request.urlopen(f"{self.url}api/health", timeout=1):
                    return
            except OSError:
                assert self._process.poll() is None, "the server ended"
                time.sleep(0.1)
        raise AssertionError("the server does not answer")

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait(20)


@pytest.fixture
def live_server(request: pytest.FixtureRequest) -> Iterator[LiveServer]:
    """Parametrised indirectly by a token; without one it asks for none."""
    server = LiveServer(getattr(request, "param", ""))
    try:
        server.start()
        yield server
    finally:
        server.stop()


def scenario(name: str, *words: object, on_restart: Callable[[], None] | None = None, timeout_s: float = 300) -> dict:
    """Runs `web/e2e/NAME.mjs` and gives what it found. A line "restart" calls `on_restart`.

    A console error or an exception in the page fails it.
    """
    command = ["node", str(WEB / "e2e" / f"{name}.mjs"), *map(str, words)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"CHROMIUM": CHROMIUM},
    ) as process:  # fmt: skip
        killer = threading.Timer(timeout_s, process.kill)
        killer.start()
        assert process.stdin
        assert process.stdout
        assert process.stderr
        line = process.stdout.readline()
        if line.strip() == "restart":
            assert on_restart
            on_restart()
            process.stdin.write("\n")
            process.stdin.flush()
            line = process.stdout.readline()
        errors = process.stderr.read()
        process.wait()
        killer.cancel()
    assert process.returncode == 0, errors
    return json.loads(line) | {"complaints": [e for e in errors.splitlines() if e.startswith("page: ")]}
