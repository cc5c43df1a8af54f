"""Consents that were taken back, as this machine knows them: copies of an avatar are refused too."""

from __future__ import annotations

import dataclasses
import datetime
from pathlib import Path

from locutor.core.files import atomic_path, make_folder
from locutor.provenance.consent import Consent
from locutor.provenance.places import data_folder

LIST = "revoked"  # lines of: consent id, day


def revoke(consent: Consent) -> None:
    """Put a consent on this user's list, from today (UTC) on; once is enough.

    Raises:
        OutputError: the list cannot be written.
    """
    if revoked_on(consent) is not None:
        return
    day = datetime.datetime.now(datetime.UTC).date()
    path = _path()
    make_folder(path.parent)
    with atomic_path(path, wait=True) as part:
        earlier = path.read_text() if path.is_file() else ""
        part.write_text(f"{earlier}{consent.id} {day}\n")


def revoked_on(consent: Consent) -> datetime.date | None:
    """The day on which a consent was revoked, by its own record or by this user's list."""
    if consent.revoked_on is not None or not _path().is_file():
        return consent.revoked_on
    for line in _path().read_text(errors="replace").splitlines():
        name, _, day = line.partition(" ")
        if name == consent.id:
            try:
                return datetime.date.fromisoformat(day)
            except ValueError:
                return consent.given_on  # a damaged line still revokes
    return None


def require_consent(consent: Consent | None, where: str) -> None:
    """Refuse to go on when a consent is stated and does not stand today. There is no switch around it.

    Args:
        consent: None where nobody stated one: old avatars, synthetic persons.
        where: the avatar or folder, for the message.

    Raises:
        ConsentError: expired, revoked or not yet begun.
    """
    if consent is not None:
        dataclasses.replace(consent, revoked_on=revoked_on(consent)).check(where)


def _path() -> Path:
    return data_folder() / LIST
