"""The verdict on footage: good, usable or unusable, with the reasons and what to record instead."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from locutor.capture.examine import FootageFigures
from locutor.capture.heard import seconds_of_visemes
from locutor.capture.offset import CLEAR
from locutor.capture.sound import LEAST_CORRECTED

_COVERED_S = 0.25  # a kind of sound that is heard for less has not been learnt
_COVERED_FACE_S = 0.4  # a quick turn or a blink of motion blur passes in less
_MOST_MISSING = 3  # kinds of sounds, of eleven


class Grade(StrEnum):
    """How good footage is."""

    GOOD = "good"
    USABLE = "usable"
    UNUSABLE = "unusable"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        grade: what it makes of the footage; GOOD for something merely worth knowing.
        what: what was found.
        do: what to record instead, or what to know.
    """

    grade: Grade
    what: str
    do: str


@dataclass(frozen=True)
class Verdict:
    """The grade of the worst finding, and all findings, the worst first."""

    grade: Grade
    findings: tuple[Finding, ...]


def judge_footage(figures: FootageFigures) -> Verdict:
    """Weigh the figures."""
    order = list(Grade)
    rules = (_length_and_face, _light, _movement, _mouth_and_eyes, _surroundings, _sound)
    findings = sorted((f for rule in rules for f in rule(figures)), key=lambda f: -order.index(f.grade))
    return Verdict(findings[0].grade if findings else Grade.GOOD, tuple(findings))


def _length_and_face(f: FootageFigures) -> Iterator[Finding]:
    if f.seconds < 20:
        grade = Grade.UNUSABLE if f.seconds < 8 else Grade.USABLE
        yield Finding(grade, f"only {f.seconds:.0f} s of footage", "record 30 to 60 s of speech")
    if f.face_px < 120:
        yield Finding(Grade.USABLE, f"the face is {f.face_px:.0f} px high", "film closer: 200 px or more")
    if f.missing_frames:
        lost = f"the face is lost in {f.missing_frames} frames, for {f.longest_gap_s:.1f} s at the longest"
        yield Finding(Grade.USABLE, lost, "keep the face in view, without hands before it")
    if f.longest_covered_s >= _COVERED_FACE_S:
        hidden = f"the upper face is covered or blurred in {f.covered_frames} frames"
        longest = f"for {f.longest_covered_s:.1f} s at the longest"
        yield Finding(Grade.USABLE, f"{hidden}, {longest}", "no hands or hair before the face")
    if f.worn:
        yield Finding(
            Grade.GOOD,
            "many points by which the head is followed lie off the skin: glasses or hair",
            "it is allowed for",
        )
    if f.n_cuts:
        yield Finding(Grade.USABLE, f"{f.n_cuts} cuts", "use one take")
    if f.longest_freeze_s > 1:
        yield Finding(Grade.USABLE, f"the picture freezes for {f.longest_freeze_s:.1f} s", "record without stalls")
    elif f.repeated_share > 0.2:
        yield Finding(
            Grade.USABLE, f"{f.repeated_share:.0%} of the frames repeat the one before", "film at 25 frames/s or more"
        )
    if f.second_face_share > 0.1:
        yield Finding(
            Grade.USABLE, f"a second face in {f.second_face_share:.0%} of the frames", "keep other people out of view"
        )


def _light(f: FootageFigures) -> Iterator[Finding]:
    if f.sharpness < 0.12:
        yield Finding(Grade.USABLE, "the face is blurred", "focus on the face, clean the lens, film closer")
    if f.blurred_share > 0.15:
        yield Finding(
            Grade.USABLE, f"{f.blurred_share:.0%} of the frames are blurred by motion", "more light, calmer movements"
        )
    if f.face_level < 45 or f.black_share > 0.3:
        yield Finding(Grade.USABLE, f"the face is dark (grey level {f.face_level:.0f} of 255)", "more light from front")
    if f.white_share > 0.05:
        yield Finding(Grade.USABLE, f"{f.white_share:.0%} of the face is overexposed", "less light, or lower exposure")


def _movement(f: FootageFigures) -> Iterator[Finding]:
    if not f.residual_flow_px <= 0.3:
        grade = Grade.USABLE if f.residual_flow_px <= 0.8 else Grade.UNUSABLE
        yield Finding(
            grade,
            f"the head could not be followed steadily (residual flow {f.residual_flow_px:.2f} px per frame)",
            "a sharp, well lit face without hair or hands before it; a fixed camera",
        )
    turn = max(f.yaw_deg[1] - f.yaw_deg[0], f.pitch_deg[1] - f.pitch_deg[0])
    if turn > 60:
        yield Finding(Grade.USABLE, f"the head turns through {turn:.0f} degrees", "face the camera most of the time")
    if f.torso_lost_share > 0.1 or f.torso_inlier_share < 0.3:
        yield Finding(
            Grade.USABLE,
            f"the shoulders could be followed in {1 - f.torso_lost_share:.0%} of the frames, "
            f"with {f.torso_inlier_share:.0%} of what was looked at",
            "clothes with some texture; shoulders in view",
        )


def _mouth_and_eyes(f: FootageFigures) -> Iterator[Finding]:
    missing = [name for name, count in f.mouth_shapes.items() if count == 0]
    if f.largest_gap < 0.03:
        yield Finding(Grade.UNUSABLE, "the mouth hardly opens", "record the person talking, clearly and lively")
    elif f.n_shapes < 5:
        yield Finding(
            Grade.USABLE,
            f"few mouth shapes ({f.n_shapes} of 9 are covered; never seen: {', '.join(missing) or 'none'})",
            "speak for longer and more clearly, with wide and round vowels, and close the lips",
        )
    if f.closed_frames < 3:
        yield Finding(Grade.USABLE, "the eyes are never seen closed", "blink now and then")


def _surroundings(f: FootageFigures) -> Iterator[Finding]:
    if f.background.camera_moves:
        yield Finding(
            Grade.USABLE, f"the camera moves (by {f.background.camera_px:.1f} px)", "put the camera on a stand"
        )
    if f.background.changes and not f.background.camera_moves:
        yield Finding(
            Grade.USABLE,
            f"the background changes ({f.background.changing_share:.0%} of it)",
            "a still background, steady light, fixed exposure",
        )


def _sound(f: FootageFigures) -> Iterator[Finding]:
    sound = f.sound
    if sound is None:
        yield Finding(Grade.USABLE, "there is no sound", "record with sound, else the avatar has no voice of its own")
        return
    if sound.silent_share > 0.8:
        yield Finding(Grade.USABLE, f"{sound.silent_share:.0%} of the sound is silence", "check the microphone")
        return
    if sound.clipped_share > 1e-4:
        yield Finding(Grade.USABLE, f"the sound is clipped ({sound.clipped_share:.2%})", "lower the recording level")
    if sound.level_db - sound.floor_db < 15:
        yield Finding(
            Grade.USABLE, f"the voice stands only {sound.level_db - sound.floor_db:.0f} dB above the noise",
            "a quiet room, a microphone near the mouth",
        )  # fmt: skip
    if sound.tone_share > 0.25:
        yield Finding(Grade.USABLE, "there seems to be music, or a hum", "record the voice alone")
    if sound.unseen_voice_share > 0.2:
        share = f"for {sound.unseen_voice_share:.0%} of the speech the lips keep still"
        yield Finding(Grade.USABLE, f"{share}: a second voice", "only the person in view should speak")
    missing = [name for name, seconds in seconds_of_visemes(f.sounds_s).items() if seconds < _COVERED_S]
    if missing:
        grade = Grade.USABLE if len(missing) > _MOST_MISSING else Grade.GOOD
        yield Finding(grade, f"hardly heard: {', '.join(missing)}", "speak for longer, with all sounds of the language")
    assert f.offset_frames is not None
    assert f.offset_confidence is not None
    ms = abs(f.offset_frames) * 40
    if f.offset_confidence < CLEAR:
        doubt = f"whether sound and picture belong together cannot be told (confidence {f.offset_confidence:.2f})"
        yield Finding(Grade.GOOD, doubt, "more speech makes it clear")
    elif abs(f.offset_frames) >= LEAST_CORRECTED:
        order = "late" if f.offset_frames > 0 else "early"
        yield Finding(Grade.GOOD, f"the sound comes {ms:.0f} ms too {order}", "it is corrected; nothing is to be done")
