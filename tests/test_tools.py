"""Every tool can be read: what it takes from the package is still there."""

import runpy
from pathlib import Path

import pytest

TOOLS = sorted((Path(__file__).parents[1] / "tools").glob("*.py"))


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.stem)
def test_what_a_tool_imports_exists(tool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tool.parent))  # as `python tools/NAME.py` has it
    try:
        runpy.run_path(str(tool), run_name="read")
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] in ("locutor", *(t.stem for t in TOOLS)):
            raise
        pytest.skip(f"no {error.name}")
