"""The model card: what an avatar is, for people who meet the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from locutor.core.text import one_line
from locutor.provenance.consent import Consent

if TYPE_CHECKING:
    from locutor.avatar.avatar import Provenance

INTENDED = (
    "Speech and conversation in the likeness of this one person, within what they agreed to, marked as synthetic "
    "wherever it is shown."
)
LIMITS = (
    "Not evidence of anything the person said or did.",
    "Turns of the head and shapes of the mouth that the footage does not show are not known; inner mouth, tongue and "
    "hands are not modelled.",
    "Lips are learnt from this person's voice; other voices and languages are followed less exactly.",
    "Light, clothes and background are those of the footage.",
)


def model_card(avatar_id: str, provenance: Provenance) -> str:
    """The card as Markdown; every value that came out of a file is one line of plain text."""
    p = provenance
    person = "a synthetic person, made by a program" if p.synthetic else "a real person, or not stated"
    lines = [
        f"# Avatar {one_line(avatar_id)}",
        "",
        f"- shows: {person}",
        f"- learnt from: {one_line(p.footage)}, {p.n_train_frames} frames",
        f"- trained: {one_line(p.made_on) or 'on a day not recorded'}, {p.iterations} iterations in {p.trained_s:g} s, "
        f"by {one_line(p.software) or 'a version not recorded'}",
        *(f"- {one_line(name).replace('_', ' ')}: {value:g}" for name, value in p.figures.items()),
        "",
        "## Consent",
        "",
        *_consent(p.consent, p.synthetic),
        "",
        "## Intended use",
        "",
        INTENDED,
        "",
        "## Limits",
        "",
        *(f"- {limit}" for limit in LIMITS),
    ]
    return "\n".join(lines) + "\n"


def _consent(consent: Consent | None, synthetic: bool) -> list[str]:
    if consent is None:
        return ["Not needed: the person does not exist." if synthetic else "None on record."]
    said = {
        "consent": consent.id,
        "of": consent.person,
        "given on": consent.given_on,
        "for": consent.scope,
        "until": consent.expires_on or "no end stated",
        "revoked on": consent.revoked_on or "stands",
        "take it back": consent.revocation_contact,
        "said in a clip with sha256": consent.clip_sha256 or "no clip",
    }
    return [f"- {name}: {one_line(value)}" for name, value in said.items()]
