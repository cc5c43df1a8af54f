"""Reading marks: is there a manifest, is the file as it was signed, and who says so."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import c2pa

from locutor.core.errors import LocutorError, MarkError, MediaError
from locutor.core.text import one_line
from locutor.media.opening import open_media
from locutor.media.pictures import decode_rgb
from locutor.provenance.certificate import SELF_MADE
from locutor.provenance.mark import ASSERTION, NOTE, Source

_UNTRUSTED = "signingCredential.untrusted"
_FORMATS = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
    ".m4a": "audio/mp4",
    ".jpg": "image/jpeg",
}


class State(StrEnum):
    """What a file is."""

    VALID = "valid"
    ALTERED = "altered"
    UNMARKED = "no manifest"


EXIT_CODES = {State.VALID: 0, State.ALTERED: 3, State.UNMARKED: 4}  # 2 is a file that cannot be read


@dataclass(frozen=True)
class Verdict:
    """What a file's manifest says, and whether the file is the one it was made for.

    Attributes:
        state: valid, altered, or no manifest.
        trusted: the signer's certificate leads to one of the anchors given.
        self_made: it is one that locutor made by itself: anybody can make such a one.
        signer: the name in the certificate.
        source: the digital source type, a URI; empty if not stated.
        software: what made the file.
        avatar_id, consent_id: of who is shown; empty if not stated.
        files: sha256 by name of the other files that the mark stands for; of a page.
        failures: what does not hold, as the C2PA library names it.
    """

    state: State
    trusted: bool = False
    self_made: bool = False
    signer: str = ""
    source: str = ""
    software: str = ""
    avatar_id: str = ""
    consent_id: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    failures: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """For people."""
        if self.state is State.UNMARKED:
            return ["no manifest: nothing in this file says where it comes from"]
        head = {
            State.VALID: "valid: the file is as it was signed",
            State.ALTERED: f"altered: the file is not as it was signed ({'; '.join(self.failures)})",
        }
        said = {
            "kind": self.source.rpartition("/")[2],
            "made by": self.software,
            "avatar": self.avatar_id,
            "consent": self.consent_id or "none on record",
            "signed by": f"{self.signer} ({self._trust()})",
        }
        return [head[self.state], *(f"{name}: {value or 'not stated'}" for name, value in said.items())]

    def _trust(self) -> str:
        if self.trusted:
            return "trusted: it leads to an anchor you gave"
        return (
            "untrusted: self-made, anybody can make such a one" if self.self_made else "untrusted: no anchor knows it"
        )


def verify(path: Path, anchors: Path | None = None) -> Verdict:
    """Read and check the manifest of a file.

    Args:
        path: an mp4, m4v, mov, m4a or jpg file.
        anchors: certificates (PEM) of authorities that are trusted; none are without.

    Raises:
        MarkError: the file or the anchors cannot be read.
    """
    kind = _FORMATS.get(path.suffix.lower())
    if kind is None:
        raise MarkError(f"{path} is of a kind that is never marked", f"name one of {', '.join(_FORMATS)}")
    try:
        with path.open("rb") as file, _context(anchors) as context:
            reader = c2pa.Reader.try_create(kind, file, context=context)
            if reader is None:
                return _without_manifest(path)
            with reader:
                return _judged(json.loads(reader.json()))
    except (OSError, UnicodeDecodeError) as error:
        raise MarkError(f"{path} or its anchors cannot be read ({error})", "check the names") from error
    except c2pa.C2paError as error:  # the file can be a film all the same
        return _with_damaged_manifest(path, str(error))


def shows_nobody(path: Path) -> bool:
    """Whether a film says by a mark that holds that a program made it of nobody: a synthetic performer's."""
    try:
        verdict = verify(path)
    except LocutorError:
        return False
    return verdict.state is State.VALID and verdict.source == Source.ALGORITHM.uri


def _context(anchors: Path | None) -> c2pa.Context:
    """Settings of the library: nothing is fetched, and nobody is trusted but the anchors."""
    settings: dict[str, Any] = {"verify": {"remote_manifest_fetch": False, "ocsp_fetch": False}}
    if anchors is not None:
        settings["trust"] = {"trust_anchors": anchors.read_text()}
        settings["verify"]["verify_trust"] = True
    try:
        return c2pa.Context.from_dict(settings)
    except c2pa.C2paError as error:
        raise MarkError(f"{anchors} cannot be used as anchors ({error})", "give certificates in PEM") from error


def _without_manifest(path: Path) -> Verdict:
    """A copy to another container loses the manifest, and keeps the comment that tells of it."""
    if path.suffix.lower() == ".jpg":
        return Verdict(State.UNMARKED)
    try:
        with open_media(path) as container:
            lost = NOTE in container.metadata.get("comment", "")
    except MediaError as error:
        raise MarkError(error.what, error.do) from error
    return Verdict(State.ALTERED, failures=("its manifest was removed",)) if lost else Verdict(State.UNMARKED)


def _with_damaged_manifest(path: Path, why: str) -> Verdict:
    try:
        if path.suffix.lower() == ".jpg":
            decode_rgb(path.read_bytes())
            return Verdict(State.ALTERED, failures=(f"its manifest is damaged: {one_line(why)[:200]}",))
        with open_media(path):
            return Verdict(State.ALTERED, failures=(f"its manifest is damaged: {one_line(why)[:200]}",))
    except MediaError as error:
        raise MarkError(error.what, error.do) from error


def _judged(said: dict[str, Any]) -> Verdict:
    manifest = said["manifests"].get(said.get("active_manifest"), {})
    failures = tuple(sorted({status["code"] for status in said.get("validation_status") or []} - {_UNTRUSTED}))
    signer = manifest.get("signature_info") or {}
    data = {assertion["label"]: assertion.get("data") for assertion in manifest.get("assertions") or []}
    about, actions = _dict(data.get(ASSERTION)), _dict(data.get("c2pa.actions.v2")).get("actions")
    created = _dict(actions[0]) if isinstance(actions, list) and actions else {}
    state = said.get("validation_state")
    return Verdict(
        State.VALID if state in ("Valid", "Trusted") and not failures else State.ALTERED,
        trusted=state == "Trusted",
        self_made=signer.get("issuer") == SELF_MADE,
        signer=_word(signer, "common_name"),
        source=_word(created, "digitalSourceType"),
        software=_word(about, "software"),
        avatar_id=_word(about, "avatar_id"),
        consent_id=_word(about, "consent_id"),
        files={str(name): str(digest) for name, digest in _dict(about.get("files")).items()},
        failures=failures,
    )


def _dict(value: Any) -> dict[str, Any]:
    """Foreign manifests may hold anything."""
    return value if isinstance(value, dict) else {}


def _word(record: dict[str, Any], name: str) -> str:
    return one_line(record.get(name) or "")
