"""Preemption against the reference: the same nodes would help, the same pods would go, and the cheapest node wins."""

from __future__ import annotations

import os
from random import Random

import pytest

from orchestrator.apimachinery.selectors import from_label_selector
from orchestrator.scheduler.preemption import Budget, Preemption, preempt
from orchestrator.scheduler.queue import Waiting
from tests.scheduler.clusters import Maker
from tests.scheduler.reference_preemption import candidates
from tests.scheduler.reference_volumes import outright
from tests.scheduler.test_cycle import PROFILE, new_run, shape, snapshot

PROVE_CLUSTERS = int(os.environ.get("PROVE_COUNT", "100000"))


def check(seed: int) -> bool:
    """False: the pod fits without it, or no node is asked at all."""
    maker = Maker(seed)
    world, pod = maker.world(), maker.pod()
    pod["spec"]["priority"] = 10
    budgets = maker.budgets()
    made, of = snapshot(world), shape(pod)
    run = new_run(made, of, seed)
    if run.feasible.any() or outright(world, pod):
        return False
    resolvable = run.diagnosis.resolvable
    assert resolvable is not None
    held = [Budget(each["namespace"], from_label_selector(each["selector"]), each["allowed"]) for each in budgets]
    before = {uid: placed.node for uid, placed in made.placed.items()}
    waiting = Waiting("default/p", "p", of, 0.0)
    found: Preemption = preempt(made, waiting, resolvable, PROFILE, held, Random(seed))
    assert {uid: placed.node for uid, placed in made.placed.items()} == before, f"seed {seed}: the snapshot changed"
    expected = candidates(world, pod, budgets)
    if not expected:
        assert not found.node, f"seed {seed}"
        return True
    assert found.node, f"seed {seed}"
    victims, cost = expected[found.node]
    assert sorted(victim.uid for victim in found.victims) == victims, f"seed {seed}"
    assert cost == min(cost for _, cost in expected.values()), f"seed {seed}"
    return True


@pytest.mark.parametrize("block", range(10))
def test_victims_and_the_node_equal_the_reference(block: int) -> None:
    preempted = [check(seed) for seed in range(block * 20, block * 20 + 20)]
    assert any(preempted)


@pytest.mark.prove
def test_a_hundred_thousand_preemptions_equal_the_reference() -> None:
    for seed in range(PROVE_CLUSTERS):
        check(3_000_000 + seed)
    print(f"{PROVE_CLUSTERS} preemptions decided as the reference decides")
