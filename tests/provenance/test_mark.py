"""Marks in written films, and what becomes of them."""

import os
import stat
import subprocess
import sys
from fractions import Fraction

import av
import numpy as np
import pytest
from cryptography.hazmat.primitives import serialization
from tests.provenance.conftest import write_film

from locutor.core.errors import MarkError, OutputError
from locutor.media.video import iterate_frames, probe_video
from locutor.media.writer import VideoWriter
from locutor.provenance import certificate
from locutor.provenance.config import MarkConfig
from locutor.provenance.mark import NOTE, Source, make_mark
from locutor.provenance.verify import EXIT_CODES, State, verify


def copied(source, target, reencode: bool = False) -> None:
    """What `ffmpeg -c copy` (or without) does."""
    with av.open(str(source)) as old, av.open(str(target), "w") as new:
        new.metadata.update(old.metadata)
        if reencode:
            stream = new.add_stream("libx264", rate=25)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            for k, frame in enumerate(old.decode(video=0)):
                frame.pts, frame.time_base = k, Fraction(1, 25)
                new.mux(stream.encode(frame))
            new.mux(stream.encode(None))
            return
        streams = {s.index: new.add_stream_from_template(s) for s in old.streams}
        for packet in old.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                new.mux(packet)


def box(data: bytes, kind: bytes) -> int:
    """Where the contents of a box of the file begin."""
    at = 0
    while data[at + 4 : at + 8] != kind:
        at += int.from_bytes(data[at : at + 4], "big")
    return at + 8


def test_the_manifest_says_what_it_is(marked):
    found = verify(marked)
    assert found.state is State.VALID
    assert found.source == "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
    assert (found.avatar_id, found.consent_id) == ("0123456789abcdef", "fedcba9876543210")
    assert found.software.startswith("locutor ")
    assert found.self_made
    assert not found.trusted
    assert any("untrusted" in line for line in found.lines())
    assert probe_video(marked).has_audio
    assert [p.name for p in marked.parent.iterdir()] == ["marked.mp4"]


def test_every_changed_byte_of_picture_and_sound_is_found(marked):
    data = marked.read_bytes()
    start, rng = box(data, b"mdat"), np.random.default_rng(0)
    for place in [start, len(data) - 1, *rng.integers(start, len(data), 20).tolist()]:
        changed = bytearray(data)
        changed[place] ^= 1
        marked.write_bytes(bytes(changed))
        assert verify(marked).state is State.ALTERED, place
    marked.write_bytes(data)
    assert verify(marked).state is State.VALID


def test_a_damaged_manifest_is_an_altered_file(marked):
    data = bytearray(marked.read_bytes())
    at = data.index(b"c2pa.claim")
    data[at - 300 : at + 300] = bytes(600)
    marked.write_bytes(bytes(data))
    assert verify(marked).state is State.ALTERED
    assert verify(marked).lines()[0].startswith("altered")


@pytest.mark.parametrize("reencode", [False, True])
@pytest.mark.parametrize("name", ["copy.mp4", "copy.mov"])
def test_a_copy_to_another_container_is_found(marked, tmp_path, reencode, name):
    copied(marked, tmp_path / name, reencode)
    found = verify(tmp_path / name)
    assert found.state is State.ALTERED
    assert "altered" in found.lines()[0]


def test_another_manifests_claim_does_not_pass(marked, tmp_path):
    """The manifest of one film in front of the pictures of another."""
    other = write_film(tmp_path / "other.mp4", MarkConfig(), n_frames=21).read_bytes()
    mine = marked.read_bytes()
    mixed = other[: box(other, b"mdat") - 8] + mine[box(mine, b"mdat") - 8 :]
    (tmp_path / "mixed.mp4").write_bytes(mixed)
    assert verify(tmp_path / "mixed.mp4").state is State.ALTERED


def test_without_a_mark(tmp_path):
    for name, config in (("a.mp4", None), ("b.mp4", MarkConfig(mark=False))):
        found = verify(write_film(tmp_path / name, config))
        assert found.state is State.UNMARKED
        assert "no manifest" in found.lines()[0]
        with av.open(str(tmp_path / name)) as film:
            assert NOTE not in film.metadata.get("comment", "")


def test_the_exit_codes_differ():
    assert EXIT_CODES[State.VALID] == 0
    assert len(set(EXIT_CODES.values()) | {2}) == 4


@pytest.mark.parametrize("content", [b"", b"hello", b"\0\0\0\x18ftypmp42" + bytes(100)])
def test_what_is_not_a_film_is_a_typed_error(tmp_path, content):
    path = tmp_path / "x.mp4"
    path.write_bytes(content)
    with pytest.raises(MarkError):
        verify(path)
    with pytest.raises(MarkError, match="never marked"):
        verify(tmp_path / "x.txt")
    with pytest.raises(MarkError, match="check the names"):
        verify(tmp_path / "nothing.mp4")


def test_the_self_made_key_is_for_its_owner_alone(own_data, tmp_path):
    write_film(tmp_path / "a.mp4", MarkConfig())
    (key,) = own_data.iterdir()
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    first = key.read_bytes()
    write_film(tmp_path / "b.mp4", MarkConfig())
    assert key.read_bytes() == first


def test_the_key_stays_out_of_logs(own_data):
    assert "PRIVATE" not in repr(certificate.find_credential())


def test_two_processes_make_one_key(own_data):
    code = "from locutor.provenance.certificate import find_credential as f; print(hash(f().key))"
    environment = os.environ | {"PYTHONHASHSEED": "0"}
    runs = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment) for _ in range(3)]
    assert len({run.communicate()[0] for run in runs}) == 1
    assert [run.returncode for run in runs] == [0, 0, 0]


def test_a_damaged_key_is_said(own_data):
    certificate.find_credential()
    (key,) = own_data.iterdir()
    key.write_bytes(b"-----BEGIN")
    with pytest.raises(MarkError, match=r"signing\.pem"):
        certificate.find_credential()


def test_a_home_that_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file"))
    with pytest.raises(OutputError, match="signing key"):
        certificate.find_credential()


def own_pair(folder):
    """A certificate chain with its key, and the authority's certificate."""
    blocks = certificate._make().decode().split("-----BEGIN CERTIFICATE-----")
    key, leaf, root = blocks[0], *("-----BEGIN CERTIFICATE-----" + block for block in blocks[1:])
    for name, text in (("key.pem", key), ("cert.pem", leaf + root), ("root.pem", root)):
        (folder / name).write_text(text)
    return folder / "cert.pem", folder / "key.pem", folder / "root.pem"


def test_the_users_certificate_and_anchor(tmp_path, monkeypatch):
    cert, key, root = own_pair(tmp_path)
    film = write_film(tmp_path / "a.mp4", MarkConfig(sign_cert=cert, sign_key=key))
    assert verify(film).state is State.VALID
    assert not verify(film).trusted
    assert verify(film, root).trusted
    (tmp_path / "else").mkdir()
    assert not verify(film, own_pair(tmp_path / "else")[2]).trusted
    monkeypatch.setenv("LOCUTOR_SIGN_CERT", str(cert))
    monkeypatch.setenv("LOCUTOR_SIGN_KEY", str(key))
    assert verify(write_film(tmp_path / "b.mp4", MarkConfig()), root).trusted


def test_a_pair_that_cannot_sign(tmp_path):
    cert, key, _ = own_pair(tmp_path)
    (tmp_path / "else").mkdir()
    _, other_key, _ = own_pair(tmp_path / "else")
    for pair, message in (
        ((cert, None), "certificate and its key"),
        ((cert, other_key), "do not belong together"),
        ((key, cert), "cannot be used"),
        ((tmp_path / "no", key), "cannot be read"),
    ):
        with pytest.raises(MarkError, match=message):
            certificate.find_credential(*pair)


def test_signing_that_fails_leaves_nothing(tmp_path, monkeypatch):
    def unsuitable() -> bytes:
        authority = certificate.ec.generate_private_key(certificate.ec.SECP256R1())
        root = certificate._certificate("authority", authority, authority, is_authority=True)
        pem = serialization.Encoding.PEM
        key = authority.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        return key + root.public_bytes(pem)

    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "both.pem").write_bytes(unsuitable())
    config = MarkConfig(sign_cert=tmp_path / "in" / "both.pem", sign_key=tmp_path / "in" / "both.pem")
    with pytest.raises(MarkError, match="--no-mark"):
        write_film(tmp_path / "a.mp4", config)
    assert [p.name for p in tmp_path.iterdir()] == ["in"]


def test_the_label_is_in_every_frame_and_only_in_its_corner(tmp_path):
    grey = np.full((256, 256, 3), 128, np.uint8)
    mark = make_mark(MarkConfig(mark=False, label="synthetic"), "", None)
    with VideoWriter(tmp_path / "a.mp4", 256, 256, mark=mark) as writer:
        for _ in range(5):
            writer.write_frame(grey)
    assert (grey == 128).all()  # the caller's own frame is not touched
    for frame in iterate_frames(tmp_path / "a.mp4"):
        corner = frame[-24:, :90]
        assert corner.max() > 220
        assert corner.min() < 80
        assert np.abs(frame[:200].astype(int) - 128).max() < 12


@pytest.mark.parametrize("size", [(16, 16), (480, 20), (20, 480), (1080, 1920)])
def test_any_size_takes_a_label(size):
    frame = np.full((*size, 3), 128, np.uint8)
    drawn = make_mark(MarkConfig(mark=False, label="synthetic, für Ämter " * 3), "", None).draw(frame)
    assert drawn.shape == frame.shape
    assert (drawn != frame).any()


def test_kinds_of_media():
    assert Source.ALGORITHM.uri.endswith("digitalsourcetype/algorithmicMedia")
    assert Source.COMPOSITE.uri.endswith("digitalsourcetype/compositeWithTrainedAlgorithmicMedia")


def test_signing_and_checking_take_constant_memory(tmp_path):
    code = f"""
import resource
from pathlib import Path
import numpy as np
from locutor.media.writer import VideoWriter
from locutor.provenance.config import MARKED
from locutor.provenance.mark import make_mark
from locutor.provenance.verify import verify
path = Path({str(tmp_path / "a.mp4")!r})
noise = np.random.default_rng(0).integers(0, 255, (512, 512, 3), dtype=np.uint8)
with VideoWriter(path, 512, 512, crf=1, preset="ultrafast") as writer:
    for k in range(120):
        writer.write_frame(np.roll(noise, 97 * k, axis=1))
size = path.stat().st_size
def used(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
small = path.with_name("b.mp4")
with VideoWriter(small, 64, 64) as writer:
    writer.write_frame(noise[:64, :64])
for film in (small, path):
    before = used()
    make_mark(MARKED, "x", None).seal(film)
    assert verify(film).state == "valid"
print(size, used() - before)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    size, grown = map(int, done.stdout.split())
    assert size > 40e6
    assert grown < size / 2
