"""Avatar files with something wrong in them."""

import zipfile
from pathlib import Path


def changed(path: Path, name: str, content: bytes | None) -> Path:
    """The same bundle with one member replaced or, by None, left out."""
    out = path.with_name("changed.avatar")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w") as new:
        for member in old.namelist():
            if member != name:
                new.writestr(member, old.read(member))
        if content is not None:
            new.writestr(name, content)
    return out
