"""The avatars that a server shows: who they are, whether they may be shown, and what a browser draws them from."""

from __future__ import annotations

import asyncio
import re
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from locutor.avatar.bake import bake_for_web
from locutor.avatar.bundle import load_avatar, read_preview
from locutor.core.errors import FormatError, LocutorError
from locutor.core.lock import exclusive
from locutor.drive.shared_idle import N_WALKS
from locutor.live.live_avatar import LiveAvatar
from locutor.media.pictures import encode_png
from locutor.server.protocol import AvatarEntry
from locutor.server.refusal import RefusalError


@dataclass
class Exhibit:
    """One avatar.

    Attributes:
        id: in addresses: letters, digits, `-` and `_`.
        name: for people.
        live: the avatar, ready to be driven.
        preview: PNG.
        has_consent: whether the bundle holds a record of consent.
        is_synthetic: the person was made by a program and does not exist.
        baked: folder of what a browser draws it from; None before the first request.
    """

    id: str
    name: str
    live: LiveAvatar
    preview: bytes
    has_consent: bool
    is_synthetic: bool
    baked: Path | None = None
    baking: asyncio.Lock = field(default_factory=asyncio.Lock)

    def entry(self) -> AvatarEntry:
        """As a visitor sees it."""
        camera = self.live.avatar.camera
        return AvatarEntry(
            id=self.id,
            name=self.name,
            width=camera.width,
            height=camera.height,
            n_coefficients=self.live.n_coefficients,
            synthetic=self.is_synthetic,
            consent=self.has_consent,
            can_speak=True,
            web=f"api/avatars/{self.id}/web/",
            preview=f"api/avatars/{self.id}/preview.png",
        )


class Gallery:
    """All avatars of a server. `close` removes what was baked."""

    def __init__(self, files: list[tuple[str, Path]], shared: Path | None = None) -> None:
        """Args:
        files: names, which become ids, and .avatar files.
        shared: where several processes keep what was baked; a folder of its own if None.

        Raises:
            FormatError: a file is no avatar, or has no voice model.
        """
        self.exhibits: dict[str, Exhibit] = {}
        self._own = None if shared else Path(tempfile.mkdtemp(prefix="locutor-web-"))
        self._baked = shared or self._own or Path()
        for name, path in files:
            exhibit = load_exhibit(name, path, taken=set(self.exhibits))
            self.exhibits[exhibit.id] = exhibit

    def find(self, id: str) -> Exhibit:
        """The avatar of that id.

        Raises:
            RefusalError: there is none.
        """
        exhibit = self.exhibits.get(id)
        if exhibit is None:
            raise RefusalError("unknown_avatar", "there is no such avatar here", "GET /api/avatars lists them")
        return exhibit

    async def web_file(self, id: str, name: str) -> Path:
        """A file of the baked avatar; bakes at the first request.

        Raises:
            RefusalError: unknown avatar, no such file, or this installation cannot bake.
        """
        exhibit = self.find(id)
        async with exhibit.baking:
            if exhibit.baked is None:
                folder = self._baked / exhibit.id
                await asyncio.to_thread(_bake, exhibit, folder)
                exhibit.baked = folder
        if name not in {path.name for path in exhibit.baked.iterdir()}:
            raise RefusalError("not_found", "the baked avatar has no such file", "avatar.json names them")
        return exhibit.baked / name

    def close(self) -> None:
        """Remove what was baked."""
        if self._own:
            shutil.rmtree(self._own, ignore_errors=True)


def load_exhibit(name: str, path: Path, taken: set[str]) -> Exhibit:
    """An avatar file, under an id that is not taken.

    Raises:
        FormatError: the file is no avatar, or has no voice model.
    """
    avatar = load_avatar(path)
    try:
        live = LiveAvatar(avatar, shared_walks=N_WALKS)
    except FormatError as error:
        raise FormatError(f"{path}: {error.what}", error.do) from error
    preview = encode_png(read_preview(path))
    base = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-")[:40] or "avatar"
    id, number = base, 2
    while id in taken:
        id, number = f"{base}-{number}", number + 1
    return Exhibit(id, name, live, preview, avatar.provenance.consent is not None, avatar.provenance.synthetic)


def may_be_shown(exhibit: Exhibit, beyond_loopback: bool, allow_unconsented: bool) -> bool:
    """Nobody is shown to other machines without consent on record, unless the person does not exist."""
    return exhibit.has_consent or exhibit.is_synthetic or allow_unconsented or not beyond_loopback


def _bake(exhibit: Exhibit, folder: Path) -> None:
    try:
        with exclusive(folder.with_name(f"{folder.name}.bake"), wait=True):  # not the lock of the writer within
            if not folder.exists():  # else another process has baked it
                bake_for_web(exhibit.live.avatar, folder, exhibit.name)
    except LocutorError as error:
        raise RefusalError("not_baked", error.what, error.do) from error
