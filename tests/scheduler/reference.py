"""A slow, obvious scheduler: one pod, one node at a time, over plain objects. What the arrays must agree with."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from orchestrator.apimachinery.quantity import Quantity

Object = dict[str, Any]
HOSTNAME = "kubernetes.io/hostname"
MIB = 1024 * 1024


@dataclass
class World:
    """Nodes, the pods bound to them (``spec.nodeName``) and the labels of namespaces."""

    nodes: list[Object]
    pods: list[Object] = field(default_factory=list)
    namespaces: dict[str, dict[str, str]] = field(default_factory=dict)
    claims: list[Object] = field(default_factory=list)
    volumes: list[Object] = field(default_factory=list)
    classes: list[Object] = field(default_factory=list)
    limits: dict[str, dict[str, int]] = field(default_factory=dict)
    """Attachable volumes by node and driver."""

    def on(self, node: Object) -> list[Object]:
        return [pod for pod in self.pods if pod["spec"].get("nodeName") == node["metadata"]["name"]]


def labels(obj: Object) -> dict[str, str]:
    found: dict[str, str] = obj["metadata"].get("labels", {})
    return found


# requests


def amount(resource: str, text: str) -> int:
    quantity = Quantity.parse(text)
    return quantity.milli() if resource == "cpu" else quantity.value()


def requests(pod: Object, resource: str, missing: int = 0) -> int:
    def of(container: Object) -> int:
        text = container.get("resources", {}).get("requests", {}).get(resource)
        return missing if text is None else amount(resource, text)

    spec = pod["spec"]
    total = sum(of(container) for container in spec["containers"])
    sidecars = peak = 0
    for container in spec.get("initContainers", []):
        if container.get("restartPolicy") == "Always":
            total += of(container)
            sidecars += of(container)
            peak = max(peak, sidecars)
        else:
            peak = max(peak, of(container) + sidecars)
    total = max(total, peak)
    return total + amount(resource, spec.get("overhead", {}).get(resource, "0"))


def resource_names(pod: Object) -> list[str]:
    names = []
    for container in pod["spec"]["containers"] + pod["spec"].get("initContainers", []):
        for name in container.get("resources", {}).get("requests", {}):
            if name not in names:
                names.append(name)
    return names + [name for name in pod["spec"].get("overhead", {}) if name not in names]


# matching


def selector_matches(selector: Object | None, of: dict[str, str]) -> bool:
    if selector is None:
        return False
    for key, value in selector.get("matchLabels", {}).items():
        if of.get(key) != value:
            return False
    return all(
        requirement(expression, of.get(expression["key"])) for expression in selector.get("matchExpressions", [])
    )


def requirement(expression: Object, value: str | None) -> bool:
    values = expression.get("values", [])
    match expression["operator"]:
        case "In":
            return value in values
        case "NotIn":
            return value is None or value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case "Gt":
            return value is not None and value.lstrip("-").isdigit() and int(value) > int(values[0])
        case "Lt":
            return value is not None and value.lstrip("-").isdigit() and int(value) < int(values[0])
    raise AssertionError(expression)


def node_term(term: Object, node: Object) -> bool:
    expressions, fields = term.get("matchExpressions", []), term.get("matchFields", [])
    if not expressions and not fields:
        return False
    return all(requirement(each, labels(node).get(each["key"])) for each in expressions) and all(
        requirement(each, node["metadata"]["name"]) for each in fields
    )


def affinity(pod: Object, kind: str, strength: str) -> Any:
    when = f"{strength}DuringSchedulingIgnoredDuringExecution"
    return (pod["spec"].get("affinity", {}).get(kind) or {}).get(when)


def node_affinity(pod: Object, node: Object) -> bool:
    for key, value in pod["spec"].get("nodeSelector", {}).items():
        if labels(node).get(key) != value:
            return False
    needed = affinity(pod, "nodeAffinity", "required")
    return needed is None or any(node_term(term, node) for term in needed["nodeSelectorTerms"])


def tolerates(pod: Object, taint: Object, effects: tuple[str, ...] = ()) -> bool:
    for toleration in pod["spec"].get("tolerations", []):
        effect = toleration.get("effect", "")
        if effects and effect not in effects:
            continue
        if effect and effect != taint["effect"]:
            continue
        if toleration.get("key", "") and toleration["key"] != taint["key"]:
            continue
        if toleration.get("operator", "Equal") == "Exists" or toleration.get("value", "") == taint.get("value", ""):
            return True
    return False


def kept_out(pod: Object, node: Object) -> bool:
    taints = node["spec"].get("taints", [])
    return any(t["effect"] in ("NoSchedule", "NoExecute") and not tolerates(pod, t) for t in taints)


def term_matches(world: World, owner: Object, term: Object, pod: Object) -> bool:
    """Does ``pod`` match a term that ``owner`` carries?"""
    namespace = pod["metadata"]["namespace"]
    names = term.get("namespaces", [])
    selector = term.get("namespaceSelector")
    if not names and selector is None:
        names = [owner["metadata"]["namespace"]]
    if namespace not in names and not selector_matches(selector, world.namespaces.get(namespace, {})):
        return False
    for key in term.get("matchLabelKeys", []):
        if key in labels(owner) and labels(pod).get(key) != labels(owner)[key]:
            return False
    for key in term.get("mismatchLabelKeys", []):
        if key in labels(owner) and labels(pod).get(key) == labels(owner)[key]:
            return False
    return selector_matches(term.get("labelSelector"), labels(pod))


# filters: the reasons why a node cannot take a pod, of the first filter that refuses


def refuses(world: World, pod: Object, node: Object) -> list[str]:
    from tests.scheduler import reference_volumes as volumes

    before = (named, unschedulable, tainted, unselected, ports_taken, full)
    stored = (volumes.restricted, volumes.over_limit, volumes.unbound, volumes.misplaced)
    for one in (*before, *stored, skewed, bad_company):
        reasons = one(world, pod, node)
        if reasons:
            return reasons
    return []


def named(world: World, pod: Object, node: Object) -> list[str]:
    needed = affinity(pod, "nodeAffinity", "required")
    if not needed:
        return []
    allowed: set[str] = set()
    for term in needed["nodeSelectorTerms"]:
        names = None
        for each in term.get("matchFields", []):
            if each["operator"] == "In":
                names = set(each["values"]) if names is None else names & set(each["values"])
        if names is None:
            return []
        allowed |= names
    return [] if node["metadata"]["name"] in allowed else ["node(s) didn't satisfy plugin(s) [NodeAffinity]"]


def unschedulable(world: World, pod: Object, node: Object) -> list[str]:
    taint = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
    blocked = node["spec"].get("unschedulable") and not tolerates(pod, taint)
    return ["node(s) were unschedulable"] if blocked else []


def tainted(world: World, pod: Object, node: Object) -> list[str]:
    return ["node(s) had untolerated taint(s)"] if kept_out(pod, node) else []


def unselected(world: World, pod: Object, node: Object) -> list[str]:
    return [] if node_affinity(pod, node) else ["node(s) didn't match Pod's node affinity/selector"]


def ports(pod: Object) -> list[tuple[str, str, int]]:
    return [
        (port.get("protocol", "TCP"), port.get("hostIP", "0.0.0.0"), port["hostPort"])
        for container in pod["spec"]["containers"] + pod["spec"].get("initContainers", [])
        if container in pod["spec"]["containers"] or container.get("restartPolicy") == "Always"
        for port in container.get("ports", [])
        if "hostPort" in port
    ]


def ports_taken(world: World, pod: Object, node: Object) -> list[str]:
    taken = [port for other in world.on(node) for port in ports(other)]
    for protocol, address, number in ports(pod):
        for other_protocol, other_address, other_number in taken:
            same = (protocol, number) == (other_protocol, other_number)
            if same and (address == other_address or "0.0.0.0" in (address, other_address)):
                return ["node(s) didn't have free ports for the requested pod ports"]
    return []


def capacity(node: Object, resource: str) -> int:
    return amount(resource, node["status"]["allocatable"].get(resource, "0"))


def full(world: World, pod: Object, node: Object) -> list[str]:
    others = world.on(node)
    reasons = ["Too many pods"] if len(others) + 1 > capacity(node, "pods") else []
    for name in resource_names(pod):
        needed = requests(pod, name)
        used = sum(requests(other, name) for other in others)
        if needed and needed > capacity(node, name) - used:
            reasons.append(f"Insufficient {name}")
    return reasons


def spread_selector(constraint: Object, pod: Object) -> Object | None:
    selector = constraint.get("labelSelector")
    keys = [key for key in constraint.get("matchLabelKeys", []) if key in labels(pod)]
    if selector is None or not keys:
        return selector
    extra = [{"key": key, "operator": "In", "values": [labels(pod)[key]]} for key in keys]
    return {**selector, "matchExpressions": selector.get("matchExpressions", []) + extra}


def spread_count(world: World, pod: Object, selector: Object | None, nodes: list[Object]) -> int:
    if not selector or not (selector.get("matchLabels") or selector.get("matchExpressions")):
        return 0
    return sum(
        selector_matches(selector, labels(other))
        for node in nodes
        for other in world.on(node)
        if other["metadata"]["namespace"] == pod["metadata"]["namespace"]
        and "deletionTimestamp" not in other["metadata"]
    )


def takes_part(pod: Object, constraint: Object, node: Object) -> bool:
    if constraint.get("nodeAffinityPolicy", "Honor") == "Honor" and not node_affinity(pod, node):
        return False
    return not (constraint.get("nodeTaintsPolicy", "Ignore") == "Honor" and kept_out(pod, node))


def skewed(world: World, pod: Object, node: Object) -> list[str]:
    constraints = pod["spec"].get("topologySpreadConstraints", [])
    hard = [each for each in constraints if each["whenUnsatisfiable"] == "DoNotSchedule"]
    for constraint in hard:
        key, selector = constraint["topologyKey"], spread_selector(constraint, pod)
        if key not in labels(node):
            return ["node(s) didn't match pod topology spread constraints (missing required label)"]
        part = [
            other
            for other in world.nodes
            if all(each["topologyKey"] in labels(other) for each in hard) and takes_part(pod, constraint, other)
        ]
        domains = {labels(other)[key] for other in part}
        counts = {
            domain: spread_count(world, pod, selector, [other for other in part if labels(other)[key] == domain])
            for domain in domains
        }
        fewest = 0 if len(domains) < constraint.get("minDomains", 1) else min(counts.values())
        itself = selector_matches(selector, labels(pod))
        if counts.get(labels(node)[key], 0) + itself - fewest > constraint["maxSkew"]:
            return ["node(s) didn't match pod topology spread constraints"]
    return []


def near(world: World, node: Object, key: str) -> list[Object]:
    """The pods in the node's domain."""
    if key not in labels(node):
        return []
    there = [other for other in world.nodes if labels(other).get(key) == labels(node)[key]]
    return [pod for other in there for pod in world.on(other)]


def bad_company(world: World, pod: Object, node: Object) -> list[str]:
    terms = affinity(pod, "podAffinity", "required") or []
    matching = [other for other in world.pods if all(term_matches(world, pod, term, other) for term in terms)]
    located = any(
        term["topologyKey"] in labels(there)
        for term in terms
        for there in world.nodes
        for p in world.on(there)
        if p in matching
    )
    first = not located and all(term_matches(world, pod, term, pod) for term in terms)
    for term in terms:
        there = [other for other in near(world, node, term["topologyKey"]) if other in matching]
        if term["topologyKey"] not in labels(node) or not (there or first):
            return ["node(s) didn't match pod affinity rules"]
    for term in affinity(pod, "podAntiAffinity", "required") or []:
        if any(term_matches(world, pod, term, other) for other in near(world, node, term["topologyKey"])):
            return ["node(s) didn't match pod anti-affinity rules"]
    for other in world.pods:
        for term in affinity(other, "podAntiAffinity", "required") or []:
            if term_matches(world, other, term, pod) and other in near(world, node, term["topologyKey"]):
                return ["node(s) didn't satisfy existing pods anti-affinity rules"]
    return []


# scores


def scores(world: World, pod: Object, siblings: Object | None = None) -> dict[str, int]:
    """The final score of each feasible node, by name."""
    from tests.scheduler.reference_volumes import outright

    if outright(world, pod):
        return {}
    feasible = [node for node in world.nodes if not refuses(world, pod, node)]
    totals = {node["metadata"]["name"]: 0 for node in feasible}
    parts = [
        (3, normal([unwelcome(pod, node) for node in feasible], reverse=True)),
        (1, [least_allocated(world, pod, node) for node in feasible]),
        (1, [balanced(world, pod, node) for node in feasible]),
        (1, [images(world, pod, node) for node in feasible]),
        (2, normal([preferred_nodes(pod, node) for node in feasible])),
        (2, spreading(world, pod, feasible, siblings)),
        (2, company(world, pod, feasible)),
    ]
    for weight, values in parts:
        for name, value in zip(totals, values, strict=True):
            totals[name] += weight * value
    return totals


def normal(values: list[int], reverse: bool = False) -> list[int]:
    highest = max(values, default=0)
    if highest == 0:
        return [100 if reverse else 0 for _ in values]
    return [100 - 100 * value // highest if reverse else 100 * value // highest for value in values]


def unwelcome(pod: Object, node: Object) -> int:
    soft = [taint for taint in node["spec"].get("taints", []) if taint["effect"] == "PreferNoSchedule"]
    return sum(not tolerates(pod, taint, ("", "PreferNoSchedule")) for taint in soft)


def preferred_nodes(pod: Object, node: Object) -> int:
    terms = affinity(pod, "nodeAffinity", "preferred") or []
    return sum(term["weight"] for term in terms if node_term(term["preference"], node))


def least_allocated(world: World, pod: Object, node: Object) -> int:
    values = []
    for name, missing in (("cpu", 100), ("memory", 200 * MIB)):
        has = capacity(node, name)
        used = sum(requests(other, name, missing) for other in [*world.on(node), pod])
        if has:
            values.append(0 if used > has else (has - used) * 100 // has)
    return sum(values) // len(values) if values else 0


def balanced(world: World, pod: Object, node: Object) -> int:
    if not requests(pod, "cpu") and not requests(pod, "memory"):
        return 0
    return 50 + (50 + evenness([*world.on(node), pod], node) - evenness(world.on(node), node)) // 2


def evenness(pods: list[Object], node: Object) -> int:
    full = [
        min(sum(requests(pod, name) for pod in pods) / capacity(node, name), 1.0)
        for name in ("cpu", "memory")
        if capacity(node, name)
    ]
    deviation = abs(full[0] - full[1]) / 2 if len(full) == 2 else 0.0
    return int((1 - deviation) * 100)


def images(world: World, pod: Object, node: Object) -> int:
    def sizes(of: Object) -> dict[str, int]:
        return {name: image["sizeBytes"] for image in of["status"].get("images", []) for name in image["names"]}

    wanted = [c["image"] for c in pod["spec"].get("initContainers", []) + pod["spec"]["containers"]]
    total = 0
    for image in wanted:
        holders = sum(image in sizes(other) for other in world.nodes)
        if image in sizes(node):
            total += int(sizes(node)[image] * (holders / len(world.nodes)))
    most = 1000 * MIB * len(wanted)
    return 100 * (min(max(total, 23 * MIB), most) - 23 * MIB) // (most - 23 * MIB)


def spreading(world: World, pod: Object, feasible: list[Object], siblings: Object | None) -> list[int]:
    constraints = pod["spec"].get("topologySpreadConstraints", [])
    defaulted = not constraints and siblings is not None
    if defaulted:
        constraints = [
            {"topologyKey": HOSTNAME, "maxSkew": 3, "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": siblings},
            {
                "topologyKey": "topology.kubernetes.io/zone",
                "maxSkew": 5,
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": siblings,
            },
        ]
    soft = [each for each in constraints if each["whenUnsatisfiable"] == "ScheduleAnyway"]
    if not soft:
        return [0] * len(feasible)

    def whole(node: Object) -> bool:
        return defaulted or all(each["topologyKey"] in labels(node) for each in soft)

    scored = [node for node in feasible if whole(node)]
    raw = [soft_raw(world, pod, soft, node, scored, whole) for node in scored]
    highest, lowest = max(raw, default=0), min(raw, default=0)
    by_name = {
        node["metadata"]["name"]: 100 if highest == 0 else 100 * (highest + lowest - value) // highest
        for node, value in zip(scored, raw, strict=True)
    }
    return [by_name.get(node["metadata"]["name"], 0) for node in feasible]


def soft_raw(world: World, pod: Object, soft: list[Object], node: Object, scored: list[Object], whole: Any) -> int:
    score = 0.0
    for constraint in soft:
        key, selector = constraint["topologyKey"], spread_selector(constraint, pod)
        if key not in labels(node):
            continue
        if key == HOSTNAME:
            size, there = len(scored), [node]
        else:
            size = len({labels(other).get(key) for other in scored})
            there = [
                other
                for other in world.nodes
                if labels(other).get(key) == labels(node)[key] and whole(other) and takes_part(pod, constraint, other)
            ]
        score += spread_count(world, pod, selector, there) * math.log(size + 2) + constraint["maxSkew"] - 1
    return math.floor(score + 0.5)


def company(world: World, pod: Object, feasible: list[Object]) -> list[int]:
    weights: list[int] = []
    for node in feasible:
        total = 0
        for sign, kind in ((1, "podAffinity"), (-1, "podAntiAffinity")):
            for item in affinity(pod, kind, "preferred") or []:
                term = item["podAffinityTerm"]
                there = near(world, node, term["topologyKey"])
                total += sign * item["weight"] * sum(term_matches(world, pod, term, other) for other in there)
        for other in world.pods:
            total += carried(world, pod, node, other)
        weights.append(total)
    lowest, highest = min(weights, default=0), max(weights, default=0)
    if lowest == highest:
        return [0] * len(weights)
    return [int(100 * ((weight - lowest) / (highest - lowest))) for weight in weights]


def carried(world: World, pod: Object, node: Object, other: Object) -> int:
    """What a placed pod's own terms add to the node for this pod."""
    total = 0
    for term in affinity(other, "podAffinity", "required") or []:
        if term_matches(world, other, term, pod) and other in near(world, node, term["topologyKey"]):
            total += 1
    for sign, kind in ((1, "podAffinity"), (-1, "podAntiAffinity")):
        for item in affinity(other, kind, "preferred") or []:
            term = item["podAffinityTerm"]
            if term_matches(world, other, term, pod) and other in near(world, node, term["topologyKey"]):
                total += sign * item["weight"]
    return total
