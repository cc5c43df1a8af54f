"""Write every error message of the code into docs/troubleshooting.md, or check that they are there.

.venv/bin/python tools/list_errors.py [--check]
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "troubleshooting.md"
BEGIN = "<!-- made by tools/list_errors.py: do not edit below -->\n"


def listing() -> str:
    """The table of all messages, by package."""
    rows = sorted(
        {row for file in (ROOT / "src" / "locutor").rglob("*.py") for row in _rows(file)}, key=lambda row: row[::-1]
    )
    lines = [f"| `{what}` | {do} | {where} |" for what, do, where in rows]
    return "| message | what to do | raised in |\n|---|---|---|\n" + "\n".join(lines) + "\n"


def _rows(file: Path) -> Iterator[tuple[str, str, str]]:
    tree = ast.parse(file.read_text())
    names = {
        n.name
        for n in ast.walk(ast.parse((ROOT / "src/locutor/core/errors.py").read_text()))
        if isinstance(n, ast.ClassDef)
    }
    where = file.parent.name
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    for function in functions:
        texts = _strings(tree.body) | _strings(list(ast.walk(function)))
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
                what, do = ([_text(argument, texts) for argument in node.args[:2]] + ["…"])[:2]
                if what.strip("… "):
                    yield what, do.strip("… ") or "see the message", where


def _strings(nodes: Sequence[ast.AST]) -> dict[str, str]:
    """What names stand for, where it is plain."""
    return {
        node.targets[0].id: _text(node.value, {})
        for node in nodes
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }


def _text(node: ast.expr, texts: dict[str, str]) -> str:
    """A string expression with … for what is filled in."""
    match node:
        case ast.Constant():
            text = str(node.value)
        case ast.JoinedStr():
            text = "".join(str(v.value) if isinstance(v, ast.Constant) else "…" for v in node.values)
        case ast.IfExp():
            text = f"{_text(node.body, texts)} / {_text(node.orelse, texts)}"
        case ast.Name():
            text = texts.get(node.id, "…")
        case _:
            text = "…"
    return " ".join(text.replace("|", "/").replace("`", "'").split())


def page() -> str:
    """The page with today's table."""
    return PAGE.read_text().partition(BEGIN)[0] + BEGIN + "\n" + listing()


def main() -> None:
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(page())
    elif PAGE.read_text() != page():
        sys.exit(f"{PAGE} lacks messages of the code: run tools/list_errors.py")


if __name__ == "__main__":
    main()
