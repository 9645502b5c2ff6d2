from __future__ import annotations

from random import Random

import numpy as np

from orchestrator.scheduler.fractions import fractions

COUNT = 100_000


def test_fractions_are_spread_evenly_below_one_and_do_not_repeat() -> None:
    found = fractions(Random(1), COUNT)
    assert found.min() >= 0.0
    assert found.max() < 1.0
    tenths = np.bincount((found * 10).astype(np.int64), minlength=10)
    assert (abs(tenths - COUNT / 10) < 5 * (COUNT * 0.09) ** 0.5).all(), "five standard deviations"
    assert len(set(found.tolist())) == COUNT
    assert abs(np.corrcoef(found[1:], found[:-1])[0, 1]) < 5 * COUNT**-0.5


def test_the_same_source_gives_the_same_fractions_once() -> None:
    source = Random(7)
    assert fractions(source, 8).tolist() == fractions(Random(7), 8).tolist()
    assert fractions(source, 8).tolist() != fractions(Random(7), 8).tolist()


def test_of_no_node_there_are_none() -> None:
    assert fractions(Random(1), 0).tolist() == []
