import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
from tools.protocol_types import OUT, typescript


def test_the_typescript_types_are_up_to_date():
    assert OUT.read_text() == typescript(), "run python tools/protocol_types.py"


def test_every_message_is_in_the_file():
    text = typescript()
    for name in ("Hello", "Say", "Interrupt", "SoundEnds", "Played", "Adjust", "Ping", "Ready", "State", "Refused"):
        assert f"export interface {name} {{" in text
    assert "  head_turn?: [number, number, number]" in text
    assert "  role: 'control' | 'watch'" in text
