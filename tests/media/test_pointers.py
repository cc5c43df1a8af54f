"""A film that is really a list of other files must not have them read: a server would hand out what it can read."""

import numpy as np
import pytest

from locutor.core.errors import MediaError
from locutor.media.audio import read_audio
from locutor.media.video import iterate_frames
from locutor.media.writer import VideoWriter

LISTS = {
    "film.mp4": "ffconcat version 1.0\nfile 'secret.mp4'\n",
    "film.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nsecret.mp4\n#EXT-X-ENDLIST\n",
    "film.sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n"
    "a=rtpmap:96 H264/90000\n",
    "film.mpd": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period>'
    "<AdaptationSet><Representation><BaseURL>secret.mp4</BaseURL></Representation></AdaptationSet></Period></MPD>",
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_refused(tmp_path, name):
    with VideoWriter(tmp_path / "secret.mp4", 64, 48) as writer:
        for _ in range(5):
            writer.write_frame(np.zeros((48, 64, 3), np.uint8))
            writer.write_audio(np.zeros(640, np.float32))
    (tmp_path / name).write_text(LISTS[name])
    with pytest.raises(MediaError):
        list(iterate_frames(tmp_path / name))
    with pytest.raises(MediaError):
        read_audio(tmp_path / name)


def test_a_name_that_looks_like_an_address(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "concat:a.mp4").write_bytes(b"not a film")
    with pytest.raises(MediaError, match="not a readable"):
        list(iterate_frames("concat:a.mp4"))
