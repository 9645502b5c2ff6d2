"""Each block of Python on the pages of embedding, testing and controllers is a part of a file that CI runs."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ("embedding.md", "testing.md", "controllers.md")
FILES = [
    *ROOT.glob("examples/embedding/*.py"),
    *ROOT.glob("examples/controllers/*.py"),
    *ROOT.glob("examples/operators/*.py"),
]


def blocks(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (ROOT / "docs" / page).read_text(), re.DOTALL)


def plain(line: str) -> str:
    """Without the space that puts comments below each other."""
    return re.sub(r" {2,}#", "  #", line)


def pieces(text: str) -> list[str]:
    """The parts between empty lines, each without its margin."""
    return [textwrap.dedent(piece).strip("\n") for piece in re.split(r"\n\s*\n", text) if piece.strip()]


def holds(file: str, piece: str) -> bool:
    """Whether the lines of ``piece`` stand in ``file`` one after the other, whatever the margin."""
    lines, wanted = [plain(line) for line in file.splitlines()], [plain(line) for line in piece.splitlines()]
    for first in range(len(lines) - len(wanted) + 1):
        if textwrap.dedent("\n".join(lines[first : first + len(wanted)])) == "\n".join(wanted):
            return True
    return False


CASES = [(page, number) for page in PAGES for number in range(len(blocks(page)))]


@pytest.mark.parametrize(("page", "number"), CASES)
def test_a_block_is_a_part_of_a_file_that_is_run(page: str, number: int) -> None:
    block = blocks(page)[number]
    texts = {path.name: path.read_text() for path in FILES}
    missing = [[piece for piece in pieces(block) if not holds(text, piece)] for text in texts.values()]
    closest = min(missing, key=len)
    assert not closest, f"docs/{page}, block {number + 1}: in no file of examples:\n{closest[0]}"


def test_the_pages_have_blocks() -> None:
    assert len(CASES) >= 8
