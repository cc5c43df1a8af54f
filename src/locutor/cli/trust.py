"""The verbs about an avatar's papers: `info`, `revoke`."""

from __future__ import annotations

import datetime
from pathlib import Path

from locutor.avatar.bundle import read_provenance, stamp_revoked
from locutor.avatar.card import model_card
from locutor.core.errors import ConsentError
from locutor.core.text import one_line
from locutor.provenance import revocation


def info(avatar: Path) -> str:
    """`locutor info`: the model card, and whether the consent stands today."""
    name, provenance = read_provenance(avatar)
    card = model_card(name, provenance)
    try:
        revocation.require_consent(provenance.consent, str(avatar))
    except ConsentError as error:
        return f"{card}\nREFUSED: {one_line(error.what)}\n"
    return card


def revoke(avatar: Path) -> str:
    """`locutor revoke`: on this user's list first, so that a file that cannot be written is refused all the same."""
    _, provenance = read_provenance(avatar)
    consent = provenance.consent
    if consent is None:
        raise ConsentError(f"{avatar} has no record of consent", "delete the file if it must not be used")
    revocation.revoke(consent)
    stamp_revoked(avatar, datetime.datetime.now(datetime.UTC).date())
    return (
        f"the consent {consent.id} of {one_line(consent.person)} is revoked; {one_line(avatar)} is refused from now on"
    )
