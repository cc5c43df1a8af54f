"""Every refusal of the server as one typed exception: JSON for programs and people, an HTTP status, a close code."""

from __future__ import annotations

from locutor.core.errors import ConsentError, FormatError, LocutorError, MediaError, MissingPartError
from locutor.live.sound_line import SoundError
from locutor.server.protocol import ErrorCode, Refused
from locutor.speech.phonemes import SpeechError

STATUS: dict[ErrorCode, int] = {
    "bad_message": 400,
    "bad_protocol": 400,
    "unauthorized": 401,
    "unknown_avatar": 404,
    "unknown_session": 404,
    "not_in_control": 409,
    "text_too_long": 413,
    "too_much_sound": 429,
    "too_fast": 429,
    "too_many_sessions": 429,
    "too_large": 413,
    "unreadable_sound": 415,
    "cannot_speak": 422,
    "not_baked": 404,
    "no_consent": 451,
    "missing_part": 501,
    "not_found": 404,
    "too_late": 408,
    "internal": 500,
}
"""HTTP status of each code. A WebSocket is closed with 4000 + status, or 1011 for what is our own fault."""


class RefusalError(LocutorError):
    """A request that is not carried out."""

    def __init__(self, code: ErrorCode, what: str, do: str) -> None:
        super().__init__(what, do)
        self.code: ErrorCode = code

    @property
    def status(self) -> int:
        """HTTP status."""
        return STATUS[self.code]

    @property
    def close_code(self) -> int:
        """Of a WebSocket."""
        return 1011 if self.status >= 500 else 4000 + self.status

    def message(self, fatal: bool = False) -> Refused:
        """As the visitor gets it."""
        return Refused(code=self.code, what=self.what, do=self.do, fatal=fatal)


def refusal_of(error: LocutorError) -> RefusalError:
    """The refusal that tells a visitor of an error of the packages below; no path of this machine is in it."""
    codes: tuple[tuple[type[LocutorError], ErrorCode], ...] = (
        (SoundError, "too_much_sound"),
        (SpeechError, "cannot_speak"),
        (MediaError, "unreadable_sound"),
        (MissingPartError, "missing_part"),
        (ConsentError, "no_consent"),
        (FormatError, "bad_message"),
    )
    if isinstance(error, RefusalError):
        return error
    for kind, code in codes:
        if isinstance(error, kind):
            return RefusalError(code, error.what, error.do)
    return RefusalError("internal", "something went wrong here", "try again; the server's log says more")
