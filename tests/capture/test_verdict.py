"""The verdict and its reasons."""

from dataclasses import replace

import numpy as np
import pytest

from locutor.capture.background import BackgroundFigures
from locutor.capture.charts import line_chart
from locutor.capture.examine import OPENINGS, WIDTHS, FootageFigures
from locutor.capture.sound_check import SoundFigures, check_sound
from locutor.capture.verdict import Grade, judge_footage
from locutor.core.clock import FPS, SAMPLE_RATE
from locutor.speech.phonetic_classes import CLASSES

SOUND = SoundFigures(-20.0, -55.0, 0.05, 0.7, 0.0, 0.02, 0.0)
GOOD = FootageFigures(
    seconds=45.0,
    face_px=240.0,
    missing_frames=0,
    longest_gap_s=0.0,
    covered_frames=3,
    longest_covered_s=0.12,
    worn=False,
    n_cuts=0,
    repeated_share=0.0,
    longest_freeze_s=0.0,
    second_face_share=0.0,
    sharpness=0.45,
    blurred_share=0.01,
    face_level=120.0,
    black_share=0.01,
    white_share=0.0,
    pitch_deg=(-4.0, 5.0),
    yaw_deg=(-6.0, 7.0),
    roll_deg=(-3.0, 3.0),
    jitter_deg=0.3,
    residual_flow_px=0.15,
    residual_flow_landmarks_px=0.5,
    residual_flow_raw_px=0.7,
    torso_inlier_share=0.8,
    torso_lost_share=0.0,
    torso_method="features",
    mouth_shapes={f"{a} / {b}": 50 for a in OPENINGS for b in WIDTHS},
    largest_gap=0.2,
    blinks_per_minute=15.0,
    closed_frames=40,
    background=BackgroundFigures(0.1, 0.0, 0.6),
    sound=SOUND,
    offset_frames=0.3,
    offset_confidence=0.4,
    sounds_s={name: 1.0 for name, _ in CLASSES if name != "silence"},
)


def test_good_footage_is_good():
    verdict = judge_footage(GOOD)
    assert verdict.grade == Grade.GOOD
    assert verdict.findings == ()


@pytest.mark.parametrize(
    ("change", "grade", "words"),
    [
        ({"seconds": 5.0}, Grade.UNUSABLE, "only 5 s"),
        ({"seconds": 15.0}, Grade.USABLE, "only 15 s"),
        ({"face_px": 90.0}, Grade.USABLE, "90 px high"),
        ({"missing_frames": 80, "longest_gap_s": 3.0}, Grade.USABLE, "3.0 s at the longest"),
        ({"n_cuts": 2}, Grade.USABLE, "2 cuts"),
        ({"longest_freeze_s": 2.0}, Grade.USABLE, "freezes for 2.0 s"),
        ({"repeated_share": 0.5}, Grade.USABLE, "50% of the frames repeat"),
        ({"second_face_share": 0.3}, Grade.USABLE, "second face"),
        ({"sharpness": 0.05}, Grade.USABLE, "blurred"),
        ({"blurred_share": 0.4}, Grade.USABLE, "blurred by motion"),
        ({"face_level": 20.0}, Grade.USABLE, "dark"),
        ({"white_share": 0.2}, Grade.USABLE, "overexposed"),
        ({"residual_flow_px": 0.5}, Grade.USABLE, "residual flow 0.50"),
        ({"residual_flow_px": float("nan")}, Grade.UNUSABLE, "could not be followed"),
        ({"yaw_deg": (-40.0, 40.0)}, Grade.USABLE, "80 degrees"),
        ({"torso_lost_share": 0.5}, Grade.USABLE, "50% of the frames"),
        ({"largest_gap": 0.01}, Grade.UNUSABLE, "hardly opens"),
        ({"mouth_shapes": {"closed / middle": 500, "open / wide": 0}}, Grade.USABLE, "never seen: open / wide"),
        ({"closed_frames": 0}, Grade.USABLE, "never seen closed"),
        ({"covered_frames": 40, "longest_covered_s": 1.2}, Grade.USABLE, "blurred in 40 frames, for 1.2 s"),
        ({"worn": True}, Grade.GOOD, "glasses or hair"),
        ({"background": BackgroundFigures(7.0, 0.3, 0.6)}, Grade.USABLE, "camera moves (by 7.0 px)"),
        ({"background": BackgroundFigures(0.0, 0.3, 0.6)}, Grade.USABLE, "background changes (30%"),
        ({"sound": None, "offset_frames": None, "offset_confidence": None}, Grade.USABLE, "no sound"),
        ({"sound": replace(SOUND, silent_share=0.99)}, Grade.USABLE, "silence"),
        ({"sound": replace(SOUND, clipped_share=0.01)}, Grade.USABLE, "clipped"),
        ({"sound": replace(SOUND, floor_db=-28.0)}, Grade.USABLE, "above the noise"),
        ({"sound": replace(SOUND, tone_share=0.6)}, Grade.USABLE, "music"),
        ({"sound": replace(SOUND, unseen_voice_share=0.5)}, Grade.USABLE, "second voice"),
        ({"sounds_s": GOOD.sounds_s | {"sh zh": 0.1}}, Grade.GOOD, "hardly heard: postalveolar"),
        ({"sounds_s": dict.fromkeys(GOOD.sounds_s, 0.05)}, Grade.USABLE, "hardly heard: closed, lip and teeth"),
        ({"offset_frames": 5.0}, Grade.GOOD, "200 ms too late"),
        ({"offset_confidence": 0.05}, Grade.GOOD, "cannot be told"),
    ],
)
def test_each_fault_is_named_with_what_to_do(change, grade, words):
    verdict = judge_footage(replace(GOOD, **change))
    assert verdict.grade == grade
    (finding,) = verdict.findings
    assert words in finding.what
    assert len(finding.do) > 5


def test_the_worst_finding_decides_and_comes_first():
    verdict = judge_footage(replace(GOOD, n_cuts=1, seconds=3.0, offset_frames=5.0))
    assert verdict.grade == Grade.UNUSABLE
    assert [finding.grade for finding in verdict.findings] == [Grade.UNUSABLE, Grade.USABLE, Grade.GOOD]


def voice(seconds: float = 8.0, seed: int = 0) -> np.ndarray:
    """Gliding harmonics in syllables of a quarter of a second, over a little noise."""
    rng = np.random.default_rng(seed)
    t = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    pitch = 120 + 25 * np.sin(2.1 * t) + 12 * np.sin(7 * t)
    phase = 2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE
    syllables = np.clip(np.sin(2 * np.pi * 2 * t), 0, None)
    tones = sum(np.sin(k * phase) / k for k in range(1, 20))
    return (0.1 * syllables * tones + 0.0005 * rng.normal(size=len(t))).astype(np.float32)


def gaps(seconds: float = 8.0) -> np.ndarray:
    return 0.05 + 0.05 * np.sin(2 * np.pi * 2 * np.arange(int(seconds * FPS)) / FPS)


def test_a_clean_voice_has_no_fault():
    figures = check_sound(voice(), gaps())
    assert figures.clipped_share == 0
    assert figures.tone_share < 0.1
    assert figures.unseen_voice_share == 0
    assert figures.level_db - figures.floor_db > 20
    assert 0.2 < figures.voice_share < 0.9


def test_silence_clipping_noise_and_music_are_told():
    sound, lips = voice(), gaps()
    assert check_sound(np.zeros_like(sound), lips).silent_share == 1.0
    assert check_sound(np.clip(12 * sound, -1, 1), lips).clipped_share > 0.01
    noisy = sound + np.random.default_rng(1).normal(0, 0.05, len(sound)).astype(np.float32)
    figures = check_sound(noisy, lips)
    assert figures.level_db - figures.floor_db < 15
    t = np.arange(len(sound)) / SAMPLE_RATE
    chord = sum(np.sin(2 * np.pi * f * t) for f in (523, 659, 784, 1047)).astype(np.float32)
    assert check_sound(sound + 0.03 * chord, lips).tone_share > 0.5


def test_a_voice_without_moving_lips_is_told():
    lips = gaps()
    lips[100:] = 0.01
    assert check_sound(voice(), lips).unseen_voice_share > 0.3


def test_charts_show_curves_and_leave_gaps():
    values = np.sin(np.arange(100) / 9.0)
    values[40:50] = np.nan
    svg = line_chart("a <b>", {"one": values, "two": 2 * values}, 4.0)
    assert svg.count("<polyline") == 4
    assert "a &lt;b&gt;" in svg
    assert "nan" not in svg
    assert "<polyline" not in line_chart("empty", {"none": np.full(5, np.nan)}, 1.0)
