"""What an outside reader finds wrong in the state that a cell leaves: written from the objects alone."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from bench.scheduler.shapes import HOSTNAME, ZONE
from orchestrator.apimachinery.quantity import Quantity

Object = dict[str, Any]


def recount(nodes: list[Object], pods: list[Object]) -> Counter[str]:
    """By kind of fault: pods on nodes that are not there, too small, forbidden by taints, terms or skew."""
    by_name = {node["metadata"]["name"]: node for node in nodes}
    there: dict[str, list[Object]] = defaultdict(list)
    wrong: Counter[str] = Counter()
    for pod in pods:
        name = pod["spec"].get("nodeName")
        if name in by_name:
            there[name].append(pod)
        elif name:
            wrong["no such node"] += 1
    for name, held in there.items():
        wrong += _crowded(by_name[name], held)
        wrong["taint"] += sum(_forbidden(by_name[name], pod) for pod in held)
        wrong["anti-affinity"] += _quarrels(held)
        wrong["affinity"] += sum(not _zone_fits(by_name[name], pod) for pod in held)
    wrong["skew"] += _skewed(by_name, pods, ZONE) + _skewed(by_name, pods, HOSTNAME)
    return +wrong


def _crowded(node: Object, pods: list[Object]) -> Counter[str]:
    wrong: Counter[str] = Counter()
    room = node["status"]["allocatable"]
    wrong["too many pods"] = int(len(pods) > Quantity.parse(room["pods"]).value())
    for resource in ("cpu", "memory"):
        used = sum(_request(pod, resource) for pod in pods)
        wrong[f"too much {resource}"] = int(used > Quantity.parse(room[resource]).milli())
    return wrong


def _request(pod: Object, resource: str) -> int:
    texts = [c.get("resources", {}).get("requests", {}).get(resource, "0") for c in pod["spec"]["containers"]]
    return sum(Quantity.parse(text).milli() for text in texts)


def _forbidden(node: Object, pod: Object) -> bool:
    tolerated = {each.get("key") for each in pod["spec"].get("tolerations", ())}
    taints = node["spec"].get("taints") or ()
    return any(taint["effect"] == "NoSchedule" and taint["key"] not in tolerated for taint in taints)


def _quarrels(pods: list[Object]) -> int:
    """Pods beside one that their required anti-affinity (by hostname, by color) does not bear."""
    colors = Counter(_color(pod) for pod in pods)
    alone = [pod for pod in pods if _term(pod, "podAntiAffinity")]
    return sum(colors[_color(pod)] > 1 for pod in alone)


def _zone_fits(node: Object, pod: Object) -> bool:
    wanted = pod["spec"].get("affinity", {}).get("nodeAffinity", {})
    terms = wanted.get("requiredDuringSchedulingIgnoredDuringExecution", {}).get("nodeSelectorTerms", ())
    for term in terms:
        for expression in term.get("matchExpressions", ()):
            return node["metadata"]["labels"].get(expression["key"]) in expression["values"]
        for field in term.get("matchFields", ()):
            return node["metadata"]["name"] in field["values"]
    return True


def _skewed(nodes: dict[str, Object], pods: list[Object], key: str) -> int:
    """One for each color whose hard spreading over ``key`` is further apart than its skew."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    skew: dict[str, int] = {}
    for pod in pods:
        for each in pod["spec"].get("topologySpreadConstraints", ()):
            if (
                each["topologyKey"] == key
                and each["whenUnsatisfiable"] == "DoNotSchedule"
                and pod["spec"].get("nodeName")
            ):
                label = "/".join(each["labelSelector"]["matchLabels"].values())
                skew[label] = each["maxSkew"]
                counts[label][nodes[pod["spec"]["nodeName"]]["metadata"]["labels"][key]] += 1
    domains = {
        node["metadata"]["labels"][key]
        for node in nodes.values()
        if key in node["metadata"]["labels"] and not node["spec"].get("taints")
    }
    spread = {label: [found[domain] for domain in domains] for label, found in counts.items()}
    return sum(max(each) - min(each) > skew[label] for label, each in spread.items())


def _color(pod: Object) -> str:
    return str(pod["metadata"].get("labels", {}).get("color", ""))


def _term(pod: Object, kind: str) -> bool:
    terms = pod["spec"].get("affinity", {}).get(kind, {})
    return bool(terms.get("requiredDuringSchedulingIgnoredDuringExecution"))
