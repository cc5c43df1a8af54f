"""A program of its own that speaks text through the espeak-ng library. The only file that touches that library.

espeak-ng is under the GPL. It is never loaded into locutor's process: `espeak.py` starts this script with the same
Python, gives it a request and reads an answer. The script imports nothing of locutor.

Request, on standard input: one JSON object {"text", "voice", "rate_wpm", "pitch"}; pitch is 0..100, 50 the usual one.
Answer, on standard output: a little-endian uint32, the length of a JSON object, that object, then int16 samples.
The object is {"sample_rate", "phonemes": [[symbol, first sample], ...]} or {"error": kind, "detail": why}.
"""

import ctypes
import ctypes.util
import json
import struct
import sys
from typing import Any

# Constants of espeak-ng's speak_lib.h.
AUDIO_OUTPUT_RETRIEVAL = 1
INITIALIZE_PHONEME_EVENTS, INITIALIZE_PHONEME_IPA, INITIALIZE_DONT_EXIT = 1, 2, 0x8000
CHARS_UTF8, ENDPAUSE = 1, 0x1000
POS_CHARACTER = 1
PARAMETER_RATE, PARAMETER_PITCH = 1, 3
EVENT_LIST_TERMINATED, EVENT_PHONEME = 0, 7
SYMBOL_BYTES = 8


class EventId(ctypes.Union):
    """The union `id` of espeak_EVENT."""

    _fields_ = (
        ("number", ctypes.c_int),
        ("name", ctypes.c_char_p),
        ("string", ctypes.c_char * SYMBOL_BYTES),
    )


class Event(ctypes.Structure):
    """espeak_EVENT; `sample` counts from the start of the text."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", EventId),
    )


Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(Event))


class RequestError(Exception):
    """A request that cannot be served: `kind` is "library", "voice" or "synthesis"."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(detail)
        self.kind, self.detail = kind, detail


def library_and_data() -> tuple[str, bytes | None]:
    """Path of the library, and of its data (None: the place that was compiled in)."""
    try:
        import espeakng_loader

        return espeakng_loader.get_library_path(), espeakng_loader.get_data_path().encode()
    except ImportError:
        pass
    path = ctypes.util.find_library("espeak-ng")
    if path is None:
        raise RequestError("library", "neither the package espeakng-loader nor the system's espeak-ng library is there")
    return path, None


def open_library() -> tuple[Any, int]:
    """The started library and its sample rate, Hz."""
    path, data = library_and_data()
    try:
        library = ctypes.CDLL(path)
    except OSError as error:
        raise RequestError("library", str(error)) from error
    options = INITIALIZE_PHONEME_EVENTS | INITIALIZE_PHONEME_IPA | INITIALIZE_DONT_EXIT
    sample_rate = library.espeak_Initialize(AUDIO_OUTPUT_RETRIEVAL, 0, data, options)
    if sample_rate <= 0:
        raise RequestError("library", f"{path} does not find its data")
    return library, sample_rate


def speak(text: str, voice: str, rate_wpm: int, pitch: int) -> tuple[dict[str, Any], bytes]:
    """The answer's object and its int16 samples."""
    library, sample_rate = open_library()
    if library.espeak_SetVoiceByName(voice.encode()) != 0:
        raise RequestError("voice", voice)
    library.espeak_SetParameter(PARAMETER_RATE, rate_wpm, 0)
    library.espeak_SetParameter(PARAMETER_PITCH, pitch, 0)
    phonemes: list[tuple[str, int]] = []
    sound = bytearray()

    def receive(samples: Any, n_samples: int, events: Any) -> int:
        i = 0
        while events[i].type != EVENT_LIST_TERMINATED:
            if events[i].type == EVENT_PHONEME:
                # A symbol of eight bytes has no terminator; c_char arrays stop at a zero or at the end.
                phonemes.append((events[i].id.string.decode("utf-8", "ignore"), events[i].sample))
            i += 1
        if n_samples > 0:
            sound.extend(ctypes.string_at(samples, 2 * n_samples))
        return 0

    callback = Callback(receive)  # must outlive the synthesis
    library.espeak_SetSynthCallback(callback)
    utf8 = text.encode() + b"\0"
    code = library.espeak_Synth(utf8, len(utf8), 0, POS_CHARACTER, 0, CHARS_UTF8 | ENDPAUSE, None, None)
    if code != 0 or library.espeak_Synchronize() != 0:
        raise RequestError("synthesis", f"espeak_Synth gives {code}")
    return {"sample_rate": sample_rate, "phonemes": phonemes}, bytes(sound)


def main() -> None:
    """Serve one request."""
    request = json.load(sys.stdin.buffer)
    try:
        answer, sound = speak(request["text"], request["voice"], request["rate_wpm"], request["pitch"])
    except RequestError as failure:
        answer, sound = {"error": failure.kind, "detail": failure.detail}, b""
    header = json.dumps(answer).encode()
    sys.stdout.buffer.write(struct.pack("<I", len(header)) + header + sound)


if __name__ == "__main__":
    main()
