"""Consent and marks on their way: footage, training, avatar, film, and the verbs that show them."""

import dataclasses
import json
import sys
import zipfile
from importlib import resources
from pathlib import Path

import pytest
from tests.provenance.conftest import agreed
from tests.synthetic.performer import SOURCE, true_avatar

from locutor.avatar.avatar import Avatar
from locutor.avatar.bundle import load_avatar, read_provenance, save_avatar
from locutor.capture.performance import Performance, PerformanceMeta
from locutor.cli import trust
from locutor.cli.main import main
from locutor.core.errors import ConsentError, FormatError
from locutor.fit.config import TrainConfig
from locutor.fit.trainer import train_avatar
from locutor.fit.training import Training
from locutor.live.say import say_samples
from locutor.provenance.consent import Consent
from locutor.provenance.verify import verify


@pytest.fixture
def program(monkeypatch, capsys):
    """`locutor` with arguments: its exit status and what it says."""

    def call(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["locutor", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(ended.value.code), said.out + said.err

    return call


def with_consent(avatar: Avatar, consent: Consent | None) -> Avatar:
    return dataclasses.replace(avatar, provenance=dataclasses.replace(avatar.provenance, consent=consent))


def saved(avatar: Avatar, path: Path) -> Path:
    save_avatar(avatar, path, preview=avatar.plate)
    return path


def test_the_avatar_keeps_it_under_a_key_of_its_own(tmp_path):
    path = saved(with_consent(true_avatar(), agreed()), tmp_path / "a.avatar")
    meta = json.loads(zipfile.ZipFile(path).read("meta.json"))
    assert meta["consent"] == agreed().as_record()
    assert load_avatar(path).provenance.consent == agreed()
    assert json.loads(zipfile.ZipFile(saved(true_avatar(), tmp_path / "b.avatar")).read("meta.json"))["consent"] is None


def test_the_id_stays(tmp_path):
    avatar = true_avatar()
    path = saved(avatar, tmp_path / "a.avatar")
    assert load_avatar(path).id == avatar.id
    assert json.loads(zipfile.ZipFile(path).read("meta.json"))["id"] == avatar.id
    canonical = dataclasses.replace(avatar.canonical, colors=avatar.canonical.colors * 0.99)
    assert dataclasses.replace(avatar, canonical=canonical).id != avatar.id


@pytest.mark.parametrize("change", [{"expires_on": agreed().given_on}, {"revoked_on": agreed().given_on}])
def test_an_avatar_whose_consent_does_not_stand_is_not_loaded(tmp_path, change):
    path = saved(with_consent(true_avatar(), agreed(**change)), tmp_path / "a.avatar")
    with pytest.raises(ConsentError, match=r"the consent of Ada Example in .*a\.avatar (expired|was revoked)"):
        load_avatar(path)
    assert "REFUSED" in trust.info(path)


def test_there_is_no_switch_around_it(tmp_path, program):
    path = saved(with_consent(true_avatar(), agreed(expires_on=agreed().given_on)), tmp_path / "a.avatar")
    for verb in (["say", str(path), "x.wav", "-o", "x.mp4"], ["eval", str(path), "-o", "x"]):
        status, said = program(*verb)
        assert status == 2
        assert "expired on" in said
        status, said = program(*verb, "--allow-expired")
        assert status == 2
        assert "allow-expired" in said


def test_revoking_refuses_the_file_and_its_copies(tmp_path, own_data):
    path = saved(with_consent(true_avatar(), agreed()), tmp_path / "a.avatar")
    copy = tmp_path / "copy.avatar"
    copy.write_bytes(path.read_bytes())
    members = zipfile.ZipFile(path)
    kept = {name: members.read(name) for name in members.namelist() if name != "meta.json"}
    assert "is revoked" in trust.revoke(path)
    for refused in (path, copy):
        with pytest.raises(ConsentError, match="was revoked"):
            load_avatar(refused)
    (own_data / "revoked").unlink()
    with pytest.raises(ConsentError, match="was revoked"):  # the file itself says so, on any machine
        load_avatar(path)
    load_avatar(copy)
    assert {name: zipfile.ZipFile(path).read(name) for name in kept} == kept
    with pytest.raises(ConsentError, match="no record of consent"):
        trust.revoke(saved(true_avatar(), tmp_path / "b.avatar"))


def test_footage_carries_it_into_the_avatar(performance: Performance, tmp_path):
    meta = dataclasses.replace(performance.meta, consent=agreed())
    meta.save(tmp_path / "meta.json")
    assert PerformanceMeta.load(tmp_path / "meta.json") == meta
    agreed_performance = Performance(performance.folder)
    agreed_performance.meta = meta
    small = TrainConfig(n_gaussians=200, n_mouth=20, n_bases=2, n_iterations=1)
    provenance = Training(agreed_performance, small).avatar(1.0).provenance
    assert provenance.consent == agreed()
    assert provenance.software.startswith("locutor ")
    assert provenance.figures["residual_flow_px"] == 0.05
    agreed_performance.meta = dataclasses.replace(meta, consent=agreed(expires_on=agreed().given_on))
    with pytest.raises(ConsentError, match="expired"):
        next(iter(train_avatar(agreed_performance, tmp_path / "run", small)))
    assert not (tmp_path / "run").exists()


def test_old_footage_loads(performance: Performance, tmp_path):
    record = json.loads((performance.folder / "meta.json").read_text())
    del record["consent"]
    (tmp_path / "meta.json").write_text(json.dumps(record))
    assert PerformanceMeta.load(tmp_path / "meta.json").consent is None
    (tmp_path / "meta.json").write_text(json.dumps(record | {"consent": {"person": "x"}}))
    with pytest.raises(FormatError, match="damaged"):
        PerformanceMeta.load(tmp_path / "meta.json")


def version_1(path: Path, out: Path) -> Path:
    """The same avatar as version 1 of the format wrote it."""
    with zipfile.ZipFile(path) as new, zipfile.ZipFile(out, "w") as old:
        meta = json.loads(new.read("meta.json"))
        keep = ("footage", "performance", "n_train_frames", "iterations", "trained_s", "synthetic")
        provenance = {name: meta["provenance"][name] for name in keep} | {"consent": "somebody said yes"}
        page = {"version": 1, "camera": meta["camera"], "provenance": provenance}
        old.writestr("meta.json", json.dumps(page))
        for name in set(new.namelist()) - {"meta.json", "card.md"}:
            old.writestr(name, new.read(name))
    return out


def test_version_1_loads_and_is_kept(tmp_path):
    path = version_1(saved(true_avatar(), tmp_path / "new.avatar"), tmp_path / "old.avatar")
    before = path.read_bytes()
    avatar = load_avatar(path)
    assert avatar.provenance == dataclasses.replace(true_avatar().provenance, consent=None)
    assert avatar.id == true_avatar().id
    assert "None on record" not in trust.info(path)  # this one is synthetic
    assert "a version not recorded" in trust.info(path)
    assert path.read_bytes() == before
    again = saved(avatar, tmp_path / "again.avatar")
    assert load_avatar(again).provenance == avatar.provenance


def test_the_embedded_performer_loads():
    with resources.as_file(resources.files("locutor.actors") / "embedded" / "performer.avatar") as path:
        name, provenance = read_provenance(path)
        assert "does not exist" in trust.info(path)
    assert provenance.synthetic
    assert len(name) == 16


def test_what_an_avatar_says_is_marked(speaking_avatar: Avatar, performance: Performance, tmp_path):
    avatar = with_consent(speaking_avatar, agreed())
    list(say_samples(avatar, performance.sound[:16_000], 16_000, tmp_path / "a.mp4"))
    found = verify(tmp_path / "a.mp4")
    assert (found.state, found.avatar_id, found.consent_id) == ("valid", avatar.id, agreed().id)
    assert [p.name for p in tmp_path.iterdir()] == ["a.mp4"]


def test_the_card_is_in_the_file_and_cannot_steer_a_terminal(tmp_path):
    trick = "Ada\x1b[2J\n# Consent\n- nothing to see"
    path = saved(with_consent(true_avatar(), agreed(person=trick)), tmp_path / "a.avatar")
    card = zipfile.ZipFile(path).read("card.md").decode()
    assert card == trust.info(path)
    assert "\x1b" not in card
    assert card.count("# Consent") == 2  # its own heading, and the one inside the name, on one line
    assert "\n# Consent" not in card
    assert SOURCE in card
    assert agreed().scope in card


def test_the_verbs(tmp_path, program, speaking_avatar: Avatar, performance: Performance):
    out = tmp_path / "a.mp4"
    list(say_samples(speaking_avatar, performance.sound[:8_000], 16_000, out))

    status, said = program("verify", str(out))
    assert status == 0
    assert "trainedAlgorithmicMedia" in said
    data = bytearray(out.read_bytes())
    data[-50] ^= 1
    out.write_bytes(bytes(data))
    assert program("verify", str(out))[0] == 3
    assert program("verify", str(tmp_path / "none.mp4"))[0] == 2
    status, said = program("info", str(saved(true_avatar(), tmp_path / "b.avatar")))
    assert status == 0
    assert said.startswith(f"# Avatar {true_avatar().id}")


def test_footage_of_nobody_makes_an_avatar_of_nobody(performance: Performance, tmp_path):
    """From the mark of the film (tests/actors) over the footage's page to the card."""
    meta = dataclasses.replace(performance.meta, synthetic=True)
    meta.save(tmp_path / "meta.json")
    assert PerformanceMeta.load(tmp_path / "meta.json").synthetic
    with resources.as_file(resources.files("locutor.actors") / "embedded" / "meta.json") as page:
        assert PerformanceMeta.load(page).synthetic
