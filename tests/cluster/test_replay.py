"""A seed of the swarm, faults and all, is the same run in any process, on each Python that is found."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
SEEDS = (1, 8)
"""Small clusters with kills, a cut link, lost power and lost requests."""
NEEDED = "import aiohttp, aiosqlite, anyio, cryptography, msgspec, numpy, orjson, yaml"


def pythons() -> list[str]:
    """This one, and those that ``make test-pythons`` made, if they have what a cluster needs."""
    found = [sys.executable]
    for candidate in sorted(ROOT.glob(".venv-pythons/*/bin/python")):
        if subprocess.run([candidate, "-c", NEEDED], capture_output=True).returncode == 0:
            found.append(str(candidate))
    return found


def trace(python: str, seed: int, hash_seed: int) -> str:
    environment = {**os.environ, "PYTHONHASHSEED": str(hash_seed), "PYTHONPATH": str(ROOT)}
    command = [python, "-m", "tests.cluster.trace", str(seed)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip().splitlines()[-1]


@pytest.mark.parametrize("python", pythons())
@pytest.mark.parametrize("seed", SEEDS)
def test_a_seed_is_the_same_run_whatever_the_hashes(python: str, seed: int) -> None:
    first = trace(python, seed, hash_seed=1)
    assert first == trace(python, seed, hash_seed=4242)
    assert first.split()[0] == "0", "it was violated"
    assert int(first.split()[1]) > 1000
