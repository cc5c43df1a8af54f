"""Sound in, video out."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from tests.synthetic.performer import SIZE

from locutor.avatar.avatar import Avatar
from locutor.capture.performance import Performance
from locutor.core.clock import SAMPLE_RATE, frames_for_samples
from locutor.core.errors import FormatError, MediaError, OutputError
from locutor.core.events import Progress, Wrote
from locutor.drive.idle_model import IdleModel
from locutor.drive.speak import SpeechDriver
from locutor.drive.voice import VoiceModel
from locutor.live.say import OUT_RATE, say_file, say_samples
from locutor.media.audio import read_audio
from locutor.media.video import iterate_frames, probe_video

N = 30_000  # samples at 16 kHz: 46.9 frames


@pytest.fixture(scope="module")
def samples(performance: Performance) -> np.ndarray:
    return performance.sound[:N]


@pytest.fixture(scope="module")
def said(speaking_avatar: Avatar, samples: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("said") / "out.mp4"
    events = list(say_samples(speaking_avatar, samples, SAMPLE_RATE, out, seed=3))
    assert events[-1] == Wrote(out, "video")
    bars = [e for e in events if isinstance(e, Progress)]
    assert [b.done for b in bars] == sorted(b.done for b in bars)
    assert bars[-1].done == bars[-1].total == 47
    return out


def test_a_frame_for_each_40_ms_and_the_sound_to_them(said: Path, samples: np.ndarray):
    info = probe_video(said)
    assert (info.width, info.height, info.has_audio) == (SIZE, SIZE, True)
    assert len(list(iterate_frames(said))) == frames_for_samples(N) == 47
    sound = read_audio(said)
    assert abs(len(sound) - N) < 2000
    inner = slice(2000, N - 4000)
    shifts = range(-40, 41)
    match = [np.corrcoef(np.roll(sound, s)[inner], samples[inner])[0, 1] for s in shifts]
    assert max(match) > 0.95
    assert abs(shifts[int(np.argmax(match))]) < 20  # about a millisecond


def test_the_frames_are_those_of_the_driver(said: Path, speaking_avatar: Avatar, samples: np.ndarray):
    """A file is the stream in a loop."""
    driver = SpeechDriver(
        VoiceModel.from_tensors(dict(speaking_avatar.voice)), IdleModel.from_tensors(dict(speaking_avatar.idle))
    )
    motion = driver.whole(samples, seed=3)
    assert len(motion) == 47
    for k, shown in enumerate(iterate_frames(said)):
        if k % 9 == 0:
            drawn = speaking_avatar.render(motion[k : k + 1])
            assert np.abs(shown.astype(float) - drawn).mean() < 6
            other = speaking_avatar.render(motion[(k + 20) % 47 : (k + 20) % 47 + 1])
            assert np.abs(shown.astype(float) - drawn).mean() < np.abs(shown.astype(float) - other).mean()


def test_the_mouth_follows_the_sound(speaking_avatar: Avatar, performance: Performance):
    driver = SpeechDriver(
        VoiceModel.from_tensors(dict(speaking_avatar.voice)), IdleModel.from_tensors(dict(speaking_avatar.idle))
    )
    spoken = driver.whole(performance.sound)
    silent = driver.whole(np.zeros(N, np.float32))
    assert np.ptp(spoken.face[:, :58], axis=0).max() > 5 * np.ptp(silent.face[10:, :58], axis=0).max()


@pytest.mark.parametrize(
    ("rate", "channels", "name"), [(44_100, 2, "a.wav"), (22_050, 1, "b.flac"), (48_000, 1, "c.wav")]
)
def test_any_sound_file(speaking_avatar: Avatar, tmp_path, rate, channels, name):
    t = np.arange(round(0.9 * rate)) / rate
    tone = 0.3 * np.sin(2 * np.pi * 300 * t) * (np.sin(2 * np.pi * 3 * t) > 0)
    soundfile.write(tmp_path / name, np.tile(tone[:, None], (1, channels)), rate)
    events = list(say_file(speaking_avatar, tmp_path / name, tmp_path / "out.mp4"))
    assert isinstance(events[-1], Wrote)
    assert abs(len(list(iterate_frames(tmp_path / "out.mp4"))) - 23) <= 1  # .9 s are 22.5 frames
    assert {p.name for p in tmp_path.iterdir()} == {name, "out.mp4"}


def test_the_sound_keeps_its_treble(speaking_avatar: Avatar, tmp_path):
    t = np.arange(OUT_RATE) / OUT_RATE
    soundfile.write(tmp_path / "high.wav", 0.3 * np.sin(2 * np.pi * 12_000 * t), OUT_RATE)
    list(say_file(speaking_avatar, tmp_path / "high.wav", tmp_path / "out.mp4"))
    sound = read_audio(tmp_path / "out.mp4", OUT_RATE)[4000:40_000]
    spectrum = np.abs(np.fft.rfft(sound))
    assert np.argmax(spectrum) * OUT_RATE / len(sound) == pytest.approx(12_000, abs=20)
    assert sound.std() > 0.1


def test_a_very_short_sound(speaking_avatar: Avatar, tmp_path):
    list(say_samples(speaking_avatar, np.zeros(100, np.float32), SAMPLE_RATE, tmp_path / "out.mp4"))
    assert len(list(iterate_frames(tmp_path / "out.mp4"))) == 1


def test_an_avatar_without_a_voice(speaking_avatar: Avatar, samples, tmp_path):
    mute = replace(speaking_avatar, voice={})
    with pytest.raises(FormatError, match="has no voice model"):
        list(say_samples(mute, samples, SAMPLE_RATE, tmp_path / "out.mp4"))
    assert list(tmp_path.iterdir()) == []


def test_an_existing_video_is_left_alone(speaking_avatar: Avatar, samples, tmp_path):
    out = tmp_path / "out.mp4"
    out.write_text("precious")
    with pytest.raises(OutputError, match="exists already"):
        list(say_samples(speaking_avatar, samples, SAMPLE_RATE, out))
    assert out.read_text() == "precious"
    list(say_samples(speaking_avatar, samples[:3200], SAMPLE_RATE, out, overwrite=True))
    assert len(list(iterate_frames(out))) == 5


def test_a_file_without_sound(speaking_avatar: Avatar, tmp_path):
    (tmp_path / "x.wav").write_bytes(b"no sound at all")
    with pytest.raises(MediaError, match=r"x\.wav"):
        list(say_file(speaking_avatar, tmp_path / "x.wav", tmp_path / "out.mp4"))
    assert [p.name for p in tmp_path.iterdir()] == ["x.wav"]


def test_stopping_half_way_leaves_nothing(speaking_avatar: Avatar, samples, tmp_path):
    events = say_samples(speaking_avatar, samples, SAMPLE_RATE, tmp_path / "out.mp4")
    next(events)
    next(events)
    events.close()
    assert list(tmp_path.iterdir()) == []


def test_the_seed_chooses_the_movement(speaking_avatar: Avatar, samples, tmp_path):
    def film(name: str, seed: int) -> np.ndarray:
        list(say_samples(speaking_avatar, samples[:6400], SAMPLE_RATE, tmp_path / name, seed))
        return np.stack(list(iterate_frames(tmp_path / name)))

    np.testing.assert_array_equal(film("a.mp4", 1), film("b.mp4", 1))
    assert np.abs(film("c.mp4", 2).astype(int) - film("d.mp4", 1)).mean() > 0.5
