"""The suite is independent of the order of its tests and of ready callbacks."""

from __future__ import annotations

import subprocess
import sys

import pytest

RUNS = 1000


@pytest.mark.prove
def test_the_suite_passes_a_thousand_times_in_a_thousand_orders() -> None:
    command = [sys.executable, "-m", "tests.actors.repeat", "--runs", str(RUNS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert done.stdout.startswith(f"{RUNS} passed, 0 failed"), done.stdout
