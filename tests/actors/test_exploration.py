"""The library keeps its promises in every order of callbacks that a seed can make."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.actors.exploration import explore
from tests.actors.ledger import Ledger, Violation, check

ROOT = Path(__file__).parents[2]
MUTANTS = sorted((ROOT / "tests/actors/mutants").glob("*.patch"))


@pytest.mark.parametrize("seed", range(6))
def test_the_promises_hold_for_a_seed(seed: int) -> None:
    """SEMANTICS 1.5, 1.6, 6.2, 7.4, 9.1"""
    ledger = explore(seed)
    assert ledger.handled
    assert ledger.streamed
    assert ledger.delivered


def test_a_seed_repeats_its_run() -> None:
    """SEMANTICS 11.4"""
    assert explore(4) == explore(4)
    assert explore(4) != explore(6)


def test_a_ledger_that_breaks_a_promise_is_found_out() -> None:
    for broken, why in (
        (Ledger(handled=[("a", 0, 1), ("a", 0, 1)]), "handled twice"),
        (Ledger(handled=[("a", 0, 2), ("a", 0, 1)], sent={("a", 0): [1, 2]}), "got"),
        (Ledger(answered=3, replies=1, late=1), "3 answers"),
        (Ledger(objections=["mail overtook"]), "mail overtook"),
    ):
        with pytest.raises(Violation, match=why):
            check(broken, [])


@pytest.mark.parametrize("patch", MUTANTS, ids=lambda path: path.stem)
def test_each_planted_bug_still_applies(patch: Path) -> None:
    done = subprocess.run(["git", "apply", "--check", str(patch)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, f"make the patch anew: {done.stderr}"


def test_the_explorer_counts_what_passed() -> None:
    command = [sys.executable, "-m", "tests.actors.explore", "--first", "10", "--seeds", "2"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "2 passed, 0 failed"
