"""A few seeds with the slow tests; `.ci/run` does thousands, `make prove-powercut` the whole counts."""

from __future__ import annotations

import subprocess
import sys

import pytest


def run(module: str, *arguments: str) -> str:
    """The last line of an explorer that must end well."""
    command = [sys.executable, "-m", f"tests.powercut.{module}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()[-1]


@pytest.mark.slow
def test_no_power_cut_loses_what_was_acknowledged() -> None:
    assert run("explore", "--seeds", "100") == "100 passed, 0 failed"


@pytest.mark.slow
def test_no_kill_loses_what_was_acknowledged() -> None:
    assert ", 0 lost" in run("kill", "--kills", "10")


@pytest.mark.slow
def test_harmed_bytes_are_refused_or_read_as_written() -> None:
    assert run("fuzz", "--seeds", "600") == "600 passed, 0 failed"
