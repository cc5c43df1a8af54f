"""REST: who may do what, and what is answered."""

import datetime
import io
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from starlette.testclient import TestClient
from tests.server.conftest import CONFIG, LIMITS, TOKEN, buzz
from tests.server.talk import connect, hear_until, hello, is_change

from locutor.avatar.avatar import Avatar
from locutor.avatar.bundle import save_avatar
from locutor.core.errors import FormatError, LocutorError, MissingPartError
from locutor.live.timeline import LiveFrame
from locutor.provenance.consent import Consent
from locutor.provenance.revocation import revoke
from locutor.server import serve
from locutor.server.app import make_app
from locutor.server.gallery import Gallery
from locutor.server.protocol import AvatarEntry, Refused, SessionEntry
from locutor.server.video import FragmentedMp4

BEARER = {"Authorization": f"Bearer {TOKEN}"}


def opened(server: TestClient) -> SessionEntry:
    answer = server.post("/api/sessions", json={"avatar": "me"})
    assert answer.status_code == 201
    return SessionEntry(**answer.json())


def wav(seconds: float, rate: int = 22050) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, 0.2 * np.sign(np.sin(np.arange(int(seconds * rate)) / 20)), rate, format="WAV")
    return file.getvalue()


def refused(answer, code: str, status: int) -> None:
    assert (answer.status_code, Refused(**answer.json()).code) == (status, code)


def test_who_is_there(server: TestClient):
    (entry,) = [AvatarEntry(**e) for e in server.get("/api/avatars").json()]
    assert (entry.id, entry.width, entry.synthetic, entry.can_speak) == ("me", 128, True, True)
    assert server.get(f"/{entry.preview}").content.startswith(b"\x89PNG")
    assert server.get("/site.json").json() == {"kind": "live", "protocol": 1, "needs_token": False}
    assert server.get("/api/health").json()["status"] == "ok"


def test_speech_by_rest_is_seen_by_viewers(server: TestClient):
    entry = opened(server)
    with connect(server) as socket:
        hello(socket, session=entry.session)
        assert server.post(f"/api/sessions/{entry.session}/say", json={"text": "Hello"}).status_code == 202
        hear_until(socket, is_change("rests"))
        assert server.post(f"/api/sessions/{entry.session}/sound", content=wav(0.5)).status_code == 202
        hear_until(socket, is_change("speaks"))
        state = server.post(f"/api/sessions/{entry.session}/interrupt").json()
        assert (state["why"], state["epoch"]) == ("interrupted", 1)
        hear_until(socket, is_change("interrupted"))
        assert server.delete(f"/api/sessions/{entry.session}").status_code == 204
    refused(server.post(f"/api/sessions/{entry.session}/interrupt"), "unknown_session", 404)


def test_uploads_have_limits(server: TestClient):
    url = f"/api/sessions/{opened(server).session}/sound"
    refused(server.post(url, content=b"\0" * (LIMITS.upload_bytes + 1)), "too_large", 413)
    refused(server.post(url, content=b"no sound at all"), "unreadable_sound", 415)
    refused(server.post(url, content=b""), "unreadable_sound", 415)
    bomb = io.BytesIO()
    soundfile.write(bomb, np.zeros(60 * 8000), 8000, format="FLAC")  # a minute in a few kB
    assert len(bomb.getvalue()) < LIMITS.upload_bytes
    refused(server.post(url, content=bomb.getvalue()), "too_large", 413)
    assert str(Path.home()) not in server.post(url, content=b"x").text
    assert "/tmp" not in server.post(url, content=b"x").text


def test_the_baked_avatar(server: TestClient):
    page = server.get("/api/avatars/me/web/avatar.json").json()
    assert page["format"] == "locutor-bake"
    assert len(server.get(f"/api/avatars/me/web/{page['binary']}").content) > 1000
    assert server.get("/api/avatars/me/web/plate.jpg").headers["content-type"] == "image/jpeg"
    refused(server.get("/api/avatars/me/web/.avatar.bake.lock"), "not_found", 404)


@pytest.mark.parametrize(
    "path",
    [
        "/api/avatars/nobody/preview.png",
        "/api/avatars/../../../etc/passwd",
        "/api/avatars/%2e%2e%2f%2e%2e%2fetc%2fpasswd/preview.png",
        "/api/avatars/me/web/..%2f..%2fetc%2fpasswd",
        "/api/avatars/me/web/%2e%2e",
        "/api/avatars/me%00/preview.png",
        "/nothing",
    ],
)
def test_paths_lead_nowhere_else(server: TestClient, path: str):
    answer = server.get(path)
    assert answer.status_code == 404
    assert Refused(**answer.json()).code in ("not_found", "unknown_avatar")


def test_bad_requests_are_typed(server: TestClient):
    session = opened(server).session
    refused(server.post("/api/sessions", json={"avatar": "nobody"}), "unknown_avatar", 404)
    refused(server.post("/api/sessions", content=b"{"), "bad_message", 400)
    refused(server.post("/api/sessions", json={"avatar": 5}), "bad_message", 400)
    refused(server.put("/api/sessions"), "bad_message", 400)
    refused(server.post(f"/api/sessions/{session}/say", json={"text": "x" * 101}), "text_too_long", 413)
    for _ in range(LIMITS.sessions - 1):
        opened(server)
    refused(server.post("/api/sessions", json={"avatar": "me"}), "too_many_sessions", 429)


def test_requests_have_a_rate(avatar_file: Path):
    limits = replace(LIMITS, request_burst=3.0, requests_per_s=0.01)
    with TestClient(make_app(Gallery([("me", avatar_file)]), replace(CONFIG, limits=limits), buzz)) as client:
        assert [client.get("/api/avatars").status_code for _ in range(4)] == [200, 200, 200, 429]


def test_the_token_guards_everything_that_costs(guarded: TestClient):
    for answer in (
        guarded.get("/api/avatars"),
        guarded.get("/metrics"),
        guarded.post("/api/sessions", json={"avatar": "me"}),
    ):
        refused(answer, "unauthorized", 401)
        assert answer.headers["www-authenticate"] == "Bearer"
    assert guarded.get("/api/avatars", headers=BEARER).status_code == 200
    assert guarded.get("/site.json").json()["needs_token"]


def test_passes(guarded: TestClient):
    given = guarded.post("/api/passes", json={"lasts_s": 60}, headers=BEARER).json()["token"]
    by_pass = {"Authorization": f"Bearer {given}"}
    assert guarded.get("/api/avatars", headers=by_pass).status_code == 200
    refused(guarded.post("/api/passes", json={"lasts_s": 60}, headers=by_pass), "unauthorized", 401)
    refused(guarded.post("/api/passes", json={"lasts_s": 0}, headers=BEARER), "bad_message", 400)


def test_pages_of_other_sites_are_kept_out(server: TestClient):
    refused(server.get("/api/avatars", headers={"origin": "http://evil.example"}), "unauthorized", 401)
    refused(server.get("/api/avatars", headers={"host": "rebound.example"}), "unauthorized", 401)


def test_metrics(server: TestClient):
    with connect(server) as socket:
        hello(socket)
        hear_until(socket, lambda item: getattr(item, "frame", 0) == 3)
        server.get("/nothing")
        text = server.get("/metrics").text
    refused(server.get("/api/figures"), "not_found", 404)  # for the server's own processes
    lines = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert float(lines["locutor_sessions"]) == 1
    assert float(lines['locutor_refusals_total{code="not_found"}']) == 1
    buckets = [float(v) for k, v in lines.items() if k.startswith('locutor_stage_seconds_bucket{stage="motion"')]
    assert buckets == sorted(buckets)
    assert buckets[-1] == float(lines['locutor_stage_seconds_count{stage="motion"}']) >= 4


def test_fragments_of_mp4_play(speaking_avatar: Avatar):
    muxer = FragmentedMp4(128, 128)
    tone = (9000 * np.sin(2 * np.pi * 440 * np.arange(960) / 24000)).astype(np.int16)
    data = b""
    for k in range(50):
        frame = LiveFrame(0, 100 + k, np.zeros(16, np.float32), tone, True, None)
        picture = None if k % 10 == 3 else np.full((128, 128, 3), 4 * k, np.uint8)
        data += muxer.add([frame], picture)
    data += muxer.close()
    assert data[4:8] == b"ftyp"
    with av.open(io.BytesIO(data)) as container:
        times = [frame.time for frame in container.decode(video=0)]
    assert len(times) == 45
    assert times[-1] == pytest.approx(49 / 25, abs=0.05)
    with av.open(io.BytesIO(data)) as container:
        n_samples = sum(frame.samples for frame in container.decode(audio=0))
    assert n_samples == pytest.approx(48_000, abs=3000)


def test_nobody_is_shown_to_others_without_consent(speaking_avatar: Avatar, avatar_file: Path, tmp_path: Path):
    real = replace(speaking_avatar, provenance=replace(speaking_avatar.provenance, synthetic=False))
    path = tmp_path / "real.avatar"
    save_avatar(real, path, real.plate)
    gallery = Gallery([("real", path)])
    serve.check_consent(gallery, CONFIG.__class__())
    with pytest.raises(LocutorError, match="no record of consent"):
        serve.check_consent(gallery, replace(CONFIG, host="0.0.0.0"))
    serve.check_consent(gallery, replace(CONFIG, host="0.0.0.0", allow_unconsented=True))
    serve.check_consent(Gallery([("synthetic", avatar_file)]), replace(CONFIG, host="0.0.0.0"))
    today = datetime.datetime.now(datetime.UTC).date()
    consent = Consent("A. Person", today, "tests", None, "a@example.org")
    agreed = tmp_path / "agreed.avatar"
    save_avatar(replace(real, provenance=replace(real.provenance, consent=consent)), agreed, real.plate)
    serve.check_consent(Gallery([("agreed", agreed)]), replace(CONFIG, host="0.0.0.0"))


def test_a_consent_that_ends_while_the_server_runs_ends_new_sessions(
    speaking_avatar: Avatar, tmp_path: Path, monkeypatch
):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    today = datetime.datetime.now(datetime.UTC).date()
    consent = Consent("A. Person", today, "tests", None, "a@example.org")
    path = tmp_path / "me.avatar"
    save_avatar(replace(speaking_avatar, provenance=replace(speaking_avatar.provenance, consent=consent)), path,
                speaking_avatar.plate)  # fmt: skip
    with TestClient(make_app(Gallery([("me", path)]), CONFIG, lambda *_: None)) as server:
        assert server.post("/api/sessions", json={"avatar": "me"}, headers=BEARER).status_code == 201
        revoke(consent)
        refused = server.post("/api/sessions", json={"avatar": "me"}, headers=BEARER)
    assert refused.status_code == 451
    assert refused.json()["code"] == "no_consent"


def test_other_machines_need_a_token(monkeypatch):
    monkeypatch.delenv(serve.TOKEN_VARIABLE, raising=False)
    for host in ("127.0.0.1", "::1", "localhost"):
        serve.check_token(serve.with_token(replace(CONFIG, host=host)))
    for host in ("0.0.0.0", "192.168.1.2", "::", "example.org"):
        with pytest.raises(LocutorError, match="no token"):
            serve.check_token(serve.with_token(replace(CONFIG, host=host)))
    with pytest.raises(LocutorError, match="5 characters"):
        serve.check_token(replace(CONFIG, token="short"))
    monkeypatch.setenv(serve.TOKEN_VARIABLE, TOKEN)
    assert serve.with_token(CONFIG).token == TOKEN
    serve.check_token(serve.with_token(replace(CONFIG, host="0.0.0.0")))


def test_the_extra_is_named_when_it_is_missing(monkeypatch):
    monkeypatch.setattr(serve.importlib.util, "find_spec", lambda name: None if name == "uvicorn" else name)
    with pytest.raises(MissingPartError, match=r"uvicorn[\s\S]*locutor\[live\]"):
        serve.serve([], CONFIG)


def test_files_that_are_no_avatars(tmp_path: Path, avatar_file: Path):
    (tmp_path / "x.avatar").write_bytes(b"nothing")
    with pytest.raises(FormatError, match=r"x\.avatar"):
        Gallery([("x", tmp_path / "x.avatar")])
    ids = list(Gallery([("my face", avatar_file), ("my face", avatar_file), ("../..", avatar_file)]).exhibits)
    assert ids == ["my-face", "my-face-2", "avatar"]
