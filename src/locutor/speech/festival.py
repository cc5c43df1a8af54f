"""Text to speech by festival, whose voices come from recordings, as a program of its own.

A script in festival's Scheme speaks sentence by sentence, writes a wave file for each and prints the segments:
phone, end in seconds, stress of the syllable.
"""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from locutor.speech.festival_phones import VOICES
from locutor.speech.phonemes import Phoneme, Speech, SpeechError, check_request
from locutor.speech.radio_phones import VOWELS
from locutor.speech.spoken_programs import encoded_sentences, program, read_wave, run, spoken

DIPHONE_PITCH_HZ = {"kal_diphone": 105.0, "ked_diphone": 105.0}
NOMINAL_WPM = 165
SCRIPT = """
(define (tell segment)
  (format t "%s %f %s\\n" (item.name segment) (item.feat segment 'end)
    (item.feat segment "R:SylStructure.parent.stress")))
(define (speak text file)
  (let ((utt (eval (list 'Utterance 'Text text))))
    (utt.synth utt)
    (utt.save.wave utt file 'riff)
    (mapcar tell (utt.relation.items utt 'Segment))
    (format t "end\\n")))
"""


def synthesize(text: str, voice: str = "kal_diphone", rate_wpm: int = 165, pitch: float = 1.0) -> Speech:
    """Speak a text; arguments as for `espeak.synthesize`, `voice` is one of `voices()`.

    Only the diphone voices obey the rate, and only the English ones the pitch.

    Raises:
        SpeechError: the text holds nothing to say, the voice does not exist, or rate or pitch are out of range.
        MissingPartError: festival is not installed.
    """
    check_request(text, rate_wpm, pitch)
    path, known = program("festival", "festival"), voices()
    if voice not in known:
        raise SpeechError(f"festival has no voice {voice!r}", f"choose one of {', '.join(known) or 'none'}")
    _, encoding, phones = VOICES[voice]
    sentences = encoded_sentences(text, "festival", encoding)
    with tempfile.TemporaryDirectory(prefix="locutor-festival-") as folder:
        waves = [Path(folder, f"{k}.wav") for k in range(len(sentences))]
        script = Path(folder, "speak.scm")
        script.write_text(SCRIPT + _settings(voice, rate_wpm, pitch) + _calls(sentences, waves), encoding)
        printed = run([path, "-b", str(script)], text, "festival")
        sounds = [read_wave(wave, text, "festival") for wave in waves]
    phonemes: list[Phoneme] = []
    start_s = 0.0
    for block, (samples, rate) in zip(printed.split("end\n"), sounds, strict=False):
        phonemes += _phonemes(block, start_s, phones)
        start_s += len(samples) / rate
    return spoken(text, [samples for samples, _ in sounds], sounds[0][1], phonemes)


def voices() -> tuple[str, ...]:
    """Names of the installed voices whose phones are known.

    Raises:
        MissingPartError: festival is not installed.
    """
    return _listed(program("festival", "festival"))


@cache
def _listed(path: str) -> tuple[str, ...]:
    listed = run([path, "-b", '(mapcar (lambda (name) (format t "%s\\n" name)) (voice.list))'], "", "festival")
    return tuple(sorted(set(listed.split()) & set(VOICES)))


def _settings(voice: str, rate_wpm: int, pitch: float) -> str:
    lines = [f"(voice_{voice})", f"(Parameter.set 'Duration_Stretch {NOMINAL_WPM / rate_wpm})"]
    if voice in DIPHONE_PITCH_HZ:
        mean, deviation = DIPHONE_PITCH_HZ[voice] * pitch, 14.0 * pitch
        lines.append(
            f"(set! int_lr_params '((target_f0_mean {mean}) (target_f0_std {deviation})"
            " (model_f0_mean 170) (model_f0_std 34)))"
        )
    return "\n".join(lines) + "\n"


def _calls(sentences: list[str], waves: list[Path]) -> str:
    quoted = (sentence.replace("\\", " ").replace('"', " ") for sentence in sentences)
    return "".join(f'(speak "{text}" "{wave}")\n' for text, wave in zip(quoted, waves, strict=True))


def _phonemes(block: str, offset_s: float, phones: dict[str, str]) -> list[Phoneme]:
    found: list[Phoneme] = []
    start_s = 0.0
    for line in block.splitlines():
        phone, end, stress = line.split()
        if phone not in phones:
            raise SpeechError(f"festival's phone {phone!r} is not known", "add it to speech/festival_phones.py")
        mark = "ˈ" if phone in VOWELS and stress == "1" else ""
        found.append(Phoneme(mark + phones[phone], offset_s + start_s))
        start_s = float(end)
    return found
