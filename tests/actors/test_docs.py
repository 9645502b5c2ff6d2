"""Every code block of docs/actors.md runs, in the order of the page, in one namespace."""

from __future__ import annotations

import ast
import asyncio
import re
import sys
import types
from collections.abc import Callable
from pathlib import Path

import pytest

from actors.testing import DeterministicLoop

PAGE = Path(__file__).parents[2] / "docs/actors.md"
BLOCK = re.compile(r"^(?:<!-- (?P<where>[a-z ]+) -->\n)?```python\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
LOOPS: dict[str | None, Callable[[], asyncio.AbstractEventLoop]] = {
    None: DeterministicLoop,
    "real loop": asyncio.new_event_loop,
}


def blocks() -> list[tuple[int, str | None, str]]:
    """Line, where it runs, and code of each block."""
    text = PAGE.read_text()
    return [(text[: found.start("code")].count("\n"), found["where"], found["code"]) for found in BLOCK.finditer(text)]


def test_the_page_has_all_its_blocks() -> None:
    assert len(blocks()) == PAGE.read_text().count("```python\n")
    assert len(blocks()) > 15


@pytest.mark.slow
def test_the_page_runs_from_top_to_bottom() -> None:
    """A failure's traceback has the line of the page."""
    module = types.ModuleType("docs_actors")
    sys.modules[module.__name__] = module  # messages are found by the name of their module
    for line, where, code in blocks():
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        outcome = eval(compile("\n" * line + code, str(PAGE), "exec", flags=flags), module.__dict__)
        if outcome is not None:
            with asyncio.Runner(loop_factory=LOOPS[where]) as runner:
                runner.run(outcome)
