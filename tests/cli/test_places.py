"""Places that cannot be written to are told as errors, before any work is done."""

import sys

import pytest

from locutor.capture.performance import Performance
from locutor.cli.main import main


@pytest.mark.parametrize("words", [["train", "film.mp4", "-o", "file/me.avatar"], ["demo", "-o", "file/demo"]])
def test_a_place_below_a_file(tmp_path, monkeypatch, capsys, words):
    (tmp_path / "file").write_text("")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["locutor", *words])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 2
    assert "cannot write" in capsys.readouterr().err


def test_the_avatar_may_not_have_the_name_of_its_run_folder(performance: Performance, tmp_path, monkeypatch, capsys):
    out = tmp_path / "me.run"
    small = ["--n-gaussians", "300", "--n-mouth", "8", "--n-bases", "2", "--n-iterations", "2"]
    monkeypatch.setattr(sys, "argv", ["locutor", "train", str(performance.folder), "-o", str(out), *small])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 2
    assert not out.exists()  # refused before the training, not after it
