"""Transcripts: text files of commands (``> ...``) and what came of each, told anew and compared."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path

Run = Callable[[str], Iterable[str]]
"""One command to the lines of its output; it keeps the state of the story."""


def retell(text: str, run: Run) -> str:
    """The transcript with its outputs made anew. Comments (``#``) and blank lines stay."""
    told: list[str] = []
    for line in text.splitlines():
        if line.startswith("> "):
            told.append(line)
            told += [f"  {output}" for output in run(line[2:])]
        elif line.startswith("#") or not line.strip():
            told.append(line)
    return "\n".join(told) + "\n"


def review(folder: Path, tell: Callable[[str], str]) -> None:
    """Say which transcripts differ from what ``tell`` makes of them; with ``--write`` write them."""
    for path in sorted(folder.glob("*.txt")):
        new = tell(path.read_text())
        if "--write" in sys.argv:
            path.write_text(new)
        elif new != path.read_text():
            print(f"{path} differs: run with --write and review")
