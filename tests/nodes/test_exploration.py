"""Remoting keeps its promises on a bad network, in every order of callbacks that a seed can make."""

from __future__ import annotations

import pytest

from tests.nodes.exploration import explore


@pytest.mark.parametrize("seed", range(3))
def test_the_promises_of_remoting_hold_for_a_seed(seed: int) -> None:
    ledger = explore(seed)
    assert ledger.answers > 10
    assert sum(map(len, ledger.handled.values())) > 50
    assert any(reason == ["disconnected"] for reason in ledger.downs.values())


def test_a_seed_repeats_its_run() -> None:
    assert explore(3).handled == explore(3).handled
