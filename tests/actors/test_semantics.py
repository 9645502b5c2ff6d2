"""Every numbered sentence of docs/SEMANTICS.md has a test that cites it."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_sentence_has_a_test() -> None:
    numbers = re.findall(r"^(\d+\.\d+)\. ", (ROOT / "docs/SEMANTICS.md").read_text(), re.MULTILINE)
    sentences = set(numbers)
    assert len(sentences) == len(numbers), "a number names two sentences"
    cited: set[str] = set()
    for path in Path(__file__).parent.rglob("test_*.py"):
        for line in re.findall(r"SEMANTICS ((?:\d+\.\d+(?:, )?)+)", path.read_text()):
            cited.update(line.split(", "))
    assert sentences, "no numbered sentence was found"
    assert sorted(sentences - cited) == []
    assert sorted(cited - sentences) == []
