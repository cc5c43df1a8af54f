"""The live protocol, over a real application."""

import time

import numpy as np
import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from tests.server.conftest import LIMITS, TOKEN
from tests.server.talk import close_code, connect, hear, hear_until, hello, is_change, is_refusal, tell

from locutor.media.pictures import decode_rgb
from locutor.server import packets
from locutor.server.packets import MotionPacket, PicturePacket, SoundPacket
from locutor.server.protocol import Pong, Ready, Refused, State
from locutor.server.tokens import make_pass


def speech_packet(n: int = 320) -> bytes:
    tone = (6000 * np.sign(np.sin(np.arange(n) / 9))).astype(np.int16)
    return packets.encode(SoundPacket(0, 0, tone))


def test_hello_brings_a_session_and_motion(server: TestClient):
    with connect(server) as socket:
        ready = hello(socket)
        assert isinstance(ready, Ready)
        assert (ready.avatar, ready.role, ready.fps, ready.n_coefficients) == ("me", "control", 25, 2)
        first = hear(socket)[0]
        heard = hear_until(socket, lambda item: isinstance(item, MotionPacket) and item.frame == 10)
    frames = [first] + [item for item in heard if isinstance(item, MotionPacket)]
    assert [f.frame for f in frames] == list(range(11))
    assert [f.sample for f in frames] == [640 * k for k in range(11)]
    assert all(len(f.row) == 2 + 14 and not f.speaking for f in frames)
    assert not any(isinstance(item, SoundPacket) for item in heard)  # silence is not sent


def test_a_text_is_heard_with_its_motion(server: TestClient):
    with connect(server) as socket:
        hello(socket)
        tell(socket, type="say", text="Hello there", id="7")
        heard = hear_until(socket, is_change("rests"))
    assert [item.why for item in heard if isinstance(item, State)] == ["said", "speaks", "rests"]
    assert next(item for item in heard if isinstance(item, State)).id == "7"
    sounds = {item.sample: item.pcm for item in heard if isinstance(item, SoundPacket)}
    speaking = [item.sample for item in heard if isinstance(item, MotionPacket) and item.speaking]
    assert sorted(sounds) == speaking
    assert sum(len(pcm) for pcm in sounds.values()) == len(speaking) * 960
    assert len(speaking) == 14  # 11 letters of 50 ms are 13.75 frames
    assert np.abs(np.concatenate(list(sounds.values()))).max() > 5000


def test_a_microphone_is_heard(server: TestClient):
    with connect(server) as socket:
        hello(socket)
        for _ in range(40):
            socket.send_bytes(speech_packet())
        tell(socket, type="sound_ends")
        heard = hear_until(socket, is_change("rests"))
    sound = np.concatenate([item.pcm for item in heard if isinstance(item, SoundPacket)])
    assert (np.abs(sound) > 1000).sum() == pytest.approx(40 * 480, rel=0.05)  # however late the pieces came


def test_an_interruption(server: TestClient):
    with connect(server) as socket:
        hello(socket)
        tell(socket, type="say", text="A sentence that goes on for some seconds, so that one can interrupt it.")
        hear_until(socket, lambda item: isinstance(item, MotionPacket) and item.speaking)
        tell(socket, type="interrupt")
        state = hear_until(socket, is_change("interrupted"))[-1]
        after = hear_until(socket, lambda item: isinstance(item, MotionPacket) and item.sample > state.sample + 6400)
    assert state.epoch == 1
    assert not any(isinstance(item, SoundPacket) for item in after)
    assert all(item.epoch == 1 and not item.speaking for item in after if isinstance(item, MotionPacket))


def test_ping_tells_latencies(server: TestClient):
    with connect(server) as socket:
        hello(socket)
        hear_until(socket, lambda item: isinstance(item, MotionPacket) and item.frame == 5)
        tell(socket, type="ping", id=42)
        pong = hear_until(socket, lambda item: isinstance(item, Pong))[-1]
    assert pong.id == 42
    assert {"late", "motion", "send"} <= {stage.stage for stage in pong.stages}


def test_pictures_instead_of_motion(server: TestClient):
    with connect(server) as socket:
        hello(socket, pictures=True, motion=False)
        picture = hear_until(socket, lambda item: isinstance(item, PicturePacket))[-1]
        assert decode_rgb(picture.jpeg).shape == (128, 128, 3)
        with connect(server) as other:
            refused = hello(other, pictures=True)
            assert isinstance(refused, Refused)
            assert (refused.code, refused.fatal) == ("too_many_sessions", True)
    with connect(server) as third:
        assert isinstance(hello(third, pictures=True), Ready)


def test_two_clients_on_one_session(server: TestClient):
    with connect(server) as first:
        session = hello(first).session
        with connect(server) as second:
            assert hello(second, session=session).role == "watch"
            tell(second, type="say", text="I take over")
            hear_until(second, is_refusal("not_in_control"))
            tell(second, type="played", epoch=0, sample=100)
            with connect(server) as third:
                assert hello(third, session=session).code == "too_many_sessions"
            tell(first, type="say", text="Both hear me")
            hear_until(second, is_change("speaks"))
            hear_until(first, is_change("speaks"))


def test_who_comes_back_goes_on(server: TestClient):
    with connect(server) as socket:
        session = hello(socket).session
        tell(socket, type="say", text="What I began to say I end.")
        hear_until(socket, is_change("speaks"))
    with connect(server) as socket:
        ready = hello(socket, session=session)
        assert ready.role == "control"
        assert ready.frame > 0
        hear_until(socket, is_change("rests"))


def test_a_session_without_viewers_ends(server: TestClient):
    with connect(server) as socket:
        session = hello(socket).session
    deadline = time.monotonic() + 10
    while server.get("/api/health").json()["sessions"] and time.monotonic() < deadline:
        time.sleep(0.1)
    with connect(server) as socket:
        assert hello(socket, session=session).code == "unknown_session"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"avatar": "nobody"}, "unknown_avatar"),
        ({"avatar": "../../etc/passwd"}, "unknown_avatar"),
        ({"avatar": "%2e%2e"}, "unknown_avatar"),
        ({"avatar": None}, "bad_message"),
        ({"session": "guessed"}, "unknown_session"),
        ({"protocol": 99}, "bad_protocol"),
        ({"surprise": 1}, "bad_message"),
        ({"avatar": "a" * 70}, "bad_message"),
    ],
)
def test_a_hello_that_is_refused(server: TestClient, fields: dict, code: str):
    with connect(server) as socket:
        refused = hello(socket, **fields)
        assert isinstance(refused, Refused)
        assert (refused.code, refused.fatal) == (code, True)
        assert close_code(socket) // 100 == 44


def test_silence_instead_of_hello(server: TestClient):
    with connect(server) as socket:
        assert hear(socket)[0].code == "too_late"
        assert close_code(socket) == 4408


def test_the_token(guarded: TestClient):
    with connect(guarded) as socket:
        assert hello(socket).code == "unauthorized"
        assert close_code(socket) == 4401
    for wrong in ("not " + TOKEN, make_pass("another token", 60.0), make_pass(TOKEN, 60.0, now_s=0.0)):
        with connect(guarded) as socket:
            assert hello(socket, token=wrong).code == "unauthorized"
    for good in (TOKEN, make_pass(TOKEN, 60.0)):
        with connect(guarded) as socket:
            assert isinstance(hello(socket, token=good), Ready)


def test_pages_of_other_sites_are_kept_out(server: TestClient, guarded: TestClient):
    with pytest.raises(WebSocketDisconnect), connect(server, origin="http://evil.example"):
        pass
    with connect(server, origin="http://testserver") as socket:
        assert isinstance(hello(socket), Ready)
    with connect(guarded, origin="http://elsewhere.example") as socket:
        assert isinstance(hello(socket, token=TOKEN), Ready)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"type": "say", "text": "x" * 101}, "text_too_long"),
        ({"type": "say", "text": ""}, "bad_message"),
        ({"type": "say", "text": "hi", "voice": "none"}, "cannot_speak"),
        ({"type": "hello", "protocol": 1}, "bad_message"),
        ({"type": "adjust", "controls": [1e9]}, "bad_message"),
        ({"type": "played", "epoch": -1, "sample": 0}, "bad_message"),
        ({"type": "dance"}, "bad_message"),
        ({}, "bad_message"),
    ],
)
def test_an_order_that_is_refused_ends_nothing(server: TestClient, message: dict, code: str):
    with connect(server) as socket:
        hello(socket)
        tell(socket, **message)
        refused = hear_until(socket, is_refusal(code))[-1]
        assert not refused.fatal
        tell(socket, type="say", text="still here")
        hear_until(socket, is_change("speaks"))


def test_too_much_sound(server: TestClient):
    with connect(server) as socket:
        hello(socket)
        for _ in range(60):
            socket.send_bytes(speech_packet(1900))
        hear_until(socket, is_refusal("too_much_sound"))


def test_a_message_that_is_too_large(server: TestClient):
    with connect(server) as socket:
        hello(socket)
        socket.send_bytes(b"\1" * (LIMITS.message_bytes + 1))
        hear_until(socket, is_refusal("too_large"))


def test_a_flood_ends_one_connection_and_no_other(server: TestClient):
    with connect(server) as good, connect(server) as flood:
        hello(good)
        hello(flood)
        for k in range(int(LIMITS.burst) + 200):
            tell(flood, type="ping", id=k)
        assert hear_until(flood, is_refusal("too_fast"))[-1].fatal
        assert close_code(flood) == 4429
        tell(good, type="say", text="I am fine")
        hear_until(good, is_change("speaks"))
