"""Several processes as one server: in one process here, two applications that know each other, then the real thing."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from starlette.testclient import TestClient
from tests.server.conftest import CONFIG, LIMITS, buzz
from tests.server.talk import close_code, connect, hear_until, hello, is_change, tell
from websockets.sync.client import connect as dial

from locutor.core.errors import LocutorError
from locutor.server.app import make_app
from locutor.server.config import ServerConfig
from locutor.server.crew import KINDS, Crew
from locutor.server.gallery import Gallery
from locutor.server.packets import MotionPacket, SoundPacket
from locutor.server.processes import serve_together
from locutor.server.protocol import PROTOCOL
from locutor.server.serve import uvicorn_options


def test_alone_nobody_is_asked():
    crew = Crew()
    assert crew.owner(crew.new_id()) is None
    assert crew.neighbours() == []


def test_an_id_names_its_owner(tmp_path: Path):
    crews = [Crew(k, 3, tmp_path) for k in range(3)]
    session = crews[1].new_id()
    assert [crew.owner(session) for crew in crews] == [tmp_path / "1.socket", None, tmp_path / "1.socket"]
    for strange in ("", ".", "3.x", "-1.x", "99999999999999999999.x", "²..", "../../etc.x", "1", "x.1"):
        assert crews[0].owner(strange) is None


def test_limits_are_of_all_together():
    counts = [0] * (2 * len(KINDS))
    lock = threading.Lock()
    one, other = (Crew(k, 2, Path(), counts, lock) for k in range(2))
    assert [one.take("sessions", 3), other.take("sessions", 3), one.take("sessions", 3)] == [True] * 3
    assert not other.take("sessions", 3)
    assert other.take("drawn", 1)
    assert not one.take("drawn", 1)
    one.give("sessions")
    assert other.total("sessions") == 2
    one.forget()  # it died
    assert other.total("sessions") == 1
    assert other.total("drawn") == 1


@pytest.fixture
def first(avatar_file: Path, tmp_path: Path) -> Iterator[TestClient]:
    """The first of two processes, as it were; the second serves its Unix socket from a thread."""
    counts, lock = [0] * (2 * len(KINDS)), threading.Lock()
    apps = [
        make_app(Gallery([("me", avatar_file)], tmp_path), CONFIG, buzz, Crew(k, 2, tmp_path, counts, lock))
        for k in range(2)
    ]
    with TestClient(apps[0]) as client:
        inside = socket.socket(socket.AF_UNIX)
        inside.bind(str(tmp_path / "1.socket"))
        server = uvicorn.Server(uvicorn.Config(apps[1], **uvicorn_options(CONFIG)))
        thread = threading.Thread(target=asyncio.run, args=(server.serve(sockets=[inside]),))
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield client
        server.should_exit = True
        thread.join()


def of_neighbour(client: TestClient) -> str:
    """The id of a new session of the second process."""
    with socket.socket(socket.AF_UNIX) as connection:
        path = str(client.app.state.hub.crew.socket_of(1))
        connection.connect(path)
        body = b'{"avatar": "me"}'
        connection.sendall(
            b"POST /api/sessions HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n" % len(body) + body
        )
        answer = b""
        while piece := connection.recv(4096):
            answer += piece
    session = json.loads(answer.partition(b"\r\n\r\n")[2])["session"]
    assert session.startswith("1.")
    return session


def test_a_viewer_is_relayed_to_the_sessions_process(first: TestClient):
    session = of_neighbour(first)
    with connect(first) as watching:
        assert hello(watching, session=session).session == session
        tell(watching, type="say", text="Hello")
        heard = hear_until(watching, is_change("rests"))
        assert any(isinstance(item, SoundPacket) for item in heard)
        tell(watching, type="interrupt")
        hear_until(watching, is_change("interrupted"))
        first.delete(f"/api/sessions/{session}")
        assert close_code(watching) in (1000, 1012)


def test_rest_of_a_session_is_answered_where_it_lives(first: TestClient):
    session = of_neighbour(first)
    with connect(first) as watching:  # a session without a viewer ends soon
        hello(watching, session=session)
        assert first.post(f"/api/sessions/{session}/say", json={"text": "Hello"}).status_code == 202
        assert first.post(f"/api/sessions/{session}/interrupt").json()["epoch"] == 1
        refused = first.post(f"/api/sessions/{session}/say", json={"text": "x" * 1000})
        assert refused.json()["code"] == "text_too_long"
        big = first.post(f"/api/sessions/{session}/sound", content=iter([b"\0" * 60_000] * 3))  # chunked, a bomb
        assert (big.status_code, big.json()["code"]) == (413, "too_large")
        with first.stream("GET", f"/api/sessions/{session}/nothing") as answer:
            assert answer.status_code == 404
        assert first.delete(f"/api/sessions/{session}").status_code == 204
        assert first.post(f"/api/sessions/{session}/interrupt").json()["code"] == "unknown_session"


def test_figures_and_limits_are_of_both(first: TestClient):
    sessions = [of_neighbour(first) for _ in range(3)]
    with connect(first) as socket_:
        hello(socket_)
        hear_until(socket_, lambda item: isinstance(item, MotionPacket) and item.frame == 3)
        assert first.get("/api/health").json()["sessions"] == LIMITS.sessions == 4
        assert first.post("/api/sessions", json={"avatar": "me"}).json()["code"] == "too_many_sessions"
        lines = dict(line.rsplit(" ", 1) for line in first.get("/metrics").text.splitlines() if line[0] != "#")
        assert (lines["locutor_sessions"], lines["locutor_sessions_total"]) == ("4", "4")
        assert lines['locutor_refusals_total{code="too_many_sessions"}'] == "1"
        assert int(lines['locutor_stage_seconds_count{stage="motion"}']) > 4
    assert first.get("/api/figures").json()["code"] == "not_found"
    for session in sessions:
        first.delete(f"/api/sessions/{session}")


def test_what_is_baked_is_baked_once(first: TestClient, tmp_path: Path):
    path = "/api/avatars/me/web/avatar.json"
    page = first.get(path)
    made = (tmp_path / "me" / "avatar.json").stat().st_mtime_ns
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(tmp_path / "1.socket"))
        connection.sendall(f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    assert answer.partition(b"\r\n\r\n")[2] == page.content
    assert (tmp_path / "me" / "avatar.json").stat().st_mtime_ns == made


def test_a_neighbour_that_is_gone(first: TestClient):
    (first.app.state.hub.crew.socket_of(1)).unlink()
    assert first.post("/api/sessions/1.x/interrupt").json()["code"] == "unknown_session"
    with connect(first) as lost:
        assert hello(lost, session="1.x").code == "unknown_session"
    assert first.get("/metrics").status_code == 200


def test_real_processes(avatar_file: Path):
    """They share an address, know each other's sessions, are started again, and end together."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = (
        "import sys; from pathlib import Path; from locutor.server.config import ServerConfig;"
        "from locutor.server.serve import serve;"
        f"serve([('me', Path({str(avatar_file)!r}))], ServerConfig(port={port}, processes=2))"
    )
    main = subprocess.Popen([sys.executable, "-c", "if __name__ == '__main__':\n " + program], stdout=subprocess.PIPE)
    try:
        assert main.stdout
        assert f":{port}/" in main.stdout.readline().decode()
        workers = [int(pid) for pid in Path(f"/proc/{main.pid}/task/{main.pid}/children").read_text().split()]
        workers = [pid for pid in workers if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]
        assert len(workers) == 2
        with pytest.raises(LocutorError, match="cannot be served"):
            serve_together([("me", avatar_file)], ServerConfig(port=port, processes=2))
        ids = set()
        while len(ids) < 2:  # by chance at either
            with dial(f"ws://127.0.0.1:{port}/api/live") as viewer:
                viewer.send(json.dumps({"type": "hello", "protocol": PROTOCOL, "avatar": "me"}))
                ids.add(json.loads(viewer.recv())["session"].partition(".")[0])
        assert ids == {"0", "1"}
        os.kill(workers[0], signal.SIGKILL)
        assert b"started again" in main.stdout.readline()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/health", timeout=20) as answer:
            assert json.load(answer)["status"] == "ok"
        main.terminate()
        assert main.wait(20) == 0
        assert not any(Path(f"/proc/{pid}").exists() for pid in workers)
    finally:
        main.kill()
        main.wait()
        main.stdout.close()
