"""Training as a stream: learning, logging, going on after a break."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from locutor.avatar.bundle import load_avatar, read_preview
from locutor.capture.performance import META, Performance, PerformanceMeta
from locutor.core.events import Event, Progress, Warned, Wrote
from locutor.drive.voice import VoiceModel
from locutor.evaluate.pictures import psnr_db
from locutor.fit.config import TrainConfig
from locutor.fit.frame_feed import feed_frames
from locutor.fit.trainer import CHECKPOINT, CONFIG, EVENTS, FINISHED, PREVIEW, Trained, train_avatar
from locutor.fit.training import Training

TINY = TrainConfig(n_gaussians=1200, n_mouth=40, n_bases=4, n_iterations=60, checkpoint_every=20, preview_every=30)
LONGER = replace(TINY, n_iterations=110)


@pytest.fixture
def silent(performance: Performance, tmp_path: Path) -> Performance:
    """The same performance, of a film without sound."""
    folder = tmp_path / "silent"
    folder.mkdir()
    for path in performance.folder.iterdir():
        (folder / path.name).symlink_to(path)
    (folder / META).unlink()
    replace(PerformanceMeta.load(performance.folder / META), has_sound=False).save(folder / META)
    return Performance(folder)


@pytest.fixture(scope="module")
def finished(performance: Performance, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Event]]:
    """A training from beginning to end, with sound."""
    run = tmp_path_factory.mktemp("trained") / "someone.run"
    return run, list(train_avatar(performance, run, TINY))


def until_first_figures(events: Iterator[Event]) -> None:
    """Consume events up to the first `Trained`, then stop the training there."""
    for event in events:
        if isinstance(event, Trained):
            break
    events.close()


def log_of(run: Path) -> list[dict]:
    return [json.loads(line) for line in (run / EVENTS).read_text().splitlines()]


def test_sixty_steps_lower_the_loss_and_beat_the_plate(performance: Performance):
    training = Training(performance, TINY)
    losses = [float(training.step(frame).loss.detach()) for frame in feed_frames(performance, TINY, 0)]
    assert training.iteration == 60
    assert np.mean(losses[-10:]) < 0.75 * np.mean(losses[:5])
    held_out = range(performance.n_train, len(performance))
    drawn = np.mean([psnr_db(performance.frames.rgb(k), training.picture(k)) for k in held_out])
    empty = np.mean([psnr_db(performance.frames.rgb(k), performance.plate) for k in held_out])
    assert drawn > empty + 6


def test_the_stream_ends_with_the_avatar(finished):
    run, events = finished
    assert events[-1] == Wrote(run / FINISHED, "avatar")
    figures = [e for e in events if isinstance(e, Trained)]
    assert [f.iteration for f in figures] == [50, 60]
    assert figures[-1].psnr_db > figures[0].psnr_db
    assert all(f.iterations_per_s > 0 and 0 < f.ssim < 1 for f in figures)
    bars = [e for e in events if isinstance(e, Progress) and e.stage == "training"]
    assert (bars[-1].done, bars[-1].total) == (60, 60)
    refining = [i for i, e in enumerate(events) if isinstance(e, Progress) and e.stage == "refining poses"]
    assert refining[-1] < events.index(figures[0])  # once, at 30 %, which is before the first figures


def test_the_run_folder_holds_all_and_nothing_half_written(finished):
    run, _ = finished
    assert {p.name for p in run.iterdir()} == {CHECKPOINT, EVENTS, CONFIG, PREVIEW, FINISHED}
    assert json.loads((run / CONFIG).read_text())["config"]["n_gaussians"] == 1200


def test_the_log_is_the_stream(finished):
    run, events = finished
    assert log_of(run) == [json.loads(event.as_json()) for event in events]


def test_the_finished_avatar_draws_the_person(finished, performance: Performance):
    run, _ = finished
    avatar = load_avatar(run / FINISHED)
    assert avatar.provenance.iterations == 60
    assert avatar.provenance.n_train_frames == performance.n_train
    assert avatar.provenance.footage == performance.meta.source
    assert Path(avatar.provenance.performance) == performance.folder.resolve()
    k = performance.n_train + 4
    truth = performance.frames.rgb(k)
    drawn = avatar.render(performance.tracking.motion[k : k + 1])
    assert psnr_db(truth, drawn) > psnr_db(truth, performance.plate) + 6
    assert read_preview(run / FINISHED).shape == truth.shape


def test_the_finished_avatar_has_a_voice(finished):
    run, events = finished
    assert not [e for e in events if isinstance(e, Warned)]
    voice = VoiceModel.from_tensors(dict(load_avatar(run / FINISHED).voice))
    assert np.isfinite(voice.dual).all()


def test_a_silent_film_gives_an_avatar_without_a_voice(silent: Performance, tmp_path):
    config = replace(TINY, n_iterations=3)
    events = list(train_avatar(silent, tmp_path / "run", config))
    assert load_avatar(tmp_path / "run" / FINISHED).voice == {}
    assert not [e for e in events if isinstance(e, Progress) and "voice" in e.stage]


def test_a_film_in_which_nobody_speaks_says_so(performance: Performance, silent: Performance, tmp_path):
    import soundfile

    folder = silent.folder
    (folder / META).unlink()
    performance.meta.save(folder / META)
    (folder / "sound.flac").unlink()
    soundfile.write(folder / "sound.flac", np.zeros(len(performance) * 640, np.float32), 16_000)
    events = list(train_avatar(Performance(folder), tmp_path / "run", replace(TINY, n_iterations=3)))
    assert [e for e in events if isinstance(e, Warned) and "no voice model" in e.message]
    assert load_avatar(tmp_path / "run" / FINISHED).voice == {}


def test_a_killed_training_goes_on_from_its_checkpoint(silent: Performance, tmp_path):
    run = tmp_path / "run"
    until_first_figures(train_avatar(silent, run, LONGER))
    assert not (run / FINISHED).exists()
    assert not [p for p in run.iterdir() if ".part" in p.name]
    events = list(train_avatar(silent, run, LONGER))
    assert isinstance(events[0], Warned)
    assert "iteration 40" in events[0].message
    assert [e.iteration for e in events if isinstance(e, Trained)] == [50, 100, 110]
    bars = [e for e in events if isinstance(e, Progress)]
    assert (bars[-1].done, bars[-1].total) == (70, 70)  # of what was left
    assert load_avatar(run / FINISHED).provenance.iterations == 110
    assert len(log_of(run)) > len(events)  # the first part is still there


def test_a_finished_training_is_not_done_again(silent: Performance, tmp_path):
    config = replace(TINY, n_iterations=5)
    list(train_avatar(silent, tmp_path / "run", config))
    events = list(train_avatar(silent, tmp_path / "run", config))
    assert [type(e) for e in events] == [Warned, Wrote]


def test_other_settings_start_anew(silent: Performance, tmp_path):
    run = tmp_path / "run"
    list(train_avatar(silent, run, replace(TINY, n_iterations=5)))
    events = list(train_avatar(silent, run, replace(TINY, n_iterations=6)))
    assert not [e for e in events if isinstance(e, Warned)]
    assert [e.iteration for e in events if isinstance(e, Trained)] == [6]


def test_a_break_does_not_change_what_is_learnt(performance: Performance, tmp_path):
    config = replace(TINY, n_iterations=12)
    straight = Training(performance, config)
    for frame in feed_frames(performance, config, 0):
        straight.step(frame)

    before = Training(performance, config)
    for _, frame in zip(range(5), feed_frames(performance, config, 0), strict=False):
        before.step(frame)
    torch.save(before.state(), tmp_path / "state.pt")
    after = Training(performance, config)
    after.restore(torch.load(tmp_path / "state.pt", weights_only=True))
    for frame in feed_frames(performance, config, after.iteration):
        after.step(frame)
    for name, value in vars(straight.model.canonical).items():
        torch.testing.assert_close(getattr(after.model.canonical, name), value, rtol=0, atol=0)
    torch.testing.assert_close(after.model.face.bases, straight.model.face.bases, rtol=0, atol=0)
    np.testing.assert_array_equal(after.picture(3), straight.picture(3))


def test_the_field_of_an_avatar_is_in_plain_units(performance: Performance):
    """What training draws and what the finished avatar draws is the same."""
    config = replace(TINY, n_iterations=40)
    training = Training(performance, config)
    for frame in feed_frames(performance, config, 0):
        training.step(frame)
    avatar = training.avatar(1.0)
    assert avatar.bases.abs().max() > 1e-3
    for k in (0, 57, 109):
        drawn = avatar.render(performance.tracking.motion[k : k + 1]).astype(int)
        off = np.abs(drawn - training.picture(k))
        assert off.mean() < 0.02
        assert (off > 2).mean() < 1e-4  # half precision may turn the order of two Gaussians round
