"""Whether the state is right, told by a reader that only asks the API: the cluster's own counting is not used."""

from __future__ import annotations

from collections import Counter, defaultdict

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.quantity import Quantity
from orchestrator.client.client import Client
from orchestrator.client.kinds import DEPLOYMENTS, ENDPOINTSLICES, NODES, PODS, REPLICASETS, SERVICES, Kind
from orchestrator.client.protocol import Options
from orchestrator.client.requests import list_

PAGE = 2000
SERVICE = "kubernetes.io/service-name"


async def recount(client: Client) -> list[str]:
    """What is wrong, in words; empty is right."""
    pods = await _all(client, PODS)
    nodes = {one["metadata"]["name"]: one for one in await _all(client, NODES)}
    sets = await _all(client, REPLICASETS)
    deployments = await _all(client, DEPLOYMENTS)
    faults = [*placed(pods, nodes), *counted(pods, sets, deployments)]
    services = await _all(client, SERVICES)
    return faults + served(pods, services, await _all(client, ENDPOINTSLICES))


async def _all(client: Client, kind: Kind) -> list[Object]:
    found: list[Object] = []
    token = ""
    while True:
        page = await client.request(list_(kind, "", Options(limit=PAGE, continue_token=token)))
        found += [item.decode() for item in page.items or ()]
        token = page.continue_token
        if not token:
            return found


def placed(pods: list[Object], nodes: dict[str, Object]) -> list[str]:
    """Every pod is on a node that is there and has room for all it holds; no two running pods share an address."""
    faults: list[str] = []
    used: dict[str, list[Object]] = defaultdict(list)
    addresses = Counter(pod.get("status", {}).get("podIP") for pod in pods if running(pod))
    for pod in pods:
        name, node = pod["metadata"]["name"], pod["spec"].get("nodeName", "")
        if not node:
            faults.append(f"pod {name} is bound to no node")
        elif node not in nodes:
            faults.append(f"pod {name} is on {node}, which is not there")
        else:
            used[node].append(pod)
        if running(pod) and addresses[pod["status"].get("podIP")] != 1:
            faults.append(f"pod {name} shares the address {pod['status'].get('podIP')}")
    for node, held in used.items():
        faults += _over(nodes[node], held)
    return faults


def running(pod: Object) -> bool:
    return bool(pod.get("status", {}).get("phase") == "Running")


def ready(pod: Object) -> bool:
    conditions = pod.get("status", {}).get("conditions") or ()
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def _over(node: Object, held: list[Object]) -> list[str]:
    room = {name: Quantity.parse(value) for name, value in node["status"]["allocatable"].items()}
    asked = {"pods": Quantity.of(len(held))}
    for pod in held:
        for container in pod["spec"]["containers"]:
            for name, value in ((container.get("resources") or {}).get("requests") or {}).items():
                asked[name] = asked.get(name, Quantity.of(0)) + Quantity.parse(value)
    return [
        f"node {node['metadata']['name']} has {room.get(name)} of {name}, its pods ask for {value}"
        for name, value in asked.items()
        if value > room.get(name, Quantity.of(0))
    ]


def counted(pods: list[Object], sets: list[Object], deployments: list[Object]) -> list[str]:
    """The counts in the statuses of ReplicaSets and Deployments are those of the pods that are there."""
    faults: list[str] = []
    owned: dict[str, list[Object]] = defaultdict(list)
    for pod in pods:
        for reference in pod["metadata"].get("ownerReferences", ()):
            owned[reference["uid"]].append(pod)
    for each in sets:
        faults += _status("ReplicaSet", each, owned[each["metadata"]["uid"]])
    for each in deployments:
        mine = [one for one in sets if any(r["uid"] == each["metadata"]["uid"] for r in _owners(one))]
        faults += _status("Deployment", each, [pod for one in mine for pod in owned[one["metadata"]["uid"]]])
    return faults


def _owners(obj: Object) -> list[Object]:
    return list(obj["metadata"].get("ownerReferences", ()))


def _status(kind: str, owner: Object, pods: list[Object]) -> list[str]:
    alive = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
    true = {"replicas": len(alive), "readyReplicas": sum(map(ready, alive))}
    said = owner.get("status", {})
    return [
        f"{kind} {owner['metadata']['name']} says {said.get(name, 0)} {name}, there are {count}"
        for name, count in true.items()
        if said.get(name, 0) != count
    ]


def served(pods: list[Object], services: list[Object], slices: list[Object]) -> list[str]:
    """The ready addresses in the slices of a Service are those of the Ready pods that it selects."""
    faults: list[str] = []
    by_label: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for pod in pods:
        if ready(pod) and "deletionTimestamp" not in pod["metadata"]:
            meta = pod["metadata"]
            for name, value in meta.get("labels", {}).items():
                by_label[(meta["namespace"], name, value)].add(pod["status"]["podIP"])
    told: dict[tuple[str, str], set[str]] = defaultdict(set)
    for one in slices:
        key = one["metadata"]["namespace"], one["metadata"].get("labels", {}).get(SERVICE, "")
        for endpoint in one.get("endpoints") or ():
            if endpoint.get("conditions", {}).get("ready"):
                told[key] |= set(endpoint["addresses"])
    for service in services:
        selector = service["spec"].get("selector")
        if not selector:
            continue
        namespace, name = service["metadata"]["namespace"], service["metadata"]["name"]
        wanted = set.intersection(*(by_label[(namespace, *pair)] for pair in selector.items()))
        if wanted != told[(namespace, name)]:
            faults.append(f"Service {name} names {len(told[(namespace, name)])} addresses, {len(wanted)} are Ready")
    return faults
