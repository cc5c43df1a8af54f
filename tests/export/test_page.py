"""The page in the package is made of the sources beside it; no Node is needed to know."""

import hashlib
import json
import re
from importlib import resources
from pathlib import Path

WEB = Path(__file__).parents[2] / "web"
SOURCES = ("index.html", "package-lock.json", "public", "src", "vite.config.ts")


def _page() -> Path:
    return Path(str(resources.files("locutor") / "server" / "page"))


def _digest(paths: list[Path], root: Path) -> str:
    """As `web/vite.config.ts` does it."""
    digest = hashlib.sha256()
    for name in sorted(path.relative_to(root).as_posix() for path in paths):
        digest.update(name.encode() + b"\0" + (root / name).read_bytes() + b"\0")
    return digest.hexdigest()


def _files(path: Path) -> list[Path]:
    return [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]


def test_the_bundle_is_made_of_these_sources():
    made = json.loads((_page() / "made.json").read_text())
    sources = [file for name in SOURCES for file in _files(WEB / name)]
    assert _digest(sources, WEB) == made["sources"], "web/ has changed since the page was built: run `make page`"


def test_nobody_edited_the_bundle_by_hand():
    made = json.loads((_page() / "made.json").read_text())
    files = [file for file in _files(_page()) if file.name != "made.json"]
    assert _digest(files, _page()) == made["bundle"]


def test_the_page_asks_nobody_else():
    """No fonts, scripts or pictures from other hosts, and the label is there before any script runs."""
    for file in _files(_page()):
        addresses = re.findall(r"https?://[\w.-]+", file.read_text())
        assert set(addresses) <= {"http://www.w3.org"}, file
    assert 'id="synthetic"' in (_page() / "index.html").read_text()


def test_the_lock_file_names_no_host():
    assert '"resolved": "http' not in (WEB / "package-lock.json").read_text()
