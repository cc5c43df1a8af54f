"""The user's own folder for what must last: the signing key, the list of revoked consents."""

import os
from pathlib import Path


def data_folder() -> Path:
    """`$XDG_DATA_HOME/locutor`, else `~/.local/share/locutor`; never within the package or a repository."""
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "locutor"
