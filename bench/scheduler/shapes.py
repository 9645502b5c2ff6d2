"""The nodes, pods and other objects of scheduler_perf: the same requests, labels and constraints, as plain objects.

Facts of ``test/integration/scheduler_perf/templates`` of Kubernetes 1.37.2. Where a template sets a bare priority,
a PriorityClass of that value is named: the API refuses a number, as Kubernetes' own admission does.
"""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]

IMAGE = "registry.k8s.io/pause:3.10.1"
HOSTNAME = "kubernetes.io/hostname"
ZONE = "topology.kubernetes.io/zone"
PRIORITIES = {"churn": 10, "preemptor": 9_999_999}
"""PriorityClasses by name."""
BOTH = ["sched-1", "sched-0"]


def pod(prefix: str, requests: Object | None = None, *, labels: Object | None = None, **spec: Any) -> Object:
    container: Object = {"name": "pause", "image": IMAGE}
    if requests is not None:
        container["ports"] = [{"containerPort": 80}]
        container["resources"] = requests
    metadata: Object = {"generateName": f"{prefix}-", **({"labels": labels} if labels else {})}
    return {"metadata": metadata, "spec": {"containers": [container], **spec}}


def equal(cpu: str, memory: str = "500Mi") -> Object:
    amounts = {"cpu": cpu, "memory": memory}
    return {"requests": amounts, "limits": amounts}


SMALL = equal("100m")


def term(color: str, topology: str, **namespaces: Any) -> Object:
    return {"labelSelector": {"matchLabels": {"color": color}}, "topologyKey": topology, **namespaces}


def required(kind: str, pod_term: Object) -> Object:
    return {kind: {"requiredDuringSchedulingIgnoredDuringExecution": [pod_term]}}


def preferred(kind: str, pod_term: Object) -> Object:
    weighted = {"weight": 1, "podAffinityTerm": pod_term}
    return {kind: {"preferredDuringSchedulingIgnoredDuringExecution": [weighted]}}


def node_affinity(node_term: Object) -> Object:
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [node_term]}}}


def colored(prefix: str, color: str, affinity: Object | None = None) -> Object:
    extra = {"affinity": affinity} if affinity else {}
    return pod(prefix, SMALL, labels={"color": color}, **extra)


def spread(unsatisfiable: str) -> Object:
    constraint = {
        "maxSkew": 5,
        "topologyKey": ZONE,
        "whenUnsatisfiable": unsatisfiable,
        "labelSelector": {"matchLabels": {"color": "blue"}},
    }
    return pod("spreading-pod", SMALL, labels={"color": "blue"}, topologySpreadConstraints=[constraint])


DEVOPS = {"namespaceSelector": {"matchLabels": {"team": "devops"}}}
ZONES = {"matchExpressions": [{"key": ZONE, "operator": "In", "values": ["zone1", "zone2"]}]}
NAMED = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["scheduler-perf-node"]}]}
INCLUSION = {
    "maxSkew": 1,
    "topologyKey": HOSTNAME,
    "whenUnsatisfiable": "DoNotSchedule",
    "nodeAffinityPolicy": "Honor",
    "nodeTaintsPolicy": "Honor",
    "labelSelector": {"matchLabels": {"foo": "bar"}},
}

PODS: dict[str, Object] = {
    "default": pod("pod", SMALL),
    "light": pod("light-pod", terminationGracePeriodSeconds=0),
    "label": pod("pod", labels={"app": "scheduler-perf"}),
    "gated": pod("gated-pod", schedulingGates=[{"name": "test.k8s.io/hold"}]),
    "finalizer": {**pod("pod"), "metadata": {"generateName": "pod-", "finalizers": ["test.k8s.io/finalizer"]}},
    "daemonset": pod("daemonset", affinity=node_affinity(NAMED)),
    "node-affinity": pod("node-affinity", SMALL, affinity=node_affinity(ZONES)),
    "low": pod("pod", equal("900m"), terminationGracePeriodSeconds=0),
    "preemptor": pod(
        "pod-high-priority", equal("3970m"), terminationGracePeriodSeconds=0, priorityClassName="preemptor"
    ),
    "large-cpu": pod("pod-h", {"requests": {"cpu": "9", "memory": "500Mi"}}, priorityClassName="churn"),
    "affinity": colored("affinity-pod", "blue", required("podAffinity", term("blue", ZONE, namespaces=BOTH))),
    "anti-affinity": colored(
        "anti-affinity-pod", "green", required("podAntiAffinity", term("green", HOSTNAME, namespaces=BOTH))
    ),
    "anti-affinity-label": colored("anti-affinity-matching-pod", "green"),
    "anti-affinity-namespaces": colored(
        "anti-affinity-pod", "green", required("podAntiAffinity", term("green", HOSTNAME, **DEVOPS))
    ),
    "preferred-affinity": colored(
        "preferred-affinity-pod", "red", preferred("podAffinity", term("red", HOSTNAME, namespaces=BOTH))
    ),
    "preferred-anti-affinity": colored(
        "preferred-anti-affinity-pod", "yellow", preferred("podAntiAffinity", term("yellow", HOSTNAME, namespaces=BOTH))
    ),
    "spreading": spread("DoNotSchedule"),
    "preferred-spreading": spread("ScheduleAnyway"),
    "inclusion": pod(
        "spreading-pod-with-node-inclusion-policy", SMALL, labels={"foo": "bar"}, topologySpreadConstraints=[INCLUSION]
    ),
}


def node(name: str, *, pods: str = "110", cpu: str = "4", zone: str = "", taints: list[Object] | None = None) -> Object:
    labels = {HOSTNAME: name, **({ZONE: zone} if zone else {})}
    capacity = {"pods": pods, "cpu": cpu, "memory": "32Gi"}
    conditions = [{"type": "Ready", "status": "True"}]
    return {
        "metadata": {"name": name, "labels": labels},
        "spec": {"taints": taints} if taints else {},
        "status": {"capacity": capacity, "allocatable": capacity, "conditions": conditions},
    }


def service(name: str, app: str) -> Object:
    ports = [{"protocol": "TCP", "port": 80, "targetPort": 8000}]
    return {"metadata": {"name": name}, "spec": {"selector": {"app": app}, "ports": ports}}
