"""What `make quality` calls held, failed, or too little to tell."""

from pathlib import Path

import pytest
from benchmarks.quality_checks import Check, _beats
from benchmarks.quality_page import FEWEST, Judged, write_page

from locutor.evaluate.figure import Figure

CLIP = Judged("clip", Path("a.avatar"), Path("footage"), Path("report"), {})
CHANCE = Figure(0.4, 0.3, 0.5, 40)


@pytest.mark.parametrize(
    ("mine", "holds"),
    [
        (Figure(0.9, 0.8, 1.0, FEWEST), True),
        (Figure(0.6, 0.45, 0.7, FEWEST), False),
        (Figure(0.9, 0.8, 1.0, FEWEST - 1), None),
        (Figure(0.1, 0.0, 0.2, FEWEST - 1), None),
    ],
)
def test_intervals_decide_where_enough_happened(mine: Figure, holds: bool | None) -> None:
    check = _beats(CLIP, "replay beats chance", "timing_match", mine, CHANCE)
    assert check.holds is holds
    assert f"n {mine.n}" in check.said


@pytest.mark.parametrize(("by_luck", "holds"), [(0.025, True), (0.1, False)])
def test_many_lucky_rolls_outweigh_intervals(by_luck: float, holds: bool) -> None:
    check = _beats(CLIP, "voice", "timing_match", Figure(0.9, 0.8, 1.0, FEWEST), CHANCE, by_luck)
    assert check.holds is holds


def test_the_page_counts_each_kind_for_itself(tmp_path: Path) -> None:
    checks = [Check("clip", "claim", holds, "said") for holds in (True, True, False, None)]
    write_page(tmp_path / "page.md", [], checks)
    text = (tmp_path / "page.md").read_text()
    assert "2 of 3 hold." in text
    assert "1 are not judged" in text
    assert [text.count(cell) for cell in ("| yes |", "| **no** |", "| too few |")] == [2, 1, 1]
