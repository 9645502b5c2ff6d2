"""mypy, strict, accepts a user's right code and refuses the wrong lines of a user's code, and no other."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from mypy import api

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent / "typed"
ERROR = re.compile(r"^.*?:(\d+): error: .*\[([a-z-]+)\]$", re.MULTILINE)


def errors_in(path: Path) -> Counter[tuple[int, str]]:
    """Line and code of each error that mypy finds with the project's settings."""
    arguments = ["--config-file", str(ROOT / "pyproject.toml"), "--no-error-summary", str(path)]
    found, trouble, _ = api.run(arguments)
    assert not trouble, trouble
    return Counter((int(line), code) for line, code in ERROR.findall(found))


def marked_in(path: Path) -> Counter[tuple[int, str]]:
    lines = enumerate(path.read_text().splitlines(), 1)
    return Counter((number, line.split("# refused: ")[1]) for number, line in lines if "# refused: " in line)


@pytest.mark.slow
def test_right_code_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert errors_in(HERE / "accepted.py") == Counter()


@pytest.mark.slow
def test_wrong_lines_are_refused_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    wanted = marked_in(HERE / "refused.py")
    assert len(wanted) >= 15, "the marks were not read"
    assert errors_in(HERE / "refused.py") == wanted
