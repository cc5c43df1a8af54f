"""WHEP: a WebRTC watcher in the same process gets pictures and sound."""

import asyncio
import warnings

import httpx2
import pytest
from tests.server.conftest import CONFIG, buzz

from locutor.server.app import make_app
from locutor.server.gallery import Gallery

aiortc = pytest.importorskip("aiortc")


async def watch(avatar_file) -> tuple[object, object]:
    app = make_app(Gallery([("me", avatar_file)]), CONFIG, buzz)
    transport = httpx2.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="http://testserver") as client,
    ):
        session = (await client.post("/api/sessions", json={"avatar": "me"})).json()["session"]
        bad = await client.post(f"/api/sessions/{session}/whep", content=b"no offer")
        assert (bad.status_code, bad.json()["code"]) == (400, "bad_message")
        peer = aiortc.RTCPeerConnection()
        tracks: dict[str, asyncio.Future] = {
            kind: asyncio.get_running_loop().create_future() for kind in ("video", "audio")
        }
        peer.on("track", lambda track: tracks[track.kind].set_result(track))
        for kind in tracks:
            peer.addTransceiver(kind, direction="recvonly")
        await peer.setLocalDescription(await peer.createOffer())
        answer = await client.post(f"/api/sessions/{session}/whep", content=peer.localDescription.sdp)
        assert answer.status_code == 201
        assert answer.headers["content-type"].startswith("application/sdp")
        await peer.setRemoteDescription(aiortc.RTCSessionDescription(answer.text, "answer"))
        video, audio = [await asyncio.wait_for(tracks[kind], 20) for kind in ("video", "audio")]
        picture = await asyncio.wait_for(video.recv(), 20)
        sound = await asyncio.wait_for(audio.recv(), 20)
        assert (await client.delete(answer.headers["location"])).status_code == 204
        gone = await client.delete(answer.headers["location"])
        assert gone.json()["code"] == "not_found"
        await peer.close()
        return picture, sound


def test_a_watcher_sees_and_hears(avatar_file):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        picture, sound = asyncio.run(watch(avatar_file))
    assert (picture.width, picture.height) == (128, 128)
    assert picture.to_ndarray(format="rgb24").std() > 5
    assert sound.sample_rate == 48_000
