"""docs/troubleshooting.md holds every message of the code."""

import runpy
from pathlib import Path

TOOL = runpy.run_path(str(Path(__file__).parents[2] / "tools" / "list_errors.py"))


def test_the_page_is_up_to_date():
    assert TOOL["PAGE"].read_text() == TOOL["page"](), "run tools/list_errors.py"


def test_messages_are_found_in_the_code():
    listing = TOOL["listing"]()
    assert "`the disk that holds … is full`" in listing
    assert "`the consent of … in … expired on …`" in listing
    assert listing.count("\n") > 80
