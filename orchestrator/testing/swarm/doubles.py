"""What runs where, seen at the runtimes themselves: no name of a StatefulSet runs on two nodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from orchestrator.kubelet.runtime.runtime import State
from orchestrator.kubelet.runtime.simulated import SimulatedRuntime
from orchestrator.testing.swarm.world import World


def two_leaders(world: World) -> Iterator[str]:
    """A sentence for each part of the control plane that is at work at more than one member."""
    for part in ("controllers", "scheduler"):
        leaders = world.leaders(part)
        if len(leaders) > 1:
            yield f"two leaders: the {part} work at members {' and '.join(map(str, leaders))}"


def doubles(nodes: Mapping[str, SimulatedRuntime], prefix: str = "statefulset-") -> Iterator[str]:
    """A sentence for each pod name with running containers on more than one node."""
    where: dict[str, list[str]] = {}
    for node, runtime in nodes.items():
        for pod in runtime.held():
            running = any(one.state is State.RUNNING for one in pod.containers)
            if running and pod.name.startswith(prefix):
                where.setdefault(f"{pod.namespace}/{pod.name}", []).append(node)
    for name, found in where.items():
        if len(found) > 1:
            yield f"two containers for one name: {name} runs on {' and '.join(found)}"
