"""The control messages of the live protocol: JSON text over one WebSocket. The only definition.

`tools/protocol_types.py` makes `web/src/protocol.ts` out of this file and of `packets.py`; a test says whether that
file is up to date. The page docs/live.md explains the order of the messages.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

PROTOCOL = 1
"""Raised when a message or a packet changes so that older programs would misread it."""

ErrorCode = Literal[
    "bad_message",
    "bad_protocol",
    "unauthorized",
    "unknown_avatar",
    "unknown_session",
    "not_in_control",
    "text_too_long",
    "too_much_sound",
    "too_fast",
    "too_many_sessions",
    "too_large",
    "unreadable_sound",
    "cannot_speak",
    "not_baked",
    "no_consent",
    "missing_part",
    "not_found",
    "too_late",
    "internal",
]
"""Every refusal names one of these."""


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Hello(_Message):
    """The first message of a viewer; nothing else is understood before it.

    Attributes:
        protocol: the version that the viewer speaks.
        avatar: id of an avatar, for a session of one's own.
        session: id of a session that is running, to watch it or, when its owner is gone, to take it over.
        token: as the server's owner gave it; needed beyond loopback.
        sound, motion, pictures: which packets are wanted. Pictures are JPEG, drawn by the server.
    """

    type: Literal["hello"] = "hello"
    protocol: int
    avatar: str | None = Field(None, max_length=64)
    session: str | None = Field(None, max_length=64)
    token: str | None = Field(None, max_length=256)
    sound: bool = True
    motion: bool = True
    pictures: bool = False


class Say(_Message):
    """Speak a text after what is already waiting.

    Attributes:
        text: plain text.
        voice: espeak-ng voice, such as en-us, de, fr-fr+f3.
        id: comes back in `said`.
    """

    type: Literal["say"] = "say"
    text: str = Field(min_length=1)
    voice: str = Field("en-us", max_length=40)
    id: str = Field("", max_length=64)


class Interrupt(_Message):
    """Be silent now: raises the epoch, drops everything that waits."""

    type: Literal["interrupt"] = "interrupt"


class SoundEnds(_Message):
    """The stream of sound packets ends here; what is held back for look-ahead is spoken at once."""

    type: Literal["sound_ends"] = "sound_ends"


class Played(_Message):
    """What the viewer has really played, about four times a second.

    Attributes:
        epoch, sample: media time (16 kHz samples) of the sound that leaves the loudspeaker now.
    """

    type: Literal["played"] = "played"
    epoch: int = Field(ge=0)
    sample: int = Field(ge=0, le=2**53)


class Adjust(_Message):
    """Held on top of the motion until the next such message.

    Attributes:
        controls: added to the avatar's standardised controls (avatar.json `sliders` gives directions); may be
            shorter than these, the rest is 0.
        head_turn: rotation vector, rad, world axes, applied to the head.
    """

    type: Literal["adjust"] = "adjust"
    controls: list[Annotated[float, Field(ge=-10, le=10)]] = Field([], max_length=64)
    head_turn: tuple[float, float, float] = (0.0, 0.0, 0.0)


class Ping(_Message):
    """Answered at once by `pong`.

    Attributes:
        id: comes back.
    """

    type: Literal["ping"] = "ping"
    id: int = Field(0, ge=0, le=2**53)


class Limits(_Message):
    """What the server takes.

    Attributes:
        text_characters: of one text.
        queued_s: seconds of sound that may wait to be spoken.
        upload_bytes: of one sound file.
        upload_s: seconds of sound in one file.
        messages_per_s: of one connection, over some seconds.
        message_bytes: of one WebSocket message.
    """

    text_characters: int
    queued_s: float
    upload_bytes: int
    upload_s: float
    messages_per_s: float
    message_bytes: int


class Ready(_Message):
    """The answer to `hello`.

    Attributes:
        session: id of the session; a secret, knowing it is the right to watch.
        role: `control` may speak and interrupt, `watch` only sees.
        epoch, frame: where the session stands.
        sample_rate: of media time, Hz.
        sound_rate: of the sound in packets to the viewer, Hz.
        heard_rate: of the sound in packets from the viewer, Hz.
        fps, samples_per_frame: frame k is shown while samples [k * samples_per_frame, ...) of media time are heard.
        n_coefficients: K of the motion packets.
        look_ahead_ms: of the driver: sound that it must have before it can give the frame.
        width, height: of the pictures.
        web: address of the baked avatar, relative to the server's root.
        synthetic: show the label; always true of what this server makes.
        limits: what the server takes.
    """

    type: Literal["ready"] = "ready"
    protocol: int
    session: str
    role: Literal["control", "watch"]
    avatar: str
    epoch: int
    frame: int
    sample_rate: int
    sound_rate: int
    heard_rate: int
    fps: int
    samples_per_frame: int
    n_coefficients: int
    look_ahead_ms: float
    width: int
    height: int
    web: str
    synthetic: bool
    limits: Limits


class State(_Message):
    """Something changed in the session.

    Attributes:
        why: `speaks` and `rests`: sound begins or ends at `sample`; `interrupted`: the epoch was raised, drop packets
            of older ones, rest from `sample` on; `said`: the text `id` begins at once or is next in line.
        epoch: the epoch now.
        sample: media time.
        queued_s: seconds of sound that wait to be spoken.
        played_s: seconds of this epoch's sound that were really played (of the old epoch for `interrupted`).
        id: of the text.
    """

    type: Literal["state"] = "state"
    why: Literal["speaks", "rests", "interrupted", "said"]
    epoch: int
    sample: int
    queued_s: float
    played_s: float
    id: str = ""


class StageLatency(_Message):
    """One stage's latency over the last minute, ms.

    Attributes:
        stage: `speech`, `motion`, `wait`, `draw`, `encode`, `send`.
        p50_ms, p95_ms: percentiles.
    """

    stage: str
    p50_ms: float
    p95_ms: float


class Pong(_Message):
    """The answer to `ping`.

    Attributes:
        id: of the ping.
        epoch, sample: where the session stands now.
        queued_s: seconds of sound that wait to be spoken.
        dropped: frames that this viewer was too slow for.
        stages: latency of the session's stages.
    """

    type: Literal["pong"] = "pong"
    id: int
    epoch: int
    sample: int
    queued_s: float
    dropped: int
    stages: list[StageLatency]


class Refused(_Message):
    """An error: what is wrong and what to do. REST answers carry the same object.

    Attributes:
        code: for programs.
        what, do: for people.
        fatal: the connection is closed after this message.
    """

    type: Literal["error"] = "error"
    code: ErrorCode
    what: str
    do: str
    fatal: bool = False


FromViewer = Annotated[
    Hello | Say | Interrupt | SoundEnds | Played | Adjust | Ping,
    Field(discriminator="type"),
]
FromServer = Annotated[Ready | State | Pong | Refused, Field(discriminator="type")]

FROM_VIEWER: TypeAdapter[Hello | Say | Interrupt | SoundEnds | Played | Adjust | Ping] = TypeAdapter(FromViewer)
FROM_SERVER: TypeAdapter[Ready | State | Pong | Refused] = TypeAdapter(FromServer)


class AvatarEntry(_Message):
    """One line of GET /api/avatars.

    Attributes:
        id: in addresses and in `hello`.
        name: for people.
        width, height: of the server's pictures, px.
        n_coefficients: K.
        synthetic: the person was made by a program.
        consent: whether the bundle holds a consent record.
        can_speak: whether it has a voice model.
        web: address of the baked avatar.
        preview: address of a picture.
    """

    id: str
    name: str
    width: int
    height: int
    n_coefficients: int
    synthetic: bool
    consent: bool
    can_speak: bool
    web: str
    preview: str


class SessionEntry(_Message):
    """The answer of POST /api/sessions.

    Attributes:
        session: id; a secret.
        avatar: who it is.
        video_mjpeg, video_mp4, whep: addresses of the server-rendered pictures.
    """

    session: str
    avatar: str
    video_mjpeg: str
    video_mp4: str
    whep: str


class TextOrder(_Message):
    """The body of POST /api/sessions/{session}/say; fields as in `say`."""

    text: str = Field(min_length=1)
    voice: str = Field("en-us", max_length=40)
    id: str = Field("", max_length=64)


class SessionOrder(_Message):
    """The body of POST /api/sessions.

    Attributes:
        avatar: id of an avatar.
    """

    avatar: str = Field(max_length=64)


class PassOrder(_Message):
    """The body of POST /api/passes, which takes the owner's token.

    Attributes:
        lasts_s: seconds until the pass ends.
    """

    lasts_s: float = Field(ge=1, le=30 * 24 * 3600)


class Pass(_Message):
    """The answer of POST /api/passes.

    Attributes:
        token: good in place of the owner's token, except for making passes.
    """

    token: str


class Site(_Message):
    """GET /site.json: what the page asks to know where it is.

    Attributes:
        kind: a server that is alive.
        protocol: version.
        needs_token: whether `hello` must carry a token.
    """

    kind: Literal["live"] = "live"
    protocol: int = PROTOCOL
    needs_token: bool = False
