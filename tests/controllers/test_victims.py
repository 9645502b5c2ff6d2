"""Which pods a scale-down takes: the order of kube-controller-manager, against a sort that says it in one key."""

from __future__ import annotations

import math
from collections import Counter
from random import Random
from typing import Any

from orchestrator.apimachinery.timestamps import rfc3339
from orchestrator.client.view import View
from orchestrator.controllers.pods import DELETION_COST, created_at, pod
from orchestrator.controllers.victims import victims
from tests.controllers.views import view as view_of

NOW = 1_700_000_000.5


def some_pod(random: Random, number: int) -> View:
    since = rfc3339(NOW - 2 ** random.uniform(-2, 9))
    metadata: dict[str, Any] = {
        "name": f"pod-{number}",
        "namespace": "default",
        "uid": f"{random.random()}",
        "creationTimestamp": rfc3339(NOW - 2 ** random.uniform(-2, 12)),
    }
    if random.random() < 0.3:
        metadata["annotations"] = {DELETION_COST: random.choice(["5", "-3", "much"])}
    status = {
        "phase": random.choice(["Pending", "Running", "Unknown"]),
        "conditions": [{"type": "Ready", "status": random.choice(["True", "False"]), "lastTransitionTime": since}],
        "containerStatuses": [{"restartCount": random.choice([0, 0, 1])}],
    }
    spec = {"nodeName": random.choice(["", "a", "b", "c"])}
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": status}
    return view_of(body, number + 1)


def bucket(moment: float) -> int:
    return math.floor(math.log2(NOW - moment)) if NOW - moment >= 1 else 0


def cost(view: View) -> int:
    return {"5": 5, "-3": -3}.get(view.annotations.get(DELETION_COST, ""), 0)


def by_one_key(views: list[View]) -> list[View]:
    shared = Counter(pod(view).node for view in views)

    def key(view: View) -> tuple[Any, ...]:
        held = pod(view)
        return (
            held.node != "",
            ["Pending", "Unknown", "Running"].index(held.phase),
            held.ready,
            cost(view),
            -shared[held.node],
            bucket(held.ready_since) if held.ready else 0,
            -held.restarts,
            bucket(created_at(view)),
            view.uid,
        )

    return sorted(views, key=key)


def test_those_that_run_least_are_taken_first_and_those_that_are_alike_by_uid() -> None:
    for seed in range(200):
        random = Random(seed)
        views = [some_pod(random, number) for number in range(random.randint(1, 40))]
        count = random.randint(0, len(views))
        found = victims(views, views, count, NOW)
        expected = by_one_key(views)[:count]
        if count == len(views):
            assert {view.name for view in found} == {view.name for view in expected}, f"seed {seed}"
        else:
            assert [view.name for view in found] == [view.name for view in expected], f"seed {seed}"
