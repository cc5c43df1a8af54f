"""The record of what a person agreed to. It travels from capture into the avatar and is asked before it speaks."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from locutor.core.errors import ConsentError
from locutor.media.opening import open_media

LONGEST = 10_000  # characters of any one text; a record is a page, not a book
LARGEST = 1 << 20  # bytes of a record's file
_SHA256_DIGITS = 64
_TEMPLATE = """{{
  "person": "who is filmed and agrees",
  "given_on": "{today}",
  "scope": "what the avatar may be used for",
  "expires_on": "{next_year}",
  "revocation_contact": "whom to write to, to take it back"
}}"""


@dataclass(frozen=True)
class Consent:
    """Who agreed to what, until when.

    Attributes:
        person: who is shown and agreed.
        given_on: day of the agreement.
        scope: what the avatar may be used for, in the person's words.
        expires_on: last day on which it may be used; None when the person set no end.
        revocation_contact: whom to ask to take it back: an address of any kind.
        clip_sha256: of the film or sound in which the person says so, 64 hex digits; empty without one.
        revoked_on: day on which it was taken back; None as long as it stands.
    """

    person: str
    given_on: datetime.date
    scope: str
    expires_on: datetime.date | None
    revocation_contact: str
    clip_sha256: str = ""
    revoked_on: datetime.date | None = None

    @property
    def id(self) -> str:
        """16 hex digits that name this agreement: of what was agreed, whether or not it was revoked later."""
        agreed = self.as_record() | {"revoked_on": None}
        return hashlib.sha256(json.dumps(agreed, sort_keys=True).encode()).hexdigest()[:16]

    def as_record(self) -> dict[str, Any]:
        """JSON-ready; `from_record` takes it back."""
        record = dataclasses.asdict(self)
        return {k: v.isoformat() if isinstance(v, datetime.date) else v for k, v in record.items()}

    @staticmethod
    def from_record(record: Any, where: str) -> Consent:
        """Validate what a JSON file says.

        Args:
            record: as `json.loads` gives it.
            where: what it was read from, for messages.

        Raises:
            ConsentError: a field is missing, unknown, empty, too long or not a day; the days contradict each other.
        """
        if not isinstance(record, dict):
            raise _unusable(where, "it is not an object of named fields")
        names = {field.name for field in dataclasses.fields(Consent)}
        # An end, or the word that there is none, must be stated.
        missing = sorted(names - {"clip_sha256", "revoked_on"} - set(record))
        if missing:
            raise _unusable(where, f"{missing[0]!r} is missing")
        if unknown := sorted(set(record) - names):
            raise _unusable(where, f"{unknown[0]!r} is not a field of it")
        consent = Consent(
            person=_text(record, "person", where),
            given_on=_needed_day(record, "given_on", where),
            scope=_text(record, "scope", where),
            expires_on=_day(record, "expires_on", where),
            revocation_contact=_text(record, "revocation_contact", where),
            clip_sha256=_sha256(record, where),
            revoked_on=_day(record, "revoked_on", where),
        )
        if consent.expires_on is not None and consent.expires_on < consent.given_on:
            raise _unusable(where, f"it ends on {consent.expires_on}, before it was given on {consent.given_on}")
        return consent

    def check(self, where: str, today: datetime.date | None = None) -> None:
        """Refuse to go on when the agreement does not stand on this day (UTC).

        Args:
            where: what it stands in, for the message.
            today: the day; that of the clock if None.

        Raises:
            ConsentError: it was revoked, has expired, or begins later.
        """
        day = today or datetime.datetime.now(datetime.UTC).date()
        again = f"ask {self.person} again: {self.revocation_contact}"
        if self.revoked_on is not None:
            raise ConsentError(f"the consent of {self.person} in {where} was revoked on {self.revoked_on}", again)
        if self.expires_on is not None and day > self.expires_on:
            raise ConsentError(f"the consent of {self.person} in {where} expired on {self.expires_on}", again)
        if day < self.given_on:
            raise ConsentError(
                f"the consent of {self.person} in {where} begins on {self.given_on}", "check the clock of this machine"
            )


def parse_consent(data: bytes, where: str) -> Consent:
    """A record from the bytes of a JSON file.

    Raises:
        ConsentError: it is not one.
    """
    if len(data) > LARGEST:
        raise _unusable(where, f"it is larger than {LARGEST >> 20} MB")
    try:
        record = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _unusable(where, f"it is not JSON: {error}") from error
    return Consent.from_record(record, where)


def template() -> str:
    """A record to fill in."""
    today = datetime.datetime.now(datetime.UTC).date()
    return _TEMPLATE.format(today=today, next_year=today + datetime.timedelta(days=365))


def _unusable(where: str, why: str) -> ConsentError:
    return ConsentError(f"{where} is not a record of consent: {why}", f"write it like this:\n{template()}")


def _text(record: dict[str, Any], name: str, where: str) -> str:
    value = record[name]
    if not isinstance(value, str) or not value.strip():
        raise _unusable(where, f"{name!r} says nothing")
    if len(value) > LONGEST:
        raise _unusable(where, f"{name!r} is longer than {LONGEST} characters")
    try:
        value.encode()
    except UnicodeEncodeError as error:  # half a surrogate pair: no file and no manifest can hold it
        raise _unusable(where, f"{name!r} is not readable text") from error
    return value.strip()


def _needed_day(record: dict[str, Any], name: str, where: str) -> datetime.date:
    day = _day(record, name, where)
    if day is None:
        raise _unusable(where, f"{name!r} says nothing")
    return day


def _day(record: dict[str, Any], name: str, where: str) -> datetime.date | None:
    value = record.get(name)
    if value is None:
        return None
    try:
        return datetime.date.fromisoformat(value)
    except (ValueError, TypeError) as error:
        raise _unusable(where, f"{name!r} is not a day like 2026-12-31") from error


def _sha256(record: dict[str, Any], where: str) -> str:
    value = record.get("clip_sha256") or ""
    if value and not (
        isinstance(value, str) and len(value) == _SHA256_DIGITS and set(value) <= set("0123456789abcdef")
    ):
        raise _unusable(where, "'clip_sha256' is not 64 hexadecimal digits")
    return str(value)


def read_consent(path: Path) -> Consent:
    """Read `--consent`: a JSON record, or a clip with its record beside it (clip.mp4 and clip.json).

    Given a clip, its hash goes into the record; a record that already holds a hash must hold that of the clip
    beside it, if there is one.

    Raises:
        ConsentError: there is no record, it is not whole, or the clip is another one.
        MediaError: the clip is neither a film nor a sound.
    """
    page = path if path.suffix.lower() == ".json" else path.with_suffix(".json")
    if page != path and not path.is_file():
        raise ConsentError(f"there is no clip {path}", "check the name")
    if not page.is_file():
        what = f"{path} says it, but who, what for and until when must stand beside it in {page}"
        raise ConsentError(f"there is no {page}" if page == path else what, f"write it like this:\n{template()}")
    try:
        with page.open("rb") as file:
            consent = parse_consent(file.read(LARGEST + 1), str(page))
        if page == path:
            return consent
        with open_media(path):  # nobody agrees in a file that nobody can hear
            pass
        with path.open("rb") as clip:
            sha256 = hashlib.file_digest(clip, "sha256").hexdigest()
    except OSError as error:
        raise ConsentError(f"{error.filename} cannot be read ({error.strerror})", "check its permissions") from error
    if consent.clip_sha256 not in ("", sha256):
        raise ConsentError(f"{page} belongs to another clip than {path}", "take out 'clip_sha256' or find the clip")
    return dataclasses.replace(consent, clip_sha256=sha256)
