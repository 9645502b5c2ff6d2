"""One run with the slow tests; `.ci/run` does some of every fault, `make prove-members` two hundred."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.slow
def test_a_killed_leader_costs_nothing_that_was_acknowledged() -> None:
    command = [sys.executable, "-m", "tests.store.members", "--runs", "1", "--only", "kill-leader"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].startswith("1 runs passed, 0 failed")
