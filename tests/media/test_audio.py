from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
import soxr

from locutor.core.clock import SAMPLE_RATE
from locutor.core.errors import MediaError
from locutor.media.audio import audio_duration, read_audio, read_audio_chunks
from locutor.media.opening import MediaWarning


def write_tone(path: Path, rate: int, n_channels: int = 1, seconds: float = 1.5, **options) -> Path:
    t = np.arange(round(rate * seconds)) / rate
    tone = 0.5 * np.sin(2 * np.pi * 440 * t)
    soundfile.write(path, np.repeat(tone[:, None], n_channels, 1), rate, **options)
    return path


def tone_error(samples: np.ndarray) -> float:
    wanted = 0.5 * np.sin(2 * np.pi * 440 * np.arange(len(samples)) / 16000)
    return float(np.abs(samples - wanted)[200:-200].max())


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 44100, 48000, 96000])
@pytest.mark.parametrize("n_channels", [1, 2, 6, 8])
def test_any_rate_and_channels(tmp_path, rate, n_channels):
    samples = read_audio(write_tone(tmp_path / "a.wav", rate, n_channels))
    assert samples.dtype == np.float32
    assert abs(len(samples) - 24000) <= 1
    assert tone_error(samples) < 2e-3


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_any_sample_format(tmp_path, subtype):
    samples = read_audio(write_tone(tmp_path / "a.wav", 16000, subtype=subtype))
    assert tone_error(samples) < (1e-2 if subtype == "PCM_U8" else 1e-4)


@pytest.mark.parametrize("name", ["a.flac", "a.ogg", "a.mp3"])
def test_other_containers(tmp_path, name):
    samples = read_audio(write_tone(tmp_path / name, 44100))
    assert len(samples) == pytest.approx(24000, abs=800)
    assert np.std(samples[2000:-2000]) == pytest.approx(0.5 / 2**0.5, rel=0.05)


def test_chunks_join_to_the_whole(tmp_path):
    path = write_tone(tmp_path / "a.wav", 44100, 2)
    chunks = list(read_audio_chunks(path, chunk_s=0.1))
    assert {len(c) for c in chunks[:-1]} == {1600}
    np.testing.assert_array_equal(np.concatenate(chunks), read_audio(path))


def test_track_of_a_film(make_video):
    path = make_video(tone_rate=48000)
    samples = read_audio(path)
    assert len(samples) == pytest.approx(32000, abs=1100)
    assert audio_duration(path) == pytest.approx(2.0, abs=0.1)
    wanted = 0.25 * np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    assert np.corrcoef(samples[:16000], wanted)[0, 1] > 0.99  # in step with the picture


def write_film_with_shifted_sound(path: Path, first_picture: int, first_sample: int) -> None:
    """Silence until 0.5 s, then a constant, in packets of 10 ms; pictures begin at `first_picture` / 25 s."""
    with av.open(str(path), "w") as out:
        video = out.add_stream("mpeg4", rate=25)
        video.width, video.height, video.pix_fmt = 32, 32, "yuv420p"
        audio = out.add_stream("pcm_s16le", rate=16000, layout="mono")
        for k in range(25):
            frame = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), "rgb24")
            frame.pts, frame.time_base = first_picture + k, Fraction(1, 25)
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
        for start in range(first_sample, 16000, 160):
            value = 9000 if start >= 8000 else 0
            sound = av.AudioFrame.from_ndarray(np.full((1, 160), value, np.int16), "s16", "mono")
            sound.sample_rate, sound.pts, sound.time_base = 16000, start, Fraction(1, 16000)
            out.mux(audio.encode(sound))


def test_sound_that_begins_before_the_picture_is_cut(tmp_path):
    path = tmp_path / "early.mkv"
    write_film_with_shifted_sound(path, first_picture=2, first_sample=0)
    samples = read_audio(path)
    assert len(samples) == pytest.approx(16000 - 1280, abs=20)
    assert np.abs(samples[: 8000 - 1280 - 20]).max() == 0
    assert samples[8000 - 1280 + 20 :].min() > 0.2


def test_sound_that_begins_after_the_picture(tmp_path):
    path = tmp_path / "late.mkv"
    write_film_with_shifted_sound(path, first_picture=0, first_sample=8000)
    samples = read_audio(path)
    assert len(samples) == pytest.approx(16000, abs=20)
    assert np.abs(samples[:7900]).max() == 0
    assert samples[8100:].min() > 0.2


def test_values_that_are_not_finite(tmp_path):
    tone = np.full(16000, 0.1, np.float32)
    tone[500:600] = np.nan
    tone[700] = np.inf
    soundfile.write(tmp_path / "a.wav", tone, 16000, subtype="FLOAT")
    with pytest.warns(MediaWarning, match="101 samples are not finite"):
        samples = read_audio(tmp_path / "a.wav")
    assert np.isfinite(samples).all()
    assert (samples[500:600] == 0).all()


def test_unusable_files(tmp_path, make_video):
    with pytest.raises(MediaError, match="no sound track"):
        read_audio(make_video("silent.mp4"))
    soundfile.write(tmp_path / "empty.wav", np.zeros(0), 16000)
    with pytest.raises(MediaError, match=r"no samples|not a readable|no sound track"):
        read_audio(tmp_path / "empty.wav")
    (tmp_path / "text.wav").write_bytes(b"not sound at all" * 100)
    with pytest.raises(MediaError, match=r"text\.wav"):
        read_audio(tmp_path / "text.wav")
    with pytest.raises(MediaError, match="does not exist"):
        next(read_audio_chunks(tmp_path / "none.wav"))
    with pytest.raises(MediaError, match="folder"):
        read_audio(tmp_path)


@pytest.mark.real
def test_real_sounds(media_dir):
    for name in ("german1.wav", "librivox_en_1.wav", "acknowledgement_english.m4a"):
        path = next(p for p in (media_dir / "audio").iterdir() if p.name.lower() == name)
        samples = read_audio(path)
        assert len(samples) / 16000 == pytest.approx(audio_duration(path), abs=0.1)
        assert np.abs(samples).max() > 0.05


def test_more_channels_than_pyav_has_planes_for(tmp_path):
    """12 channels of Opus: PyAV's planes of such a frame end somewhere in memory (found by `make torture`)."""
    path, seconds = tmp_path / "a.mkv", np.arange(48_000) / 48_000
    tones = np.stack([0.3 * np.sin(2 * np.pi * (200 + 50 * k) * seconds) for k in range(12)], 1).astype(np.float32)
    with av.open(path, "w") as container:
        stream = container.add_stream("libopus", rate=48_000, layout="12 channels", options={"mapping_family": "255"})
        frame = av.AudioFrame.from_ndarray(tones.reshape(1, -1), format="flt", layout="12 channels")
        frame.sample_rate = 48_000
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)
    samples = read_audio(path)
    expected = soxr.resample(tones.mean(1), 48_000, SAMPLE_RATE)
    assert abs(len(samples) - SAMPLE_RATE) < 400
    assert np.abs(samples[2000:14_000] - expected[2000:14_000]).std() < 0.01
