"""What must hold a while after the last fault ended: the world is what the user asked for, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from actors import Node
from orchestrator.apimachinery.encoded import Object
from orchestrator.client.kinds import (
    DAEMONSETS,
    DEPLOYMENTS,
    ENDPOINTSLICES,
    JOBS,
    NODES,
    PODS,
    REPLICASETS,
    STATEFULSETS,
    Kind,
)
from orchestrator.embedding.cluster import Cluster
from orchestrator.testing.swarm.manifests import CROWDED, TIGHT
from orchestrator.testing.swarm.observers import is_ready
from orchestrator.testing.swarm.story import TIGHT_PODS, Story, Workload
from orchestrator.testing.swarm.world import World

KINDS = {"Deployment": DEPLOYMENTS, "StatefulSet": STATEFULSETS, "DaemonSet": DAEMONSETS, "Job": JOBS}
OWNED: tuple[Kind, ...] = (*KINDS.values(), REPLICASETS, PODS, NODES, ENDPOINTSLICES)


async def unconverged(world: World, story: Story, wanted: Mapping[str, Workload]) -> list[str]:
    """What is not yet as it must be; nothing: converged."""
    found = {kind: (await world.door.client.list(kind)).objects() for kind in OWNED}
    here = [pod for pod in found[PODS] if pod["metadata"]["namespace"] == "default"]
    problems = list(_nodes(found[NODES], story.nodes))
    late = world.counts()["write late"] > 0
    for one in wanted.values():
        pods = [pod for pod in here if (pod["metadata"].get("labels") or {}).get("app") == one.name]
        if one.kind == "Job":
            problems += _job(one, found[JOBS], late=late)
            continue
        problems += _workload(one, found[KINDS[one.kind]], pods, story.nodes)
        problems += _endpoints(one.name, found[ENDPOINTSLICES], pods)
    problems += _leftovers(wanted, here, found)
    problems += await _runtimes(world, found[PODS])
    if story.tight:
        greedy = [pod for pod in found[PODS] if pod["metadata"]["namespace"] == TIGHT]
        if len(greedy) != TIGHT_PODS or not all(map(is_ready, greedy)):
            problems.append(f"quota: {TIGHT} has {len(greedy)} pods, expected {TIGHT_PODS} that are ready")
    if story.crowded:
        porters = [pod for pod in found[PODS] if pod["metadata"]["namespace"] == CROWDED]
        if sum(map(is_ready, porters)) != story.nodes or len(porters) != story.nodes + 2:
            problems.append(
                f"crowded: {sum(map(is_ready, porters))} of {len(porters)} pods ready, expected {story.nodes}"
            )
    for member in world.members.values():
        problems += _tree(member.system.tree())
    return problems + list(_led(world, story))


def _led(world: World, story: Story) -> Iterator[str]:
    for part in ("controllers", "scheduler") if story.members > 1 else ():
        if len(world.leaders(part)) != 1:
            yield f"the {part} work at {len(world.leaders(part))} members, expected 1"


def _nodes(nodes: Sequence[Object], expected: int) -> Iterator[str]:
    for node in nodes:
        if not is_ready(node):
            yield f"{node['metadata']['name']} is not ready"
        if node.get("spec", {}).get("taints"):
            yield f"{node['metadata']['name']} is still tainted: {node['spec']['taints']}"
    if len(nodes) != expected:
        yield f"there are {len(nodes)} nodes, expected {expected}"


def _job(one: Workload, objects: Sequence[Object], *, late: bool) -> Iterator[str]:
    """A pod whose creation was given up and came late does its work beside the one that was made for it: with ``late``
    writes more may succeed than were asked for, in Kubernetes too."""
    obj = next((held for held in objects if held["metadata"]["name"] == one.name), None)
    if obj is None:
        yield f"{one.kind} {one.name} is not there"
        return
    status = obj.get("status") or {}
    done = any(held["type"] == "Complete" and held["status"] == "True" for held in status.get("conditions") or ())
    succeeded = status.get("succeeded", 0)
    if not done or succeeded < one.replicas or (succeeded > one.replicas and not late):
        yield f"job {one.name}: {succeeded} of {one.replicas} succeeded, complete is {done}"


def _workload(one: Workload, objects: Sequence[Object], pods: Sequence[Object], nodes: int) -> Iterator[str]:
    obj = next((held for held in objects if held["metadata"]["name"] == one.name), None)
    if obj is None:
        yield f"{one.kind} {one.name} is not there"
        return
    status = obj.get("status") or {}
    count = nodes if one.kind == "DaemonSet" else one.replicas
    if len(pods) != count or not all(map(is_ready, pods)):
        yield f"{one.kind} {one.name} has {sum(map(is_ready, pods))} of {count} pods ready, {len(pods)} in all"
    images = {pod["spec"]["containers"][0]["image"] for pod in pods}
    if images - {f"app:{one.version}"}:
        yield f"{one.kind} {one.name} has pods of {sorted(images)}, expected version {one.version}"
    names = ("numberReady",) if one.kind == "DaemonSet" else ("replicas", "readyReplicas", "updatedReplicas")
    for name in names:
        if status.get(name, 0) != count:
            yield f"{one.kind} {one.name} says {name} {status.get(name, 0)}, expected {count}"
    if status.get("observedGeneration") != obj["metadata"].get("generation"):
        yield f"{one.kind} {one.name} has not observed its generation"
    if one.kind == "DaemonSet" and len({pod["spec"].get("nodeName") for pod in pods}) != count:
        yield f"DaemonSet {one.name} is not on each node once"
    if one.kind == "StatefulSet":
        expected = {f"{one.name}-{number}" for number in range(one.replicas)}
        if {pod["metadata"]["name"] for pod in pods} != expected:
            yield f"StatefulSet {one.name} has {sorted(pod['metadata']['name'] for pod in pods)}"


def _endpoints(service: str, slices: Sequence[Object], pods: Sequence[Object]) -> Iterator[str]:
    listed = sorted(
        address
        for held in slices
        if (held["metadata"].get("labels") or {}).get("kubernetes.io/service-name") == service
        for endpoint in held.get("endpoints") or ()
        if endpoint["conditions"].get("ready")
        for address in endpoint["addresses"]
    )
    expected = sorted(pod["status"].get("podIP", "") for pod in pods if is_ready(pod))
    if listed != expected:
        yield f"endpoints of {service} are {listed}, its ready pods are {expected}"


def _leftovers(
    wanted: Mapping[str, Workload], pods: Sequence[Object], found: Mapping[Kind, list[Object]]
) -> Iterator[str]:
    for pod in pods:
        name = (pod["metadata"].get("labels") or {}).get("app")
        if name not in wanted:
            yield f"pod {pod['metadata']['name']} of {name}, which was removed, is still there"
    for kind, objects in KINDS.items():
        for held in found[objects]:
            if held["metadata"]["namespace"] == "default" and held["metadata"]["name"] not in wanted:
                yield f"{kind} {held['metadata']['name']} was removed and is still there"


async def _runtimes(world: World, pods: Sequence[Object]) -> list[str]:
    """Each node runs the pods that are bound to it, and no others."""
    problems = []
    for name, runtime in world.runtimes().items():
        bound = {pod["metadata"]["uid"] for pod in pods if pod["spec"].get("nodeName") == name}
        for held in await runtime.pods():
            if held.uid not in bound:
                problems.append(f"{name} still holds {held.namespace}/{held.name}, which is not bound to it")
    return problems


def _tree(node: Node) -> Iterator[str]:
    if node.state != "running" and node.path:
        yield f"actor {node.path} is {node.state}"
    for child in node.children:
        yield from _tree(child)


async def stale_caches(cluster: Cluster) -> list[str]:
    """Caches that do not show what the server has, though nothing changes."""
    problems = []
    followed = cluster.informers.kinds()
    for kind in (held for held in OWNED if held in followed):
        cache = await cluster.informers.cache(kind)
        listed = {item.decode_metadata()["uid"]: item.revision for item in (await cluster.client.list(kind)).items}
        held = {view.uid: view.revision for view in cache.list()}
        if listed != held:
            problems.append(
                f"the cache of {kind.label} has {len(held)} objects, the server {len(listed)}, or older ones"
            )
    return problems
