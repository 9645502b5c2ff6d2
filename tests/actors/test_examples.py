"""The programs of examples/actors run and say what they should."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SAID = {
    "chat": "ann and bob heard: ann: is anybody there? | bob: I am",
    "crawler": "40 pages, each once: 40 requests, ",
    "processes": "2668 primes below 24000, 2 of 3 processes left",
    "saga": "stock, card and carrier agree, after ",
    "web": "ann put 5 pears, 2 were too many; bob has {'apple': 1}",
}


def run(name: str) -> str:
    command = [sys.executable, "-W", "error", "-m", f"examples.actors.{name}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60.0)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout.splitlines()[-1]


@pytest.mark.slow
@pytest.mark.parametrize("name", SAID)
def test_an_example_runs(name: str) -> None:
    assert run(name).startswith(SAID[name])


@pytest.mark.slow
def test_the_crawler_keeps_to_its_rate() -> None:
    rate = float(run("crawler").split()[-4])
    assert rate <= 55.0


def test_each_example_is_run() -> None:
    programs = {path.stem for path in (ROOT / "examples/actors").glob("*.py") if "__main__" in path.read_text()}
    assert programs == set(SAID)
