"""The library keeps its promises in every order of callbacks that a seed can make."""

from __future__ import annotations

import pytest

from tests.actors.exploration import explore


@pytest.mark.parametrize("seed", range(5))
def test_the_promises_hold_for_a_seed(seed: int) -> None:
    """SEMANTICS 1.5, 1.6, 6.2, 7.4, 9.1"""
    ledger = explore(seed)
    assert ledger.handled


def test_a_seed_repeats_its_run() -> None:
    """SEMANTICS 11.4"""
    assert explore(3).handled == explore(3).handled


@pytest.mark.prove
@pytest.mark.parametrize("block", range(100))
def test_the_promises_hold_for_a_hundred_seeds(block: int) -> None:
    for seed in range(block * 100, block * 100 + 100):
        explore(seed)
