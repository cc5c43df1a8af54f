"""Marks in what is written: a signed C2PA manifest in the file, and on request words in the picture."""

from __future__ import annotations

import importlib.metadata
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import c2pa
from jaxtyping import UInt8
from numpy import ndarray

from locutor.core.errors import MarkError, disk_full
from locutor.provenance.certificate import Credential, find_credential
from locutor.provenance.config import MarkConfig
from locutor.provenance.label import burn_in

ASSERTION = "org.locutor.avatar"
NOTE = "synthetic; marked with C2PA by locutor"
_IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"
# Hashed in pieces and kept on disk while it is signed: else the library holds a film twice in memory.
_SETTINGS = {
    "verify": {"remote_manifest_fetch": False},
    "core": {"merkle_tree_chunk_size_in_kb": 1024, "backing_store_memory_threshold_in_mb": 8},
}
_ROOM = 1 << 20  # bytes; a file system with less left than that was full


class Source(StrEnum):
    """IPTC's digital source types that apply here (cv.iptc.org/newscodes/digitalsourcetype)."""

    TRAINED = "trainedAlgorithmicMedia"
    """Made by a model that was trained on footage: whatever an avatar says."""
    COMPOSITE = "compositeWithTrainedAlgorithmicMedia"
    """Real footage with such parts in it or beside it."""
    ALGORITHM = "algorithmicMedia"
    """Made by an algorithm that was trained on nothing: the synthetic performers."""

    @property
    def uri(self) -> str:
        """As manifests say it."""
        return _IPTC + self.value


@dataclass(frozen=True)
class Mark:
    """What `media.writer.VideoWriter` does to a video: `draw` in every frame, `seal` in the finished file.

    Attributes:
        avatar_id: of who is shown.
        consent_id: of what they agreed to; None where nothing is on record.
        source: kind of media.
        credential: what it is signed with; None leaves the manifest out.
        label: words in the picture; empty for none.
        files: sha256 by name of what the mark also stands for: the files of an exported page.
    """

    avatar_id: str
    consent_id: str | None
    source: Source
    credential: Credential | None
    label: str = ""
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def note(self) -> str:
        """Left in the container's comment: it stays when a copy to another container loses the manifest."""
        return NOTE if self.credential else ""

    def draw(self, rgb: UInt8[ndarray, "H W 3"]) -> UInt8[ndarray, "H W 3"]:
        """The frame with the label in it."""
        return burn_in(rgb, self.label) if self.label else rgb

    def seal(self, path: Path) -> None:
        """Sign a finished mp4 or JPEG in place; on failure it is as it was.

        Raises:
            MarkError: it cannot be signed.
            OutputError: the disk is full.
        """
        if self.credential is None:
            return
        signed = path.with_name(f"{path.stem}.signed{path.suffix}")
        try:
            with (
                c2pa.Context.from_dict(_SETTINGS) as context,
                c2pa.Builder(self.manifest(), context=context) as builder,
                _signer(self.credential) as signer,
            ):
                builder.sign_file(path, signed, signer)
            signed.replace(path)
        except c2pa.C2paError as error:
            if _is_full(path):
                raise disk_full(path) from error
            raise MarkError(
                f"{path.name} cannot be signed ({error})", "check the certificate, or write without a mark: --no-mark"
            ) from error
        finally:
            signed.unlink(missing_ok=True)

    def manifest(self) -> dict[str, Any]:
        """What is claimed (C2PA 2.2: one action `c2pa.created`), and whose avatar it is."""
        software = {"name": "locutor", "version": importlib.metadata.version("locutor")}
        created = {"action": "c2pa.created", "digitalSourceType": self.source.uri, "softwareAgent": software}
        about: dict[str, Any] = {
            "avatar_id": self.avatar_id,
            "consent_id": self.consent_id,
            "software": f"locutor {software['version']}",
        }
        if self.files:
            about["files"] = dict(self.files)
        return {
            "claim_generator_info": [software],
            "assertions": [
                {"label": "c2pa.actions.v2", "data": {"actions": [created]}},
                {"label": ASSERTION, "data": about},
            ],
        }


def make_mark(config: MarkConfig, avatar_id: str, consent_id: str | None, source: Source = Source.TRAINED) -> Mark:
    """The mark that the settings ask for.

    Raises:
        MarkError, OutputError: as `find_credential`.
    """
    credential = find_credential(config.sign_cert, config.sign_key) if config.mark else None
    return Mark(avatar_id, consent_id, source, credential, config.label)


def _signer(credential: Credential) -> c2pa.Signer:
    # No time stamp authority: nothing here talks to the network.
    return c2pa.Signer.from_info(c2pa.C2paSignerInfo(credential.algorithm, credential.chain, credential.key, None))


def _is_full(path: Path) -> bool:
    return shutil.disk_usage(path.parent).free < _ROOM
